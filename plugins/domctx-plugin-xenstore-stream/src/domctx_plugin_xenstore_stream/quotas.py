"""Quotas as a record holds them: all values, then all names."""

from __future__ import annotations

import random
import struct
from collections.abc import Mapping
from typing import Any

from domctx_core import (
    Checker,
    Field,
    JsonError,
    Kind,
    Reader,
)

__all__ = ["Quotas", "quotas"]

_MOST = 0xFFFFFFFF


class Quotas(Kind):
    """Values of 32 bits and then as many names, each ended by a NUL, as the `counts` fields say.

    The value is a list of (name, value); JSON has an object with both for each.
    """

    label = "quotas"
    checked = True

    def __init__(self, counts: tuple[str, ...]) -> None:
        self.counts = counts
        #: The field that counts them, for `count_of`; None where it takes several to do so.
        self.count = counts[0] if len(counts) == 1 else None

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> list[tuple[str, int]]:
        count = sum(int(values[name]) for name in self.counts)
        at = reader.advance(4 * count, "")
        numbers = struct.unpack_from(f"{reader.order}{count}I", reader.data, at)
        names = []
        for _ in range(count):
            rest = bytes(reader.data[reader.pos : reader.end])
            name, nul, _ = rest.partition(b"\0")
            if not nul:
                raise reader.short(len(rest) + 1, "")
            reader.pos += len(name) + 1
            names.append(name.decode("utf-8", "surrogateescape"))
        return list(zip(names, numbers, strict=True))

    def encode(self, value: Any, out: bytearray, order: str) -> None:
        out += struct.pack(f"{order}{len(value)}I", *(number for _, number in value))
        out += b"".join(_raw(name) for name, _ in value)

    def size_of(self, value: Any) -> int:
        return sum(4 + len(_raw(name)) for name, _ in value)

    def check(self, value: Any, checker: Checker, values: Mapping[str, Any]) -> None:
        try:
            fits = all("\0" not in name and 0 <= number <= _MOST for name, number in value)
            self.size_of(value)
        except (TypeError, ValueError, AttributeError):
            fits = False
        if not fits:
            checker.report(
                "field-out-of-range",
                "not a row of quotas",
                expected="pairs of a name without a NUL and an unsigned 32-bit number",
                actual=f"{value!r:.60}",
            )
        elif self.count is None and len(value) != sum(int(values[name]) for name in self.counts):
            checker.report(
                "field-out-of-range",
                "there are not as many quotas as announced",
                expected=" + ".join(self.counts),
                actual=len(value),
            )

    def to_json(self, value: Any) -> Any:
        return [{"name": name, "value": number} for name, number in value]

    def from_json(self, value: Any, values: Mapping[str, Any]) -> list[tuple[str, int]]:
        if not isinstance(value, list):
            raise JsonError(f"expected a list of quotas, found {value!r:.60}")
        rows = []
        for number, item in enumerate(value):
            fits = isinstance(item, dict) and set(item) == {"name", "value"}
            if not fits or not isinstance(item["name"], str) or type(item["value"]) is not int:
                message = f"expected an object with name and value, found {item!r:.60}"
                raise JsonError(message).at(f"[{number}]")
            if "\0" in item["name"]:
                raise JsonError("a NUL would end the name").at("name").at(f"[{number}]")
            if not 0 <= item["value"] <= _MOST:
                raise JsonError(f"expected 0 to {_MOST}").at("value").at(f"[{number}]")
            rows.append((item["name"], item["value"]))
        return rows

    def schema(self) -> dict[str, Any]:
        quota = {
            "name": {"type": "string", "pattern": "^[^\\u0000]*$"},
            "value": {"type": "integer", "minimum": 0, "maximum": _MOST},
        }
        item = {
            "type": "object",
            "properties": quota,
            "required": list(quota),
            "additionalProperties": False,
        }
        return {"type": "array", "items": item}

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> list[tuple[str, int]]:
        count = rng.randrange(4)
        if self.count is None:
            count = sum(int(values[name]) for name in self.counts)
        return [(f"quota{number}", rng.randrange(1000)) for number in range(count)]

    def text(self, value: Any) -> str:
        return ", ".join(f"{name} {number or 'unlimited'}" for name, number in value) or "none"


def _raw(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape") + b"\0"


def quotas(*counts: str, doc: str = "") -> Any:
    """Return a field for as many quotas as the fields named `counts` add up to; see `Quotas`."""
    return Field(Quotas(counts), "", doc)
