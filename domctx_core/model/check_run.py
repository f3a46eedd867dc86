"""Runs of records as checks across records see them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from domctx_core.layout.body import Body
from domctx_core.layout.columns.arrays import read_column
from domctx_core.layout.kinds.base import ORDERS, ByteOrder
from domctx_core.model.check import RecordView

__all__ = ["Run"]


@dataclass(frozen=True, eq=False)
class Run:
    """Records of one type that follow on each other, none of which breaks a rule by itself.

    They are alike in length: the header of the first starts at `offset` and each next one `stride`
    bytes further on; `index` is that of the first. `len()` is their number, and `run[n]` the n-th
    as a check sees single records, its body decoded. Cheaper are columns: `instances` and
    `numbers`.
    """

    code: int
    name: str
    index: int
    offset: int
    stride: int
    length: int
    byteorder: ByteOrder
    header_size: int
    instance: slice | None
    instance_order: ByteOrder
    body: type[Body]
    data: bytes

    def __len__(self) -> int:
        return len(self.data) // self.stride

    def __getitem__(self, number: int) -> RecordView:
        if not 0 <= number < len(self):
            raise IndexError(number)
        start = number * self.stride + self.header_size
        body = self.body.inspect(self.data[start : start + self.length], self.byteorder).body
        return self.outline(number, body)

    def __iter__(self) -> Iterator[RecordView]:
        return map(self.__getitem__, range(len(self)))

    def outline(self, number: int, body: Body | None = None) -> RecordView:
        """The n-th record without its body, for a problem that is told later."""
        instance = None if self.instance is None else int(self.instances[number])
        offset = self.offset + number * self.stride
        return RecordView(
            self.index + number, offset, self.code, self.name, instance, self.length, body
        )

    @cached_property
    def instances(self) -> array[Any]:
        """The instance of each record; empty in a format whose records have none."""
        if self.instance is None:
            return array("I")
        size = self.instance.stop - self.instance.start
        return self._column(self.instance.start, size, self.instance_order)

    def numbers(self, offset: int, size: int) -> array[Any]:
        """The unsigned number of `size` bytes (1, 2, 4 or 8) at `offset` of each body."""
        return self._column(self.header_size + offset, size, self.byteorder)

    def _column(self, start: int, size: int, order: ByteOrder) -> array[Any]:
        return read_column(self.data, start, self.stride, len(self), _CODES[size], ORDERS[order])


_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
