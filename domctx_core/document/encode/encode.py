"""Encode the containers and records of a document, one after the other, as chunks of an image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from domctx_core.base.gc_pause import gc_paused
from domctx_core.base.io import DEFAULT_CAP
from domctx_core.base.text import excerpt
from domctx_core.document.encode.batch import record_packer
from domctx_core.document.encode.containers import ContainerOpener, EncodedContainer
from domctx_core.document.encode.nodes import DocumentNode, LineReader, document_node
from domctx_core.document.encode.records import RecordEncoder
from domctx_core.document.encode.values import DocumentReader, join_path
from domctx_core.document.vocabulary import (
    CONTAINER,
    DOCUMENT,
    FINDINGS,
    INSIDE,
    LINE,
    LINES,
    RECORD,
    SCHEMA,
)
from domctx_core.layout.codegen.source import NOT_APPLICABLE
from domctx_core.model.format import HEAD_SIZE
from domctx_core.model.formats import Formats
from domctx_core.model.record_type import RecordType
from domctx_core.reader.sources import Source
from domctx_core.reader.splice import Chunk, size_of
from domctx_core.reader.walker import MAX_DEPTH

__all__ = ["encode_image", "encode_lines"]

_ROOT = (*DOCUMENT, *FINDINGS, *CONTAINER, *INSIDE)
_LINE = (*LINE, *CONTAINER)
_RECORD = sorted(RECORD, key="header_raw".__eq__)  # messages name that one last


def encode_image(
    document: Any,
    formats: Formats,
    *,
    source: Source | None = None,
    fill_zero: bool = False,
    cap: int = DEFAULT_CAP,
) -> list[Chunk]:
    """Return the bytes of the image that a `domctx.image/1` document describes, for `write_chunks`.

    `source` is the input that the document was decoded from; the document's references are read
    from it, and nothing else is ever read. Bytes that `decode` left out are an error, or zeros with
    `fill_zero`. Raises `DocumentError` with all faults.
    """
    doc = DocumentReader(source, fill_zero, cap)
    chunks: list[Chunk] = []
    with gc_paused(), doc.finishing():
        if doc.root(document, SCHEMA, _ROOT, ""):
            node = document_node(doc, document, "")
            chunks += _Encoder(formats, doc).container(node, None, None)
    return chunks


def encode_lines(
    lines: Iterable[tuple[str, Any]],
    formats: Formats,
    *,
    source: Source | None = None,
    fill_zero: bool = False,
    cap: int = DEFAULT_CAP,
) -> Iterator[Chunk]:
    """Yield the same for what `decode_lines` gave: (place, object) for each line, in order.

    Chunks are yielded as lines are read. `DocumentError` is raised at the end; what was yielded
    until then may be of no use.
    """
    doc = DocumentReader(source, fill_zero, cap)
    reader = LineReader(doc, lines)
    with doc.finishing():
        first = reader.peek()
        if first is None:
            doc.fault("", "there is no line", expected="a line for the outermost container")
        elif doc.root(first[1], LINES, _LINE, first[0]):
            node = reader.opening(())
            if node is not None:
                yield from _Encoder(formats, doc).container(node, None, None)
            reader.rest()


class _Encoder:
    """Encodes the containers and records of a document; `depth` containers are open."""

    def __init__(self, formats: Formats, doc: DocumentReader) -> None:
        self.formats = formats
        self.doc = doc
        self.depth = 0

    def container(
        self, node: DocumentNode, holder: RecordType[Any] | None, outer: EncodedContainer | None
    ) -> Iterator[Chunk]:
        """Encode a container: what `holder` holds or announces, what follows `outer`, or the outermost."""
        self.depth += 1
        try:
            if self.depth > MAX_DEPTH:
                self.doc.fault(node.path, f"containers are nested more than {MAX_DEPTH} deep")
                return
            raw = bytearray()
            opener = ContainerOpener(self.doc, self.formats, node)
            opened = opener.open(holder, outer, raw)
            yield bytes(raw)
            if opened is not None:
                chunks = self.inside(opened, node)
                if node.obj.get("format_version") is not None:
                    yield from self.check_version(opened, opener, chunks)
                yield from chunks
        finally:
            self.depth -= 1

    def check_version(
        self, container: EncodedContainer, opener: ContainerOpener, chunks: Iterator[Chunk]
    ) -> list[Chunk]:
        """Check the version by the first records if no header has it, and return the chunks taken."""
        taken: list[Chunk] = []
        if container.prologue or container.bare:
            return taken
        before, head = len(self.doc.faults), b""
        # those of what is not bounded go on with what follows it
        whole = container.inside or container.outer is None
        for chunk in chunks:
            taken.append(chunk)
            if not isinstance(chunk, bytes):  # a range of the source is not looked at
                return taken
            head += chunk
            if len(head) >= HEAD_SIZE:
                whole = True
                break
        if head and whole and len(self.doc.faults) == before:
            opener.compare_version(container, head[:HEAD_SIZE])
        return taken

    def inside(self, container: EncodedContainer, node: DocumentNode) -> Iterator[Chunk]:
        packers = container.packers
        for kind, value, path, inner in node.parts:
            if kind == "record":
                if inner is None and type(value) is dict:
                    code = value.get("type")
                    if type(code) is int and code not in packers:
                        packers[code] = record_packer(container, code)
                    pack = packers[code] if type(code) is int else None
                    if pack is not None:
                        try:
                            yield pack(value)
                            continue
                        except NOT_APPLICABLE:
                            pass
                self.framed(container)
                if container.format.header is None:
                    self.doc.fault(path, f"the format {container.format.name} has no records")
                elif self.doc.keys(value, _RECORD, path, "a record"):
                    yield from self.record(container, value, path, inner)
            elif kind == "content":
                if self.framed(container) and inner is not None:
                    yield from self.following(container, inner, path)
            else:
                if kind == "trailing":
                    self.framed(container)
                yield from self.doc.stretch(value, path)

    def framed(self, container: EncodedContainer) -> bool:
        """Return whether the header is given, without which there can be nothing but `unframed`."""
        if container.bare and not container.reported:
            container.reported = True
            self.doc.fault(join_path(container.path, "header"), "the header is missing",
                           expected=f"the fields that a {container.format.name} begins with")  # fmt: skip
        return not container.bare

    def following(
        self, container: EncodedContainer, inner: DocumentNode, path: str
    ) -> Iterator[Chunk]:
        follows = container.framing.follows
        if container.format.header is not None or follows is None:
            self.doc.fault(path, f"nothing follows the header of {container.format.name} here")
        elif inner.obj.get("format") != follows:
            self.doc.fault(join_path(path, "format"), "not what follows this header", expected=follows,
                           actual=excerpt(inner.obj.get("format")))  # fmt: skip
        else:
            yield from self.container(inner, None, container)

    def record(
        self,
        container: EncodedContainer,
        obj: dict[str, Any],
        path: str,
        inner: DocumentNode | None,
    ) -> Iterator[Chunk]:
        """Encode one record with what it holds or announces."""
        doc = self.doc
        before = len(doc.faults)
        record = RecordEncoder(doc, container, obj, path)
        if record.code is None:
            return
        record_type, entry = record.record_type, record.entry
        content = None if record_type is None else record_type.content
        if inner is not None and content is None:
            if record.broken is not None:
                where = join_path(path, "content")
                doc.plugin_fault(where, record.broken, "the type cannot be used")
            else:
                name = "a type that no plugin knows" if entry is None else entry.name
                doc.fault(inner.path, f"{name} holds no other format",
                          hint="give the body as `raw`", needs_plugin=entry is None)  # fmt: skip
            return
        body: list[Chunk]
        held = inner if content is not None and not content.inline else None
        if held is not None:
            record.check_held_alone()
            body = list(self.container(held, record_type, container))
        else:
            body = record.body()
            if "rest" in obj:
                body += doc.stretch(obj["rest"], join_path(path, "rest"))
        if obj.get("raw_truncated"):
            record.fault("raw_truncated", "the bytes were cut when they were shown",
                         hint="`domctx decode` never cuts them")  # fmt: skip
        if len(doc.faults) > before:
            if inner is not None and held is None:
                for _ in self.container(inner, record_type, container):
                    pass  # its faults are reported too
            return
        length = size_of(body)
        yield record.header(length)
        yield from body
        yield record.padding(length)
        if record_type is not None and len(doc.faults) == before:
            record.remember(body)
            if record_type.suspends and container.outer is not None and not container.inside:
                container.outer.suspended[container.format.name] = container
        if inner is not None and held is None:
            yield from self.container(inner, record_type, container)
