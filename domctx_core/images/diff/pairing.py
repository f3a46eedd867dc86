"""Pair the records of two containers by type, instance and identity, and compare each pair."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise

from domctx_core.images.diff.changes import ValueChange
from domctx_core.images.diff.containers import JoinedContainer
from domctx_core.images.diff.identity import Identity, identity_of, place_of
from domctx_core.images.diff.image_pair import ImagePair
from domctx_core.images.diff.model import RecordChange
from domctx_core.images.diff.parts import body_of, compare_parts
from domctx_core.images.diff.records import head_changes, record_changes
from domctx_core.images.moves import moved_places
from domctx_core.images.tree import RecordNode
from domctx_core.model.record_type import RecordType
from domctx_core.reader.record import Record

__all__ = ["RecordPairing"]

Key = tuple[int, int, Identity, int]
"""Type, instance and identity of a record, and how many of the same came before it."""


class _RecordSequence:
    """The records of one container that are compared; of those with parts, the first of each type.

    `groups` has all records of a type with parts, by the `id` of the first one's node.
    """

    def __init__(self, images: ImagePair, nodes: Iterable[RecordNode]) -> None:
        self.nodes: list[RecordNode] = []
        self.groups: dict[int, list[Record]] = {}
        self.identities: dict[int, Identity] = {}
        keep, left_out = images.keep, images.left_out
        types: dict[int, bool] = {}
        first: dict[int, list[Record]] = {}
        for node in nodes:
            record = node.record
            if (left_out and id(node) in left_out) or (keep is not None and not keep(record)):
                continue
            parted = types.get(record.type)
            if parted is None:
                parted = types[record.type] = _has_parts(images, record)
            if parted and images.ask(body_of, record) is not None:
                if record.type in first:
                    first[record.type].append(record)
                    continue
                self.groups[id(node)] = first[record.type] = [record]
            self.nodes.append(node)

    def identity(self, index: int) -> Identity:
        """Return the identity of the record at `index`; a record that has one is decoded once."""
        known = self.identities.get(index, ())
        if not known:
            known = identity_of(self.nodes[index].record)
            if known:
                self.identities[index] = known
        return known

    @cached_property
    def keys(self) -> list[Key]:
        """Return the key of each node; of records with parts, one that no other has."""
        keys: list[Key] = []
        seen: dict[tuple[int, int, Identity], int] = defaultdict(int)
        groups = self.groups
        for index, node in enumerate(self.nodes):
            record = node.record
            if groups and id(node) in groups:
                keys.append((record.type, -1, (), -1))
                continue
            instance = -1 if record.instance is None else record.instance
            key = record.type, instance, self.identity(index)
            keys.append((*key, seen[key]))
            seen[key] += 1
        return keys

    def ordinal(self, index: int) -> int:
        """Return how many records of the same identity precede the one at `index`."""
        return max(0, self.keys[index][3])


def _has_parts(images: ImagePair, record: Record) -> bool:
    record_type = images.record_type(record) if record.bulk else None
    return record_type is not None and type(record_type).parts is not RecordType.parts


def _match_damaged(
    left: _RecordSequence, removed: Iterable[int], right: _RecordSequence, added: Iterable[int]
) -> dict[int, int]:
    """Match leftover records of a type and instance if one of two is damaged, without identity."""
    waiting: dict[tuple[int, int, bool], deque[int]] = defaultdict(deque)
    for index in added:
        type, instance, identity, _ = right.keys[index]
        waiting[type, instance, bool(identity)].append(index)
    pairs = {}
    for index in removed:
        type, instance, identity, _ = left.keys[index]
        others = waiting.get((type, instance, not identity))
        if others:
            pairs[index] = others.popleft()
    return pairs


def _moved_keys(pairs: Sequence[tuple[Key, int, int]]) -> set[Key]:
    """Return the keys of the fewest records whose move makes both orders one.

    `pairs` are in the order of A, each with its place in A and in B. Of several choices that are as
    good, the same one is made whichever of the two images is A.
    """
    if all(x[2] < y[2] for x, y in pairwise(pairs)):
        return set()
    turned = sorted(pairs, key=lambda pair: pair[2])
    if [pair[0] for pair in turned] < [pair[0] for pair in pairs]:
        rows = [(key, at_a) for key, at_a, _ in turned]
    else:
        rows = [(key, at_b) for key, _, at_b in pairs]
    return {rows[number][0] for number in moved_places(place for _, place in rows)}


class RecordPairing:
    """The records of two containers; `alike` says that both are of the same byte order."""

    def __init__(self, images: ImagePair, x: JoinedContainer, y: JoinedContainer) -> None:
        self.images = images
        self.left = _RecordSequence(images, x.nodes)
        self.right = _RecordSequence(images, y.nodes)
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
        moved = _moved_keys(pairs)
        added = list(waiting.values())
        damaged = _match_damaged(left, removed, right, added)
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

    def alone(self, side: _RecordSequence, index: int) -> RecordChange:
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
