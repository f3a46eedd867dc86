"""`RecordTable`: records of one type that follow each other, read field by field.

A body of fixed size has each field at a fixed place, so that the next value of a field is always
the same number of bytes further on: a column is copied out of the records in one call, and one that
is not used is never made.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, Generic, TypeVar

from domctx_core.layout.body import Body
from domctx_core.layout.columns.arrays import read_column
from domctx_core.layout.columns.fixed_layout import FieldSlot, FixedLayout, Frame
from domctx_core.layout.kinds.base import BYTE_ORDERS, ORDERS, ByteOrder, Reader
from domctx_core.layout.kinds.binary import Blob
from domctx_core.layout.kinds.scalars import Int
from domctx_core.layout.kinds.variants import Switch

__all__ = ["RecordTable"]

B = TypeVar("B", bound=Body)


class RecordTable(Generic[B]):
    """The records that the bytes `raw` are, headers and all; `frame` has what is where in them."""

    def __init__(
        self, layout: FixedLayout[B], raw: bytes, frame: Frame, byteorder: ByteOrder
    ) -> None:
        self.layout = layout
        self.body: type[B] = layout.body
        self.byteorder: ByteOrder = byteorder
        self.raw = raw
        self.frame = frame
        self._count = len(raw) // frame.stride
        self._order = layout.order or ORDERS[byteorder]
        self._arrays: dict[str, array[int]] = {}

    def column(self, name: str) -> Sequence[Any]:
        """Return a field's value in each record; raises `BodyError` where there is no such field.

        An array for an integer, else a new list. An integer in a nested body or in a case of a union
        has a name such as `binding.port`; of use is that only in the records of that case.
        """
        slot = self.layout.inner_slot(name) if "." in name else self.layout.slot(name)
        if slot.code is None:
            return list(self._values(slot))
        column = self._arrays.get(name)
        if column is None:
            offset = self.frame.body + slot.offset
            order = slot.order or self._order
            column = self._arrays[name] = self._numbers(slot.code, offset, order)
        return column

    def bodies(self) -> list[B]:
        """Return all bodies at once, which is faster than one by one."""
        return self.layout.make(self._rows())

    def to_json(self) -> list[dict[str, Any]]:
        """Return what `Body.to_json` returns for each body, converted field by field."""
        if "to_json" in self.body.__layout__.overridden:
            return [body.to_json() for body in self.bodies()]
        names = list(self.layout.by_name)
        columns = [self._json(slot) for slot in self.layout.slots]
        if not columns:
            return [{} for _ in range(self._count)]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def _numbers(self, code: str, offset: int, order: str) -> array[int]:
        """Return the numbers that begin `offset` bytes from the start of each record."""
        return read_column(self.raw, offset, self.frame.stride, self._count, code, order)

    def _rows(self) -> Iterable[Sequence[Any]]:
        """Return the values of each record as `FixedLayout.make` takes them."""
        frame, layout = self.frame, self.layout
        if layout.flat:
            tail = frame.stride - frame.body - layout.size
            whole = f"{self._order}{frame.body}x{layout.codes}{tail}x"
            return struct.iter_unpack(whole, self.raw)
        if not layout.slots:
            return repeat((), self._count)
        columns = (
            self._values(slot) if slot.code is None else self.column(slot.name)
            for slot in layout.slots
        )
        return zip(*columns, strict=True)

    def _values(self, slot: FieldSlot) -> Iterator[Any]:
        """Yield the values of a field that is no integer, each a new object."""
        kind, size, stride = slot.kind, slot.kind.size or 0, self.frame.stride
        first = self.frame.body + slot.offset
        starts = range(first, first + self._count * stride, stride)
        if type(kind) is Blob:
            yield from (self.raw[start : start + size] for start in starts)
            return
        if isinstance(kind, Switch):
            yield from self._merged(
                (numbers, case.bodies() if isinstance(case, RecordTable) else case)
                for numbers, case in self._cases(slot, kind)
            )
            return
        for start in starts:
            reader = Reader(self.raw[start : start + size], self._order)
            reader.path.append(slot.name)
            yield kind.decode(reader, {})

    def _json(self, slot: FieldSlot) -> Iterable[Any]:
        """Return a field's values as JSON holds them."""
        kind = slot.kind
        if isinstance(kind, Switch):
            return self._merged(
                (
                    numbers,
                    case.to_json()
                    if isinstance(case, RecordTable)
                    else [raw.hex() for raw in case],
                )
                for numbers, case in self._cases(slot, kind)
            )
        if not isinstance(kind, Int):
            return map(kind.to_json, self._values(slot))
        column = self.column(slot.name)
        if kind.enum is None:
            if kind.show == "hex":
                return map(hex, column)
            return map(str, column) if kind.size == 8 else column
        known = {number: kind.to_json(kind.wrap(number)) for number in set(column)}
        if kind.flags:
            return (list(known[number]) for number in column)
        return map(known.__getitem__, column)

    def _merged(self, cases: Iterable[tuple[list[int], Iterable[Any]]]) -> list[Any]:
        """Return the values of a union in the order of the records; None where a case has none."""
        values: list[Any] = [None] * self._count
        for numbers, those in cases:
            for number, value in zip(numbers, those, strict=True):
                values[number] = value
        return values

    def _cases(
        self, slot: FieldSlot, kind: Switch
    ) -> Iterator[tuple[list[int], RecordTable[Any] | list[bytes]]]:
        """Yield the values of a union by case: the numbers of the records that have it, and a table
        of its bodies, or raw bytes where there is no such case. A case without a body is left out.
        """
        by_case: dict[int, list[int]] = {}
        for number, key in enumerate(self.column(kind.selector)):
            by_case.setdefault(key, []).append(number)
        first, stride, size = self.frame.body + slot.offset, self.frame.stride, kind.size
        for key, numbers in by_case.items():
            starts = (first + number * stride for number in numbers)
            raws = [self.raw[start : start + size] for start in starts]
            if key not in kind.cases:
                yield numbers, raws
                continue
            case: Any = kind.cases[key]
            if case is not None:
                layout, frame = FixedLayout(case), Frame(size, 0)
                yield numbers, RecordTable(layout, b"".join(raws), frame, BYTE_ORDERS[self._order])
