"""Framing of the three containers: made-up streams, good ones and bad ones."""

from __future__ import annotations

import os
import struct
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xen_streams_support import (
    brief,
    events_of,
    image,
    libxc,
    libxl,
    make_formats,
    pages,
    pv_info,
    record,
    shared_info,
    tsc_info,
    vcpu_basic,
    xl,
)

from domctx_core import (
    BufferSource,
    Closed,
    Fault,
    FileSource,
    Finding,
    Opened,
    Record,
    Severity,
    Trailing,
    Verdict,
    open_source,
    verify,
    walk,
)

CONTEXT = record(1)


def judged(data: bytes) -> Verdict:
    return verify(BufferSource(data), make_formats())


def errors(data: bytes) -> list[Finding]:
    return [f for f in judged(data).findings if f.severity is Severity.ERROR]


def names(data: bytes) -> list[tuple[str, str | None]]:
    """Innermost container and name of each record."""
    return [(e.level.path[-1], e.name) for e in events_of(data) if isinstance(e, Record)]


def whole() -> bytes:
    """A small file with everything that can stand in one."""
    absent = record(1, struct.pack("<IIQ", 1, 0, 15 << 60))
    inner = libxc(pv_info(), record(0x10), absent, tsc_info(), record(0x13, image()), version=4)
    return xl(libxl(CONTEXT, inner, record(3, struct.pack("<II", 2, 0) + b"qemu")), tail=b"more")


# --------------------------------------------------------------------------------------------- xl


def test_the_configuration_is_text_and_an_unknown_tail_is_kept() -> None:
    data = xl(libxl(), config='{"name": "zoë"}\0', tail=b"\1\2\3")
    (opened,) = (e for e in events_of(data) if isinstance(e, Opened) and len(e.level.path) == 1)
    body: Any = opened.level.prologue[1][1]
    assert (body.config, body.tail) == ('{"name": "zoë"}\0', b"\1\2\3")
    assert body.config_length == len('{"name": "zoë"}\0'.encode())
    assert body.to_bytes() == data[48 : 48 + body.size()]
    assert type(body).from_json(body.to_json()) == body
    assert judged(data).findings == ()


def test_a_file_without_optional_data() -> None:
    data = xl(libxl(), config=None)
    assert errors(data) == []
    assert names(data) == [("libxl", "END")]


def test_an_xl_file_of_a_big_endian_saver() -> None:
    data = xl(libxl(CONTEXT), order=">", config="{}\0")
    (opened,) = (e for e in events_of(data) if isinstance(e, Opened) and len(e.level.path) == 1)
    assert opened.level.framing.byteorder == "big"
    assert opened.level.prologue[1][1].to_json()["config"] == "{}\0"


def test_the_wrong_byte_order_mark_is_an_error() -> None:
    data = bytearray(xl(libxl()))
    data[32:36] = b"\4\4\4\4"
    (found,) = errors(bytes(data))
    assert (found.rule, found.offset, found.expected) == ("field-out-of-range", 32, "0x1020304")


def test_an_unknown_mandatory_flag_is_an_error() -> None:
    (found,) = errors(xl(libxl(), flags=0x13))
    assert (found.rule, found.offset) == ("reserved-not-zero", 36)
    assert "0x10" in str(found.actual)


def test_a_header_that_is_cut_is_named() -> None:
    cut = {
        "xl save file's XlHeader": (xl(libxl())[:40], 0),
        "xl save file's XlOptionalData": (xl(libxl())[:50], 48),
        "libxl migration stream's LibxlHeader": (libxl()[:12], 0),
        "libxc migration stream's LibxcImageHeader": (libxc()[:20], 0),
        "libxc migration stream's LibxcDomainHeader": (libxc()[:30], 24),
    }
    for whose, (data, at) in cut.items():
        (found,) = errors(data)
        assert (found.rule, found.offset) == ("truncated-header", at)
        assert found.message == f"the input ends inside the {whose}"


@pytest.mark.parametrize("claimed", [2**32 - 1, 2**31, 200])
def test_optional_data_that_is_not_there(claimed: int) -> None:
    data = bytearray(xl(libxl()))
    data[44:48] = struct.pack("<I", claimed)
    faults = [e for e in events_of(bytes(data)) if isinstance(e, Fault)]
    assert len(faults) == 1
    rule = "truncated-header" if claimed == 200 else "length-over-cap"
    assert (faults[0].finding.rule, faults[0].finding.offset) == (rule, 48)


