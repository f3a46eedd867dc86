"""`Layout`: the compiled declaration of one body class, which every tool works with.

Each method works for any input. For valid bodies it has functions of `codegen`, which are compiled
once a class has been used a few times; input that they do not apply to comes back here. The modules
that write these functions are imported then, too: most commands on a small image need none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from domctx_core.base.text import suggestion
from domctx_core.layout.codegen.source import NOT_APPLICABLE, NotApplicable
from domctx_core.layout.field import REQUIRED, Field
from domctx_core.layout.kinds.base import BYTE_ORDERS, ORDERS, ByteOrder, Checker, JsonError, Reader
from domctx_core.layout.kinds.binary import Reserved
from domctx_core.layout.kinds.scalars import Count, counted_length
from domctx_core.layout.struct_group import StructGroup, grouped

if TYPE_CHECKING:
    import random

    from domctx_core.layout.codegen.constructors import Factory
    from domctx_core.layout.codegen.decoder import Decode
    from domctx_core.layout.codegen.encoder import Encode

__all__ = ["Layout"]

_WARM = 8
"""Uses of a class before a function for it is compiled, which costs as much as some of them."""


class Layout:
    """The compiled declaration of one body class."""

    def __init__(
        self,
        body: type[Any],
        fields: list[Field],
        order: ByteOrder | None,
        overridden: frozenset[str],
    ) -> None:
        self.body = body
        self.fields = fields
        self.order = None if order is None else ORDERS[order]
        self.overridden = overridden
        self.by_name = {field.name: field for field in fields}
        self.stored = [
            field.name for field in fields if not isinstance(field.kind, (Reserved, Count))
        ]
        self.own_check = "check" in overridden
        self.checked = self.own_check or any(field.kind.checked for field in fields)
        self._varying = [field for field in fields if field.kind.size is None]
        self._minimum_size = sum(field.kind.size or 0 for field in fields)
        self.size = None if self._varying else self._minimum_size
        #: Functions that decode and encode valid bodies, by byte order, once compiled.
        self.decoders: dict[ByteOrder, Decode | None] = {}
        self.encoders: dict[ByteOrder, Encode] = {}
        #: Patterns of valid bodies, by byte order, once `codegen.regex` made them.
        self.patterns: dict[ByteOrder, bytes | None] = {}
        self._parts = grouped(fields)
        self._in_json = [field for field in fields if not isinstance(field.kind, Reserved)]
        self._selectors = {getattr(field.kind, "selector", None) for field in fields}
        self._strict: Encode | None = None
        self._factory: Factory | None = None
        self._decoded = self._checks = 0

    @property
    def sole_group(self) -> StructGroup | None:
        """Return the group that all the fields are in; None where there is no such group."""
        group = self._parts[0] if len(self._parts) == 1 else None
        return group if isinstance(group, StructGroup) else None

    # ------------------------------------------------------------------------------------ bytes

    def decoder(self, byteorder: ByteOrder, count: int = 1) -> Decode | None:
        """Return the function that decodes valid bodies, of which `count` are to be decoded now.

        None where there is no such function, or not yet.
        """
        self._decoded += count
        if self._decoded <= _WARM:
            return None
        from domctx_core.layout.codegen.decoder import decoder

        decode = self.decoders[byteorder] = decoder(self, ORDERS[byteorder])
        return decode

    def decode(self, reader: Reader) -> Any:
        """Read a body at the reader's position; raises `BodyError` where bytes are missing."""
        values: dict[str, Any] = {}
        outer = reader.order
        if self.order is not None:
            reader.order = self.order
        for part in self._parts:
            if isinstance(part, StructGroup):
                part.decode(reader, values)
            else:
                reader.path.append(part.name)
                values[part.name] = part.kind.decode(reader, values)
                reader.path.pop()
        reader.order = outer
        if self.own_check and reader.path:
            reader.suspect = True
        body = object.__new__(self.body)
        for name in self.stored:
            setattr(body, name, values[name])
        return body

    def decode_row(self, reader: Reader, count: int) -> list[Any] | None:
        """Read `count` valid bodies of fixed size, whose bytes are there.

        None, with nothing read, where one of them may break a rule.
        """
        byteorder, size = BYTE_ORDERS[reader.order], self.size
        known = self.decoders
        decode = known[byteorder] if byteorder in known else self.decoder(byteorder, count)
        if decode is None or size is None:
            return None
        start, end = reader.pos, reader.pos + count * size
        try:
            row = [decode(reader.data[at : at + size]) for at in range(start, end, size)]
        except NOT_APPLICABLE:
            return None
        reader.pos = end
        return row

    def encode(self, body: Any, out: bytearray, order: str) -> None:
        """Append a body's bytes; the values must fit their fields (see `check`)."""
        order = self.order or order
        for part in self._parts:
            if isinstance(part, StructGroup):
                part.encode(body, out, order)
            else:
                part.kind.encode(getattr(body, part.name), out, order)

    def encoder(self, byteorder: ByteOrder) -> Encode:
        """Return the function that encodes valid bodies, or raises one of `NOT_APPLICABLE`."""
        if self.size is None:
            return _not_applicable
        from domctx_core.layout.codegen.encoder import encoder

        encode = self.encoders[byteorder] = encoder(self, ORDERS[byteorder])
        return encode

    def make(self, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """Make a body of each row of values, one for each of `stored`; integers are numbers."""
        if self._factory is None:
            from domctx_core.layout.codegen.constructors import body_factory

            self._factory = body_factory(self.body, [self.by_name[name] for name in self.stored])
        return self._factory(rows)

    def size_of(self, body: Any) -> int:
        """Return how many bytes `encode` appends."""
        if self.size is not None:
            return self.size
        return self._minimum_size + sum(
            field.kind.size_of(getattr(body, field.name)) for field in self._varying
        )

    def check(self, body: Any, checker: Checker) -> None:
        """Report every problem of the values; `checker.pos` is the body's offset and stays so."""
        if self.size is not None:
            self._checks += 1
            if self._checks > _WARM and self.fits(body):
                return
        start, before = checker.pos, len(checker.problems)
        values = _Attributes(body)
        for field in self.fields:
            kind = field.kind
            try:
                value = None if isinstance(kind, Reserved) else getattr(body, field.name)
            except (TypeError, ValueError):  # a count of something without a length: see its field
                checker.pos += kind.size or 0
                continue
            if kind.checked or checker.thorough:
                checker.path.append(field.name)
                kind.check(value, checker, values)
                checker.path.pop()
            checker.pos += kind.length_of(value)
        checker.pos = start
        if not self.own_check:
            return
        try:
            self.check_own(body, checker)
        except (TypeError, AttributeError):  # from a value of the wrong type, if one was reported
            if len(checker.problems) == before:
                raise

    def fits(self, body: Any) -> bool:
        """Return True if a body of exactly this class is valid; False means: see `check`."""
        if self._strict is None:
            from domctx_core.layout.codegen.encoder import encoder

            self._strict = encoder(self, ORDERS["little"], strict=True)
        try:
            self._strict(body)
        except NOT_APPLICABLE:
            return False
        return True

    def check_own(self, body: Any, checker: Checker) -> None:
        """Report the problems that the class's own `check` yields."""
        prefix = "".join(f"{name}." for name in checker.path)
        for problem in body.check():
            offset, name = problem.offset, problem.field
            if offset is None and name is not None:
                offset = self.offset_of(body, name)
            checker.problems.append(
                problem._replace(
                    offset=None if offset is None else checker.pos + offset,
                    field=None if name is None else prefix + name,
                )
            )

    def offset_of(self, body: Any, name: str) -> int | None:
        """Return where a field (or the one that a path starts with) begins in the body."""
        offset = 0
        head = name.partition(".")[0].partition("[")[0]
        for field in self.fields:
            if field.name == head:
                return offset
            size = field.kind.size
            offset += field.kind.length_of(getattr(body, field.name)) if size is None else size
        return None

    # ------------------------------------------------------------------------------------- JSON

    def to_json(self, body: Any) -> dict[str, Any]:
        """Return the fields as JSON."""
        return {f.name: f.kind.to_json(getattr(body, f.name)) for f in self._in_json}

    def from_json(self, value: Any) -> Any:
        """Return the body of its JSON; raises a `JsonError` that has every fault."""
        if not isinstance(value, dict):
            raise JsonError(f"expected an object with fields, found {value!r:.60}")
        values, errors = self._values_of(value)
        names = [field.name for field in self._in_json]
        for name in value:
            if name not in names:
                near = suggestion(name, names)
                errors.append(
                    JsonError(f"unknown field {name!r:.60}; known are {', '.join(names)}{near}")
                )
        errors = errors or list(_wrong_counts(self.fields, values))
        if errors:
            raise JsonError.of(errors)
        return self.body(**{name: values[name] for name in self.stored})

    def _values_of(self, value: dict[str, Any]) -> tuple[dict[str, Any], list[JsonError]]:
        """Return the values of the fields, and what is wrong with them."""
        errors: list[JsonError] = []
        values: dict[str, Any] = {}
        for field in self._in_json:
            name = field.name
            try:
                if name in value:
                    values[name] = field.kind.from_json(value[name], values)
                elif isinstance(field.kind, Count):
                    continue
                elif field.default is REQUIRED:
                    raise JsonError("the field is missing")
                else:
                    values[name] = field.initial()
            except JsonError as fault:
                errors.append(fault.at(name))
                if (
                    name in self._selectors
                ):  # faults of the fields that depend on it would be guesses
                    break
        return values, errors

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of a body; see `Kind.schema`."""
        required = [
            field.name
            for field in self._in_json
            if field.default is REQUIRED and not isinstance(field.kind, Count)
        ]
        return {
            "type": "object",
            "properties": {field.name: field.schema() for field in self._in_json},
            "required": required,
            "additionalProperties": False,
        }

    # ------------------------------------------------------------------------- everything else

    def example(self, rng: random.Random) -> Any:
        """Return a valid body, different for different `rng`."""
        values: dict[str, Any] = {}
        for field in self.fields:
            if not isinstance(field.kind, (Reserved, Count)):
                values[field.name] = field.kind.example(rng, values)
        return self.body(**values)

    def describe(self) -> list[dict[str, Any]]:
        """Return the declaration as data; offsets are None after a field that varies in size."""
        offset: int | None = 0
        rows = []
        for field in self.fields:
            rows.append({"offset": offset, **field.describe()})
            size = field.kind.size
            offset = None if offset is None or size is None else offset + size
        return rows


class _Attributes(Mapping[str, Any]):
    """A body's attributes as the mapping in which kinds look up other fields of the body."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def __getitem__(self, name: str) -> Any:
        return getattr(self._body, name)

    def __iter__(self) -> Iterator[str]:
        return iter(type(self._body).__layout__.stored)

    def __len__(self) -> int:
        return len(type(self._body).__layout__.stored)


def _wrong_counts(fields: list[Field], values: dict[str, Any]) -> Iterator[JsonError]:
    """Yield an error for each count in JSON that differs from what it counts."""
    for field in fields:
        if isinstance(field.kind, Count) and field.name in values:
            number, actual = values[field.name], counted_length(values[field.kind.of])
            if number != actual:
                wrong = JsonError(f"says {number}, and `{field.kind.of}` has {actual}")
                yield wrong.at(field.name)


def _not_applicable(body: Any) -> bytes:
    """Raise `NotApplicable`: no body whose size varies is encoded in one call."""
    raise NotApplicable
