"""`Body`: the class that authors subclass; it converts between bytes, values and JSON."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    NamedTuple,
    Self,
    TypeVar,
    dataclass_transform,
)

from domctx_core.base.errors import BodyError
from domctx_core.base.problems import Problem
from domctx_core.base.rules import CORE_ONLY, Rules
from domctx_core.layout import specifiers
from domctx_core.layout.codegen.source import NOT_APPLICABLE
from domctx_core.layout.compiled import Layout
from domctx_core.layout.declaration import BodyType
from domctx_core.layout.field import REQUIRED
from domctx_core.layout.kinds.base import ORDERS, ByteOrder, Checker, JsonError, Reader
from domctx_core.layout.protocol import BodyBase

if TYPE_CHECKING:
    import random

__all__ = ["Body", "Decoded", "Empty"]

B = TypeVar("B", bound="Body")


class Decoded(NamedTuple, Generic[B]):
    """What a body's bytes are decoded to.

    `body` is None where they cannot be decoded at all; `problems` are in order of offset;
    `consumed` counts the bytes that fields describe.
    """

    body: B | None
    problems: tuple[Problem, ...]
    consumed: int


@dataclass_transform(
    kw_only_default=True,
    field_specifiers=(
        specifiers.u8, specifiers.u16, specifiers.u32, specifiers.u64,
        specifiers.i8, specifiers.i16, specifiers.i32, specifiers.i64,
        specifiers.count_of, specifiers.blob, specifiers.text, specifiers.bitmap,
        specifiers.nested, specifiers.array, specifiers.optional, specifiers.by_size,
        specifiers.switch,
    ),
)  # fmt: skip
class Body(BodyBase, metaclass=BodyType):
    """A record's body: fields in the order in which they are in the image.

    Subclass it and write a line for each field: `khz: int = u32(doc="frequency", unit="kHz")`.
    Values are attributes, given as keywords. `class X(Body, byteorder="big")` fixes the byte
    order, for formats whose headers do.

    Decoding is lenient: a value that breaks a rule is kept as it is and reported beside the body.
    Override `check` for rules across fields, such as two that must agree, and `summary` for lines
    that help a reader, such as a date made of seconds and nanoseconds.

    `class X(Body, trusted_values={"kind": range(8)})` lists values of fields for which, all
    taken together, `check` never reports anything. Runs of records with such values are then
    validated without calling it.
    """

    __layout__: ClassVar[Layout]

    def __init__(self, /, **values: Any) -> None:
        kind = type(self)
        layout = kind.__layout__
        if "__init__" not in layout.overridden and "__init__" not in kind.__dict__:
            from domctx_core.layout.codegen.constructors import initializer

            stored = [layout.by_name[name] for name in layout.stored]
            kind.__init__ = initializer(kind, stored, Body.__init__)  # type: ignore[method-assign]  # generated at the first instance
        for name in layout.stored:
            if name in values:
                value = values.pop(name)
            else:
                value = layout.by_name[name].initial()
                if value is REQUIRED:
                    raise TypeError(f"{kind.__name__} needs `{name}`")
            setattr(self, name, value)
        if values:
            raise TypeError(f"{kind.__name__} has no field {', '.join(values)}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, n) == getattr(other, n) for n in type(self).__layout__.stored)

    __hash__ = None  # type: ignore[assignment]  # a body can be changed

    def __repr__(self) -> str:
        names = type(self).__layout__.stored
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({values})"

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        values = {name: getattr(self, name) for name in type(self).__layout__.stored}
        return type(self)(**(values | changes))

    # ------------------------------------------------------------------ for authors to override

    def check(self) -> Iterable[Problem]:
        """Yield problems that no single field can see. A problem's `field` gives its offset."""
        return ()

    def summary(self) -> Mapping[str, str]:
        """Return derived facts for people, shown beside the fields and not part of the JSON."""
        return {}

    # ---------------------------------------------------------------------------------- reading

    @classmethod
    def inspect(
        cls, data: bytes | bytearray | memoryview, byteorder: ByteOrder = "little"
    ) -> Decoded[Self]:
        """Decode what can be decoded of a whole body without padding, and report its problems.

        Never raises for bad bytes. Offsets count from the start of `data`.
        """
        layout: Layout = cls.__dict__.get("_compiled") or cls.__layout__
        known = layout.decoders
        decode = known[byteorder] if byteorder in known else layout.decoder(byteorder)
        if decode is not None:
            try:
                return Decoded(decode(data), (), len(data))
            except NOT_APPLICABLE:
                pass
        reader = Reader(data, ORDERS[byteorder])
        try:
            body = layout.decode(reader)
        except BodyError as error:
            short = Problem(
                error.rule or "body-too-short",
                error.message,
                error.offset,
                error.field,
                error.expected,
                error.actual,
            )
            return Decoded(None, (*reader.problems, short), reader.pos)
        problems = reader.problems
        if reader.suspect or layout.own_check:
            checker = Checker()
            if reader.suspect:
                layout.check(body, checker)
            else:
                layout.check_own(body, checker)
            reported = {(problem.rule, problem.field, problem.offset) for problem in problems}
            problems = problems + [
                problem
                for problem in checker.problems
                if (problem.rule, problem.field, problem.offset) not in reported
            ]
            problems.sort(key=_by_offset)
        if reader.pos < reader.end:
            problems = [*problems, _left_over(reader.pos, reader.end)]
        return Decoded(body, tuple(problems), reader.pos)

    @classmethod
    def from_bytes(
        cls,
        data: bytes | bytearray | memoryview,
        byteorder: ByteOrder = "little",
        *,
        rules: Rules = CORE_ONLY,
    ) -> Self:
        """Decode `data`; raise `BodyError` for the first error in it, but not for a warning.

        `rules` has the rules of plugins that the body's `check` may report.
        """
        decoded = cls.inspect(data, byteorder)
        _refuse(decoded.problems, rules)
        assert decoded.body is not None
        return decoded.body

    def problems(self) -> list[Problem]:
        """Return everything that is wrong with the values, as `verify` would report it."""
        checker = Checker(thorough=True)
        type(self).__layout__.check(self, checker)
        return sorted(checker.problems, key=_by_offset)

    # ---------------------------------------------------------------------------------- writing

    def to_bytes(
        self, byteorder: ByteOrder = "little", *, check: bool = True, rules: Rules = CORE_ONLY
    ) -> bytes:
        """Return the body's bytes, without padding.

        Raise `BodyError` for a value that breaks a rule, unless that is a warning; with
        `check=False` only for one that does not fit its field. `rules` has the rules of plugins
        that the body's `check` may report.
        """
        kind = type(self)
        layout: Layout = kind.__dict__.get("_compiled") or kind.__layout__
        if check:
            try:
                return (layout.encoders.get(byteorder) or layout.encoder(byteorder))(self)
            except NOT_APPLICABLE:  # the general code below finds what is wrong, if anything is
                pass
        if check and layout.checked:
            checker = Checker()
            layout.check(self, checker)
            _refuse(sorted(checker.problems, key=_by_offset), rules)
        out = bytearray()
        try:
            layout.encode(self, out, ORDERS[byteorder])
        except (struct.error, OverflowError, TypeError, AttributeError, ValueError) as error:
            try:
                _refuse(self.problems(), rules)
            except BodyError as refusal:
                raise refusal from error
            raise BodyError(f"{type(self).__name__}: {error}") from error
        return bytes(out)

    def size(self) -> int:
        """Return how many bytes `to_bytes` gives."""
        return type(self).__layout__.size_of(self)

    @classmethod
    def fixed_size(cls) -> int | None:
        """Return the size in bytes if it is the same for all bodies, else None."""
        return cls.__layout__.size

    # ------------------------------------------------------------------------------------- JSON

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON.

        64-bit numbers are decimal strings, members of enumerations are names, bytes are hex digits,
        bitmaps are lists of positions.
        """
        return type(self).__layout__.to_json(self)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Return the body that `to_json` gave; raise a `BodyError` that has the path of the fault.

        Counts may be left out; numbers may also be written in hex strings.
        """
        try:
            body: Self = cls.__layout__.from_json(value)
        except JsonError as error:
            path, fault = next(error.faults())
            raise BodyError(
                f"{path or cls.__name__}: {fault}", field=path or None, rule="field-out-of-range"
            ) from None
        return body

    @classmethod
    def layout(cls) -> list[dict[str, Any]]:
        """Return the declaration as data: offset, kind, size, doc and unit of each field."""
        return cls.__layout__.describe()

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a valid body made up from `rng`, for tests and simulated domains."""
        body: Self = cls.__layout__.example(rng)
        return body


class Empty(Body):
    """A body without any bytes."""


Body.__init__.__fields__ = ()  # type: ignore[attr-defined]  # marks it as not the author's: see declaration


def _by_offset(problem: Problem) -> tuple[bool, int]:
    """Return a sort key: problems by offset, those of the whole body last."""
    return problem.offset is None, problem.offset or 0


def _left_over(pos: int, end: int) -> Problem:
    return Problem(
        "body-not-consumed",
        f"{end - pos} bytes of the body are left over",
        pos,
        None,
        expected=f"{pos} bytes",
        actual=f"{end} bytes",
    )


def _refuse(problems: Iterable[Problem], rules: Rules) -> None:
    """Raise `BodyError` for the first problem that is an error."""
    for problem in problems:
        errno = rules.refusal(problem)
        if errno is not None:
            raise BodyError(
                problem.message,
                errno=errno,
                rule=problem.rule,
                offset=problem.offset,
                field=problem.field,
                expected=problem.expected,
                actual=problem.actual,
            )
