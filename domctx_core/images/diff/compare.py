"""Two images compared: containers by format, records by type and instance, then field by field."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, zip_longest
from typing import Any, TypeVar

from domctx_core.base.errors import PLUGIN_ERRORS, InputOutputError
from domctx_core.images.diff.bodies import Side, body_changes
from domctx_core.images.diff.bytes import Comparer, bytes_change
from domctx_core.images.diff.identity import Identity, identity_of, place_of
from domctx_core.images.diff.model import (
    Change,
    ContainerChange,
    ContainerPlace,
    Diff,
    RecordChange,
    RecordPlace,
    Value,
    Where,
)
from domctx_core.images.diff.parts import body_of, compare_parts, parts_of
from domctx_core.images.tree import ContainerNode, Image, RecordNode
from domctx_core.layout.body import Body, Decoded
from domctx_core.layout.spans import spans
from domctx_core.model.record_type import RecordType
from domctx_core.model.registry import DOMAIN_CONTEXT
from domctx_core.reader.events import Level, Record
from domctx_core.reader.splice import ByteRange

__all__ = ["diff_images"]

T = TypeVar("T")
Keep = Callable[[Record], bool]
Pair = tuple[RecordNode, RecordNode]
Key = tuple[int, int, Identity, int]
"""Type, instance and identity of a record, and how many of the same came before it."""

_SHORT = 64 << 20
"""Bytes of an image that may be read twice, to see at once that it is the same as the other."""

_PAIRED_BY = ("type", "instance", "length")
"""Fields of a record's header that are no difference of their own."""


def diff_images(a: Image, b: Image, *, keep: Keep | None = None) -> Diff:
    """What differs between two images that `read_image` gave.

    Containers are paired by format, in the order in which each image has them, wherever they lie:
    where the outermost formats differ, what the two have in common is compared. A domain context that
    has no counterpart is compared with the records that hold the same state (see
    `RecordType.as_context`). Records are paired by type, instance and `RecordType.identity`, and by
    their order where there are several. Equal bytes are not decoded. With `keep` only the records
    that it chooses are compared, and nothing of the containers themselves.
    """
    return _Differ(a, b, keep).run()


@dataclass(eq=False)
class _Container:
    """A container of one image, the stretches of one that was suspended as one."""

    image: Image
    level: Level
    recognised: bool
    in_b: bool
    outer: _Container | None = None
    stretches: list[ContainerNode] = field(default_factory=list)
    partner: _Container | None = None

    @property
    def format(self) -> str:
        return self.level.format.name

    @property
    def place(self) -> ContainerPlace:
        return ContainerPlace(self.level.path, self.level.offset)

    @property
    def nodes(self) -> list[RecordNode]:
        return [node for stretch in self.stretches for node in stretch.nodes]


def _containers(image: Image, *, in_b: bool) -> dict[int, _Container]:
    """The containers of an image by the `id` of their level, in the order in which they begin."""
    found: dict[int, _Container] = {}
    for node in image.root.walk():
        container = found.get(id(node.level))
        if container is None:
            outer = None if node.outer is None else found[id(node.outer.level)]
            container = _Container(image, node.level, node.recognised, in_b, outer)
            found[id(node.level)] = container
        container.stretches.append(node)
    return found


@dataclass(frozen=True, slots=True)
class _Equivalent:
    """A record of another format that holds what a record of a domain context may hold."""

    container: _Container
    node: RecordNode
    code: int
    body: Body


