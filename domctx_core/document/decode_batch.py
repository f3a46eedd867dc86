"""Decode many equal records at once, without a body for each."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from domctx_core.base.errors import PLUGIN_ERRORS
from domctx_core.document.vocabulary import record_provider
from domctx_core.layout.codegen.json_codec import UNUSUAL, quick_reader
from domctx_core.layout.kinds.base import ORDERS
from domctx_core.model.traits import BatchHeader, batch_header
from domctx_core.reader.events import Record
from domctx_core.reader.sources import Source

__all__ = ["BatchDecoder", "RecordBatch", "batch_decoder"]

_FIRST_LOOK = 16
"""Records that are looked at at once where one may be the first of many alike."""

_LOOK = 4096
"""The most records that are looked at at once."""


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Records that differ in instance and body only, one right after the other."""

    run: BatchDecoder
    index: int
    offset: int
    instances: list[int]
    bodies: list[dict[str, Any]]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each record as JSON has it."""
        run, offset = self.run, self.offset
        before, after = run.before, run.after
        for place, body in enumerate(self.bodies):
            shown: dict[str, Any]
            shown = {"index": self.index + place, "offset": offset, **before}
            if self.instances:
                shown["instance"] = self.instances[place]
            shown |= after
            shown["body"] = body
            shown["provider"] = run.provider
            yield shown
            offset += run.stride

    def texts(self, encode: Callable[[Any], str]) -> Iterator[str]:
        """Each record as text; only bodies are encoded one by one."""
        run, count = self.run, len(self.bodies)
        before, after = encode(run.before)[1:-1], encode(run.after)[1:-1]
        form = f'{{"index": %d, "offset": %d, {before.replace("%", "%%")}, '
        form += '"instance": %d, ' if self.instances else ""
        form += f'{after}, "body": %s, "provider": '
        form += encode(run.provider).replace("%", "%%") + "}"
        indices = range(self.index, self.index + count)
        offsets = range(self.offset, self.offset + count * run.stride, run.stride)
        columns: list[Iterable[Any]] = [indices, offsets, map(encode, self.bodies)]
        if self.instances:
            columns.insert(2, self.instances)
        return map(form.__mod__, zip(*columns, strict=True))


class BatchDecoder:
    """Takes records of one type and length, one after the other, without decoding each."""

    def __init__(
        self, record: Record, header: BatchHeader, read: Callable[[bytes], dict[str, Any]]
    ) -> None:
        names, codes = header
        self.struct = struct.Struct(f"{codes}{record.length}s{record.padding}s")
        self.stride = self.struct.size
        self.type = names.index("type")
        self.length = names.index("length")
        self.instance = names.index("instance") if "instance" in names else None
        self.body = len(names)
        self.read = read
        self.before = {"type": record.type, "name": record.name}
        self.after = {"length": record.length, "padding": record.padding}
        self.provider = record_provider(record)

    def take(self, first: Record, source: Source) -> Iterator[RecordBatch]:
        """`first` and those after it that are like it and in order; none if it is not."""
        level, offset, index = first.level, first.offset, first.index
        bound = source.size if level.bound is None else level.bound
        if bound is None or not source.seekable:
            bound = first.end
        look = _FIRST_LOOK
        while count := min(look, (bound - offset) // self.stride):
            block = source.at(offset, count * self.stride)
            if len(block) < count * self.stride:
                return
            batch = self.batch(block, first, index, offset)
            taken = len(batch.bodies)
            if taken:
                yield batch
            if taken < count:
                return
            index += count
            offset += count * self.stride
            look = min(2 * look, _LOOK)

    def batch(self, block: memoryview, first: Record, index: int, offset: int) -> RecordBatch:
        """The records of a block, up to the first that is unlike them or out of order."""
        read, body, zeros = self.read, self.body, bytes(first.padding)
        type, length = first.type, first.length
        instances: list[int] = []
        bodies: list[dict[str, Any]] = []
        try:
            for row in self.struct.iter_unpack(block):
                if row[self.type] != type or row[self.length] != length or row[-1] != zeros:
                    break
                bodies.append(read(row[body]))
                if self.instance is not None:
                    instances.append(row[self.instance])
        except UNUSUAL:
            pass
        return RecordBatch(self, index, offset, instances, bodies)


def batch_decoder(record: Record) -> BatchDecoder | None:
    """How records like this one are taken quickly; None where they must be looked at one by one."""
    level, byteorder = record.level, record.level.framing.byteorder
    try:
        if record.entry is None or record.type == level.format.last or not record.held:
            return None
        record_type = record.entry.record_type
        header = batch_header(level.format, byteorder, record_type)
        body = record_type.body.__layout__
        if header is None or body.size != record.length:
            return None
        read = quick_reader(body, ORDERS[byteorder])
    except PLUGIN_ERRORS:
        return None
    return None if read is None else BatchDecoder(record, header, read)
