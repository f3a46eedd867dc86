"""Real streams: what is read equals the listing made with another program at capture time."""

from __future__ import annotations

import io
import os
import re
import threading
from typing import Any

import pytest
from xen_streams_support import CAPTURES, DATA, brief, capture, events_of, make_formats

from domctx_core import (
    BufferSource,
    Fault,
    FileSource,
    Opened,
    Record,
    Severity,
    Trailing,
    verify,
    walk,
)

LINE = re.compile(r"0x[0-9a-f]+ (xl|libxl|libxc) +([A-Z0-9_]+) +type 0x([0-9a-f]+) length (\d+)")


def listed(name: str) -> list[tuple[str, int, str, int]]:
    """Container, type, name and length of each record that the listing names one by one."""
    text = (DATA / f"{name}.save.records.txt").read_text()
    return [
        (match[1], int(match[3], 16), match[2], int(match[4]))
        for match in map(LINE.match, text.splitlines())
        if match
    ]


def records_of(name: str) -> list[Record]:
    return [event for event in events_of(capture(name)) if isinstance(event, Record)]


@pytest.mark.parametrize("name", CAPTURES)
def test_the_records_are_those_of_the_listing(name: str) -> None:
    found = [(r.level.format.name, r.type, str(r.name), r.length) for r in records_of(name)]
    assert len(found) > 5
    assert found == listed(name)


@pytest.mark.parametrize("name", CAPTURES)
def test_records_touch_each_other_from_the_headers_to_the_end(name: str) -> None:
    at = 0
    data = capture(name)
    for event in events_of(data):
        match event:
            case Opened(level):
                assert level.offset == at
                for offset, body in level.prologue:
                    assert offset == at
                    at += body.size()
            case Record():
                assert event.offset == at
                at = event.end
            case Fault() | Trailing():
                pytest.fail(str(event))
    assert at == len(data)


@pytest.mark.parametrize("name", CAPTURES)
def test_the_headers_say_who_saved_what(name: str) -> None:
    opened = [e.level for e in events_of(capture(name)) if isinstance(e, Opened)]
    assert [level.path[-1] for level in opened] == ["xl", "libxl", "libxc"]
    xl, libxl, libxc = ([body.to_json() for _, body in level.prologue] for level in opened)
    assert xl[0]["mandatory_flags"] == ["JSON_CONFIG", "STREAM_V2"]
    assert f'"name": "{name}"' in xl[1]["config"]
    assert (libxl[0]["version"], libxl[0]["options"]) == (2, [])
    assert libxc[0]["version"] == 3
    assert libxc[1]["type"] == ("X86_PV" if name.startswith("pv") and name != "pvh1" else "X86_HVM")
    assert (libxc[1]["xen_major"], libxc[1]["xen_minor"]) == (4, 17)
    assert [level.framing.version for level in opened] == [2, 2, 3]


@pytest.mark.parametrize("name", CAPTURES)
def test_every_prologue_and_body_gives_its_bytes_back(name: str) -> None:
    data = capture(name)
    for event in events_of(data):
        if isinstance(event, Opened):
            for at, body in event.level.prologue:
                raw = body.to_bytes(event.level.framing.byteorder)
                assert raw == data[at : at + len(raw)]
                assert type(body).from_json(body.to_json()) == body
        if isinstance(event, Record):
            assert event.decoded is not None
            assert event.decoded.body is not None
            assert event.decoded.problems == ()
            assert event.decoded.body.to_bytes() == bytes(event.raw())
            again = type(event.decoded.body).from_json(event.decoded.body.to_json())
            assert again.to_bytes() == bytes(event.raw())


def test_decoded_values_of_a_pv_guest() -> None:
    bodies: dict[str, Any] = {}
    for record in records_of("pv1"):
        assert record.decoded is not None
        bodies.setdefault(str(record.name), record.decoded.body)
    assert (bodies["X86_PV_INFO"].guest_width, bodies["X86_PV_INFO"].pt_levels) == (8, 4)
    assert len(bodies["X86_CPUID_POLICY"].leaves) == 49
    leaf = bodies["X86_CPUID_POLICY"].leaves[0]
    vendor = b"".join(n.to_bytes(4, "little") for n in (leaf.ebx, leaf.edx, leaf.ecx))
    assert vendor == b"AuthenticAMD"
    assert len(bodies["X86_MSR_POLICY"].msrs) == 2
    frames = bodies["X86_PV_P2M_FRAMES"]
    assert (frames.start_pfn, frames.end_pfn, len(frames.frames)) == (0, 0x7FFF, 64)
    tsc = bodies["X86_TSC_INFO"]
    assert (tsc.mode, tsc.khz, tsc.nsec, tsc.incarnation) == (0, 2596126, 12968638245, 1)


def test_decoded_values_of_an_hvm_guest() -> None:
    (params,) = (r for r in records_of("hvm1") if r.name == "HVM_PARAMS")
    assert params.decoded is not None
    listing = (DATA / "hvm1.save.records.txt").read_text()
    expected = [(int(i), int(v, 16)) for i, v in re.findall(r"\((\d+), '(0x[0-9a-f]+)'\)", listing)]
    assert len(expected) == 12
    body: Any = params.decoded.body
    assert [(p.index, p.value) for p in body.params] == expected


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_is_valid(name: str) -> None:
    verdict = verify(BufferSource(capture(name)), make_formats())
    assert (verdict.format, verdict.valid, verdict.needs_plugin) == ("xl", True, False)
    # the format of the HVM context is another distribution's, and not here
    expected = [("needs-plugin", Severity.NOTE, "HVM_CONTEXT")] if name in ("pvh1", "hvm1") else []
    assert [(f.rule, f.severity, f.name) for f in verdict.findings] == expected


class Sevens(io.RawIOBase):
    """Gives at most seven bytes at a time, and cannot seek."""

    def __init__(self, data: bytes) -> None:
        self._inner = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(min(size, 7) if size >= 0 else 7)


@pytest.mark.parametrize("name", CAPTURES)
def test_short_reads_give_the_same_events(name: str) -> None:
    data = capture(name)
    found = [brief(event) for event in walk(FileSource(Sevens(data)), make_formats())]
    assert found == [brief(event) for event in events_of(data)]


@pytest.mark.parametrize("name", CAPTURES)
def test_a_pipe_gives_the_same_events(name: str) -> None:
    data = capture(name)
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb", buffering=0) as pipe:
            view = memoryview(data)
            while view:
                view = view[pipe.write(view[:1000]) :]

    thread = threading.Thread(target=write)
    thread.start()
    with open(reading, "rb", buffering=0) as pipe:
        found = [brief(event) for event in walk(FileSource(pipe), make_formats())]
    thread.join()
    assert found == [brief(event) for event in events_of(data)]
