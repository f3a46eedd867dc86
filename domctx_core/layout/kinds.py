"""Kinds: how one value of a body is laid out in bytes.

A kind knows the size of its values, reads and writes them, checks them, and turns them into JSON
and back. Fields (fields.py) give a kind a name and documentation; bodies (body.py) put fields in
a row. Whatever can be declared is one of the kinds here, so that every tool (codec, JSON, schema,
verify, show) is written once for all record types.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from enum import Enum, IntFlag
from typing import TYPE_CHECKING, Any, Literal

from domctx_core.errors import BodyError, DeclarationError, Errno
from domctx_core.layout.bits import Bits
from domctx_core.rules import Problem

if TYPE_CHECKING:
    import random

    from domctx_core.layout.body import Body, Layout

ByteOrder = Literal["little", "big"]
"""A byte order, named as `int.to_bytes` names it."""

ORDERS: dict[ByteOrder, str] = {"little": "<", "big": ">"}
JSON_SAFE = 2**53


class Reader:
    """The place in one body that is being decoded, and what was found wrong so far.

    `data` is the body's bytes, `pos` the next one to read, `end` one past the last that may be
    read, `order` the struct prefix of its byte order. Whoever decodes a value that may break a rule
    sets `suspect`; only then are the values of the body walked through once more and explained.
    """

    __slots__ = ("data", "end", "order", "path", "pos", "problems", "suspect")

    def __init__(self, data: bytes | bytearray | memoryview, order: str) -> None:
        self.data = data
        self.pos = 0
        self.end = len(data)
        self.order = order
        self.path: list[str] = []
        self.problems: list[Problem] = []
        self.suspect = False

    def advance(self, size: int, what: str) -> int:
        """Step over `size` bytes; give the offset that they start at."""
        start = self.pos
        if size > self.end - start:
            raise self.short(size, what)
        self.pos = start + size
        return start

    def short(self, size: int, what: str) -> BodyError:
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
        return ".".join([*self.path, leaf]) if leaf else ".".join(self.path)


class Checker:
    """Collects the problems of values while their offsets and names are kept track of.

    A `thorough` one also asks the kinds whose values are always good where they were decoded, and
    need not be where somebody set them.
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
        self.problems.append(
            Problem(rule, message, self.pos, ".".join(self.path), expected, actual, errno)
        )


class JsonError(Exception):
    """A JSON value does not fit its kind; `path` is filled in on the way out."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.path: list[str] = []


class Kind(ABC):
    """How a value is laid out. `size` is its length in bytes where that never changes."""

    size: int | None = None
    #: Whether `check` can find anything; lets a body of plain integers skip the whole walk.
    checked: bool = False
    #: The name that `domctx types` prints.
    label: str = ""

    @abstractmethod
    def decode(self, reader: Reader, values: Mapping[str, Any]) -> Any:
        """Read a value. `values` has the fields before it in the same body."""

    @abstractmethod
    def encode(self, value: Any, out: bytearray, order: str) -> None:
        """Append the value's bytes."""

    def size_of(self, value: Any) -> int:
        """How many bytes `encode` writes for this value."""
        if self.size is None:
            raise NotImplementedError(type(self).__name__)
        return self.size

    def length_of(self, value: Any) -> int:
        """`size_of`, and 0 for a value of a type that has no size here (`check` reports it)."""
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
        """The value as JSON holds it."""

    @abstractmethod
    def from_json(self, value: Any, values: Mapping[str, Any]) -> Any:
        """The value of what JSON holds; raises `JsonError`."""

    @abstractmethod
    def example(self, rng: random.Random, values: Mapping[str, Any]) -> Any:
        """A valid value, different for different `rng`."""

    def text(self, value: Any) -> str:
        """The value on one line, for people."""
        return str(value)

    def describe(self) -> dict[str, Any]:
        """What `types --layout` says of the kind beyond its label and size."""
        return {}

    def adopt(self, annotation: Any) -> Kind:
        """The kind that a field's annotation makes of this one (an integer takes an enum)."""
        return self


# ------------------------------------------------------------------------------------- integers

_CODES = {(1, False): "B", (2, False): "H", (4, False): "I", (8, False): "Q"}
_CODES |= {(size, True): code.lower() for (size, _), code in _CODES.items()}


