"""The framing of an early domain context image.

A record has a header of 8 bytes and a body. Unlike in the later format, the length counts the
zeros that fill the body up to a multiple of 8, so that nothing stands between two records.

| offset | size | field |
|---|---|---|
| 0 | 2 | type |
| 2 | 2 | instance |
| 4 | 4 | length of the body with its padding |

All in the saver's byte order, which the type of the first record shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from domctx_core import Body, ByteOrder, Format, Framing, u16, u32

__all__ = ["MAGIC", "LegacyContext", "RecordHeader"]

MAGIC = 0x53415645
"""The first field of HEADER."""

_HEADER_LENGTH = 16
_ORDERS: tuple[ByteOrder, ByteOrder] = ("little", "big")


class RecordHeader(Body):
    """The 8 bytes before each body."""

    type: int = u16(doc="selects the layout of the body")
    instance: int = u16(doc="tells repeated records of one type apart")
    length: int = u32(doc="size of the body, its padding included", unit="bytes")


def _byteorder(head: bytes) -> ByteOrder | None:
    """Return the byte order of an image that begins with `head`; None where it is none."""
    for order in _ORDERS:
        start = (1).to_bytes(2, order) + bytes(2) + _HEADER_LENGTH.to_bytes(4, order)
        if head.startswith(start + MAGIC.to_bytes(4, order)):
            return order
    return None


class LegacyContext(Format):
    """The image of the series' versions 3 to 9."""

    name = "legacy-context"
    title = "domain context of the series' versions 3 to 9"
    header: ClassVar[type[Body] | None] = RecordHeader
    alignment: ClassVar[int] = 1
    first: ClassVar[int | None] = 1
    last: ClassVar[int] = 0
    ascending: ClassVar[bool] = True

    def recognises(self, head: bytes) -> bool:
        """Recognise the format by the header of its first record and the magic in it."""
        return _byteorder(head) is not None

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        """Return the byte order of the magic, and the version in HEADER."""
        order = _byteorder(head) or "little"
        return Framing(order, int.from_bytes(head[16:20], order))
