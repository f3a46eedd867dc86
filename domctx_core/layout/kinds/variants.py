"""Kinds whose presence or form varies: optional fields, bodies told apart by size, unions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from domctx_core.base.errors import DeclarationError
from domctx_core.base.text import suggestion
from domctx_core.layout.kinds.base import Checker, JsonError, Kind, Reader, describe
from domctx_core.layout.kinds.binary import HEX, Blob, Reserved
from domctx_core.layout.protocol import BodyBase

if TYPE_CHECKING:
    import random

__all__ = ["BySize", "Optional", "Switch"]


class Optional(Kind):
    """Something that a body may have or lack; presence is part of the value.

    A reserved one is a boolean (there or not); any other is its value or None. Without `lengths`
    it is there when bytes are left for it, else when the whole body has one of those lengths.
    """

    def __init__(self, inner: Kind, lengths: frozenset[int] | None) -> None:
        self.inner = inner
        self.lengths = lengths
        self.checked = inner.checked
        self.label = f"{inner.label}?"

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> Any:
        present = self.there(reader)
        value = self.inner.decode(reader, values) if present else None
        return present if isinstance(self.inner, Reserved) else value

    def there(self, reader: Reader) -> bool:
        """Return True if the value is present at the reader's position."""
        if self.lengths is None:
            return reader.pos < reader.end
        return len(reader.data) in self.lengths

    def present(self, value: Any) -> bool:
        """Return True if a value of this kind is one that is present."""
        return value is not None and value is not False

    def encode(self, value: Any, out: bytearray, order: str) -> None:
        if self.present(value):
            self.inner.encode(value, out, order)

    def size_of(self, value: Any) -> int:
        return self.inner.size_of(value) if self.present(value) else 0

    def check(self, value: Any, checker: Checker, values: Mapping[str, Any]) -> None:
        if self.present(value):
            self.inner.check(value, checker, values)

    def to_json(self, value: Any) -> Any:
        if isinstance(self.inner, Reserved):
            return bool(value)
        return None if value is None else self.inner.to_json(value)

    def from_json(self, value: Any, values: Mapping[str, Any]) -> Any:
        if isinstance(self.inner, Reserved):
            if not isinstance(value, bool):
                raise JsonError(f"expected true or false, found {value!r:.60}")
            return value
        return None if value is None else self.inner.from_json(value, values)

    def schema(self) -> dict[str, Any]:
        if isinstance(self.inner, Reserved):
            return {"type": "boolean"}
        return {"anyOf": [self.inner.schema(), {"type": "null"}]}

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> Any:
        present = rng.random() < 0.5
        if isinstance(self.inner, Reserved):
            return present
        return self.inner.example(rng, values) if present else None

    def text(self, value: Any) -> str:
        if isinstance(self.inner, Reserved):
            return f"present ({self.inner.size} bytes)" if value else "absent"
        return "absent" if value is None else self.inner.text(value)

    def describe(self) -> dict[str, Any]:
        extra: dict[str, Any] = {"optional": True, "inner": describe(self.inner)}
        if self.lengths is not None:
            extra["present_at_lengths"] = sorted(self.lengths)
        return extra

    def parts(self) -> Iterable[Kind]:
        return (self.inner,)


class BySize(Kind):
    """One of several bodies of fixed size, told apart by the number of bytes that are left."""

    label = "by size"
    checked = True

    def __init__(self, bodies: Mapping[str, type[BodyBase]]) -> None:
        self.bodies = dict(bodies)
        self.sizes: dict[int, type[BodyBase]] = {}
        for name, body in bodies.items():
            size = body.__layout__.size
            if size is None or size in self.sizes:
                raise DeclarationError(
                    f"by_size: {name} ({body.__name__}) needs a fixed size of its own, has {size}"
                )
            self.sizes[size] = body

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> Any:
        left = reader.end - reader.pos
        fitting = [size for size in self.sizes if size <= left]
        if not fitting:
            raise reader.short(min(self.sizes), "")
        return self.sizes[max(fitting)].__layout__.decode(reader)

    def encode(self, value: Any, out: bytearray, order: str) -> None:
        type(value).__layout__.encode(value, out, order)

    def size_of(self, value: Any) -> int:
        return int(type(value).__layout__.size_of(value))

    def check(self, value: Any, checker: Checker, values: Mapping[str, Any]) -> None:
        if type(value) in self.bodies.values():
            type(value).__layout__.check(value, checker)
        else:
            checker.report(
                "field-out-of-range",
                "not one of the possible bodies",
                expected=" or ".join(self.bodies),
                actual=type(value).__name__,
            )

    def name_of(self, value: Any) -> str:
        """Return the name of the variant that a value is."""
        return next(name for name, body in self.bodies.items() if type(value) is body)

    def to_json(self, value: Any) -> Any:
        return {"layout": self.name_of(value), **type(value).__layout__.to_json(value)}

    def from_json(self, value: Any, values: Mapping[str, Any]) -> Any:
        names = ", ".join(self.bodies)
        if not isinstance(value, dict):
            raise JsonError(f"expected an object with a `layout` of {names}")
        name = value.get("layout")
        if not isinstance(name, str) or name not in self.bodies:
            near = suggestion(name, self.bodies)
            raise JsonError(f"expected one of {names}, found {name!r:.60}{near}").at("layout")
        fields = {key: item for key, item in value.items() if key != "layout"}
        return self.bodies[name].__layout__.from_json(fields)

    def schema(self) -> dict[str, Any]:
        variants = []
        for name, body in self.bodies.items():
            variant = body.__layout__.schema()
            variant["properties"] = {"layout": {"const": name}} | variant["properties"]
            variant["required"] = ["layout", *variant["required"]]
            variants.append(variant)
        return {"oneOf": variants}

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> Any:
        return rng.choice(list(self.bodies.values())).__layout__.example(rng)

    def describe(self) -> dict[str, Any]:
        return {
            "variants": [
                {"name": name, "size": body.__layout__.size, "fields": body.__layout__.describe()}
                for name, body in self.bodies.items()
            ]
        }

    def parts(self) -> Iterable[Kind]:
        return (field.kind for body in self.bodies.values() for field in body.__layout__.fields)


