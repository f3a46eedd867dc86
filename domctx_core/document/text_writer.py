"""Write the nested document of an image as text, part by part, without holding it.

`decode` and `show --json` print it: a record a line, so that people and `diff` can read it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from domctx_core.base.text import json_integer
from domctx_core.document.vocabulary import SCHEMA
from domctx_core.reader.record import OpenContainer

if TYPE_CHECKING:
    from domctx_core.document.decode_batch import RecordBatch

__all__ = ["DocumentPart", "Writer"]


@dataclass(frozen=True, slots=True)
class DocumentPart:
    """A container, record or stretch as JSON has it, a batch of records, or the end of a container."""

    kind: Literal["container", "record", "records", "trailing", "unframed", "end"]
    level: OpenContainer
    offset: int
    obj: dict[str, Any]
    batch: RecordBatch | None = None


class Writer:
    """Writes parts as one nested document.

    Each part is written when the next one comes, which may go into it: `record` is the text of a
    record whose brace is open, `stretch` one whose bytes go on, `listing` an open list of records.
    """

    def __init__(self) -> None:
        self.encode = json.JSONEncoder().encode
        self.stack: list[OpenContainer] = []
        self.listing = False
        self.comma = ""
        self.record = ""
        self.stretch: tuple[str, OpenContainer, int] | None = None
        self.size: int | None = None

    def begin(self, path: str, size: int | None) -> Iterator[str]:
        """Yield the beginning of the document; `size` is None if it is not known yet."""
        self.size = size
        yield f'{{\n  "schema": {self.encode(SCHEMA)},\n  "path": {self.encode(path)}'
        if size is not None:
            yield f',\n  "size": {self.encode(json_integer(size))}'

    def part(self, part: DocumentPart) -> Iterator[str]:
        """Yield the next part, and what ends the one before it."""
        if self.stretch is not None:
            kind, level, length = self.stretch
            if part.kind == kind and part.level is level:
                self.stretch = kind, level, length + part.obj["length"]
                yield part.obj["raw"]
                return
            yield self.stretched()
        if part.kind == "container":
            yield from self.container(part)
            return
        if self.record:
            yield self.record + "}"
            self.record = ""
        if part.kind == "end":
            if len(self.stack) > 1:  # `end` closes the outermost, after more keys
                yield self.leave()
            return
        if part.batch is not None:
            start = f"\n{self.indent}  "
            first = self.line()
            yield first + f",{start}".join(part.batch.texts(self.encode))
            return
        if part.kind == "record":
            # what is in the record or follows it goes into it, before its brace
            self.record = self.line() + self.encode(part.obj)[:-1]
            return
        yield self.listed() + f",\n{self.indent}{self.encode(part.kind)}: "
        if "raw" not in part.obj:
            yield self.encode(part.obj)
            return
        self.stretch = part.kind, part.level, part.obj["length"]
        yield f'{{"offset": {self.encode(part.obj["offset"])}, "raw": "{part.obj["raw"]}'

    def container(self, part: DocumentPart) -> Iterator[str]:
        if part.level.parent is not None:
            yield self.record + ', "content": {'
            self.record = ""
        elif self.stack:  # it follows a format that has no records of its own
            yield self.listed() + f',\n{self.indent}"content": {{'
        comma = "" if self.stack else ","
        self.stack.append(part.level)
        for key, value in part.obj.items():
            yield f"{comma}\n{self.indent}{self.encode(key)}: {self.encode(value)}"
            comma = ","
        yield f'{comma}\n{self.indent}"records": ['
        self.listing, self.comma = True, ""

    @property
    def indent(self) -> str:
        return "  " * (2 * len(self.stack) - 1)

    def end(self, size: int, more: Mapping[str, Any] | None = None) -> Iterator[str]:
        """Yield the end of the document: the input's size if it was not known before, and more keys."""
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
        """End the list of records of the innermost container."""
        if not self.listing:
            return ""
        self.listing = False
        return f"\n{self.indent}]" if self.comma else "]"

    def stretched(self) -> str:
        """End the bytes of a stretch, whose number is known only now."""
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
