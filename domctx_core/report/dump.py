"""Bytes as a report shows them: rows of 16, cut into pieces that each belong to one field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["Dump", "Piece", "make_dump"]

ROW = 16
"""Bytes in a row."""

_ZEROS = 4
"""Whole rows of zeros inside one piece from which on they are only counted."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of the bytes, as text that goes on where the piece before it ended.

    `owner` is the number of the field that the bytes are; None where they are no field's. `text`
    are the bytes, `gap` is what separates them from the next piece: a blank or the end of the row.
    """

    owner: int | None
    text: str
    gap: str


@dataclass(frozen=True, slots=True)
class Dump:
    """A body's bytes; the four columns have the same rows.

    `offsets` count from the start of the input, `places` from the start of the body. `left_out`
    is how many bytes follow that are not here.
    """

    offsets: str
    places: str
    pieces: tuple[Piece, ...]
    ascii: str
    left_out: int


def make_dump(
    raw: bytes, start: int, owners: Iterable[tuple[int, int, int]], left_out: int
) -> Dump:
    """Return the dump of `raw`, the bytes at offset `start` of the input.

    `owners` are the number, start and end of fields within it, ascending; the ends may lie beyond.
    """
    offsets: list[str] = []
    places: list[str] = []
    texts: list[str] = []
    pieces = []
    at_row = 0
    for owner, first, end in _filled(owners, len(raw)):
        text = []
        at = first
        while at < end:
            if at % ROW == 0:
                zeros = _zero_rows(raw, at, end)
                if zeros >= _ZEROS:
                    offsets.append(f"{start + at:08x}")
                    places.append(f"{at:04x}")
                    texts.append("")
                    text.append(f"··  {zeros * ROW} bytes of zeros")
                    at += zeros * ROW
                    text.append("\n")
                    continue
                offsets.append(f"{start + at:08x}")
                places.append(f"{at:04x}")
                row = raw[at : at + ROW]
                texts.append("".join(chr(b) if 0x20 <= b < 0x7F else "·" for b in row))
                at_row = at
            stop = min(end, at_row + ROW)
            text.append(raw[at:stop].hex(" "))
            text.append("\n" if stop == at_row + ROW else " ")
            at = stop
        gap = text.pop() if text else ""
        pieces.append(Piece(owner, "".join(text), gap))
    return Dump("\n".join(offsets), "\n".join(places), tuple(pieces), "\n".join(texts), left_out)


def _filled(
    owners: Iterable[tuple[int, int, int]], size: int
) -> Iterator[tuple[int | None, int, int]]:
    """Yield the owners within `size` bytes, with pieces without an owner between and after them."""
    at = 0
    for number, start, end in owners:
        end = min(end, size)
        if start > at:
            yield None, at, min(start, size)
        if end > start:
            yield number, start, end
        at = max(at, end)
    if at < size:
        yield None, at, size


def _zero_rows(raw: bytes, at: int, end: int) -> int:
    """Count the whole rows of zeros from `at` to `end`."""
    rows = (end - at) // ROW
    whole = raw[at : at + rows * ROW]
    return (len(whole) - len(whole.lstrip(b"\0"))) // ROW
