"""Converters between the bytes of a body of fixed size and its JSON, without a body in between.

They give what `Layout.to_json` and `from_json` give, or raise one of `NOT_APPLICABLE` and leave the
input to these, which also explain what is wrong.
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from domctx_core.layout.codegen.source import NotApplicable
from domctx_core.layout.kinds.aggregates import Array, Nested
from domctx_core.layout.kinds.base import Kind, parse_integer
from domctx_core.layout.kinds.binary import Blob, Reserved
from domctx_core.layout.kinds.scalars import Int
from domctx_core.layout.kinds.variants import Switch
from domctx_core.layout.protocol import CompiledLayout

__all__ = ["json_decoder", "json_encoder"]

Decode = Callable[[bytes], dict[str, Any]]
Encode = Callable[[Any], bytes]

_Codec = Callable[[CompiledLayout, str, int], Callable[[Any], Any] | None]

_MEMORY = 4096
"""Numbers of one field whose JSON is kept."""


class _Plan(NamedTuple):
    """How the fields of a layout are converted.

    `names` and `converters` are those of the fields that have values, in the order of `struct`;
    `unions` have name, place of the selector, own place, converters by case, and size. `mask` has
    ones where the bytes of a body, as a little-endian number, are reserved.
    """

    struct: struct.Struct
    names: tuple[str, ...]
    converters: list[Callable[[Any], Any]]
    unions: list[tuple[str, int, int, dict[int, Any], int]]
    mask: int


def json_decoder(layout: CompiledLayout, order: str, tail: int = 0) -> Decode | None:
    """Return what makes the JSON of a body's bytes; None where a field has no such converter.

    The bytes are exactly as long as the layout, with `tail` zeros after them. What comes out can be
    encoded to those very bytes.
    """
    plan = _plan(layout, order, tail, _value_decoder, json_decoder)
    if plan is None:
        return None
    packed, names, converters, unions, mask = plan
    unpack, call = packed.unpack, operator.call

    def decode(raw: bytes) -> dict[str, Any]:
        if mask and int.from_bytes(raw, "little") & mask:  # all reserved bytes at once
            raise NotApplicable
        row = unpack(raw)
        values = dict(zip(names, map(call, converters, row), strict=True))
        for name, selector, place, cases, size in unions:
            if row[selector] in cases:
                case = cases[row[selector]]
                if case is not None:
                    values[name] = case(row[place])
                elif row[place] == bytes(size):
                    values[name] = None
                else:
                    raise NotApplicable
        return values

    return decode


def json_encoder(layout: CompiledLayout, order: str, tail: int = 0) -> Encode | None:
    """Return what makes the bytes of what `json_decoder` gives, edited or not; None as there."""
    plan = _plan(layout, order, tail, _value_encoder, json_encoder)
    if plan is None:
        return None
    packed, names, converters, unions, _ = plan
    pack, call = packed.pack, operator.call

    def encode(value: Any) -> bytes:
        if type(value) is not dict or tuple(value) != names:
            raise NotApplicable
        row = list(map(call, converters, value.values()))
        for _, selector, place, cases, size in unions:
            if row[selector] not in cases:
                row[place] = _bytes(row[place], size)
                continue
            case = cases[row[selector]]
            if case is not None:
                row[place] = case(row[place])
            elif row[place] is None:
                row[place] = b""
            else:
                raise NotApplicable
        return pack(*row)

    return encode


def _plan(
    layout: CompiledLayout,
    order: str,
    tail: int,
    convert: Callable[[Kind, str], Callable[[Any], Any] | None],
    codec: _Codec,
) -> _Plan | None:
    """Plan a codec; `convert` makes the converter of a field, `codec` that of a union's case.

    None where there is no such converter, where the size varies, and where methods of the class
    have a say in what a body is in JSON.
    """
    if layout.size is None or {"__init__", "to_json", "from_json"} & layout.overridden:
        return None
    order = layout.order or order
    codes, offset, mask = order, 0, 0
    names: list[str] = []
    converters: list[Callable[[Any], Any]] = []
    unions: list[tuple[str, int, int, dict[int, Any], int]] = []
    for field in layout.fields:
        kind, size = field.kind, field.kind.size or 0
        if isinstance(kind, Reserved):
            codes += f"{size}x"
            mask |= (1 << 8 * size) - 1 << 8 * offset
        else:
            converter = convert(kind, order)
            if converter is None:
                return None
            if isinstance(kind, Switch):
                cases = _cases(kind, order, codec)
                if cases is None:
                    return None
                unions.append((field.name, names.index(kind.selector), len(names), cases, size))
            codes += kind.code if isinstance(kind, Int) else f"{size}s"
            names.append(field.name)
            converters.append(converter)
        offset += size
    mask |= (1 << 8 * tail) - 1 << 8 * offset
    return _Plan(struct.Struct(f"{codes}{tail}x"), tuple(names), converters, unions, mask)


def _cases(kind: Switch, order: str, codec: _Codec) -> dict[int, Any] | None:
    """Return the converter of each case of a union; None where one of them has none."""
    cases: dict[int, Any] = {}
    for key, body in kind.cases.items():
        cases[key] = None
        if body is not None:
            layout = body.__layout__
            cases[key] = codec(layout, order, kind.size - (layout.size or 0))
            if cases[key] is None:
                return None
    return cases


# --------------------------------------------------------------------------------- bytes to JSON


class _Memory(dict[int, Any]):
    """The JSON of numbers, made when a number is first met."""

    def __init__(self, kind: Int) -> None:
        self.kind = kind

    def __missing__(self, number: int) -> Any:
        value = self.kind.to_json(self.kind.wrap(number))
        if len(self) < _MEMORY:
            self[number] = value
        return value


def _value_decoder(kind: Kind, order: str) -> Callable[[Any], Any] | None:
    """Return what makes the JSON of what `struct` unpacks for one field."""
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
        return json_decoder(kind.layout, order)
    if type(kind) is Array and isinstance(kind.count, int) and type(kind.element) is Int:
        element = _value_decoder(kind.element, order)
        if element is None:
            return None
        unpack = struct.Struct(f"{order}{kind.count}{kind.element.code}").unpack
        return lambda raw: list(map(element, unpack(raw)))
    return None


# --------------------------------------------------------------------------------- JSON to bytes


def _value_encoder(kind: Kind, order: str) -> Callable[[Any], Any] | None:
    """Return what makes of a field's JSON what `struct` packs."""
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
        return json_encoder(kind.layout, order)
    if type(kind) is Array and isinstance(kind.count, int) and type(kind.element) is Int:
        element = _value_encoder(kind.element, order)
        if element is None:
            return None
        pack = struct.Struct(f"{order}{kind.count}{kind.element.code}").pack
        return lambda items: pack(*map(element, _list(items)))
    return None


def _number(value: Any) -> int:
    if type(value) is int:
        return value
    raise NotApplicable


def _text_number(value: Any) -> int:
    if type(value) is str:
        return parse_integer(value)
    raise NotApplicable


def _flags(names: Any, numbers: dict[str, int]) -> int:
    total = 0
    for name in _list(names):
        total |= numbers[name]
    return total


def _list(value: Any) -> list[Any]:
    if type(value) is list:
        return value
    raise NotApplicable


def _bytes(text: Any, size: int) -> bytes:
    raw = bytes.fromhex(text)
    if len(raw) != size:
        raise NotApplicable
    return raw
