"""Walk the containers of a document and what is in each, be it one text or a line a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from domctx_core.document.encode.values import DocumentReader, join_path, json_type
from domctx_core.document.vocabulary import CONTAINER, INSIDE, LINE, STRETCHES
from domctx_core.reader.walker import MAX_DEPTH

__all__ = ["DocumentNode", "LineReader", "document_node"]

_CONTAINER = CONTAINER | INSIDE


@dataclass(slots=True)
class DocumentNode:
    """A container of a document: its own keys, and what is in it, in order.

    `parts` yields kind (`record`, `content`, `trailing`, `unframed`), value, path, and for a record
    the container that it holds or that follows it.
    """

    obj: dict[str, Any]
    path: str
    parts: Iterator[tuple[str, Any, str, DocumentNode | None]]


def document_node(doc: DocumentReader, obj: dict[str, Any], path: str) -> DocumentNode:
    return DocumentNode(obj, path, _document_parts(doc, obj, path))


def _document_parts(
    doc: DocumentReader, obj: dict[str, Any], path: str
) -> Iterator[tuple[str, Any, str, DocumentNode | None]]:
    records = obj.get("records", [])
    where = join_path(path, "records")
    if not any(key in obj for key in INSIDE):
        doc.fault(where, "the records are missing", expected="a list of records")
    elif not isinstance(records, list):
        doc.fault(where, "not a list", expected="a list of records", actual=json_type(records))
        records = []
    for number, record in enumerate(records):
        inner = None
        if "content" in record if type(record) is dict else False:
            inner = inner_node(doc, record["content"], f"{where}[{number}].content")
        yield "record", record, f"{where}[{number}]", inner
    if "content" in obj:
        inner = inner_node(doc, obj["content"], join_path(path, "content"))
        if inner is not None:
            yield "content", obj["content"], inner.path, inner
    for kind in STRETCHES:
        if kind in obj:
            yield kind, obj[kind], join_path(path, kind), None


def inner_node(doc: DocumentReader, content: Any, path: str) -> DocumentNode | None:
    if not doc.keys(content, _CONTAINER, path, "a container"):
        return None
    return document_node(doc, content, path)


class LineReader:
    """Groups the lines of a document into containers."""

    def __init__(self, doc: DocumentReader, lines: Iterable[tuple[str, Any]]) -> None:
        self.doc = doc
        self.lines = iter(lines)
        self.next: tuple[str, Any, tuple[str, ...]] | None = None

    def peek(self) -> tuple[str, Any, tuple[str, ...]] | None:
        """Return the next line with its place and the container that it names, without taking it."""
        while self.next is None:
            line = next(self.lines, None)
            if line is None:
                return None
            where, value = line
            if isinstance(value, dict) and set(value) == {"finding"}:
                continue  # `show --jsonl` has them
            names = value.get("container") if isinstance(value, dict) else None
            fits = isinstance(names, list) and names and all(isinstance(n, str) for n in names)
            if not fits:
                self.doc.fault(
                    join_path(where, "container"),
                    "the line does not say what container it belongs to",
                    expected="a list of formats from the outside in",
                    actual=json_type(names),
                )
                continue
            assert isinstance(names, list)
            self.next = where, value, tuple(names)
        return self.next

    def opening(self, outer: tuple[str, ...]) -> DocumentNode | None:
        """Return the container that the next line opens, if it opens one inside `outer`."""
        line = self.peek()
        if line is None or line[2][:-1] != outer or "format" not in line[1]:
            return None
        if len(outer) > MAX_DEPTH:
            return None  # it is not gone into: the line is left over, and that is reported
        self.next = None
        where, value, names = line
        self.doc.keys(value, LINE | CONTAINER, where, "a container's line")
        return DocumentNode(value, where, self.parts(names))

    def parts(self, names: tuple[str, ...]) -> Iterator[tuple[str, Any, str, DocumentNode | None]]:
        while (line := self.peek()) is not None:
            where, value, place = line
            if place != names or "format" in value:
                inner = self.opening(names)
                if inner is None:
                    return
                yield "content", inner.obj, inner.path, inner
                self.skip(inner)
                continue
            self.next = None
            kinds = [kind for kind in STRETCHES if kind in value]
            if kinds:
                self.doc.keys(value, ("container", *kinds), where, "such a line")
                for kind in kinds:
                    yield kind, value[kind], join_path(where, kind), None
                continue
            value = dict(value)
            del value["container"]
            if value.pop("content", None) is not None:
                self.doc.fault(join_path(where, "content"), "a line holds no container",
                               expected="its own lines, after this one")  # fmt: skip
            inner = self.opening(names)
            yield "record", value, where, inner
            self.skip(inner)

    def skip(self, node: DocumentNode | None) -> None:
        """Skip what was not read of a container, so that the next line is what follows."""
        for _, _, _, inner in node.parts if node is not None else ():
            self.skip(inner)

    def rest(self) -> None:
        """Report a line that is left: it belongs to no container that is open."""
        line = self.peek()
        if line is not None:
            self.doc.fault(
                join_path(line[0], "container"),
                "the line belongs to a container that is not open here",
                actual=list(line[2]),
            )
