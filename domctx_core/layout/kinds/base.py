"""Kinds: how one value of a body is laid out in bytes.

A kind knows the size of its values, decodes, encodes and checks them, and turns them into JSON and
back. A field gives a kind a name and documentation, a body is fields in a row. Every field is of a
kind, so that each tool (codec, JSON, schema, verify, show) is written once for all record types.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from domctx_core.base.errors import BodyError, Errno
from domctx_core.base.problems import Problem

if TYPE_CHECKING:
    import random

__all__ = [
    "BYTE_ORDERS",
    "LONGEST_INTEGER",
    "ORDERS",
    "ByteOrder",
    "Checker",
    "JsonError",
    "Kind",
    "Reader",
    "describe",
    "leaves",
    "parse_integer",
]

ByteOrder = Literal["little", "big"]
"""A byte order, named as `int.to_bytes` names it."""

ORDERS: dict[ByteOrder, str] = {"little": "<", "big": ">"}
BYTE_ORDERS: dict[str, ByteOrder] = {code: name for name, code in ORDERS.items()}


class Reader:
    """The position in a body that is being decoded, and the problems found so far.

    `data` is the body's bytes, `pos` the next one to read, `end` one past the last that may be
    read, `order` the struct prefix of its byte order. What decodes a value that may break a rule
    sets `suspect`; only then are the decoded values checked, which reports what is wrong.
    """

    __slots__ = ("data", "end", "order", "path", "pos", "problems", "suspect")

    def __init__(
        self, data: bytes | bytearray | memoryview, order: str, pos: int = 0, *path: str
    ) -> None:
        self.data = data
        self.pos = pos
        self.end = len(data)
        self.order = order
        self.path = list(path)
        self.problems: list[Problem] = []
        self.suspect = False

    def advance(self, size: int, what: str) -> int:
        """Step over `size` bytes; return the offset at which they start."""
        start = self.pos
        if size > self.end - start:
            raise self.short(size, what)
        self.pos = start + size
        return start

    def short(self, size: int, what: str) -> BodyError:
        """Return the error that a value of `size` bytes is cut off."""
        name = self.name(what)
        return BodyError(
            f"the body ends inside `{name}`",
            errno=Errno.ENODATA,
            rule="body-too-short",
            offset=self.pos,
            field=name,
            expected=f"{size} bytes",
            actual=f"{self.end - self.pos} bytes",
        )

    def name(self, leaf: str) -> str:
        """Return the path of a field here."""
        return ".".join([*self.path, leaf]) if leaf else ".".join(self.path)


class Checker:
    """Collects the problems of values while their offsets and names are kept track of.

    A `thorough` one also checks kinds whose values are always valid where they were decoded, but
    need not be where they were set.
    """

    __slots__ = ("path", "pos", "problems", "thorough")

    def __init__(self, thorough: bool = False) -> None:
        self.pos = 0
        self.thorough = thorough
        self.path: list[str] = []
        self.problems: list[Problem] = []

    def report(
        self,
        rule: str,
        message: str,
        *,
        expected: Any = None,
        actual: Any = None,
        errno: Errno | None = None,
    ) -> None:
        """Add a problem of the value that is being checked."""
        self.problems.append(
            Problem(rule, message, self.pos, ".".join(self.path), expected, actual, errno)
        )

    def wrong_type(self, expected: str, value: Any) -> None:
        """Report a value that is not of the type that its field has."""
        self.report(
            "field-out-of-range",
            "a value of the wrong type",
            expected=expected,
            actual=type(value).__name__,
        )


class JsonError(Exception):
    """A JSON value does not fit its kind; `path` is filled in on the way out.

    One for several errors has them as `inner`, with paths that continue its own.
    """

    def __init__(self, message: str, inner: Sequence[JsonError] = ()) -> None:
        super().__init__(message)
        self.path: list[str] = []
        self.inner = tuple(inner)

    @classmethod
    def of(cls, errors: Sequence[JsonError]) -> JsonError:
        """Return one error for all of `errors`, of which there is at least one."""
        return errors[0] if len(errors) == 1 else cls(str(errors[0]), errors)

    def at(self, step: str) -> Self:
        """Return this error as one of what has the value under `step`: a field's name, or `[3]`."""
        self.path.insert(0, step)
        return self

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield each fault as path, such as `row[1].x`, and message, in the order of the value."""
        for steps, message in self._faults():
            yield ".".join(steps).replace(".[", "["), message

    def _faults(self) -> Iterator[tuple[list[str], str]]:
        if not self.inner:
            yield self.path, str(self)
        for error in self.inner:
            for steps, message in error._faults():
                yield [*self.path, *steps], message


LONGEST_INTEGER = 100
"""Characters of an integer in text; what needs more does not fit any field."""


def parse_integer(text: str) -> int:
    """Return the integer that a text is; raise `ValueError` if it is none.

    Decimal, or hexadecimal after `0x`, as the schemas allow; Python's own notations (`1_000`,
    `0b1`, spaces around it) are not.
    """
    digits = text.removeprefix("-")
    if text[LONGEST_INTEGER:] or not (digits.isascii() and digits.isalnum()):
        raise ValueError("not an integer")
    return int(text, 16 if digits[:2] in ("0x", "0X") else 10)


class Kind(ABC):
    """How a value is laid out. `size` is its length in bytes where that never changes."""

    size: int | None = None
    #: True if `check` can find anything; a body of plain integers need not be checked at all.
    checked: bool = False
    #: True if `decode` notices all that `check` would find, and sets `suspect` in just that case.
    judges: bool = False
    #: The name that `domctx types` prints.
    label: str = ""

    @abstractmethod
    def decode(self, reader: Reader, values: Mapping[str, Any]) -> Any:
        """Read a value. `values` has the fields before it in the same body."""

    @abstractmethod
    def encode(self, value: Any, out: bytearray, order: str) -> None:
        """Append the value's bytes."""

    def size_of(self, value: Any) -> int:
        """Return how many bytes `encode` appends for this value."""
        if self.size is None:
            raise NotImplementedError(type(self).__name__)
        return self.size

    def length_of(self, value: Any) -> int:
        """Return `size_of`, or 0 for a value of a wrong type, which `check` reports."""
        if self.size is not None:
            return self.size
        try:
            return self.size_of(value)
        except (AttributeError, TypeError, ValueError):
            return 0

    def check(self, value: Any, checker: Checker, values: Mapping[str, Any]) -> None:
        """Report what is wrong with a value; `checker.pos` is its offset and stays so."""

    @abstractmethod
    def to_json(self, value: Any) -> Any:
        """Return the value as JSON."""

    @abstractmethod
    def from_json(self, value: Any, values: Mapping[str, Any]) -> Any:
        """Return the value of its JSON; raises `JsonError`."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of what `to_json` gives and `from_json` takes; empty: anything.

        The whole schema has `#/$defs/integer`, an integer in a string, to refer to.
        """
        return {}

    @abstractmethod
    def example(self, rng: random.Random, values: Mapping[str, Any]) -> Any:
        """Return a valid value, different for different `rng`."""

    def text(self, value: Any) -> str:
        """Return the value on one line, for people."""
        return str(value)

    def describe(self) -> dict[str, Any]:
        """Return what `types --layout` prints of the kind beyond its label and size."""
        return {}

    def parts(self) -> Iterable[Kind]:
        """Return the kinds of the values that a value of this kind holds."""
        return ()

    def adopt(self, annotation: Any) -> Kind:
        """Return the kind that an annotation makes of this one (an integer takes an enum)."""
        return self


def leaves(kind: Kind) -> Iterator[Kind]:
    """Yield the kind itself and all kinds inside it."""
    yield kind
    for part in kind.parts():
        yield from leaves(part)


def describe(kind: Kind) -> dict[str, Any]:
    """Return label, size and particulars of a kind, as `types --layout` prints them."""
    return {"kind": kind.label, "size": kind.size, **kind.describe()}
