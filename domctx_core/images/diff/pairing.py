"""Pair the records of two containers by type, instance and identity, and compare each pair."""

from __future__ import annotations

from collections.abc import Iterator

from domctx_core.images.diff.changes import ValueChange
from domctx_core.images.diff.containers import JoinedContainer
from domctx_core.images.diff.identity import place_of
from domctx_core.images.diff.image_pair import ImagePair
from domctx_core.images.diff.model import RecordChange
from domctx_core.images.diff.parts import compare_parts
from domctx_core.images.diff.records import head_changes, record_changes
from domctx_core.images.diff.sequence import Key, RecordSequence, match_damaged, moved_keys

__all__ = ["RecordPairing"]


class RecordPairing:
    """The records of two containers; `alike` says that both are of the same byte order."""

    def __init__(self, images: ImagePair, x: JoinedContainer, y: JoinedContainer) -> None:
        self.images = images
        self.left = RecordSequence(images, x.nodes)
        self.right = RecordSequence(images, y.nodes)
        self.alike = x.level.framing.byteorder == y.level.framing.byteorder

    def changes(self) -> Iterator[RecordChange]:
        """Yield the records that differ in the two containers, or that one of them has alone."""
        left, right = self.left, self.right
        index = 0
        # most images differ in few places: as long as both have the same records in a row, no
        # pairing is needed
        for n, m in zip(left.nodes, right.nodes, strict=False):
            r, s = n.record, m.record
            if r.type != s.type or r.instance != s.instance:
                break
            if (id(n) in left.groups) != (id(m) in right.groups):
                break
            single = id(n) not in left.groups
            if self.alike and single and self.images.same(r, s):
                index += 1
                continue
            if single and left.identity(index) != right.identity(index):
                break
            index += 1
            change = self.pair(index - 1, index - 1)
            if change is not None:
                yield change
        if index < max(len(left.nodes), len(right.nodes)):
            yield from self.rest(index)

    def rest(self, start: int) -> Iterator[RecordChange]:
        """Yield the changes of all records from the first place on where the two sides differ."""
        left, right = self.left, self.right
        waiting = {key: index for index, key in enumerate(right.keys) if index >= start}
        pairs: list[tuple[Key, int, int]] = []
        removed = []
        for index in range(start, len(left.nodes)):
            key = left.keys[index]
            other = waiting.pop(key, None)
            if other is None:
                removed.append(index)
            else:
                pairs.append((key, index, other))
        moved = moved_keys(pairs)
        added = list(waiting.values())
        damaged = match_damaged(left, removed, right, added)
        places = [(index, other, key in moved) for key, index, other in pairs]
        places += [(index, other, False) for index, other in damaged.items()]
        for index, other, is_moved in places:
            change = self.pair(index, other, moved=is_moved)
            if change is not None:
                yield change
        for index in removed:
            if index not in damaged:
                yield self.alone(left, index)
        paired = set(damaged.values())
        for index in added:
            if index not in paired:
                yield self.alone(right, index)

    def alone(self, side: RecordSequence, index: int) -> RecordChange:
        """Return the change of a record that only one side has."""
        in_b = side is self.right
        node = side.nodes[index]
        place = place_of(node.record, side.identity(index))
        group = side.groups.get(id(node))
        parts = None
        if group is not None:
            parts = self.images.ask(compare_parts, *(((), group) if in_b else (group, ())))
        a, b = (None, place) if in_b else (place, None)
        return RecordChange(a, b, side.ordinal(index), parts=parts)

    def pair(self, index: int, other: int, *, moved: bool = False) -> RecordChange | None:
        """Compare a record of A with one of B; None if they do not differ."""
        left, right = self.left, self.right
        n, m = left.nodes[index], right.nodes[other]
        in_a, in_b = left.groups.get(id(n)), right.groups.get(id(m))
        changes: tuple[ValueChange, ...] = ()
        parts = None
        if in_a is not None and in_b is not None:
            parts = self.images.ask(compare_parts, in_a, in_b)
            if parts is not None and not (parts.differences or parts.passing.count):
                parts = None
            changes = tuple(head_changes(self.images, in_a, in_b, self.alike))
        elif not (self.alike and self.images.same(n.record, m.record)):
            changes = tuple(record_changes(self.images, n, m, self.alike))
        if not changes and not moved and parts is None:
            return None
        a = place_of(n.record, left.identity(index))
        b = place_of(m.record, right.identity(other))
        return RecordChange(a, b, left.ordinal(index), moved, changes, parts)
