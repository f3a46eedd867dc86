"""The four records of a PV vCPU: registers, callbacks, XSAVE area, model-specific registers.

Each has the vCPU's number and then what the hypervisor gave, which may be missing altogether:
Xen 4.6 to 4.8 wrote such records, and receivers pass over them.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self, TypeVar

from domctx_core import (
    Body,
    Problem,
    RecordType,
    Severity,
    XenVersion,
    array,
    blob,
    by_size,
    nested,
    optional,
    reserved,
    u8,
    u16,
    u32,
    u64,
)
from domctx_plugin_xen_streams.x86_regs import (
    ControlRegisters32,
    ControlRegisters64,
    DebugRegisters32,
    DebugRegisters64,
    Fxsave,
    Trap32,
    Trap64,
    UserRegs32,
    UserRegs64,
    bit_names,
    msr_name,
    state_components,
)

__all__ = [
    "PvMsr",
    "VcpuExtended",
    "VcpuGuestContext32",
    "VcpuGuestContext64",
    "VcpuXsave",
    "X86PvVcpu",
    "X86PvVcpuBasic",
    "X86PvVcpuBasicRecord",
    "X86PvVcpuExtended",
    "X86PvVcpuExtendedRecord",
    "X86PvVcpuMsrs",
    "X86PvVcpuMsrsRecord",
    "X86PvVcpuXsave",
    "X86PvVcpuXsaveRecord",
    "XsaveArea",
]

_TRAPS = 256
_GDT_FRAMES = 16
_MOST_EXTENDED = 128

_CONTEXT_FLAGS = {
    0: "i387_valid", 2: "in_kernel", 3: "failsafe_disables_events", 4: "syscall_disables_events",
    5: "online",
}  # fmt: skip
_ASSISTS = {
    0: "4gb_segments", 1: "4gb_segments_notify", 2: "writable_pagetables", 3: "pae_extended_cr3",
    4: "architectural_iopl", 5: "runstate_update_flag", 32: "m2p_strict",
}  # fmt: skip


class VcpuGuestContext64(Body):
    """`vcpu_guest_context` of a 64-bit guest, 5168 bytes."""

    fpu_ctxt: Fxsave = nested(Fxsave, doc="x87 and SSE registers")
    flags: int = u64(doc="VGCF flags", show="hex")
    user_regs: UserRegs64 = nested(UserRegs64, doc="general registers")
    trap_ctxt: list[Trap64] = array(Trap64, _TRAPS, doc="virtual interrupt table")
    ldt_base: int = u64(doc="linear address of the LDT", show="hex")
    ldt_ents: int = u64(doc="entries of the LDT")
    gdt_frames: list[int] = array(u64(show="hex"), _GDT_FRAMES, doc="frames of the GDT, as PFNs")
    gdt_ents: int = u64(doc="entries of the GDT")
    kernel_ss: int = u64(doc="stack segment in kernel mode", show="hex")
    kernel_sp: int = u64(doc="stack pointer in kernel mode", show="hex")
    ctrlreg: ControlRegisters64 = nested(ControlRegisters64, doc="control registers")
    debugreg: DebugRegisters64 = nested(DebugRegisters64, doc="debug registers")
    event_callback_eip: int = u64(doc="address of the event callback", show="hex")
    failsafe_callback_eip: int = u64(doc="address of the failsafe callback", show="hex")
    syscall_callback_eip: int = u64(doc="address of the SYSCALL callback", show="hex")
    vm_assist: int = u64(doc="assists that the guest has switched on", show="hex")
    fs_base: int = u64(doc="base of FS", show="hex")
    gs_base_kernel: int = u64(doc="base of GS in kernel mode", show="hex")
    gs_base_user: int = u64(doc="base of GS in user mode", show="hex")

    def summary(self) -> Mapping[str, str]:
        """Return the flags and assists by name."""
        return _summary(self)


class VcpuGuestContext32(Body):
    """`vcpu_guest_context` of a 32-bit guest, 2800 bytes."""

    fpu_ctxt: Fxsave = nested(Fxsave, doc="x87 and SSE registers")
    flags: int = u32(doc="VGCF flags", show="hex")
    user_regs: UserRegs32 = nested(UserRegs32, doc="general registers")
    trap_ctxt: list[Trap32] = array(Trap32, _TRAPS, doc="virtual interrupt table")
    ldt_base: int = u32(doc="linear address of the LDT", show="hex")
    ldt_ents: int = u32(doc="entries of the LDT")
    gdt_frames: list[int] = array(u32(show="hex"), _GDT_FRAMES, doc="frames of the GDT, as PFNs")
    gdt_ents: int = u32(doc="entries of the GDT")
    kernel_ss: int = u32(doc="stack segment in kernel mode", show="hex")
    kernel_sp: int = u32(doc="stack pointer in kernel mode", show="hex")
    ctrlreg: ControlRegisters32 = nested(ControlRegisters32, doc="control registers")
    debugreg: DebugRegisters32 = nested(DebugRegisters32, doc="debug registers")
    event_callback_cs: int = u32(doc="code segment of the event callback", show="hex")
    event_callback_eip: int = u32(doc="offset of the event callback", show="hex")
    failsafe_callback_cs: int = u32(doc="code segment of the failsafe callback", show="hex")
    failsafe_callback_eip: int = u32(doc="offset of the failsafe callback", show="hex")
    vm_assist: int = u32(doc="assists that the guest has switched on", show="hex")

    def summary(self) -> Mapping[str, str]:
        """Return the flags and assists by name."""
        return _summary(self)


def _summary(context: VcpuGuestContext64 | VcpuGuestContext32) -> Mapping[str, str]:
    return {
        "flags set": bit_names(context.flags, _CONTEXT_FLAGS),
        "assists": bit_names(context.vm_assist, _ASSISTS),
    }


class VcpuExtended(Body):
    """`xen_domctl_ext_vcpucontext`: callbacks of a PV vCPU and its machine-check state.

    64 bytes, 56 before Xen 4.9; a converted legacy stream fills it up to 128.
    """

    vcpu: int = u32(doc="number of the vCPU")
    context_size: int = u32(doc="size of the structure as the hypervisor gave it", unit="bytes")
    syscall32_callback_eip: int = u64(doc="address of the callback for 32-bit SYSCALL", show="hex")
    sysenter_callback_eip: int = u64(doc="address of the callback for SYSENTER", show="hex")
    syscall32_callback_cs: int = u16(doc="its code segment", show="hex")
    sysenter_callback_cs: int = u16(doc="its code segment", show="hex")
    syscall32_disables_events: int = u8(doc="whether 32-bit SYSCALL masks events")
    sysenter_disables_events: int = u8(doc="whether SYSENTER masks events")
    pad: bytes = blob(2, default=bytes(2), doc="alignment")
    mcg_cap: int = u64(doc="machine-check capabilities", show="hex")
    mci_ctl2_bank0: int = u64(doc="machine-check control of bank 0", show="hex")
    mci_ctl2_bank1: int = u64(doc="machine-check control of bank 1", show="hex")
    mcg_ext_ctl: int | None = optional(
        u64(show="hex"), lengths=range(8 + 64, 8 + 1024), doc="machine-check extended control"
    )
    rest: bytes = blob(default=b"", doc="not known to this version")


class XsaveArea(Body):
    """What XSAVE writes, in the standard format: at least 576 bytes."""

    legacy: Fxsave = nested(Fxsave, doc="x87 and SSE registers")
    xstate_bv: int = u64(doc="components that are not in their initial state", show="hex")
    xcomp_bv: int = u64(doc="compacted format; 0: standard", show="hex")
    reserved_: bytes = blob(48, default=bytes(48), doc="zero")
    extended: bytes = blob(doc="AVX and the other components, each at its place")


class VcpuXsave(Body):
    """Extended registers of a PV vCPU; the area is missing where XSAVE was never enabled."""

    xcr0: int = u64(doc="components that the guest has enabled", show="hex")
    xcr0_accum: int = u64(doc="components that it has ever enabled", show="hex")
    area: XsaveArea | None = optional(nested(XsaveArea), doc="the XSAVE area")

    def summary(self) -> Mapping[str, str]:
        """Return the components by name."""
        used = 0 if self.area is None else self.area.xstate_bv
        return {"enabled": state_components(self.xcr0), "in use": state_components(used)}


class PvMsr(Body):
    """The value of one model-specific register of a PV vCPU."""

    index: int = u32(doc="number of the register", show="hex")
    pad = reserved(4)
    value: int = u64(doc="its value", show="hex")


class X86PvVcpu(Body):
    """What the records of a PV vCPU have in common; `content` is what the hypervisor gave."""

    vcpu_id: int = u32(doc="number of the vCPU")
    pad = reserved(4)

    @property
    def content(self) -> Any:
        """What the hypervisor gave; None or empty where that is nothing."""
        return None


class X86PvVcpuBasic(X86PvVcpu):
    """Registers of a PV vCPU, in the layout of the guest's word size."""

    context: VcpuGuestContext64 | VcpuGuestContext32 | None = optional(
        by_size(x86_64=VcpuGuestContext64, i386=VcpuGuestContext32),
        doc="`vcpu_guest_context`, 5168 bytes (64-bit guest) or 2800 bytes (32-bit)",
    )

    @property
    def content(self) -> Any:
        """The context, or None."""
        return self.context

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a made-up context of either word size."""
        kinds: list[type[Any]] = [VcpuGuestContext64, VcpuGuestContext32]
        kind = rng.choice(kinds)
        return cls(vcpu_id=rng.randrange(128), context=kind.example(rng))


class X86PvVcpuExtended(X86PvVcpu):
    """Extended state of a PV vCPU."""

    context: VcpuExtended | None = optional(
        nested(VcpuExtended), doc="`xen_domctl_ext_vcpucontext`, at most 128 bytes"
    )

    @property
    def content(self) -> Any:
        """The context, or None."""
        return self.context

    def check(self) -> Iterable[Problem]:
        """Check that there are at most 128 bytes, which is what the hypervisor takes."""
        if self.context is not None and self.context.size() > _MOST_EXTENDED:
            yield Problem(
                "body-not-consumed",
                "`context` is longer than the hypervisor takes",
                8 + _MOST_EXTENDED,
                "context",
                expected=f"at most {_MOST_EXTENDED} bytes",
                actual=f"{self.context.size()} bytes",
            )

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a made-up context as Xen since 4.9 writes it."""
        number = rng.randrange(128)
        context = VcpuExtended(
            vcpu=number, context_size=64, syscall32_callback_eip=rng.getrandbits(64),
            sysenter_callback_eip=rng.getrandbits(64), syscall32_callback_cs=rng.getrandbits(16),
            sysenter_callback_cs=rng.getrandbits(16), syscall32_disables_events=rng.randrange(2),
            sysenter_disables_events=rng.randrange(2), mcg_cap=rng.getrandbits(64),
            mci_ctl2_bank0=rng.getrandbits(64), mci_ctl2_bank1=rng.getrandbits(64),
            mcg_ext_ctl=rng.getrandbits(64),
        )  # fmt: skip
        return cls(vcpu_id=number, context=context)


