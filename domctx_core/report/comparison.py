"""A second image beside the first: what differs, as rows that have both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from domctx_core.images.diff.changes import Keys, PartsChange, ValueChange
from domctx_core.images.diff.model import ContainerChange, Diff, RecordChange

__all__ = ["Compared", "Comparison", "Pair"]

_RECORDS = 500
"""Records that differ which are in a page; of the others there is the number."""

_CHANGES = 100
"""Values of one record that differ which are in a page."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One value of both images; a side is None where the image has none."""

    field: str
    a: str | None
    b: str | None
    a_offset: int | None
    b_offset: int | None


@dataclass(frozen=True, slots=True)
class Compared:
    """A record or a container that differs.

    `target` is the id in the page of the record in the first image. `moving` are values that move
    by themselves, and `left_out` counts those that are not here.
    """

    label: str
    within: str
    status: str
    target: str
    pairs: tuple[Pair, ...]
    moving: tuple[Pair, ...]
    left_out: int


class Comparison:
    """What differs between the report's image and `name`.

    `find` gives the id in the page of the first image's record at an offset.
    """

    def __init__(self, diff: Diff, name: str, find: Callable[[int], str]) -> None:
        self.name = name
        self.differences = diff.differences
        self.folded = diff.folded
        rows = list(_rows(diff.containers, find))
        self.rows = tuple(rows[:_RECORDS])
        self.left_out = len(rows) - len(self.rows)


def _rows(containers: Iterable[ContainerChange], find: Callable[[int], str]) -> Iterator[Compared]:
    for container in containers:
        place = container.a or container.b
        within = container.format if place is None else " > ".join(place.path)
        if container.changes or container.status != "changed":
            target = "" if container.a is None else find(container.a.offset)
            status = container.status.replace("-", " ")
            yield _compared(container.format, within, status, target, container.changes, ())
        for record in container.records:
            target = "" if record.a is None else find(record.a.offset)
            status = record.status
            if record.moved and status == "changed":
                status = "changed and moved"
            label = record.place.label
            if record.ordinal:
                label += f", number {record.ordinal + 1}"
            yield _compared(label, within, status, target, record.changes, _parts(record))


def _compared(
    label: str,
    within: str,
    status: str,
    target: str,
    changes: Iterable[ValueChange],
    parts: Iterable[Pair],
) -> Compared:
    steady = list(parts)
    moving: list[Pair] = []
    for change in changes:
        (moving if change.volatile else steady).append(_pair(change))
    left_out = max(0, len(steady) - _CHANGES) + max(0, len(moving) - _CHANGES)
    return Compared(
        label, within, status, target, tuple(steady[:_CHANGES]), tuple(moving[:_CHANGES]), left_out
    )


def _pair(change: ValueChange) -> Pair:
    field = change.field or change.where
    a, b = change.a, change.b
    texts = [None if side is None else side.text for side in (a, b)]
    if change.set is not None and change.cleared is not None:
        texts = [f"only here: {bits.text()}" for bits in (change.cleared, change.set)]
    elif change.first is not None:
        field += f", {change.count:,} bytes differ from +{change.first:#x} on"
    offsets = [None if side is None else side.offset for side in (a, b)]
    return Pair(field, texts[0], texts[1], offsets[0], offsets[1])


def _parts(record: RecordChange) -> Iterator[Pair]:
    parts: PartsChange | None = record.parts
    if parts is None:
        return
    if parts.changed.count:
        yield _both(f"content of {parts.part}s", parts.changed)
    for old, new, count in parts.kinds_by:
        yield Pair(f"kind of {count:,} {parts.part}s", old, new, None, None)
    if parts.removed.count:
        yield Pair(f"{parts.part}s", _keys(parts.removed), None, None, None)
    if parts.added.count:
        yield Pair(f"{parts.part}s", None, _keys(parts.added), None, None)


def _both(field: str, keys: Keys) -> Pair:
    return Pair(field, _keys(keys), "differ", None, None)


def _keys(keys: Keys) -> str:
    """Return how many keys there are, and the first ranges of them."""
    return f"{keys.count:,}: {keys.text()}"
