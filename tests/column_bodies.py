"""Body classes of fixed size, of which columns can be made."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Any

from domctx_core import (
    Bits,
    Body,
    bitmap,
    blob,
    i8,
    i16,
    i32,
    i64,
    nested,
    reserved,
    switch,
    text,
    u8,
    u16,
    u32,
    u64,
)
from domctx_core import array as array_of


class Colour(IntEnum):
    RED = 1
    BLUE = 200


class Marks(IntFlag):
    A = 1
    B = 0x80


class Plain(Body):
    """Numbers at any alignment."""

    a: int = u8()
    b: int = u64()
    c: int = i16(minimum=-5, maximum=5)
    pad = reserved(3)
    d: int = i64()
    e: int = i8()
    f: int = i32()


class Named(Body):
    """Enumerations and flags."""

    colour: Colour = u32(default=Colour.RED)
    marks: Marks = u8(default=Marks(0))
    pad = reserved(1)


class Point(Body):
    """Inside another."""

    x: int = u16()
    y: int = u16(maximum=100)


class Mixed(Body):
    """What is no number too."""

    key: int = u32(maximum=1)
    raw: bytes = blob(5)
    name: str = text(4)
    bits: Bits = bitmap(8, word=4)
    at: Point = nested(Point)
    row: list[int] = array_of(u16(), 3)
    what: Point | bytes | None = switch("key", {0: None, 1: Point}, size=8)


class Swapped(Body, byteorder="big"):
    """Fixes its byte order itself."""

    a: int = u16()
    b: int = u32(maximum=9)


class Checked(Body):
    """Says itself what is wrong."""

    a: int = u32()

    def check(self) -> Any:
        return ()


BODIES: tuple[type[Body], ...] = (Plain, Named, Mixed, Swapped, Checked)
