"""A nested document of an image as text, written part by part: nothing of it is held.

What `decode` prints and what `show --json` prints is written here, with a record a line, so that
people and `diff` can read it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from domctx_core.base.text import json_integer
from domctx_core.document.vocabulary import SCHEMA
from domctx_core.reader.record import OpenContainer

__all__ = ["Alike", "Part", "Writer"]


class Alike(Protocol):
    """Records that are alike."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each as JSON has it."""

    def texts(self, encode: Callable[[Any], str]) -> Iterator[str]:
        """Each as text."""


@dataclass(frozen=True, slots=True)
class Part:
    """One container, record or stretch as JSON has it, records that are alike, or a container's end."""

    kind: Literal["container", "record", "records", "trailing", "unframed", "end"]
    level: OpenContainer
    offset: int
    shown: dict[str, Any]
    batch: Alike | None = None


class Writer:
    """Write parts as one nested document."""

    def __init__(self) -> None:
        self.encode = json.JSONEncoder().encode
        self.stack: list[OpenContainer] = []
        self.listing = False
        self.comma = ""
        self.record = ""
        self.stretch: tuple[str, OpenContainer, int] | None = None
        self.size: int | None = None

    def begin(self, path: str, size: int | None) -> Iterator[str]:
        self.size = size
        yield f'{{\n  "schema": {self.encode(SCHEMA)},\n  "path": {self.encode(path)}'
        if size is not None:
            yield f',\n  "size": {self.encode(json_integer(size))}'

    def part(self, part: Part) -> Iterator[str]:
        if self.stretch is not None:
            kind, level, length = self.stretch
            if part.kind == kind and part.level is level:
                self.stretch = kind, level, length + part.shown["length"]
                yield part.shown["raw"]
                return
            yield self.stretched()
        if part.kind == "container":
            yield from self.container(part)
            return
        if self.record:
            yield self.record + "}"
            self.record = ""
        if part.kind == "end":
            if len(self.stack) > 1:  # more may be said of the outermost one
                yield self.leave()
            return
        if part.batch is not None:
            start = f"\n{self.indent}  "
            first = self.line()
            yield first + f",{start}".join(part.batch.texts(self.encode))
            return
        if part.kind == "record":
            # what is in the record or follows it goes into it, before its brace
            self.record = self.line() + self.encode(part.shown)[:-1]
            return
        yield self.listed() + f",\n{self.indent}{self.encode(part.kind)}: "
        if "raw" not in part.shown:
            yield self.encode(part.shown)
            return
        self.stretch = part.kind, part.level, part.shown["length"]
        yield f'{{"offset": {self.encode(part.shown["offset"])}, "raw": "{part.shown["raw"]}'

    def container(self, part: Part) -> Iterator[str]:
        if part.level.parent is not None:
            yield self.record + ', "content": {'
            self.record = ""
        elif self.stack:  # it follows a format that has no records of its own
            yield self.listed() + f',\n{self.indent}"content": {{'
        comma = "" if self.stack else ","
        self.stack.append(part.level)
        for key, value in part.shown.items():
            yield f"{comma}\n{self.indent}{self.encode(key)}: {self.encode(value)}"
            comma = ","
        yield f'{comma}\n{self.indent}"records": ['
        self.listing, self.comma = True, ""

    @property
    def indent(self) -> str:
        return "  " * (2 * len(self.stack) - 1)

    def end(self, size: int, more: Mapping[str, Any] | None = None) -> Iterator[str]:
        """The end of the document: the input's size where it was not known before, and other keys."""
        if self.stretch is not None:
            yield self.stretched()
        if self.record:
            yield self.record + "}"
        yield self.listed()
        if self.size is None:
            yield f',\n  "size": {self.encode(json_integer(size))}'
        for key, value in (more or {}).items():
            yield f",\n  {self.encode(key)}: {self.encode(value)}"
        yield "\n}\n"

    def line(self) -> str:
        comma, self.comma = self.comma, ","
        return f"{comma}\n{self.indent}  "

    def listed(self) -> str:
        """Ends the list of records of the innermost container."""
        if not self.listing:
            return ""
        self.listing = False
        return f"\n{self.indent}]" if self.comma else "]"

    def stretched(self) -> str:
        """Ends the bytes of a stretch, whose number is known only now."""
        assert self.stretch is not None
        (_, _, length), self.stretch = self.stretch, None
        return f'", "length": {self.encode(json_integer(length))}}}'

    def leave(self) -> str:
        text = self.listed()
        held = self.stack.pop().parent is not None
        text += f"\n{self.indent}{'  ' if held else ''}}}"
        if held:  # by a record, which others may follow
            self.listing, self.comma = True, ","
        return text + "}" if held else text
