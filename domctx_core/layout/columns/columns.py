"""`Columns`: a run of records of one type, field by field instead of record by record.

A body of fixed size has each field at a fixed place, so that the next value of a field always lies
the same number of bytes further on. To copy such a column out of a run, or into one, is a single
call that goes at C's speed. A column that nobody asks for is never made.
"""

from __future__ import annotations

import re
import struct
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, repeat
from typing import Any, Generic, NamedTuple, Self, TypeVar, overload

from domctx_core.base.errors import BodyError
from domctx_core.layout.body import Body
from domctx_core.layout.columns.arrays import (
    NATIVE,
    fill_bytes,
    is_ascending,
    read_column,
    to_array,
    write_column,
)
from domctx_core.layout.columns.fixed_layout import Place, RowLayout
from domctx_core.layout.field import REQUIRED
from domctx_core.layout.kinds.aggregates import Switch
from domctx_core.layout.kinds.base import ORDERS, ByteOrder, JsonError, Reader
from domctx_core.layout.kinds.scalars import Blob, Int, Text

__all__ = ["Columns", "Frame"]

B = TypeVar("B", bound=Body)

_PIECE = 1024
"""Bodies that an iteration makes at a time."""


class Frame(NamedTuple):
    """How each record of a run lies in its `stride` bytes: where its body and its instance are.

    The instance is an unsigned 32-bit number. Offsets count from the start of the record.
    """

    stride: int
    body: int = 16
    instance: int = 4