class X86PvVcpuXsave(X86PvVcpu):
    """XSAVE state of a PV vCPU."""

    context: VcpuXsave | None = optional(
        nested(VcpuXsave), doc="XCR0 and the XSAVE area, whose size follows from `xcr0_accum`"
    )

    @property
    def content(self) -> Any:
        """The context, or None."""
        return self.context

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a vCPU with x87, SSE and perhaps AVX."""
        accum = rng.choice([0b011, 0b111])
        area = XsaveArea(
            legacy=Fxsave.example(rng),
            xstate_bv=rng.getrandbits(3) & accum,
            xcomp_bv=0,
            extended=rng.randbytes(256 if accum & 4 else 0),
        )
        context = VcpuXsave(xcr0=accum, xcr0_accum=accum, area=area)
        return cls(vcpu_id=rng.randrange(128), context=context)


class X86PvVcpuMsrs(X86PvVcpu):
    """Model-specific registers of a PV vCPU."""

    msrs: list[PvMsr] = array(PvMsr, doc="the registers that are in use")

    @property
    def content(self) -> Any:
        """The registers."""
        return self.msrs

    def summary(self) -> Mapping[str, str]:
        """Return the registers by name."""
        return {msr_name(msr.index): f"{msr.value:#x}" for msr in self.msrs}

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a few made-up registers."""
        msrs = [PvMsr.example(rng) for _ in range(rng.randint(1, 4))]
        return cls(vcpu_id=rng.randrange(128), msrs=msrs)


