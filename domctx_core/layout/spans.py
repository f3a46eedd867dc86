"""`spans`: the innermost fields of a body with their offsets, sizes and values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from domctx_core.layout.body import Body
from domctx_core.layout.field import Field
from domctx_core.layout.kinds.aggregates import Array, Nested
from domctx_core.layout.kinds.base import Kind
from domctx_core.layout.kinds.binary import Blob, Reserved
from domctx_core.layout.kinds.variants import BySize, Optional, Switch

__all__ = ["FieldSpan", "spans", "with_unit"]

_ROW = 8
"""Elements of an array that `text` has before the rest is only counted."""


class FieldSpan(NamedTuple):
    """One field that has no fields inside, and its bytes in the body.

    `path` is as in findings (`vcpus[0].time.version`), `offset` counts from the start of the body,
    `size` is in bytes (0: an optional field that is absent). `field` is the declared field that the
    value is in, with its doc and unit; `kind` is how the value is laid out. `value` is None for
    reserved bytes and for what a union does not use. `repeats` is how many equal elements of an
    array the span stands for; the fields of the first of them came before, under its own path.
    `volatile` means that the field, or one that it is in, changes by itself.
    """

    path: str
    offset: int
    size: int
    kind: Kind
    field: Field
    value: Any
    repeats: int = 0
    volatile: bool = False

    @property
    def end(self) -> int:
        """Return the offset after the last byte, from the start of the body."""
        return self.offset + self.size

    @property
    def doc(self) -> str:
        """Return what the field means."""
        return self.field.doc

    @property
    def unit(self) -> str:
        """Return the unit of the value; empty where it has none."""
        return self.field.unit

    @property
    def reserved(self) -> bool:
        """Return True if the bytes have no meaning and are zero in a valid image."""
        return isinstance(self.kind, Reserved)

    @property
    def text(self) -> str:
        """Return the value on one line for people, with its unit; empty for reserved bytes."""
        kind, value = self.kind, self.value
        if self.repeats:
            return f"the same {self.repeats} more times"
        if isinstance(kind, Optional):
            return kind.text(value)
        if isinstance(kind, Switch):
            return "nothing" if value is None else Blob(self.size).text(value)
        if self.reserved:
            return ""
        if isinstance(kind, Array) and len(value) > _ROW:
            head = ", ".join(kind.element.text(item) for item in value[:_ROW])
            return f"{head}, ... ({len(value)} in all)"
        return with_unit(kind.text(value), value, self.unit)


def spans(body: Body, *, fold: bool = False) -> Iterator[FieldSpan]:
    """Yield the innermost fields of a body in the order of its bytes, without a gap between them.

    An array of numbers is one span. With `fold`, elements of an array of bodies that equal
    the one before them are one span together, so that 32 equal vCPUs are shown once.
    """
    yield from _body(body, "", 0, fold)


def with_unit(text: str, value: Any, unit: str) -> str:
    """Return a value's text with its unit; nanoseconds are written as seconds."""
    if unit == "ns" and isinstance(value, int):
        return f"{value // 10**9}.{value % 10**9:09d} s"
    return f"{text} {unit}" if unit else text


def _body(body: Body, prefix: str, offset: int, fold: bool) -> Iterator[FieldSpan]:
    for field in type(body).__layout__.fields:
        kind = field.kind
        value = None if isinstance(kind, Reserved) else getattr(body, field.name)
        inside = _value(kind, value, prefix + field.name, offset, field, fold)
        if field.volatile:
            inside = (span._replace(volatile=True) for span in inside)
        yield from inside
        offset += kind.length_of(value)


def _value(
    kind: Kind, value: Any, path: str, offset: int, field: Field, fold: bool
) -> Iterator[FieldSpan]:
    if isinstance(kind, Optional) and kind.present(value) and not isinstance(kind.inner, Reserved):
        kind = kind.inner
    if isinstance(kind, Array) and isinstance(kind.element, (Nested, BySize, Switch, Array)):
        yield from _elements(kind.element, value, path, offset, field, fold)
    elif isinstance(value, Body):
        yield from _body(value, f"{path}.", offset, fold)
        if isinstance(kind, Switch):
            used = value.size()
            if used < kind.size:
                rest = Reserved(kind.size - used)
                yield FieldSpan(f"{path}.unused", offset + used, rest.size, rest, field, None)
    else:
        yield FieldSpan(path, offset, kind.length_of(value), kind, field, value)


def _elements(
    kind: Kind, items: Sequence[Any], path: str, offset: int, field: Field, fold: bool
) -> Iterator[FieldSpan]:
    index = 0
    while index < len(items):
        size = kind.length_of(items[index])
        yield from _value(kind, items[index], f"{path}[{index}]", offset, field, fold)
        offset += size
        first = index = index + 1
        while fold and index < len(items) and items[index] == items[first - 1]:
            index += 1
        if index > first:
            count = index - first
            name = f"{path}[{first}]" if count == 1 else f"{path}[{first}-{index - 1}]"
            yield FieldSpan(name, offset, count * size, kind, field, items[first], count)
            offset += count * size
