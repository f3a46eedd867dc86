"""An output described as chunks: bytes of its own and byte ranges of an input, copied as written.

Guest memory that an edit does not touch is a range of the input, and is never held in memory.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from domctx_core.base.errors import InputOutputError, MisuseError
from domctx_core.base.io import CHUNK, write_all
from domctx_core.reader.sources import Source

__all__ = ["ByteRange", "Chunk", "SplicedSource", "size_of", "write_chunks"]


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Name `length` bytes of an input, from `offset`.

    The input is the one given to `write_chunks` or `SplicedSource`, unless `source` names another.
    """

    offset: int
    length: int
    source: Source | None = None

    @property
    def end(self) -> int:
        """Return the offset one past the last byte."""
        return self.offset + self.length

    def precedes(self, other: ByteRange) -> bool:
        """Return whether the bytes of `other` follow these without a gap in the same input."""
        return self.end == other.offset and self.source is other.source


Chunk = bytes | ByteRange
"""A part of an output: bytes as they are, or a range of an input."""


def size_of(chunks: Iterable[Chunk]) -> int:
    """Return how many bytes `write_chunks` writes for `chunks`."""
    return sum(map(_size, chunks))


def _size(chunk: Chunk) -> int:
    return chunk.length if isinstance(chunk, ByteRange) else len(chunk)


def write_chunks(chunks: Iterable[Chunk], source: Source | None, target: Any) -> int:
    """Write `chunks` to a binary file, in order, and return the number of bytes written.

    `source` has the bytes of the ranges that name no source of their own; it may be None if there
    are none. Small chunks are gathered, and adjacent ranges are read as one. Raises
    `InputOutputError` if a source ends inside a range.
    """
    written = 0
    small = bytearray()
    pending: ByteRange | None = None

    def flush() -> None:
        nonlocal pending, written
        if pending is not None:
            copied, pending = pending, None
            _copy(copied, copied.source or source, target)
            written += copied.length
        if small:
            write_all(target, small)
            written += len(small)
            small.clear()

    for chunk in chunks:
        if isinstance(chunk, ByteRange):
            if not chunk.length:
                continue
            if pending is not None and pending.precedes(chunk):
                pending = replace(pending, length=pending.length + chunk.length)
                continue
            flush()
            pending = chunk
        elif chunk:
            if pending is not None:
                flush()
            small += chunk
            if len(small) >= CHUNK:
                flush()
    flush()
    return written


def _copy(range: ByteRange, source: Source | None, target: Any) -> None:
    if source is None:
        raise MisuseError("a span names no input, and there is none")
    at = range.offset
    while at < range.end:
        data = source.at(at, min(CHUNK, range.end - at))
        if not data:
            raise InputOutputError(
                "the input ends before a part of it that is to be copied",
                offset=at,
                expected=f"{range.end - at} more bytes",
                actual="none",
            )
        write_all(target, data)
        at += len(data)


class SplicedSource(Source):
    """Read what `write_chunks` would write, without writing it.

    `source` has the bytes of the ranges that name no source of their own; all sources must be
    able to seek.
    """

    size: int

    def __init__(self, chunks: Iterable[Chunk], source: Source | None) -> None:
        self._chunks = [chunk for chunk in chunks if _size(chunk)]
        self._source = source
        *self._starts, self.size = accumulate(map(_size, self._chunks), initial=0)

    def at(self, offset: int, size: int) -> memoryview:
        end = min(self.size, offset + size)
        parts: list[memoryview] = []
        number = bisect_right(self._starts, offset) - 1
        while offset < end:
            chunk, start = self._chunks[number], self._starts[number]
            here = min(end, start + _size(chunk)) - offset
            if isinstance(chunk, ByteRange):
                source = chunk.source or self._source
                assert source is not None
                parts.append(source.at(chunk.offset + offset - start, here))
                if len(parts[-1]) < here:  # an input that was cut since it was looked at
                    break
            else:
                parts.append(memoryview(chunk)[offset - start : offset - start + here])
            offset += here
            number += 1
        return parts[0] if len(parts) == 1 else memoryview(b"".join(parts))

    def reaches(self, offset: int) -> bool:
        return offset <= self.size

    def end(self) -> int:
        return self.size
