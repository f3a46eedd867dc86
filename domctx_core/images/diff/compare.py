"""Compare two images: containers by format, records by type and instance, then field by field."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain

from domctx_core.images.diff.containers import (
    JoinedContainer,
    framing_changes,
    joined_containers,
)
from domctx_core.images.diff.equivalents import Equivalent, context_change, find_equivalents
from domctx_core.images.diff.image_pair import ImagePair, Keep
from domctx_core.images.diff.model import ContainerChange, Diff
from domctx_core.images.diff.pairing import RecordPairing
from domctx_core.images.tree import Image

__all__ = ["diff_images"]

_SHORT = 64 << 20
"""Bytes of an image that may be read twice, to see at once that it is the same as the other."""


def diff_images(a: Image, b: Image, *, keep: Keep | None = None) -> Diff:
    """Compare two images that `read_image` gave.

    Containers are paired by format, in the order in which each image has them, wherever they lie:
    where the outermost formats differ, what the two have in common is compared. A domain context that
    has no counterpart is compared with the records that hold the same state (see
    `RecordType.as_context`). Records are paired by type, instance and `RecordType.identity`, and by
    their order where there are several. Equal bytes are not decoded. With `keep` only the records
    that it chooses are compared, and nothing of the containers themselves.
    """
    return _Differ(a, b, keep).run()


class _Differ:
    """One comparison; `standing_in` has the records that stand for domain contexts without a
    counterpart."""

    def __init__(self, a: Image, b: Image, keep: Keep | None) -> None:
        self.images = ImagePair(a, b, keep)
        self.containers: tuple[list[JoinedContainer], ...] = ()
        self.standing_in: dict[JoinedContainer, list[Equivalent]] = {}

    def run(self) -> Diff:
        images = self.images
        a, b = images.a, images.b
        if a.size == b.size and a.size <= _SHORT and images.comparer.same(0, 0, a.size):
            return Diff()
        self.containers = joined_containers(a, in_b=False), joined_containers(b, in_b=True)
        pairs = self.pair_containers()
        self.standing_in = find_equivalents(images, self.containers)
        changes = [self.compare(x, y) for x, y in pairs]
        changes += self.lonely(compared=bool(pairs or self.standing_in))
        different = tuple(change for change in changes if change is not None)
        return Diff(different, images.needs_plugin)

    def pair_containers(self) -> list[tuple[JoinedContainer, JoinedContainer]]:
        waiting: dict[str, list[JoinedContainer]] = defaultdict(list)
        for other in self.containers[1]:
            waiting[other.format].append(other)
        pairs = []
        for container in self.containers[0]:
            if waiting[container.format]:
                other = waiting[container.format].pop(0)
                self.images.match(container.level, other.level)
                pairs.append((container, other))
        return pairs

    def lonely(self, *, compared: bool) -> Iterator[ContainerChange | None]:
        """Yield the containers without a counterpart: a difference if what holds them has one.

        Those around what is compared are none; those inside of others that are alone are implied.
        """
        images = self.images
        alone: set[JoinedContainer] = set()
        for container in chain(*self.containers):
            equivalents = self.standing_in.get(container)
            if equivalents is not None:
                yield context_change(images, container, equivalents)
                continue
            if images.keep is not None or id(container.level) in images.partners:
                continue
            outer = container.outer
            if outer in alone:
                alone.add(container)
                continue
            outside = compared if outer is None else id(outer.level) not in images.partners
            if not outside:
                alone.add(container)
            place = container.place
            yield ContainerChange(
                container.format,
                None if container.in_b else place,
                place if container.in_b else None,
                compared=not outside,
            )

    def compare(self, x: JoinedContainer, y: JoinedContainer) -> ContainerChange | None:
        images = self.images
        changes = () if images.keep is not None else tuple(framing_changes(images, x, y))
        records = tuple(RecordPairing(images, x, y).changes())
        if not changes and not records:
            return None
        return ContainerChange(x.format, x.place, y.place, True, changes, records)
