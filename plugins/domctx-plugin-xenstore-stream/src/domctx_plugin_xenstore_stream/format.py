"""The framing of a xenstore migration stream.

| offset | size | field | byte order |
|---|---|---|---|
| 0 | 8 | `xenstore` | big-endian |
| 8 | 4 | version | big-endian |
| 12 | 4 | flags; bit 0: the records are big-endian | big-endian |

Records follow, each type u32, length u32, body, zeros up to a multiple of 8, which a reader ignores.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntFlag
from typing import ClassVar

from domctx_core import Body, ByteOrder, Errno, Format, Framing, Problem, Severity, u32, u64

__all__ = ["IDENT", "VERSIONS", "RecordHeader", "StreamFlags", "StreamHeader", "Xenstore"]

IDENT = 0x78656E73746F7265
"""`xenstore`, the first 8 bytes of a stream."""

VERSIONS = (1, 2)
"""Versions that are understood; 2 brought features of domains and watches with a depth."""


class StreamFlags(IntFlag):
    """How the records are written."""

    BIG_ENDIAN = 1


class StreamHeader(Body, byteorder="big"):
    """The 16 bytes that a stream begins with; big-endian."""

    ident: int = u64(doc="`xenstore`", show="hex", default=IDENT)
    version: int = u32(doc="version of the stream")
    flags: StreamFlags = u32(doc="byte order of the records", default=StreamFlags(0))

    def check(self) -> Iterable[Problem]:
        """Check that identity and version are known."""
        if self.ident != IDENT:
            yield Problem(
                "field-out-of-range",
                "`ident` is not that of a xenstore stream",
                field="ident",
                expected=f"{IDENT:#x}",
                actual=f"{self.ident:#x}",
            )
        if self.version not in VERSIONS:
            yield Problem(
                "field-out-of-range",
                f"version {self.version} of the xenstore stream is not known",
                field="version",
                expected="1 or 2",
                actual=self.version,
                errno=Errno.EOPNOTSUPP,
            )


class RecordHeader(Body):
    """The 8 bytes before the body of each record."""

    type: int = u32(doc="selects the layout of the body")
    length: int = u32(doc="size of the body; header and padding not counted", unit="bytes")


class Xenstore(Format):
    """What a xenstored hands to its successor, or to that of another host."""

    name = "xenstore"
    title = "xenstore migration stream"
    header: ClassVar[type[Body] | None] = RecordHeader
    padding: ClassVar[Severity] = Severity.WARNING

    def recognises(self, head: bytes) -> bool:
        """Recognise the format by its identity, `xenstore`."""
        return head.startswith(IDENT.to_bytes(8, "big"))

    def prologue(self, bodies: Sequence[Body]) -> tuple[type[Body], int] | None:
        """Return one header."""
        return None if bodies else (StreamHeader, 16)

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        """Return the version and byte order that the header announces."""
        header = bodies[0]
        assert isinstance(header, StreamHeader)
        order: ByteOrder = "big" if header.flags & StreamFlags.BIG_ENDIAN else "little"
        return Framing(order, header.version)
