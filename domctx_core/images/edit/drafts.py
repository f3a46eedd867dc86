"""Drafts: containers and records of the input's tree, with what an edit does to them."""

from __future__ import annotations

from collections.abc import Iterator

from domctx_core.images.tree import ContainerNode, RecordNode
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.format import HEAD_SIZE
from domctx_core.reader.record import OpenContainer, Record
from domctx_core.reader.sources import Source
from domctx_core.reader.splice import ByteRange

__all__ = ["ContainerDraft", "RecordDraft"]


class RecordDraft:
    """One record of the outcome.

    `number` is its instance, or its place among those of its type. `body` are new bytes of its
    body, or of the head of one whose pages stay. `source` is where it comes from, if not from the
    input. `new_offset` is where it is in the outcome.
    """

    __slots__ = ("body", "container", "inner", "new_offset", "node", "number", "source")

    def __init__(
        self, node: RecordNode, container: ContainerDraft, number: int, source: Source | None = None
    ) -> None:
        self.node = node
        self.container = container
        self.number = number
        self.source = source
        self.inner: ContainerDraft | None = None
        self.body: bytes | None = None
        self.new_offset: int | None = None

    @property
    def record(self) -> Record:
        return self.node.record

    @property
    def code(self) -> int:
        return self.node.record.type

    @property
    def label(self) -> str:
        """Return the name of the record in messages."""
        name = self.record.name or f"type {self.code:#x}"
        return f"{name}[{self.number}]" if self.record.instance is not None else name

    @property
    def extent(self) -> ByteRange:
        """Return the range of all its bytes in its source, content that follows it included."""
        record, content = self.record, self.node.content
        end = content.end if content is not None and self.node.inline else record.end
        return ByteRange(record.offset, end - record.offset, self.source)

    @property
    def touched(self) -> bool:
        return self.body is not None or (self.inner is not None and self.inner.touched)


class ContainerDraft:
    """One container of the outcome."""

    def __init__(
        self, node: ContainerNode, holder: RecordDraft | None, outer: ContainerDraft | None
    ) -> None:
        self.node = node
        self.holder = holder
        self.outer = outer
        self.items: list[RecordDraft] = []
        self.follows: ContainerDraft | None = None
        self.headers: dict[int, bytes] = {}
        self.rearranged = False
        self.new_offset: int | None = None

    @property
    def level(self) -> OpenContainer:
        return self.node.level

    @property
    def touched(self) -> bool:
        """Return whether anything in it differs from the input."""
        if self.rearranged or self.headers or any(item.touched for item in self.items):
            return True
        return self.follows is not None and self.follows.touched

    def header_ranges(self) -> list[ByteRange]:
        """Return the range of each body before the first record in the input."""
        if not self.node.prologue.length:
            return []
        starts = [offset for offset, _ in self.level.prologue]
        ends = [*starts[1:], self.level.records_offset]
        return [ByteRange(start, end - start) for start, end in zip(starts, ends, strict=True)]

    def header(self, number: int, source: Source) -> bytes:
        """Return the body with that number among those before the records, as it is to be."""
        raw = self.headers.get(number)
        if raw is None:
            range = self.header_ranges()[number]
            raw = bytes(source.at(range.offset, range.length))
        return raw

    def header_order(self, source: Source) -> ByteOrder:
        """Return the byte order of what precedes the records."""
        level = self.level
        size = HEAD_SIZE if level.bound is None else min(HEAD_SIZE, level.bound - level.offset)
        return level.format.byteorder(bytes(source.at(level.offset, size)))

    def holders(self) -> Iterator[RecordDraft]:
        """Yield the records that it lies in or follows, the innermost first."""
        draft: ContainerDraft | None = self
        while draft is not None:
            if draft.holder is not None:
                yield draft.holder
            draft = draft.outer
