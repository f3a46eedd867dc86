"""Rules across the records of libxl and libxc streams, and what Xen's own verifier gets wrong."""

from __future__ import annotations

import inspect
import os
import pkgutil
import struct
import threading
import tomllib
import tracemalloc
from collections.abc import Iterable
from importlib import import_module

import pytest
from domctx_plugin_xen_streams.check_libxc import LibxcCheck
from domctx_plugin_xen_streams.check_libxl import LegacyCheck, LibxlCheck, XlCheck
from domctx_plugin_xen_streams.checks import InnerContextCheck
from domctx_plugin_xen_streams.rules import RULES
from hypothesis import given, settings
from hypothesis import strategies as st
from xen_streams_support import (
    CAPTURES,
    HERE,
    PROVIDER,
    capture,
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
    Errno,
    FileSource,
    Finding,
    Formats,
    RecordType,
    Severity,
    Verdict,
    verify,
)

CHECKS = (XlCheck, LibxlCheck, LibxcCheck, LegacyCheck, InnerContextCheck)
LIBXC = record(1)
STATIC_DATA_END, CHECKPOINT, CHECKPOINT_END = record(16), record(14), record(4)
CPUID = record(17, bytes(24))
MSRS = record(18, bytes(16))
P2M = record(3, struct.pack("<IIQ", 0, 511, 7))
PAGES = pages(1)
HVM_CONTEXT = record(9, b"hvm state")
HVM_PARAMS = record(10, struct.pack("<IIQQ", 1, 0, 1, 0xFEFFC))
EMULATOR_KEYS = record(2, struct.pack("<II", 2, 0) + b"physmap/f0/name\0vga.ram\0")
EMULATOR = record(3, struct.pack("<II", 2, 0) + b"qemu")
TSC = struct.pack("<IIQI", 0, 1, 2, 3)
PV, HVM = 1, 2


def context(*, compat: bool = False, xen: tuple[int, int] = (4, 17)) -> bytes:
    """A DOMAIN_CONTEXT record with SHARED_INFO and TSC_INFO."""
    info = struct.pack("<I", compat) + bytes(2344 if compat else 3136)
    return record(19, image((2, 0, info), (3, 0, TSC), xen=xen))


def static(version: int, kind: int = PV) -> list[bytes]:
    info = [pv_info()] if kind == PV else []
    return info if version < 3 else [*info, CPUID, MSRS, STATIC_DATA_END]


def moment(version: int, kind: int = PV) -> list[bytes]:
    """What one checkpoint has: memory and all that is not static."""
    context_or_older = [context()] if version == 4 else [tsc_info()]
    if kind == HVM:
        return [PAGES, *context_or_older, HVM_PARAMS, HVM_CONTEXT]
    older = [shared_info()] if version < 4 else []
    return [PAGES, *context_or_older, *older, vcpu_basic(0), vcpu_basic(1)]


def records(version: int, kind: int = PV) -> list[bytes]:
    """The records of a stream that breaks no rule."""
    return [*static(version, kind), *([P2M] if kind == PV else []), *moment(version, kind)]


def stream(version: int = 3, kind: int = PV, changed: Iterable[bytes] | None = None) -> bytes:
    return libxc(*(changed or records(version, kind)), version=version, kind=kind)


def judged(data: bytes, formats: Formats | None = None) -> Verdict:
    return verify(BufferSource(data), formats or make_formats(), checks=CHECKS)


def findings(data: bytes) -> list[Finding]:
    """All findings but that no hvm-context plugin is at hand."""
    return [f for f in judged(data).findings if not f.message.startswith("HVM_CONTEXT holds")]


def said(data: bytes) -> list[tuple[str, str, str | None]]:
    """Rule, severity and record of each finding."""
    return [(f.rule.removeprefix("xen-streams/"), str(f.severity), f.name) for f in findings(data)]


def without(records: list[bytes], *gone: bytes) -> list[bytes]:
    return [each for each in records if each not in gone]


def moved(records: list[bytes], what: bytes, before: bytes) -> list[bytes]:
    rest = without(records, what)
    at = rest.index(before)
    return [*rest[:at], what, *rest[at:]]


# ----------------------------------------------------------------------------------- valid streams


