"""Every body of the record types: bytes and JSON both ways, and what is refused."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

import pytest
from domctx_plugin_xen_streams import headers
from domctx_plugin_xen_streams.hvm_params import HvmParams
from domctx_plugin_xen_streams.libxl import EmulatorXenstoreData
from domctx_plugin_xen_streams.page_data import PageData, PageDataRecord
from domctx_plugin_xen_streams.pv_vcpu import X86PvVcpuBasic
from hypothesis import given, settings
from hypothesis import strategies as st
from xen_streams_support import record_types

from domctx_core import BodyError, Empty, Severity
from domctx_core.testing import subject_of

TYPES = [pytest.param(item, id=f"{item[0]}-{item[2]}") for item in record_types()]
BODIES = sorted(
    {item[3].body for item in record_types()} - {Empty}, key=lambda body: str(body.__name__)
)
PROLOGUES = [
    headers.LibxcDomainHeader,
    headers.LibxcImageHeader,
    headers.LibxlHeader,
    headers.StreamRecordHeader,
    headers.XlHeader,
    headers.XlOptionalData,
]
SIZES = {
    "X86_PV_INFO": 8,
    "X86_PV_P2M_FRAMES": 8,
    "SHARED_INFO": 4096,
    "X86_TSC_INFO": 24,
    "HVM_PARAMS": 8,
    "X86_PV_VCPU_BASIC": 8,
    "X86_PV_VCPU_EXTENDED": 8,
    "X86_PV_VCPU_XSAVE": 8,
    "X86_PV_VCPU_MSRS": 8,
    "EMULATOR_CONTEXT": 8,
    "EMULATOR_XENSTORE_DATA": 8,
    "CHECKPOINT_STATE": 8,
    "PAGE_DATA": 8,
}


def body_of(name: str) -> Any:
    return next(item[3].body for item in record_types() if item[2] == name)


@pytest.mark.parametrize("declared", TYPES)
def test_an_entry_point_names_what_it_loads(declared: tuple[str, int, str, Any]) -> None:
    format, code, name, record_type = declared
    made = subject_of(record_type, format=format).record_type
    assert (made.code, made.name) == (code, name)
    assert record_type.__doc__
    for field in made.body.layout():
        assert field["doc"] or field["kind"] == "reserved"


def test_all_types_of_both_streams_are_there() -> None:
    codes = {
        name: sorted(c for f, c, _, _ in record_types() if f == name) for name in ("libxl", "libxc")
    }
    assert codes == {"libxl": list(range(6)), "libxc": list(range(20))}


@pytest.mark.parametrize("body", [*BODIES, *PROLOGUES])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), order=st.sampled_from(["little", "big"]))
def test_an_example_survives_bytes_and_json(body: Any, seed: int, order: str) -> None:
    made = body.example(random.Random(seed))
    raw = made.to_bytes(order, check=False)
    assert len(raw) == made.size()
    decoded = body.inspect(raw, order)
    assert decoded.body == made
    assert decoded.consumed == len(raw)
    again = body.from_json(json.loads(json.dumps(made.to_json())))
    assert again == made
    assert again.to_bytes(order, check=False) == raw
    if body in BODIES:
        assert decoded.problems == ()


@pytest.mark.parametrize("body", [*BODIES, *PROLOGUES])
@settings(max_examples=60, deadline=None)
@given(raw=st.binary(max_size=200), order=st.sampled_from(["little", "big"]))
def test_noise_is_decoded_or_refused_with_an_offset(body: Any, raw: bytes, order: str) -> None:
    decoded = body.inspect(raw, order)
    if decoded.body is None:
        assert decoded.problems[-1].rule == "body-too-short"
        assert decoded.problems[-1].offset in range(len(raw) + 1)
        with pytest.raises(BodyError) as caught:
            body.from_bytes(raw, order)
        assert caught.value.offset is not None
    elif not decoded.problems:
        assert decoded.body.to_bytes(order) == raw
        assert body.from_json(decoded.body.to_json()) == decoded.body
    if decoded.body is not None:
        assert json.dumps(decoded.body.to_json())


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_a_body_that_is_cut_short(name: str, size: int) -> None:
    body = body_of(name)
    for short in range(0, size, max(1, size // 64)):
        with pytest.raises(BodyError) as caught:
            body.from_bytes(bytes(short))
        assert caught.value.rule == "body-too-short"
        assert caught.value.offset in range(short + 1)


@pytest.mark.parametrize("name", ["X86_PV_INFO", "SHARED_INFO", "X86_TSC_INFO", "CHECKPOINT_STATE"])
def test_a_body_of_fixed_size_that_is_too_long(name: str) -> None:
    raw = body_of(name).example(random.Random(1)).to_bytes() + b"\0"
    (problem,) = body_of(name).inspect(raw).problems
    assert (problem.rule, problem.offset) == ("body-not-consumed", len(raw) - 1)


@pytest.mark.parametrize(
    ("name", "raw", "rule", "offset"),
    [
        ("X86_PV_INFO", "0504000000000000", "field-out-of-range", 0),
        ("X86_PV_INFO", "0802000000000000", "field-out-of-range", 1),
        ("X86_PV_INFO", "0804000100000000", "reserved-not-zero", 3),
        ("X86_PV_P2M_FRAMES", "0200000001000000", "field-out-of-range", 4),
        ("X86_PV_P2M_FRAMES", "0000000001000000" + "00" * 7, "body-not-consumed", 8),
        ("X86_PV_VCPU_BASIC", "0000000001000000", "reserved-not-zero", 4),
        ("X86_PV_VCPU_BASIC", "00" * (8 + 2799), "body-too-short", 8),
        ("X86_PV_VCPU_BASIC", "00" * (8 + 2801), "body-not-consumed", 2808),
        ("X86_PV_VCPU_BASIC", "00" * (8 + 5169), "body-not-consumed", 5176),
        ("X86_PV_VCPU_EXTENDED", "00" * (8 + 55), "body-too-short", 56),
        ("X86_PV_VCPU_EXTENDED", "00" * (8 + 129), "body-not-consumed", 136),
        ("X86_PV_VCPU_XSAVE", "00" * (8 + 15), "body-too-short", 16),
        ("X86_PV_VCPU_MSRS", "00" * (8 + 17), "body-not-consumed", 24),
        ("X86_PV_VCPU_MSRS", "00" * 12 + "01" + "00" * 11, "reserved-not-zero", 12),
        ("HVM_PARAMS", "0100000000000000" + "27" + "00" * 15, "field-out-of-range", 8),
        ("X86_TSC_INFO", "03" + "00" * 23, "field-out-of-range", 0),
        ("X86_TSC_INFO", "00" * 23 + "01", "reserved-not-zero", 23),
        ("HVM_CONTEXT", "", "body-too-short", 0),
        ("HVM_PARAMS", "0100000000000000" + "00" * 15, "body-too-short", 8),
        ("HVM_PARAMS", "0100000000000000" + "00" * 24, "body-not-consumed", 24),
        ("X86_CPUID_POLICY", "", "body-too-short", 0),
        ("X86_CPUID_POLICY", "00" * 25, "body-not-consumed", 24),
        ("X86_MSR_POLICY", "", "body-too-short", 0),
        ("X86_MSR_POLICY", "00" * 31, "body-not-consumed", 16),
        ("DOMAIN_CONTEXT", "", "body-too-short", 0),
        ("PAGE_DATA", "00" * 8, "field-out-of-range", 0),
        ("PAGE_DATA", "0100000000000000" + "00" * 7, "body-too-short", 8),
        ("PAGE_DATA", "0100000000000000" + "00" * 7 + "f0" + "00", "body-not-consumed", 16),
        ("PAGE_DATA", "0100000000000000" + "00" * 7 + "50", "field-out-of-range", 8),
        ("PAGE_DATA", "0100000000000000" + "00" * 6 + "10f0", "reserved-not-zero", 8),
        ("PAGE_DATA", "0100000001000000" + "00" * 7 + "f0", "reserved-not-zero", 4),
        ("PAGE_DATA", "ffffffff00000000" + "00" * 64, "body-too-short", 8),
        ("CHECKPOINT_STATE", "0400000000000000", "field-out-of-range", 0),
        ("EMULATOR_CONTEXT", "0300000000000000", "field-out-of-range", 0),
        ("EMULATOR_XENSTORE_DATA", "0100000000000000" + "6100", "field-out-of-range", 8),
        ("EMULATOR_XENSTORE_DATA", "0100000000000000" + "61006200" + "63", "field-out-of-range", 8),
    ],
)
def test_a_rule_that_is_broken(name: str, raw: str, rule: str, offset: int) -> None:
    problems = body_of(name).inspect(bytes.fromhex(raw)).problems
    assert [(problem.rule, problem.offset) for problem in problems] == [(rule, offset)]


@pytest.mark.parametrize("field", ["X86_PV_VCPU_BASIC", "HVM_PARAMS"])
def test_a_record_without_content_is_only_a_warning(field: str) -> None:
    record_type = next(item[3] for item in record_types() if item[2] == field)()
    body = (
        HvmParams(params=[]) if field == "HVM_PARAMS" else X86PvVcpuBasic(vcpu_id=0, context=None)
    )
    assert body.problems() == []
    (problem,) = record_type.judge(None, body, None)
    assert (problem.severity, problem.offset) == (Severity.WARNING, 8)


def test_pages_stand_only_for_the_types_that_have_one() -> None:
    kinds = [0, 4, 9, 12, 13, 14, 15]
    raw = struct.pack("<II7Q", 7, 0, *(kind << 60 | 5 for kind in kinds))
    head = PageData.from_bytes(raw)
    assert (head.count, head.pages(), head.types()) == (7, 4, dict.fromkeys(kinds, 1))
    assert PageDataRecord().extent(head) == len(raw) + 4 * 4096
    assert head.to_bytes() == raw


def test_the_keys_of_an_emulator() -> None:
    body = EmulatorXenstoreData.from_bytes(bytes(8) + b"a/b\0one\0c\0\xff\0")
    assert body.pairs() == [("a/b", "one"), ("c", "\udcff")]
    assert list(body.summary()) == ["a/b", "c"]
    assert body.to_bytes() == bytes(8) + b"a/b\0one\0c\0\xff\0"
