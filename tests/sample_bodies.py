"""Body classes with fields of every kind, for tests."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, IntFlag
from typing import Any

from domctx_core import (
    Body,
    Problem,
    array,
    bitmap,
    blob,
    i16,
    nested,
    reserved,
    switch,
    text,
    u8,
    u16,
    u32,
    u64,
)
from domctx_core.layout.kinds.bits import Bits


class Mode(IntEnum):
    OFF = 0
    ON = 1
    AUTO = 7


class Marks(IntFlag):
    A = 1
    B = 2
    C = 8


class Pair(Body):
    """Two numbers that must differ."""

    low: int = u8()
    high: int = u8(default=255)

    def check(self) -> Iterable[Problem]:
        if self.low == self.high:
            yield Problem("field-out-of-range", "both are the same", field="high")


class Odd(Body, byteorder="big"):
    """In a byte order of its own."""

    number: int = u16()


class Everything(Body):
    """A field of each kind that has a fixed size."""

    mode: Mode = u32()
    marks: Marks = u8(default=Marks(0))
    level: int = i16(minimum=-5, maximum=1000)
    pad = reserved(1)
    wide: int = u64(default=9)
    raw: bytes = blob(3, default=b"abc")
    name: str = text(4, default="four")
    bits: Bits = bitmap(8, default=Bits(64, [3]))
    pair: Pair = nested(Pair)
    odd: Odd = nested(Odd)
    numbers: list[int] = array(u16(), 3)
    pairs: list[Pair] = array(Pair, 2)
    union: Any = switch("mode", {Mode.OFF: None, Mode.ON: Pair, Mode.AUTO: Odd}, size=6)


def everything(**changes: Any) -> Everything:
    values: dict[str, Any] = {
        "mode": Mode.ON, "level": 4, "pair": Pair(low=1), "odd": Odd(number=2), "numbers": [1, 2, 3],
        "pairs": [Pair(low=3), Pair(low=4)], "union": Pair(low=5),
    }  # fmt: skip
    return Everything(**(values | changes))
