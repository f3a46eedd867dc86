"""Bodies: the typed, documented layout of what a record holds."""

from domctx_core.layout.bits import Bits
from domctx_core.layout.body import Body, Decoded, Empty
from domctx_core.layout.fields import (
    Field,
    array,
    bitmap,
    blob,
    by_size,
    count_of,
    i8,
    i16,
    i32,
    i64,
    nested,
    optional,
    reserved,
    switch,
    text,
    u8,
    u16,
    u32,
    u64,
)
from domctx_core.layout.kinds import ByteOrder

__all__ = [
    "Bits",
    "Body",
    "ByteOrder",
    "Decoded",
    "Empty",
    "Field",
    "array",
    "bitmap",
    "blob",
    "by_size",
    "count_of",
    "i8",
    "i16",
    "i32",
    "i64",
    "nested",
    "optional",
    "reserved",
    "switch",
    "text",
    "u8",
    "u16",
    "u32",
    "u64",
]