_COMBINATIONS = 256
"""Flag words that are kept as members once they were met: making one is slow."""


class Int(Kind):
    """An integer of 1, 2, 4 or 8 bytes, perhaps with a range, an enumeration or flag names."""

    def __init__(
        self,
        size: int,
        signed: bool = False,
        *,
        minimum: int | None = None,
        maximum: int | None = None,
        enum: type[Enum] | None = None,
        show: str = "dec",
        errno: Errno | None = None,
    ) -> None:
        self.size: int = size
        self.signed = signed
        self.code = _CODES[size, signed]
        bits = 8 * size
        self.lowest = -(1 << bits - 1) if signed else 0
        self.highest = (1 << bits - signed) - 1
        self.minimum, self.maximum = minimum, maximum
        self.enum = enum
        self.flags = enum is not None and issubclass(enum, IntFlag)
        if enum is not None:
            self._refuse_enum(enum)
        self.show = show
        self.errno = errno
        self.label = f"{'i' if signed else 'u'}{bits}"
        self._members: dict[int, Any] = {}
        if enum is not None:
            self._members = {int(member.value): member for member in enum}
        self.known = 0
        for bit in self._members if self.flags else ():
            self.known |= bit
        #: What each number means that breaks no rule, as far as that was met.
        self.values: dict[int, Any] = dict(self._members)
        self.checked = enum is not None or minimum is not None or maximum is not None

    def adopt(self, annotation: Any) -> Kind:
        if not (isinstance(annotation, type) and issubclass(annotation, Enum)):
            return self
        if self.enum is not None:
            return self
        return Int(
            self.size,
            self.signed,
            minimum=self.minimum,
            maximum=self.maximum,
            enum=annotation,
            show=self.show,
            errno=self.errno,
        )

    def _refuse_enum(self, enum: type[Enum]) -> None:
        """Raise `DeclarationError` for an enumeration that cannot name this integer's values."""
        name = f"{'i' if self.signed else 'u'}{8 * self.size}"
        if not issubclass(enum, int):
            raise DeclarationError(
                f"{enum.__name__} cannot name the values of a {name}",
                expected="an IntEnum or IntFlag",
                actual=enum.__mro__[1].__name__,
            )
        if self.flags and self.signed:
            raise DeclarationError(
                f"the flags {enum.__name__} need an unsigned integer, not {name}"
            )
        for member in enum:
            if not self.lowest <= member.value <= self.highest:
                raise DeclarationError(
                    f"{enum.__name__}.{member.name} does not fit a {name}",
                    expected=f"{self.lowest} to {self.highest}",
                    actual=int(member.value),
                )

    def wrap(self, number: int) -> Any:
        """The enumeration's member for a number; the number itself where there is none."""
        if self.enum is None:
            return number
        member = self.values.get(number)
        if member is not None:
            return member
        if not self.flags:
            return number
        try:
            flags: Any = self.enum(number)
        except ValueError:  # an IntFlag with boundary=STRICT
            return number
        if int(flags) != number:  # boundary=CONFORM drops bits
            return number
        if len(self.values) < _COMBINATIONS and not number & ~self.known:
            self.values[number] = flags
        return flags

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> Any:
        at = reader.advance(self.size, "")
        raw = bytes(reader.data[at : at + self.size])
        order: Any = "little" if reader.order == "<" else "big"
        reader.suspect |= self.checked
        return self.wrap(int.from_bytes(raw, order, signed=self.signed))

    def encode(self, value: Any, out: bytearray, order: str) -> None:
        out += struct.pack(order + self.code, value)

    def check(self, value: Any, checker: Checker, values: Mapping[str, Any]) -> None:
        name = checker.path[-1] if checker.path else "value"
        if not isinstance(value, int) or not self.lowest <= value <= self.highest:
            checker.report(
                "field-out-of-range",
                f"`{name}` does not fit its {self.label}",
                expected=f"{self.lowest} to {self.highest}",
                actual=value,
            )
        elif self.flags:
            unknown = value & ~self.known
            if unknown:
                checker.report(
                    "reserved-not-zero",
                    f"`{name}` has unknown bits",
                    expected=f"no bits but {self.known:#x}",
                    actual=f"{int(value):#x} (unknown: {unknown:#x})",
                    errno=self.errno,
                )
        elif self.enum is not None:
            if int(value) not in self._members:
                checker.report(
                    "field-out-of-range",
                    f"`{name}` is not a known value",
                    expected=", ".join(f"{int(m)} {m.name}" for m in self._members.values()),
                    actual=int(value),
                    errno=self.errno,
                )
        elif (self.minimum is not None and value < self.minimum) or (
            self.maximum is not None and value > self.maximum
        ):
            low = self.lowest if self.minimum is None else self.minimum
            high = self.highest if self.maximum is None else self.maximum
            checker.report(
                "field-out-of-range",
                f"`{name}` is outside its range",
                expected=f"{low} to {high}",
                actual=value,
                errno=self.errno,
            )

    def to_json(self, value: Any) -> Any:
        if self.flags:
            names: list[str] = [m.name for bit, m in self._members.items() if value & bit == bit]
            unknown = value & ~self.known
            return [*names, hex(unknown)] if unknown else names
        if isinstance(value, Enum):
            return value.name
        if self.show == "hex":
            return hex(value)
        return str(value) if self.size == 8 else int(value)

    def from_json(self, value: Any, values: Mapping[str, Any]) -> Any:
        if self.flags and isinstance(value, list):
            total = 0
            for item in value:
                total |= int(self._number(item))
            number = total
        else:
            number = self._number(value)
        if not self.lowest <= number <= self.highest:
            raise JsonError(f"{number} does not fit a {self.label}")
        return self.wrap(number)

    def _number(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise JsonError(f"expected a number, found {value!r:.60}")
        if isinstance(value, int):
            return value
        if self.enum is not None and value in self.enum.__members__:
            return int(self.enum[value].value)
        try:
            return int(value, 0)
        except ValueError:
            names = "" if self.enum is None else " or one of " + ", ".join(self.enum.__members__)
            raise JsonError(f"expected a number{names}, found {value!r:.60}") from None

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> Any:
        if self.flags and self.enum is not None:
            return self.enum(sum(bit for bit in self._members if rng.random() < 0.5))
        if self.enum is not None:
            return rng.choice(list(self._members.values()))
        low = self.lowest if self.minimum is None else self.minimum
        high = self.highest if self.maximum is None else self.maximum
        return rng.choice(
            [low, high, rng.randint(low, high), rng.randint(low, min(high, low + 99))]
        )

    def text(self, value: Any) -> str:
        if self.flags:
            return " | ".join(self.to_json(value)) or "none"
        if isinstance(value, Enum):
            return f"{value.name} ({int(value.value)})"
        if self.enum is not None:
            return f"{value} (unknown)"
        return hex(value) if self.show == "hex" else str(value)

    def describe(self) -> dict[str, Any]:
        extra: dict[str, Any] = {}
        if self.minimum is not None:
            extra["minimum"] = self.minimum
        if self.maximum is not None:
            extra["maximum"] = self.maximum
        if self.enum is not None:
            extra["flags" if self.flags else "enum"] = {
                m.name: int(m) for m in self._members.values()
            }
        return extra


class Count(Int):
    """An unsigned integer that says how many elements another field has; it is never stored."""

    def __init__(self, size: int, of: str, *, maximum: int | None, errno: Errno | None) -> None:
        super().__init__(size, maximum=maximum, errno=errno)
        self.of = of

    def inspect(self, number: int, at: int, reader: Reader, name: str) -> None:
        """Report a count beyond its maximum before anything is made of it."""
        checker = Checker()
        checker.pos, checker.path = at, [*reader.path, name]
        self.check(number, checker, {})
        reader.problems += checker.problems

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "counts": self.of}


