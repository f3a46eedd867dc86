"""Body classes with a field of each kind, and what checks their bytes and JSON."""

import json
import types
from enum import IntEnum, IntFlag
from typing import Any

import pytest

from domctx_core import (
    Body,
    Errno,
    Problem,
    array,
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
    u8,
    u16,
    u32,
    u64,
)

ORDERS = [("little", "<"), ("big", ">")]


both_orders = pytest.mark.parametrize(("order", "prefix"), ORDERS, ids=["little", "big"])


class Mode(IntEnum):
    DEFAULT = 0
    ALWAYS = 1
    NEVER = 2


class Flags(IntFlag):
    COMPAT = 1
    DYING = 4


class Numbers(Body):
    """Every integer there is."""

    a: int = u8()
    b: int = i8()
    c: int = u16()
    d: int = i16()
    e: int = u32()
    f: int = i32()
    g: int = u64()
    h: int = i64()


class Point(Body):
    x: int = u16()
    y: int = i16()


class Moded(Body):
    mode: Mode = u32(errno=Errno.EOPNOTSUPP)


class Flagged(Body):
    flags: Flags = u32()


class Ranged(Body):
    low: int = u32(minimum=3)
    both: int = i16(minimum=-5, maximum=5, errno=Errno.ENXIO)


class Padded(Body):
    x: int = u32()
    pad = reserved(4)
    y: int = u8()


class Counted(Body):
    n: int = count_of("data", size=2)
    m: int = count_of("points", size=1, maximum=3)
    data: bytes = blob(count="n")
    points: list[Point] = array(Point, "m")


class Row(Body):
    fixed: list[int] = array(u16(), 3)
    rest: list[int] = array(u32())


class Outer(Body):
    point: Point = nested(Point)
    row: list[Point] = array(Point, 2)
    inner: Padded = nested(Padded)


class Tail(Body):
    x: int = u32()
    more: int | None = optional(u16())


class ByLength(Body):
    """A reserved word that some writers have, told by the whole length."""

    x: int = u32()
    has_word: bool = optional(reserved(4), lengths=[9, 14], default=False)
    y: int = u8()
    tail: bytes = blob()


class Small(Body):
    a: int = u32()


class Large(Body):
    a: int = u64()
    b: Mode = u32()


class Either(Body):
    x: int = u8()
    info: Small | Large = by_size(narrow=Small, wide=Large)


class Union(Body):
    state: int = u8(maximum=3)
    binding: Small | Point | bytes | None = switch("state", {0: None, 1: Small, 2: Point}, size=6)


class Network(Body, byteorder="big"):
    port: int = u16()
    row: list[int] = array(u16(), 2)


def make(name: str, namespace: dict[str, Any]) -> type[Body]:
    """A body class made at run time."""
    made: type[Body] = types.new_class(name, (Body,), {}, lambda space: space.update(namespace))
    return made


def only(body: type[Body], data: bytes, order: str = "little") -> Problem:
    """The one problem that some bytes have."""
    problems = body.inspect(data, order).problems
    assert len(problems) == 1, problems
    return problems[0]


def check_codec(body: Body, data: bytes, order: str, as_json: Any) -> None:
    """Bytes both ways, JSON both ways, and the size."""
    cls = type(body)
    assert body.to_bytes(order) == data
    assert body.size() == len(data)
    decoded = cls.inspect(data, order)
    assert (decoded.body, decoded.problems, decoded.consumed) == (body, (), len(data))
    assert cls.from_bytes(bytearray(data), order) == body
    assert cls.from_bytes(memoryview(data), order) == body
    assert body.to_json() == as_json
    assert cls.from_json(json.loads(json.dumps(as_json))) == body


class Open(Body):
    raw: bytes = blob()
