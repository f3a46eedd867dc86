"""Turn drafts into chunks: what is untouched is copied from the input, the rest is new bytes."""

from __future__ import annotations

from dataclasses import replace

from domctx_core.base.errors import Errno, ImageError
from domctx_core.images.edit.drafts import ContainerDraft, RecordDraft
from domctx_core.layout.kinds.base import ORDERS
from domctx_core.layout.kinds.scalars import Int
from domctx_core.model.wire import padding
from domctx_core.reader.record import Record
from domctx_core.reader.sources import Source
from domctx_core.reader.splice import ByteRange, Chunk

__all__ = ["Assembler"]


class Assembler:
    """Appends containers and records to `chunks`, of `size` bytes together."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.chunks: list[Chunk] = []
        self.size = 0

    def add(self, chunk: Chunk) -> None:
        if isinstance(chunk, ByteRange):
            if not chunk.length:
                return
            self.size += chunk.length
            last = self.chunks[-1] if self.chunks else None
            if isinstance(last, ByteRange) and last.precedes(chunk):
                self.chunks[-1] = replace(last, length=last.length + chunk.length)
                return
        else:
            self.size += len(chunk)
        self.chunks.append(chunk)

    def container(self, draft: ContainerDraft) -> None:
        node = draft.node
        draft.new_offset = self.size
        if not draft.touched:
            self.add(ByteRange(node.start, node.end - node.start))
            return
        ranges = draft.header_ranges()
        for number, range in enumerate(ranges):
            self.add(draft.headers.get(number, range))
        if not ranges:
            self.add(node.prologue)
        for item in draft.items:
            self.record(item)
        if draft.follows is not None:
            self.container(draft.follows)
        for rest in (node.trailing, node.unframed):
            if rest is not None:
                self.add(rest)

    def record(self, item: RecordDraft) -> None:
        item.new_offset = self.size
        if not item.touched:
            self.add(item.extent)
            return
        record, inner = item.record, item.inner
        place = len(self.chunks)
        self.add(b"")  # the header, whose length is known when the body is
        self.size += record.header_size
        start = self.size
        if item.body is not None:
            self.add(item.body)
            if record.bulk:
                self.add(
                    ByteRange(record.body_offset + len(item.body), record.length - len(item.body))
                )
        elif inner is not None and not item.node.inline:
            self.container(inner)
        else:
            self.add(ByteRange(record.body_offset, record.length))
        length = self.size - start
        self.chunks[place] = self.header(record, length)
        filling = padding(length, record.level.format.alignment)
        if filling == record.padding:
            self.add(ByteRange(record.body_offset + record.length, filling))
        else:
            self.add(bytes(filling))
        if inner is not None and item.node.inline:
            self.container(inner)

    def header(self, record: Record, length: int) -> Chunk:
        """Return the record's header with another length; all else in it stays."""
        if length == record.length:
            return ByteRange(record.offset, record.header_size)
        header = record.level.format.header
        assert header is not None
        layout = header.__layout__
        kind, start = layout.by_name["length"].kind, layout.offset_of(None, "length")
        assert isinstance(kind, Int)
        assert start is not None
        if length > kind.highest:
            raise ImageError(
                f"the body of {record.name or record.type} would be longer than a header can say",
                errno=Errno.E2BIG,
                offset=record.offset,
                record=record.index,
                expected=f"at most {kind.highest} bytes",
                actual=f"{length} bytes",
            )
        raw = bytearray(self.source.at(record.offset, record.header_size))
        new = bytearray()
        kind.encode(length, new, layout.order or ORDERS[record.level.framing.byteorder])
        raw[start : start + kind.size] = new
        return bytes(raw)
