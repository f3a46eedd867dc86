"""CPU_MSR and VMCE_VCPU: model-specific registers of a vCPU."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import ClassVar, Self

from domctx_core import (
    Body,
    Errno,
    Instances,
    Problem,
    RecordType,
    array,
    count_of,
    optional,
    reserved,
    u32,
    u64,
)
from domctx_plugin_hvm_context.bodies import PER_VCPU, HvmBody, ZeroExtended

__all__ = ["MSR_NAMES", "CpuMsr", "CpuMsrRecord", "Msr", "VmceVcpu", "VmceVcpuRecord"]

MSR_NAMES: Mapping[int, str] = {
    0x00000010: "TSC",
    0x0000001B: "APIC_BASE",
    0x0000003B: "TSC_ADJUST",
    0x00000048: "SPEC_CTRL",
    0x00000049: "PRED_CMD",
    0x0000010A: "ARCH_CAPABILITIES",
    0x0000010B: "FLUSH_CMD",
    0x00000122: "TSX_CTRL",
    0x00000140: "MISC_FEATURES_ENABLES",
    0x00000174: "SYSENTER_CS",
    0x00000175: "SYSENTER_ESP",
    0x00000176: "SYSENTER_EIP",
    0x000001A0: "MISC_ENABLE",
    0x000001D9: "DEBUGCTL",
    0x00000277: "PAT",
    0x000006A0: "U_CET",
    0x000006A2: "S_CET",
    0x000006E0: "TSC_DEADLINE",
    0x000006E1: "PKRS",
    0x00000D90: "BNDCFGS",
    0x00000DA0: "XSS",
    0xC0000080: "EFER",
    0xC0000081: "STAR",
    0xC0000082: "LSTAR",
    0xC0000083: "CSTAR",
    0xC0000084: "SFMASK",
    0xC0000100: "FS_BASE",
    0xC0000101: "GS_BASE",
    0xC0000102: "KERNEL_GS_BASE",
    0xC0000103: "TSC_AUX",
    0xC0011019: "DR1_ADDRESS_MASK",
    0xC001101A: "DR2_ADDRESS_MASK",
    0xC001101B: "DR3_ADDRESS_MASK",
    0xC0011027: "DR0_ADDRESS_MASK",
    0xC001011F: "VIRT_SPEC_CTRL",
}
"""Names of the registers that are common in such records, by index."""

_WITH_BANKS = frozenset({24, 32})
_WITH_EXT_CTL = frozenset({32})


class Msr(Body):
    """The value of one model-specific register."""

    index: int = u32(doc="number of the register", show="hex")
    rsvd = reserved(4)
    val: int = u64(doc="its value", show="hex")


class CpuMsr(HvmBody):
    """Model-specific registers that no other record holds: 8 bytes and 16 for each."""

    must_be_zero: ClassVar[frozenset[str]] = frozenset({"rsvd"})
    errnos: ClassVar[Mapping[str, Errno]] = {
        "body-not-consumed": Errno.EOPNOTSUPP,
        "body-too-short": Errno.EOPNOTSUPP,
    }

    count: int = count_of("msrs", doc="number of registers", init=False)
    pad = reserved(4)
    msrs: list[Msr] = array(Msr, "count", doc="the registers")

    def check(self) -> Iterable[Problem]:
        """Check that there is at least one register."""
        if not self.msrs:
            yield Problem(
                "field-out-of-range",
                "no register is listed",
                field="count",
                expected="at least 1",
                actual=0,
                errno=Errno.EINVAL,
            )

    def summary(self) -> Mapping[str, str]:
        """Name and value of each register."""
        return {
            MSR_NAMES.get(msr.index, f"MSR {msr.index:#010x}"): f"{msr.val:#018x}"
            for msr in self.msrs
        }

    @classmethod
    def _restate(cls, problem: Problem) -> Problem:
        restated = super()._restate(problem)
        if problem.rule == "reserved-not-zero" and restated.severity is None:
            return restated._replace(errno=Errno.EOPNOTSUPP)
        if problem.rule == "body-too-short" and (problem.offset or 0) < 8:
            return restated._replace(errno=Errno.EINVAL)
        return restated

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a few of the registers that have names."""
        chosen = rng.sample(sorted(MSR_NAMES), rng.randint(1, 4))
        return cls(msrs=[Msr(index=index, val=rng.getrandbits(64)) for index in chosen])


class VmceVcpu(ZeroExtended):
    """Virtual machine-check registers of a vCPU: 32 bytes, fewer in old releases."""

    forms: ClassVar[tuple[int, ...]] = (8, 24, 32)
    current: ClassVar[int] = 32
    tail: ClassVar[Mapping[str, frozenset[int]]] = {
        "mci_ctl2_bank0": _WITH_BANKS,
        "mci_ctl2_bank1": _WITH_BANKS,
        "mcg_ext_ctl": _WITH_EXT_CTL,
    }

    caps: int = u64(doc="MSR MCG_CAP: number of banks, features", show="hex")
    mci_ctl2_bank0: int | None = optional(
        u64(show="hex"), lengths=_WITH_BANKS, doc="MSR MC0_CTL2: corrected errors of bank 0"
    )
    mci_ctl2_bank1: int | None = optional(
        u64(show="hex"), lengths=_WITH_BANKS, doc="MSR MC1_CTL2: corrected errors of bank 1"
    )
    mcg_ext_ctl: int | None = optional(
        u64(show="hex"), lengths=_WITH_EXT_CTL, doc="MSR MCG_EXT_CTL: local machine checks"
    )


class VmceVcpuRecord(RecordType[VmceVcpu]):
    """Machine-check state of a vCPU."""

    code, name, body = 18, "VMCE_VCPU", VmceVcpu
    instances: ClassVar[Instances] = PER_VCPU


class CpuMsrRecord(RecordType[CpuMsr]):
    """Further model-specific registers of a vCPU, where any differs from its reset value."""

    code, name, body = 20, "CPU_MSR", CpuMsr
    instances: ClassVar[Instances] = PER_VCPU
