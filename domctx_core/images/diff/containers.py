"""Containers of an image, and what differs in two of them besides their records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from domctx_core.images.diff.bodies import Side, body_changes
from domctx_core.images.diff.changes import Value, ValueChange, Where
from domctx_core.images.diff.image_pair import ImagePair
from domctx_core.images.diff.model import ContainerPlace
from domctx_core.images.tree import ContainerNode, Image, RecordNode
from domctx_core.reader.record import OpenContainer
from domctx_core.reader.splice import ByteRange

__all__ = ["JoinedContainer", "framing_changes", "joined_containers"]


@dataclass(eq=False)
class JoinedContainer:
    """A container of one image; the stretches of one that was suspended are joined in it."""

    image: Image
    level: OpenContainer
    recognised: bool
    in_b: bool
    outer: JoinedContainer | None = None
    stretches: list[ContainerNode] = field(default_factory=list)

    @property
    def format(self) -> str:
        return self.level.format.name

    @property
    def place(self) -> ContainerPlace:
        return ContainerPlace(self.level.path, self.level.offset)

    @property
    def nodes(self) -> list[RecordNode]:
        return [node for stretch in self.stretches for node in stretch.nodes]

    def prologue(self) -> Iterator[Side]:
        """Yield the bodies before the first record."""
        level = self.level
        if level.records_offset <= level.offset:
            return  # there is none, or it broke off, and is part of what cannot be framed
        places = [offset for offset, _ in level.prologue] + [level.records_offset]
        for number, (offset, body) in enumerate(level.prologue):
            raw = bytes(self.image.source.at(offset, places[number + 1] - offset))
            order = type(body).__layout__.order
            yield Side(body, raw, offset, "big" if order == ">" else level.framing.byteorder)


def joined_containers(image: Image, *, in_b: bool) -> list[JoinedContainer]:
    """Return the containers of an image in the order in which they begin."""
    by_level: dict[int, JoinedContainer] = {}
    for node in image.root.walk():
        container = by_level.get(id(node.level))
        if container is None:
            outer = None if node.outer is None else by_level[id(node.outer.level)]
            container = JoinedContainer(image, node.level, node.recognised, in_b, outer)
            by_level[id(node.level)] = container
        container.stretches.append(node)
    return list(by_level.values())


def framing_changes(
    images: ImagePair, x: JoinedContainer, y: JoinedContainer
) -> Iterator[ValueChange]:
    """Yield what differs in two containers besides their records."""
    start = x.level.offset, y.level.offset
    if x.recognised != y.recognised:
        yield _words("format", _known(x.recognised), _known(y.recognised), *start)
    orders = x.level.framing.byteorder, y.level.framing.byteorder
    if orders[0] != orders[1]:
        yield _words("byteorder", *orders, None, None)
    yield from _prologue_changes(images, x, y)
    outside: tuple[Where, ...] = ("trailing", "unframed")
    for one, other in zip_longest(x.stretches, y.stretches):
        for where in outside:
            in_a: ByteRange | None = getattr(one, where, None)
            in_b: ByteRange | None = getattr(other, where, None)
            change = images.bytes(where, in_a, in_b)
            if change is not None:
                yield change


def _prologue_changes(
    images: ImagePair, x: JoinedContainer, y: JoinedContainer
) -> Iterator[ValueChange]:
    for one, other in zip_longest(x.prologue(), y.prologue()):
        if one is not None and other is not None and type(one.body) is type(other.body):
            if one.raw != other.raw or one.byteorder != other.byteorder:
                yield from body_changes("prologue", one, other)
            continue
        change = images.bytes("prologue", _range_of(one), _range_of(other))
        if change is not None:
            yield change


def _range_of(side: Side | None) -> ByteRange | None:
    return None if side is None or side.offset is None else ByteRange(side.offset, len(side.raw))


def _known(recognised: bool) -> str:
    return "known" if recognised else "unknown"


def _words(where: Where, a: str, b: str, at_a: int | None, at_b: int | None) -> ValueChange:
    return ValueChange(where, None, Value(a, a, at_a), Value(b, b, at_b))
