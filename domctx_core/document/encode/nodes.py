"""Nodes: the containers of a document and what is in each, be it one text or a line a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from domctx_core.document.encode.values import Values, join, kind_of
from domctx_core.reader.walker import MAX_DEPTH

__all__ = ["INSIDE", "LINE", "NODE", "Lines", "Node", "document_node"]

NODE = ("format", "format_version", "byteorder", "resumed", "header", "header_raw")
INSIDE = ("records", "content", "trailing", "unframed")
LINE = ("schema", "size", "container", "offset")


@dataclass(slots=True)
class Node:
    """A container of a document: what is said of it, and what is in it, in order.

    `parts` gives kind (`record`, `content`, `trailing`, `unframed`), value, where it stands, and for a
    record the container that it holds or that follows it.
    """

    shown: dict[str, Any]
    path: str
    parts: Iterator[tuple[str, Any, str, Node | None]]


def document_node(said: Values, shown: dict[str, Any], path: str) -> Node:
    return Node(shown, path, _document_parts(said, shown, path))


def _document_parts(
    said: Values, shown: dict[str, Any], path: str
) -> Iterator[tuple[str, Any, str, Node | None]]:
    records = shown.get("records", [])
    where = join(path, "records")
    if not any(key in shown for key in INSIDE):
        said.fault(where, "the records are missing", expected="a list of records")
    elif not isinstance(records, list):
        said.fault(where, "not a list", expected="a list of records", actual=kind_of(records))
        records = []
    for number, record in enumerate(records):
        inner = None
        if "content" in record if type(record) is dict else False:
            inner = inner_node(said, record["content"], f"{where}[{number}].content")
        yield "record", record, f"{where}[{number}]", inner
    if "content" in shown:
        inner = inner_node(said, shown["content"], join(path, "content"))
        if inner is not None:
            yield "content", shown["content"], inner.path, inner
    for kind in ("trailing", "unframed"):
        if kind in shown:
            yield kind, shown[kind], join(path, kind), None


def inner_node(said: Values, content: Any, path: str) -> Node | None:
    if not said.keys(content, (*NODE, *INSIDE), path, "a container"):
        return None
    return document_node(said, content, path)


class Lines:
    """Containers of the lines of a document."""

    def __init__(self, said: Values, lines: Iterable[tuple[str, Any]]) -> None:
        self.said = said
        self.lines = iter(lines)
        self.next: tuple[str, Any, tuple[str, ...]] | None = None

    def peek(self) -> tuple[str, Any, tuple[str, ...]] | None:
        """The next line with its place and the container that it names."""
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
                self.said.fault(
                    join(where, "container"),
                    "the line does not say what container it belongs to",
                    expected="a list of formats from the outside in",
                    actual=kind_of(names),
                )
                continue
            assert isinstance(names, list)
            self.next = where, value, tuple(names)
        return self.next

    def opening(self, outer: tuple[str, ...]) -> Node | None:
        """The container that the next line opens, if it opens one inside `outer`."""
        line = self.peek()
        if line is None or line[2][:-1] != outer or "format" not in line[1]:
            return None
        if len(outer) > MAX_DEPTH:
            return None  # nobody goes into it: the line is left over, and that is told
        self.next = None
        where, value, names = line
        self.said.keys(value, (*LINE, *NODE), where, "a container's line")
        return Node(value, where, self.parts(names))

    def parts(self, names: tuple[str, ...]) -> Iterator[tuple[str, Any, str, Node | None]]:
        while (line := self.peek()) is not None:
            where, value, place = line
            if place != names or "format" in value:
                inner = self.opening(names)
                if inner is None:
                    return
                yield "content", inner.shown, inner.path, inner
                self.skip(inner)
                continue
            self.next = None
            found = [kind for kind in ("trailing", "unframed") if kind in value]
            if found:
                self.said.keys(value, ("container", *found), where, "such a line")
                for kind in found:
                    yield kind, value[kind], join(where, kind), None
                continue
            value = dict(value)
            del value["container"]
            if value.pop("content", None) is not None:
                self.said.fault(join(where, "content"), "a line holds no container",
                                expected="its own lines, after this one")  # fmt: skip
            inner = self.opening(names)
            yield "record", value, where, inner
            self.skip(inner)

    def skip(self, node: Node | None) -> None:
        """Pass over what nobody has read of a container, so that the next line is what follows."""
        for _, _, _, inner in node.parts if node is not None else ():
            self.skip(inner)

    def rest(self) -> None:
        """What is left belongs to no container that is open."""
        line = self.peek()
        if line is not None:
            self.said.fault(
                join(line[0], "container"),
                "the line belongs to a container that is not open here",
                actual=list(line[2]),
            )
