"""Decoders of one body class: a body of the bytes that break no rule.

One call of `struct` gives all numbers, and each rule is a line of code. Anything else (a size that
is wrong, a number without a name, reserved bytes that are not zero) is left to `Layout.decode`,
which finds out what is wrong. So no problem is reported here, and a body that comes out equals what
`Layout.decode` makes of the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from itertools import takewhile
from typing import Any

from domctx_core.layout.codegen.source import NotApplicable, compile_function, emit_check
from domctx_core.layout.field import Field
from domctx_core.layout.kinds.aggregates import Array, Nested
from domctx_core.layout.kinds.base import BYTE_ORDERS, Kind, Reader
from domctx_core.layout.kinds.binary import Bitmap, Blob, Reserved, Text
from domctx_core.layout.kinds.scalars import Count, Int
from domctx_core.layout.kinds.variants import Optional, Switch
from domctx_core.layout.protocol import CompiledLayout

__all__ = ["Decode", "decoder"]

Decode = Callable[[Any], Any]
"""Makes a body of all its bytes, or raises one of `NOT_APPLICABLE`."""


def decoder(layout: CompiledLayout, order: str) -> Decode | None:
    """Return the function that decodes valid bodies of one layout; None where a field has no such.

    Fields of fixed size make one call of `struct`, up to the first that has none.
    """
    order = layout.order or order
    codes, row = order, []
    tests: list[str] = []
    stores: list[str] = []
    space: dict[str, Any] = {
        "__new": object.__new__, "__body": layout.body, "__NotApplicable": NotApplicable,
    }  # fmt: skip
    fixed = list(
        takewhile(lambda f: f.kind.size is not None and _self_contained(f.kind), layout.fields)
    )
    for index, field in enumerate(fixed):
        kind, name = field.kind, field.name
        codes += kind.code if isinstance(kind, Int) else f"{kind.size}s"
        if isinstance(kind, Reserved):
            name = f"__reserved{index}"
            space[f"__zeros{index}"] = bytes(kind.size)
            tests.append(f"if {name} != __zeros{index}: raise __NotApplicable")
        elif isinstance(kind, Int) and kind.enum is not None:
            space[f"__members{index}"] = kind.values
            stores.append(f"__self.{name} = __members{index}[{name}]")
        elif isinstance(kind, Int) or type(kind) is Blob:
            tests += _range_test(kind, name) if isinstance(kind, Int) else ()
            if not isinstance(kind, Count):
                stores.append(f"__self.{name} = {name}")
        else:
            value = _value_decoder(kind, order)
            if value is None:
                return None
            space[f"__value{index}"] = value
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
    stores += emit_check(layout, space, "__self")
    names = f"{', '.join(row)}, = " if row else ""
    lines = [
        f"{names}__numbers(__data)",
        *tests,
        "__self = __new(__body)",
        *stores,
        "return __self",
    ]
    title = f"decoder of {layout.body.__name__}, {BYTE_ORDERS[order]}"
    return compile_function(title, "__decode(__data)", lines, space)


def _self_contained(kind: Kind) -> bool:
    """Return True if values are made of their own bytes alone (and perhaps a selector)."""
    if type(kind) is Array:
        return _self_contained(kind.element)
    if type(kind) is Nested:
        return all(map(_self_contained, kind.parts()))
    return type(kind) in (Int, Count, Reserved, Blob, Switch, Text, Bitmap)


def _range_test(kind: Int, name: str) -> list[str]:
    """Return the line that checks that a number is in its range."""
    low, high = kind.bounds
    if low <= kind.lowest and high >= kind.highest:
        return []
    test = f"{low} <= {name} <= {high}" if low > kind.lowest else f"{name} <= {high}"
    return [f"if not {test}: raise __NotApplicable"]


def _value_decoder(kind: Kind, order: str) -> Callable[..., Any] | None:
    """Return what makes a value of its bytes; that of a union also takes the selector."""
    if isinstance(kind, Switch):
        return _union_decoder(kind, order)
    if isinstance(kind, Nested):
        return decoder(kind.layout, order)
    if isinstance(kind, Array) and type(kind.element) is Int:
        return _numbers_decoder(kind, kind.element, order)
    if isinstance(kind, Array) and isinstance(kind.element, Nested):
        element, size = decoder(kind.element.layout, order), kind.element.size
        if element is None or not size:
            return None
        return lambda raw: [element(raw[at : at + size]) for at in range(0, len(raw), size)]
    if isinstance(kind, (Text, Bitmap)):

        def value(raw: bytes) -> Any:
            reader = Reader(raw, order)
            decoded = kind.decode(reader, {})
            if reader.suspect or reader.problems:
                raise NotApplicable
            return decoded

        return value
    return None


def _numbers_decoder(kind: Array, element: Int, order: str) -> Callable[[bytes], Any] | None:
    if not isinstance(kind.count, int):
        return None
    unpack = struct.Struct(f"{order}{kind.count}{element.code}").unpack
    if element.enum is not None:
        members = element.values
        return lambda raw: [members[number] for number in unpack(raw)]
    low, high = element.bounds

    def numbers(raw: bytes) -> list[int]:
        row = list(unpack(raw))
        if row and not low <= min(row) <= max(row) <= high:
            raise NotApplicable
        return row

    return numbers if element.checked else lambda raw: list(unpack(raw))


def _union_decoder(kind: Switch, order: str) -> Callable[[bytes, int], Any] | None:
    cases: dict[int, tuple[int, Decode | None, bytes]] = {}
    for key, body in kind.cases.items():
        size, decode = 0, None
        if body is not None:
            size, decode = body.__layout__.size or 0, decoder(body.__layout__, order)
            if decode is None:
                return None
        cases[key] = size, decode, bytes(kind.size - size)

    def union(raw: bytes, key: int) -> Any:
        case = cases.get(key)
        if case is None:
            return raw
        size, decode, rest = case
        if raw[size:] != rest:
            raise NotApplicable
        return None if decode is None else decode(raw[:size])

    return union


def _rest_lines(
    fixed: Iterable[Field], rest: Iterable[Field], start: int, order: str, space: dict[str, Any]
) -> list[str] | None:
    """Return the lines that make the values from `start` on, the first of which varies in size."""
    before = [
        f"{field.name!r}: {'' if isinstance(field.kind, Count) else '__self.'}{field.name}"
        for field in fixed
        if not isinstance(field.kind, Reserved)
    ]
    space["__Reader"] = Reader
    lines = [
        f"__values = {{{', '.join(before)}}}",
        # Its path is not needed: whatever has a problem is read again by `Layout.decode`.
        f"__reader = __Reader(__data, {order!r}, {start}, '')",
    ]
    for index, field in enumerate(rest):
        decode = _reading_decoder(field.kind, order)
        if decode is None:
            return None
        space[f"__rest{index}"] = decode
        lines.append(f"__self.{field.name} = __rest{index}(__reader, __values)")
    wrong = "__reader.suspect or __reader.problems or __reader.pos != __reader.end"
    return [*lines, f"if {wrong}: raise __NotApplicable"]


def _reading_decoder(kind: Kind, order: str) -> Callable[[Reader, Mapping[str, Any]], Any] | None:
    """Return what reads a field from the first on that varies in size.

    Where a value breaks a rule it raises one of `NOT_APPLICABLE`, or leaves a mark on the reader.
    """
    if kind.judges or (type(kind) is Int and not kind.checked):
        return kind.decode
    if type(kind) is Optional and not isinstance(kind.inner, Reserved):
        inner, there = _reading_decoder(kind.inner, order), kind.there
        if inner is None:
            return None
        return lambda reader, values: inner(reader, values) if there(reader) else None
    if type(kind) is Array and kind.element.size and not isinstance(kind.count, int):
        size, row = kind.element.size, _value_decoder(kind, order)
        if row is None or not _self_contained(kind.element):
            return None

        def rows(reader: Reader, values: Mapping[str, Any]) -> Any:
            length = size * (kind.number(reader, values) or 0)
            start = reader.advance(length, "")
            return row(bytes(reader.data[start : start + length]))

        return rows
    if kind.size is None or not _self_contained(kind) or isinstance(kind, Switch):
        return None
    length, value = kind.size, _value_decoder(kind, order)
    if value is None:
        return None

    def fixed(reader: Reader, values: Mapping[str, Any]) -> Any:
        start = reader.advance(length, "")
        return value(bytes(reader.data[start : start + length]))

    return fixed
