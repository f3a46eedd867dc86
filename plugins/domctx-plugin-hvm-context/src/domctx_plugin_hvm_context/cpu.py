"""CPU: the registers of a vCPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import ClassVar

from domctx_core import Body, Instances, RecordType, nested, optional, reserved, u32, u64
from domctx_plugin_hvm_context.bodies import PER_VCPU, ZeroExtended
from domctx_plugin_hvm_context.fpu import Fxsave

__all__ = [
    "Cpu",
    "CpuFlags",
    "CpuRecord",
    "EventType",
    "FpuState",
    "Segment",
    "SegmentAttributes",
    "SegmentBases",
    "SegmentLimits",
    "SegmentSelectors",
]

_SEGMENTS = ("cs", "ds", "es", "fs", "gs", "ss", "tr", "ldtr")

_WITH_TSC_AUX = frozenset({1024, 1032})
_WITH_FLAGS = frozenset({1032})


class CpuFlags(IntFlag):
    """What else is known of a vCPU."""

    FPU_INITIALISED = 1


class EventType(IntEnum):
    """The kinds of event that can wait to be delivered to a vCPU."""

    EXTERNAL_INTERRUPT = 0
    NMI = 2
    HARDWARE_EXCEPTION = 3
    SOFTWARE_INTERRUPT = 4
    PRIVILEGED_SOFTWARE_EXCEPTION = 5
    SOFTWARE_EXCEPTION = 6


class SegmentSelectors(Body):
    """Selectors of the segment registers."""

    cs: int = u32(doc="code segment", show="hex")
    ds: int = u32(doc="data segment", show="hex")
    es: int = u32(doc="extra segment", show="hex")
    fs: int = u32(doc="extra segment", show="hex")
    gs: int = u32(doc="extra segment", show="hex")
    ss: int = u32(doc="stack segment", show="hex")
    tr: int = u32(doc="task register", show="hex")
    ldtr: int = u32(doc="local descriptor table", show="hex")


class SegmentLimits(Body):
    """Limits of the segments and of the descriptor tables, in bytes."""

    cs: int = u32(doc="code segment", show="hex")
    ds: int = u32(doc="data segment", show="hex")
    es: int = u32(doc="extra segment", show="hex")
    fs: int = u32(doc="extra segment", show="hex")
    gs: int = u32(doc="extra segment", show="hex")
    ss: int = u32(doc="stack segment", show="hex")
    tr: int = u32(doc="task state segment", show="hex")
    ldtr: int = u32(doc="local descriptor table", show="hex")
    idtr: int = u32(doc="interrupt descriptor table", show="hex")
    gdtr: int = u32(doc="global descriptor table", show="hex")


class SegmentBases(Body):
    """Linear addresses of the segments and of the descriptor tables."""

    cs: int = u64(doc="code segment", show="hex")
    ds: int = u64(doc="data segment", show="hex")
    es: int = u64(doc="extra segment", show="hex")
    fs: int = u64(doc="extra segment", show="hex")
    gs: int = u64(doc="extra segment", show="hex")
    ss: int = u64(doc="stack segment", show="hex")
    tr: int = u64(doc="task state segment", show="hex")
    ldtr: int = u64(doc="local descriptor table", show="hex")
    idtr: int = u64(doc="interrupt descriptor table", show="hex")
    gdtr: int = u64(doc="global descriptor table", show="hex")


class SegmentAttributes(Body):
    """Access rights of the segments, 12 bits: type, S, DPL, P, AVL, L, D/B, G from bit 0."""

    cs: int = u32(doc="code segment", show="hex")
    ds: int = u32(doc="data segment", show="hex")
    es: int = u32(doc="extra segment", show="hex")
    fs: int = u32(doc="extra segment", show="hex")
    gs: int = u32(doc="extra segment", show="hex")
    ss: int = u32(doc="stack segment", show="hex")
    tr: int = u32(doc="task state segment", show="hex")
    ldtr: int = u32(doc="local descriptor table", show="hex")


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment register with its hidden part; `limit` in bytes, `base` a linear address."""

    selector: int
    limit: int
    base: int
    attributes: int

    def __str__(self) -> str:
        return (
            f"selector {self.selector:#06x}, base {self.base:#018x}, limit {self.limit:#010x},"
            f" attributes {self.attributes:#06x}"
        )


class FpuState(Body):
    """Whether the guest has used its FPU, in records of Xen 4.7 and newer."""

    flags: CpuFlags = u32(doc="FPU_INITIALISED: the x87 and SSE registers hold something")
    pad0 = reserved(4)


