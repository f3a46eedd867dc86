"""Compare bytes of two inputs: skip equal stretches cheaply, and locate where others differ."""

from __future__ import annotations

from domctx_core.base.io import CHUNK
from domctx_core.images.diff.changes import Value, ValueChange, Where
from domctx_core.reader.sources import BufferSource, Source
from domctx_core.reader.splice import ByteRange

__all__ = ["Comparer", "bytes_change"]

SHOWN = 16
"""Bytes that are shown of each side, from the first that differs on."""


class Comparer:
    """Compares bytes of A with bytes of B, best in the order of their offsets.

    It reads ahead, in growing stretches, as long as both sides continue at the same distance from
    each other, so that small neighbours cost one comparison together.
    """

    def __init__(self, a: Source, b: Source) -> None:
        self._a, self._b = a, b
        self._start = self._end = self._shift = 0
        self._equal = False
        self._left = self._right = b""
        self._ahead = 0

    def same(self, a: int, b: int, size: int) -> bool:
        """Return whether the `size` bytes from offset `a` of A equal those from `b` of B."""
        if not size:
            return True
        if size > CHUNK:
            return self._same_long(a, b, size)
        if not (b - a == self._shift and self._start <= a and a + size <= self._end):
            self._read(a, b, size)
        if self._equal:
            return True
        at = a - self._start
        return self._left[at : at + size] == self._right[at : at + size]

    def _read(self, a: int, b: int, size: int) -> None:
        goes_on = b - a == self._shift and a == self._end
        self._ahead = min(max(size, 2 * self._ahead if goes_on else 0), CHUNK)
        self._left = bytes(self._a.at(a, self._ahead))
        self._right = bytes(self._b.at(b, self._ahead))
        self._start, self._end, self._shift = a, a + self._ahead, b - a
        self._equal = self._left == self._right

    def _same_long(self, a: int, b: int, size: int) -> bool:
        return all(
            self._a.at(a + at, min(CHUNK, size - at)).tobytes()
            == self._b.at(b + at, min(CHUNK, size - at)).tobytes()
            for at in range(0, size, CHUNK)
        )


def bytes_change(
    where: Where,
    field: str | None,
    a: tuple[Source, ByteRange] | None,
    b: tuple[Source, ByteRange] | None,
    volatile: bool = False,
) -> ValueChange | None:
    """Compare two ranges of bytes, neither of them held as a whole; None if they are equal."""
    empty = BufferSource(b""), ByteRange(0, 0)
    (left, in_a), (right, in_b) = a or empty, b or empty
    common = min(in_a.length, in_b.length)
    first: int | None = None
    count = max(in_a.length, in_b.length) - common
    for at in range(0, common, CHUNK):
        size = min(CHUNK, common - at)
        x, y = left.at(in_a.offset + at, size), right.at(in_b.offset + at, size)
        if bytes(x) != bytes(y):
            inside, differ = _differing(bytes(x), bytes(y))
            first = at + inside if first is None else first
            count += differ
    if not count:
        return None
    if first is None:
        first = common
    return ValueChange(
        where,
        field,
        None if a is None else _value(left, in_a, first),
        None if b is None else _value(right, in_b, first),
        volatile,
        first=first,
        count=count,
    )


_STEP = 1 << 14


def _differing(a: bytes, b: bytes) -> tuple[int, int]:
    """Return the index of the first byte that differs, and how many do."""
    first, count = len(a), 0
    for at in range(0, len(a), _STEP):
        x, y = a[at : at + _STEP], b[at : at + _STEP]
        if x == y:
            continue
        mask = (int.from_bytes(x) ^ int.from_bytes(y)).to_bytes(len(x))
        count += len(mask) - mask.count(0)
        first = min(first, at + len(mask) - len(mask.lstrip(b"\0")))
    return first, count


def _value(source: Source, span: ByteRange, first: int) -> Value:
    """Return what a side has from its first byte on that differs."""
    raw = bytes(source.at(span.offset + first, min(SHOWN, max(0, span.length - first))))
    more = span.length - first > SHOWN
    text = raw.hex(" ") + (" ..." if more else "") if raw else "nothing"
    return Value(raw.hex(), text, span.offset + first)
