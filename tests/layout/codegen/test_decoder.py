"""The function that decodes plain bodies gives what the thorough way gives, or steps back."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum, IntFlag
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domctx_core import (
    Body,
    Problem,
    array,
    bitmap,
    blob,
    count_of,
    i16,
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
from domctx_core.host.host import Host
from domctx_core.layout.body import Decoded
from domctx_core.layout.codegen.decoder import decoder
from domctx_core.layout.codegen.source import NOT_APPLICABLE
from domctx_core.layout.kinds.base import ORDERS, ByteOrder
from domctx_core.model.record_type import all_bodies


class Mode(IntEnum):
    OFF = 0
    ON = 1
    ODD = 300


class Flag(IntFlag):
    A = 1
    B = 4


class Numbers(Body):
    mode: Mode = u32()
    flags: Flag = u16()
    delta: int = i16(minimum=-300, maximum=5)
    pad = reserved(4)
    when: int = u64(maximum=2**40)


class Inner(Body, byteorder="big"):
    low: int = u16(maximum=0x7FF0)
    pad = reserved(1)
    high: int = u8(minimum=1)


class Asked(Body, trusted_values={"value": range(100)}):
    """`check` is asked only where it may have something to say."""

    value: int = u32()
    asked = 0

    def check(self) -> Iterable[Problem]:
        type(self).asked += 1
        if self.value > 1000:
            yield Problem("field-out-of-range", "too much", field="value")


class Deep(Body):
    """A body in a body in another byte order, arrays, bytes, text, a bitmap, a union."""

    kind: int = u8()
    inner: Inner = nested(Inner)
    numbers: list[int] = array(u16(), 3)
    pairs: list[Inner] = array(Inner, 2)
    asked: Asked = nested(Asked)
    name: str = text(3)
    raw: bytes = blob(4)
    bits: Any = bitmap(8)
    union: Any = switch("kind", {0: None, 1: Inner, 2: Asked}, size=6)


class Few(IntEnum):
    NONE = 0
    SOME = 1


class Counted(Body):
    """A last field of varying size."""

    mode: Few = u8()
    count: int = count_of("rest", size=1, maximum=5)
    pad = reserved(2)
    rest: list[int] = array(u16(), count="count")


class Rest(Body):
    head: int = u32(maximum=7)
    rest: bytes = blob()


class Rows(Body):
    """A row that another field counts, and two fields of fixed size after it."""

    count: int = count_of("rows", size=1, maximum=3)
    rows: list[Numbers] = array(Numbers, count="count")
    pair: list[Inner] = array(Inner, 2)
    modes: list[Few] = array(u8(enum=Few), 2)
    small: list[int] = array(i16(minimum=-3, maximum=3), 2)


class AllLeft(Body):
    """A row of as many as are left."""

    rows: list[Asked] = array(Asked)


class Tail(Body):
    """What newer releases added at the end, each part there only if the one before is."""

    head: int = u16(maximum=300)
    more: int | None = optional(u32(), lengths=[6, 10])
    most: Inner | None = optional(nested(Inner), lengths=[10])
    name: str | None = optional(text(4))


class Nothing(Body):
    pass


MADE_UP: tuple[type[Body], ...] = (
    Numbers,
    Inner,
    Asked,
    Deep,
    Counted,
    Rest,
    Rows,
    AllLeft,
    Tail,
    Nothing,
)


@contextmanager
def thorough(body: type[Body]) -> Iterator[None]:
    """The class decodes as if it had no such function."""
    layout = body.__layout__
    kept = dict(layout.decoders)
    layout.decoders.update({"little": None, "big": None})
    try:
        yield
    finally:
        layout.decoders.clear()
        layout.decoders.update(kept)


def both(body: type[Body], data: bytes, order: ByteOrder) -> tuple[Any, Decoded[Any]]:
    """What the function makes of `data` (NOT_APPLICABLE: nothing), and what the thorough way does."""
    decode = decoder(body.__layout__, ORDERS[order])
    assert decode is not None
    made: Any = NOT_APPLICABLE
    with suppress(*NOT_APPLICABLE):
        made = decode(memoryview(data))
    with thorough(body):
        return made, body.inspect(data, order)


def agree(body: type[Body], data: bytes, order: ByteOrder) -> Any:
    """Both ways agree; gives what the function made."""
    made, told = both(body, data, order)
    if made is not NOT_APPLICABLE:
        assert told == Decoded(made, (), len(data))
        types = [type(getattr(made, name)) for name in body.__layout__.stored]
        assert types == [type(getattr(told.body, name)) for name in body.__layout__.stored]
    return made


def installed() -> list[type[Body]]:
    bodies: list[type[Body]] = []
    host = Host()
    for name in host.formats.names():
        for entry in host.formats.registry(name):
            bodies += all_bodies(entry.record_type)
    return [
        body
        for body in dict.fromkeys(bodies)
        if decoder(body.__layout__, "<") is not None
        and body.inspect.__func__ is Body.inspect.__func__  # type: ignore[attr-defined]
    ]


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("body", MADE_UP)
def test_what_is_plain_is_decoded(body: type[Body], order: ByteOrder) -> None:
    made = 0
    for seed in range(30):
        example = body.example(Random(seed))
        data = example.to_bytes(order, check=False)
        made += agree(body, data, order) == example
    assert made  # examples need not keep to the author's `check`, nor to flags that were met


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_of_any_bytes_both_ways_make_the_same(data: st.DataObject) -> None:
    body = MADE_UP[data.draw(st.integers(0, len(MADE_UP) - 1))]
    order: ByteOrder = data.draw(st.sampled_from(["little", "big"]))
    raw = bytearray(
        body.example(Random(data.draw(st.integers(0, 99)))).to_bytes(order, check=False)
    )
    for _ in range(data.draw(st.integers(0, 3))):
        if raw:
            at = data.draw(st.integers(0, len(raw) - 1))
            raw[at] = data.draw(st.sampled_from([0, 1, 2, 4, 127, 128, 255]))
    raw += bytes(data.draw(st.integers(0, 2)))
    del raw[len(raw) - min(len(raw), data.draw(st.integers(0, 2))) :]
    agree(body, bytes(raw), order)


def test_the_bodies_of_all_plugins_are_the_same_both_ways() -> None:
    rng, bodies, made = Random(7), installed(), 0
    assert len(bodies) > 20
    for body in bodies:
        for order in ORDERS:
            raw = bytearray(body.example(rng).to_bytes(order, check=False))
            made += agree(body, bytes(raw), order) is not NOT_APPLICABLE
            for _ in range(20):
                if raw:
                    raw[rng.randrange(len(raw))] = rng.choice([0, 1, 255, rng.randrange(256)])
                agree(body, bytes(raw), order)
    assert made > len(bodies)


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (Rest, b"\x08\0\0\0rest"),  # beyond the range
        (Rest, b"\0\0\0"),
        (Counted, b"\0\2\0\0abc"),  # fewer than counted
        (Counted, b"\0\1\0\0abcd"),  # more
        (Counted, b"\0\1\0\1ab"),  # reserved
        (Counted, b"\7\1\0\0ab"),  # no such mode
        (Counted, b"\0\6\0\0" + bytes(12)),  # a count beyond its maximum
        (Asked, struct.pack("<I", 5000)),
        (Inner, b"\x7f\xf1\0\1"),
        (AllLeft, bytes(4) + struct.pack("<I", 5000)),
        (AllLeft, bytes(7)),
        (Rows, bytes([1]) + bytes(18) + bytes(13)),  # fewer than counted
        (Rows, bytes([0]) + bytes(9) + bytes([2]) + bytes(4)),  # no such mode
        (Rows, bytes([0]) + bytes(10) + bytes([4]) + bytes(3)),  # beyond the range
        (Tail, bytes(3)),
        (Tail, bytes(6) + b"\0\0\1\0"),  # reserved, in a part that may be missing
        (Nothing, b"\0"),
    ],
)
def test_what_is_not_plain_is_left_to_the_thorough_way(body: type[Body], data: bytes) -> None:
    made, told = both(body, data, "little")
    assert made is NOT_APPLICABLE
    assert told.problems


def union(kind: int, held: bytes) -> bytes:
    fields = [bytes([kind]), b"\0\0\0\1", bytes(6), b"\0\0\0\1" * 2, bytes(4 + 3 + 4 + 8)]
    return b"".join([*fields, held])


@pytest.mark.parametrize(
    ("kind", "held", "expected"),
    [
        (0, bytes(6), None),
        (0, b"\0\0\0\0\0\1", NOT_APPLICABLE),
        (1, b"\0\2\0\3\0\0", Inner(low=2, high=3)),
        (1, b"\0\2\0\3\1\0", NOT_APPLICABLE),  # bytes that the case leaves over
        (1, b"\0\2\0\0\0\0", NOT_APPLICABLE),  # the case itself
        (2, b"\5\0\0\0\0\0", Asked(value=5)),
        (2, b"\0\1\1\0\0\0", NOT_APPLICABLE),  # its author's `check`
        (7, b"abcdef", b"abcdef"),  # no such case
    ],
)
def test_unions(kind: int, held: bytes, expected: Any) -> None:
    made = agree(Deep, union(kind, held), "little")
    assert (made if made is NOT_APPLICABLE else made.union) == expected


def test_ordinary_values_are_not_asked_about() -> None:
    asked = Asked.asked
    assert agree(Asked, struct.pack("<I", 99), "little").value == 99
    once = Asked.asked  # the thorough way asks of each
    assert once == asked + 1
    agree(Asked, struct.pack("<I", 100), "little")
    assert Asked.asked == once + 2


def test_the_function_is_made_when_bodies_come_in_numbers() -> None:
    class Fresh(Body):
        value: int = u8(maximum=3)

    for _ in range(100):
        assert Fresh.inspect(b"\2").body == Fresh(value=2)
    assert Fresh.__layout__.decoders["little"] is not None
    assert [problem.rule for problem in Fresh.inspect(b"\4").problems] == ["field-out-of-range"]
