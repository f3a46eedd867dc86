"""Legacy streams: recognised and named, and nothing else is taken for one."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from domctx_plugin_xen_streams.check_libxl import LegacyCheck
from domctx_plugin_xen_streams.convert import ToVersion4
from domctx_plugin_xen_streams.insert import extract
from domctx_plugin_xen_streams.legacy import LibxcLegacy
from domctx_plugin_xen_streams.rewrite import rewrite
from domctx_plugin_xen_streams.stream import read_stream
from hypothesis import example, given
from hypothesis import strategies as st
from xen_streams_support import CAPTURES, DATA, capture, image, libxc, libxl, make_formats, xl

from domctx_core import (
    HEAD_SIZE,
    BufferSource,
    Fault,
    FileSource,
    ImageError,
    Opened,
    Source,
    Trailing,
    verify,
    walk,
)

BLOCK = struct.pack("<I4sI", 8 + 0x1430, b"vcpu", 0x1430) + bytes(64)

#: A stream of each kind of guest, by each kind of toolstack, as the converter of Xen reads it.
STREAMS = {
    "pv, 64-bit": struct.pack("<QQ", 0x8000, 2**64 - 1) + BLOCK,
    "pv, 32-bit": struct.pack("<II", 0x8000, 2**32 - 1) + BLOCK,
    "pv, extended first": struct.pack("<QQI4sI", 0x8000, 2**64 - 1, 8, b"extv", 0) + bytes(64),
    "hvm, 64-bit": struct.pack("<QI1024Q", 0xFF000, 1024, *range(1024)) + bytes(4096),
    "hvm, 32-bit": struct.pack("<II1024I", 0xFF000, 1024, *range(1024)) + bytes(4096),
}


def recognised(data: bytes) -> str | None:
    found = make_formats().recognise(data[:HEAD_SIZE])
    return None if found is None else found.name


@pytest.mark.parametrize("data", STREAMS.values(), ids=STREAMS)
def test_a_bare_stream_is_named(data: bytes) -> None:
    assert recognised(data) == "libxc-legacy"
    events = list(walk(BufferSource(data), make_formats()))
    assert not any(isinstance(event, Fault | Trailing) for event in events)
    (opened,) = [event for event in events if isinstance(event, Opened)]
    assert opened.recognised
    ((at, header),) = opened.level.prologue
    assert (at, header.to_bytes()) == (0, data[:8])
    verdict = verify(BufferSource(data), make_formats(), checks=[LegacyCheck])
    (finding,) = verdict.findings
    assert (finding.rule, finding.offset, finding.errno) == ("xen-streams/legacy-stream", 0, 95)
    assert "convert-legacy-stream" in finding.message
    assert not verdict.valid


@pytest.mark.parametrize(
    ("name", "bits"), [("pv, 64-bit", 64), ("pv, 32-bit", 32), ("hvm, 64-bit", 64),
                       ("hvm, 32-bit", 32)],
)  # fmt: skip
def test_who_wrote_it(name: str, bits: int) -> None:
    opened = next(iter(walk(BufferSource(STREAMS[name]), make_formats())))
    assert isinstance(opened, Opened)
    ((_, header),) = opened.level.prologue
    assert header.summary()["toolstack"] == f"{bits}-bit"
    assert header.p2m_size == (0x8000 if name.startswith("pv") else 0xFF000)  # type: ignore[attr-defined]


@pytest.mark.parametrize("pipe", [False, True])
@pytest.mark.parametrize("stream", [*STREAMS.values(), b"anything at all", bytes(8)])
def test_an_xl_file_says_by_its_flags_what_follows(stream: bytes, pipe: bool) -> None:
    data = xl(stream, flags=1)
    source: Source = FileSource(io.BytesIO(data), stream=True) if pipe else BufferSource(data)
    verdict = verify(source, make_formats(), checks=[LegacyCheck])
    assert verdict.format == "xl"
    (finding,) = verdict.findings
    assert finding.rule == "xen-streams/legacy-stream"
    assert finding.container == ("xl", "libxc-legacy")
    assert (finding.offset, finding.container_offset) == (len(data) - len(stream), 0)


def test_an_xl_file_that_ends_before_its_stream() -> None:
    (fault,) = [e for e in walk(BufferSource(xl(b"abc", flags=1)), make_formats())
                if isinstance(e, Fault)]  # fmt: skip
    assert fault.finding.rule == "truncated-header"


def test_the_xl_flag_of_a_modern_stream() -> None:
    names = [e.level.path[-1] for e in walk(BufferSource(xl(libxl())), make_formats())
             if isinstance(e, Opened)]  # fmt: skip
    assert names == ["xl", "libxl"]


@pytest.mark.parametrize("data", [STREAMS["pv, 64-bit"], xl(bytes(64), flags=1)])
def test_who_needs_records_says_what_it_is(data: bytes) -> None:
    formats = make_formats()
    attempts: list[Callable[[], object]] = [
        lambda: read_stream(BufferSource(data), formats),
        lambda: rewrite(io.BytesIO(data), io.BytesIO(), formats, ToVersion4()),
        lambda: extract(BufferSource(data), formats, "hvm-context"),
        lambda: extract(BufferSource(data), formats, "domain-context"),
    ]
    for attempt in attempts:
        with pytest.raises(ImageError, match="legacy stream") as caught:
            attempt()
        assert "convert-legacy-stream" in str(caught.value.hint)
        assert (caught.value.errno, caught.value.rule) == (95, "xen-streams/legacy-stream")


@given(data=st.binary(max_size=80))
@example(data=b"")
@example(data=bytes(64))
@example(data=b"\xff" * 64)
@example(data=struct.pack("<16I", *range(16)))
@example(data=struct.pack("<8Q", *range(8)))
@example(data=struct.pack("<8Q", *[1024] * 8))
def test_nothing_else_is_taken_for_one(data: bytes) -> None:
    assert not LibxcLegacy().recognises(data)


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("pv, 64-bit", [*range(4, 16), *range(20, 24)]),
        ("pv, 32-bit", [*range(4, 8), *range(12, 16)]),
        ("hvm, 64-bit", range(4, 60)),
        ("hvm, 32-bit", range(4, 64)),
    ],
)
def test_every_byte_of_the_mark_counts(name: str, mark: list[int]) -> None:
    stream = STREAMS[name][:HEAD_SIZE]
    for at in mark:
        changed = stream[:at] + bytes([stream[at] ^ 0x55]) + stream[at + 1 :]
        assert not LibxcLegacy().recognises(changed), at


def test_a_head_that_is_cut_short_is_no_mark() -> None:
    for stream in STREAMS.values():
        for size in range(12):
            assert not LibxcLegacy().recognises(stream[:size])


def test_the_files_at_hand_are_not_taken_for_one() -> None:
    legacy = LibxcLegacy()
    for name in CAPTURES:
        data = capture(name)
        for at in range(len(data) - HEAD_SIZE):
            assert not legacy.recognises(data[at : at + HEAD_SIZE])
    for data in (image(), libxl(), libxc(), xl(libxl()), xl(libxl(), order=">")):
        assert recognised(data) not in (None, "libxc-legacy")
    folder = Path(__file__).parents[3]
    for path in [*DATA.iterdir(), *folder.glob("tests/data/corpus/*"), *folder.glob("**/*.py")]:
        if path.is_file() and ".venv" not in path.parts:
            with path.open("rb") as file:
                assert not legacy.recognises(file.read(HEAD_SIZE)), path
