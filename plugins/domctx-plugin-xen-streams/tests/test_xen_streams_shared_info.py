"""SHARED_INFO of a libxc stream: fields, laid out as the X86_PV_INFO before it says."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from domctx_plugin_shared_info import SharedInfo, SharedInfoCompat, SharedInfoX86_64
from domctx_plugin_xen_streams.libxc import (
    SharedInfoPage,
    SharedInfoPage32,
    SharedInfoPage64,
    SharedInfoRecord,
)
from domctx_plugin_xen_streams.stream import read_stream
from xen_streams_support import (
    capture,
    events_of,
    libxc,
    libxl,
    make_formats,
    pv_info,
    record,
    shared_info,
    tsc_info,
)

from domctx_core import Body, BufferSource, FileSource, Record, decode_image, walk

EXAMPLES = Path(__file__).parents[3] / "examples" / "xen-4.17"
LIBXC_CONTEXT, CHECKPOINT, CHECKPOINT_END = record(1), record(14), record(4)


def pages_of(data: bytes, *, pipe: bool = False) -> list[Any]:
    """The bodies of all SHARED_INFO records, as they come."""
    if not pipe:
        events = events_of(data)
        return [_body(event) for event in events if isinstance(event, Record) and event.type == 7]
    source = FileSource(io.BytesIO(data), stream=True)
    return [
        _body(event)
        for event in walk(source, make_formats())
        if isinstance(event, Record) and event.name == "SHARED_INFO"
    ]


def _body(record: Record) -> Body:
    assert record.decoded is not None
    assert record.decoded.body is not None
    assert record.decoded.body.to_bytes(record.level.framing.byteorder) == bytes(record.raw())
    return record.decoded.body


@pytest.mark.parametrize("name", ["pv1", "pv2l"])
@pytest.mark.parametrize("pipe", [False, True])
def test_the_captures_say_what_the_live_guest_said(name: str, pipe: bool) -> None:
    known = EXAMPLES / name / "live" / "facts.json"
    if not known.exists():
        pytest.skip("the examples are part of the repository, not of this distribution")
    facts = json.loads(known.read_text())["shared_info"]
    (page,) = pages_of(capture(name), pipe=pipe)
    assert isinstance(page, SharedInfoPage64)
    info, arch = page.info, page.info.arch
    assert [info.wc_version, info.wc_sec, info.wc_nsec, info.wc_sec_hi] == list(
        facts["wc"].values()
    )
    assert {field: getattr(arch, field) for field in facts["arch"]} == facts["arch"]
    for vcpu in facts["vcpu_info"]:
        found = info.vcpu_info[vcpu["i"]]
        assert (found.evtchn_upcall_mask, found.arch.cr2) == (vcpu["mask"], int(vcpu["cr2"], 16))
        assert found.time.version == vcpu["time"]["version"]
        assert found.time.tsc_to_system_mul == vcpu["time"]["mul"]
        assert found.time.tsc_shift == vcpu["time"]["shift"]
    # event channels were still in use then, and taken down by the time of the save
    raw = page.to_bytes()
    assert info.evtchn_pending.to_int() == int.from_bytes(raw[2048:2560], "little")
    assert info.evtchn_mask.to_int() == int.from_bytes(raw[2560:3072], "little")


@pytest.mark.parametrize("name", ["pv1", "pv2l"])
def test_the_captures_come_back_from_json_byte_for_byte(name: str) -> None:
    (page,) = pages_of(capture(name))
    again = SharedInfoPage64.from_json(json.loads(json.dumps(page.to_json())))
    assert again.to_bytes() == page.to_bytes()


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        ([pv_info(8)], SharedInfoPage64),
        ([pv_info(4)], SharedInfoPage32),
        ([], SharedInfoPage),
        ([pv_info(5)], SharedInfoPage),
        ([record(2, b"\x08\x04")], SharedInfoPage),  # too short to be decoded
        ([pv_info(8), pv_info(4)], SharedInfoPage32),  # the latest one counts
        ([pv_info(8), record(2, b"\x04\x03")], SharedInfoPage64),
    ],
)
@pytest.mark.parametrize("pipe", [False, True])
def test_what_comes_before_decides(before: list[bytes], kind: type[Body], pipe: bool) -> None:
    (page,) = pages_of(libxc(*before, shared_info()), pipe=pipe)
    assert type(page) is kind


def test_what_comes_after_does_not() -> None:
    one, two = pages_of(libxc(pv_info(4), shared_info(), pv_info(8), shared_info()))
    assert (type(one), type(two)) == (SharedInfoPage32, SharedInfoPage64)
    (page,) = pages_of(libxc(shared_info(), pv_info(8)))
    assert type(page) is SharedInfoPage


@pytest.mark.parametrize("pipe", [False, True])
def test_a_stream_that_is_resumed_has_not_forgotten(pipe: bool) -> None:
    first = libxc(pv_info(4), shared_info(), CHECKPOINT, end=False)
    data = libxl(LIBXC_CONTEXT, first, CHECKPOINT_END, shared_info(), record(0))
    assert [type(page) for page in pages_of(data, pipe=pipe)] == [SharedInfoPage32] * 2


def test_another_stream_knows_nothing_of_the_first() -> None:
    data = libxl(LIBXC_CONTEXT, libxc(pv_info(4)), LIBXC_CONTEXT, libxc(shared_info()))
    assert [type(page) for page in pages_of(data)] == [SharedInfoPage]


def test_the_page_is_little_endian_in_a_stream_that_is_not() -> None:
    raw = bytearray(4096)
    raw[3076:3080] = struct.pack("<I", 1_700_000_000)
    (page,) = pages_of(libxc(pv_info(8, order=">"), record(7, bytes(raw), ">"), order=">"))
    assert page.info.wc_sec == 1_700_000_000


def test_json_has_the_fields() -> None:
    data = libxc(pv_info(8), shared_info())
    document = decode_image(BufferSource(data), make_formats())
    shown = document["records"][1]
    assert shown["body"]["info"]["evtchn_pending"] == [0, 7]
    assert shown["body"]["rest"] == "a5" * 960
    assert "raw" not in shown


@pytest.mark.parametrize(("width", "layout"), [(4, SharedInfoCompat), (8, SharedInfoX86_64)])
def test_a_domain_that_is_saved_has_the_same_structure(width: int, layout: type[Body]) -> None:
    data = libxc(pv_info(width), tsc_info(), shared_info())
    (page,) = pages_of(data)
    shared = read_stream(BufferSource(data), make_formats()).read(SharedInfo)
    assert type(shared.info) is layout
    assert shared.info == page.info
    assert not shared.problems()


def test_only_what_is_declared_is_remembered() -> None:
    levels = {e.level for e in events_of(capture("pv1")) if isinstance(e, Record)}
    remembered = {level.format.name: set(level.remembered) for level in levels}
    assert remembered == {"libxl": set(), "libxc": {2}}
    assert SharedInfoRecord.depends == (2,)
