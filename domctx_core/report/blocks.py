"""The parts of a page as plain data: findings, containers, records, and what stands for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from domctx_core.base.problems import Finding, Rule, Severity
from domctx_core.model.registry import Provider
from domctx_core.report.dump import Dump

__all__ = [
    "Block",
    "Bytes",
    "Container",
    "Fields",
    "FoundRule",
    "LeftOut",
    "Marked",
    "RecordCard",
    "Row",
    "Table",
    "TableRow",
]


@dataclass(frozen=True, slots=True)
class Marked:
    """A finding with its number in the page, its rule, and where in the page it belongs."""

    id: str
    finding: Finding
    rule: Rule
    place: str
    label: str


@dataclass(frozen=True, slots=True)
class FoundRule:
    """One rule that was broken, and by what; `severity` is the gravest of its findings."""

    rule: Rule
    severity: Severity
    findings: tuple[Marked, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One field beside its bytes.

    `piece` is the id of its bytes in the dump, empty where they are not there; `above` is the part
    of the path before the field's own `name`; `offset` counts from the start of the body, and is
    None of a field that a short record lacks; `quiet` ones mean nothing to most readers.
    """

    id: str
    piece: str
    above: str
    name: str
    offset: int | None
    size: int
    text: str
    doc: str
    quiet: bool
    findings: tuple[Marked, ...] = ()


@dataclass(frozen=True, slots=True)
class Fields:
    """Fields and the bytes that they are; `left_out` counts fields that are not here."""

    id: str
    rows: tuple[Row, ...]
    dump: Dump | None
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Container:
    """The head of a container: what it is, and its prologue."""

    id: str
    depth: int
    title: str
    name: str
    version: int
    byteorder: str
    resumed: bool
    recognised: bool
    offset: int
    size: int
    records: int
    header: tuple[Fields, ...]
    findings: tuple[Marked, ...]


@dataclass(frozen=True, slots=True)
class RecordCard:
    """One record in full."""

    id: str
    depth: int
    index: int
    name: str
    known: bool
    instance: int | None
    type: int
    offset: int
    length: int
    padding: int
    provider: Provider | None
    doc: str
    note: str
    short: str
    facts: tuple[tuple[str, str], ...]
    fields: Fields
    findings: tuple[Marked, ...]
    collapsed: bool


@dataclass(frozen=True, slots=True)
class TableRow:
    """One record in short."""

    id: str
    index: int
    name: str
    offset: int
    length: int
    short: str
    findings: tuple[Marked, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Neighbouring records in short, one a row."""

    id: str
    depth: int
    title: str
    rows: Iterator[TableRow]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Records that are only counted: how many of each type, and their lowest and highest instance."""

    id: str
    depth: int
    count: int
    types: tuple[tuple[str, int, tuple[int, int] | None], ...]
    findings: tuple[Marked, ...]


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes of a container that are no records."""

    id: str
    depth: int
    title: str
    offset: int
    length: int
    dump: Dump
    findings: tuple[Marked, ...]


Block = Container | RecordCard | Table | LeftOut | Bytes
"""What a page is made of, in the order of the bytes."""
