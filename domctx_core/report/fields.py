"""A body's fields beside its bytes, and what a body holds in short."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domctx_core.base.problems import Finding
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.binary import Blob, Text
from domctx_core.layout.kinds.scalars import Int
from domctx_core.layout.spans import FieldSpan, spans, with_unit
from domctx_core.report.blocks import Fields, Marked, Row
from domctx_core.report.dump import make_dump

__all__ = ["DUMPED", "FIELDS", "description", "facts_of", "make_fields", "short_text"]

DUMPED = 8192
"""Bytes of one body that are in a page."""

FIELDS = 1000
"""Fields of one record that are in a page."""

_ELEMENTS = 16
"""Elements of one array of bodies that are in a page field by field."""

_ELEMENT = re.compile(r"([^\[]*)\[(\d+)(?:-(\d+))?\]")

_SHORT = 160
"""Characters that say in short what a record holds."""


def make_fields(
    id: str,
    body: Body | None,
    raw: bytes,
    start: int,
    size: int,
    marked: Sequence[Marked],
    padding: int = 0,
    most: int = FIELDS,
) -> tuple[Fields, tuple[Marked, ...]]:
    """Return a body's fields beside its bytes, and the findings that belong to none of them.

    `raw` are the first of the `size` bytes from offset `start` of the input, the last `padding` of
    which are no part of the body. `id` is what the ids in the page begin with. There are at most
    `most` fields.
    """
    rows: list[Row] = []
    owners: list[tuple[int, int, int]] = []
    left = list(marked)

    def add(
        path: str, first: int, end: int, text: str, doc: str, quiet: bool, beyond: bool = False
    ) -> None:
        number = len(rows)
        mine = tuple(m for m in left if _about(m.finding, path, start, first, end))
        left[:] = [m for m in left if m not in mine]
        seen = not beyond and first < min(end, len(raw))
        if seen:
            owners.append((number, first, end))
        above, dot, name = path.rpartition(".")
        piece = f"{id}b{number}" if seen else ""
        text = text or ("zero" if beyond else _zero(raw, first, end))
        rows.append(
            Row(
                f"{id}f{number}",
                piece,
                above + dot,
                name,
                None if beyond else first,
                end - first,
                text,
                doc,
                quiet,
                mine,
            )
        )

    more = 0
    for part in () if body is None else _parts(spans(body, fold=True)):
        if len(rows) >= most:
            more += 1
        elif isinstance(part, FieldSpan):
            zeros = type(part.kind) is Blob and part.size > 0 and not any(part.value)
            text = "zero" if zeros else part.text
            doc = part.doc or ("reserved" if part.reserved else "")
            beyond = part.size > 0 and part.offset >= size - padding
            add(part.path, part.offset, part.end, text, doc, part.reserved or zeros, beyond)
        else:
            add(part.path, part.offset, part.end, "not field by field", part.doc, True)
    if padding:
        add("padding", size - padding, size, "", "up to the next record", True)
    dump = make_dump(raw, start, owners, size - len(raw)) if size else None
    return Fields(id, tuple(rows), dump, more), tuple(left)


@dataclass(slots=True)
class _Rest:
    """The elements of a long array after those that are shown field by field."""

    name: str
    offset: int
    end: int
    last: int
    doc: str

    @property
    def path(self) -> str:
        first = f"{self.name}[{_ELEMENTS}"
        return f"{first}]" if self.last == _ELEMENTS else f"{first}-{self.last}]"


def _parts(fields: Iterable[FieldSpan]) -> Iterator[FieldSpan | _Rest]:
    """Yield the fields, but of a long array only its first elements."""
    rest: _Rest | None = None
    for span in fields:
        element = _ELEMENT.match(span.path)
        name, last = (element[1], int(element[3] or element[2])) if element else ("", 0)
        if rest is not None and name == rest.name:
            rest.end, rest.last = span.end, last
            continue
        if rest is not None:
            yield rest
            rest = None
        if element and int(element[2]) >= _ELEMENTS:
            rest = _Rest(name, span.offset, span.end, last, span.field.doc)
        else:
            yield span
    if rest is not None:
        yield rest


def _about(finding: Finding, path: str, start: int, first: int, end: int) -> bool:
    """Return True if a finding is about the field with this path and these bytes of the body."""
    if finding.field == path:
        return True
    return start + first <= finding.offset < start + end


def _zero(raw: bytes, first: int, end: int) -> str:
    """Return the text for bytes that have no meaning and should be zero."""
    if first >= len(raw):
        return "not shown"
    return "not zero" if any(raw[first:end]) else "zero"


def facts_of(body: Body) -> tuple[tuple[str, str], ...]:
    """Return the names and texts of a body's summary."""
    return tuple((str(name), str(text)) for name, text in body.summary().items())


def description(declared: type) -> str:
    """Return the first paragraph of a class's docstring."""
    if not declared.__doc__:
        return ""
    return " ".join(inspect.cleandoc(declared.__doc__).split("\n\n")[0].split())


def short_text(body: Body, facts: Sequence[tuple[str, str]]) -> str:
    """Return a body on one line: its summary, then its simple fields."""
    parts = [f"{name} {text}" for name, text in facts]
    for field in type(body).__layout__.fields:
        if sum(map(len, parts)) > _SHORT:
            break
        if isinstance(field.kind, (Int, Text)):
            value = getattr(body, field.name)
            parts.append(f"{field.name} {with_unit(field.kind.text(value), value, field.unit)}")
    text = " · ".join(parts)
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
