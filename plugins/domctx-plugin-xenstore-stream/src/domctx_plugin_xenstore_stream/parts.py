"""What the bodies of xenstore records have in common: strings that end with a NUL, alignment."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

from domctx_core import (
    Checker,
    Field,
    JsonError,
    Kind,
    Problem,
    Reader,
    Severity,
)

__all__ = ["ALIGNMENT", "Alignment", "aligned", "filling", "ignored", "not_a_string"]

ALIGNMENT = 8


class Alignment(Kind):
    """The bytes, none to seven, up to the next multiple of 8 of the body, where it is that long.

    The specification counts them as padding of the record. xenstored counts them as part of the
    body, and so there are streams of both kinds.
    """

    label = "alignment"
    checked = True

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> bytes:
        size = min(filling(reader.pos), reader.end - reader.pos)
        at = reader.advance(size, "")
        reader.suspect |= size > 0
        return bytes(reader.data[at : at + size])

    def encode(self, value: Any, out: bytearray, order: str) -> None:
        out += value

    def size_of(self, value: Any) -> int:
        return len(value)

    def check(self, value: Any, checker: Checker, values: Mapping[str, Any]) -> None:
        if not isinstance(value, bytes) or len(value) not in (0, filling(checker.pos)):
            checker.report(
                "field-out-of-range",
                "the alignment does not end at a multiple of 8",
                expected=f"0 or {filling(checker.pos)} bytes",
                actual=f"{value!r:.40}",
            )

    def to_json(self, value: Any) -> Any:
        return bytes(value).hex()

    def from_json(self, value: Any, values: Mapping[str, Any]) -> bytes:
        try:
            return bytes.fromhex(value)
        except (TypeError, ValueError):
            raise JsonError(f"expected a string of hex digits, found {value!r:.60}") from None

    def schema(self) -> dict[str, Any]:
        return {"$ref": "#/$defs/hex"}

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> bytes:
        return b""

    def text(self, value: Any) -> str:
        return f"{len(value)} bytes" if value else "none"


def filling(size: int) -> int:
    """Return how many bytes are missing from `size` to the next multiple of 8."""
    return -size % ALIGNMENT


def aligned(*, doc: str = "zeros up to a multiple of 8, where they are part of the body") -> Any:
    """Return a field for zero to seven bytes of alignment; see `Alignment`."""
    return Field(Alignment(), "", doc, default=b"")


def ignored(name: str, value: bytes) -> Iterable[Problem]:
    """Report bytes that are not zero where writers write zeros and readers ignore them."""
    if value.strip(b"\0"):
        yield Problem(
            "reserved-not-zero",
            f"`{name}` is not zero; a reader ignores it",
            field=name,
            expected="00" * len(value),
            actual=value.hex(),
            severity=Severity.WARNING,
        )


def not_a_string(name: str, value: str) -> Iterable[Problem]:
    """Report a string that does not end with its only NUL."""
    if not isinstance(value, str) or value.count("\0") != 1 or value[-1] != "\0":
        yield Problem(
            "field-out-of-range",
            f"`{name}` is not a string that ends with its only NUL",
            field=name,
            expected="text and one NUL",
            actual=ascii(value)[:60],
        )