class _Differ:
    """`standing_in` has, for domain contexts without a counterpart, the records of the other image
    that say the same; `left_out` has the `id` of nodes that are compared by that way."""

    def __init__(self, a: Image, b: Image, keep: Keep | None) -> None:
        self.a, self.b = a, b
        self.keep = keep
        self.comparer = Comparer(a.source, b.source)
        self.needs_plugin = False
        self.containers: tuple[dict[int, _Container], ...] = ()
        self.standing_in: dict[_Container, list[_Equivalent]] = {}
        self.left_out: set[int] = set()

    def run(self) -> Diff:
        size = self.a.size
        if size == self.b.size and size <= _SHORT and self.comparer.same(0, 0, size):
            return Diff()
        self.containers = _containers(self.a, in_b=False), _containers(self.b, in_b=True)
        pairs = self._pair_containers()
        self._find_equivalents()
        changes = [self._container(x, y) for x, y in pairs]
        changes += self._lonely(compared=bool(pairs or self.standing_in))
        return Diff(tuple(each for each in changes if each is not None), self.needs_plugin)

    # ------------------------------------------------------------------------------ containers

    def _pair_containers(self) -> list[tuple[_Container, _Container]]:
        waiting: dict[str, list[_Container]] = defaultdict(list)
        for other in self.containers[1].values():
            waiting[other.format].append(other)
        pairs = []
        for container in self.containers[0].values():
            if waiting[container.format]:
                other = waiting[container.format].pop(0)
                container.partner, other.partner = other, container
                pairs.append((container, other))
        return pairs

    def _find_equivalents(self) -> None:
        """Let records of one image stand in for a domain context that only the other one has."""
        for own, others in (self.containers, self.containers[::-1]):
            alone = [
                each
                for each in own.values()
                if each.format == DOMAIN_CONTEXT and each.partner is None and each.recognised
            ]
            if not alone:
                continue
            by_code: dict[int, list[_Equivalent]] = defaultdict(list)
            for container in others.values():
                for found in self._equivalents(container):
                    by_code[found.code].append(found)
            for number, container in enumerate(alone):
                standing = [each[number] for each in by_code.values() if number < len(each)]
                if standing:
                    self.standing_in[container] = standing
                    self.left_out |= {id(each.node) for each in standing}
                    if container.stretches[0].parent is not None:
                        self.left_out.add(id(container.stretches[0].parent))

    def _equivalents(self, container: _Container) -> Iterator[_Equivalent]:
        for node in container.nodes:
            record = node.record
            record_type = self._record_type(record)
            if record_type is None or type(record_type).as_context is RecordType.as_context:
                continue
            body = self._decoded(record)
            made = None if body is None else self._ask(record_type.as_context, body)
            if made is not None:
                yield _Equivalent(container, node, *made)

    def _lonely(self, *, compared: bool) -> Iterator[ContainerChange]:
        """Containers without a counterpart: a difference where what holds them has one.

        Those around what is compared are none; those inside of others that are alone are implied.
        """
        if self.keep is not None:
            for container, standing in self.standing_in.items():
                change = self._stand_in(container, standing)
                if change.records:
                    yield change
            return
        alone: set[_Container] = set()
        for container in (each for side in self.containers for each in side.values()):
            found = self.standing_in.get(container)
            if found is not None:
                change = self._stand_in(container, found)
                if change.records:
                    yield change
                continue
            if container.partner is not None:
                continue
            outer = container.outer
            if outer in alone:
                alone.add(container)
                continue
            outside = compared if outer is None else outer.partner is None
            if not outside:
                alone.add(container)
            place = container.place
            yield ContainerChange(
                container.format,
                None if container.in_b else place,
                place if container.in_b else None,
                compared=not outside,
            )

    def _container(self, x: _Container, y: _Container) -> ContainerChange | None:
        changes = () if self.keep is not None else tuple(self._framing(x, y))
        records = tuple(self._records(x, y))
        if not changes and not records:
            return None
        return ContainerChange(x.format, x.place, y.place, True, changes, records)

    def _framing(self, x: _Container, y: _Container) -> Iterator[Change]:
        """What differs in two containers besides their records."""
        start = x.level.offset, y.level.offset
        if x.recognised != y.recognised:
            yield _words("format", _known(x.recognised), _known(y.recognised), *start)
        orders = x.level.framing.byteorder, y.level.framing.byteorder
        if orders[0] != orders[1]:
            yield _words("byteorder", *orders, None, None)
        yield from self._prologue(x, y)
        places: tuple[tuple[Where, str], ...] = (
            ("trailing", "trailing"),
            ("unframed", "unframed"),
        )
        for one, other in zip_longest(x.stretches, y.stretches):
            for where, name in places:
                in_a: ByteRange | None = getattr(one, name, None)
                in_b: ByteRange | None = getattr(other, name, None)
                change = self._bytes(where, in_a, in_b)
                if change is not None:
                    yield change

    def _prologue(self, x: _Container, y: _Container) -> Iterator[Change]:
        for one, other in zip_longest(_prologue(x), _prologue(y)):
            if one is not None and other is not None and type(one.body) is type(other.body):
                if one.raw != other.raw or one.byteorder != other.byteorder:
                    yield from body_changes("prologue", one, other)
                continue
            change = self._bytes("prologue", _span(one), _span(other))
            if change is not None:
                yield change

    # --------------------------------------------------------------------------------- records

    def _records(self, x: _Container, y: _Container) -> Iterator[RecordChange]:
        left, right = _Sequence(self, x), _Sequence(self, y)
        alike = x.level.framing.byteorder == y.level.framing.byteorder
        at = 0
        # most images differ in few places: as long as both have the same records in a row, no
        # pairing is needed
        for n, m in zip(left.nodes, right.nodes, strict=False):
            r, s = n.record, m.record
            if r.type != s.type or r.instance != s.instance:
                break
            if (id(n) in left.groups) != (id(m) in right.groups):
                break
            single = id(n) not in left.groups
            if alike and single and self._same(r, s):
                at += 1
                continue
            if single and left.identity(at) != right.identity(at):
                break
            at += 1
            change = self._pair(left, at - 1, right, at - 1, alike, moved=False)
            if change is not None:
                yield change
        if at < max(len(left.nodes), len(right.nodes)):
            yield from self._paired(left, right, at, alike)

    def _paired(
        self, left: _Sequence, right: _Sequence, start: int, alike: bool
    ) -> Iterator[RecordChange]:
        """The records from the first on that does not stand at its place on both sides."""
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
        moved = _moved(pairs)
        for key, index, other in pairs:
            change = self._pair(left, index, right, other, alike, moved=key in moved)
            if change is not None:
                yield change
        added = list(waiting.values())
        half = _half_decoded(left, removed, right, added)
        for index, other in half.items():
            change = self._pair(left, index, right, other, alike, moved=False)
            if change is not None:
                yield change
        for index in removed:
            if index not in half:
                yield self._alone(left, index, in_b=False)
        paired = set(half.values())
        for index in added:
            if index not in paired:
                yield self._alone(right, index, in_b=True)

    def _alone(self, side: _Sequence, index: int, *, in_b: bool) -> RecordChange:
        node = side.nodes[index]
        place = place_of(node.record, side.identity(index))
        group = side.groups.get(id(node))
        parts = None
        if group is not None:
            parts = self._ask(compare_parts, *(((), group) if in_b else (group, ())))
        a, b = (None, place) if in_b else (place, None)
        return RecordChange(a, b, side.ordinal(index), parts=parts)

    def _pair(
        self,
        left: _Sequence,
        index: int,
        right: _Sequence,
        other: int,
        alike: bool,
        *,
        moved: bool,
    ) -> RecordChange | None:
        n, m = left.nodes[index], right.nodes[other]
        r, s = n.record, m.record
        in_a, in_b = left.groups.get(id(n)), right.groups.get(id(m))
        changes: tuple[Change, ...] = ()
        parts = None
        if in_a is not None and in_b is not None:
            parts = self._ask(compare_parts, in_a, in_b)
            if parts is not None and not (parts.differences or parts.passing.count):
                parts = None
            changes = tuple(self._heads(in_a, in_b, alike))
        elif not (alike and self._same(r, s)):
            changes = tuple(self._record(n, m, alike))
        if not changes and not moved and parts is None:
            return None
        a, b = place_of(r, left.identity(index)), place_of(s, right.identity(other))
        return RecordChange(a, b, left.ordinal(index), moved, changes, parts)

    def _same(self, r: Record, s: Record) -> bool:
        """Whether two records are the same bytes, header and padding included."""
        size = r.end - r.offset
        return r.length == s.length and self.comparer.same(r.offset, s.offset, size)

    def _record(self, n: RecordNode, m: RecordNode, alike: bool) -> Iterator[Change]:
        """What differs in two records, what is inside of a container in their bodies aside."""
        r, s = n.record, m.record
        yield from self._header(r, s, alike)
        if not (n.content is not None and m.content is not None and self._together(n, m)):
            yield from self._body(r, s, alike)
        yield from self._padding(r, s)

    def _together(self, n: RecordNode, m: RecordNode) -> bool:
        """Whether two records hold containers that are compared with each other."""
        if n.inline or m.inline or n.content is None or m.content is None:
            return False
        x = self.containers[0][id(n.content.level)]
        return x.partner is self.containers[1][id(m.content.level)]

    def _header(self, r: Record, s: Record, alike: bool) -> Iterator[Change]:
        one, other = _header(r), _header(s)
        if one is None or other is None or (alike and one.raw == other.raw):
            return
        for change in body_changes("header", one, other):
            if change.field not in _PAIRED_BY:
                yield change

    def _body(self, r: Record, s: Record, alike: bool) -> Iterator[Change]:
        if (
            alike
            and r.length == s.length
            and self.comparer.same(r.body_offset, s.body_offset, r.length)
        ):
            return
        one, other = self._side(r), self._side(s)
        told_a = told_b = 0
        if one is not None and other is not None:
            found = list(body_changes("body", one, other))
            yield from found
            if found or not alike:
                told_a, told_b = len(one.raw), len(other.raw)
        change = self._bytes(
            "body",
            ByteRange(r.body_offset + told_a, r.length - told_a),
            ByteRange(s.body_offset + told_b, s.length - told_b),
        )
        if change is not None:
            yield change

    def _padding(self, r: Record, s: Record) -> Iterator[Change]:
        old, new = r.padding_raw, s.padding_raw
        if old == new or (len(old) != len(new) and not old.strip(b"\0") and not new.strip(b"\0")):
            return
        change = self._bytes("padding", _padding(r), _padding(s))
        if change is not None:
            yield change

    def _heads(self, a: Sequence[Record], b: Sequence[Record], alike: bool) -> Iterator[Change]:
        """What no part says: the rest of heads, what lies behind the last part, and padding.

        Heads only where the records of both sides are cut alike, one by one. Else reserved bytes that
        are not zero and what the parts leave over are compared in their order, whichever records
        they lie in.
        """
        if not alike or [each.length for each in a] != [each.length for each in b]:
            odd = (
                [span for each in side for span in self._ask(_odd, each) or ()] for side in (a, b)
            )
            yield from self._in_turn("body", *odd)
            left_over = ([span for span in map(self._left_over, side) if span] for side in (a, b))
            yield from self._in_turn("body", *left_over)
            filled = ([_padding(each) for each in side if any(each.padding_raw)] for side in (a, b))
            yield from self._in_turn("padding", *filled)
            return
        for r, s in zip(a, b, strict=True):
            if self._same(r, s):
                continue
            yield from self._header(r, s, alike)
            one, other = self._side(r), self._side(s)
            if one is not None and other is not None and one.raw != other.raw:
                keys = self._ask(_keys, r), self._ask(_keys, s)
                if keys[0] == keys[1]:
                    yield from body_changes("body", one, other)
            change = self._bytes("body", self._left_over(r), self._left_over(s))
            if change is not None:
                yield change
            yield from self._padding(r, s)

    def _in_turn(
        self, where: Where, a: Iterable[ByteRange], b: Iterable[ByteRange]
    ) -> Iterator[Change]:
        for in_a, in_b in zip_longest(a, b):
            change = self._bytes(where, in_a, in_b)
            if change is not None:
                yield change

    def _left_over(self, record: Record) -> ByteRange | None:
        """The bytes of a bulk record behind its last part, where there are some."""
        end = self._ask(_parts_end, record)
        if end is None or end >= record.length:
            return None
        return ByteRange(record.body_offset + end, record.length - end)

    def _stand_in(self, container: _Container, found: Sequence[_Equivalent]) -> ContainerChange:
        """A domain context against the records of the other image that hold the same state."""
        own = {node.record.type: node for node in container.nodes}
        by_code = {each.code: each for each in found}
        framing = {container.level.format.first, container.level.format.last}
        records = []
        for node in container.nodes:
            record = node.record
            if record.type in framing or (self.keep is not None and not self.keep(record)):
                continue
            other = by_code.pop(record.type, None) if own[record.type] is node else None
            change = self._equal(record, other, container.in_b)
            if change is not None:
                records.append(change)
        for other in by_code.values():
            if self.keep is None or self.keep(other.node.record):
                place = _place(other.node.record)
                records.append(RecordChange(*((place, None) if container.in_b else (None, place))))
        places = found[0].container.place, container.place
        a, b = places if container.in_b else places[::-1]
        return ContainerChange(container.format, a, b, True, (), tuple(records))

    def _equal(self, record: Record, other: _Equivalent | None, in_b: bool) -> RecordChange | None:
        place = _place(record)
        if other is None:
            return RecordChange(*((None, place) if in_b else (place, None)))
        body = self._decoded(record)
        order = record.level.framing.byteorder
        made = Side(other.body, other.body.to_bytes(order, check=False), None, order)
        there = _place(other.node.record)
        if body is None:
            span = ByteRange(record.body_offset, record.length)
            change = self._bytes("body", *((None, span) if in_b else (span, None)))
            changes: tuple[Change, ...] = () if change is None else (change,)
        else:
            own = Side(body, bytes(record.raw()), record.body_offset, order)
            pair = (made, own) if in_b else (own, made)
            changes = tuple(body_changes("body", *pair))
        if not changes:
            return None
        a, b = (there, place) if in_b else (place, there)
        return RecordChange(a, b, changes=changes)

    # ---------------------------------------------------------------------------------- helpers

    def _ask(self, question: Callable[..., T], *about: Any) -> T | None:
        """An answer that a plugin gives; None where it fails, which is remembered."""
        try:
            return question(*about)
        except InputOutputError:
            raise
        except PLUGIN_ERRORS:
            self.needs_plugin = True
            return None

    def _record_type(self, record: Record) -> RecordType[Any] | None:
        return self._ask(_type_of, record)

    def _decoded(self, record: Record) -> Body | None:
        decoded = None if record.bulk else self._ask(_decode, record)
        body: Body | None = None if decoded is None else decoded.body
        return body

    def _side(self, record: Record) -> Side | None:
        """The body of a record (of a bulk record, its head), where it can be decoded."""
        body = self._ask(body_of, record) if record.bulk else self._decoded(record)
        if body is None:
            return None
        raw = bytes(record.raw(record.head if record.bulk else None))
        return Side(body, raw, record.body_offset, record.level.framing.byteorder)

    def _bytes(self, where: Where, a: ByteRange | None, b: ByteRange | None) -> Change | None:
        return bytes_change(
            where,
            None,
            None if a is None else (self.a.source, a),
            None if b is None else (self.b.source, b),
        )


