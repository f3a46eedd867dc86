"""Decode many equal records at once, without a body for each."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from json import dumps
from typing import Any

from domctx_core.base.errors import PLUGIN_ERRORS
from domctx_core.document.vocabulary import FIELDS_ONLY, record_head, record_provider
from domctx_core.layout.codegen.json_codec import json_decoder
from domctx_core.layout.codegen.source import NOT_APPLICABLE
from domctx_core.layout.kinds.base import ORDERS
from domctx_core.model.traits import BatchHeader, batch_header
from domctx_core.reader.events import Batch
from domctx_core.reader.record import OpenContainer, Record
from domctx_core.reader.sources import Source

__all__ = ["RecordBatch", "RecordBatcher"]

_FIRST = 16
"""Records that are read at once where one may be the first of many equal ones."""

_MOST = 4096
"""The most records that are read at once."""


_COLUMNS = {"index": "%d", "offset": "%d", "instance": "%d", "body": "%s"}
"""Keys whose values differ between the records of a batch, with how `%` formats them."""


class RecordBatch(Batch):
    """Records that follow one another and differ in instance and body only.

    `decoder` has what they have in common; `instances` is empty if the format has none.
    """

    __slots__ = ("bodies", "decoder", "instances")

    def __init__(
        self,
        level: OpenContainer,
        index: int,
        offset: int,
        decoder: _BatchDecoder,
        instances: list[int],
        bodies: list[dict[str, Any]],
    ) -> None:
        count = len(bodies)
        super().__init__(level, index, offset, count, offset + count * decoder.stride)
        self.decoder = decoder
        self.instances = instances
        self.bodies = bodies

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield each record as JSON has it."""
        for number, body in enumerate(self.bodies):
            offset = self.offset + number * self.decoder.stride
            obj = {"index": self.index + number, "offset": offset, "body": body}
            if self.instances:
                obj["instance"] = self.instances[number]
            yield self.decoder.pattern | obj

    def texts(self, encode: Callable[[Any], str]) -> Iterator[str]:
        """Yield each record as text; only bodies are encoded one by one."""
        columns: dict[str, Iterable[Any]] = {
            "index": range(self.index, self.index + self.count),
            "offset": range(self.offset, self.end, self.decoder.stride),
            "instance": self.instances,
            "body": map(encode, self.bodies),
        }
        rows = zip(*(columns[key] for key in self.decoder.columns), strict=True)
        return map(self.decoder.form.__mod__, rows)


class RecordBatcher:
    """Takes records that are like the one before them, without a body for each."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._decoders: dict[tuple[OpenContainer, int, int], _BatchDecoder | None] = {}

    def _decoder(self, record: Record) -> _BatchDecoder | None:
        key = record.level, record.type, record.length
        if key not in self._decoders:
            self._decoders[key] = _batch_decoder(record)
        return self._decoders[key]

    def single(self, record: Record) -> RecordBatch | None:
        """Return a batch of one record; None if it has to be looked at."""
        decoder = self._decoder(record)
        return None if decoder is None else decoder.single(record)

    def after(self, record: Record) -> Iterable[RecordBatch]:
        """Yield the records after one that are like it, in batches."""
        decoder = self._decoder(record) if self._source.seekable else None
        return () if decoder is None else decoder.following(record, self._source)


class _BatchDecoder:
    """Decodes records of one type and length that follow one another, without a body for each."""

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
        pattern = record_head(record) | {"body": None, "provider": record_provider(record)}
        #: One of the records as JSON has it, the same as text, and the keys in which others differ.
        self.pattern = {key: value for key, value in pattern.items() if key in FIELDS_ONLY}
        self.columns = [key for key in self.pattern if key in _COLUMNS]
        texts = (
            f"{dumps(key)}: {_COLUMNS.get(key) or dumps(value).replace('%', '%%')}"
            for key, value in self.pattern.items()
        )
        self.form = f"{{{', '.join(texts)}}}"

    def single(self, record: Record) -> RecordBatch | None:
        """Decode one record; return None if anything about it is unusual."""
        if record.padding and record.padding_raw.strip(b"\0"):
            return None
        try:
            body = self.read(bytes(record.raw()))
        except NOT_APPLICABLE:
            return None
        instances = [] if record.instance is None else [record.instance]
        return RecordBatch(record.level, record.index, record.offset, self, instances, [body])

    def following(self, first: Record, source: Source) -> Iterator[RecordBatch]:
        """Yield the records after `first` that are like it."""
        level, offset, index = first.level, first.end, first.index + 1
        bound = source.size if level.bound is None else level.bound
        assert bound is not None  # the source can seek
        most = _FIRST
        while count := min(most, (bound - offset) // self.stride):
            block = source.at(offset, count * self.stride)
            if len(block) < count * self.stride:
                return
            batch = self.batch(block, first, index, offset)
            if batch.count:
                yield batch
            if batch.count < count:
                return
            index, offset = index + count, batch.end
            most = min(2 * most, _MOST)

    def batch(self, block: memoryview, first: Record, index: int, offset: int) -> RecordBatch:
        """Decode the records of a block, up to the first that is unlike `first` or unusual."""
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
        except NOT_APPLICABLE:
            pass
        return RecordBatch(first.level, index, offset, self, instances, bodies)


def _batch_decoder(record: Record) -> _BatchDecoder | None:
    """Return a decoder for records like this one; None if each of them has to be looked at."""
    level, byteorder = record.level, record.level.framing.byteorder
    try:
        if record.entry is None or record.type == level.format.last or not record.held:
            return None
        record_type = record.entry.record_type
        header = batch_header(level.format, byteorder, record_type)
        body = record_type.body.__layout__
        if header is None or body.size != record.length:
            return None
        read = json_decoder(body, ORDERS[byteorder])
    except PLUGIN_ERRORS:
        return None
    return None if read is None else _BatchDecoder(record, header, read)
