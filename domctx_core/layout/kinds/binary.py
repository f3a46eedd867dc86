"""Kinds of bytes without inner structure: reserved bytes, blobs, text and bitmaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from domctx_core.base.errors import DeclarationError
from domctx_core.base.problems import Problem
from domctx_core.layout.kinds.base import Checker, JsonError, Kind, Reader
from domctx_core.layout.kinds.bits import Bits

if TYPE_CHECKING:
    import random

__all__ = ["HEX", "Bitmap", "Blob", "Reserved", "Text"]


HEX = {"$ref": "#/$defs/hex"}
"""The schema of bytes in hex digits."""


class Reserved(Kind):
    """Bytes that are written as zero and reported when they are read as anything else."""

    label = "reserved"

    def __init__(self, size: int) -> None:
        self.size: int = size

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> None:
        start = reader.advance(self.size, "")
        self.inspect(bytes(reader.data[start : start + self.size]), start, reader, "")

    def inspect(self, raw: bytes, offset: int, reader: Reader, name: str) -> None:
        """Report the first byte that is not zero."""
        rest = raw.lstrip(b"\0")
        if rest:
            reader.problems.append(
                Problem(
                    "reserved-not-zero",
                    "reserved bytes are not zero",
                    offset + len(raw) - len(rest),
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
        start = reader.advance(size, "")
        return bytes(reader.data[start : start + size])

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
        """Return the bitmap as one little-endian number, which it is where its words are."""
        if order == "<":
            return raw
        word = self.word
        return b"".join(raw[i : i + word][::-1] for i in range(0, len(raw), word))

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> Bits:
        start = reader.advance(self.size, "")
        raw = self._swap(bytes(reader.data[start : start + self.size]), reader.order)
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
        return JsonError(
            f"position {excerpt(item)} is outside a bitmap of {last + 1} bits (0 to {last})"
        )

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