# ------------------------------------------------------------------------------- runs of bytes


def _wrong_type(checker: Checker, expected: str, value: Any) -> None:
    checker.report(
        "field-out-of-range",
        "a value of the wrong type",
        expected=expected,
        actual=type(value).__name__,
    )


class Reserved(Kind):
    """Bytes that are written as zero and reported when they are read as anything else."""

    label = "reserved"

    def __init__(self, size: int) -> None:
        self.size: int = size

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> None:
        at = reader.advance(self.size, "")
        self.inspect(bytes(reader.data[at : at + self.size]), at, reader, "")

    def inspect(self, raw: bytes, at: int, reader: Reader, name: str) -> None:
        """Report the first byte that is not zero."""
        rest = raw.lstrip(b"\0")
        if rest:
            reader.problems.append(
                Problem(
                    "reserved-not-zero",
                    "reserved bytes are not zero",
                    at + len(raw) - len(rest),
                    reader.name(name),
                    expected="00" * min(self.size, 8),
                    actual=raw[:8].hex() if self.size <= 8 else rest[:8].hex(),
                )
            )

    def encode(self, value: Any, out: bytearray, order: str) -> None:
        out += bytes(self.size)

    def to_json(self, value: Any) -> None:
        return None

    def from_json(self, value: Any, values: Mapping[str, Any]) -> None:
        return None

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> None:
        return None