class _Sequence:
    """The records of one container that are compared; of those with parts, the first of each type.

    `groups` has all records of a type with parts, by the `id` of the first one's node.
    """

    def __init__(self, differ: _Differ, container: _Container) -> None:
        self.nodes: list[RecordNode] = []
        self.groups: dict[int, list[Record]] = {}
        self.identities: dict[int, Identity] = {}
        keep, left_out = differ.keep, differ.left_out
        types: dict[int, bool] = {}
        first: dict[int, list[Record]] = {}
        for node in container.nodes:
            record = node.record
            if (left_out and id(node) in left_out) or (keep is not None and not keep(record)):
                continue
            parted = types.get(record.type)
            if parted is None:
                parted = types[record.type] = _has_parts(differ, record)
            if parted and differ._ask(body_of, record) is not None:
                if record.type in first:
                    first[record.type].append(record)
                    continue
                self.groups[id(node)] = first[record.type] = [record]
            self.nodes.append(node)

    def identity(self, index: int) -> Identity:
        """The identity of the record at `index`; what has one is decoded for it once."""
        known = self.identities.get(index, ())
        if not known:
            known = identity_of(self.nodes[index].record)
            if known:
                self.identities[index] = known
        return known

    @cached_property
    def keys(self) -> list[Key]:
        """The key of each node; of those with parts, one that no other has."""
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
        """How many records of the same identity came before the one at `index`."""
        return max(0, self.keys[index][3])


