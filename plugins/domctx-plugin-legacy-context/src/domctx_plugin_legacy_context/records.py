"""The record types of an early domain context image; none of them can be loaded.

Bodies end with the zeros that their length counts, up to a multiple of 8 bytes.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import ClassVar, Self

from domctx_plugin_shared_info import (
    SharedInfoArm,
    SharedInfoCompat,
    SharedInfoFlags,
    SharedInfoX86_64,
)
from domctx_plugin_tsc_info import TscMode

from domctx_core import (
    SINGLE,
    Body,
    ByteOrder,
    Decoded,
    Empty,
    Errno,
    Instances,
    Problem,
    RecordType,
    Severity,
    by_size,
    reserved,
    u16,
    u32,
    u64,
)
from domctx_plugin_legacy_context.format import MAGIC

__all__ = [
    "EndRecord",
    "Header",
    "HeaderRecord",
    "SharedInfo",
    "SharedInfoRecord",
    "TscInfo",
    "TscInfoRecord",
]

VERSION = 1
"""The only version that HEADER ever named."""

_SHARED_INFO_HEAD = 8
_STRUCTURES = frozenset(
    each.fixed_size() for each in (SharedInfoX86_64, SharedInfoCompat, SharedInfoArm)
)


class EarlyBody(Body):
    """A body as the engine of the time read it.

    What a short one lacks was taken for zeros, and zeros that nobody read were no matter. Such a body
    is decoded in full, with a warning, so that `to_bytes` gives the full length.
    """

    @classmethod
    def full_size(cls, data: bytes | bytearray | memoryview, byteorder: ByteOrder) -> int:
        """Return how many bytes are read of a body that is, or begins with, `data`."""
        size = cls.fixed_size()
        return len(data) if size is None else size

    @classmethod
    def inspect(
        cls, data: bytes | bytearray | memoryview, byteorder: ByteOrder = "little"
    ) -> Decoded[Self]:
        """Decode a body of any length; never raises for bad bytes."""
        actual, full = len(data), cls.full_size(data, byteorder)
        if actual < full:
            decoded = super().inspect(bytes(data) + bytes(full - actual), byteorder)
            decoded = decoded._replace(consumed=actual)
            rule, message = "body-too-short", "the bytes that the body lacks are taken for zeros"
        elif actual > full and not any(data[full:]):
            decoded = super().inspect(data[:full], byteorder)
            rule, message = "body-not-consumed", "zeros follow that no field describes"
        else:
            return super().inspect(data, byteorder)
        problem = Problem(
            rule,
            message,
            min(actual, full),
            expected=f"{full} bytes",
            actual=f"{actual} bytes",
            severity=Severity.WARNING,
        )
        return decoded._replace(problems=(*decoded.problems, problem))


class Header(Body):
    """What the image begins with, 16 bytes: magic, version, and the Xen that saved it."""

    magic: int = u32(doc="0x53415645", show="hex", default=MAGIC)
    xen_major: int = u16(doc="major version of the Xen that saved")
    xen_minor: int = u16(doc="its minor version")
    version: int = u32(doc="version of the image", default=VERSION)
    pad = reserved(4)

    def check(self) -> Iterable[Problem]:
        """Check that magic and version are the known ones."""
        for name, value, known in (
            ("magic", self.magic, MAGIC),
            ("version", self.version, VERSION),
        ):
            if value != known:
                yield Problem(
                    "field-out-of-range",
                    f"`{name}` is not that of an early domain context image",
                    field=name,
                    expected=f"{known:#x}",
                    actual=f"{value:#x}",
                )

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return the header of some release of Xen 4."""
        return cls(xen_major=4, xen_minor=rng.randint(14, 15))


class SharedInfo(EarlyBody):
    """The page that the domain shares with Xen; the length is said twice, and both must agree."""

    flags: SharedInfoFlags = u32(doc="bit 0: the layout of a 32-bit guest")
    buffer_size: int = u32(doc="size of the structure", unit="bytes")
    info: SharedInfoX86_64 | SharedInfoCompat | SharedInfoArm = by_size(
        x86_64=SharedInfoX86_64,
        x86_32=SharedInfoCompat,
        arm=SharedInfoArm,
        doc="the structure, in the guest's layout",
    )

    @classmethod
    def full_size(cls, data: bytes | bytearray | memoryview, byteorder: ByteOrder) -> int:
        """Return the size that `buffer_size` announces, if that is the size of a structure."""
        announced = int.from_bytes(data[4:_SHARED_INFO_HEAD], byteorder)
        known = announced in _STRUCTURES and len(data) >= _SHARED_INFO_HEAD
        return _SHARED_INFO_HEAD + announced if known else len(data)

    def check(self) -> Iterable[Problem]:
        """Check that `buffer_size` and the flag match the length."""
        size = self.info.size()
        if self.buffer_size != size:
            yield Problem(
                "field-out-of-range",
                "`buffer_size` is not the size of the structure that the record holds",
                field="buffer_size",
                expected=size,
                actual=self.buffer_size,
            )
        compat = isinstance(self.info, SharedInfoCompat)
        if bool(self.flags & SharedInfoFlags(1)) != compat:
            yield Problem(
                "field-out-of-range",
                "`flags` and the size of the structure speak of different guests",
                field="flags",
                expected=int(compat),
                actual=int(self.flags) & 1,
            )

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return the page of a 64-bit or of a 32-bit guest."""
        compat = rng.random() < 0.5
        info = SharedInfoCompat.example(rng) if compat else SharedInfoX86_64.example(rng)
        return cls(flags=SharedInfoFlags(compat), buffer_size=info.size(), info=info)


class TscInfo(EarlyBody):
    """Time-stamp counter of an x86 domain, 24 bytes; the later format has another order."""

    mode: TscMode = u32(doc="how the guest sees the TSC")
    incarnation: int = u32(doc="how often the TSC was set, as CPUID tells it", volatile=True)
    elapsed_nsec: int = u64(doc="time since the domain was created", unit="ns", volatile=True)
    khz: int = u32(doc="frequency that the guest was promised; 0: the host's", unit="kHz")
    pad = reserved(4)


class HeaderRecord(RecordType[Header]):
    """The first record, and the only one of its type."""

    code, name, body = 1, "HEADER", Header
    instances: ClassVar[Instances] = Instances(limit=1, errno=Errno.EINVAL)
    loadable: ClassVar[bool] = False


class SharedInfoRecord(RecordType[SharedInfo]):
    """The shared_info page; since version 3 of the series."""

    code, name, body = 2, "SHARED_INFO", SharedInfo
    instances: ClassVar[Instances] = SINGLE
    loadable: ClassVar[bool] = False


class TscInfoRecord(RecordType[TscInfo]):
    """The time-stamp counter; since version 7 of the series."""

    code, name, body = 3, "TSC_INFO", TscInfo
    instances: ClassVar[Instances] = SINGLE
    loadable: ClassVar[bool] = False


class EndRecord(RecordType[Empty]):
    """The last record."""

    code, name, body = 0, "END", Empty
    instances: ClassVar[Instances] = Instances(limit=1, errno=Errno.EINVAL)
    loadable: ClassVar[bool] = False
