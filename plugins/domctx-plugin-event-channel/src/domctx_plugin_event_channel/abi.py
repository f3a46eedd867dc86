"""EVTCHN_ABI: how a guest and Xen tell each other about pending events."""

from __future__ import annotations

import random
from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

from domctx_core import (
    SINGLE,
    Body,
    DomainError,
    Errno,
    Instances,
    Problem,
    RecordType,
    array,
    count_of,
    u32,
    u64,
)

if TYPE_CHECKING:
    from domctx_core import Domain, Guest, LoadContext

__all__ = [
    "FIFO_PORTS",
    "PORTS_PER_PAGE",
    "TWO_LEVEL_PORTS",
    "Abi",
    "ControlBlock",
    "EvtchnAbi",
    "EvtchnAbiRecord",
    "last_simulated_port",
    "two_level_ports",
]

TWO_LEVEL_PORTS = 4096
"""Ports under the two-level ABI, of a guest with 64-bit words; a 32-bit x86 guest has 1024."""

FIFO_PORTS = 131072
"""Ports under the FIFO ABI, port 0 among them."""

PORTS_PER_PAGE = 1024
"""Event words, one a port, in one page of the FIFO event array."""


class Abi(IntEnum):
    """Where pending and mask bits are."""

    TWO_LEVEL = 0
    """In shared info, announced by a selector in vcpu_info."""

    FIFO = 1
    """In event words in the guest's memory, queued by priority."""


class ControlBlock(Body):
    """Where one vCPU's FIFO control block is; 16 bytes."""

    gfn: int = u64(doc="guest frame of the control block", show="hex")
    offset: int = u32(doc="where in that frame, a multiple of 8", unit="bytes", maximum=4024)
    vcpu: int = u32(doc="the vCPU that it belongs to")

    def check(self) -> Iterable[Problem]:
        """Check that the block holds 64-bit words, and is aligned to them."""
        if self.offset % 8:
            yield Problem(
                "field-out-of-range",
                "`offset` of a control block is not aligned",
                field="offset",
                expected="a multiple of 8",
                actual=self.offset,
            )


class EvtchnAbi(Body):
    """The event-channel ABI that a guest chose; 16 + 16·C + 8·A bytes.

    C control blocks and A event-array pages belong to the FIFO ABI, and to no other.
    """

    abi: Abi = u32(doc="where pending and mask bits are", errno=Errno.EOPNOTSUPP)
    max_port: int = u32(doc="highest port that the domain may have")
    nr_control: int = count_of("control", doc="number of control blocks")
    nr_array: int = count_of("array_gfns", maximum=128, doc="number of event-array pages")
    control: list[ControlBlock] = array(
        ControlBlock, "nr_control", default=[], doc="control blocks, one a vCPU"
    )
    array_gfns: list[int] = array(
        u64(show="hex"),
        "nr_array",
        default=[],
        doc="guest frames of the event array, 1024 ports each, in order of ports",
    )

    @property
    def ports(self) -> int:
        """How many ports the ABI has at most, port 0 among them."""
        return FIFO_PORTS if self.abi == Abi.FIFO else TWO_LEVEL_PORTS

    @property
    def reachable(self) -> int:
        """How many ports have an event word in the guest's memory (FIFO)."""
        return PORTS_PER_PAGE * len(self.array_gfns)

    def check(self) -> Iterable[Problem]:
        """Check the limits of the ABI: ports, control blocks, and one block per vCPU."""
        if self.abi not in tuple(Abi):
            return
        if self.max_port >= self.ports:
            yield Problem(
                "field-out-of-range",
                "`max_port` is higher than the ABI allows",
                field="max_port",
                expected=f"0 to {self.ports - 1}",
                actual=self.max_port,
            )
        if self.abi == Abi.TWO_LEVEL:
            for name, count in (("nr_control", self.nr_control), ("nr_array", self.nr_array)):
                if count:
                    yield Problem(
                        "field-out-of-range",
                        f"`{name}` counts what only the FIFO ABI has",
                        field=name,
                        expected=0,
                        actual=count,
                    )
        vcpus: set[int] = set()
        for number, block in enumerate(self.control):
            if block.vcpu in vcpus:
                yield Problem(
                    "field-out-of-range",
                    f"vCPU {block.vcpu} has a second control block",
                    16 + 16 * number + 12,
                    f"control[{number}].vcpu",
                    expected="each vCPU once",
                    actual=block.vcpu,
                )
            vcpus.add(block.vcpu)


class EvtchnAbiRecord(RecordType[EvtchnAbi]):
    """One record a domain, instance 0 (ENXIO for others), before all channels."""

    code = 4
    name = "EVTCHN_ABI"
    body = EvtchnAbi
    instances: ClassVar[Instances] = SINGLE

    def load(self, domain: Domain, context: LoadContext) -> None:
        """Take the ABI over; `DomainError` (ENOENT) for a vCPU that the guest does not have."""
        instance, abi = context.read(self)
        vcpus = domain.guest.vcpus
        for number, block in enumerate(abi.control):
            if vcpus is not None and block.vcpu >= vcpus:
                raise DomainError(
                    f"a control block belongs to vCPU {block.vcpu}, and the guest has {vcpus}",
                    errno=Errno.ENOENT,
                    field=f"control[{number}].vcpu",
                    expected=f"a vCPU from 0 to {vcpus - 1}",
                    actual=block.vcpu,
                )
        domain.write(EvtchnAbi, instance, abi)

    def simulate(self, guest: Guest, rng: random.Random) -> Iterable[tuple[int, EvtchnAbi]]:
        """Yield the two-level ABI if the guest's channels fit, else FIFO with pages for all of them."""
        last = last_simulated_port(guest)
        if last < two_level_ports(guest):
            yield 0, EvtchnAbi(abi=Abi.TWO_LEVEL, max_port=two_level_ports(guest) - 1)
            return
        frame = rng.randrange(0x1000, 0x10000)
        vcpus = guest.vcpus or 1
        control = [ControlBlock(gfn=frame + n, offset=0, vcpu=n) for n in range(vcpus)]
        pages = range(frame + vcpus, frame + vcpus + last // PORTS_PER_PAGE + 1)
        yield (
            0,
            EvtchnAbi(
                abi=Abi.FIFO, max_port=FIFO_PORTS - 1, control=control, array_gfns=list(pages)
            ),
        )


def two_level_ports(guest: Guest) -> int:
    """Return the number of ports under the two-level ABI; the largest possible if the width is unknown."""
    return 1024 if guest.width == 4 and guest.arch != "arm" else TWO_LEVEL_PORTS


def last_simulated_port(guest: Guest) -> int:
    """Return the highest port of a simulated guest, whose channels have the ports from 1 on.

    Port 0 is never a channel, so that more than 131071 channels cannot be.
    """
    return min(4 if guest.channels is None else guest.channels, FIFO_PORTS - 1)
