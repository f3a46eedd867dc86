"""Compare bulk records of two images part by part (guest memory: page by page).

It does not matter which record a part is in, and of parts with the same key the last one counts. The
records are read in step, so that only the parts that differ or come in another order are remembered,
and of those no more than a limit at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from domctx_core.images.diff.bytes import Comparer
from domctx_core.images.diff.changes import Keys, PartsChange
from domctx_core.layout.body import Body
from domctx_core.model.attributes import Part
from domctx_core.reader.record import Record
from domctx_core.reader.sources import Source

__all__ = ["body_of", "compare_parts", "parts_of"]

SUSPECTS = 1 << 18
"""Parts that are remembered at a time."""

_RANGES = 16
"""Ranges of keys that are listed; the rest is only counted."""


class _Placed(NamedTuple):
    """A part, with its range of the input."""

    key: int
    kind: str
    offset: int
    size: int


def parts_of(record: Record) -> Sequence[Part] | None:
    """Return the parts of a bulk record; None if it has none or they are not known."""
    if record.entry is None or not record.bulk:
        return None
    head = body_of(record)
    if head is None:
        return None
    parts = record.entry.record_type.parts(head)
    return None if parts is None else tuple(parts)


def compare_parts(a: Sequence[Record], b: Sequence[Record], limit: int = SUSPECTS) -> PartsChange:
    """Compare the parts of two sets of bulk records of one type.

    Reads both once if they agree; if more than `limit` parts differ, once more for each further
    `limit` of them. Raises what the record type raises.
    """
    first = (a or b)[0]
    assert first.entry is not None
    outcome = _Outcome()
    low: int | None = 0
    while low is not None:
        suspects, high = _suspects(a, b, low, limit)
        _judge(a, b, suspects, outcome)
        low = high
    word = first.entry.record_type.bulk
    return outcome.result(word if isinstance(word, str) else "part")


def body_of(record: Record) -> Body | None:
    """Decode a record's body (of a bulk one, its head) without keeping it; None if that fails."""
    size = record.head if record.bulk else record.length
    body = record.body_class
    if body is None or not 0 < size <= min(record.length, record.cap):
        return None
    decoded: Body | None = body.inspect(record.raw(size), record.level.framing.byteorder).body
    return decoded


def _placed(records: Sequence[Record]) -> Iterator[_Placed]:
    for record in records:
        end = record.body_offset + record.length
        for key, kind, offset, size in parts_of(record) or ():
            start = min(record.body_offset + offset, end)
            yield _Placed(key, kind, start, min(size, end - start))


def _suspects(
    a: Sequence[Record], b: Sequence[Record], low: int, limit: int
) -> tuple[list[int], int | None]:
    """Return keys from `low` on that may differ, ascending, and the key to go on from, if any."""
    suspects: set[int] = set()
    high: int | None = None
    comparer = _comparer(a, b)
    left, right = _placed(a), _placed(b)
    x, y = next(left, None), next(right, None)
    while x is not None or y is not None:
        if x is not None and y is not None and x.key == y.key:
            key = x.key
            doubtful = (
                key >= low
                and (high is None or key < high)
                and (
                    x.kind != y.kind
                    or x.size != y.size
                    or bool(x.size and not comparer.same(x.offset, y.offset, x.size))
                )
            )
            x, y = next(left, None), next(right, None)
        elif y is None or (x is not None and x.key < y.key):
            assert x is not None
            key, x = x.key, next(left, None)
            doubtful = key >= low and (high is None or key < high)
        else:
            key, y = y.key, next(right, None)
            doubtful = key >= low and (high is None or key < high)
        if doubtful:
            suspects.add(key)
            if len(suspects) > limit:
                high = sorted(suspects)[max(1, limit // 2)]
                suspects = {key for key in suspects if key < high}
    return sorted(suspects), high


def _judge(
    a: Sequence[Record], b: Sequence[Record], suspects: Sequence[int], outcome: _Outcome
) -> None:
    if not suspects:
        return
    wanted = frozenset(suspects)
    left = {part.key: part for part in _placed(a) if part.key in wanted}
    right = {part.key: part for part in _placed(b) if part.key in wanted}
    comparer = _comparer(a, b)
    for key in suspects:
        x, y = left.get(key), right.get(key)
        if x is None or y is None:
            (outcome.added if x is None else outcome.removed).add(key)
        elif x.kind != y.kind:
            outcome.kinds.add(key)
            outcome.by[x.kind, y.kind] += 1
        elif x.size != y.size or not comparer.same(x.offset, y.offset, x.size):
            outcome.changed.add(key)
        else:
            outcome.passing.add(key)


def _comparer(a: Sequence[Record], b: Sequence[Record]) -> Comparer:
    nothing: Source | None = None
    left = a[0].source if a else nothing
    right = b[0].source if b else nothing
    source = left or right
    assert source is not None
    return Comparer(left or source, right or source)


class _Ranges:
    """Keys that come in ascending order: counted, and the first ranges kept."""

    def __init__(self) -> None:
        self.count = 0
        self.ranges: list[tuple[int, int]] = []
        self.last: int | None = None

    def add(self, key: int) -> None:
        self.count += 1
        if self.last is not None and key == self.last + 1:
            if self.ranges[-1][1] == self.last:
                self.ranges[-1] = self.ranges[-1][0], key
        elif len(self.ranges) < _RANGES:
            self.ranges.append((key, key))
        self.last = key

    def keys(self) -> Keys:
        return Keys(self.count, tuple(self.ranges))


class _Outcome:
    def __init__(self) -> None:
        self.changed, self.kinds, self.removed = _Ranges(), _Ranges(), _Ranges()
        self.added, self.passing = _Ranges(), _Ranges()
        self.by: Counter[tuple[str, str]] = Counter()

    def result(self, part: str) -> PartsChange:
        return PartsChange(
            part,
            self.changed.keys(),
            self.kinds.keys(),
            tuple(sorted((old, new, count) for (old, new), count in self.by.items())),
            self.removed.keys(),
            self.added.keys(),
            self.passing.keys(),
        )
