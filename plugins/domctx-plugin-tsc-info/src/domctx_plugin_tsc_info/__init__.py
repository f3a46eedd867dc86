"""TSC_INFO, type code 3: how an x86 domain sees the time-stamp counter.

The layout is that of version 10 of the domain context series, whose specification says 20 bytes.
Its C code writes the size of a structure that a 64-bit compiler rounds up to 24, so both lengths
are in the wild: both are read, and each is written back at the length it came in.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

from domctx_core import (
    SINGLE,
    Body,
    DomainError,
    Errno,
    Instances,
    RecordType,
    optional,
    reserved,
    u32,
    u64,
)

if TYPE_CHECKING:
    from domctx_core import Domain, Guest, LoadContext

__all__ = ["TscInfo", "TscInfoRecord", "TscMode"]


class TscMode(IntEnum):
    """Whether reads of the TSC are emulated. A fourth mode, PVRDTSCP, is gone from Xen."""

    DEFAULT = 0
    ALWAYS_EMULATE = 1
    NEVER_EMULATE = 2


class TscInfo(Body):
    """Time-stamp counter of an x86 domain: 20 bytes, or 24 with a tail of zeros."""

    mode: TscMode = u32(doc="how the guest sees the TSC")
    khz: int = u32(doc="frequency that the guest was promised; 0: the host's", unit="kHz")
    nsec: int = u64(doc="time since the domain was created", unit="ns", volatile=True)
    incarnation: int = u32(doc="how often the TSC was set, as CPUID tells it", volatile=True)
    padded: bool = optional(
        reserved(4), default=False, doc="the tail that a 64-bit compiler adds is there"
    )

    def summary(self) -> Mapping[str, str]:
        """Return frequency and elapsed time in the units that people use."""
        lines = {}
        if self.khz:
            lines["frequency"] = f"{self.khz // 1_000_000}.{self.khz % 1_000_000:06} GHz"
        seconds, nsec = divmod(self.nsec, 10**9)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        lines["elapsed"] = f"{days} d {hours:02}:{minutes:02}:{seconds:02}.{nsec:09}"
        return lines


class TscInfoRecord(RecordType[TscInfo]):
    """One record a domain, instance 0 (ENXIO for others); x86 only."""

    code = 3
    name = "TSC_INFO"
    body = TscInfo
    instances: ClassVar[Instances] = SINGLE

    def load(self, domain: Domain, context: LoadContext) -> None:
        """Take the TSC over, with an incarnation that is one higher.

        The incarnation counts how often the TSC was set, and a load sets it once more. It is a
        32-bit counter in Xen as well: after 4294967295 comes 0.

        Raises `DomainError` (EINVAL) for an Arm guest, which has no TSC.
        """
        instance, value = context.read(self)
        if domain.guest.arch not in (None, "x86"):
            raise DomainError(
                "the image has a TSC, and the domain is no x86 guest",
                errno=Errno.EINVAL,
                expected="an x86 guest",
                actual=f"an {domain.guest.arch} guest",
            )
        following = (value.incarnation + 1) % 2**32
        domain.write(TscInfo, instance, value.replace(incarnation=following))

    def simulate(self, guest: Guest, rng: random.Random) -> Iterable[tuple[int, TscInfo]]:
        """Yield a TSC of a few GHz, in the default mode, some hours old; none for an Arm guest."""
        if guest.arch not in (None, "x86"):
            return
        yield (
            0,
            TscInfo(
                mode=TscMode.DEFAULT,
                khz=rng.randrange(1_000_000, 5_000_000),
                nsec=rng.randrange(10**9, 10**14),
                incarnation=rng.randrange(1, 4),
            ),
        )