def test_a_configuration_longer_than_the_optional_data() -> None:
    data = bytearray(xl(libxl()))
    data[48:52] = struct.pack("<I", 10_000)
    (fault,) = (e for e in events_of(bytes(data)) if isinstance(e, Fault))
    assert (fault.finding.rule, fault.finding.offset) == ("body-too-short", 52)


# ------------------------------------------------------------------------------ versions and order


@pytest.mark.parametrize("version", [2, 3, 4])
def test_known_versions_of_libxc(version: int) -> None:
    data = libxc(pv_info(), version=version)
    opened = next(e for e in events_of(data) if isinstance(e, Opened))
    assert opened.level.framing.version == version
    assert errors(data) == []


@pytest.mark.parametrize("version", [0, 1, 5, 2**32 - 1])
def test_unknown_versions_of_libxc(version: int) -> None:
    (found,) = errors(libxc(pv_info(), version=version))
    assert (found.rule, found.offset, found.actual) == ("field-out-of-range", 12, version)
    assert found.expected == "2 or 3 or 4"
    assert f"version {version} of the libxc stream" in found.message


def test_an_unknown_version_of_libxl() -> None:
    data = bytearray(libxl())
    data[8:12] = struct.pack(">I", 3)
    (found,) = errors(bytes(data))
    assert (found.offset, found.actual) == (8, 3)


def test_big_endian_records_inside_and_out() -> None:
    inner = libxc(pv_info(order=">"), tsc_info(7, order=">"), order=">")
    data = libxl(record(1, order=">"), inner, order=">")
    found: Any = next(e for e in events_of(data) if isinstance(e, Record) and e.type == 8)
    assert found.decoded.body.incarnation == 7
    assert found.decoded.body.to_bytes("big") == bytes(found.raw())
    levels = [e.level for e in events_of(data) if isinstance(e, Opened)]
    assert [level.framing.byteorder for level in levels] == ["big", "big"]
    assert levels[1].prologue[1][1].to_json()["xen_minor"] == 17
    assert errors(data) == []


def test_containers_of_different_byte_order() -> None:
    inner = libxc(tsc_info(9, order=">"), order=">")
    data = libxl(CONTEXT, inner)
    found: Any = next(e for e in events_of(data) if isinstance(e, Record) and e.type == 8)
    assert found.decoded.body.incarnation == 9
    assert names(data)[-1] == ("libxl", "END")


def test_unknown_options_are_errors() -> None:
    (found,) = errors(libxc(options=0x8000))
    assert (found.rule, found.offset) == ("reserved-not-zero", 16)


def test_a_kind_of_guest_that_is_none() -> None:
    (found,) = errors(libxc(kind=3))
    assert (found.rule, found.offset, found.actual) == ("field-out-of-range", 24, 3)


# ---------------------------------------------------------------------------------------- records


def test_an_unknown_optional_record_is_kept_and_is_no_error() -> None:
    data = libxc(record(0x80000055, b"what is this"))
    found = next(e for e in events_of(data) if isinstance(e, Record))
    assert (found.type, found.name, bytes(found.raw())) == (0x80000055, None, b"what is this")
    (finding,) = judged(data).findings
    assert (finding.rule, finding.severity) == ("unknown-type", Severity.NOTE)
    assert "optional" in finding.message


@pytest.mark.parametrize("data", [libxc(record(0x55)), libxl(record(0x55))])
def test_an_unknown_mandatory_record_is_an_error(data: bytes) -> None:
    (found,) = errors(data)
    assert (found.rule, found.type) == ("unknown-type", 0x55)


def test_toolstack_is_named_and_cannot_be_loaded() -> None:
    data = libxc(record(11, b"x" * 8))
    (finding,) = judged(data).findings
    assert (finding.rule, finding.name) == ("no-handler", "TOOLSTACK")


