"""HVM_PARAMS of the libxc stream."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from domctx_core import (
    Body,
    Problem,
    RecordType,
    Severity,
    XenVersion,
    array,
    count_of,
    reserved,
    u64,
)

__all__ = ["HvmParam", "HvmParamIndex", "HvmParams", "HvmParamsRecord"]


class HvmParamIndex(IntEnum):
    """The parameters of an HVM guest, as `HVM_PARAM_` names them; Xen takes no others."""

    CALLBACK_IRQ = 0
    STORE_PFN = 1
    STORE_EVTCHN = 2
    UNUSED_3 = 3
    PAE_ENABLED = 4
    IOREQ_PFN = 5
    BUFIOREQ_PFN = 6
    UNUSED_7 = 7
    UNUSED_8 = 8
    VIRIDIAN = 9
    TIMER_MODE = 10
    HPET_ENABLED = 11
    IDENT_PT = 12
    DM_DOMAIN = 13
    ACPI_S_STATE = 14
    VM86_TSS = 15
    VPT_ALIGN = 16
    CONSOLE_PFN = 17
    CONSOLE_EVTCHN = 18
    ACPI_IOPORTS_LOCATION = 19
    MEMORY_EVENT_CR0 = 20
    MEMORY_EVENT_CR3 = 21
    MEMORY_EVENT_CR4 = 22
    MEMORY_EVENT_INT3 = 23
    NESTEDHVM = 24
    MEMORY_EVENT_SINGLE_STEP = 25
    BUFIOREQ_EVTCHN = 26
    PAGING_RING_PFN = 27
    MONITOR_RING_PFN = 28
    SHARING_RING_PFN = 29
    MEMORY_EVENT_MSR = 30
    TRIPLE_FAULT_REASON = 31
    IOREQ_SERVER_PFN = 32
    NR_IOREQ_SERVER_PAGES = 33
    VM_GENERATION_ID_ADDR = 34
    ALTP2M = 35
    X87_FIP_WIDTH = 36
    VM86_TSS_SIZED = 37
    MCA_CAP = 38


class HvmParam(Body):
    """One HVM parameter."""

    index: HvmParamIndex = u64(doc="which parameter")
    value: int = u64(doc="its value", show="hex")


class HvmParams(Body):
    """HVM parameters: the addresses of special pages, event channels and the like."""

    count: int = count_of("params", doc="number of parameters", init=False)
    pad = reserved(4)
    params: list[HvmParam] = array(HvmParam, "count", doc="the parameters that are set")


class HvmParamsRecord(RecordType[HvmParams]):
    """The HVM parameters."""

    code, name, body = 0x0A, "HVM_PARAMS", HvmParams

    def judge(
        self, instance: int | None, body: HvmParams, receiver: XenVersion | None
    ) -> Iterable[Problem]:
        """Check that the list is not empty: it would do nothing."""
        if not body.params:
            yield Problem(
                "body-too-short", "`params` is empty", 8, "params", severity=Severity.WARNING
            )
