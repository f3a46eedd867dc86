"""Decode: an image of any known format as JSON that `encoder` turns back into the very same bytes.

What fields and counts do not give back by themselves is kept in hex beside them. Bulk bodies
(guest memory) and those too long to hold stay where they are and are named by their place, unless
the caller wants otherwise. The same parts, in the order of their bytes, make one nested document or
a line each.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from domctx_core.base.errors import PLUGIN_ERRORS, Errno, ImageError, PluginError
from domctx_core.base.gc_pause import gc_paused
from domctx_core.base.io import CHUNK, DEFAULT_CAP
from domctx_core.base.text import json_integer
from domctx_core.document.canonical import (
    canonical_body,
    canonical_header,
    header_values,
    prologue_bytes,
)
from domctx_core.document.decode_batch import RecordBatch, RecordBatcher
from domctx_core.document.text_writer import Part, Writer
from domctx_core.document.vocabulary import (
    LINES,
    SCHEMA,
    body_json,
    container_json,
    record_head,
    record_provider,
    stretch_json,
)
from domctx_core.model.format import Format
from domctx_core.model.formats import Formats
from domctx_core.reader.events import Closed, Fault, Opened, Trailing
from domctx_core.reader.passing import PassingSource
from domctx_core.reader.record import OpenContainer, Record
from domctx_core.reader.sources import Source
from domctx_core.reader.walker import walk

__all__ = ["Pages", "decode_image", "decode_lines", "decode_text"]

Pages = Literal["reference", "inline", "omit"]
"""What becomes of bulk bodies: named by their place in the input, in hex, or left out."""


def decode_image(
    source: Source,
    formats: Formats,
    *,
    path: str = "-",
    pages: Pages = "reference",
    format: Format | None = None,
    cap: int = DEFAULT_CAP,
) -> dict[str, Any]:
    """The document of `decode`: all that `encode_image` needs to make the same bytes again.

    Never raises for bad bytes. Bodies longer than `cap` bytes are treated as bulk ones are;
    `ImageError` where they are to be inline. A source that cannot seek has to be a
    `PassingSource`.
    """
    nest = _Nest()
    with gc_paused():
        for part in _Decoder(source, formats, pages, format, cap).parts():
            if part.kind == "container":
                nest.container(part.level, part.shown)
            elif part.kind == "record":
                nest.record(part.level, part.shown)
            elif part.kind == "records":
                nest.nodes[part.level]["records"] += part.batch or ()
            elif part.kind != "end":
                node = nest.nodes[part.level]
                if part.kind in node:
                    node[part.kind]["length"] += part.shown["length"]
                    node[part.kind]["raw"] += part.shown["raw"]
                else:
                    node[part.kind] = part.shown
    return {"schema": SCHEMA, "path": path, "size": json_integer(source.end()), **nest.root}


def decode_lines(
    source: Source,
    formats: Formats,
    *,
    pages: Pages = "reference",
    format: Format | None = None,
    cap: int = DEFAULT_CAP,
) -> Iterator[dict[str, Any]]:
    """The same as one object for each container, record, and stretch that is neither, in order.

    What the objects belong to is in `container`, a list of formats from the outside in. A stream
    of any length takes little memory.
    """
    said: dict[str, Any] = {"schema": LINES}
    if source.seekable:
        said["size"] = json_integer(source.end())
    for part in _Decoder(source, formats, pages, format, cap).parts():
        names = list(part.level.path)
        if part.kind == "records":
            for shown in part.batch or ():
                yield {"container": names, **shown}
        elif part.kind == "record":
            yield {"container": names, **part.shown}
        elif part.kind == "container":
            yield {**said, "container": names, "offset": json_integer(part.offset), **part.shown}
            said = {}
        elif part.kind != "end":
            yield {"container": names, part.kind: part.shown}


def decode_text(
    source: Source,
    formats: Formats,
    *,
    path: str = "-",
    pages: Pages = "reference",
    format: Format | None = None,
    cap: int = DEFAULT_CAP,
) -> Iterator[str]:
    """The document as text, in parts and with a record a line, so that people and `diff` can read it.

    Nothing of the document is held.
    """
    writer = Writer()
    yield from writer.begin(path, source.end() if source.seekable else None)
    for part in _Decoder(source, formats, pages, format, cap).parts():
        yield from writer.part(part)
    yield from writer.end(source.end())


class _Nest:
    """Puts containers and records in each other, in the order in which they come."""

    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self.nodes: dict[OpenContainer, dict[str, Any]] = {}
        self._last: dict[str, Any] = {}

    def container(self, level: OpenContainer, shown: dict[str, Any]) -> None:
        """A container begins: the outermost, that of the last record, or what follows a header."""
        node = shown | {"records": []}
        if level.parent is not None:
            self._last["content"] = node
        elif not self.root:
            self.root = node
        else:  # it follows a format that has no records of its own
            next(n for n in reversed(self.nodes.values()) if "content" not in n)["content"] = node
        self.nodes[level] = node

    def record(self, level: OpenContainer, shown: dict[str, Any]) -> None:
        """The next record of a container."""
        self.nodes[level]["records"].append(shown)
        self._last = shown


class _Decoder:
    """Make parts of events, so that every byte is in one of them.

    `at` is how far the bytes are accounted for; `waiting` is a record whose body may be a container.
    """

    def __init__(
        self, source: Source, formats: Formats, pages: Pages, format: Format | None, cap: int
    ) -> None:
        self.source = source
        self.formats = formats
        self.pages = pages
        self.format = format
        self.cap = cap
        self.at = 0
        self.opened_any = False
        self.waiting: Record | None = None
        self.batcher = RecordBatcher(source)

    def parts(self) -> Iterator[Part]:
        for event in walk(
            self.source, self.formats, format=self.format, cap=self.cap, batcher=self.batcher
        ):
            if self.waiting is not None:
                yield self.settle(isinstance(event, Opened) and event.level.parent is self.waiting)
            match event:
                case Opened():
                    yield self.opened(event)
                case Record() if event.complete:
                    yield from self.record(event)
                case RecordBatch():
                    yield Part("records", event.level, event.offset, {}, event)
                    self.at = event.end
                case Trailing(level, offset, length):
                    yield from self.stretch("trailing", level, offset, offset + length)
                    self.at = offset + length
                case Closed(level, offset, rest):
                    if rest != 0:
                        end = None if rest is None else offset + rest
                        yield from self.stretch("unframed", level, offset, end)
                    self.at = max(self.at, offset + (rest or 0))
                    yield Part("end", level, self.at, {})
                case Fault(level) if level is not None and not self.opened_any:
                    shown = container_json(level, False)
                    shown.pop("header", None)  # one that breaks off is not framed either
                    yield Part("container", level, 0, shown)
                    self.opened_any = True
            if isinstance(self.source, PassingSource) and self.waiting is None:
                self.source.forget(self.at)

    # ------------------------------------------------------------------------------ containers

    def opened(self, event: Opened) -> Part:
        level, resumed = event.level, event.resumed
        shown = container_json(level, resumed)
        if not resumed and level.prologue:
            shown |= self.prologue(level)
        offset = level.parent.end if resumed and level.parent is not None else level.offset
        if not resumed:
            self.at = level.records_offset
        self.opened_any = True
        return Part("container", level, offset, shown)

    def prologue(self, level: OpenContainer) -> dict[str, Any]:
        """The prologue's bytes, where its fields do not give them back."""
        raw = bytes(self.source.at(level.offset, level.records_offset - level.offset))
        header = container_json(level, False)["header"]
        try:
            made, _ = prologue_bytes(level.format, level.framing.byteorder, header)
            again = b"".join(part for _, part in made)
        except PLUGIN_ERRORS:
            again = b""
        return {} if again == raw else {"header_raw": raw.hex()}

    def stretch(
        self,
        kind: Literal["trailing", "unframed"],
        level: OpenContainer,
        start: int,
        end: int | None,
    ) -> Iterator[Part]:
        """The bytes from `start` up to `end`, or to the end of the input; nothing for none."""
        if end is None and self.source.seekable:
            end = self.source.end()
        if end is not None and end - start > self.cap and self.source.seekable:
            yield Part(kind, level, start, self.reference(start, end - start, None))
            return
        while end is None or start < end:
            size = CHUNK if end is None else end - start
            raw = self.source.at(start, size if self.source.seekable else min(size, CHUNK))
            if not raw:
                return
            yield Part(kind, level, start, stretch_json(start, len(raw), raw))
            start += len(raw)

    def reference(self, offset: int, length: int, record: Record | None) -> dict[str, Any]:
        """A stretch that is not held, as `pages` says."""
        if self.pages == "omit":
            return stretch_json(offset, length) | {"omitted": True}
        if self.pages == "inline":
            if length > self.cap:
                raise ImageError(
                    "what is to be inline is longer than what is held in memory",
                    errno=Errno.E2BIG,
                    rule="length-over-cap",
                    offset=offset,
                    record=None if record is None else record.index,
                    expected=f"at most {self.cap} bytes",
                    actual=f"{length} bytes",
                    hint="give a larger cap, or have it by reference",
                )
            return stretch_json(offset, length, self.source.at(offset, length))
        return stretch_json(offset, length)

    # --------------------------------------------------------------------------------- records

    def record(self, record: Record) -> Iterator[Part]:
        content = record.content
        if content is not None and not content.inline:
            self.waiting = record  # what comes next says whether its body could be opened
            return
        self.at = record.end
        batch = self.batcher.single(record)
        if batch is not None:
            yield Part("records", record.level, record.offset, {}, batch)
        else:
            yield Part("record", record.level, record.offset, self.thorough(record))

    def settle(self, opened: bool) -> Part:
        """The record whose body is a container, or should have been."""
        record, self.waiting = self.waiting, None
        assert record is not None
        self.at = record.end
        if opened:
            shown = self.head(record)
            shown |= {"body": None, "provider": record_provider(record)}
        else:
            shown = self.thorough(record)
        return Part("record", record.level, record.offset, shown)

    def head(self, record: Record) -> dict[str, Any]:
        shown = record_head(record)
        level = record.level
        raw = bytes(self.source.at(record.offset, record.header_size))
        assert level.format.header is not None
        values = header_values(level.format.header, record.type, record.instance, record.length)
        if canonical_header(level.format.header, values, level.framing.byteorder) != raw:
            shown["header_raw"] = raw.hex()
        return shown

    def thorough(self, record: Record) -> dict[str, Any]:
        """One record, with everything that its fields do not give back."""
        shown = self.head(record)
        held, rest = record.length, 0
        if not record.held:
            try:
                held = record.head if record.head <= min(record.length, self.cap) else 0
            except PluginError:
                held = 0
            rest = record.length - held
        raw = bytes(self.source.at(record.body_offset, held))
        body: dict[str, Any] | None = None
        again: bytes | None = None
        try:
            decoded = record.decoded
            if decoded is not None and decoded.body is not None:
                body = body_json(decoded.body)
                again = canonical_body(type(decoded.body), body, record.level.framing.byteorder)
        except PLUGIN_ERRORS:
            pass  # verify says what is wrong with it; the bytes are kept
        shown["body"] = body
        if again != raw and (raw or not rest):
            shown["raw"] = raw.hex()
        if rest:
            shown["rest"] = self.reference(record.body_offset + held, rest, record)
        shown["provider"] = record_provider(record)
        return shown
