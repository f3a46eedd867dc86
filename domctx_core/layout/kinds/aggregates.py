"""Kinds that hold others: bodies inside bodies, and arrays."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from domctx_core.base.errors import DeclarationError
from domctx_core.layout.kinds.base import Checker, JsonError, Kind, Reader, describe
from domctx_core.layout.kinds.scalars import Int
from domctx_core.layout.protocol import BodyBase, CompiledLayout

if TYPE_CHECKING:
    import random


__all__ = ["Array", "Nested"]


class Nested(Kind):
    """A body inside a body."""

    def __init__(self, body: type[BodyBase]) -> None:
        self.body = body
        self.label = body.__name__

    @property
    def layout(self) -> CompiledLayout:
        return self.body.__layout__

    @property
    def size(self) -> int | None:  # type: ignore[override]  # known once the body is laid out
        return self.layout.size

    @property
    def checked(self) -> bool:  # type: ignore[override]  # known once the body is laid out
        return self.layout.checked

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> Any:
        return self.layout.decode(reader)

    def encode(self, value: Any, out: bytearray, order: str) -> None:
        self.layout.encode(value, out, order)

    def size_of(self, value: Any) -> int:
        return self.layout.size_of(value)

    def check(self, value: Any, checker: Checker, values: Mapping[str, Any]) -> None:
        if isinstance(value, self.body):
            self.layout.check(value, checker)
        else:
            checker.report(
                "field-out-of-range", f"not a {self.label}", expected=self.label, actual=repr(value)
            )

    def to_json(self, value: Any) -> Any:
        return self.layout.to_json(value)

    def from_json(self, value: Any, values: Mapping[str, Any]) -> Any:
        return self.layout.from_json(value)

    def schema(self) -> dict[str, Any]:
        return self.layout.schema()

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> Any:
        return self.layout.example(rng)

    def describe(self) -> dict[str, Any]:
        return {"fields": self.layout.describe()}

    def parts(self) -> Iterable[Kind]:
        return (field.kind for field in self.layout.fields)


class Array(Kind):
    """An array: a fixed number of elements, a counted number, or as many as are left."""

    def __init__(self, element: Kind, count: int | str | None) -> None:
        self.element = element
        self.count = count
        if element.size == 0:
            raise DeclarationError("an array needs elements of at least one byte")

    @property
    def label(self) -> str:  # type: ignore[override]  # it depends on the element and the count
        return f"{self.element.label}[{'...' if self.count is None else self.count}]"

    @property
    def size(self) -> int | None:  # type: ignore[override]  # as `label`
        size = self.element.size
        return size * self.count if isinstance(self.count, int) and size is not None else None

    @property
    def checked(self) -> bool:  # type: ignore[override]  # as `label`
        return self.element.checked or isinstance(self.count, int)

    @property
    def judges(self) -> bool:  # type: ignore[override]  # as `label`
        return isinstance(self.element, Int) and not self.element.checked

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> list[Any]:
        element, size = self.element, self.element.size
        count = self.number(reader, values)
        if size is not None and count is not None and count * size > reader.end - reader.pos:
            raise reader.short(count * size, "")
        if isinstance(element, Int):
            assert count is not None
            start = reader.advance(count * element.size, "")
            row = struct.unpack_from(f"{reader.order}{count}{element.code}", reader.data, start)
            reader.suspect |= element.checked
            return [element.wrap(number) for number in row] if element.enum else list(row)
        if isinstance(element, Nested) and size is not None and count:
            bodies = element.layout.decode_row(reader, count)
            if bodies is not None:
                return bodies
        items: list[Any] = []
        while len(items) < count if count is not None else reader.pos < reader.end:
            reader.path[-1:] = [f"{reader.path[-1]}[{len(items)}]"]
            start = reader.pos
            items.append(element.decode(reader, values))
            if reader.pos == start:  # a claimed count of empty elements would never end
                raise reader.short(1, "")
            reader.path[-1] = reader.path[-1].rpartition("[")[0]
        return items

    def number(self, reader: Reader, values: Mapping[str, Any]) -> int | None:
        """Return how many elements follow the reader's position; None where only they can tell."""
        if isinstance(self.count, str):
            return int(values[self.count])
        if self.count is None and self.element.size is not None:
            return (reader.end - reader.pos) // self.element.size
        return self.count

    def encode(self, value: Any, out: bytearray, order: str) -> None:
        for item in value:
            self.element.encode(item, out, order)

    def size_of(self, value: Any) -> int:
        return sum(self.element.size_of(item) for item in value)

    def check(self, value: Any, checker: Checker, values: Mapping[str, Any]) -> None:
        if not isinstance(value, (list, tuple)):
            checker.wrong_type("a list", value)
            return
        if isinstance(self.count, int) and len(value) != self.count:
            checker.report(
                "field-out-of-range",
                "wrong number of elements",
                expected=self.count,
                actual=len(value),
            )
        start, name = checker.pos, checker.path[-1]
        for number, item in enumerate(value):
            checker.path[-1] = f"{name}[{number}]"
            self.element.check(item, checker, values)
            checker.pos += self.element.length_of(item)
        checker.pos, checker.path[-1] = start, name

    def to_json(self, value: Any) -> Any:
        return [self.element.to_json(item) for item in value]

    def from_json(self, value: Any, values: Mapping[str, Any]) -> Any:
        if not isinstance(value, list):
            raise JsonError(f"expected a list, found {value!r:.60}")
        items = []
        errors: list[JsonError] = []
        for number, item in enumerate(value):
            try:
                items.append(self.element.from_json(item, values))
            except JsonError as fault:
                errors.append(fault.at(f"[{number}]"))
        if isinstance(self.count, int) and len(value) != self.count:
            errors.append(JsonError(f"expected {self.count} elements, found {len(value)}"))
        if errors:
            raise JsonError.of(errors)
        return items

    def schema(self) -> dict[str, Any]:
        row: dict[str, Any] = {"type": "array", "items": self.element.schema()}
        if isinstance(self.count, int):
            row |= {"minItems": self.count, "maxItems": self.count}
        return row

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> Any:
        count = self.count if isinstance(self.count, int) else rng.choice([0, 1, 2, 5])
        return [self.element.example(rng, values) for _ in range(count)]

    def text(self, value: Any) -> str:
        return ", ".join(self.element.text(item) for item in value) or "none"

    def describe(self) -> dict[str, Any]:
        return {"count": self.count, "element": describe(self.element)}

    def parts(self) -> Iterable[Kind]:
        return (self.element,)
