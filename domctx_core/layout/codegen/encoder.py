"""Encoders of one body class: the bytes of a valid body of fixed size, in one call of `struct`."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from domctx_core.layout.codegen.source import NotApplicable, compile_function, emit_check
from domctx_core.layout.kinds.aggregates import Array, Nested
from domctx_core.layout.kinds.base import BYTE_ORDERS, Checker, Kind
from domctx_core.layout.kinds.binary import Blob, Reserved
from domctx_core.layout.kinds.scalars import Int
from domctx_core.layout.kinds.variants import Switch
from domctx_core.layout.protocol import CompiledLayout

__all__ = ["Encode", "encoder"]

Encode = Callable[..., bytes]
"""Makes the bytes of a valid body, or raises one of `NOT_APPLICABLE`."""


def encoder(
    layout: CompiledLayout,
    order: str,
    *,
    strict: bool = False,
    head: str = "",
    values: Sequence[int | None] = (),
    tail: int = 0,
) -> Encode:
    """Return the function that encodes valid bodies of one layout, whose size is fixed.

    `strict` also checks the fields that `to_bytes` leaves to `struct`. `head` are struct codes of
    what precedes the body, with these `values`; in place of None goes the second argument of the
    call. `tail` zeros follow the body.
    """
    order = layout.order or order
    space: dict[str, Any] = {"__type": type, "__int": int, "__NotApplicable": NotApplicable}
    codes, row, lines = head, ["__number" if v is None else str(v) for v in values], []
    for index, field in enumerate(layout.fields):
        kind, name = field.kind, field.name
        if isinstance(kind, Reserved):
            codes += f"{kind.size}x"
            continue
        codes += kind.code if isinstance(kind, Int) else f"{kind.size}s"
        row.append(name)
        if isinstance(kind, Int):
            lines += _number_lines(index, name, kind, strict, space)
        else:
            key = f", {kind.selector}" if isinstance(kind, Switch) else ""
            space[f"__value{index}"] = _value_encoder(kind, order, strict)
            lines.append(f"{name} = __value{index}(__body.{name}{key})")
    lines += emit_check(layout, space, "__body")
    lines.append(f"return __struct({', '.join(row)})")
    space["__struct"] = struct.Struct(f"{order}{codes}{tail}x").pack
    number = ", __number" if None in values else ""
    title = f"{'strict ' * strict}encoder of {layout.body.__name__}, {BYTE_ORDERS[order]}"
    return compile_function(title, f"__encode(__body{number})", lines, space)


def _number_lines(
    index: int, name: str, kind: Int, strict: bool, space: dict[str, Any]
) -> list[str]:
    """Return the lines that take an integer from the body and check it."""
    lines, wrong = [f"{name} = __body.{name}"], ""
    if kind.enum is not None:
        space[f"__enum{index}"], space[f"__known{index}"] = kind.enum, kind.values
        wrong = (
            f"__type({name}) is not __int and __type({name}) is not __enum{index}"
            f" or {name} not in __known{index}"
        )
        if kind.flags:
            space[f"__fits{index}"] = partial(_flags_fit, kind)
            wrong += f" and not __fits{index}({name})"
    elif kind.checked or strict:
        low, high = kind.bounds
        wrong = f"__type({name}) is not __int or not {low} <= {name} <= {high}"
    if wrong:
        lines.append(f"if {wrong}: raise __NotApplicable")
    return lines


def _flags_fit(kind: Int, value: int) -> bool:
    """Return True if all flags are known; `kind.values` has their combination from then on."""
    kind.wrap(int(value))
    return not int(value) & ~kind.known


def _value_encoder(kind: Kind, order: str, strict: bool) -> Encode:
    """Return what encodes a value that is no integer; that of a union also takes its selector."""
    size = kind.size
    if isinstance(kind, Switch):
        return _union_encoder(kind, order, strict)
    if type(kind) is Nested:
        return _body_encoder(kind.body, kind.layout, order, strict)
    if type(kind) is Blob:

        def blob(value: Any) -> bytes:
            if type(value) is not bytes or len(value) != size:
                raise NotApplicable
            return value

        return blob
    if type(kind) is Array and type(kind.element) is Int and not kind.element.checked:
        pack = struct.Struct(f"{order}{kind.count}{kind.element.code}").pack

        def numbers(value: Any) -> bytes:
            if type(value) is not list or not {int}.issuperset(map(type, value)):
                raise NotApplicable
            return pack(*value)

        return numbers
    if type(kind) is Array and type(kind.element) is Nested:
        element, length = _value_encoder(kind.element, order, strict), kind.count

        def bodies(value: Any) -> bytes:
            if type(value) is not list or len(value) != length:
                raise NotApplicable
            return b"".join(map(element, value))

        return bodies

    def other(value: Any) -> bytes:
        checker, out = Checker(thorough=strict), bytearray()
        checker.path.append("")
        kind.check(value, checker, {})
        if checker.problems:
            raise NotApplicable
        kind.encode(value, out, order)
        return bytes(out)

    return other


def _body_encoder(body: type, layout: CompiledLayout, order: str, strict: bool) -> Encode:
    encode = encoder(layout, order, strict=strict)

    def nested(value: Any) -> bytes:
        if type(value) is not body:
            raise NotApplicable
        return encode(value)

    return nested


def _union_encoder(kind: Switch, order: str, strict: bool) -> Encode:
    size = kind.size
    encoders = {
        key: None if body is None else _body_encoder(body, body.__layout__, order, strict)
        for key, body in kind.cases.items()
    }

    def union(value: Any, key: int) -> bytes:
        if key not in encoders:
            if type(value) is not bytes or len(value) != size:
                raise NotApplicable
            return value
        encode = encoders[key]
        if encode is not None:
            return encode(value)  # `struct` adds the zeros after a shorter case
        if value is not None:
            raise NotApplicable
        return b""

    return union
