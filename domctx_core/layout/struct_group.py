"""`StructGroup`: neighbouring fields of fixed size that one call of `struct` reads and writes."""

from __future__ import annotations

import struct
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Any

from domctx_core.layout.kinds.base import ORDERS, Kind, Reader
from domctx_core.layout.kinds.binary import Blob, Reserved
from domctx_core.layout.kinds.scalars import Count, Int

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domctx_core.layout.field import Field

__all__ = ["StructGroup", "grouped"]


class StructGroup:
    """Neighbouring fields that one call of `struct` reads and writes.

    What a number of it may still break is prepared here by its index in the row of numbers, so that
    a valid body costs one look at each field that has a rule.
    """

    def __init__(self, fields: Iterable[Field]) -> None:
        self.fields = list(fields)
        self.names = [field.name for field in self.fields]
        sizes = [field.kind.size or 0 for field in self.fields]
        self.offsets = [0, *accumulate(sizes)][:-1]
        self.size = sum(sizes)
        codes = "".join(
            field.kind.code if isinstance(field.kind, Int) else f"{field.kind.size}s"
            for field in self.fields
        )
        # A byte order in front turns off the alignment of `struct`: fields follow without gaps.
        self.structs = {prefix: struct.Struct(prefix + codes) for prefix in ORDERS.values()}
        self._reserved: list[tuple[int, Reserved, Field]] = []
        self._named: list[tuple[int, Int, str]] = []
        self._ranges: list[tuple[int, int, int, Field]] = []
        for index, field in enumerate(self.fields):
            kind = field.kind
            if isinstance(kind, Reserved):
                self._reserved.append((index, kind, field))
            elif isinstance(kind, Int) and kind.enum is not None:
                self._named.append((index, kind, field.name))
            elif isinstance(kind, Int) and kind.checked:
                self._ranges.append((index, *kind.bounds, field))

    def decode(self, reader: Reader, values: dict[str, Any]) -> None:
        """Read the values of all fields; raises `BodyError` for the first that is cut off."""
        start = reader.pos
        if self.size > reader.end - start:
            for field, offset in zip(self.fields, self.offsets, strict=True):
                if offset + (field.kind.size or 0) > reader.end - start:
                    reader.pos += offset
                    raise reader.short(field.kind.size or 0, field.name)
        row = self.structs[reader.order].unpack_from(reader.data, start)
        reader.pos = start + self.size
        values.update(zip(self.names, row, strict=True))
        for index, reserved, field in self._reserved:
            if row[index].strip(b"\0"):
                reserved.inspect(row[index], start + self.offsets[index], reader, field.name)
        for index, integer, name in self._named:
            number = row[index]
            values[name] = integer.wrap(number)
            if number not in integer.values:
                reader.suspect = True
        for index, low, high, field in self._ranges:
            if not low <= row[index] <= high:
                reader.suspect = True
                if isinstance(field.kind, Count):
                    offset = start + self.offsets[index]
                    field.kind.inspect(row[index], offset, reader, field.name)

    def encode(self, body: Any, out: bytearray, order: str) -> None:
        """Append the values of all fields; those that do not fit raise what `struct` raises."""
        row = [
            b"" if isinstance(field.kind, Reserved) else getattr(body, field.name)
            for field in self.fields
        ]
        out += self.structs[order].pack(*row)


def grouped(fields: Iterable[Field]) -> list[StructGroup | Field]:
    """Return the fields in order, neighbours that can be in one group as a group."""
    parts: list[StructGroup | Field] = []
    for groupable, group in groupby(fields, lambda field: _groupable(field.kind)):
        neighbours = list(group)
        parts += [StructGroup(neighbours)] if groupable else neighbours
    return parts


def _groupable(kind: Kind) -> bool:
    return isinstance(kind, (Int, Reserved)) or (type(kind) is Blob and kind.size is not None)