def test_a_record_that_claims_4_gib_in_a_small_file() -> None:
    data = libxc(record(9, b"\1" * 16, length=2**32 - 1), end=False)
    tracemalloc.start()
    rules = {f.rule for f in errors(data)}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rules == {"length-over-cap", "truncated-body"}
    assert peak < 8 << 20


def test_page_data_beyond_what_libxc_takes(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    body = 0xF0000000  # 3.75 GiB, of which the file has only the ends
    with path.open("wb") as file:
        file.write(libxc(struct.pack("<II", 1, body), end=False))
        file.seek(body, os.SEEK_CUR)
        file.write(record(0))
    with open_source(path) as source:
        verdict = verify(source, make_formats())
        found = [(e.type, e.length) for e in walk(source, make_formats()) if isinstance(e, Record)]
    assert [f.rule for f in verdict.findings] == ["length-over-cap"]
    assert str(128 << 20) in str(verdict.findings[0].expected)
    assert found == [(1, body), (0, 0)]


def test_an_emulator_with_more_state_than_is_held(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    body = 200 << 20
    with path.open("wb") as file:
        head = struct.pack("<IIII", 3, body, 2, 0)
        file.write(libxl(CONTEXT, libxc(), head, end=False))
        file.seek(body - 8, os.SEEK_CUR)
        file.write(record(0))
    for stream in (False, True):
        with path.open("rb", buffering=0) as file:
            tracemalloc.start()
            verdict = verify(FileSource(file, stream=stream), make_formats())
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        notes = [f for f in verdict.findings if f.rule == "length-over-cap"]
        assert [(f.name, f.severity) for f in notes] == [("EMULATOR_CONTEXT", Severity.NOTE)]
        assert verdict.valid
        assert peak < 8 << 20


def test_bytes_after_the_end() -> None:
    data = xl(libxl()) + b"domain is yours"
    (finding,) = judged(data).findings
    assert (finding.rule, finding.offset) == ("trailing-bytes", len(data) - 15)


def test_padding_that_is_not_zero() -> None:
    data = bytearray(libxl(record(3, struct.pack("<II", 2, 0) + b"abc")))
    data[16 + 8 + 11] = 1
    (found,) = errors(bytes(data))
    assert (found.rule, found.offset) == ("padding-not-zero", 35)


def test_a_domain_context_image_is_read_inside_its_record() -> None:
    tsc = struct.pack("<IIQI", 0, 1, 2, 3)
    data = libxc(record(0x13, image((3, 0, tsc))), version=4)
    assert names(data) == [
        ("libxc", "DOMAIN_CONTEXT"),
        ("domain-context", "START"),
        ("domain-context", "TSC_INFO"),
        ("domain-context", "END"),
        ("libxc", "END"),
    ]
    assert judged(data).findings == ()


def test_a_broken_image_leaves_the_stream_around_it_readable() -> None:
    data = libxc(record(0x13, image()[:20]), version=4)
    assert names(data)[-1] == ("libxc", "END")
    (found,) = errors(data)
    assert (found.rule, found.container[-1]) == ("truncated-body", "domain-context")


# ------------------------------------------------------------------------------------ checkpoints


def checkpointed() -> bytes:
    first = libxc(pv_info(), tsc_info(1), record(14), end=False)
    emulator = record(3, struct.pack("<II", 2, 0) + b"qemu")
    second = tsc_info(2) + record(14)
    third = tsc_info(3) + record(0)
    return libxl(CONTEXT, first, emulator, record(4), second, emulator, record(4), third)


def test_a_checkpoint_suspends_and_its_end_resumes_without_a_header() -> None:
    assert names(checkpointed()) == [
        ("libxl", "LIBXC_CONTEXT"),
        ("libxc", "X86_PV_INFO"), ("libxc", "X86_TSC_INFO"), ("libxc", "CHECKPOINT"),
        ("libxl", "EMULATOR_CONTEXT"), ("libxl", "CHECKPOINT_END"),
        ("libxc", "X86_TSC_INFO"), ("libxc", "CHECKPOINT"),
        ("libxl", "EMULATOR_CONTEXT"), ("libxl", "CHECKPOINT_END"),
        ("libxc", "X86_TSC_INFO"), ("libxc", "END"),
        ("libxl", "END"),
    ]  # fmt: skip
    assert judged(checkpointed()).findings == ()


def test_the_records_of_a_resumed_stream_go_on_counting() -> None:
    events = events_of(checkpointed())
    libxc_records = [e for e in events if isinstance(e, Record) and e.level.path[-1] == "libxc"]
    assert [r.index for r in libxc_records] == list(range(7))
    assert len({id(r.level) for r in libxc_records}) == 1
    resumed = [e.resumed for e in events if isinstance(e, Opened) and e.level.path[-1] == "libxc"]
    assert resumed == [False, True, True]
    closed = [e.offset for e in events if isinstance(e, Closed) and e.level.path[-1] == "libxc"]
    assert len(closed) == 3


def test_a_checkpoint_in_a_bare_libxc_stream_goes_straight_on() -> None:
    data = libxc(tsc_info(1), record(14), tsc_info(2))
    assert [name for _, name in names(data)] == [
        "X86_TSC_INFO",
        "CHECKPOINT",
        "X86_TSC_INFO",
        "END",
    ]


def test_only_the_end_of_a_checkpoint_resumes() -> None:
    suspended = libxc(tsc_info(1), record(14), end=False)
    data = libxl(CONTEXT, suspended, CONTEXT, libxc(tsc_info(2)))
    opened = [e for e in events_of(data) if isinstance(e, Opened) and e.level.path[-1] == "libxc"]
    assert [(e.resumed, len(e.level.prologue)) for e in opened] == [(False, 2), (False, 2)]
    assert names(data)[-2:] == [("libxc", "END"), ("libxl", "END")]


# ------------------------------------------------------------------------------------- hostility


def test_cut_at_every_byte_there_is_a_fault_that_says_where() -> None:
    data = whole()
    assert errors(data) == []
    for size in range(len(data)):
        cut = data[:size]
        faults = [e.finding for e in events_of(cut) if isinstance(e, Fault)]
        assert faults, size
        assert all(0 <= finding.offset <= size for finding in faults), size
        assert not judged(cut).valid


def test_cut_at_every_byte_of_a_pipe_is_the_same() -> None:
    data = xl(libxl(CONTEXT, libxc(pv_info(), record(0x13, image()), version=4)))
    for size in range(0, len(data), 3):
        reading, writing = os.pipe()
        os.write(writing, data[:size])
        os.close(writing)
        with open(reading, "rb", buffering=0) as pipe:
            found = [brief(event) for event in walk(FileSource(pipe), make_formats())]
        assert found == [brief(event) for event in events_of(data[:size])]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_flipped_bytes_never_break_the_walk(data: st.DataObject) -> None:
    raw = bytearray(xl(libxl(CONTEXT, libxc(pv_info(), shared_info(), vcpu_basic(0)))))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    verdict = verify(BufferSource(bytes(raw)), make_formats())
    assert all(0 <= finding.offset <= len(raw) for finding in verdict.findings)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["xl", "libxl", "libxc"]))
