"""Compare a domain context of one image with the records of the other that hold the same state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domctx_core.images.diff.bodies import Side, body_changes
from domctx_core.images.diff.changes import ValueChange
from domctx_core.images.diff.containers import JoinedContainer
from domctx_core.images.diff.identity import identity_of, place_of
from domctx_core.images.diff.image_pair import ImagePair
from domctx_core.images.diff.model import ContainerChange, RecordChange, RecordPlace
from domctx_core.images.tree import RecordNode
from domctx_core.layout.body import Body
from domctx_core.model.record_type import RecordType
from domctx_core.model.wire import DOMAIN_CONTEXT
from domctx_core.reader.record import Record
from domctx_core.reader.splice import ByteRange

__all__ = ["Equivalent", "context_change", "find_equivalents"]


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A record of another format, as the record of a domain context that holds the same state."""

    container: JoinedContainer
    node: RecordNode
    code: int
    body: Body


def find_equivalents(
    images: ImagePair, sides: Sequence[Iterable[JoinedContainer]]
) -> dict[JoinedContainer, list[Equivalent]]:
    """Find the records of one image for each domain context that only the other one has.

    Those records are then in `images.left_out`.
    """
    standing_in: dict[JoinedContainer, list[Equivalent]] = {}
    for own, others in (sides, sides[::-1]):
        alone = [
            container
            for container in own
            if container.format == DOMAIN_CONTEXT
            and id(container.level) not in images.partners
            and container.recognised
        ]
        if not alone:
            continue
        by_code: dict[int, list[Equivalent]] = defaultdict(list)
        for container in others:
            for found in _equivalents(images, container):
                by_code[found.code].append(found)
        for number, container in enumerate(alone):
            standing = [same[number] for same in by_code.values() if number < len(same)]
            if standing:
                standing_in[container] = standing
                images.left_out |= {id(equivalent.node) for equivalent in standing}
                if container.stretches[0].parent is not None:
                    images.left_out.add(id(container.stretches[0].parent))
    return standing_in


def _equivalents(images: ImagePair, container: JoinedContainer) -> Iterator[Equivalent]:
    for node in container.nodes:
        record = node.record
        record_type = images.record_type(record)
        if record_type is None or type(record_type).as_context is RecordType.as_context:
            continue
        body = images.decoded(record)
        state = None if body is None else images.ask(record_type.as_context, body)
        if state is not None:
            yield Equivalent(container, node, *state)


def context_change(
    images: ImagePair, container: JoinedContainer, equivalents: Sequence[Equivalent]
) -> ContainerChange | None:
    """Compare a domain context with the records that hold the same state; None if all are equal."""
    keep = images.keep
    own = {node.record.type: node for node in container.nodes}
    by_code = {equivalent.code: equivalent for equivalent in equivalents}
    framing = {container.level.format.first, container.level.format.last}
    records = []
    for node in container.nodes:
        record = node.record
        if record.type in framing or (keep is not None and not keep(record)):
            continue
        other = by_code.pop(record.type, None) if own[record.type] is node else None
        change = _record_change(images, record, other, container.in_b)
        if change is not None:
            records.append(change)
    for other in by_code.values():
        if keep is None or keep(other.node.record):
            place = _place(other.node.record)
            records.append(RecordChange(*((place, None) if container.in_b else (None, place))))
    if not records:
        return None
    places = equivalents[0].container.place, container.place
    a, b = places if container.in_b else places[::-1]
    return ContainerChange(container.format, a, b, True, (), tuple(records))


def _record_change(
    images: ImagePair, record: Record, other: Equivalent | None, in_b: bool
) -> RecordChange | None:
    place = _place(record)
    if other is None:
        return RecordChange(*((None, place) if in_b else (place, None)))
    body = images.decoded(record)
    order = record.level.framing.byteorder
    theirs = Side(other.body, other.body.to_bytes(order, check=False), None, order)
    there = _place(other.node.record)
    if body is None:
        whole = ByteRange(record.body_offset, record.length)
        change = images.bytes("body", *((None, whole) if in_b else (whole, None)))
        changes: tuple[ValueChange, ...] = () if change is None else (change,)
    else:
        own = Side(body, bytes(record.raw()), record.body_offset, order)
        pair = (theirs, own) if in_b else (own, theirs)
        changes = tuple(body_changes("body", *pair))
    if not changes:
        return None
    a, b = (there, place) if in_b else (place, there)
    return RecordChange(a, b, changes=changes)


def _place(record: Record) -> RecordPlace:
    return place_of(record, identity_of(record))
