"""Decode an image of any known format to JSON that `encode` turns back into the very same bytes.

Bytes that fields and counts do not give back are kept in hex beside them. Bulk bodies (guest memory)
and those too long to hold are given by their place in the input, unless the caller wants otherwise.
The same parts, in the order of their bytes, are written as one nested document or as a line each.
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
from domctx_core.document.text_writer import DocumentPart, Writer
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
"""The form of bulk bodies: by their place in the input, in hex, or left out."""


def decode_image(
    source: Source,
    formats: Formats,
    *,
    path: str = "-",
    pages: Pages = "reference",
    format: Format | None = None,
    cap: int = DEFAULT_CAP,
) -> dict[str, Any]:
    """Return the document of `decode`: all that `encode_image` needs to restore the same bytes.

    Never raises for bad bytes. Bodies longer than `cap` bytes are treated as bulk bodies; raises
    `ImageError` if they are to be inline. A source that cannot seek has to be a `PassingSource`.
    """
    nest = _Nest()
    with gc_paused():
        for part in _Decoder(source, formats, pages, format, cap).parts():
            nest.add(part)
    return {"schema": SCHEMA, "path": path, "size": json_integer(source.end()), **nest.root}


def decode_lines(
    source: Source,
    formats: Formats,
    *,
    pages: Pages = "reference",
    format: Format | None = None,
    cap: int = DEFAULT_CAP,
) -> Iterator[dict[str, Any]]:
    """Yield the same as one object for each container, record, and stretch that is neither, in order.

    `container` of an object is where it belongs: a list of formats from the outside in. A stream of
    any length takes little memory.
    """
    first: dict[str, Any] = {"schema": LINES}
    if source.seekable:
        first["size"] = json_integer(source.end())
    for part in _Decoder(source, formats, pages, format, cap).parts():
        names = list(part.level.path)
        if part.kind == "records":
            for obj in part.batch or ():
                yield {"container": names, **obj}
        elif part.kind == "record":
            yield {"container": names, **part.obj}
        elif part.kind == "container":
            yield {**first, "container": names, "offset": json_integer(part.offset), **part.obj}
            first = {}
        elif part.kind != "end":
            yield {"container": names, part.kind: part.obj}


def decode_text(
    source: Source,
    formats: Formats,
    *,
    path: str = "-",
    pages: Pages = "reference",
    format: Format | None = None,
    cap: int = DEFAULT_CAP,
) -> Iterator[str]:
    """Yield the document as text, with a record a line, so that people and `diff` can read it.

    Nothing of the document is held.
    """
    writer = Writer()
    yield from writer.begin(path, source.end() if source.seekable else None)
    for part in _Decoder(source, formats, pages, format, cap).parts():
        yield from writer.part(part)
    yield from writer.end(source.end())


class _Nest:
    """One nested document, to which parts are added."""

    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self._stack: list[dict[str, Any]] = []
        self._last: dict[str, Any] = {}

    def add(self, part: DocumentPart) -> None:
        """Add the next part: the content of the last record, or what is in the innermost container."""
        kind, obj = part.kind, part.obj
        if kind == "container":
            self._open(obj | {"records": []}, part.level.parent is not None)
        elif kind == "end":
            self._stack.pop()
        elif kind == "records":
            self._stack[-1]["records"] += part.batch or ()
        elif kind == "record":
            self._stack[-1]["records"].append(obj)
            self._last = obj
        elif kind in self._stack[-1]:
            self._stack[-1][kind]["length"] += obj["length"]
            self._stack[-1][kind]["raw"] += obj["raw"]
        else:
            self._stack[-1][kind] = obj

    def _open(self, container: dict[str, Any], has_parent: bool) -> None:
        if not self._stack:
            self.root = container
        else:  # without a parent, it follows a format that has no records of its own
            (self._last if has_parent else self._stack[-1])["content"] = container
        self._stack.append(container)


class _Decoder:
    """Turns events into parts, so that every byte is in one of them.

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

    def parts(self) -> Iterator[DocumentPart]:
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
                    yield DocumentPart("records", event.level, event.offset, {}, event)
                    self.at = event.end
                case Trailing(level, offset, length):
                    yield from self.stretch("trailing", level, offset, offset + length)
                    self.at = offset + length
                case Closed(level, offset, rest):
                    if rest != 0:
                        end = None if rest is None else offset + rest
                        yield from self.stretch("unframed", level, offset, end)
                    self.at = max(self.at, offset + (rest or 0))
                    yield DocumentPart("end", level, self.at, {})
                case Fault(level) if level is not None and not self.opened_any:
                    obj = container_json(level, False)
                    obj.pop("header", None)  # one that breaks off is not framed either
                    yield DocumentPart("container", level, 0, obj)
                    self.opened_any = True
            if isinstance(self.source, PassingSource) and self.waiting is None:
                self.source.forget(self.at)

    # ------------------------------------------------------------------------------ containers

    def opened(self, event: Opened) -> DocumentPart:
        level, resumed = event.level, event.resumed
        obj = container_json(level, resumed)
        if not resumed:
            self.at = level.records_offset
            if level.prologue:
                obj |= self.prologue(level, obj["header"])
        self.opened_any = True
        return DocumentPart("container", level, event.offset, obj)

    def prologue(self, level: OpenContainer, header: dict[str, Any]) -> dict[str, Any]:
        """Return the prologue's bytes if its fields do not give them back."""
        raw = bytes(self.source.at(level.offset, level.records_offset - level.offset))
        try:
            bodies, _ = prologue_bytes(level.format, level.framing.byteorder, header)
            again = b"".join(encoded for _, encoded in bodies)
        except PLUGIN_ERRORS:
            again = b""
        return {} if again == raw else {"header_raw": raw.hex()}

    def stretch(
        self,
        kind: Literal["trailing", "unframed"],
        level: OpenContainer,
        start: int,
        end: int | None,
    ) -> Iterator[DocumentPart]:
        """Yield the bytes from `start` to `end` (None: the end of the input), if there are any."""
        if end is None and self.source.seekable:
            end = self.source.end()
        if end is not None and end - start > self.cap and self.source.seekable:
            yield DocumentPart(kind, level, start, self.reference(start, end - start, None))
            return
        while end is None or start < end:
            size = CHUNK if end is None else end - start
            raw = self.source.at(start, size if self.source.seekable else min(size, CHUNK))
            if not raw:
                return
            yield DocumentPart(kind, level, start, stretch_json(start, len(raw), raw))
            start += len(raw)

    def reference(self, offset: int, length: int, record: Record | None) -> dict[str, Any]:
        """Return a stretch that is not held, in the form that `pages` asks for."""
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

    def record(self, record: Record) -> Iterator[DocumentPart]:
        content = record.content
        if content is not None and not content.inline:
            self.waiting = record  # only the next event shows whether its body was opened
            return
        self.at = record.end
        batch = self.batcher.single(record)
        if batch is not None:
            yield DocumentPart("records", record.level, record.offset, {}, batch)
        else:
            yield DocumentPart("record", record.level, record.offset, self.thorough(record))

    def settle(self, opened: bool) -> DocumentPart:
        """Return the record that was waiting; if its body was not opened, with its bytes."""
        record, self.waiting = self.waiting, None
        assert record is not None
        self.at = record.end
        if opened:
            obj = self.head(record) | {"body": None, "provider": record_provider(record)}
        else:
            obj = self.thorough(record)
        return DocumentPart("record", record.level, record.offset, obj)

    def head(self, record: Record) -> dict[str, Any]:
        """Return what precedes the body, with the header's bytes if they are unusual."""
        obj = record_head(record)
        level = record.level
        raw = bytes(self.source.at(record.offset, record.header_size))
        assert level.format.header is not None
        values = header_values(level.format.header, record.type, record.instance, record.length)
        if canonical_header(level.format.header, values, level.framing.byteorder) != raw:
            obj["header_raw"] = raw.hex()
        return obj

    def thorough(self, record: Record) -> dict[str, Any]:
        """Return one record with everything that its fields do not give back."""
        obj = self.head(record)
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
            pass  # `verify` reports it; the bytes are kept
        obj["body"] = body
        if again != raw and (raw or not rest):
            obj["raw"] = raw.hex()
        if rest:
            obj["rest"] = self.reference(record.body_offset + held, rest, record)
        obj["provider"] = record_provider(record)
        return obj
