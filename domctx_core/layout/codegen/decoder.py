"""Functions that decode the bodies of one class, made for it: of those that break no rule.

One call of `struct` gives all numbers, and each rule is a line of code. Whatever is not plain (a size
that is not right, a number without a name, reserved bytes that are not zero) is left to
`Layout.decode`, which finds out what is wrong and explains it. So nothing is told here, and a body
that comes out is what the thorough way makes of the same bytes.

Names of fields are all that comes from outside, and they are Python names. Those of a function's
own begin with two underscores, which no field's name does.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from domctx_core.base.errors import BodyError
from domctx_core.layout.codegen.constructors import ask, define, limits
from domctx_core.layout.field import Field
from domctx_core.layout.kinds.aggregates import Array, Nested, Optional, Switch
from domctx_core.layout.kinds.base import Kind, Reader
from domctx_core.layout.kinds.scalars import Bitmap, Blob, Count, Int, Reserved, Text

if TYPE_CHECKING:
    from domctx_core.layout.body import Layout

__all__ = ["ODD", "Decode", "decoder"]

Decode = Callable[[Any], Any]
"""Makes a body of all its bytes, or raises one of `ODD`."""


class Odd(Exception):  # an answer, not an error
    """It is not plain that the bytes break no rule."""


ODD = (Odd, BodyError, KeyError, struct.error)
"""What a `Decode` raises where the thorough way has to look."""


def decoder(layout: Layout, order: str) -> Decode | None:
    """The function for the bodies of one layout; None where their kind of fields has no such way.

    Fields of fixed size make one call of `struct`, up to the first that has none.
    """
    order = layout.order or order
    codes, row = order, []
    tests: list[str] = []
    stores: list[str] = []
    space: dict[str, Any] = {"__new": object.__new__, "__body": layout.body, "__odd": Odd}
    fixed = list(
        takewhile(lambda field: field.kind.size is not None and _alone(field.kind), layout.fields)
    )
    for index, field in enumerate(fixed):
        kind, name = field.kind, field.name
        codes += kind.code if isinstance(kind, Int) else f"{kind.size}s"
        if isinstance(kind, Reserved):
            name = f"__reserved{index}"
            space[f"__zeros{index}"] = bytes(kind.size)
            tests.append(f"if {name} != __zeros{index}: raise __odd")
        elif isinstance(kind, Int) and kind.enum is not None:
            space[f"__members{index}"] = kind.values
            stores.append(f"__self.{name} = __members{index}[{name}]")
        elif isinstance(kind, Int) or type(kind) is Blob:
            tests += _range(kind, name) if isinstance(kind, Int) else ()
            if not isinstance(kind, Count):
                stores.append(f"__self.{name} = {name}")
        else:
            made = _value(kind, order)
            if made is None:
                return None
            space[f"__value{index}"] = made
            key = f", {kind.selector}" if isinstance(kind, Switch) else ""
            stores.append(f"__self.{name} = __value{index}({name}{key})")
        row.append(name)
    numbers, rest = struct.Struct(codes), layout.fields[len(fixed) :]
    space["__numbers"] = numbers.unpack_from if rest else numbers.unpack
    if rest:
        lines = _rest_lines(fixed, rest, numbers.size, order, space)
        if lines is None:
            return None
        stores += lines
    stores += ask(layout, space, "__self", "__odd")
    names = f"{', '.join(row)}, = " if row else ""
    lines = [
        f"{names}__numbers(__data)",
        *tests,
        "__self = __new(__body)",
        *stores,
        "return __self",
    ]
    return define("__decode(__data)", lines, space)


def _alone(kind: Kind) -> bool:
    """Whether values of a kind are made of their own bytes alone (and perhaps a selector)."""
    if type(kind) is Array:
        return _alone(kind.element)
    if type(kind) is Nested:
        return all(_alone(field.kind) for field in kind.layout.fields)
    return type(kind) in (Int, Count, Reserved, Blob, Switch, Text, Bitmap)


def _range(kind: Int, name: str) -> list[str]:
    """The line that looks whether a number is in its range."""
    low, high = limits(kind)
    if low <= kind.lowest and high >= kind.highest:
        return []
    test = f"{low} <= {name} <= {high}" if low > kind.lowest else f"{name} <= {high}"
    return [f"if not {test}: raise __odd"]


def _value(kind: Kind, order: str) -> Callable[..., Any] | None:
    """Makes a value of its bytes; that of a union also takes the selector."""
    if isinstance(kind, Switch):
        return _union(kind, order)
    if isinstance(kind, Nested):
        return decoder(kind.layout, order)
    if isinstance(kind, Array) and type(kind.element) is Int:
        return _numbers(kind, kind.element, order)
    if isinstance(kind, Array) and isinstance(kind.element, Nested):
        element, size = decoder(kind.element.layout, order), kind.element.size
        if element is None or not size:
            return None
        return lambda raw: [element(raw[at : at + size]) for at in range(0, len(raw), size)]
    if isinstance(kind, (Text, Bitmap)):

        def value(raw: bytes) -> Any:
            reader = Reader(raw, order)
            made = kind.decode(reader, {})
            if reader.suspect or reader.problems:
                raise Odd
            return made

        return value
    return None


def _numbers(kind: Array, element: Int, order: str) -> Callable[[bytes], Any] | None:
    if not isinstance(kind.count, int):
        return None
    unpack = struct.Struct(f"{order}{kind.count}{element.code}").unpack
    if element.enum is not None:
        members = element.values
        return lambda raw: [members[number] for number in unpack(raw)]
    low, high = limits(element)

    def numbers(raw: bytes) -> list[int]:
        row = list(unpack(raw))
        if row and not low <= min(row) <= max(row) <= high:
            raise Odd
        return row

    return numbers if element.checked else lambda raw: list(unpack(raw))


def _union(kind: Switch, order: str) -> Callable[[bytes, int], Any] | None:
    cases: dict[int, tuple[int, Decode | None, bytes]] = {}
    for key, body in kind.cases.items():
        size, made = 0, None
        if body is not None:
            size, made = body.__layout__.size or 0, decoder(body.__layout__, order)
            if made is None:
                return None
        cases[key] = size, made, bytes(kind.size - size)

    def union(raw: bytes, key: int) -> Any:
        case = cases.get(key)
        if case is None:
            return raw
        size, made, rest = case
        if raw[size:] != rest:
            raise Odd
        return None if made is None else made(raw[:size])

    return union


def _rest_lines(
    fixed: Iterable[Field], rest: Iterable[Field], start: int, order: str, space: dict[str, Any]
) -> list[str] | None:
    """The lines that make the values from `start` on, of which the first has no fixed size."""
    before = [
        f"{field.name!r}: {'' if isinstance(field.kind, Count) else '__self.'}{field.name}"
        for field in fixed
        if not isinstance(field.kind, Reserved)
    ]
    space["__begin"] = Reader
    lines = [
        f"__values = {{{', '.join(before)}}}",
        f"__reader = __begin(__data, {order!r}, {start}, '')",  # what has a problem is read again
    ]
    for index, field in enumerate(rest):
        made = _rest(field.kind, order)
        if made is None:
            return None
        space[f"__rest{index}"] = made
        lines.append(f"__self.{field.name} = __rest{index}(__reader, __values)")
    odd = "__reader.suspect or __reader.problems or __reader.pos != __reader.end"
    return [*lines, f"if {odd}: raise __odd"]


def _rest(kind: Kind, order: str) -> Callable[[Reader, Mapping[str, Any]], Any] | None:
    """Makes the value of a field from the first on that has no fixed size.

    What is not plain raises one of `ODD`, or leaves its mark on the reader.
    """
    if kind.judges or (type(kind) is Int and not kind.checked):
        return kind.decode
    if type(kind) is Optional and not isinstance(kind.inner, Reserved):
        inner, there = _rest(kind.inner, order), kind.there
        if inner is None:
            return None
        return lambda reader, values: inner(reader, values) if there(reader) else None
    if type(kind) is Array and kind.element.size and not isinstance(kind.count, int):
        each, row = kind.element.size, _value(kind, order)
        if row is None or not _alone(kind.element):
            return None

        def rows(reader: Reader, values: Mapping[str, Any]) -> Any:
            size = each * (kind.number(reader, values) or 0)
            at = reader.advance(size, "")
            return row(bytes(reader.data[at : at + size]))

        return rows
    if kind.size is None or not _alone(kind) or isinstance(kind, Switch):
        return None
    size, value = kind.size, _value(kind, order)
    if value is None:
        return None

    def fixed(reader: Reader, values: Mapping[str, Any]) -> Any:
        at = reader.advance(size, "")
        return value(bytes(reader.data[at : at + size]))

    return fixed
