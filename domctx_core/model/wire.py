"""The wire format: the 16-byte record header, padding and byte order of a domain context image.

| offset | size | field |
|---|---|---|
| 0 | 4 | type |
| 4 | 4 | instance |
| 8 | 8 | length of the body, header and padding not counted |

Body and zero padding up to a multiple of 8 follow. Everything is in the saver's byte order.
"""

from __future__ import annotations

import struct

from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ORDERS, ByteOrder
from domctx_core.layout.specifiers import u32, u64

__all__ = [
    "ALIGNMENT",
    "DOMAIN_CONTEXT",
    "HEADER_SIZE",
    "MAX_LENGTH",
    "RecordHeader",
    "byteorder_of",
    "header_struct",
    "pack_header",
    "padding",
    "unpack_header",
]

DOMAIN_CONTEXT = "domain-context"
"""Name of the format that the core ships."""

ALIGNMENT = 8
"""Bytes that the size of a record is a multiple of."""

MAX_LENGTH = 2**64 - 1
"""The highest offset in an image: lengths have 64 bits, and nothing wraps."""


class RecordHeader(Body):
    """The header of every record of a domain context image."""

    type: int = u32(doc="selects the layout of the body")
    instance: int = u32(doc="distinguishes records of the same type, such as a vCPU's number")
    length: int = u64(doc="size of the body; header and padding not counted", unit="bytes")


_STRUCTS = {
    order: struct.Struct(prefix + "".join(f.kind.code for f in RecordHeader.__layout__.fields))  # type: ignore[attr-defined]
    for order, prefix in ORDERS.items()
}

HEADER_SIZE = _STRUCTS["little"].size
"""Bytes of a record header: 16."""


def header_struct(byteorder: ByteOrder) -> struct.Struct:
    """Return type, instance and length as a `struct.Struct`, for code that handles many headers."""
    return _STRUCTS[byteorder]


def pack_header(type: int, instance: int, length: int, byteorder: ByteOrder = "little") -> bytes:
    """Return the 16 bytes of a header; raise `struct.error` for numbers that do not fit."""
    return _STRUCTS[byteorder].pack(type, instance, length)


def unpack_header(
    data: bytes | memoryview, byteorder: ByteOrder = "little"
) -> tuple[int, int, int]:
    """Return type, instance and length of the header in `data` (16 bytes)."""
    type_, instance, length = _STRUCTS[byteorder].unpack(data)
    return type_, instance, length


def padding(length: int, alignment: int = ALIGNMENT) -> int:
    """Return how many bytes of padding follow a body of `length` bytes."""
    return -length % alignment


def byteorder_of(head: bytes | memoryview) -> ByteOrder | None:
    """Return the byte order of an image that begins with `head`: START's type code (1) shows it.

    None if `head` does not begin with START. 4 bytes are enough.
    """
    if head[:4] == b"\1\0\0\0":
        return "little"
    return "big" if head[:4] == b"\0\0\0\1" else None