@pytest.mark.parametrize("kind", [PV, HVM])
@pytest.mark.parametrize("version", [2, 3, 4])
def test_a_stream_as_specified_has_no_findings(version: int, kind: int) -> None:
    assert said(stream(version, kind)) == []
    assert said(xl(libxl(LIBXC, stream(version, kind)))) == []


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_is_valid_and_only_notes_are_made(name: str) -> None:
    pv = [("no-page-data", "note", "END")]
    hvm = [("params-order", "note", "HVM_PARAMS"), *pv]
    assert judged(capture(name)).valid
    assert said(capture(name)) == (hvm if name in ("pvh1", "hvm1") else pv)


def test_the_metadata_declares_the_checks() -> None:
    declared = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]
    module = import_module(declared["entry-points"]["domctx.plugins"]["xen-streams"])
    checks = [each.check for each in module.domctx_checks()]
    assert checks == list(CHECKS)
    assert [each.format for each in checks] == [
        "xl", "libxl", "libxc", "libxc-legacy", "domain-context",
    ]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_explains_itself(rule: object) -> None:
    id, *texts = (getattr(rule, n) for n in ("id", "summary", "meaning", "advice", "example"))
    assert id.startswith("xen-streams/")
    assert all(len(text) > 10 for text in texts)


# ----------------------------------------------------------------- what Xen's verifier gets wrong


@pytest.mark.parametrize("name", CAPTURES)
def test_a_valid_file_through_a_pipe(name: str) -> None:
    """Xen's verifier takes a short read of a pipe for the end."""
    data = capture(name)
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb", buffering=0) as pipe:
            view = memoryview(data)
            while view:
                view = view[pipe.write(view[:999]) :]

    thread = threading.Thread(target=write)
    thread.start()
    with open(reading, "rb", buffering=0) as pipe:
        verdict = verify(FileSource(pipe), make_formats(), checks=CHECKS)
    thread.join()
    assert verdict.valid
    assert verdict == judged(data)


def test_an_hvm_stream_with_emulator_xenstore_data() -> None:
    """Xen's verifier calls any such data not terminated."""
    assert said(libxl(LIBXC, stream(3, HVM), EMULATOR_KEYS, EMULATOR)) == []


@pytest.mark.parametrize("code", [0x80000055, 0x80000001, 0x8000000E, 0x80000008])
def test_an_optional_record(code: int) -> None:
    """Xen's verifier refuses it. Without bit 31 the code may be another record's, and means nothing."""
    extra = record(code, b"abc")
    for data in (
        libxl(LIBXC, stream(3, PV, [*records(3)[:-1], extra, records(3)[-1]])),
        libxl(LIBXC, stream(3), extra),
    ):
        (found,) = findings(data)
        assert (found.rule, found.severity, found.type) == ("unknown-type", Severity.NOTE, code)
        assert f"({code:#x}) (optional: a reader may ignore it)" in found.message


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("kind", [PV, HVM])
def test_version_3_without_static_data_end(version: int, kind: int) -> None:
    """Xen's verifier accepts it."""
    data = stream(version, kind, without(records(version, kind), STATIC_DATA_END))
    (found,) = findings(data)
    assert (found.rule, found.severity, found.errno) == (
        "xen-streams/static-data-end", Severity.ERROR, Errno.EINVAL,
    )  # fmt: skip
    assert found.name == ("X86_PV_P2M_FRAMES" if kind == PV else "PAGE_DATA")
    assert data[found.offset : found.offset + 4] == bytes([3 if kind == PV else 1, 0, 0, 0])


def test_a_duplicate_tsc_info() -> None:
    """Xen's verifier accepts it."""
    (found,) = findings(stream(3, PV, [*records(3), tsc_info(2)]))
    assert (found.rule, found.errno) == ("xen-streams/duplicate-record", Errno.EEXIST)
    assert (found.name, found.record) == ("X86_TSC_INFO", len(records(3)))


@pytest.mark.parametrize(
    "extra",
    [pv_info(), P2M, shared_info(), *(record(n, bytes(16)) for n in (4, 5, 6, 12))],
)
def test_a_pv_record_in_an_hvm_stream(extra: bytes) -> None:
    """Xen's verifier accepts it."""
    found = [f for f in findings(stream(3, HVM, [*records(3, HVM), extra])) if "/" in f.rule]
    wrong = [f for f in found if f.rule == "xen-streams/wrong-guest"]
    assert [(f.type, f.record) for f in wrong] == [(extra[0], len(records(3, HVM)))]
    assert {f.rule for f in found} <= {"xen-streams/wrong-guest", "xen-streams/static-data-end"}
    assert "HVM guest" in wrong[0].message


