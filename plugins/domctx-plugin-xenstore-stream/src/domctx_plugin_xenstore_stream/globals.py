"""END, and what concerns the whole of xenstored or a whole domain."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import ClassVar, Self

from domctx_core import Body, Empty, Problem, RecordType, count_of, i32, u16, u32
from domctx_plugin_xenstore_stream.parts import aligned, ignored
from domctx_plugin_xenstore_stream.quotas import quotas

__all__ = [
    "DomainData",
    "DomainDataRecord",
    "EndRecord",
    "GlobalData",
    "GlobalDataRecord",
    "GlobalQuotaData",
    "GlobalQuotaDataRecord",
]


class GlobalData(Body):
    """File descriptors that a live update hands over; -1: not in use."""

    socket_fd: int = i32(doc="socket that accepts connections; -1: none")
    evtchn_fd: int = i32(doc="event channel device; -1: none")


class GlobalQuotaData(Body):
    """Quotas that xenstored was given; the value 0 means no limit."""

    n_dom_quota: int = u16(doc="how many of the quotas hold for each domain; they come first")
    n_glob_quota: int = u16(doc="how many hold for all together")
    quotas: list[tuple[str, int]] = quotas(
        "n_dom_quota", "n_glob_quota", doc="names and values; 0: no limit"
    )
    pad: bytes = aligned()

    def check(self) -> Iterable[Problem]:
        """Check that alignment is zero."""
        yield from ignored("pad", self.pad)

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a few made-up quotas."""
        held = [(f"quota{number}", rng.randrange(1000)) for number in range(rng.randrange(5))]
        domains = rng.randint(0, len(held))
        return cls(n_dom_quota=domains, n_glob_quota=len(held) - domains, quotas=held)


class DomainData(Body):
    """What xenstored keeps of one domain."""

    domid: int = u16(doc="the domain")
    n_quota: int = count_of("quotas", size=2, doc="how many quotas follow", init=False)
    features: int = u32(doc="features that the domain is offered; since version 2", show="hex")
    quotas: list[tuple[str, int]] = quotas("n_quota", doc="names and values; 0: no limit")
    pad: bytes = aligned()

    def check(self) -> Iterable[Problem]:
        """Check that alignment is zero."""
        yield from ignored("pad", self.pad)


class EndRecord(RecordType[Empty]):
    """The last record of the stream."""

    code, name, body = 0, "END", Empty


class GlobalDataRecord(RecordType[GlobalData]):
    """Descriptors of xenstored itself, in a live update."""

    code, name, body = 1, "GLOBAL_DATA", GlobalData


class GlobalQuotaDataRecord(RecordType[GlobalQuotaData]):
    """Quotas of xenstored itself, in a live update."""

    code, name, body = 6, "GLOBAL_QUOTA_DATA", GlobalQuotaData


class DomainDataRecord(RecordType[DomainData]):
    """Features and quotas of one domain."""

    code, name, body = 7, "DOMAIN_DATA", DomainData
    identity: ClassVar[tuple[str, ...]] = ("domid",)
