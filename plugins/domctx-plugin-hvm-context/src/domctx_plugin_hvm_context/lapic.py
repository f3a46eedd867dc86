"""LAPIC and LAPIC_REGS: the local APIC of a vCPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from domctx_core import Body, Instances, RecordType, array, optional, reserved, u32, u64
from domctx_plugin_hvm_context.bodies import PER_VCPU, HvmBody, ZeroExtended

__all__ = ["Lapic", "LapicRecord", "LapicRegs", "LapicRegsRecord", "VectorWord", "X2apic"]

_WITH_TDT = frozenset({24, 32})
_WITH_X2APIC = frozenset({32})


class X2apic(Body):
    """What newer releases of Xen add to a LAPIC record."""

    id: int = u32(doc="x2APIC id of the vCPU", show="hex")
    rsvd_zero = reserved(4)


class Lapic(ZeroExtended):
    """The local APIC apart from its registers: 32 bytes, 24 up to Xen 4.19, 16 in old releases."""

    forms: ClassVar[tuple[int, ...]] = (16, 24, 32)
    current: ClassVar[int] = 24
    tail: ClassVar[Mapping[str, frozenset[int]]] = {"tdt_msr": _WITH_TDT, "x2apic": _WITH_X2APIC}
    must_be_zero: ClassVar[frozenset[str]] = frozenset({"rsvd_zero"})

    apic_base_msr: int = u64(doc="MSR APIC_BASE: address, enabled, x2APIC, boot CPU", show="hex")
    disabled: int = u32(doc="0: on; bit 0: software disabled, bit 1: hardware disabled", show="hex")
    timer_divisor: int = u32(doc="divisor of the timer's clock")
    tdt_msr: int | None = optional(
        u64(show="hex"), lengths=_WITH_TDT, doc="MSR TSC_DEADLINE: when the timer fires, 0: unset"
    )
    x2apic: X2apic | None = optional(X2apic, lengths=_WITH_X2APIC, doc="x2APIC")

    def summary(self) -> Mapping[str, str]:
        """Return the meaning of the bits of APIC_BASE."""
        base = self.apic_base_msr
        bits = {8: "boot CPU", 10: "x2APIC", 11: "enabled"}
        names = [name for bit, name in bits.items() if base >> bit & 1]
        return {"apic_base": ", ".join([hex(base & ~0xFFF), *names])}


class VectorWord(Body):
    """32 of the 256 vectors in one of the local APIC's bitmaps."""

    vectors: int = u32(doc="a bit for each vector", show="hex")
    pad = reserved(12)


def _vectors(words: Sequence[VectorWord]) -> list[int]:
    return [
        32 * number + bit
        for number, word in enumerate(words)
        for bit in range(32)
        if word.vectors >> bit & 1
    ]


class LapicRegs(HvmBody):
    """The registers of the local APIC: one each 16 bytes, of which 4 are used."""

    gap_000 = reserved(0x20)
    apic_id: int = u32(doc="0x20: APIC id", show="hex")
    gap_024 = reserved(12)
    version: int = u32(doc="0x30: version and number of LVT entries", show="hex")
    gap_034 = reserved(0x4C)
    tpr: int = u32(doc="0x80: task priority", show="hex")
    gap_084 = reserved(12)
    apr: int = u32(doc="0x90: arbitration priority", show="hex")
    gap_094 = reserved(12)
    ppr: int = u32(doc="0xa0: processor priority", show="hex")
    gap_0a4 = reserved(12)
    eoi: int = u32(doc="0xb0: end of interrupt", show="hex")
    gap_0b4 = reserved(12)
    rrd: int = u32(doc="0xc0: remote read", show="hex")
    gap_0c4 = reserved(12)
    ldr: int = u32(doc="0xd0: logical destination", show="hex")
    gap_0d4 = reserved(12)
    dfr: int = u32(doc="0xe0: destination format", show="hex")
    gap_0e4 = reserved(12)
    spiv: int = u32(doc="0xf0: spurious interrupt vector, bit 8: enabled by software", show="hex")
    gap_0f4 = reserved(12)
    isr: list[VectorWord] = array(VectorWord, 8, doc="0x100: vectors in service")
    tmr: list[VectorWord] = array(VectorWord, 8, doc="0x180: vectors that are level-triggered")
    irr: list[VectorWord] = array(VectorWord, 8, doc="0x200: vectors that are requested")
    esr: int = u32(doc="0x280: error status", show="hex")
    gap_284 = reserved(0x6C)
    lvt_cmci: int = u32(doc="0x2f0: local vector of corrected machine checks", show="hex")
    gap_2f4 = reserved(12)
    icr: int = u32(doc="0x300: interrupt command, low half", show="hex")
    gap_304 = reserved(12)
    icr2: int = u32(doc="0x310: interrupt command, high half: destination", show="hex")
    gap_314 = reserved(12)
    lvt_timer: int = u32(doc="0x320: local vector of the timer", show="hex")
    gap_324 = reserved(12)
    lvt_thermal: int = u32(doc="0x330: local vector of the thermal sensor", show="hex")
    gap_334 = reserved(12)
    lvt_pmc: int = u32(doc="0x340: local vector of the performance counters", show="hex")
    gap_344 = reserved(12)
    lvt_lint0: int = u32(doc="0x350: local vector of pin LINT0", show="hex")
    gap_354 = reserved(12)
    lvt_lint1: int = u32(doc="0x360: local vector of pin LINT1", show="hex")
    gap_364 = reserved(12)
    lvt_error: int = u32(doc="0x370: local vector of errors", show="hex")
    gap_374 = reserved(12)
    timer_initial: int = u32(doc="0x380: the timer's initial count")
    gap_384 = reserved(12)
    timer_current: int = u32(doc="0x390: the timer's current count", volatile=True)
    gap_394 = reserved(0x4C)
    timer_divide: int = u32(doc="0x3e0: divide configuration of the timer", show="hex")
    gap_3e4 = reserved(12)
    self_ipi: int = u32(doc="0x3f0: interrupt to oneself, of x2APIC", show="hex")
    gap_3f4 = reserved(12)

    @property
    def in_service(self) -> list[int]:
        """Vectors whose interrupt is being served, ascending."""
        return _vectors(self.isr)

    @property
    def level_triggered(self) -> list[int]:
        """Vectors whose last interrupt was level-triggered, ascending."""
        return _vectors(self.tmr)

    @property
    def requested(self) -> list[int]:
        """Vectors that wait to be served, ascending."""
        return _vectors(self.irr)

    def summary(self) -> Mapping[str, str]:
        """Return the three bitmaps as lists of vectors."""
        names = ("in_service", "level_triggered", "requested")
        return {name: ", ".join(map(hex, getattr(self, name))) or "none" for name in names}


class LapicRecord(RecordType[Lapic]):
    """The local APIC of a vCPU, whether that is up or down."""

    code, name, body = 5, "LAPIC", Lapic
    instances: ClassVar[Instances] = PER_VCPU


class LapicRegsRecord(RecordType[LapicRegs]):
    """The registers of a vCPU's local APIC."""

    code, name, body = 6, "LAPIC_REGS", LapicRegs
    instances: ClassVar[Instances] = PER_VCPU
