"""Kinds of one number: integers with their ranges, enumerations and flags, and counts."""

from __future__ import annotations

import copy
import struct
from collections.abc import Mapping
from enum import Enum, IntFlag
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from domctx_core.base.errors import DeclarationError, Errno
from domctx_core.base.text import suggestion
from domctx_core.layout.kinds.base import Checker, JsonError, Kind, Reader, parse_integer

if TYPE_CHECKING:
    import random

__all__ = ["INTEGER_TEXT", "Count", "Int", "counted_length"]

_CODES = {(1, False): "B", (2, False): "H", (4, False): "I", (8, False): "Q"}
_CODES |= {(size, True): code.lower() for (size, _), code in _CODES.items()}


INTEGER_TEXT = {"$ref": "#/$defs/integer"}
"""The schema of an integer in a string: decimal, or hexadecimal after 0x."""


_COMBINATIONS = 256
"""Combinations of flags that are kept as members: to make one takes long."""


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
        self.code = _CODES[size, signed]
        bits = 8 * size
        self.lowest = -(1 << bits - 1) if signed else 0
        self.highest = (1 << bits - signed) - 1
        self._minimum, self._maximum = minimum, maximum
        #: The lowest and the highest number that breaks no rule, enumerations apart.
        self.bounds = (
            self.lowest if minimum is None else minimum,
            self.highest if maximum is None else maximum,
        )
        self.show = show
        self.label = f"{'i' if signed else 'u'}{bits}"
        self._errno = errno
        self._set_enum(enum)

    def _set_enum(self, enum: type[Enum] | None) -> None:
        """Take the names of numbers from an enumeration; `DeclarationError` where it has others."""
        self.enum = enum
        self.flags = enum is not None and issubclass(enum, IntFlag)
        if enum is not None:
            self._refuse_enum(enum)
        self._members: dict[int, Any] = {int(m.value): m for m in enum or ()}
        self.known = reduce(or_, self._members, 0) if self.flags else 0
        #: The members of valid numbers: those of the enumeration, and combinations of flags so far.
        self.values: dict[int, Any] = dict(self._members)
        self.checked = {enum, self._minimum, self._maximum} != {None}

    def adopt(self, annotation: Any) -> Kind:
        named = isinstance(annotation, type) and issubclass(annotation, Enum)
        if self.enum is not None or not named:
            return self
        kind = copy.copy(self)
        kind._set_enum(annotation)
        return kind

    def _refuse_enum(self, enum: type[Enum]) -> None:
        """Raise `DeclarationError` for an enumeration that cannot name this integer's values."""
        if not issubclass(enum, int):
            raise DeclarationError(
                f"{enum.__name__} cannot name the values of a {self.label}",
                expected="an IntEnum or IntFlag",
                actual=enum.__mro__[1].__name__,
            )
        if self.flags and self.lowest:
            raise DeclarationError(
                f"the flags {enum.__name__} need an unsigned integer, not {self.label}"
            )
        for member in enum:
            if not self.lowest <= member.value <= self.highest:
                raise DeclarationError(
                    f"{enum.__name__}.{member.name} does not fit a {self.label}",
                    expected=f"{self.lowest} to {self.highest}",
                    actual=int(member.value),
                )

    def wrap(self, number: int) -> Any:
        """Return the enumeration's member for a number; the number itself where there is none."""
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
        start = reader.advance(self.size, "")
        raw = bytes(reader.data[start : start + self.size])
        order: Any = "little" if reader.order == "<" else "big"
        reader.suspect |= self.checked
        return self.wrap(int.from_bytes(raw, order, signed=self.lowest < 0))

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
                    errno=self._errno,
                )
        elif self.enum is not None:
            if int(value) not in self._members:
                checker.report(
                    "field-out-of-range",
                    f"`{name}` is not a known value",
                    expected=", ".join(f"{int(m)} {m.name}" for m in self._members.values()),
                    actual=int(value),
                    errno=self._errno,
                )
        elif not self.bounds[0] <= value <= self.bounds[1]:
            checker.report(
                "field-out-of-range",
                f"`{name}` is outside its range",
                expected="{} to {}".format(*self.bounds),
                actual=value,
                errno=self._errno,
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
            for index, item in enumerate(value):
                try:
                    number |= self._number(item)
                except JsonError as fault:
                    raise fault.at(f"[{index}]") from None
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
        low, high = self.bounds
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
        if self._minimum is not None:
            extra["minimum"] = self._minimum
        if self._maximum is not None:
            extra["maximum"] = self._maximum
        if self.enum is not None:
            extra["flags" if self.flags else "enum"] = {
                m.name: int(m) for m in self._members.values()
            }
        return extra


class Count(Int):
    """An unsigned integer: how many elements another field has. It is computed, never stored."""

    def __init__(self, size: int, of: str, *, maximum: int | None, errno: Errno | None) -> None:
        super().__init__(size, maximum=maximum, errno=errno)
        self.of = of

    def inspect(self, number: int, offset: int, reader: Reader, name: str) -> None:
        """Report a count beyond its maximum, before memory is needed for what it counts."""
        checker = Checker()
        checker.pos, checker.path = offset, [*reader.path, name]
        self.check(number, checker, {})
        reader.problems += checker.problems

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "counts": self.of}


def counted_length(value: Any) -> int:
    """Return the number that a `Count` has for the value it counts: elements, or bytes of text."""
    return len(value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value)