class Cpu(ZeroExtended):
    """Registers of a vCPU: 1032 bytes, 1024 before Xen 4.7, 1016 before Xen 3.4.

    In a short record Xen takes `fpu_state` for FPU_INITIALISED, and `msr_tsc_aux` for 0.
    """

    forms: ClassVar[tuple[int, ...]] = (1016, 1024, 1032)
    current: ClassVar[int] = 1032
    tail: ClassVar[Mapping[str, frozenset[int]]] = {
        "msr_tsc_aux": _WITH_TSC_AUX,
        "fpu_state": _WITH_FLAGS,
    }
    must_be_zero: ClassVar[frozenset[str]] = frozenset({"flags", "pad0"})

    fpu: Fxsave = nested(Fxsave, doc="x87 and SSE registers")
    rax: int = u64(doc="general register", show="hex")
    rbx: int = u64(doc="general register", show="hex")
    rcx: int = u64(doc="general register", show="hex")
    rdx: int = u64(doc="general register", show="hex")
    rbp: int = u64(doc="general register", show="hex")
    rsi: int = u64(doc="general register", show="hex")
    rdi: int = u64(doc="general register", show="hex")
    rsp: int = u64(doc="stack pointer", show="hex")
    r8: int = u64(doc="general register", show="hex")
    r9: int = u64(doc="general register", show="hex")
    r10: int = u64(doc="general register", show="hex")
    r11: int = u64(doc="general register", show="hex")
    r12: int = u64(doc="general register", show="hex")
    r13: int = u64(doc="general register", show="hex")
    r14: int = u64(doc="general register", show="hex")
    r15: int = u64(doc="general register", show="hex")
    rip: int = u64(doc="instruction pointer", show="hex")
    rflags: int = u64(doc="flags", show="hex")
    cr0: int = u64(doc="control register: protection, paging", show="hex")
    cr2: int = u64(doc="control register: address of the last page fault", show="hex")
    cr3: int = u64(doc="control register: page tables", show="hex")
    cr4: int = u64(doc="control register: extensions in use", show="hex")
    dr0: int = u64(doc="debug register: address", show="hex")
    dr1: int = u64(doc="debug register: address", show="hex")
    dr2: int = u64(doc="debug register: address", show="hex")
    dr3: int = u64(doc="debug register: address", show="hex")
    dr6: int = u64(doc="debug register: status", show="hex")
    dr7: int = u64(doc="debug register: control", show="hex")
    selectors: SegmentSelectors = nested(SegmentSelectors, doc="segment selectors")
    limits: SegmentLimits = nested(SegmentLimits, doc="segment limits")
    bases: SegmentBases = nested(SegmentBases, doc="segment bases")
    attributes: SegmentAttributes = nested(SegmentAttributes, doc="segment access rights")
    sysenter_cs: int = u64(doc="MSR SYSENTER_CS", show="hex")
    sysenter_esp: int = u64(doc="MSR SYSENTER_ESP", show="hex")
    sysenter_eip: int = u64(doc="MSR SYSENTER_EIP", show="hex")
    shadow_gs: int = u64(doc="MSR KERNEL_GS_BASE", show="hex")
    msr_flags: int = u64(doc="obsolete, and ignored on load", show="hex")
    msr_lstar: int = u64(doc="MSR LSTAR: entry of 64-bit SYSCALL", show="hex")
    msr_star: int = u64(doc="MSR STAR: segments of SYSCALL and SYSRET", show="hex")
    msr_cstar: int = u64(doc="MSR CSTAR: entry of compatibility-mode SYSCALL", show="hex")
    msr_syscall_mask: int = u64(doc="MSR SFMASK: flags that SYSCALL clears", show="hex")
    msr_efer: int = u64(doc="MSR EFER: long mode, no-execute, SYSCALL", show="hex")
    msr_tsc_aux: int | None = optional(
        u64(show="hex"), lengths=_WITH_TSC_AUX, doc="MSR TSC_AUX: what RDTSCP gives beside the TSC"
    )
    tsc: int = u64(doc="the guest's TSC", volatile=True)
    pending_event: int = u32(
        doc="event that waits: vector in bits 7 to 0, type 10 to 8, 11 has an error code, 31 valid",
        show="hex",
    )
    error_code: int = u32(doc="error code of the event that waits", show="hex")
    fpu_state: FpuState | None = optional(
        FpuState, lengths=_WITH_FLAGS, doc="whether the FPU is in use"
    )

    def segment(self, name: str) -> Segment:
        """Return the segment register `name` (cs, ds, es, fs, gs, ss, tr or ldtr) as one value.

        Raises `KeyError` for another name.
        """
        if name not in _SEGMENTS:
            raise KeyError(name)
        return Segment(
            getattr(self.selectors, name),
            getattr(self.limits, name),
            getattr(self.bases, name),
            getattr(self.attributes, name),
        )

    def summary(self) -> Mapping[str, str]:
        """Return each segment register on one line, and the event that waits, where one does."""
        lines = {f"segment {name}": str(self.segment(name)) for name in _SEGMENTS}
        for name in ("idtr", "gdtr"):
            base, limit = getattr(self.bases, name), getattr(self.limits, name)
            lines[f"table {name}"] = f"base {base:#018x}, limit {limit:#010x}"
        event = self.pending_event
        if event >> 31:
            number = event >> 8 & 7
            known = number in list(EventType)
            kind = EventType(number).name.lower().replace("_", " ") if known else f"type {number}"
            code = f", error code {self.error_code:#x}" if event >> 11 & 1 else ""
            lines["pending"] = f"{kind}, vector {event & 255:#04x}{code}"
        return lines


class CpuRecord(RecordType[Cpu]):
    """A vCPU that is up; of one that is down there is no such record."""

    code, name, body = 2, "CPU", Cpu
    instances: ClassVar[Instances] = PER_VCPU