class Blob(Kind):
    """Bytes without further structure: a fixed number, a counted number, or all that is left."""

    label = "bytes"

    def __init__(self, size: int | None = None, *, count: str | None = None) -> None:
        self.size = size
        self.count = count
        self.checked = size is not None

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> bytes:
        size = self.size
        if size is None:
            size = reader.end - reader.pos if self.count is None else values[self.count]
        at = reader.advance(size, "")
        return bytes(reader.data[at : at + size])

    def encode(self, value: Any, out: bytearray, order: str) -> None:
        out += value

    def size_of(self, value: Any) -> int:
        return len(value)

    def check(self, value: Any, checker: Checker, values: Mapping[str, Any]) -> None:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            _wrong_type(checker, "bytes", value)
        elif self.size is not None and len(value) != self.size:
            checker.report(
                "field-out-of-range",
                "wrong number of bytes",
                expected=f"{self.size} bytes",
                actual=f"{len(value)} bytes",
            )

    def to_json(self, value: Any) -> Any:
        return bytes(value).hex()

    def from_json(self, value: Any, values: Mapping[str, Any]) -> Any:
        try:
            return bytes.fromhex(value)
        except (TypeError, ValueError):
            raise JsonError(f"expected a string of hex digits, found {value!r:.60}") from None

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> Any:
        return rng.randbytes(rng.choice([0, 1, 7, 8, 100]) if self.size is None else self.size)

    def text(self, value: Any) -> str:
        head = bytes(value[:16]).hex(" ", 4)
        return f"{len(value)} bytes" + (
            f": {head}{' ...' if len(value) > 16 else ''}" if value else ""
        )

    def describe(self) -> dict[str, Any]:
        return {} if self.count is None else {"count": self.count}


class Text(Blob):
    """UTF-8 text; bytes that are not UTF-8 survive as surrogates. NULs at the end are kept."""

    label = "text"

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> Any:
        return super().decode(reader, values).decode("utf-8", "surrogateescape")

    def encode(self, value: Any, out: bytearray, order: str) -> None:
        out += self._raw(value)

    def size_of(self, value: Any) -> int:
        return len(self._raw(value))

    def check(self, value: Any, checker: Checker, values: Mapping[str, Any]) -> None:
        if not isinstance(value, str):
            _wrong_type(checker, "text", value)
            return
        try:
            super().check(self._raw(value), checker, values)
        except UnicodeEncodeError:
            checker.report(
                "field-out-of-range",
                "the text has characters that UTF-8 cannot hold",
                expected="UTF-8",
                actual=ascii(value)[:60],
            )

    @staticmethod
    def _raw(value: str) -> bytes:
        return value.encode("utf-8", "surrogateescape")

    def to_json(self, value: Any) -> Any:
        return value

    def from_json(self, value: Any, values: Mapping[str, Any]) -> Any:
        if not isinstance(value, str):
            raise JsonError(f"expected text, found {value!r:.60}")
        try:
            self._raw(value)
        except UnicodeEncodeError:
            raise JsonError("the text has characters that UTF-8 cannot hold") from None
        return value

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> Any:
        size = rng.randint(0, 40) if self.size is None else self.size
        return "".join(rng.choice("abcdefgh xyz0189") for _ in range(size))

    def text(self, value: Any) -> str:
        return repr(value) if len(value) <= 60 else f"{value[:60]!r} ... ({len(value)} characters)"


