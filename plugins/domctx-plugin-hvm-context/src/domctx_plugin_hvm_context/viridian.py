"""VIRIDIAN_DOMAIN and VIRIDIAN_VCPU: what a guest sees of a Hyper-V that Xen plays for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from domctx_core import Instances, RecordType, array, optional, reserved, u8, u64
from domctx_plugin_hvm_context.bodies import PER_DOMAIN, PER_VCPU, ZeroExtended

__all__ = ["ViridianDomain", "ViridianDomainRecord", "ViridianVcpu", "ViridianVcpuRecord"]

_WITH_TIME = frozenset({24, 32})
_WITH_REFERENCE_TSC = frozenset({32})
_WITH_SYNIC = frozenset({216})


class ViridianDomain(ZeroExtended):
    """Hyper-V registers of the domain: 32 bytes, fewer in old releases."""

    forms: ClassVar[tuple[int, ...]] = (16, 24, 32)
    current: ClassVar[int] = 32
    tail: ClassVar[Mapping[str, frozenset[int]]] = {
        "time_ref_count": _WITH_TIME,
        "reference_tsc": _WITH_REFERENCE_TSC,
    }

    hypercall_gpa: int = u64(doc="page of the hypercall code, bit 0: enabled", show="hex")
    guest_os_id: int = u64(doc="what the guest says that it is", show="hex")
    time_ref_count: int | None = optional(
        u64(), lengths=_WITH_TIME, doc="offset of the reference time counter, in units of 100 ns"
    )
    reference_tsc: int | None = optional(
        u64(show="hex"),
        lengths=_WITH_REFERENCE_TSC,
        doc="page of the reference TSC, bit 0: enabled",
    )


class ViridianVcpu(ZeroExtended):
    """Hyper-V registers of a vCPU: 216 bytes, 16 before it had a synthetic interrupt controller."""

    forms: ClassVar[tuple[int, ...]] = (16, 216)
    current: ClassVar[int] = 216
    tail: ClassVar[Mapping[str, frozenset[int]]] = dict.fromkeys(
        ("simp_msr", "sint_msr", "stimer_config_msr", "stimer_count_msr"), _WITH_SYNIC
    )
    must_be_zero: ClassVar[frozenset[str]] = frozenset({"pad"})

    vp_assist_msr: int = u64(doc="page for the processor's assistance, bit 0: enabled", show="hex")
    apic_assist_pending: int = u8(doc="whether the guest may skip its next end of interrupt")
    pad = reserved(7)
    simp_msr: int | None = optional(
        u64(show="hex"), lengths=_WITH_SYNIC, doc="page of the synthetic messages"
    )
    sint_msr: list[int] | None = optional(
        array(u64(show="hex"), 16), lengths=_WITH_SYNIC, doc="synthetic interrupts"
    )
    stimer_config_msr: list[int] | None = optional(
        array(u64(show="hex"), 4), lengths=_WITH_SYNIC, doc="configuration of synthetic timers"
    )
    stimer_count_msr: list[int] | None = optional(
        array(u64(), 4), lengths=_WITH_SYNIC, doc="count of synthetic timers"
    )


class ViridianDomainRecord(RecordType[ViridianDomain]):
    """Hyper-V state of the domain."""

    code, name, body = 15, "VIRIDIAN_DOMAIN", ViridianDomain
    instances: ClassVar[Instances] = PER_DOMAIN


class ViridianVcpuRecord(RecordType[ViridianVcpu]):
    """Hyper-V state of a vCPU."""

    code, name, body = 17, "VIRIDIAN_VCPU", ViridianVcpu
    instances: ClassVar[Instances] = PER_VCPU
