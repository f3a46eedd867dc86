"""HEADER and END: how an HVM context begins and ends."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import ClassVar, Self

from domctx_core import Empty, Errno, Instances, Problem, RecordType, u32, u64
from domctx_plugin_hvm_context.bodies import PER_DOMAIN, HvmBody
from domctx_plugin_hvm_context.format import MAGIC

__all__ = ["VERSION", "EndRecord", "Header", "HeaderRecord"]

VERSION = 1
"""The only version that there is."""

_UNKNOWN_CHANGESET = 2**64 - 1


class Header(HvmBody):
    """Who saved the context."""

    magic: int = u32(doc="0x54381286", show="hex", default=MAGIC)
    version: int = u32(doc="version of the format", default=VERSION)
    changeset: int = u64(doc="source revision of the Xen that saved, all ones: unknown", show="hex")
    cpuid: int = u32(doc="EAX of CPUID leaf 1 on the machine that saved", show="hex")
    gtsc_khz: int = u32(doc="frequency of the guest's TSC", unit="kHz")

    def check(self) -> Iterable[Problem]:
        """Check that magic and version are the only ones that Xen takes."""
        for name, value, right in (
            ("magic", self.magic, MAGIC),
            ("version", self.version, VERSION),
        ):
            if value != right:
                yield Problem(
                    "field-out-of-range",
                    f"`{name}` is not that of an HVM context",
                    field=name,
                    expected=hex(right) if name == "magic" else right,
                    actual=hex(value) if name == "magic" else value,
                    errno=Errno.EINVAL,
                )

    def summary(self) -> Mapping[str, str]:
        """Return family, model and stepping of the processor that saved, as `cpuid` has them."""
        family, model = self.cpuid >> 8 & 15, self.cpuid >> 4 & 15
        if family in (6, 15):
            model |= self.cpuid >> 12 & 0xF0
        if family == 15:
            family += self.cpuid >> 20 & 0xFF
        summary = {"saved on": f"family {family}, model {model}, stepping {self.cpuid & 15}"}
        if self.changeset == _UNKNOWN_CHANGESET:
            summary["revision"] = "unknown"
        return summary

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a header of an unknown revision of Xen."""
        return cls(
            changeset=_UNKNOWN_CHANGESET,
            cpuid=rng.getrandbits(32),
            gtsc_khz=rng.randint(10**6, 5 * 10**6),
        )


class HeaderRecord(RecordType[Header]):
    """The first record, and the only one of its type. What the processor was is not compared."""

    code, name, body = 1, "HEADER", Header
    instances: ClassVar[Instances] = PER_DOMAIN


class EndRecord(RecordType[Empty]):
    """The last record; Xen reads nothing after it."""

    code, name, body = 0, "END", Empty
    instances: ClassVar[Instances] = PER_DOMAIN
    rules: ClassVar[dict[str, str]] = {
        "instance-not-allowed": "end-instance",
        "body-not-consumed": "end-length",
    }