class Bitmap(Kind):
    """A bitmap in words of `word` bytes; bit p is bit p mod W of word p div W."""

    label = "bitmap"

    def __init__(self, size: int, word: int) -> None:
        if size % word:
            raise DeclarationError(
                f"a bitmap of {size} bytes does not divide into {word}-byte words"
            )
        self.size: int = size
        self.word = word

    def _swap(self, raw: bytes, order: str) -> bytes:
        """Little-endian words make the bitmap one little-endian number; others are turned."""
        if order == "<":
            return raw
        word = self.word
        return b"".join(raw[i : i + word][::-1] for i in range(0, len(raw), word))

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> Bits:
        at = reader.advance(self.size, "")
        raw = self._swap(bytes(reader.data[at : at + self.size]), reader.order)
        return Bits.from_int(8 * self.size, int.from_bytes(raw, "little"))

    def encode(self, value: Bits, out: bytearray, order: str) -> None:
        if value.size != 8 * self.size:
            raise ValueError(f"a bitmap of {value.size} bits where {8 * self.size} belong")
        out += self._swap(value.to_int().to_bytes(self.size, "little"), order)

    def check(self, value: Any, checker: Checker, values: Mapping[str, Any]) -> None:
        if not isinstance(value, Bits):
            _wrong_type(checker, "a Bits", value)
        elif value.size != 8 * self.size:
            checker.report(
                "field-out-of-range",
                "wrong number of bits",
                expected=8 * self.size,
                actual=value.size,
            )

    def to_json(self, value: Bits) -> list[int]:
        return list(value)

    def from_json(self, value: Any, values: Mapping[str, Any]) -> Bits:
        if not isinstance(value, list) or not all(type(item) is int for item in value):
            raise JsonError(f"expected a list of bit numbers, found {value!r:.60}")
        try:
            return Bits(8 * self.size, value)
        except BodyError as error:
            raise JsonError(error.message) from None

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> Bits:
        bits = 8 * self.size
        return Bits.from_int(bits, rng.choice([0, -1, rng.getrandbits(bits)]))

    def text(self, value: Bits) -> str:
        return value.text()

    def describe(self) -> dict[str, Any]:
        return {"word": self.word}


# ----------------------------------------------------------------------------------- aggregates


class Nested(Kind):
    """A body inside a body."""

    def __init__(self, body: type[Body]) -> None:
        self.body = body
        self.label = body.__name__

    @property
    def layout(self) -> Layout:
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

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> Any:
        return self.layout.example(rng)

    def describe(self) -> dict[str, Any]:
        return {"fields": self.layout.describe()}


class Array(Kind):
    """A row of equal things: a fixed number, a counted number, or as many as are left."""

    def __init__(self, element: Kind, count: int | str | None) -> None:
        self.element = element
        self.count = count
        if element.size == 0:
            raise DeclarationError("an array needs elements of at least one byte")

    @property
    def label(self) -> str:  # type: ignore[override]
        return f"{self.element.label}[{'...' if self.count is None else self.count}]"

    @property
    def size(self) -> int | None:  # type: ignore[override]
        size = self.element.size
        return size * self.count if isinstance(self.count, int) and size is not None else None

    @property
    def checked(self) -> bool:  # type: ignore[override]
        return self.element.checked or isinstance(self.count, int)

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> list[Any]:
        element, size = self.element, self.element.size
        count = self.count
        if isinstance(count, str):
            count = int(values[count])
        if size is not None:
            if count is None:
                count = (reader.end - reader.pos) // size
            elif count * size > reader.end - reader.pos:
                raise reader.short(count * size, "")
        if isinstance(element, Int):
            assert count is not None
            at = reader.advance(count * element.size, "")
            row = struct.unpack_from(f"{reader.order}{count}{element.code}", reader.data, at)
            reader.suspect |= element.checked
            return [element.wrap(number) for number in row] if element.enum else list(row)
        items: list[Any] = []
        while len(items) < count if count is not None else reader.pos < reader.end:
            reader.path[-1:] = [f"{reader.path[-1]}[{len(items)}]"]
            start = reader.pos
            items.append(element.decode(reader, values))
            if reader.pos == start:  # a claimed count of nothings would never end
                raise reader.short(1, "")
            reader.path[-1] = reader.path[-1].rpartition("[")[0]
        return items

    def encode(self, value: Any, out: bytearray, order: str) -> None:
        for item in value:
            self.element.encode(item, out, order)

    def size_of(self, value: Any) -> int:
        return sum(self.element.size_of(item) for item in value)

    def check(self, value: Any, checker: Checker, values: Mapping[str, Any]) -> None:
        if not isinstance(value, (list, tuple)):
            _wrong_type(checker, "a list", value)
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
        for number, item in enumerate(value):
            try:
                items.append(self.element.from_json(item, values))
            except JsonError as fault:
                fault.path.insert(0, f"[{number}]")
                raise
        if isinstance(self.count, int) and len(items) != self.count:
            raise JsonError(f"expected {self.count} elements, found {len(items)}")
        return items

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> Any:
        count = self.count if isinstance(self.count, int) else rng.choice([0, 1, 2, 5])
        return [self.element.example(rng, values) for _ in range(count)]

    def text(self, value: Any) -> str:
        return ", ".join(self.element.text(item) for item in value) or "none"

    def describe(self) -> dict[str, Any]:
        return {"count": self.count, "element": describe(self.element)}


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
        if self.lengths is None:
            present = reader.pos < reader.end
        else:
            present = len(reader.data) in self.lengths
        value = self.inner.decode(reader, values) if present else None
        return present if isinstance(self.inner, Reserved) else value

    def present(self, value: Any) -> bool:
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


