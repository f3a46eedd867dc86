"""The format of an HVM context: what stands before each record, and how it is recognised."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import ClassVar

from domctx_core import Body, ByteOrder, Format, Framing, u16, u32

__all__ = ["MAGIC", "HvmContext", "RecordHeader"]

MAGIC = 0x54381286
"""The first field of a HEADER record."""

_HEADERS = tuple(struct.pack(f"{order}HHI", 1, 0, 24) for order in "<>")
_START = struct.pack("<IIQ", 1, 24, 8)


class RecordHeader(Body):
    """What stands before each record: 8 bytes, and no padding after the body."""

    type: int = u16(doc="type code")
    instance: int = u16(doc="number of the vCPU, or of the device of that kind")
    length: int = u32(doc="length of the body", unit="bytes")


class HvmContext(Format):
    """The state of an HVM or PVH guest's vCPUs and virtual devices, as the hypervisor gives it.

    The version is that of the HEADER record.
    """

    name = "hvm-context"
    title = "HVM context"
    header = RecordHeader
    alignment: ClassVar[int] = 1
    first: ClassVar[int | None] = 1
    last: ClassVar[int] = 0

    def recognises(self, head: bytes) -> bool:
        """Recognise a HEADER record: type 1, instance 0, length 24; `verify` checks its magic.

        A domain context whose START has a damaged instance begins so too, and is none.
        """
        return head.startswith(_HEADERS) and not head.startswith(_START)

    def byteorder(self, head: bytes) -> ByteOrder:
        """Return the byte order of the first type code; all known savers are little-endian."""
        return "big" if head[:2] == b"\0\1" else "little"

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        """Return the version in the HEADER record at the start, 0 if it is cut off."""
        order = self.byteorder(head)
        return Framing(order, int.from_bytes(head[12:16], order))
