"""A made-up format, its records, and outlines of walks over them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support import (
    THIRD,
    formats,
    sources,
)

from domctx_core import (
    Body,
    BufferSource,
    Closed,
    Content,
    Empty,
    Fault,
    Format,
    Formats,
    Framing,
    Opened,
    Record,
    RecordType,
    Source,
    Trailing,
    blob,
    u16,
    u32,
    verify,
    walk,
)


class BoxPrologue(Body, byteorder="big"):
    """Magic, then the byte order of the records."""

    magic: int = u32()
    little: int = u16(maximum=1)
    label_size: int = u16()


class BoxHeader(Body, byteorder="big"):
    """A big-endian header in an order of its own, without instance."""

    length: int = u32()
    type: int = u32()


class Box(Format):
    """Made up: a prologue of two bodies, records padded to 4, the last has type 0xFF."""

    name = "box"
    title = "box"
    header = BoxHeader
    alignment = 4
    last = 0xFF
    optional = 0x8000_0000
    max_length = 1 << 20

    def recognises(self, head: bytes) -> bool:
        return head[:4] == b"BOX!"

    def byteorder(self, head: bytes) -> str:
        return "big"

    def prologue(self, bodies: Sequence[Body]) -> tuple[type[Body], int] | None:
        if not bodies:
            return BoxPrologue, 8
        if len(bodies) == 1:
            first = bodies[0]
            assert isinstance(first, BoxPrologue)
            return Label, first.label_size
        return None

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        first = bodies[0]
        assert isinstance(first, BoxPrologue)
        return Framing("little" if first.little else "big", 3)


class Label(Body):
    """The rest of the prologue."""

    text: bytes = blob()


class Wrap(Format):
    """A prologue of 4 bytes and nothing but a box after it."""

    name = "wrap"

    def recognises(self, head: bytes) -> bool:
        return head[:4] == b"WRAP"

    def prologue(self, bodies: Sequence[Body]) -> tuple[type[Body], int] | None:
        return None if bodies else (Label, 4)

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        return Framing("little", 1, follows="box")


class Number(Body):
    """Shows the byte order of the framing."""

    value: int = u32(maximum=1000)


def box_type(code: int, name: str, body: type[Body] = Label, **extra: Any) -> RecordType[Any]:
    made: RecordType[Any] = type(
        name, (RecordType,), {"code": code, "name": name, "body": body, **extra}
    )()
    return made


TYPES = [
    box_type(0xFF, "LAST", Empty),
    box_type(1, "NUMBER", Number),
    box_type(2, "BLOB", content=Content("domain-context")),
    box_type(3, "INLINE", Empty, content=Content("domain-context", inline=True)),
    box_type(4, "SELF", content=Content("box")),
    box_type(5, "ANYTHING", content=Content(None)),
    box_type(6, "PAGES", bulk=True),
    box_type(7, "PAUSE", Empty, suspends=True),
    box_type(8, "INNER", Empty, content=Content("inner", inline=True)),
    box_type(9, "AGAIN", Empty, content=Content("inner", inline=True, resumes=True)),
    box_type(10, "MISSING", content=Content("libnone")),
    box_type(11, "ANYLINE", Empty, content=Content(None, inline=True)),
    box_type(12, "BULKCTX", bulk=True, content=Content("domain-context")),
]


class Inner(Box):
    """A box that can be suspended."""

    name = "inner"


INNER_TYPES = [
    box_type(0xFF, "LAST", Empty),
    box_type(1, "NUMBER", Number),
    box_type(7, "PAUSE", Empty, suspends=True),
]


def known() -> Formats:
    made = formats()
    made.add("wrap", THIRD, Wrap)
    made.add("box", THIRD, Box)
    made.add("inner", THIRD, Inner)
    for each in TYPES:
        made.registry("box").register(each, THIRD)
    for each in INNER_TYPES:
        made.registry("inner").register(each, THIRD)
    return made


def brec(type: int, body: bytes = b"") -> bytes:
    return struct.pack(">II", len(body), type) + body + bytes(-len(body) % 4)


LAST = brec(0xFF)


def box(*records: bytes, little: int = 0, label: bytes = b"label", tail: bytes = LAST) -> bytes:
    return struct.pack(">4sHH", b"BOX!", little, len(label)) + label + b"".join(records) + tail


def outline(data: bytes, tmp: Path | None = None) -> list[str]:
    """What the walker says, one line an event; the same for all kinds of source."""
    every: list[list[str]] = []
    for _, source in sources(data, tmp / "input") if tmp else [("memory", BufferSource(data))]:
        lines = []
        for event in walk(source, known()):
            match event:
                case Opened(level, resumed):
                    lines.append(f"{'resume' if resumed else 'open'} {'/'.join(level.path)}")
                case Record():
                    lines.append(f"{event.offset} {event.name}[{event.instance}] {event.length}")
                case Closed(level, offset, _, broken):
                    lines.append(f"{'drop' if broken else 'close'} {level.format.name} {offset}")
                case Trailing(level, offset, length, raw):
                    lines.append(f"trailing {level.format.name} {offset}+{length} {raw[:4].hex()}")
                case Fault(_, finding):
                    lines.append(f"fault {finding.rule} {finding.offset}")
        every.append(lines)
    assert all(lines == every[0] for lines in every)
    return every[0]


def rules(data: bytes, **options: Any) -> list[tuple[str, int]]:
    return [(f.rule, f.offset) for f in verify(BufferSource(data), known(), **options).findings]


def closings(source: Source) -> list[tuple[str, int, int | None, bool]]:
    return [
        (event.level.format.name, event.offset, event.rest, event.broken)
        for event in walk(source, known())
        if isinstance(event, Closed)
    ]


def outline_with_cap(data: bytes, cap: int) -> list[str]:
    return [f.rule for f in verify(BufferSource(data), known(), cap=cap).findings]
