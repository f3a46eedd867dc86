"""Damaged contexts: what is found, where, and the errno that Xen gives."""

from __future__ import annotations

import struct

import pytest
from domctx_plugin_hvm_context import HvmContext
from hvm_context_support import (
    END,
    HEADER,
    brief,
    capture,
    context,
    findings_of,
    make_formats,
    one_vcpu,
    parts,
    record,
    records_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from domctx_core import BufferSource, Severity, verify

CPU = 32
"""Offset of the first CPU record in the captured context."""


def patched(data: bytes, at: int, new: bytes) -> bytes:
    """`data` with `new` at `at`."""
    return data[:at] + new + data[at + len(new) :]


def errors(data: bytes) -> list[tuple[str, str | None, int]]:
    """Rule, errno and offset of each error."""
    return [(rule, errno, at) for rule, grave, errno, at in brief(data) if grave == "error"]


DATA = one_vcpu()


# What a real Xen 4.17 answered when these were loaded into a paused PVH guest of one vCPU: the
# first error has the same errno, with two exceptions. A context cut in half inside a record was
# EINVAL, from the handler of that record; since Xen checks the framing first it is ENODATA, as
# here. A CPU record of a vCPU that the domain does not have was EINVAL; the context alone does not
# tell how many there are.


def test_its_own_bytes_are_accepted() -> None:
    assert brief(DATA) == []


def test_end_is_missing() -> None:
    assert errors(DATA[:-8]) == [("end-missing", "ENODATA", len(DATA) - 8)]


def test_the_first_half() -> None:
    half = DATA[: len(DATA) // 2]
    (found,) = errors(half)
    assert found[:2] == ("truncated-body", "ENODATA")
    assert any(record.body_offset == found[2] for record in records_of(half))


def test_an_unknown_type_in_place_of_the_cpu() -> None:
    found = brief(patched(DATA, CPU, struct.pack("<H", 99)))
    assert found[0] == ("unknown-type", "error", "EINVAL", CPU)
    assert [rule for rule, *_ in found] == ["unknown-type", "hvm-context/vcpu-down"]


def test_a_cpu_record_that_is_a_byte_short() -> None:
    # the record itself is zero-extended; then the next header is misread
    found = brief(patched(DATA, CPU + 4, struct.pack("<I", 1031)))
    assert found[0] == ("body-too-short", "warning", "ENODATA", CPU + 8 + 1031)
    assert found[1] == ("unknown-type", "error", "EINVAL", CPU + 8 + 1031)


def test_a_cpu_record_of_another_vcpu() -> None:
    found = brief(patched(DATA, CPU + 2, struct.pack("<H", 7)))
    assert [(rule, grave) for rule, grave, *_ in found] == [
        ("hvm-context/vcpu-down", "note"),
        ("hvm-context/lapic-missing", "warning"),
    ]


def test_another_magic() -> None:
    assert errors(patched(DATA, 8, b"\x87")) == [("field-out-of-range", "EINVAL", 8)]


def test_bytes_after_end_are_accepted() -> None:
    assert brief(DATA + bytes(8)) == [("trailing-bytes", "warning", None, len(DATA))]


def test_another_instruction_pointer_is_accepted() -> None:
    assert brief(patched(DATA, CPU + 8 + 640, b"\xff" * 8)) == []


@pytest.mark.parametrize("at", range(len(DATA)))
def test_a_context_that_is_cut_anywhere(at: int) -> None:
    found = errors(DATA[:at])
    starts = {record.offset: record.body_offset for record in records_of(DATA)}
    if at in starts:
        expected = ("end-missing", "ENODATA", at)
    else:
        start = max(offset for offset in starts if offset < at)
        inside = at >= starts[start]
        rule = "truncated-body" if inside else "truncated-header"
        expected = (rule, "ENODATA", starts[start] if inside else start)
    assert expected in found
    assert {rule for rule, *_ in found} <= {expected[0], "body-not-consumed"}


def test_a_context_without_a_header() -> None:
    (found,) = (f for f in findings_of(DATA[32:]) if f.severity is Severity.ERROR)
    assert (found.rule, found.errno and found.errno.name, found.offset) == (
        "first-not-start", "EINVAL", 0,
    )  # fmt: skip
    assert found.message == "the image does not begin with HEADER"


def test_a_second_header() -> None:
    (found,) = findings_of(HEADER + DATA)
    assert (found.rule, found.offset) == ("start-repeated", 32)
    assert found.message == "HEADER appears twice in the image"


def test_a_record_that_comes_twice() -> None:
    twice = context(record(7, bytes(16)), record(7, bytes(16)))
    assert errors(twice) == [("duplicate-record", "EEXIST", 32 + 24)]


def test_an_end_with_an_instance_or_a_body() -> None:
    assert errors(HEADER + record(0, instance=3)) == [("end-instance", "EINVAL", 34)]
    assert errors(HEADER + record(0, bytes(8))) == [("end-length", "EINVAL", 40)]


def test_a_length_that_no_file_has() -> None:
    found = errors(patched(DATA, CPU + 4, b"\xff" * 4))
    assert found[-1] == ("truncated-body", "ENODATA", CPU + 8)


@settings(max_examples=150, deadline=None)
@given(raw=st.binary(max_size=300))
def test_noise_gives_findings_and_nothing_else(raw: bytes) -> None:
    for finding in findings_of(HEADER + raw):
        assert 0 <= finding.offset <= len(HEADER + raw)
        assert finding.to_json()["message"]


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(DATA) - 1), value=st.integers(0, 255))
def test_a_damaged_byte_never_does_more_than_give_findings(at: int, value: int) -> None:
    data = patched(DATA, at, bytes([value]))
    for finding in findings_of(data):
        assert 0 <= finding.offset <= len(data)


