"""What the bodies say of a guest, field by field, against the bytes of real streams."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from domctx_plugin_xen_streams.config import config_summary
from domctx_plugin_xen_streams.hvm_params import HvmParamIndex
from domctx_plugin_xen_streams.libxl import EmulatorXenstoreData
from domctx_plugin_xen_streams.policy import X86CpuidPolicy, X86MsrPolicy
from domctx_plugin_xen_streams.pv_vcpu import (
    VcpuExtended,
    VcpuGuestContext32,
    VcpuGuestContext64,
    VcpuXsave,
    X86PvVcpuBasic,
    X86PvVcpuExtended,
    X86PvVcpuMsrs,
    X86PvVcpuXsave,
)
from domctx_plugin_xen_streams.x86_regs import Fxsave, UserRegs32, UserRegs64
from hypothesis import given
from hypothesis import strategies as st
from xen_streams_support import capture, events_of, libxc, make_formats, pv_info, record

from domctx_core import BodyError, BufferSource, Opened, Record, Severity, verify


def first(name: str, type: str) -> tuple[bytes, Any]:
    """Bytes and body of the first record of a type in a capture."""
    event = next(e for e in events_of(capture(name)) if isinstance(e, Record) and e.name == type)
    assert event.decoded is not None
    return bytes(event.raw()), event.decoded.body


def test_the_structures_have_the_sizes_of_the_public_headers() -> None:
    sizes = {
        VcpuGuestContext64: 5168, VcpuGuestContext32: 2800, UserRegs64: 200, UserRegs32: 68,
        Fxsave: 512,
    }  # fmt: skip
    assert {body: body.fixed_size() for body in sizes} == sizes


OFFSETS_64 = {
    "flags": 512, "user_regs": 520, "trap_ctxt": 720, "ldt_base": 4816, "ldt_ents": 4824,
    "gdt_frames": 4832, "gdt_ents": 4960, "kernel_ss": 4968, "kernel_sp": 4976, "ctrlreg": 4984,
    "debugreg": 5048, "event_callback_eip": 5112, "failsafe_callback_eip": 5120,
    "syscall_callback_eip": 5128, "vm_assist": 5136, "fs_base": 5144, "gs_base_kernel": 5152,
    "gs_base_user": 5160,
}  # fmt: skip
OFFSETS_32 = {
    "flags": 512, "user_regs": 516, "trap_ctxt": 584, "ldt_base": 2632, "gdt_frames": 2640,
    "kernel_ss": 2708, "ctrlreg": 2716, "debugreg": 2748, "event_callback_cs": 2780,
    "failsafe_callback_eip": 2792, "vm_assist": 2796,
}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "offsets"), [(VcpuGuestContext64, OFFSETS_64), (VcpuGuestContext32, OFFSETS_32)]
)
def test_the_fields_stand_where_the_compiler_puts_them(body: Any, offsets: dict[str, int]) -> None:
    found = {row["name"]: row["offset"] for row in body.layout()}
    assert {name: found[name] for name in offsets} == offsets


@pytest.mark.parametrize("name", ["pv1", "pv2l"])
def test_registers_of_a_pv_guest(name: str) -> None:
    raw, body = first(name, "X86_PV_VCPU_BASIC")
    context = body.context
    regs = context.user_regs

    def at(offset: int) -> int:
        return int(struct.unpack_from("<Q", raw, 8 + offset)[0])

    assert (regs.rip, regs.rflags, regs.rsp) == (at(520 + 128), at(520 + 144), at(520 + 152))
    assert regs.rip >> 47 == 0x1FFFF
    assert (context.kernel_sp, context.ctrlreg.cr3) == (at(4976), at(4984 + 24))
    assert context.ctrlreg.cr3 & 0xFFF == 0
    assert context.event_callback_eip >> 47 == 0x1FFFF
    assert len(context.trap_ctxt) == 256
    assert context.trap_ctxt[0].address >> 47 == 0x1FFFF
    assert (context.fpu_ctxt.fcw, context.fpu_ctxt.mxcsr) == (0x37F, 0x1F80)
    assert "online" in context.summary()["flags set"]
    assert body.to_json()["context"]["layout"] == "x86_64"
    assert body.to_json()["context"]["user_regs"]["rip"] == hex(regs.rip)


def test_callbacks_and_xsave_of_a_pv_guest() -> None:
    raw, body = first("pv1", "X86_PV_VCPU_EXTENDED")
    extended = body.context
    assert isinstance(extended, VcpuExtended)
    assert (extended.vcpu, extended.context_size) == (0, 64)
    assert extended.sysenter_callback_eip == struct.unpack_from("<Q", raw, 8 + 16)[0]
    assert extended.mcg_ext_ctl is not None
    raw, body = first("pv1", "X86_PV_VCPU_XSAVE")
    xsave = body.context
    assert isinstance(xsave, VcpuXsave)
    assert (xsave.xcr0, xsave.xcr0_accum) == struct.unpack_from("<QQ", raw, 8)
    assert xsave.area is not None
    assert len(xsave.area.extended) == len(raw) - 8 - 16 - 576
    assert xsave.area.xstate_bv & ~xsave.xcr0_accum == 0
    assert xsave.summary()["enabled"].startswith("x87, SSE")


def test_a_32_bit_context() -> None:
    raw = bytearray(8 + 2800)
    struct.pack_into("<I", raw, 8 + 516 + 32, 0xC0001234)
    body = X86PvVcpuBasic.from_bytes(raw)
    assert isinstance(body.context, VcpuGuestContext32)
    assert body.context.user_regs.eip == 0xC0001234
    assert body.to_bytes() == bytes(raw)
    assert X86PvVcpuBasic.from_json(body.to_json()).to_bytes() == bytes(raw)


@pytest.mark.parametrize("size", [56, 64, 128])
def test_extended_state_of_every_length_that_xen_wrote(size: int) -> None:
    raw = bytes(8) + bytes(range(28)) + b"\1\1\0\0" + bytes(range(100, 100 + size - 32))
    decoded = X86PvVcpuExtended.inspect(raw)
    assert decoded.problems == ()
    assert decoded.body is not None
    assert decoded.body.to_bytes() == raw
    assert decoded.body.context is not None
    assert (decoded.body.context.mcg_ext_ctl is None) == (size == 56)


def test_xsave_without_an_area() -> None:
    raw = bytes(8) + struct.pack("<QQ", 3, 3)
    body = X86PvVcpuXsave.from_bytes(raw)
    assert body.context is not None
    assert body.context.area is None
    assert body.to_bytes() == raw


def test_registers_by_name() -> None:
    raw = bytes(8) + struct.pack("<IIQIIQ", 0xC0000103, 0, 5, 0x12345, 0, 6)
    assert X86PvVcpuMsrs.from_bytes(raw).summary() == {"TSC_AUX": "0x5", "0x12345": "0x6"}


@pytest.mark.parametrize("type", [4, 5, 6, 12])
def test_a_record_of_a_vcpu_without_content_is_a_warning_as_xen_4_6_wrote_it(type: int) -> None:
    data = libxc(pv_info(), record(type, bytes(8)))
    verdict = verify(BufferSource(data), make_formats())
    assert verdict.valid
    assert [(f.rule, f.severity) for f in verdict.findings] == [
        ("body-too-short", Severity.WARNING)
    ]


def test_the_processor_of_a_guest() -> None:
    _, policy = first("pv1", "X86_CPUID_POLICY")
    assert isinstance(policy, X86CpuidPolicy)
    assert policy.summary() == {"vendor": "AuthenticAMD", "processor": "AMD EPYC Processor"}
    _, msrs = first("pv1", "X86_MSR_POLICY")
    assert isinstance(msrs, X86MsrPolicy)
    assert list(msrs.summary()) == ["PLATFORM_INFO", "ARCH_CAPABILITIES"]


def test_parameters_of_an_hvm_guest_by_name() -> None:
    _, params = first("hvm1", "HVM_PARAMS")
    names = [item["index"] for item in params.to_json()["params"]]
    assert {"STORE_PFN", "CONSOLE_PFN", "IDENT_PT"} <= set(names)
    assert [int(each) for each in HvmParamIndex] == list(range(39))


# ---------------------------------------------------------------------------------- configuration


@pytest.mark.parametrize(
    ("name", "kind"), [("pv1", "pv"), ("pv2l", "pv"), ("pvh1", "pvh"), ("hvm1", "hvm")]
)
def test_the_configuration_of_a_capture(name: str, kind: str) -> None:
    opened = next(e for e in events_of(capture(name)) if isinstance(e, Opened))
    body: Any = opened.level.prologue[1][1]
    summary = body.summary()
    assert (summary["domain"], summary["guest type"]) == (name, kind)
    config = json.loads(body.config.rstrip("\0"))
    assert summary["maximum memory"] == f"{config['b_info']['max_memkb']} KiB"
    assert summary["vcpus"] == str(config["b_info"]["max_vcpus"])


@given(st.text(max_size=60) | st.recursive(st.integers(), st.lists, max_leaves=4).map(json.dumps))
def test_a_configuration_that_is_something_else(text: str) -> None:
    assert all(line.isprintable() for line in config_summary(text).values())


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, '{"c_info": 3}', '{"c_info": {"name": ["x"]}, "b_info": null}']
)
def test_a_configuration_that_says_nothing(text: str) -> None:
    assert config_summary(text) == {}


def test_a_name_with_a_line_break_stays_on_its_line() -> None:
    assert config_summary('{"c_info": {"name": "a\\nb"}}') == {"domain": "'a\\nb'"}


# ------------------------------------------------------------------------------- keys and values


@given(st.binary(max_size=60))
def test_keys_and_values_survive_json(data: bytes) -> None:
    raw = bytes(8) + data
    body = EmulatorXenstoreData.inspect(raw).body
    assert body is not None
    again = EmulatorXenstoreData.from_json(json.loads(json.dumps(body.to_json())))
    assert again.to_bytes(check=False) == raw


def test_keys_and_values_are_pairs_in_json() -> None:
    body = EmulatorXenstoreData.from_bytes(bytes(8) + b"a/b\0one\0c\0\0")
    assert body.to_json()["data"] == [{"path": "a/b", "value": "one"}, {"path": "c", "value": ""}]


@pytest.mark.parametrize(
    "item", [None, {"path": "a"}, {"path": "a\0", "value": ""}, {"path": 1, "value": ""}]
)
def test_json_that_is_no_pair(item: Any) -> None:
    with pytest.raises(BodyError, match="data"):
        EmulatorXenstoreData.from_json({"emulator_id": 0, "index": 0, "data": [item]})
