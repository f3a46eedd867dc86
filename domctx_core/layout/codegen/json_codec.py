"""The quick way between bytes and JSON, for bodies of fixed size, without a body in between.

It gives what `Layout.to_json` and `from_json` give, or steps back: what is unusual in any way is
left to them, who also explain what is wrong. A layout with a field that this module does not know
has no quick way.
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable
from typing import Any

from domctx_core.layout.body import Body, Layout, fields_alone_make
from domctx_core.layout.kinds.aggregates import Array, Nested, Switch
from domctx_core.layout.kinds.base import Kind, parse_integer
from domctx_core.layout.kinds.scalars import Blob, Int, Reserved

__all__ = ["UNUSUAL", "Unusual", "quick_reader", "quick_writer"]


class Unusual(Exception):
    """Only the thorough way can tell what to make of it."""


UNUSUAL = (Unusual, struct.error, LookupError, TypeError, ValueError, AttributeError)
"""What a quick reader or writer raises where it steps back."""

Read = Callable[[bytes], dict[str, Any]]
Write = Callable[[Any], bytes]

_MEMORY = 4096
"""Numbers whose JSON is kept once it was made."""


def quick_reader(layout: Layout, order: str) -> Read | None:
    """Makes the JSON of a body's bytes, which are exactly as long as the layout; None: no way.

    What is given can be written back to those very bytes.
    """
    return _reader(layout, order, 0)


def quick_writer(layout: Layout, order: str) -> Write | None:
    """Makes the bytes of what `quick_reader` gives, edited or not; None: no way."""
    return _writer(layout, order, 0)


def _plain(layout: Layout) -> bool:
    """Whether nothing but the fields decides what a body is in JSON."""
    body = layout.body
    return (
        layout.size is not None
        and fields_alone_make(body)
        and body.to_json is Body.to_json
        and body.from_json.__func__ is Body.from_json.__func__  # type: ignore[attr-defined]
    )


# ---------------------------------------------------------------------------------------- reading


def _reader(layout: Layout, order: str, tail: int) -> Read | None:
    """As `quick_reader`, for bytes that `tail` zeros follow."""
    if not _plain(layout):
        return None
    order = layout.order or order
    codes, at, mask = order, 0, 0
    names: list[str] = []
    ways: list[Callable[[Any], Any]] = []
    unions: list[tuple[str, int, int, dict[int, Read | None], int]] = []
    for field in layout.fields:
        kind, size = field.kind, field.kind.size
        assert size is not None
        if isinstance(kind, Reserved):
            codes += f"{size}x"
            mask |= (1 << 8 * size) - 1 << 8 * at
        else:
            way = _read_value(kind, order)
            if way is None:
                return None
            if isinstance(kind, Switch):
                cases = _read_cases(kind, order)
                if cases is None:
                    return None
                index = names.index(kind.selector)
                unions.append((field.name, index, len(names), cases, size))
            codes += kind.code if isinstance(kind, Int) else f"{size}s"
            names.append(field.name)
            ways.append(way)
        at += size
    mask |= (1 << 8 * tail) - 1 << 8 * at
    unpack = struct.Struct(codes + f"{tail}x").unpack
    call = operator.call

    def read(raw: bytes) -> dict[str, Any]:
        if mask and int.from_bytes(raw, "little") & mask:
            raise Unusual
        row = unpack(raw)
        values = dict(zip(names, map(call, ways, row), strict=True))
        for name, selector, place, cases, size in unions:
            if row[selector] in cases:
                case = cases[row[selector]]
                if case is not None:
                    values[name] = case(row[place])
                elif row[place] == bytes(size):
                    values[name] = None
                else:
                    raise Unusual
        return values

    return read


class _Memory(dict[int, Any]):
    """The JSON of numbers, made when they are first met."""

    def __init__(self, kind: Int) -> None:
        self.kind = kind

    def __missing__(self, number: int) -> Any:
        made = self.kind.to_json(self.kind.wrap(number))
        if len(self) < _MEMORY:
            self[number] = made
        return made


def _read_value(kind: Kind, order: str) -> Callable[[Any], Any] | None:
    """Makes JSON of what `struct` gives for one field."""
    if type(kind) is Int:
        if kind.enum is not None:
            known = _Memory(kind)
            if kind.flags:
                return lambda number: list(known[number])
            return known.__getitem__
        if kind.show == "hex":
            return hex
        return str if kind.size == 8 else int
    if type(kind) is Blob or isinstance(kind, Switch):
        return bytes.hex
    if type(kind) is Nested:
        return _reader(kind.layout, order, 0)
    if type(kind) is Array and isinstance(kind.count, int) and type(kind.element) is Int:
        element = _read_value(kind.element, order)
        if element is None:
            return None
        unpack = struct.Struct(f"{order}{kind.count}{kind.element.code}").unpack
        return lambda raw: list(map(element, unpack(raw)))
    return None


def _read_cases(kind: Switch, order: str) -> dict[int, Read | None] | None:
    cases: dict[int, Read | None] = {}
    for key, body in kind.cases.items():
        cases[key] = None
        if body is not None:
            size = body.__layout__.size or 0
            cases[key] = _reader(body.__layout__, order, kind.size - size)
            if cases[key] is None:
                return None
    return cases


# ---------------------------------------------------------------------------------------- writing


def _writer(layout: Layout, order: str, tail: int) -> Write | None:
    """As `quick_writer`, with `tail` zeros after the bytes."""
    if not _plain(layout):
        return None
    order = layout.order or order
    codes = order
    names: list[str] = []
    ways: list[Callable[[Any], Any]] = []
    unions: list[tuple[int, int, dict[int, Write | None], int]] = []
    for field in layout.fields:
        kind, size = field.kind, field.kind.size
        assert size is not None
        if isinstance(kind, Reserved):
            codes += f"{size}x"
            continue
        way = _write_value(kind, order)
        if way is None:
            return None
        if isinstance(kind, Switch):
            cases = _write_cases(kind, order)
            if cases is None:
                return None
            unions.append((names.index(kind.selector), len(names), cases, size))
        codes += kind.code if isinstance(kind, Int) else f"{size}s"
        names.append(field.name)
        ways.append(way)
    pack = struct.Struct(codes + f"{tail}x").pack
    keys = tuple(names)
    call = operator.call

    def write(value: Any) -> bytes:
        if type(value) is not dict or tuple(value) != keys:
            raise Unusual
        row = list(map(call, ways, value.values()))
        for selector, place, cases, size in unions:
            if row[selector] not in cases:
                row[place] = _bytes(row[place], size)
                continue
            case = cases[row[selector]]
            if case is not None:
                row[place] = case(row[place])
            elif row[place] is None:
                row[place] = b""
            else:
                raise Unusual
        return pack(*row)

    return write


def _write_value(kind: Kind, order: str) -> Callable[[Any], Any] | None:
    """Makes what `struct` takes for one field of its JSON."""
    if type(kind) is Int:
        if kind.enum is not None:
            numbers = {name: int(member.value) for name, member in kind.enum.__members__.items()}
            return (lambda names: _flags(names, numbers)) if kind.flags else numbers.__getitem__
        return _text_number if kind.size == 8 or kind.show == "hex" else _number
    if type(kind) is Blob:
        size = kind.size or 0
        return lambda text: _bytes(text, size)
    if isinstance(kind, Switch):
        return lambda value: value
    if type(kind) is Nested:
        return _writer(kind.layout, order, 0)
    if type(kind) is Array and isinstance(kind.count, int) and type(kind.element) is Int:
        element = _write_value(kind.element, order)
        if element is None:
            return None
        pack = struct.Struct(f"{order}{kind.count}{kind.element.code}").pack
        return lambda items: pack(*map(element, _list(items)))
    return None


def _write_cases(kind: Switch, order: str) -> dict[int, Write | None] | None:
    cases: dict[int, Write | None] = {}
    for key, body in kind.cases.items():
        cases[key] = None
        if body is not None:
            size = body.__layout__.size or 0
            cases[key] = _writer(body.__layout__, order, kind.size - size)
            if cases[key] is None:
                return None
    return cases


def _number(value: Any) -> int:
    if type(value) is int:
        return value
    raise Unusual


def _text_number(value: Any) -> int:
    if type(value) is str:
        return parse_integer(value)
    raise Unusual


def _flags(names: Any, numbers: dict[str, int]) -> int:
    total = 0
    for name in _list(names):
        total |= numbers[name]
    return total


def _list(value: Any) -> list[Any]:
    if type(value) is list:
        return value
    raise Unusual


def _bytes(text: Any, size: int) -> bytes:
    raw = bytes.fromhex(text)
    if len(raw) != size:
        raise Unusual
    return raw