class Columns(Sequence[B], Generic[B]):
    """A run of records of one type: their instances, and a column for each field of their bodies.

    As a sequence it gives bodies, each made anew; a slice is a shorter run. The columns of integers
    are arrays, with enumerations and flags as numbers; those of anything else are lists. Change
    none of them in place: `replace` gives a run with other columns.

    A run keeps the bytes that it was made of, so that what nobody asks for costs nothing.
    """

    def __init__(
        self,
        body: type[B],
        instances: Iterable[int],
        columns: Mapping[str, Iterable[Any]] | None = None,
    ) -> None:
        """A run made of columns, each as long as `instances`; a field with a default may be absent.

        Raises `BodyError` for a column that is missing, unknown, of another length, or with a value
        that does not fit its field, and for a body class whose size is not fixed.
        """
        layout = RowLayout(body)
        numbers = to_array("I", instances, "the instances")
        given = dict(columns or {})
        for place in layout.places:
            if place.name not in given:
                initial = [body.__layout__.by_name[place.name].initial()]
                if initial[0] is REQUIRED:
                    raise BodyError(f"{body.__name__} needs a column `{place.name}`")
                given[place.name] = initial * len(numbers)
        stride = 16 + layout.size + -layout.size % 8
        self._setup(layout, b"", len(numbers), Frame(stride), sys.byteorder)
        self.raw = self._written(bytearray(stride * len(numbers)), numbers, given)
        self._tidy = True

    @classmethod
    def of_records(
        cls,
        layout: RowLayout[B],
        raw: bytes,
        frame: Frame,
        byteorder: ByteOrder = "little",
        *,
        proved: bool = False,
    ) -> Self:
        """The run whose records, headers and all, are the bytes `raw`.

        `proved` says that the bytes are known to break no rule of the layout.
        """
        run = cls.__new__(cls)
        run._setup(layout, raw, len(raw) // frame.stride, frame, byteorder)
        run._proved = run._tidy = proved
        return run

    @classmethod
    def of_bodies(cls, body: type[B], bodies: Mapping[int, B]) -> Self:
        """The run of given bodies, by instance; raises `BodyError` where one does not fit."""
        names = [place.name for place in RowLayout(body).places]
        columns = {name: [getattr(each, name) for each in bodies.values()] for name in names}
        return cls(body, bodies, columns)

    @classmethod
    def from_json(cls, body: type[B], values: Mapping[int, Mapping[str, Any]]) -> Self | None:
        """The run of what `to_json` of bodies gave, by instance; None for anything else, where
        `Body.from_json` of each says what is wrong or makes something of it."""
        if body.from_json.__func__ is not Body.from_json.__func__:  # type: ignore[attr-defined]
            return None
        layout = RowLayout(body)
        try:
            columns = _json_columns(layout, list(values.values()))
            return None if columns is None else cls(body, values, columns)
        except (BodyError, JsonError, KeyError, TypeError, ValueError, OverflowError):
            return None

    @classmethod
    def joined(cls, runs: Sequence[Columns[B]]) -> Columns[B]:
        """One run of all the records of several, which must have the same body class."""
        first = runs[0]
        if len(runs) == 1:
            return first
        if any((each.frame, each.byteorder) != (first.frame, first.byteorder) for each in runs):
            names = list(first.layout.by_name)
            return cls(
                first.body,
                [number for run in runs for number in run.instances],
                {name: [value for run in runs for value in run.column(name)] for name in names},
            )
        raw = b"".join(each.raw for each in runs)
        proved = all(each._proved for each in runs)
        run = cls.of_records(first.layout, raw, first.frame, first.byteorder, proved=proved)
        run._tidy = all(each._tidy for each in runs)
        if all(each._template == first._template for each in runs):
            run._template = first._template
        return run

    def _setup(
        self, layout: RowLayout[B], raw: bytes, count: int, frame: Frame, byteorder: ByteOrder
    ) -> None:
        self.layout = layout
        self.body: type[B] = layout.body
        self.byteorder: ByteOrder = byteorder
        self.raw = raw
        self.frame = frame
        self._count = count
        self._outer = ORDERS[byteorder]
        self._order = layout.order or self._outer
        self._arrays: dict[str, array[int]] = {}
        self._proved = False
        self._tidy = False  # unused bytes are zero
        self._template = b""

    # --------------------------------------------------------------------------------- columns

    @cached_property
    def instances(self) -> array[int]:
        """The instances, in the order of the records."""
        return self._numbers("I", self.frame.instance, self._outer)

    def column(self, name: str) -> Sequence[Any]:
        """A field's value in each record; raises `BodyError` where there is no such field.

        An array for an integer, else a list, made anew each time.
        """
        place = self.layout.by_name.get(name)
        if place is None:
            known = ", ".join(self.layout.by_name)
            raise BodyError(f"{self.body.__name__} has no field `{name}`", expected=known)
        if place.code is None:
            return list(self._others(place))
        column = self._arrays.get(name)
        if column is None:
            at = self.frame.body + place.offset
            column = self._arrays[name] = self._numbers(place.code, at, self._order)
        return column

    def replace(self, columns: Mapping[str, Iterable[Any]]) -> Columns[B]:
        """The same run with some columns changed; raises `BodyError` as for a new run."""
        raw = self._written(bytearray(self.raw), None, columns)
        run = type(self).of_records(self.layout, raw, self.frame, self.byteorder)
        run._tidy, run._template = self._tidy, self._template
        return run

    def index(self, value: Any, start: int = 0, stop: int = sys.maxsize) -> int:
        """Where a body that equals `value` is first; raises `ValueError` where there is none."""
        return list(self).index(value, start, stop)

    def place_of(self, instance: int) -> int | None:
        """Where in the run the record of an instance is; None where there is none."""
        if not self._count:
            return None
        if self.consecutive:
            at = instance - self.instances[0]
            return at if 0 <= at < self._count else None
        return self._places.get(instance)

    @cached_property
    def _places(self) -> dict[int, int]:
        return dict(zip(self.instances, range(self._count), strict=True))

    @cached_property
    def consecutive(self) -> bool:
        """Whether each instance is one more than the one before."""
        numbers = self.instances
        return not numbers or (numbers[-1] - numbers[0] == self._count - 1 and self.ascending)

    @cached_property
    def ascending(self) -> bool:
        """Whether each instance is higher than the one before."""
        return is_ascending(self.instances)

    @property
    def stretch(self) -> range | array[int]:
        """The instances, as a range where they are consecutive."""
        if self.consecutive and self._count:
            return range(self.instances[0], self.instances[-1] + 1)
        return self.instances

    @property
    def sound(self) -> bool:
        """Whether it is plain that no value breaks a rule of its field.

        False also where only the `check` of a class could say: ask the bodies' own `problems`.
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
            at = index % self._count * stride + self.frame.body
            one = self.body.inspect(self.raw[at : at + self.layout.size], self.byteorder).body
            assert one is not None  # nothing of fixed size can be missing
            return one
        start, stop, step = index.indices(self._count)
        if step == 1:
            raw = self.raw[start * stride : stop * stride]
        else:
            each = range(start, stop, step)
            raw = b"".join(self.raw[i * stride : (i + 1) * stride] for i in each)
        run = type(self).of_records(
            self.layout, raw, self.frame, self.byteorder, proved=self._proved
        )
        run._tidy, run._template = self._tidy, self._template
        return run

    def __iter__(self) -> Iterator[B]:
        pieces = (self[start : start + _PIECE] for start in range(0, self._count, _PIECE))
        return chain.from_iterable(piece.bodies() for piece in pieces)

    def items(self) -> Iterator[tuple[int, B]]:
        """The records as (instance, body)."""
        return zip(self.instances, self, strict=True)

    def bodies(self) -> list[B]:
        """All bodies at once, which is quicker than one by one."""
        return self.layout.make(self._rows())

    def _rows(self) -> Iterable[Sequence[Any]]:
        """The values of each record as `RowLayout.make` takes them."""
        frame, layout = self.frame, self.layout
        if layout.flat:
            tail = frame.stride - frame.body - layout.size
            whole = f"{self._order}{frame.body}x{layout.codes}{tail}x"
            return struct.iter_unpack(whole, self.raw)
        if not layout.places:
            return repeat((), self._count)
        columns = (
            self._others(place) if place.code is None else self.column(place.name)
            for place in layout.places
        )
        return zip(*columns, strict=True)

    def to_json(self) -> list[dict[str, Any]]:
        """What `Body.to_json` gives of each body, made field by field."""
        if self.body.to_json is not Body.to_json:
            return [each.to_json() for each in self]
        names = list(self.layout.by_name)
        columns = [self._json(place) for place in self.layout.places]
        if not columns:
            return [{} for _ in range(self._count)]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def _json(self, place: Place) -> Iterable[Any]:
        """A field's values as JSON holds them."""
        kind = place.kind
        if isinstance(kind, Switch):
            values: list[Any] = [None] * self._count
            for places, case in self._cases(place, kind):
                made = case.to_json() if isinstance(case, Columns) else [r.hex() for r in case]
                for at, value in zip(places, made, strict=True):
                    values[at] = value
            return values
        if not isinstance(kind, Int):
            return map(kind.to_json, self._others(place))
        column = self.column(place.name)
        if kind.enum is None:
            if kind.show == "hex":
                return map(hex, column)
            return map(str, column) if kind.size == 8 else column
        known = {number: kind.to_json(kind.wrap(number)) for number in set(column)}
        if kind.flags:
            return (list(known[number]) for number in column)
        return map(known.__getitem__, column)

    def _cases(
        self, place: Place, kind: Switch
    ) -> Iterator[tuple[list[int], Columns[Any] | list[bytes]]]:
        """The values of a union by their case: which records have it, and a run of its bodies, or
        raw bytes where there is no such case. Of a case without a body there are no values."""
        numbers: dict[int, list[int]] = {}
        for number, key in enumerate(self.column(kind.selector)):
            numbers.setdefault(key, []).append(number)
        start, stride, size = self.frame.body + place.offset, self.frame.stride, kind.size
        order: ByteOrder = "little" if self._order == "<" else "big"
        for key, places in numbers.items():
            starts = (start + number * stride for number in places)
            raws = [self.raw[at : at + size] for at in starts]
            if key not in kind.cases:
                yield places, raws
                continue
            case = kind.cases[key]
            if case is not None:
                layout = RowLayout(case)
                yield places, Columns.of_records(layout, b"".join(raws), Frame(size, 0), order)

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
        """The run as the records of an image.

        `template` is one record, its header filled in but for the instance, its body zero. Values
        are written as they are: ask `sound` first.
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
            at = 0
            for code, size in (("Q", 8), ("I", 4), ("H", 2), ("B", 1)):
                while self.layout.size - at >= size:
                    column = self._numbers(code, self.frame.body + at, NATIVE)
                    write_column(out, frame.body + at, frame.stride, column, NATIVE)
                    at += size
            return out
        self._fill(out, frame, order, {name: self.column(name) for name in self.layout.by_name})
        return out

    def known_as(self, template: bytes) -> None:
        """Say that each record is `template` but for its instance and its body, whose bytes are zero
        there; then nobody has to write headers again that are right."""
        self._template = template

    def _written(
        self, out: bytearray, numbers: array[int] | None, columns: Mapping[str, Iterable[Any]]
    ) -> bytes:
        """Bytes of this run's form with some columns written into them."""
        checked: dict[str, Sequence[Any]] = {}
        for name, values in columns.items():
            place = self.layout.by_name.get(name)
            if place is None:
                known = ", ".join(self.layout.by_name)
                raise BodyError(f"{self.body.__name__} has no field `{name}`", expected=known)
            column = (
                list(values) if place.code is None else to_array(place.code, values, f"`{name}`")
            )
            if len(column) != self._count:
                raise BodyError(
                    f"the column `{name}` is not as long as the run",
                    expected=f"{self._count} values",
                    actual=f"{len(column)} values",
                )
            checked[name] = column
        if numbers is not None and numbers:
            write_column(out, self.frame.instance, self.frame.stride, numbers, self._outer)
        if self._count:
            self._fill(out, self.frame, self._order, checked)
        return bytes(out)

    def _fill(
        self, out: bytearray, frame: Frame, order: str, columns: Mapping[str, Sequence[Any]]
    ) -> None:
        for name, column in columns.items():
            place = self.layout.by_name[name]
            at = frame.body + place.offset
            if isinstance(column, array):
                write_column(out, at, frame.stride, column, order)
                continue
            size = place.kind.size
            for value in column:
                written = bytearray()
                try:
                    place.kind.encode(value, written, order)
                except (struct.error, TypeError, AttributeError, ValueError) as error:
                    raise BodyError(f"`{name}`: {error}", field=name) from error
                if len(written) != size:
                    raise BodyError(
                        f"a value of `{name}` does not fit",
                        field=name,
                        expected=f"{size} bytes",
                        actual=f"{len(written)} bytes",
                    )
                out[at : at + size] = written
                at += frame.stride

    def _numbers(self, code: str, offset: int, order: str) -> array[int]:
        """The numbers that begin `offset` bytes from the start of each record."""
        return read_column(self.raw, offset, self.frame.stride, self._count, code, order)

    def _others(self, place: Place) -> Iterator[Any]:
        """The values of a field that is no integer, each made anew."""
        kind, size, stride = place.kind, place.kind.size or 0, self.frame.stride
        first = self.frame.body + place.offset
        starts = range(first, first + self._count * stride, stride)
        if isinstance(kind, Blob) and not isinstance(kind, Text):
            yield from (self.raw[at : at + size] for at in starts)
            return
        if isinstance(kind, Switch):
            values: list[Any] = [None] * self._count
            for places, case in self._cases(place, kind):
                made = case.bodies() if isinstance(case, Columns) else case
                for number, value in zip(places, made, strict=True):
                    values[number] = value
            yield from values
            return
        for at in starts:
            reader = Reader(self.raw[at : at + size], self._order)
            reader.path.append(place.name)
            yield kind.decode(reader, {})


def _json_columns(
    layout: RowLayout[Any], values: list[Mapping[str, Any]]
) -> dict[str, list[Any]] | None:
    """The columns of bodies as JSON; None where one of them has not just the fields."""
    if any(type(each) is not dict or len(each) != len(layout.places) for each in values):
        return None
    columns: dict[str, list[Any]] = {}
    for place in layout.places:
        kind = place.kind
        column = [each[place.name] for each in values]
        if isinstance(kind, Switch):
            keys = columns[kind.selector]
            rows = zip(column, keys, strict=True)
            columns[place.name] = [kind.from_json(each, {kind.selector: key}) for each, key in rows]
        elif not isinstance(kind, Int) or kind.flags:
            columns[place.name] = [kind.from_json(each, {}) for each in column]
        elif set(map(type, column)) == {str}:
            known = {text: kind.from_json(text, {}) for text in set(column)}
            columns[place.name] = [known[text] for text in column]
        elif set(map(type, column)) == {int}:
            columns[place.name] = column
        else:
            columns[place.name] = [kind.from_json(each, {}) for each in column]
    return columns
