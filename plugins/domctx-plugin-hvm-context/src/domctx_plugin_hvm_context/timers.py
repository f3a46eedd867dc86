"""Clocks and timers of the guest: PIT, RTC, HPET, ACPI timer, and the TSC's adjustment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from domctx_core import (
    Body,
    Instances,
    RecordType,
    array,
    i64,
    optional,
    reserved,
    u8,
    u16,
    u32,
    u64,
)
from domctx_plugin_hvm_context.bodies import PER_DOMAIN, PER_VCPU, HvmBody, ZeroExtended

__all__ = [
    "Hpet",
    "HpetRecord",
    "HpetTimer",
    "Pit",
    "PitChannel",
    "PitRecord",
    "Pmtimer",
    "PmtimerRecord",
    "Rtc",
    "RtcRecord",
    "TscAdjust",
    "TscAdjustRecord",
]

_WITH_OFFSET = frozenset({24})


class PitChannel(Body):
    """One channel of the PIT."""

    count: int = u32(doc="value that it counts down from, 65536 for 0")
    latched_count: int = u16(doc="count that was latched for reading")
    count_latched: int = u8(doc="whether, and how, a count is latched")
    status_latched: int = u8(doc="whether the status is latched")
    status: int = u8(doc="latched status", show="hex")
    read_state: int = u8(doc="which byte is read next")
    write_state: int = u8(doc="which byte is written next")
    write_latch: int = u8(doc="low byte that waits for its high byte", show="hex")
    rw_mode: int = u8(doc="which bytes are read and written: 1 low, 2 high, 3 both")
    mode: int = u8(doc="mode of the counter, 0 to 5")
    bcd: int = u8(doc="counts in BCD, which Xen does not do")
    gate: int = u8(doc="whether it counts")


class Pit(HvmBody):
    """The programmable interval timer of the PC, an 8254."""

    channels: list[PitChannel] = array(PitChannel, 3, doc="its channels; 2 is the speaker's")
    speaker_data_on: int = u32(doc="whether the speaker is on")
    pad = reserved(4)


class Rtc(ZeroExtended):
    """The real-time clock of the PC: its CMOS bytes and how far it is from Xen's clock.

    24 bytes, 16 in old releases. The times are BCD unless bit 2 of `register_b` is set.
    """

    forms: ClassVar[tuple[int, ...]] = (16, 24)
    current: ClassVar[int] = 24
    tail: ClassVar[Mapping[str, frozenset[int]]] = {"rtc_offset": _WITH_OFFSET}

    seconds: int = u8(doc="time: seconds", show="hex", volatile=True)
    seconds_alarm: int = u8(doc="alarm: seconds", show="hex")
    minutes: int = u8(doc="time: minutes", show="hex", volatile=True)
    minutes_alarm: int = u8(doc="alarm: minutes", show="hex")
    hours: int = u8(doc="time: hours", show="hex", volatile=True)
    hours_alarm: int = u8(doc="alarm: hours", show="hex")
    day_of_week: int = u8(doc="date: day of the week, 1 is Sunday", show="hex", volatile=True)
    day_of_month: int = u8(doc="date: day of the month", show="hex", volatile=True)
    month: int = u8(doc="date: month", show="hex", volatile=True)
    year: int = u8(doc="date: year without its century", show="hex", volatile=True)
    register_a: int = u8(doc="register A: update in progress, periodic rate", show="hex")
    register_b: int = u8(doc="register B: interrupts enabled, binary, 24 hours", show="hex")
    register_c: int = u8(doc="register C: interrupts that are pending", show="hex")
    register_d: int = u8(doc="register D: time and memory are valid", show="hex")
    cmos_index: int = u8(doc="CMOS byte that the guest has selected", show="hex")
    pad = reserved(1)
    rtc_offset: int | None = optional(
        i64(), lengths=_WITH_OFFSET, doc="seconds by which it is ahead of Xen's clock"
    )


class HpetTimer(Body):
    """One timer of the HPET."""

    config: int = u64(doc="configuration and capabilities", show="hex")
    cmp: int = u64(doc="comparator", show="hex")
    fsb: int = u64(doc="route of its messages, which Xen does not support", show="hex")
    res4 = reserved(8)


class Hpet(HvmBody):
    """The high-precision event timer: its registers, and the last periods."""

    capability: int = u64(doc="capabilities, and the clock's period", show="hex")
    res0 = reserved(8)
    config: int = u64(doc="configuration: bit 0 counts, bit 1 legacy replacement", show="hex")
    res1 = reserved(8)
    isr: int = u64(doc="interrupt status, a bit for each timer", show="hex")
    res2 = reserved(200)
    mc64: int = u64(doc="main counter", volatile=True)
    res3 = reserved(8)
    timers: list[HpetTimer] = array(HpetTimer, 3, doc="its timers")
    res5 = reserved(672)
    period: list[int] = array(u64(), 3, doc="last value written to each comparator")


class Pmtimer(HvmBody):
    """The ACPI power-management timer and its event registers."""

    tmr_val: int = u32(doc="the timer, 3.579545 MHz", volatile=True)
    pm1a_sts: int = u16(doc="PM1a status register", show="hex")
    pm1a_en: int = u16(doc="PM1a enable register", show="hex")


class TscAdjust(HvmBody):
    """What the guest has added to its TSC."""

    tsc_adjust: int = u64(doc="MSR TSC_ADJUST", show="hex")


class PitRecord(RecordType[Pit]):
    """The PIT of an HVM guest."""

    code, name, body = 10, "PIT", Pit
    instances: ClassVar[Instances] = PER_DOMAIN


class RtcRecord(RecordType[Rtc]):
    """The real-time clock of an HVM guest."""

    code, name, body = 11, "RTC", Rtc
    instances: ClassVar[Instances] = PER_DOMAIN


class HpetRecord(RecordType[Hpet]):
    """The HPET of an HVM guest."""

    code, name, body = 12, "HPET", Hpet
    instances: ClassVar[Instances] = PER_DOMAIN


class PmtimerRecord(RecordType[Pmtimer]):
    """The ACPI timer of an HVM guest."""

    code, name, body = 13, "PMTIMER", Pmtimer
    instances: ClassVar[Instances] = PER_DOMAIN


class TscAdjustRecord(RecordType[TscAdjust]):
    """The TSC's adjustment on a vCPU."""

    code, name, body = 19, "TSC_ADJUST", TscAdjust
    instances: ClassVar[Instances] = PER_VCPU
