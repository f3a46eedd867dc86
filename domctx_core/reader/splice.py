"""Pieces: an output described as bytes of its own and spans of an input, and written from that.

Whoever rewrites an image says what becomes of it piece by piece; guest memory that stays as it is
is a span, and is never held.
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

__all__ = ["Piece", "PieceSource", "Span", "size_of", "write_pieces"]


@dataclass(frozen=True, slots=True)
class Span:
    """`length` bytes of an input, from `offset`.

    The input is that of the outcome as a whole, unless `source` is another.
    """

    offset: int
    length: int
    source: Source | None = None

    @property
    def end(self) -> int:
        """One past the last byte."""
        return self.offset + self.length

    def precedes(self, other: Span) -> bool:
        """Whether the bytes of `other` come right after these in the same input."""
        return self.end == other.offset and self.source is other.source


Piece = bytes | Span
"""A part of an output: bytes as they are, or bytes of the input by their place."""


def size_of(pieces: Iterable[Piece]) -> int:
    """How many bytes `write_pieces` writes of `pieces`."""
    return sum(map(_size, pieces))


def _size(piece: Piece) -> int:
    return piece.length if isinstance(piece, Span) else len(piece)


def write_pieces(pieces: Iterable[Piece], source: Source | None, target: Any) -> int:
    """Write `pieces` to a binary file, in order; gives the number of bytes written.

    `source` gives the bytes of spans that name none, and may be None where there are none. Small
    pieces are gathered, and neighbouring spans are read as one. `InputOutputError` where a source
    is shorter than a span says.
    """
    written = 0
    small = bytearray()
    open_span: Span | None = None

    def flush() -> None:
        nonlocal open_span, written
        if open_span is not None:
            span, open_span = open_span, None
            _copy(span, span.source or source, target)
            written += span.length
        if small:
            write_all(target, small)
            written += len(small)
            small.clear()

    for piece in pieces:
        if isinstance(piece, Span):
            if not piece.length:
                continue
            if open_span is not None and open_span.precedes(piece):
                open_span = replace(open_span, length=open_span.length + piece.length)
                continue
            flush()
            open_span = piece
        elif piece:
            if open_span is not None:
                flush()
            small += piece
            if len(small) >= CHUNK:
                flush()
    flush()
    return written


def _copy(span: Span, source: Source | None, target: Any) -> None:
    if source is None:
        raise MisuseError("a span names no input, and there is none")
    at = span.offset
    while at < span.end:
        data = source.at(at, min(CHUNK, span.end - at))
        if not data:
            raise InputOutputError(
                "the input ends before a part of it that is to be copied",
                offset=at,
                expected=f"{span.end - at} more bytes",
                actual="none",
            )
        write_all(target, data)
        at += len(data)


class PieceSource(Source):
    """What `write_pieces` would write, to be read like an input without writing it.

    `source` gives the bytes of spans that name none; all sources must be able to seek.
    """

    size: int

    def __init__(self, pieces: Iterable[Piece], source: Source | None) -> None:
        self._pieces = [piece for piece in pieces if _size(piece)]
        self._source = source
        *self._starts, self.size = accumulate(map(_size, self._pieces), initial=0)

    def at(self, offset: int, size: int) -> memoryview:
        end = min(self.size, offset + size)
        parts: list[memoryview] = []
        number = bisect_right(self._starts, offset) - 1
        while offset < end:
            piece, start = self._pieces[number], self._starts[number]
            here = min(end, start + _size(piece)) - offset
            if isinstance(piece, Span):
                source = piece.source or self._source
                assert source is not None
                parts.append(source.at(piece.offset + offset - start, here))
                if len(parts[-1]) < here:  # an input that was cut since it was looked at
                    break
            else:
                parts.append(memoryview(piece)[offset - start : offset - start + here])
            offset += here
            number += 1
        return parts[0] if len(parts) == 1 else memoryview(b"".join(parts))

    def reaches(self, offset: int) -> bool:
        return offset <= self.size

    def end(self) -> int:
        return self.size