def _half_decoded(
    left: _Sequence, removed: Iterable[int], right: _Sequence, added: Iterable[int]
) -> dict[int, int]:
    """Pairs of what is left over of a type and instance: one side has no identity, being damaged."""
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


def _has_parts(differ: _Differ, record: Record) -> bool:
    record_type = differ._record_type(record) if record.bulk else None
    return record_type is not None and type(record_type).parts is not RecordType.parts


def _type_of(record: Record) -> RecordType[Any] | None:
    return None if record.entry is None else record.entry.record_type


def _decode(record: Record) -> Decoded[Any] | None:
    return record.decoded


def _moved(pairs: Sequence[tuple[Key, int, int]]) -> set[Key]:
    """The keys of the fewest records whose move makes both orders one.

    `pairs` are in the order of A, each with its place in A and in B. Where several choices are as
    good, the same one is made whichever of the two images is A.
    """
    if all(x[2] < y[2] for x, y in pairwise(pairs)):
        return set()
    turned = sorted(pairs, key=lambda pair: pair[2])
    if [pair[0] for pair in turned] < [pair[0] for pair in pairs]:
        rows = [(key, at_a) for key, at_a, _ in turned]
    else:
        rows = [(key, at_b) for key, _, at_b in pairs]
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, at) in enumerate(rows):
        length = bisect_left(ends, at)
        if length == len(ends):
            ends.append(at)
            last.append(number)
        else:
            ends[length], last[length] = at, number
        before.append(last[length - 1] if length else -1)
    kept = set()
    at = last[-1]
    while at >= 0:
        kept.add(at)
        at = before[at]
    return {key for number, (key, _) in enumerate(rows) if number not in kept}