# ------------------------------------------------------------------------------- recognition


def test_what_is_an_hvm_context() -> None:
    format = HvmContext()
    assert format.recognises(HEADER)
    assert format.recognises(HEADER[:8])
    for at in range(8):
        assert not format.recognises(patched(HEADER, at, bytes([HEADER[at] ^ 0x40])))
    assert not format.recognises(HEADER[:7])
    assert not format.recognises(b"")


@pytest.mark.parametrize("at", range(8, 12))
def test_a_context_of_its_own_with_a_damaged_magic_is_still_one(at: int) -> None:
    damaged = patched(DATA, at, bytes([DATA[at] ^ 0x40]))
    verdict = verify(BufferSource(damaged), make_formats())
    assert verdict.format == "hvm-context"
    assert [(f.rule, f.field) for f in verdict.findings if f.severity is Severity.ERROR] == [
        ("field-out-of-range", "magic")
    ]


def test_a_domain_context_whose_first_instance_is_damaged_is_none() -> None:
    assert not HvmContext().recognises(struct.pack("<IIQII", 1, 24, 8, 4, 17))


def test_the_other_byte_order() -> None:
    body = struct.pack(">IIQII", 0x54381286, 1, 5, 0x800F12, 7)
    link = struct.pack(">HHI", 9, 0, 8) + bytes(8)
    data = struct.pack(">HHI", 1, 0, 24) + body + link + bytes(8)
    verdict = verify(BufferSource(data), make_formats())
    assert (verdict.format, verdict.findings) == ("hvm-context", ())
    header = records_of(data)[0]
    assert header.decoded is not None
    assert header.decoded.body is not None
    assert header.decoded.body.changeset == 5
    assert header.level.framing.byteorder == "big"


# ---------------------------------------------------------------------- across the records


def without(*dropped: tuple[int, int]) -> bytes:
    """The captured guest of two vCPUs without the records of these types and instances."""
    kept = [part for part in parts(capture("pvh1.hvmctx")) if part[:2] not in dropped]
    return context(*(record(code, body, instance) for code, instance, body in kept))


def test_a_vcpu_without_a_cpu_record_is_down() -> None:
    (found,) = findings_of(without((2, 1)))
    assert (found.rule, found.severity, found.errno) == (
        "hvm-context/vcpu-down", Severity.NOTE, None,
    )  # fmt: skip
    assert (found.name, found.instance) == ("LAPIC", 1)
    assert found.message == (
        "vCPU 1 is down: it has LAPIC, LAPIC_REGS, MTRR, VMCE_VCPU, TSC_ADJUST, and no CPU record"
    )
    assert verify(BufferSource(without((2, 1))), make_formats()).valid


@pytest.mark.parametrize(
    ("dropped", "missing"),
    [
        ([(5, 0)], "LAPIC[0]"),
        ([(6, 0)], "LAPIC_REGS[0]"),
        ([(5, 0), (6, 0)], "LAPIC[0] and LAPIC_REGS[0]"),
    ],
)
def test_a_vcpu_without_its_local_apic(dropped: list[tuple[int, int]], missing: str) -> None:
    (found,) = findings_of(without(*dropped))
    assert (found.rule, found.severity, found.offset, found.expected) == (
        "hvm-context/lapic-missing", Severity.WARNING, CPU, missing,
    )  # fmt: skip


def test_an_empty_context_has_nothing_to_say() -> None:
    assert brief(HEADER + END) == []
