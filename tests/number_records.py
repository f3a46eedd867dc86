"""Record types of numbers, images of them, and handlers that take them in several ways."""

from __future__ import annotations

import struct
from typing import Any

from sample_bodies import Everything, Mode, Odd, Pair

from domctx_core import (
    Body,
    EndRecord,
    LoadContext,
    Provider,
    RecordType,
    Registry,
    StartRecord,
    reserved,
    u8,
    u32,
)


class PairRecord(RecordType[Pair]):
    """Pairs."""

    code, name, body = 0x100, "PAIR", Pair


class EverythingRecord(RecordType[Everything]):
    """All kinds of fields."""

    code, name, body = 0x101, "EVERYTHING", Everything


class OddRecord(RecordType[Odd]):
    """In another byte order than the image, perhaps."""

    code, name, body = 0x102, "ODD", Odd


def registry_of(*types: type[RecordType[Any]]) -> Registry:
    made = Registry()
    every: tuple[type[RecordType[Any]], ...] = (StartRecord, EndRecord, *types)
    for each in every:
        made.register(each, Provider("test", "1"))
    return made


class Number(Body):
    """A number and what is reserved."""

    number: int = u32(maximum=1000)
    pad = reserved(1)
    mode: Mode = u8()


class NumberRecord(RecordType[Number]):
    """Numbers: 6 bytes, so that there is padding."""

    code, name, body = 0x110, "NUMBER", Number


def numbers_image(count: int, code: int = 0x110, first: int = 0) -> bytes:
    rows = [struct.pack("<IIQIxBxx", code, first + n, 6, n % 1001, 1) for n in range(count)]
    return struct.pack("<IIQII", 1, 0, 8, 4, 15) + b"".join(rows) + bytes(16)


class Takes(NumberRecord):
    """Takes records in turn by `read`, by bytes, and not at all by itself."""

    ways: tuple[str, ...] = ("read",)
    places: list[tuple[int, int, int]] = []  # noqa: RUF012  # what a test looks at

    def load(self, domain: Any, context: LoadContext) -> None:
        way = self.ways[context.instance % len(self.ways)]
        if way == "read":
            number, body = context.read(self)
        elif way == "other":  # the same type, by another object
            number, body = context.read(NumberRecord())
        else:
            number = context.begin(self.code)
            raw = context.data(4) + context.data(2) if way == "parts" else context.rest()
            context.end()
            body = Number.from_bytes(raw)
        self.places.append((number, context.record, context.offset))
        self.act(domain, number, body)

    def act(self, domain: Any, number: int, body: Number) -> None:
        domain.write(Number, number, body)