class Switch(Kind):
    """A union of `size` bytes; another field of the same body selects its case.

    A case that is shorter than the union is followed by zeros. A case of None is all zeros. Where
    the selector has no case, the value is the raw bytes.
    """

    label = "union"
    checked = True

    def __init__(
        self, selector: str, cases: Mapping[int, type[BodyBase] | None], size: int
    ) -> None:
        self.selector = selector
        self.cases = {int(key): body for key, body in cases.items()}
        self.size: int = size
        for key, body in self.cases.items():
            fixed = 0 if body is None else body.__layout__.size
            if fixed is None or fixed > size:
                raise DeclarationError(f"switch: case {key} does not fit into {size} bytes")

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> Any:
        start = reader.advance(self.size, "")
        key = int(values[self.selector])
        if key not in self.cases:
            return bytes(reader.data[start : start + self.size])
        body = self.cases[key]
        value = None
        end = reader.pos
        reader.pos = start
        if body is not None:
            value = body.__layout__.decode(reader)
        rest = Reserved(end - reader.pos)
        rest.inspect(bytes(reader.data[reader.pos : end]), reader.pos, reader, "unused")
        reader.pos = end
        return value

    def encode(self, value: Any, out: bytearray, order: str) -> None:
        start = len(out)
        if isinstance(value, bytes):
            out += value
        elif value is not None:
            type(value).__layout__.encode(value, out, order)
        out += bytes(start + self.size - len(out))

    def check(self, value: Any, checker: Checker, values: Mapping[str, Any]) -> None:
        key = values[self.selector]
        if not isinstance(key, int):  # which is reported of the selector
            return
        if key not in self.cases:
            fits = isinstance(value, bytes) and len(value) == self.size
            expected = f"{self.size} raw bytes"
        else:
            body = self.cases[key]
            fits = value is None if body is None else type(value) is body
            expected = "nothing" if body is None else body.__name__
        if not fits:
            checker.report(
                "field-out-of-range",
                f"the union does not hold what `{self.selector}` says",
                expected=expected,
                actual=type(value).__name__,
            )
        elif value is not None and not isinstance(value, bytes):
            type(value).__layout__.check(value, checker)

    def to_json(self, value: Any) -> Any:
        if value is None:
            return None
        return value.hex() if isinstance(value, bytes) else type(value).__layout__.to_json(value)

    def from_json(self, value: Any, values: Mapping[str, Any]) -> Any:
        key = int(values[self.selector])
        if key not in self.cases:
            return Blob(self.size).from_json(value, values)
        body = self.cases[key]
        if body is None:
            if value is not None:
                raise JsonError(f"expected null, since `{self.selector}` has nothing here")
            return None
        return body.__layout__.from_json(value)

    def schema(self) -> dict[str, Any]:
        cases = [body.__layout__.schema() for body in self.cases.values() if body is not None]
        return {"anyOf": [*cases, {"type": "null"}, HEX]}

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> Any:
        key = int(values[self.selector])
        if key not in self.cases:
            return rng.randbytes(self.size)
        body = self.cases[key]
        return None if body is None else body.__layout__.example(rng)

    def describe(self) -> dict[str, Any]:
        return {
            "selector": self.selector,
            "cases": [
                {"value": key, "fields": [] if body is None else body.__layout__.describe()}
                for key, body in self.cases.items()
            ],
        }

    def parts(self) -> Iterable[Kind]:
        bodies = [body for body in self.cases.values() if body is not None]
        return (field.kind for body in bodies for field in body.__layout__.fields)
