"""The record types of the reference images, as a third party would publish them.

They are not this project's: same codes and some of the same names, other bodies (see
corpus/README.md). `record_types(options)` gives the set for what an image's reader was told.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntFlag
from typing import Any

from domctx_core import (
    ANY,
    SINGLE,
    Body,
    Errno,
    Instances,
    RecordType,
    blob,
    count_of,
    reserved,
    u32,
    u64,
)

PAGE = 4096


class Flags(IntFlag):
    COMPAT = 1


class SharedInfo(Body):
    """Flags and a page."""

    flags: Flags = u32(doc="bit 0: 32-bit")
    page: bytes = blob(PAGE)

    def total(self) -> int:
        return int(self.flags)


class SharedInfoFlags(Body):
    """What counts of a shared info page for an HVM domain."""

    flags: Flags = u32(doc="bit 0: 32-bit")

    def total(self) -> int:
        return int(self.flags)


class SharedInfoReserved(Body):
    """Flags, a reserved word and a page."""

    flags: Flags = u32(doc="bit 0: 32-bit")
    pad = reserved(4)
    page: bytes = blob(PAGE)

    def total(self) -> int:
        return int(self.flags)


class TscInfo(Body):
    """The TSC in 20 bytes."""

    mode: int = u32(maximum=2)
    khz: int = u32()
    nsec: int = u64()
    incarnation: int = u32()

    def total(self) -> int:
        return self.mode + self.khz + self.nsec + self.incarnation


class TscInfo24(TscInfo):
    """The TSC as a build reads it that takes the size of its C structure."""

    pad = reserved(4)


class Evtchn(Body):
    """An event channel; the instance is its port."""

    state: int = u32(maximum=6)
    a: int = u32()
    b: int = u32()
    c: int = u32()

    def total(self) -> int:
        return self.state + self.a + self.b + self.c


class Vcpu(Body):
    """A vCPU's flags and a tail of bytes."""

    flags: int = u32(maximum=1)
    n: int = count_of("data", maximum=4096)
    data: bytes = blob(count="n")

    def total(self) -> int:
        return self.flags + self.n + sum(self.data)


def _type(
    code: int, name: str, body: type[Body], instances: Instances, **extra: Any
) -> RecordType[Any]:
    attributes = {"code": code, "name": name, "body": body, "instances": instances, **extra}
    made: RecordType[Any] = type(name.title(), (RecordType,), attributes)()
    return made


def record_types(options: Sequence[str] = ()) -> list[RecordType[Any]]:
    """The set of record types for a reader with these options."""
    shared: type[Body] = SharedInfoReserved if "--reserved" in options else SharedInfo
    hvm = "--hvm" in options
    if hvm:
        shared = SharedInfoFlags
    return [
        _type(2, "SHARED_INFO", shared, SINGLE, ignore_rest=hvm),
        _type(3, "TSC_INFO", TscInfo24 if "--tsc24" in options else TscInfo, SINGLE),
        _type(4, "EVTCHN", Evtchn, ANY),
        _type(5, "VCPU", Vcpu, Instances(limit=128, errno=Errno.EINVAL)),
    ]
