"""The records of a container in order, the keys they are paired by, and which of them moved."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise

from domctx_core.images.diff.identity import Identity, identity_of
from domctx_core.images.diff.image_pair import ImagePair
from domctx_core.images.diff.parts import body_of
from domctx_core.images.moves import moved_places
from domctx_core.images.tree import RecordNode
from domctx_core.model.record_type import RecordType
from domctx_core.reader.record import Record

__all__ = ["Key", "RecordSequence", "match_damaged", "moved_keys"]

Key = tuple[int, int, Identity, int]
"""Type, instance and identity of a record, and how many of the same came before it."""


class RecordSequence:
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


def match_damaged(
    left: RecordSequence, removed: Iterable[int], right: RecordSequence, added: Iterable[int]
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


def moved_keys(pairs: Sequence[tuple[Key, int, int]]) -> set[Key]:
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
