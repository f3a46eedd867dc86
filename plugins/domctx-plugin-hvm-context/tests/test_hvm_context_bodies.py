"""Every body of the format: bytes and JSON both ways, short forms, and what is refused."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

import pytest
from domctx_plugin_hvm_context.bodies import ZeroExtended
from domctx_plugin_hvm_context.msrs import MSR_NAMES
from domctx_plugin_hvm_context.xsave import component_names
from hvm_context_support import TYPES, body_of, brief, context, leaves, record, record_types
from hypothesis import given, settings
from hypothesis import strategies as st

from domctx_core import BodyError, Errno, Severity
from domctx_core.testing import subject_of

BODIES = [name for name in TYPES if name != "END"]
SHORTER = [name for name in BODIES if issubclass(body_of(name), ZeroExtended)]
SIZES = {
    "HEADER": 24, "PIC": 8, "IOAPIC": 400, "LAPIC_REGS": 1024, "PCI_IRQ": 16, "ISA_IRQ": 8,
    "PCI_LINK": 8, "PIT": 56, "HPET": 1048, "PMTIMER": 8, "MTRR": 240, "TSC_ADJUST": 8,
}  # fmt: skip
LONGEST = {
    "CPU": 1032, "LAPIC": 32, "RTC": 24, "VIRIDIAN_DOMAIN": 32, "VIRIDIAN_VCPU": 216,
    "VMCE_VCPU": 32,
}  # fmt: skip
CODES = {name: code for code, name, _ in record_types()}


def test_an_entry_point_names_what_it_loads() -> None:
    assert sorted(CODES.values()) == list(range(21))
    for code, name, record_type in record_types():
        made = subject_of(record_type, format="hvm-context").record_type
        assert (made.code, made.name) == (code, name)


def test_every_record_has_a_known_length_or_a_rule_for_it() -> None:
    assert {*SIZES, *LONGEST, "CPU_XSAVE", "CPU_MSR", "END"} == TYPES.keys()
    assert set(SHORTER) == LONGEST.keys()


@pytest.mark.parametrize("name", BODIES)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), order=st.sampled_from(["little", "big"]))
def test_an_example_survives_bytes_and_json(name: str, seed: int, order: Any) -> None:
    body = body_of(name)
    made = body.example(random.Random(seed))
    raw = made.to_bytes(order)
    assert len(raw) == made.size()
    decoded = body.inspect(raw, order)
    assert decoded.body == made
    assert decoded.consumed == len(raw)
    assert all(problem.severity is Severity.WARNING for problem in decoded.problems)
    again = body.from_json(json.loads(json.dumps(made.to_json())))
    assert again == made
    assert again.to_bytes(order) == raw


@pytest.mark.parametrize("name", BODIES)
@settings(max_examples=40, deadline=None)
@given(raw=st.binary(max_size=1200), order=st.sampled_from(["little", "big"]))
def test_noise_is_decoded_or_refused_with_an_offset(name: str, raw: bytes, order: Any) -> None:
    body = body_of(name)
    decoded = body.inspect(raw, order)
    for problem in decoded.problems:
        assert problem.offset is None or 0 <= problem.offset <= len(raw)
    if decoded.body is None:
        with pytest.raises(BodyError) as caught:
            body.from_bytes(raw, order)
        assert caught.value.offset is not None
    else:
        assert body.from_json(json.loads(json.dumps(decoded.body.to_json()))) == decoded.body
        if not decoded.problems:
            assert decoded.body.to_bytes(order) == raw


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_a_strict_length_is_exact(name: str, size: int) -> None:
    raw = body_of(name).example(random.Random(3)).to_bytes()
    assert len(raw) == size
    for short in range(size):
        with pytest.raises(BodyError) as caught:
            body_of(name).from_bytes(raw[:short])
        assert caught.value.rule == "body-too-short"
        assert caught.value.errno == Errno.ENODATA
        assert caught.value.offset in range(short + 1)
    (problem,) = body_of(name).inspect(raw + b"\0").problems
    assert (problem.rule, problem.offset) == ("body-not-consumed", size)
    assert problem.severity is None


# --------------------------------------------------------------------- records that may be shorter


@pytest.mark.parametrize(("name", "longest"), LONGEST.items())
def test_a_short_record_is_extended_with_zeros(name: str, longest: int) -> None:
    body = body_of(name)
    examples = (body.example(random.Random(seed)) for seed in range(200))
    whole = next(each.to_bytes() for each in examples if each.size() == longest)
    for size in range(longest):
        decoded = body.inspect(whole[:size])
        assert decoded.body is not None
        if size >= body.current and size in body.forms:
            assert all("zero-extended" not in problem.message for problem in decoded.problems)
            continue
        (problem,) = (p for p in decoded.problems if "zero-extended" in p.message)
        assert (problem.rule, problem.severity) == ("body-too-short", Severity.WARNING)
        assert (problem.offset, problem.expected) == (size, f"{longest} bytes")
        if size not in body.forms:
            assert decoded.body == body.inspect(whole[:size] + bytes(longest - size)).body


@pytest.mark.parametrize(("name", "longest"), LONGEST.items())
def test_each_known_form_gives_its_bytes_back(name: str, longest: int) -> None:
    body = body_of(name)
    assert body.forms[-1] == longest
    for size in body.forms:
        made = next(
            each
            for each in (body.example(random.Random(seed)) for seed in range(200))
            if each.size() == size
        )
        raw = made.to_bytes()
        assert body.from_bytes(raw).to_bytes() == raw
        assert body.from_json(made.to_json()).to_bytes() == raw
        names = {path.partition("[")[0].partition(".")[0] for path, _ in leaves(made)}
        for field, lengths in body.tail.items():
            assert (field in names) == (size in lengths)


@pytest.mark.parametrize(("name", "longest"), LONGEST.items())
def test_a_longer_record_is_refused(name: str, longest: int) -> None:
    raw = bytes(longest + 8)
    problem = body_of(name).inspect(raw).problems[-1]
    assert (problem.rule, problem.offset, problem.severity) == (
        "body-not-consumed", longest, None,
    )  # fmt: skip


def test_the_form_of_before_xen_3_4_lacks_two_fields() -> None:
    raw = bytes(1000) + struct.pack("<QII", 77, 0x80000B0E, 5)
    cpu = body_of("CPU").from_bytes(raw)
    assert (cpu.tsc, cpu.pending_event, cpu.error_code) == (77, 0x80000B0E, 5)
    assert cpu.msr_tsc_aux is None
    assert cpu.fpu_state is None
    assert cpu.summary()["pending"] == "hardware exception, vector 0x0e, error code 0x5"
    longer = body_of("CPU").from_bytes(raw[:1000] + bytes(8) + raw[1000:])
    assert (longer.tsc, longer.msr_tsc_aux, longer.fpu_state) == (77, 0, None)


def test_fields_of_two_forms_do_not_mix() -> None:
    lapic = body_of("LAPIC").from_bytes(bytes(32))
    lapic.tdt_msr = None
    with pytest.raises(BodyError, match="another form") as caught:
        lapic.to_bytes()
    assert caught.value.field == "tdt_msr"


def test_a_short_record_in_a_context_is_a_warning() -> None:
    data = context(record(5, bytes(20)), record(6, bytes(1024)), record(2, bytes(1000)))
    assert brief(data) == [
        ("body-too-short", "warning", "ENODATA", 32 + 8 + 20),
        ("body-too-short", "warning", "ENODATA", 32 + 28 + 1032 + 8 + 1000),
    ]


# ----------------------------------------------------------------------------------- single rules


def xsave(accum: int, extended: bytes, **changes: int) -> bytes:
    """A CPU_XSAVE body."""
    values = {"xcr0": accum, "bv": 0, "comp": 0, "reserved": 0} | changes
    head = struct.pack("<QQQ", 7, values["xcr0"], accum) + bytes(512)
    head += struct.pack("<QQQ", values["bv"], values["comp"], values["reserved"]) + bytes(40)
    return head + extended


def msrs(count: int, *registers: tuple[int, int, int], pad: int = 0) -> bytes:
    """A CPU_MSR body of (index, reserved, value)."""
    return struct.pack("<II", count, pad) + b"".join(struct.pack("<IIQ", *r) for r in registers)


GOOD_HEADER = struct.pack("<IIQII", 0x54381286, 1, 0, 0, 1)

RULES: list[tuple[str, str, bytes, list[tuple[str, str, str | None, int]]]] = [
    ("magic", "HEADER", b"\x87" + GOOD_HEADER[1:], [("field-out-of-range", "error", "EINVAL", 0)]),
    ("version", "HEADER", GOOD_HEADER[:4] + b"\2" + GOOD_HEADER[5:],
     [("field-out-of-range", "error", "EINVAL", 4)]),
    ("route 15", "PCI_LINK", bytes([5, 10, 11, 15, 0, 0, 0, 0]), []),
    ("route 16", "PCI_LINK", bytes([5, 10, 16, 11, 0, 0, 0, 0]),
     [("field-out-of-range", "error", "EINVAL", 2)]),
    ("link filling", "PCI_LINK", bytes([0, 0, 0, 0, 0, 9, 0, 0]),
     [("reserved-not-zero", "warning", "EINVAL", 5)]),
    ("ISA 15", "ISA_IRQ", (1 << 15).to_bytes(8, "little"), []),
    ("ISA 16", "ISA_IRQ", (1 << 16).to_bytes(8, "little"),
     [("field-out-of-range", "warning", "EINVAL", 0)]),
    ("LAPIC reserved", "LAPIC", bytes(28) + b"\1\0\0\0",
     [("reserved-not-zero", "error", "EINVAL", 28)]),
    ("LAPIC_REGS gap", "LAPIC_REGS", bytes(0x84) + b"\1" + bytes(1024 - 0x85),
     [("reserved-not-zero", "warning", "EINVAL", 0x84)]),
    ("CPU flags", "CPU", bytes(1024) + struct.pack("<II", 3, 0),
     [("reserved-not-zero", "error", "EINVAL", 1024)]),
    ("CPU filling", "CPU", bytes(1024) + struct.pack("<II", 1, 1 << 8),
     [("reserved-not-zero", "error", "EINVAL", 1029)]),
    ("FXSAVE filling", "CPU", bytes(5) + b"\1" + bytes(1026),
     [("reserved-not-zero", "warning", "EINVAL", 5)]),
    ("viridian filling", "VIRIDIAN_VCPU", bytes(9) + b"\1" + bytes(206),
     [("reserved-not-zero", "error", "EINVAL", 9)]),
    ("XSAVE 599", "CPU_XSAVE", xsave(3, b"")[:-1], [("body-too-short", "error", "EINVAL", 552)]),
    ("XSAVE 600", "CPU_XSAVE", xsave(3, b""), []),
    ("XSAVE with AVX", "CPU_XSAVE", xsave(7, b"\1" * 256), []),
    ("XSAVE too long, zeros", "CPU_XSAVE", xsave(3, bytes(256)),
     [("body-not-consumed", "warning", "EINVAL", 600)]),
    ("XSAVE too long", "CPU_XSAVE", xsave(3, bytes(9) + b"\1" + bytes(246)),
     [("body-not-consumed", "error", "EOPNOTSUPP", 609)]),
    ("XSAVE with AVX too long", "CPU_XSAVE", xsave(7, b"\1" * 256 + b"\0\1"),
     [("body-not-consumed", "error", "EOPNOTSUPP", 857)]),
    ("XSAVE of another size", "CPU_XSAVE", xsave(0x207, b"\1" * 300), []),
    ("XSAVE compacted", "CPU_XSAVE", xsave(3, b"", comp=1 << 63),
     [("field-out-of-range", "error", "EOPNOTSUPP", 544)]),
    ("XSAVE xcr0", "CPU_XSAVE", xsave(3, b"", xcr0=7),
     [("field-out-of-range", "error", "EINVAL", 8)]),
    ("XSAVE xstate_bv", "CPU_XSAVE", xsave(3, b"", bv=4),
     [("field-out-of-range", "error", "EINVAL", 536)]),
    ("XSAVE reserved", "CPU_XSAVE", xsave(3, b"", reserved=1),
     [("reserved-not-zero", "error", "EINVAL", 552)]),
    ("MSR empty", "CPU_MSR", b"", [("body-too-short", "error", "EINVAL", 0)]),
    ("MSR none", "CPU_MSR", msrs(0), [("field-out-of-range", "error", "EINVAL", 0)]),
    ("MSR one", "CPU_MSR", msrs(1, (0x48, 0, 1)), []),
    ("MSR short", "CPU_MSR", msrs(2, (0x48, 0, 1)), [("body-too-short", "error", "EOPNOTSUPP", 8)]),
    ("MSR claims", "CPU_MSR", msrs(2**32 - 1, (0x48, 0, 1)),
     [("body-too-short", "error", "EOPNOTSUPP", 8)]),
    ("MSR long", "CPU_MSR", msrs(1, (0x48, 0, 1), (0x10, 0, 1)),
     [("body-not-consumed", "error", "EOPNOTSUPP", 24)]),
    ("MSR reserved", "CPU_MSR", msrs(1, (0x48, 1, 1)),
     [("reserved-not-zero", "error", "EOPNOTSUPP", 12)]),
    ("MSR filling", "CPU_MSR", msrs(1, (0x48, 0, 1), pad=1),
     [("reserved-not-zero", "warning", "EINVAL", 4)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "raw", "expected"), [case[1:] for case in RULES], ids=[case[0] for case in RULES]
)
def test_a_rule(name: str, raw: bytes, expected: list[tuple[str, str, str | None, int]]) -> None:
    company = b"" if name == "CPU" else record(2, bytes(1032))
    company += b"" if name == "LAPIC" else record(5, bytes(24))
    company += b"" if name == "LAPIC_REGS" else record(6, bytes(1024))
    data = context(record(CODES[name], raw), company)
    start = 32 + 8
    if name == "HEADER":
        data, start = record(1, raw) + data[32 + 8 + len(raw) :], 8
    found = [(rule, grave, errno, at - start) for rule, grave, errno, at in brief(data)]
    assert found == expected


@pytest.mark.parametrize("name", [name for name in TYPES if TYPES[name].instances.limit == 1])
def test_a_record_of_the_domain_has_instance_0(name: str) -> None:
    if name in ("HEADER", "END"):
        return
    raw = body_of(name).example(random.Random(0)).to_bytes()
    data = context(record(CODES[name], raw, instance=1))
    (found,) = (each for each in brief(data) if each[0] == "instance-not-allowed")
    assert found == ("instance-not-allowed", "error", "EINVAL", 32 + 2)


def test_there_are_two_pics() -> None:
    pics = [record(3, bytes(8), instance) for instance in (0, 1, 2)]
    assert brief(context(*pics[:2])) == []
    at = 32 + 16 + 16 + 2
    assert brief(context(*pics)) == [("instance-not-allowed", "error", "EINVAL", at)]


# -------------------------------------------------------------------------------- what people read


def test_registers_go_by_their_names() -> None:
    body = body_of("CPU_MSR").from_bytes(msrs(2, (0xC001011F, 0, 4), (0x1234, 0, 1)))
    assert body.summary() == {
        "VIRT_SPEC_CTRL": "0x0000000000000004", "MSR 0x00001234": "0x0000000000000001",
    }  # fmt: skip
    assert len(set(MSR_NAMES.values())) == len(MSR_NAMES)


def test_components_go_by_their_names() -> None:
    assert component_names(0x207) == ["x87", "SSE", "AVX", "PKRU"]
    assert component_names(1 << 40) == ["bit 40"]


def test_vectors_are_told_from_their_bits() -> None:
    raw = bytearray(1024)
    raw[0x210] = 0x02
    raw[0x170 + 3] = 0x80
    regs = body_of("LAPIC_REGS").from_bytes(bytes(raw))
    assert regs.requested == [33]
    assert regs.in_service == [255]
    assert regs.summary() == {
        "in_service": "0xff", "level_triggered": "none", "requested": "0x21",
    }  # fmt: skip


def test_segments_are_put_together() -> None:
    raw = bytearray(1032)
    struct.pack_into("<I", raw, 736, 0x10)
    struct.pack_into("<I", raw, 768, 0xFFFF)
    struct.pack_into("<Q", raw, 808, 0x1000)
    struct.pack_into("<I", raw, 888, 0xA9B)
    cpu = body_of("CPU").from_bytes(bytes(raw))
    segment = cpu.segment("cs")
    assert (segment.selector, segment.limit, segment.base, segment.attributes) == (
        0x10, 0xFFFF, 0x1000, 0xA9B,
    )  # fmt: skip
    with pytest.raises(KeyError):
        cpu.segment("idtr")


def test_a_raised_wire_is_told_by_device_and_pin() -> None:
    body = body_of("PCI_IRQ").from_bytes((1 << (4 * 3 + 1)).to_bytes(16, "little"))
    assert body.summary() == {"wires": "03.INTB"}


def test_what_moves_by_itself_is_marked() -> None:
    def volatile(rows: list[dict[str, Any]]) -> set[str]:
        found = {row["name"] for row in rows if row.get("volatile")}
        for row in rows:
            inner = row.get("fields") or row.get("element", {}).get("fields") or []
            found |= volatile(inner)
        return found

    assert volatile(body_of("CPU").layout()) == {"tsc"}
    assert volatile(body_of("HPET").layout()) == {"mc64"}
    assert volatile(body_of("PMTIMER").layout()) == {"tmr_val"}
    assert volatile(body_of("LAPIC_REGS").layout()) == {"timer_current"}
    assert volatile(body_of("RTC").layout()) == {
        "seconds", "minutes", "hours", "day_of_week", "day_of_month", "month", "year",
    }  # fmt: skip