def test_noise_in_any_format_ends_in_a_fault_or_the_end(raw: bytes, name: str) -> None:
    formats = make_formats()
    events = list(walk(BufferSource(raw), formats, format=formats.get(name)))
    assert isinstance(events[-1], (Fault, Closed, Trailing))


def test_256_mib_of_pages_through_a_pipe_take_little_memory() -> None:
    reading, writing = os.pipe()
    big = pages(1024)
    count = 64

    def write() -> None:
        with open(writing, "wb", buffering=0) as pipe:
            for piece in (libxc(pv_info(), end=False), *[big] * count, tsc_info(), record(0)):
                view = memoryview(piece)
                while view:
                    view = view[pipe.write(view) :]

    thread = threading.Thread(target=write)
    thread.start()
    tracemalloc.start()
    with open(reading, "rb", buffering=0) as pipe:
        types = [e.type for e in walk(FileSource(pipe), make_formats()) if isinstance(e, Record)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    thread.join()
    assert types == [2, *[1] * count, 8, 0]
    assert peak < len(big)


def test_two_libxc_streams_in_one_libxl_stream() -> None:
    data = libxl(CONTEXT, libxc(), CONTEXT, libxc())
    assert [path for path, _ in names(data)] == ["libxl", "libxc", "libxl", "libxc", "libxl"]