def _place(record: Record) -> RecordPlace:
    return place_of(record, identity_of(record))


def _known(recognised: bool) -> str:
    return "known" if recognised else "unknown"


def _words(where: Where, a: str, b: str, at_a: int | None, at_b: int | None) -> Change:
    return Change(where, None, Value(a, a, at_a), Value(b, b, at_b))


def _span(side: Side | None) -> ByteRange | None:
    return None if side is None or side.offset is None else ByteRange(side.offset, len(side.raw))


def _prologue(container: _Container) -> Iterator[Side]:
    level = container.level
    if level.records_offset <= level.offset:
        return  # there is none, or it broke off, and is part of what cannot be framed
    places = [offset for offset, _ in level.prologue] + [level.records_offset]
    for number, (offset, body) in enumerate(level.prologue):
        raw = bytes(container.image.source.at(offset, places[number + 1] - offset))
        order = type(body).__layout__.order
        yield Side(body, raw, offset, "big" if order == ">" else level.framing.byteorder)


def _header(record: Record) -> Side | None:
    layout = record.level.format.header
    if layout is None:
        return None
    raw = bytes(record.source.at(record.offset, record.header_size))
    order = record.level.framing.byteorder
    body = layout.inspect(raw, order).body
    return None if body is None else Side(body, raw, record.offset, order)


def _padding(record: Record) -> ByteRange:
    return ByteRange(record.body_offset + record.length, record.padding)


def _odd(record: Record) -> list[ByteRange]:
    """Reserved bytes of a record's head that are not zero."""
    head = body_of(record)
    if head is None:
        return []
    raw = record.raw(record.head)
    return [
        ByteRange(record.body_offset + span.offset, span.size)
        for span in spans(head)
        if span.reserved and any(raw[span.offset : span.end])
    ]


def _keys(record: Record) -> list[tuple[int, str]]:
    return [(part.key, part.kind) for part in parts_of(record) or ()]


def _parts_end(record: Record) -> int:
    """Where the last part of a bulk record ends, from the start of its body."""
    return max((part.offset + part.size for part in parts_of(record) or ()), default=record.head)
