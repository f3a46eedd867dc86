"""`FixedLayout`: where the fields of a body of fixed size are, and how columns get into records."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from domctx_core.base.errors import BodyError
from domctx_core.layout.body import Body
from domctx_core.layout.codegen.regex import body_pattern
from domctx_core.layout.codegen.source import NotApplicable
from domctx_core.layout.columns.arrays import to_array, write_column
from domctx_core.layout.field import REQUIRED
from domctx_core.layout.kinds.aggregates import Nested
from domctx_core.layout.kinds.binary import Reserved
from domctx_core.layout.kinds.scalars import Int
from domctx_core.layout.kinds.variants import Switch

if TYPE_CHECKING:
    from domctx_core.layout.kinds.base import ByteOrder, Kind

__all__ = ["FieldSlot", "FixedLayout", "Frame"]

B = TypeVar("B", bound=Body)


class Frame(NamedTuple):
    """How each record of a run lies in its `stride` bytes: where its body and its instance are.

    The instance is an unsigned 32-bit number. Offsets count from the start of the record.
    """

    stride: int
    body: int = 16
    instance: int = 4


class FieldSlot(NamedTuple):
    """A field of fixed size: where it is in the body; `code` is that of an integer, else None.

    `order` is the struct prefix of the byte order if the body that the field is in fixes it.
    """

    name: str
    offset: int
    kind: Kind
    code: str | None
    order: str | None = None

    @property
    def bodies(self) -> list[type[Any]]:
        """Return the classes of the body that the field is, or of the cases of a union."""
        if isinstance(self.kind, Switch):
            return [body for body in self.kind.cases.values() if body is not None]
        return [self.kind.body] if isinstance(self.kind, Nested) else []

    def from_json(self, values: list[Any], selectors: Sequence[int]) -> list[Any]:
        """Return the column of values in JSON; `selectors` are those of a union."""
        kind = self.kind
        if isinstance(kind, Switch):
            pairs = zip(values, selectors, strict=True)
            return [kind.from_json(value, {kind.selector: key}) for value, key in pairs]
        if isinstance(kind, Int) and not kind.flags:
            types = set(map(type, values))
            if types == {int}:
                return values
            if types == {str}:
                known = {text: kind.from_json(text, {}) for text in set(values)}
                return [known[text] for text in values]
        return [kind.from_json(value, {}) for value in values]

    def write(self, out: bytearray, start: int, stride: int, column: Any, order: str) -> None:
        """Write a column into records whose first body starts at `start`.

        Raises `BodyError` for a value that does not fit.
        """
        name, size, offset = self.name, self.kind.size, start + self.offset
        if isinstance(column, array):
            write_column(out, offset, stride, column, order)
            return
        for value in column:
            written = bytearray()
            try:
                self.kind.encode(value, written, order)
            except (struct.error, TypeError, AttributeError, ValueError) as error:
                raise BodyError(f"`{name}`: {error}", field=name) from error
            if len(written) != size:
                raise BodyError(
                    f"a value of `{name}` does not fit",
                    field=name,
                    expected=f"{size} bytes",
                    actual=f"{len(written)} bytes",
                )
            out[offset : offset + size] = written
            offset += stride


class FixedLayout(Generic[B]):
    """A body class of fixed size: `size` bytes, in which `slots` are the fields that have values.

    `order` is the struct prefix of the byte order that the class itself fixes, if it does. `codes`
    are all fields for `struct`; `flat` tells that they are integers and reserved bytes.

    Raises `BodyError` for a class whose size is not fixed.
    """

    def __init__(self, body: type[B]) -> None:
        layout = body.__layout__
        if layout.size is None:
            raise BodyError(f"{body.__name__} has no fixed size, so that it makes no columns")
        self.body = body
        self.size: int = layout.size
        self.order = layout.order
        self.slots: list[FieldSlot] = []
        self.codes = ""
        offset = 0
        for field in layout.fields:
            kind = field.kind
            size = kind.size or 0
            if isinstance(kind, Reserved):
                self.codes += f"{size}x"
            else:
                code = kind.code if isinstance(kind, Int) else None
                self.slots.append(FieldSlot(field.name, offset, kind, code, layout.order))
                self.codes += code or f"{size}s"
            offset += size
        self.by_name = {slot.name: slot for slot in self.slots}
        self._inner: dict[str, FieldSlot] = {}
        self.flat = bool(self.slots) and all(slot.code for slot in self.slots)

    def slot(self, name: str) -> FieldSlot:
        """Return the slot of a field; raises `BodyError` where there is no such field."""
        slot = self.by_name.get(name)
        if slot is None:
            known = ", ".join(self.by_name)
            raise BodyError(f"{self.body.__name__} has no field `{name}`", expected=known)
        return slot

    def inner_slot(self, path: str) -> FieldSlot:
        """Return the slot of an integer in a nested body or in cases of a union, as in `binding.port`.

        Raises `BodyError` where there is none, or cases of the union differ in where it is.
        """
        if path in self._inner:
            return self._inner[path]
        name, _, rest = path.partition(".")
        around = self.slot(name)
        slots: dict[Any, FieldSlot] = {}
        for body in around.bodies:
            with suppress(BodyError):  # most cases of a union do not have the field
                layout = FixedLayout(body)
                slot = layout.inner_slot(rest) if "." in rest else layout.slot(rest)
                slots[slot.offset, slot.code, slot.order] = slot
        if len(slots) != 1 or next(iter(slots.values())).code is None:
            raise BodyError(f"{self.body.__name__} has no single integer `{path}`")
        (slot,) = slots.values()
        offset, order = around.offset + slot.offset, slot.order or around.order
        slot = self._inner[path] = slot._replace(name=path, offset=offset, order=order)
        return slot

    def defaults(self, given: Mapping[str, Any], count: int) -> dict[str, list[Any]]:
        """Return columns of defaults for the fields that are not given."""
        columns = {}
        for slot in self.slots:
            if slot.name not in given:
                initial = self.body.__layout__.by_name[slot.name].initial()
                if initial is REQUIRED:
                    raise BodyError(f"{self.body.__name__} needs a column `{slot.name}`")
                columns[slot.name] = [initial] * count
        return columns

    def columns(self, given: Mapping[str, Iterable[Any]], count: int) -> dict[str, Sequence[Any]]:
        """Return columns of integers as arrays, and others as lists, each of `count` values.

        Raises `BodyError` where there is no such field, and for values that do not fit.
        """
        columns: dict[str, Sequence[Any]] = {}
        for name, values in given.items():
            code = self.slot(name).code
            column = list(values) if code is None else to_array(code, values, f"`{name}`")
            if len(column) != count:
                raise BodyError(
                    f"the column `{name}` is not as long as the run",
                    expected=f"{count} values",
                    actual=f"{len(column)} values",
                )
            columns[name] = column
        return columns

    def columns_from_json(self, values: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]] | None:
        """Return the columns of bodies in JSON; None where one of them has not just the fields."""
        values = list(values)
        if any(type(obj) is not dict or len(obj) != len(self.slots) for obj in values):
            return None
        columns: dict[str, list[Any]] = {}
        for slot in self.slots:
            selectors = columns.get(getattr(slot.kind, "selector", ""), [])
            columns[slot.name] = slot.from_json([obj[slot.name] for obj in values], selectors)
        return columns

    def write(
        self, out: bytearray, frame: Frame, columns: Mapping[str, Sequence[Any]], order: str
    ) -> None:
        """Write columns into records; raises `BodyError` for a value that does not fit."""
        for name, column in columns.items():
            self.by_name[name].write(out, frame.body, frame.stride, column, order)

    def pattern(self, byteorder: ByteOrder) -> bytes | None:
        """Return the pattern of valid bodies; None where bytes alone do not show that they are."""
        try:
            return body_pattern(self.body, byteorder)
        except NotApplicable:
            return None

    def make(self, rows: Iterable[Sequence[Any]]) -> list[B]:
        """Make a body of each row of values; see `Layout.make`."""
        return self.body.__layout__.make(rows)

    def fits(self, body: B) -> bool:
        """Return True if a body is known to be valid; False means: ask `problems`."""
        layout = self.body.__layout__
        return "problems" not in layout.overridden and layout.fits(body)
