"""Interrupt controllers of the platform, and the lines that lead to them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from enum import IntEnum, IntFlag
from typing import ClassVar, Self

from domctx_core import (
    Bits,
    Body,
    Errno,
    Instances,
    Problem,
    RecordType,
    Severity,
    array,
    bitmap,
    reserved,
    u8,
    u32,
    u64,
)
from domctx_plugin_hvm_context.bodies import PER_DOMAIN, HvmBody

__all__ = [
    "DeliveryMode",
    "Ioapic",
    "IoapicRecord",
    "IsaIrq",
    "IsaIrqRecord",
    "PciIrq",
    "PciIrqRecord",
    "PciLink",
    "PciLinkRecord",
    "Pic",
    "PicModes",
    "PicRecord",
    "Redirection",
    "RedirectionControl",
]

ISA_LINES = 16
"""Interrupt lines of ISA devices; the record has room for more."""


class PicModes(IntFlag):
    """How a PIC was programmed; bit 7 is not used."""

    READ_ISR = 0x01
    POLL = 0x02
    AUTO_EOI = 0x04
    ROTATE_ON_AUTO_EOI = 0x08
    SPECIAL_FULLY_NESTED = 0x10
    SPECIAL_MASK = 0x20
    MASTER = 0x40
    UNUSED_7 = 0x80


class Pic(HvmBody):
    """One of the two interrupt controllers of the PC, an 8259A."""

    irr: int = u8(doc="lines that request an interrupt, a bit each", show="hex")
    imr: int = u8(doc="lines that are masked", show="hex")
    isr: int = u8(doc="lines whose interrupt is in service", show="hex")
    irq_base: int = u8(doc="vector of line 0", show="hex")
    progress: int = u8(
        doc="bits 3 to 0: step of the initialisation, 0 done; bits 7 to 4: line of top priority",
        show="hex",
    )
    modes: PicModes = u8(doc="how it was programmed")
    elcr: int = u8(doc="lines that are level-triggered", show="hex")
    int_output: int = u8(doc="whether its output is raised")

    @property
    def init_state(self) -> int:
        """Step of the initialisation sequence, 0 where none is under way."""
        return self.progress & 15

    @property
    def priority_add(self) -> int:
        """The line that has the highest priority."""
        return self.progress >> 4


class DeliveryMode(IntEnum):
    """What an interrupt of the IO-APIC becomes at its vCPU."""

    FIXED = 0
    LOWEST_PRIORITY = 1
    SMI = 2
    RESERVED_3 = 3
    NMI = 4
    INIT = 5
    RESERVED_6 = 6
    EXTINT = 7


class RedirectionControl(IntFlag):
    """Bits 15 to 8 of a redirection entry; the three MODE bits together are the delivery mode."""

    MODE_1 = 0x01
    MODE_2 = 0x02
    MODE_4 = 0x04
    LOGICAL = 0x08
    PENDING = 0x10
    ACTIVE_LOW = 0x20
    REMOTE_IRR = 0x40
    LEVEL = 0x80


class Redirection(Body):
    """Where the IO-APIC sends the interrupts of one pin."""

    vector: int = u8(doc="interrupt vector", show="hex")
    control: RedirectionControl = u8(doc="delivery mode, destination mode, status, trigger")
    mask: int = u8(doc="bit 0: the pin is masked")
    pad = reserved(4)
    dest_id: int = u8(doc="destination: APIC id, or set of processors", show="hex")

    @property
    def delivery_mode(self) -> DeliveryMode:
        """The three MODE bits of `control` as one value."""
        return DeliveryMode(self.control & 7)


class Ioapic(HvmBody):
    """The IO-APIC: 48 pins, 16 for ISA interrupts and 32 for those of PCI devices."""

    base_address: int = u64(doc="physical address of its registers", show="hex")
    ioregsel: int = u32(doc="register that the guest has selected", show="hex")
    id: int = u32(doc="its APIC id", show="hex")
    redirtbl: list[Redirection] = array(Redirection, 48, doc="a redirection entry for each pin")


class PciIrq(HvmBody):
    """Interrupt wires of the PCI devices."""

    asserted: Bits = bitmap(16, doc="wires that are raised: 4 * device + INTx, INTA being 0")

    def summary(self) -> Mapping[str, str]:
        """Return the raised wires by device and pin."""
        names = [f"{wire >> 2:02x}.INT{'ABCD'[wire & 3]}" for wire in self.asserted]
        return {"wires": ", ".join(names)} if names else {}


class IsaIrq(HvmBody):
    """Interrupt wires of the ISA devices."""

    asserted: Bits = bitmap(8, doc="ISA interrupts whose wire is raised, 0 to 15")

    def check(self) -> Iterable[Problem]:
        """Check that only the 16 wires that exist are raised; Xen ignores the other bits."""
        beyond = [line for line in self.asserted if line >= ISA_LINES]
        if beyond:
            yield Problem(
                "field-out-of-range",
                "wires are raised that do not exist; Xen ignores them",
                field="asserted",
                expected=f"0 to {ISA_LINES - 1}",
                actual=", ".join(map(str, beyond)),
                severity=Severity.WARNING,
            )

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return any of the wires that exist."""
        return cls(asserted=Bits.from_int(64, rng.getrandbits(ISA_LINES)))


class PciLink(HvmBody):
    """Which ISA interrupt each of the four PCI interrupt links is routed to."""

    route: list[int] = array(
        u8(maximum=15, errno=Errno.EINVAL), 4, doc="ISA interrupt of links A to D, 0: none"
    )
    pad = reserved(4)


class PicRecord(RecordType[Pic]):
    """The PICs of an HVM guest: instance 0 is the master, 1 the slave."""

    code, name, body = 3, "PIC", Pic
    instances: ClassVar[Instances] = Instances(limit=2, errno=Errno.EINVAL)


class IoapicRecord(RecordType[Ioapic]):
    """The IO-APIC of an HVM guest."""

    code, name, body = 4, "IOAPIC", Ioapic
    instances: ClassVar[Instances] = PER_DOMAIN


class PciIrqRecord(RecordType[PciIrq]):
    """State of the PCI interrupt wires."""

    code, name, body = 7, "PCI_IRQ", PciIrq
    instances: ClassVar[Instances] = PER_DOMAIN


class IsaIrqRecord(RecordType[IsaIrq]):
    """State of the ISA interrupt wires."""

    code, name, body = 8, "ISA_IRQ", IsaIrq
    instances: ClassVar[Instances] = PER_DOMAIN


class PciLinkRecord(RecordType[PciLink]):
    """Routing of the PCI interrupt links."""

    code, name, body = 9, "PCI_LINK", PciLink
    instances: ClassVar[Instances] = PER_DOMAIN