@pytest.mark.parametrize("extra", [HVM_PARAMS, HVM_CONTEXT])
def test_an_hvm_record_in_a_pv_stream(extra: bytes) -> None:
    (found,) = findings(stream(3, PV, [*records(3), extra]))
    assert (found.rule, found.type) == ("xen-streams/wrong-guest", extra[0])
    assert "a PV guest" in found.message


@pytest.mark.parametrize("mode", [3, 99, 2**32 - 1])
def test_tsc_mode_99(mode: int) -> None:
    """Xen's verifier accepts any mode."""
    bad = record(8, struct.pack("<IIQII", mode, 1, 2, 3, 0))
    data = stream(3, PV, [bad if each == tsc_info() else each for each in records(3)])
    (found,) = findings(data)
    assert (found.rule, found.field, found.actual) == ("field-out-of-range", "mode", mode)
    assert data[found.offset : found.offset + 4] == struct.pack("<I", mode)


def with_hvm_context() -> Formats:
    """The formats with that of the HVM context, where its distribution is there."""
    package = pytest.importorskip(
        "domctx_plugin_hvm_context",
        reason="looking into HVM_CONTEXT needs domctx-plugin-hvm-context",
    )
    formats = make_formats()
    seen: set[int] = set()
    for info in pkgutil.iter_modules(package.__path__):
        module = import_module(f"{package.__name__}.{info.name}")
        if info.name == "format":
            formats.add("hvm-context", PROVIDER, module.HvmContext)
        for _, each in inspect.getmembers(module, inspect.isclass):
            if not issubclass(each, RecordType) or each.__module__ != module.__name__:
                continue
            if hasattr(each, "code") and hasattr(each, "body") and each.code not in seen:
                seen.add(each.code)
                formats.registry("hvm-context").register(each, PROVIDER)
    return formats


@pytest.mark.parametrize("garbage", [b"\xa5" * 64, b"hvm state", bytes(3)])
def test_a_garbage_hvm_context(garbage: bytes) -> None:
    """Xen's verifier takes any bytes, as long as there are some."""
    formats = with_hvm_context()
    bad = [record(9, garbage) if each == HVM_CONTEXT else each for each in records(3, HVM)]
    data = stream(3, HVM, bad)
    verdict = judged(data, formats)
    errors = [f for f in verdict.findings if f.severity is Severity.ERROR]
    assert errors
    assert not verdict.needs_plugin
    assert {f.container for f in errors} == {("libxc", "hvm-context")}
    start = data.index(bad[-1]) + 8
    assert all(start <= f.offset <= start + len(garbage) for f in errors)
    assert [f.offset - (f.container_offset or 0) for f in errors] == [start] * len(errors)


def test_the_hvm_contexts_of_captures_are_not_garbage() -> None:
    for name in ("pvh1", "hvm1"):
        assert judged(capture(name), with_hvm_context()).valid


@pytest.mark.parametrize("tail", [b"\0", b"domain is yours, you are cleared to unpause\0"])
def test_bytes_after_end(tail: bytes) -> None:
    """Xen's verifier does not look; it is no error, but it is said."""
    data = xl(libxl(LIBXC, stream()))
    (found,) = findings(data + tail)
    assert (found.rule, found.severity, found.offset) == (
        "trailing-bytes", Severity.WARNING, len(data),
    )  # fmt: skip
    assert found.actual == f"{len(tail)} bytes"


