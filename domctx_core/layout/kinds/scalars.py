"""Kinds without inner structure: integers, reserved bytes, bytes, text and bitmaps."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import Enum, IntFlag
from typing import TYPE_CHECKING, Any

from domctx_core.base.errors import DeclarationError, Errno
from domctx_core.base.problems import Problem
from domctx_core.base.text import suggestion
from domctx_core.layout.kinds.base import Checker, JsonError, Kind, Reader, parse_integer
from domctx_core.layout.kinds.bits import Bits

if TYPE_CHECKING:
    import random

_CODES = {(1, False): "B", (2, False): "H", (4, False): "I", (8, False): "Q"}
_CODES |= {(size, True): code.lower() for (size, _), code in _CODES.items()}


INTEGER_TEXT = {"$ref": "#/$defs/integer"}
"""The schema of an integer in a string: decimal, or hexadecimal after 0x."""

HEX = {"$ref": "#/$defs/hex"}
"""The schema of bytes in hex digits."""

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
            number = 0
            for place, item in enumerate(value):
                try:
                    number |= self._number(item)
                except JsonError as fault:
                    raise fault.at(f"[{place}]") from None
        else:
            number = self._number(value)
        return self.wrap(number)

    def _number(self, value: Any) -> int:
        number = self._integer(value)
        if not self.lowest <= number <= self.highest:
            from domctx_core.base.text import excerpt

            raise JsonError(f"{excerpt(number)} does not fit a {self.label}")
        return number

    def _integer(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise JsonError(f"expected a number, found {value!r:.60}")
        if isinstance(value, int):
            return value
        if self.enum is not None and value in self.enum.__members__:
            return int(self.enum[value].value)
        try:
            return parse_integer(value)
        except ValueError:
            names = "" if self.enum is None else " or one of " + ", ".join(self.enum.__members__)
            near = suggestion(value, () if self.enum is None else self.enum.__members__)
            raise JsonError(f"expected a number{names}, found {value!r:.60}{near}") from None

    def schema(self) -> dict[str, Any]:
        number: dict[str, Any] = {
            "type": "integer",
            "minimum": self.lowest,
            "maximum": self.highest,
        }
        if self.enum is None:
            return {"anyOf": [number, INTEGER_TEXT]}
        named: dict[str, Any] = {"enum": list(self.enum.__members__)}
        if not self.flags:
            return {"anyOf": [named, number, INTEGER_TEXT]}
        item = {"anyOf": [named, number, INTEGER_TEXT]}
        return {"anyOf": [{"type": "array", "items": item}, number, INTEGER_TEXT]}

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
    judges = True

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
            checker.wrong_type("bytes", value)
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
            raw = bytes.fromhex(value)
        except (TypeError, ValueError):
            raise JsonError(f"expected a string of hex digits, found {value!r:.60}") from None
        if self.size is not None and len(raw) != self.size:
            raise JsonError(f"expected {self.size} bytes in hex, found {len(raw)}")
        return raw

    def schema(self) -> dict[str, Any]:
        if self.size is None:
            return HEX
        return {"allOf": [HEX, {"minLength": 2 * self.size}]}

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
            checker.wrong_type("text", value)
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
            size = len(self._raw(value))
        except UnicodeEncodeError:
            raise JsonError("the text has characters that UTF-8 cannot hold") from None
        if self.size is not None and size != self.size:
            raise JsonError(f"expected text of {self.size} bytes, found {size}")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string"} | ({} if self.size is None else {"maxLength": self.size})

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
            checker.wrong_type("a Bits", value)
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
        if not isinstance(value, list):
            raise JsonError(f"expected a list of bit numbers, found {value!r:.60}")
        bits = 8 * self.size
        wrong = [
            self._no_position(item).at(f"[{number}]")
            for number, item in enumerate(value)
            if type(item) is not int or not 0 <= item < bits
        ]
        if wrong:
            raise JsonError.of(wrong)
        return Bits(bits, value)

    def _no_position(self, item: Any) -> JsonError:
        from domctx_core.base.text import excerpt

        last = 8 * self.size - 1
        if type(item) is not int:
            return JsonError(f"expected a bit number, found {item!r:.60}")
        said = f"position {excerpt(item)} is outside a bitmap of {last + 1} bits (0 to {last})"
        return JsonError(said)

    def schema(self) -> dict[str, Any]:
        bit = {"type": "integer", "minimum": 0, "maximum": 8 * self.size - 1}
        return {"type": "array", "items": bit}

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> Bits:
        bits = 8 * self.size
        return Bits.from_int(bits, rng.choice([0, -1, rng.getrandbits(bits)]))

    def text(self, value: Bits) -> str:
        return value.text()

    def describe(self) -> dict[str, Any]:
        return {"word": self.word}
