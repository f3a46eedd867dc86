"""Pieces: an output described as bytes of its own and spans of an input, and written from that.

Whoever rewrites an image says what becomes of it piece by piece; guest memory that stays as it is
is a span, and is never held.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from domctx_core.errors import InputOutputError
from domctx_core.ops import CHUNK, write_all
from domctx_core.sources import Source

__all__ = ["Piece", "Span", "size_of", "write_pieces"]


@dataclass(frozen=True, slots=True)
class Span:
    """`length` bytes of an input, from `offset`."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """One past the last byte."""
        return self.offset + self.length


Piece = bytes | Span
"""A part of an output: bytes as they are, or bytes of the input by their place."""


def size_of(pieces: Iterable[Piece]) -> int:
    """How many bytes `write_pieces` writes of `pieces`."""
    return sum(piece.length if isinstance(piece, Span) else len(piece) for piece in pieces)


def write_pieces(pieces: Iterable[Piece], source: Source | None, target: Any) -> int:
    """Write `pieces` to a binary file, in order; gives the number of bytes written.

    `source` gives the bytes of spans, and may be None where there are none. Small pieces are
    gathered, and neighbouring spans are read as one. `InputOutputError` where the source is
    shorter than a span says.
    """
    written = 0
    small = bytearray()
    open_span: Span | None = None

    def flush() -> None:
        nonlocal open_span, written
        if open_span is not None and source is not None:
            span, open_span = open_span, None
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
            written += span.length
        if small:
            write_all(target, small)
            written += len(small)
            small.clear()

    for piece in pieces:
        if isinstance(piece, Span):
            if not piece.length:
                continue
            if open_span is not None and not small and open_span.end == piece.offset:
                open_span = Span(open_span.offset, open_span.length + piece.length)
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