@pytest.mark.parametrize("code", [1, 9, 17])
def test_a_length_of_4_gib_in_a_small_file(code: int) -> None:
    """Xen's verifier asks for that many bytes at once."""
    data = libxc(*static(3, HVM), record(code, bytes(32), length=2**32 - 1), kind=HVM, end=False)
    tracemalloc.start()
    verdict = judged(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {"length-over-cap", "truncated-body"} <= {f.rule for f in verdict.findings}
    assert all(f.offset <= len(data) for f in verdict.findings)
    assert peak < 8 << 20


@pytest.mark.parametrize("kind", [PV, HVM])
def test_truncation_at_every_byte_has_offset_and_record(kind: int) -> None:
    """Xen's verifier ends with a traceback that names neither."""
    small = [pv_info(), STATIC_DATA_END, P2M] if kind == PV else [CPUID, STATIC_DATA_END]
    inner = libxc(*small, tsc_info(), kind=kind)
    data = libxl(LIBXC, inner, EMULATOR_KEYS)
    starts = [16, 24]  # headers: libxl, LIBXC_CONTEXT, libxc
    at = 24 + 40
    for each in (*small, tsc_info(), record(0), EMULATOR_KEYS, record(0)):
        starts.append(at)
        at += len(each)
    assert at == len(data)
    for size in range(len(data)):
        *_, last = judged(data[:size]).findings
        assert last.severity is Severity.ERROR, size
        assert last.rule in (
            "truncated-header",
            "truncated-body",
            "truncated-padding",
            "end-missing",
        )
        if size < 16:
            assert last.offset <= size
            continue
        if size == 16 or size >= 64:  # inside or between records: the record that is cut, by number
            begun = max(start for start in starts if start <= size)
            header = 0 if last.rule in ("truncated-header", "end-missing") else 8
            assert begun + header <= last.offset <= size, size
            numbers = [start for start in starts if start >= 64]
            expected = 0 if size == 16 else numbers.index(begun)
            outside = len(small) + 2  # records of the libxc stream
            if size >= 64 and expected >= outside:
                expected = expected - outside + 1
            assert last.record == expected, size
        assert last.errno is Errno.ENODATA


def remus(kind: int = HVM, version: int = 3, count: int = 3) -> bytes:
    """A libxl stream of some checkpoints; the last moment is followed by END."""
    parts = [LIBXC]
    first = without(records(version, kind), *moment(version, kind))
    emulator = [EMULATOR_KEYS, EMULATOR] if kind == HVM else []
    parts.append(libxc(*first, version=version, kind=kind, end=False))
    for _ in range(count):
        parts += [*moment(version, kind), CHECKPOINT, *emulator, CHECKPOINT_END]
    return libxl(*parts, *moment(version, kind), record(0), *emulator)


@pytest.mark.parametrize("kind", [PV, HVM])
@pytest.mark.parametrize("version", [2, 3, 4])
def test_checkpoint_hands_back_to_libxl(version: int, kind: int) -> None:
    """Xen's verifier goes on as if libxc's records followed."""
    assert said(remus(kind, version)) == []


@pytest.mark.parametrize("outer", ["<", ">"])
@pytest.mark.parametrize("inner", ["<", ">"])
def test_the_big_endian_option(outer: str, inner: str) -> None:
    """Read as its option says, and named as what libxc and libxl refuse."""
    body = [record(17, bytes(24), inner), record(16, b"", inner), tsc_info(7, inner)]
    body += [record(10, struct.pack(inner + "IIQQ", 1, 0, 1, 2), inner), record(9, b"x", inner)]
    data = libxl(record(1, b"", outer), libxc(*body, kind=HVM, order=inner), order=outer)
    # the helper writes the domain header in the stream's order too
    found = [f for f in findings(data) if f.rule != "xen-streams/no-page-data"]
    expected = [12] * (outer == ">") + [24 + 16] * (inner == ">")
    assert [f.offset for f in found] == expected
    assert {(f.rule, f.severity) for f in found} <= {("xen-streams/big-endian", Severity.WARNING)}
    assert judged(data).valid
    for f in found:
        assert data[f.offset : f.offset + 4].strip(b"\0") == b"\1"


# ------------------------------------------------------------------------------------ checkpoints


def test_a_suspended_stream_that_is_never_resumed() -> None:
    inner = libxc(*records(3, HVM), CHECKPOINT, kind=HVM, end=False)
    data = libxl(LIBXC, inner, EMULATOR)
    (found,) = findings(data)
    assert (found.rule, found.errno, found.container) == (
        "end-missing", Errno.ENODATA, ("libxl", "libxc"),
    )  # fmt: skip
    assert found.offset == 24 + len(inner)
    assert found.container_offset == len(inner)
    assert found.record == len(records(3, HVM)) + 1
    assert "suspended" in found.message


def test_a_second_stream_while_one_is_suspended() -> None:
    inner = libxc(*records(3, HVM), CHECKPOINT, kind=HVM, end=False)
    data = libxl(LIBXC, inner, LIBXC, inner, CHECKPOINT_END, *moment(3, HVM), record(0))
    assert [(f.rule, f.offset) for f in findings(data)] == [
        ("xen-streams/duplicate-record", 24 + len(inner)),
        ("end-missing", 24 + len(inner)),
    ]


@pytest.mark.parametrize("where", ["never suspended", "no stream at all"])
def test_checkpoint_end_with_nothing_suspended(where: str) -> None:
    before = [LIBXC, stream(3, HVM)] if where == "never suspended" else []
    data = libxl(*before, CHECKPOINT_END, EMULATOR_KEYS)
    found = findings(data)
    (about,) = [f for f in found if f.rule == "not-suspended"]
    assert (about.errno, about.name, about.container) == (
        Errno.EINVAL, "CHECKPOINT_END", ("libxl",),
    )  # fmt: skip
    assert about.offset == 16 + sum(map(len, before))
    # what follows is still read as records of the libxl stream
    assert not {f.rule for f in found} & {"truncated-header", "truncated-body", "unknown-type"}


def test_each_checkpoint_is_complete() -> None:
    second = without(moment(4), context())
    parts = [*records(4), CHECKPOINT, *second, CHECKPOINT, *moment(4)]
    (found,) = findings(libxc(*parts, version=4))
    assert (found.rule, found.name, found.record) == (
        "xen-streams/missing-record", "CHECKPOINT", len(records(4)) + 1 + len(second),
    )  # fmt: skip
    assert "checkpoint ends without DOMAIN_CONTEXT" in found.message


def test_nothing_is_missing_between_the_last_checkpoint_and_end() -> None:
    assert said(libxc(*records(3), CHECKPOINT)) == []


def test_once_per_checkpoint_means_each() -> None:
    twice = [*moment(3, HVM), tsc_info(9)]
    data = libxc(*records(3, HVM), CHECKPOINT, *twice, CHECKPOINT, *moment(3, HVM), kind=HVM)
    (found,) = findings(data)
    assert found.rule == "xen-streams/duplicate-record"
    assert "in one checkpoint" in found.message


# ----------------------------------------------------------------------- presence, order, versions


@pytest.mark.parametrize(
    ("version", "kind", "gone", "name", "severity"),
    [
        (3, PV, pv_info(), "X86_PV_INFO", "error"),
        (3, PV, P2M, "X86_PV_P2M_FRAMES", "error"),
        (3, PV, vcpu_basic(0), "X86_PV_VCPU_BASIC of vCPU 0", "error"),
        (2, PV, tsc_info(), "X86_TSC_INFO", "warning"),
        (3, PV, shared_info(), "SHARED_INFO", "warning"),
        (3, HVM, HVM_CONTEXT, "HVM_CONTEXT", "error"),
        (3, HVM, HVM_PARAMS, "HVM_PARAMS", "warning"),
        (4, HVM, context(), "DOMAIN_CONTEXT", "error"),
        (4, PV, context(), "DOMAIN_CONTEXT", "error"),
    ],
)
def test_a_record_that_is_missing(
    version: int, kind: int, gone: bytes, name: str, severity: str
) -> None:
    (found,) = findings(stream(version, kind, without(records(version, kind), gone)))
    assert (found.rule, found.severity, found.name) == (
        "xen-streams/missing-record",
        severity,
        "END",
    )
    assert found.expected == name
    assert found.message.endswith(f"ends without {name}")


def test_a_stream_without_memory_is_a_note() -> None:
    assert said(stream(3, PV, without(records(3), PAGES))) == [("no-page-data", "note", "END")]


@pytest.mark.parametrize(
    ("kind", "late", "first"),
    [
        (PV, P2M, vcpu_basic(0)),
        (PV, PAGES, vcpu_basic(0)),
        (PV, P2M, PAGES),
        (HVM, PAGES, HVM_PARAMS),
        (HVM, PAGES, HVM_CONTEXT),
    ],
)
def test_a_record_after_one_that_depends_on_it(kind: int, late: bytes, first: bytes) -> None:
    changed = without(records(3, kind), late)
    changed.insert(changed.index(first) + 1, late)
    found = [f for f in findings(stream(3, kind, changed)) if f.severity is Severity.ERROR]
    assert [(f.rule, f.type) for f in found] == [("xen-streams/record-order", late[0])]
    assert found[0].record == changed.index(late)
    before = changed.index(late)
    assert any(f"(record {n}), which depends" in found[0].message for n in range(before))


@pytest.mark.parametrize("kind", [PV, HVM])
def test_the_domain_context_stands_between_memory_and_registers(kind: int) -> None:
    for first in (context(), vcpu_basic(0) if kind == PV else HVM_PARAMS):
        late = PAGES if first == context() else context()
        (found,) = findings(stream(4, kind, moved(records(4, kind), first, late)))
        assert (found.rule, found.type) == ("xen-streams/record-order", late[0])


def test_xens_own_order_of_params_and_context_is_a_note() -> None:
    data = stream(3, HVM, moved(records(3, HVM), HVM_CONTEXT, HVM_PARAMS))
    assert said(data) == [("params-order", "note", "HVM_PARAMS")]


@pytest.mark.parametrize("late", [pv_info(), CPUID, MSRS])
def test_static_data_after_its_end(late: bytes) -> None:
    (found,) = findings(stream(3, PV, moved(records(3), STATIC_DATA_END, records(3)[0])))[:1]
    assert (found.rule, found.name) == ("xen-streams/static-data-end", "X86_PV_INFO")
    changed = [each for each in records(3) if each != late]
    changed.insert(changed.index(STATIC_DATA_END) + 1, late)
    (found,) = findings(stream(3, PV, changed))
    assert (found.rule, found.type) == ("xen-streams/static-data-end", late[0])


@pytest.mark.parametrize("again", [pv_info(), CPUID, MSRS, STATIC_DATA_END])
def test_static_data_twice(again: bytes) -> None:
    changed = records(3)
    changed.insert(changed.index(again), again)
    (found,) = findings(stream(3, PV, changed))
    assert (found.rule, found.type) == ("xen-streams/duplicate-record", again[0])


@pytest.mark.parametrize(
    ("version", "extra"),
    [(2, STATIC_DATA_END), (2, CPUID), (2, MSRS), (2, context()), (3, context()),
     (4, tsc_info()), (4, shared_info())],
)  # fmt: skip
def test_a_record_that_the_version_does_not_have(version: int, extra: bytes) -> None:
    changed = records(version)
    changed.insert(changed.index(PAGES) + 1, extra)
    found = [f for f in findings(stream(version, PV, changed)) if f.rule.endswith("wrong-version")]
    assert [(f.type, f.severity) for f in found] == [(extra[0], Severity.ERROR)]
    assert f"version {version}" in found[0].message


def test_a_vcpu_twice_and_one_that_cannot_be() -> None:
    vcpus = [vcpu_basic(1), vcpu_basic(8191), vcpu_basic(8192), vcpu_basic(2**32 - 1)]
    found = findings(stream(3, PV, [*records(3), *vcpus]))
    assert [f.rule for f in found] == [
        "xen-streams/duplicate-record", "field-out-of-range", "field-out-of-range",
    ]  # fmt: skip
    assert "for vCPU 1 " in found[0].message
    assert [f.actual for f in found[1:]] == [8192, 2**32 - 1]


def test_vcpus_of_other_kinds_of_state_are_no_duplicates() -> None:
    extended = record(5, struct.pack("<II", 0, 0) + bytes(64))
    found = findings(stream(3, PV, [*records(3), extended]))
    assert not [f for f in found if "/" in f.rule]


@pytest.mark.parametrize("code", [11, 15])
def test_records_that_no_receiver_takes(code: int) -> None:
    found = findings(stream(3, PV, [*records(3), record(code, bytes(8))]))
    assert ("xen-streams/refused-record", Severity.ERROR) in [(f.rule, f.severity) for f in found]


def test_an_unknown_mandatory_record() -> None:
    assert said(stream(3, PV, [*records(3), record(0x55)])) == [("unknown-type", "error", None)]


def test_an_unknown_version_is_judged_no_further() -> None:
    assert [f.rule for f in findings(stream(9, PV, [HVM_PARAMS]))] == ["field-out-of-range"]


# ------------------------------------------------------------------------------------ cross-checks


@pytest.mark.parametrize("width", [4, 8])
@pytest.mark.parametrize("compat", [False, True])
def test_the_guests_width_against_the_flag_of_shared_info(width: int, compat: bool) -> None:
    changed = [pv_info(width), *records(4)[1:-2], vcpu_basic(0, width), vcpu_basic(1, width)]
    changed[changed.index(context())] = context(compat=compat)
    data = stream(4, PV, changed)
    found = findings(data)
    if compat == (width == 4):
        assert found == []
        return
    (one,) = found
    assert (one.rule, one.name, one.field) == ("xen-streams/guest-width", "SHARED_INFO", "flags")
    assert one.container == ("libxc", "domain-context")
    assert data[one.offset : one.offset + 4] == struct.pack("<I", compat)
    assert str(width) in one.message


def test_an_hvm_guest_may_have_either_layout() -> None:
    changed = records(4, HVM)
    changed[changed.index(context())] = context(compat=True)
    assert said(stream(4, HVM, changed)) == []


def test_the_levels_of_page_tables_go_with_the_width() -> None:
    bad = record(2, bytes([8, 3]) + bytes(6))
    (found,) = findings(stream(3, PV, [bad, *records(3)[1:]]))
    assert (found.rule, found.expected, found.actual) == ("xen-streams/guest-width", 4, 3)


@pytest.mark.parametrize(("width", "other"), [(4, 8), (8, 4)])
def test_the_guests_width_against_the_registers_of_vcpus(width: int, other: int) -> None:
    info, *rest = [pv_info(width), *records(2)[1:-2]]
    vcpus = [vcpu_basic(0, other), vcpu_basic(1, other)]
    data = stream(2, PV, [info, *without(rest, shared_info()), *vcpus])
    (found,) = [f for f in findings(data) if f.severity is Severity.ERROR]
    assert (found.rule, found.name, found.field) == (
        "xen-streams/guest-width", "X86_PV_VCPU_BASIC", "context",
    )  # fmt: skip
    assert (found.expected, found.actual) == (f"words of {width} bytes", f"words of {other} bytes")
    assert data.index(vcpus[0]) + 16 == found.offset

    data = stream(2, PV, [*vcpus, info, *without(rest, shared_info())])
    (found,) = [f for f in findings(data) if f.rule == "xen-streams/guest-width"]
    assert (found.name, found.field) == ("X86_PV_INFO", "guest_width")
    assert (found.expected, found.actual) == (f"words of {other} bytes", f"words of {width} bytes")


def test_registers_of_vcpus_with_different_words_are_told_of_wherever_the_width_stands() -> None:
    rest = without(records(2)[1:-2], shared_info())
    data = stream(2, PV, [vcpu_basic(0, 4), vcpu_basic(1, 8), pv_info(8), *rest])
    assert [f.name for f in findings(data) if f.rule == "xen-streams/guest-width"] == [
        "X86_PV_INFO"
    ]


@pytest.mark.parametrize("size", [2801, 5160, 5169])
def test_registers_that_are_cut_or_too_long_have_no_width(size: int) -> None:
    rest = without(records(2)[1:-2], shared_info())
    damaged = record(4, struct.pack("<II", 0, 0) + bytes(size))
    for width in (4, 8):
        found = findings(stream(2, PV, [pv_info(width), *rest, damaged]))
        assert "xen-streams/guest-width" not in {each.rule for each in found}


def test_a_vcpu_without_registers_has_no_width() -> None:
    empty = record(4, bytes(8))
    assert said(stream(3, PV, [*records(3)[:-2], empty])) == [
        ("body-too-short", "warning", "X86_PV_VCPU_BASIC")
    ]


@pytest.mark.parametrize("xen", [(4, 16), (4, 18), (3, 17)])
def test_start_against_the_domain_header(xen: tuple[int, int]) -> None:
    changed = records(4)
    changed[changed.index(context())] = context(xen=xen)
    (found,) = findings(stream(4, PV, changed))
    assert (found.rule, found.severity, found.name) == (
        "xen-streams/context-version", Severity.WARNING, "START",
    )  # fmt: skip
    assert (found.expected, found.actual) == ("4.17", f"{xen[0]}.{xen[1]}")


def test_start_in_a_converted_stream_has_nothing_to_agree_with() -> None:
    changed = records(4)
    changed[changed.index(context())] = context(xen=(4, 5))
    assert findings(libxc(*changed, version=4, xen=(0, 2))) == []


def test_a_domain_context_on_its_own_is_left_alone() -> None:
    assert findings(image((3, 0, TSC), xen=(4, 2))) == []


# --------------------------------------------------------------------------------------------- xl


def configured(config: bytes, flags: int = 3) -> list[Finding]:
    """The findings of a file with that configuration."""
    data = xl(libxl(LIBXC, stream()), flags=flags, config=config.decode(errors="surrogateescape"))
    return findings(data)


@pytest.mark.parametrize(
    ("config", "at", "what"),
    [
        (b'{"c": 1}', 8, "does not end with a NUL"),
        (b"", 0, "does not end with a NUL"),
        (b'name = "guest"\n\0', 0, "is not JSON"),
        ('{"ü": 1 2}\0'.encode(), 9, "is not JSON"),
        (b"[" * 100_000 + b"\0", 0, "is nested too deeply to be read"),
        (b'{"c": NaN}\0', 0, "is not JSON"),
        (b"\0", 0, "is not JSON"),
        (b'["c"]\0', 0, "is not a JSON object"),
        ('{"ü": "'.encode() + b'\xff"}\0', 8, "is not UTF-8"),
    ],
)
def test_a_configuration_that_xl_cannot_read(config: bytes, at: int, what: str) -> None:
    (found,) = configured(config)
    assert (found.rule, found.severity, found.offset) == (
        "xen-streams/unreadable-config", Severity.ERROR, 52 + at,
    )  # fmt: skip
    assert found.message == f"the domain's configuration {what}"
    assert configured(config, flags=2) == []  # which says that it is no JSON


def test_what_follows_the_nul_of_a_configuration_is_nothing_to_xl() -> None:
    assert configured(b'{"c": 1}\0{\xff') == []


def test_a_number_of_thousands_of_digits_in_a_configuration() -> None:
    assert configured(b'{"c": ' + b"9" * 5000 + b"}\0") == []


def test_a_configuration_beyond_all_measure_is_not_parsed() -> None:
    assert configured(b'{"c": "' + b"x" * (1 << 20) + b'"}\0') == []


# ------------------------------------------------------------------------------------------ libxl


def test_a_libxl_stream_without_a_libxc_stream() -> None:
    assert said(libxl()) == [("missing-record", "error", "END")]


def test_two_libxc_streams() -> None:
    found = said(libxl(LIBXC, stream(), LIBXC, stream()))
    assert found == [("duplicate-record", "error", "LIBXC_CONTEXT")]


@pytest.mark.parametrize("extra", [EMULATOR, EMULATOR_KEYS])
def test_an_emulator_beside_a_pv_guest(extra: bytes) -> None:
    (found,) = findings(libxl(LIBXC, stream(3, PV), extra))
    assert (found.rule, found.type, found.container) == (
        "xen-streams/wrong-guest", extra[0], ("libxl",),
    )  # fmt: skip


def test_an_emulator_before_the_libxc_stream() -> None:
    found = said(libxl(EMULATOR, LIBXC, stream(3, HVM)))
    assert found == [("record-order", "warning", "EMULATOR_CONTEXT")]


def test_an_emulator_twice() -> None:
    other = record(3, struct.pack("<II", 2, 1) + b"qemu")
    assert said(libxl(LIBXC, stream(3, HVM), EMULATOR, other)) == []
    found = said(libxl(LIBXC, stream(3, HVM), EMULATOR, other, EMULATOR))
    assert found == [("duplicate-record", "error", "EMULATOR_CONTEXT")]


def test_a_libxl_stream_without_end() -> None:
    data = libxl(LIBXC, stream(), end=False)
    (found,) = findings(data)
    assert (found.rule, found.offset, found.container) == ("end-missing", len(data), ("libxl",))


# ------------------------------------------------------------------------------------- hostility

ALL = [
    *records(3), *records(4, HVM), CHECKPOINT, CHECKPOINT_END, EMULATOR, LIBXC, record(0), record(13),
    record(0x80000003),
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(ALL), max_size=12),
    st.sampled_from([2, 3, 4]),
    st.sampled_from([0, PV, HVM]),
    st.booleans(),
)
def test_any_row_of_records_is_judged_and_no_check_raises(
    chosen: list[bytes], version: int, kind: int, wrapped: bool
) -> None:
    data = libxc(*chosen, version=version, kind=kind)
    data = libxl(LIBXC, data) if wrapped else data
    verdict = judged(data)
    assert not verdict.needs_plugin
    assert all(0 <= f.offset <= len(data) for f in verdict.findings)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_flipped_bytes_make_no_check_raise(data: st.DataObject) -> None:
    raw = bytearray(libxl(LIBXC, stream(4, PV)))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert not judged(bytes(raw)).needs_plugin


def test_many_vcpus_take_little_memory() -> None:
    vcpus = [record(5, struct.pack("<II", n * 7919, 0)) for n in range(20_000)]
    data = libxc(*static(3), P2M, *vcpus)
    judged(data[:4000])
    tracemalloc.start()
    judged(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
