"""Many records of one type as checks across records see them: as columns."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from domctx_core.layout.body import Body
from domctx_core.layout.columns.fixed_layout import FixedLayout, Frame
from domctx_core.layout.columns.record_table import RecordTable
from domctx_core.layout.kinds.base import ORDERS, ByteOrder
from domctx_core.model.record_view import RecordView

__all__ = ["Run"]


class Run(RecordTable[Any]):
    """Records of one type that follow each other, none of which breaks a rule by itself.

    `code` and `name` are those of the type; the first record is number `index` of its container, and
    its header starts at `offset` of the file. `len()` is their number, `run[n]` the n-th of them as
    a check sees single records, its body decoded. Columns are faster: `instances`, and `column` of
    a field, as in `run.column("flags")`.
    """

    def __init__(
        self,
        layout: FixedLayout[Any],
        raw: bytes,
        frame: Frame,
        byteorder: ByteOrder,
        *,
        code: int,
        name: str,
        index: int,
        offset: int,
        instance: tuple[str, int, ByteOrder] | None,
    ) -> None:
        """Read records from `raw`.

        `instance` has the `struct` code, offset and byte order of the instance in their headers.
        """
        super().__init__(layout, raw, frame, byteorder)
        self.code = code
        self.name = name
        self.index = index
        self.offset = offset
        self._instance = instance

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> RecordView:
        if not 0 <= number < self._count:
            raise IndexError(number)
        start = number * self.frame.stride + self.frame.body
        raw = self.raw[start : start + self.layout.size]
        return self.outline(number, self.body.inspect(raw, self.byteorder).body)

    def __iter__(self) -> Iterator[RecordView]:
        return map(self.__getitem__, range(self._count))

    def outline(self, number: int, body: Body | None = None) -> RecordView:
        """Return the n-th record without its body, for a problem that is reported later."""
        instance = None if self._instance is None else self.instances[number]
        index, offset = self.index + number, self.offset + number * self.frame.stride
        return RecordView(index, offset, self.code, self.name, instance, self.layout.size, body)

    @cached_property
    def instances(self) -> array[int]:
        """Return the instance of each record; none in a format whose records have none."""
        if self._instance is None:
            return array("I")
        code, offset, byteorder = self._instance
        return self._numbers(code, offset, ORDERS[byteorder])