class BySize(Kind):
    """One of several bodies of fixed size; the bytes that are left say which."""

    label = "by size"
    checked = True

    def __init__(self, bodies: Mapping[str, type[Body]]) -> None:
        self.bodies = dict(bodies)
        self.sizes: dict[int, type[Body]] = {}
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
        """The name of the variant that a value is."""
        return next(name for name, body in self.bodies.items() if type(value) is body)

    def to_json(self, value: Any) -> Any:
        return {"layout": self.name_of(value), **type(value).__layout__.to_json(value)}

    def from_json(self, value: Any, values: Mapping[str, Any]) -> Any:
        names = ", ".join(self.bodies)
        if not isinstance(value, dict):
            raise JsonError(f"expected an object with a `layout` of {names}")
        name = value.get("layout")
        if not isinstance(name, str) or name not in self.bodies:
            raise JsonError(f"expected a `layout` of {names}, found {name!r:.60}")
        fields = {key: item for key, item in value.items() if key != "layout"}
        return self.bodies[name].__layout__.from_json(fields)

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> Any:
        return rng.choice(list(self.bodies.values())).__layout__.example(rng)

    def describe(self) -> dict[str, Any]:
        return {
            "variants": [
                {"name": name, "size": body.__layout__.size, "fields": body.__layout__.describe()}
                for name, body in self.bodies.items()
            ]
        }


class Switch(Kind):
    """A union of `size` bytes; another field of the same body says which case it holds.

    A case that is shorter than the union is followed by zeros. A case of None is all zeros. Where
    the selector has no case, the value is the raw bytes.
    """

    label = "union"
    checked = True

    def __init__(self, selector: str, cases: Mapping[int, type[Body] | None], size: int) -> None:
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
        key = int(values[self.selector])
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


def describe(kind: Kind) -> dict[str, Any]:
    """Label, size and particulars of a kind, as `types --layout` prints them."""
    return {"kind": kind.label, "size": kind.size, **kind.describe()}


def leaves(kind: Kind) -> Iterator[Kind]:
    """The kind itself and all kinds inside it."""
    yield kind
    inner: Callable[[type[Body]], Iterator[Kind]] = lambda body: (  # noqa: E731
        leaf for field in body.__layout__.fields for leaf in leaves(field.kind)
    )
    if isinstance(kind, Nested):
        yield from inner(kind.body)
    elif isinstance(kind, Array):
        yield from leaves(kind.element)
    elif isinstance(kind, Optional):
        yield from leaves(kind.inner)
    elif isinstance(kind, BySize):
        for body in kind.bodies.values():
            yield from inner(body)
    elif isinstance(kind, Switch):
        for case in kind.cases.values():
            if case is not None:
                yield from inner(case)
