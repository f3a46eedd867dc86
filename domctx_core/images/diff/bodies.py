"""Compare two decoded bodies field by field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from domctx_core.images.diff.bytes import bytes_change
from domctx_core.images.diff.changes import Value, ValueChange, Where
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.aggregates import Array
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.layout.kinds.binary import Blob, Text
from domctx_core.layout.kinds.bits import Bits
from domctx_core.layout.spans import FieldSpan, spans, with_unit
from domctx_core.reader.sources import BufferSource
from domctx_core.reader.splice import ByteRange

__all__ = ["Side", "body_changes"]

_ONE_BY_ONE = 64
"""Elements of an array, or fields that one side has alone, that are listed one by one."""


_LONG, _BEFORE = 60, 12
"""Characters of a text that are shown, and how many of them precede the difference."""


@dataclass(frozen=True, slots=True)
class Side:
    """A decoded body of one image: its bytes, and where they lie (None: nowhere)."""

    body: Body
    raw: bytes
    offset: int | None
    byteorder: ByteOrder

    def has(self, span: FieldSpan) -> bool:
        """Return whether any byte of a field is there: a body may be shorter than what it decodes to."""
        return span.size > 0 and span.offset < len(self.raw)

    def input_offset(self, offset: int, size: int) -> int | None:
        """Return the offset in the input of `size` bytes of the body; None if none of them is there."""
        if self.offset is None or offset + min(size, 1) > len(self.raw):
            return None
        return self.offset + offset

    def stretch(self, start: int, end: int) -> bytes:
        """Return some bytes of the body; zeros for those that a short one lacks, as decoding has it."""
        return self.raw[start:end].ljust(end - start, b"\0")

    def slice(self, span: FieldSpan) -> bytes:
        """Return the bytes of one field."""
        return self.stretch(span.offset, span.end)


def body_changes(where: Where, a: Side, b: Side) -> Iterator[ValueChange]:
    """Yield the fields that differ, then those that A or B has alone, and bytes outside all fields.

    Bodies of different classes are compared by the names of their fields.
    """
    left = {span.path: span for span in spans(a.body)}
    right = {span.path: span for span in spans(b.body)}
    alike = type(a.body) is type(b.body) and a.byteorder == b.byteorder
    for path, span in left.items():
        other = right.get(path)
        if other is None or not (a.has(span) or b.has(other)):
            continue
        if not (alike and a.slice(span) == b.slice(other)):
            yield from _field(where, a, span, b, other, alike)
    for run in _runs(span for path, span in left.items() if path not in right):
        yield from _alone(where, a, run, in_b=False)
    for run in _runs(span for path, span in right.items() if path not in left):
        yield from _alone(where, b, run, in_b=True)
    if type(a.body) is type(b.body):
        yield from _rest(where, a, left, b, right)


def _field(
    where: Where, a: Side, x: FieldSpan, b: Side, y: FieldSpan, alike: bool
) -> Iterator[ValueChange]:
    volatile = x.volatile or y.volatile
    if x.reserved and y.reserved and not (a.slice(x) + b.slice(y)).strip(b"\0"):
        return
    if isinstance(x.kind, Array) and isinstance(y.kind, Array):
        elements = list(_elements(where, a, x, b, y, volatile))
        if 0 < len(elements) <= _ONE_BY_ONE:
            yield from elements
            return
        if not elements and not alike:
            return
    elif isinstance(x.value, Bits) and isinstance(y.value, Bits):
        change = _bits(where, a, x, b, y, volatile)
        if change is not None:
            yield change
            return
    elif not (x.reserved or y.reserved or (isinstance(x.kind, Blob) and not _is_text(x, y))):
        if x.value != y.value or (type(x.value) is not type(y.value) and not _numbers(x, y)):
            old, new = _value(a, x), _value(b, y)
            if _is_text(x, y):
                old, new = _excerpts(old, new)
            yield ValueChange(where, x.path, old, new, volatile)
            return
        if not alike:
            return
    change = bytes_change(
        where, x.path, _bytes(a, x.offset, x.end), _bytes(b, y.offset, y.end), volatile
    )
    if change is not None:
        yield _placed(change, a, x.offset, b, y.offset)


def _is_text(x: FieldSpan, y: FieldSpan) -> bool:
    return isinstance(x.kind, Text) and isinstance(y.kind, Text)


def _excerpts(a: Value, b: Value) -> tuple[Value, Value]:
    """Cut two texts so that they start shortly before their first difference."""
    pairs = enumerate(zip(a.json, b.json, strict=False))
    first = next((index for index, (x, y) in pairs if x != y), min(len(a.json), len(b.json)))
    start = first - _BEFORE if max(len(a.json), len(b.json)) > _LONG and first > _BEFORE else 0

    def shown(value: Value) -> Value:
        piece = value.json[start : start + _LONG]
        end = " ..." if start + _LONG < len(value.json) else ""
        return replace(value, text=f"{'... ' if start else ''}{piece!r}{end}")

    return shown(a), shown(b)


def _numbers(x: FieldSpan, y: FieldSpan) -> bool:
    return isinstance(x.value, int) and isinstance(y.value, int)


def _elements(
    where: Where, a: Side, x: FieldSpan, b: Side, y: FieldSpan, volatile: bool
) -> Iterator[ValueChange]:
    """Yield the elements of two arrays that differ, at most one more than are listed one by one."""
    count = 0
    for index, (old, new) in enumerate(zip_longest(x.value, y.value)):
        if old == new:
            continue
        yield ValueChange(
            where,
            f"{x.path}[{index}]",
            None if old is None else _element(a, x, index, old),
            None if new is None else _element(b, y, index, new),
            volatile,
        )
        count += 1
        if count > _ONE_BY_ONE:
            return


def _element(side: Side, span: FieldSpan, index: int, item: Any) -> Value:
    assert isinstance(span.kind, Array)
    element = span.kind.element
    size = element.size or 0
    offset = side.input_offset(span.offset + index * size, size)
    return Value(element.to_json(item), with_unit(element.text(item), item, span.unit), offset)


def _bits(
    where: Where, a: Side, x: FieldSpan, b: Side, y: FieldSpan, volatile: bool
) -> ValueChange | None:
    old, new = x.value.to_int(), y.value.to_int()
    size = max(x.value.size, y.value.size)
    if old == new:
        return None
    return ValueChange(
        where,
        x.path,
        _value(a, x),
        _value(b, y),
        volatile,
        set=Bits.from_int(size, new & ~old),
        cleared=Bits.from_int(size, old & ~new),
    )


def _runs(fields: Iterable[FieldSpan]) -> Iterator[list[FieldSpan]]:
    """Group adjacent fields."""
    run: list[FieldSpan] = []
    for span in fields:
        if run and run[-1].end != span.offset:
            yield run
            run = []
        run.append(span)
    if run:
        yield run


def _alone(
    where: Where, side: Side, fields: Sequence[FieldSpan], *, in_b: bool
) -> Iterator[ValueChange]:
    """Yield fields that one side has alone: one by one, or as one range if they are many."""
    shown = [
        span
        for span in fields
        if side.has(span) and (not span.reserved or side.slice(span).strip(b"\0"))
    ]
    if not shown:
        return
    if len(shown) <= _ONE_BY_ONE:
        for span in shown:
            value = _value(side, span)
            yield ValueChange(
                where, span.path, None if in_b else value, value if in_b else None, span.volatile
            )
        return
    start, end = shown[0].offset, shown[-1].end
    there = _bytes(side, start, end)
    name = f"{shown[0].path} to {shown[-1].path}"
    change = bytes_change(where, name, None if in_b else there, there if in_b else None)
    if change is not None:
        yield _placed(change, side, start, side, start)


def _rest(
    where: Where,
    a: Side,
    left: dict[str, FieldSpan],
    b: Side,
    right: dict[str, FieldSpan],
) -> Iterator[ValueChange]:
    """Compare the bytes after the last field, if there are any."""
    in_a = max((span.end for span in left.values()), default=0)
    in_b = max((span.end for span in right.values()), default=0)
    if a.raw[in_a:] == b.raw[in_b:]:
        return
    change = bytes_change(where, None, _bytes(a, in_a, len(a.raw)), _bytes(b, in_b, len(b.raw)))
    if change is not None:
        yield _placed(change, a, in_a, b, in_b)


def _bytes(side: Side, start: int, end: int) -> tuple[BufferSource, ByteRange]:
    raw = side.stretch(start, end)
    return BufferSource(raw), ByteRange(0, len(raw))


def _placed(change: ValueChange, a: Side, start_a: int, b: Side, start_b: int) -> ValueChange:
    """Move a change of bytes that were compared by themselves to their place in the inputs."""
    return ValueChange(
        change.where,
        change.field,
        _moved(change.a, a, start_a),
        _moved(change.b, b, start_b),
        change.volatile,
        first=change.first,
        count=change.count,
    )


def _moved(value: Value | None, side: Side, start: int) -> Value | None:
    if value is None or value.offset is None:
        return value
    size = len(value.json) // 2
    return Value(value.json, value.text, side.input_offset(start + value.offset, size))


def _value(side: Side, span: FieldSpan) -> Value:
    if span.reserved and span.value is None:
        raw = side.slice(span)
        return Value(raw.hex(), raw.hex(" "), side.input_offset(span.offset, span.size))
    return Value(
        span.kind.to_json(span.value), span.text, side.input_offset(span.offset, span.size)
    )
