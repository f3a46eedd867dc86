"""`Columns`: a run of records of one type, field by field instead of record by record."""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, Self, TypeVar, overload

from domctx_core.base.errors import BodyError
from domctx_core.layout.body import Body
from domctx_core.layout.columns.arrays import (
    NATIVE,
    fill_bytes,
    is_ascending,
    to_array,
    write_column,
)
from domctx_core.layout.columns.fixed_layout import FixedLayout, Frame
from domctx_core.layout.columns.record_table import RecordTable
from domctx_core.layout.kinds.base import ORDERS, ByteOrder, JsonError

__all__ = ["Columns"]

B = TypeVar("B", bound=Body)

_PIECE = 1024
"""Bodies that an iteration makes at a time."""


class Columns(RecordTable[B], Sequence[B]):
    """A run of records of one type: their instances, and a column for each field of their bodies.

    As a sequence it has bodies, each a new object; a slice is a shorter run. Columns of integers
    are arrays, with enumerations and flags as numbers; those of anything else are lists. Change
    none of them in place: `replace` gives a run with other columns.

    A run keeps the bytes that it was made of, so that a column costs nothing until it is used.
    """

    #: Whether all bodies are known to be valid, and all bytes that are no field's to be zero; what
    #: the records are but for instance and body, where that is known.
    _proved = False
    _tidy = False
    _template = b""

    def __init__(
        self,
        body: type[B],
        instances: Iterable[int],
        columns: Mapping[str, Iterable[Any]] | None = None,
    ) -> None:
        """Make a run of columns, each as long as `instances`; a field with a default may be absent.

        Raises `BodyError` for a column that is missing, unknown, of another length, or with a value
        that does not fit its field, and for a body class whose size is not fixed.
        """
        layout = FixedLayout(body)
        numbers = to_array("I", instances, "the instances")
        given, count = dict(columns or {}), len(numbers)
        values = layout.columns({**given, **layout.defaults(given, count)}, count)
        frame, order = Frame(16 + layout.size + -layout.size % 8), layout.order or NATIVE
        out = bytearray(frame.stride * count)
        if count:
            write_column(out, frame.instance, frame.stride, numbers, NATIVE)
            layout.write(out, frame, values, order)
        super().__init__(layout, bytes(out), frame, sys.byteorder)
        self._tidy = True

    @classmethod
    def of_records(
        cls,
        layout: FixedLayout[B],
        raw: bytes,
        frame: Frame,
        byteorder: ByteOrder = "little",
        *,
        proved: bool = False,
    ) -> Self:
        """Return the run whose records, headers and all, are the bytes `raw`.

        `proved` means that they are known to break no rule of the layout.
        """
        run = cls.__new__(cls)
        RecordTable.__init__(run, layout, raw, frame, byteorder)
        run._proved = run._tidy = proved
        return run

    @classmethod
    def of_bodies(cls, body: type[B], bodies: Mapping[int, B]) -> Self:
        """Return the run of given bodies, by instance; raises `BodyError` if one does not fit."""
        names = list(FixedLayout(body).by_name)
        columns = {name: [getattr(value, name) for value in bodies.values()] for name in names}
        return cls(body, bodies, columns)

    @classmethod
    def from_json(cls, body: type[B], values: Mapping[int, Mapping[str, Any]]) -> Self | None:
        """Return the run of what `to_json` of bodies gave, by instance.

        None for anything else: `Body.from_json` of each takes it, or reports what is wrong.
        """
        if "from_json" in body.__layout__.overridden:
            return None
        try:
            columns = FixedLayout(body).columns_from_json(values.values())
            return None if columns is None else cls(body, values, columns)
        except (BodyError, JsonError, KeyError, TypeError, ValueError, OverflowError):
            return None

    @classmethod
    def joined(cls, runs: Sequence[Columns[B]]) -> Columns[B]:
        """Return one run of all the records of several, which must have the same body class."""
        first = runs[0]
        if len(runs) == 1:
            return first
        if any((run.frame, run.byteorder) != (first.frame, first.byteorder) for run in runs):
            names = list(first.layout.by_name)
            return cls(
                first.body,
                [number for run in runs for number in run.instances],
                {name: [value for run in runs for value in run.column(name)] for name in names},
            )
        joined = first._like(
            b"".join(run.raw for run in runs),
            proved=all(run._proved for run in runs),
            tidy=all(run._tidy for run in runs),
        )
        if any(run._template != first._template for run in runs):
            joined._template = b""
        return joined

    def _like(self, raw: bytes, *, proved: bool, tidy: bool) -> Self:
        """Return a run of other records that are as those of this one."""
        run = self.of_records(self.layout, raw, self.frame, self.byteorder, proved=proved)
        run._tidy, run._template = tidy, self._template
        return run

    # --------------------------------------------------------------------------------- columns

    @cached_property
    def instances(self) -> array[int]:
        """Return the instances, in the order of the records."""
        return self._numbers("I", self.frame.instance, ORDERS[self.byteorder])

    def replace(self, columns: Mapping[str, Iterable[Any]]) -> Columns[B]:
        """Return the same run with some columns changed; raises `BodyError` as for a new run."""
        out = bytearray(self.raw)
        values = self.layout.columns(columns, self._count)
        if self._count:
            self.layout.write(out, self.frame, values, self._order)
        return self._like(bytes(out), proved=False, tidy=self._tidy)

    def index(self, value: Any, start: int = 0, stop: int = sys.maxsize) -> int:
        """Return where a body that equals `value` is first; raises `ValueError` if none does."""
        return list(self).index(value, start, stop)

    def place_of(self, instance: int) -> int | None:
        """Return where in the run the record of an instance is; None if there is none."""
        if not self._count:
            return None
        if self.consecutive:
            place = instance - self.instances[0]
            return place if 0 <= place < self._count else None
        return self._places.get(instance)

    @cached_property
    def _places(self) -> dict[int, int]:
        return dict(zip(self.instances, range(self._count), strict=True))

    @cached_property
    def consecutive(self) -> bool:
        """Return True if each instance is one more than the one before."""
        numbers = self.instances
        return not numbers or (numbers[-1] - numbers[0] == self._count - 1 and self.ascending)

    @cached_property
    def ascending(self) -> bool:
        """Return True if each instance is higher than the one before."""
        return is_ascending(self.instances)

    @property
    def stretch(self) -> range | array[int]:
        """Return the instances, as a range where they are consecutive."""
        if self.consecutive and self._count:
            return range(self.instances[0], self.instances[-1] + 1)
        return self.instances

    @property
    def sound(self) -> bool:
        """Return True if all bodies are known to be valid; False means: ask their own `problems`.

        It is False also where only the `check` of a class could tell.
        """
        self._proved = self._proved or self._keeps_rules()
        self._tidy |= self._proved
        return self._proved

    def _keeps_rules(self) -> bool:
        pattern = self.layout.pattern(self.byteorder)
        if pattern is None:
            return False
        before, after = self.frame.body, self.frame.stride - self.frame.body - self.layout.size
        whole = b"(?:.{%d}%s.{%d})*+" % (before, pattern, after)
        return re.compile(whole, re.DOTALL).fullmatch(self.raw) is not None

    # ---------------------------------------------------------------------------------- bodies

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> B: ...

    @overload
    def __getitem__(self, index: slice) -> Columns[B]: ...

    def __getitem__(self, index: int | slice) -> B | Columns[B]:
        stride = self.frame.stride
        if isinstance(index, int):
            if not -self._count <= index < self._count:
                raise IndexError("the run has no such record")
            offset = index % self._count * stride + self.frame.body
            raw = self.raw[offset : offset + self.layout.size]
            body = self.body.inspect(raw, self.byteorder).body
            assert body is not None  # nothing of fixed size can be missing
            return body
        start, stop, step = index.indices(self._count)
        if step == 1:
            raw = self.raw[start * stride : stop * stride]
        else:
            numbers = range(start, stop, step)
            raw = b"".join(self.raw[n * stride : (n + 1) * stride] for n in numbers)
        return self._like(raw, proved=self._proved, tidy=self._tidy)

    def __iter__(self) -> Iterator[B]:
        pieces = (self[start : start + _PIECE] for start in range(0, self._count, _PIECE))
        return chain.from_iterable(piece.bodies() for piece in pieces)

    def items(self) -> Iterator[tuple[int, B]]:
        """Return the records as (instance, body)."""
        return zip(self.instances, self, strict=True)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Columns) or other.body is not self.body:
            return NotImplemented
        if self.instances != other.instances:
            return False
        return all(self.column(name) == other.column(name) for name in self.layout.by_name)

    __hash__ = None  # type: ignore[assignment]  # as its bodies

    def __repr__(self) -> str:
        return f"<run of {self._count} {self.body.__name__}>"

    # ----------------------------------------------------------------------------------- bytes

    def records(self, template: bytes, frame: Frame, byteorder: ByteOrder) -> bytes | bytearray:
        """Return the run as the records of an image.

        `template` is one record, its header filled in but for the instance, its body zero. Values
        are written as they are: check `sound` first.
        """
        if not self._count:
            return bytearray()
        order = self.layout.order or ORDERS[byteorder]
        if frame == self.frame and byteorder == self.byteorder and (self._tidy or self.sound):
            if template == self._template:
                return self.raw
            out = bytearray(self.raw)
            fill_bytes(out, frame.stride, template, 0, frame.instance)
            fill_bytes(out, frame.stride, template, frame.instance + 4, frame.body)
            fill_bytes(out, frame.stride, template, frame.body + self.layout.size, frame.stride)
            return out
        out = bytearray(template) * self._count
        write_column(out, frame.instance, frame.stride, self.instances, ORDERS[byteorder])
        if order == self._order and (self._tidy or self.sound):
            self._copy_bodies(out, frame)
        else:
            columns = {name: self.column(name) for name in self.layout.by_name}
            self.layout.write(out, frame, columns, order)
        return out

    def _copy_bodies(self, out: bytearray, frame: Frame) -> None:
        """Copy the bytes of all bodies into records, 8 bytes of each at a time."""
        offset, size = 0, self.layout.size
        for code, width in (("Q", 8), ("I", 4), ("H", 2), ("B", 1)):
            while size - offset >= width:
                column = self._numbers(code, self.frame.body + offset, NATIVE)
                write_column(out, frame.body + offset, frame.stride, column, NATIVE)
                offset += width

    def known_as(self, template: bytes) -> None:
        """Declare that each record is `template` but for its instance and its body.

        Both are zero in the template. `records` need not write these headers again.
        """
        self._template = template