V = TypeVar("V", bound=X86PvVcpu)


class _PvVcpuRecord(RecordType[V]):
    """A record of one PV vCPU."""

    identity: ClassVar[tuple[str, ...]] = ("vcpu_id",)
    content_field: ClassVar[str] = "context"

    def judge(
        self, instance: int | None, body: V, receiver: XenVersion | None
    ) -> Iterable[Problem]:
        """Check that the record has content: it would do nothing. Xen 4.6 to 4.8 wrote some."""
        if not body.content:
            name = self.content_field
            yield Problem(
                "body-too-short", f"`{name}` is empty", 8, name, severity=Severity.WARNING
            )


class X86PvVcpuBasicRecord(_PvVcpuRecord[X86PvVcpuBasic]):
    """Registers of a PV vCPU."""

    code, name, body = 0x04, "X86_PV_VCPU_BASIC", X86PvVcpuBasic


class X86PvVcpuExtendedRecord(_PvVcpuRecord[X86PvVcpuExtended]):
    """Extended state of a PV vCPU: its callbacks and its machine-check state."""

    code, name, body = 0x05, "X86_PV_VCPU_EXTENDED", X86PvVcpuExtended


class X86PvVcpuXsaveRecord(_PvVcpuRecord[X86PvVcpuXsave]):
    """XSAVE area of a PV vCPU."""

    code, name, body = 0x06, "X86_PV_VCPU_XSAVE", X86PvVcpuXsave


class X86PvVcpuMsrsRecord(_PvVcpuRecord[X86PvVcpuMsrs]):
    """Model-specific registers of a PV vCPU."""

    code, name, body = 0x0C, "X86_PV_VCPU_MSRS", X86PvVcpuMsrs
    content_field: ClassVar[str] = "msrs"
