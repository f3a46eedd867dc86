"""Compare two records: header, body and padding, and the heads of bulk records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest

from domctx_core.images.diff.bodies import Side, body_changes
from domctx_core.images.diff.changes import ValueChange, Where
from domctx_core.images.diff.image_pair import ImagePair
from domctx_core.images.diff.parts import body_of, parts_of
from domctx_core.images.tree import RecordNode
from domctx_core.layout.spans import spans
from domctx_core.reader.record import Record
from domctx_core.reader.splice import ByteRange

__all__ = ["head_changes", "record_changes"]

Ranges = Callable[[ImagePair, Record], Iterable[ByteRange]]

_PAIRED_BY = ("type", "instance", "length")
"""Fields of a record's header that are no difference of their own."""


def record_changes(
    images: ImagePair, n: RecordNode, m: RecordNode, alike: bool
) -> Iterator[ValueChange]:
    """Yield what differs in two records; not what is inside of a container in their bodies.

    `alike` says that both are of the same byte order, as in all functions of this module.
    """
    r, s = n.record, m.record
    yield from _compare_headers(r, s, alike)
    if not (n.content is not None and m.content is not None and images.share_content(n, m)):
        yield from _compare_bodies(images, r, s, alike)
    yield from _compare_paddings(images, r, s)


def _compare_headers(r: Record, s: Record, alike: bool) -> Iterator[ValueChange]:
    one, other = _header(r), _header(s)
    if one is None or other is None or (alike and one.raw == other.raw):
        return
    for change in body_changes("header", one, other):
        if change.field not in _PAIRED_BY:
            yield change


def _header(record: Record) -> Side | None:
    layout = record.level.format.header
    if layout is None:
        return None
    raw = bytes(record.source.at(record.offset, record.header_size))
    order = record.level.framing.byteorder
    body = layout.inspect(raw, order).body
    return None if body is None else Side(body, raw, record.offset, order)


def _compare_bodies(images: ImagePair, r: Record, s: Record, alike: bool) -> Iterator[ValueChange]:
    if (
        alike
        and r.length == s.length
        and images.comparer.same(r.body_offset, s.body_offset, r.length)
    ):
        return
    one, other = images.side(r), images.side(s)
    done_a = done_b = 0
    if one is not None and other is not None:
        changes = list(body_changes("body", one, other))
        yield from changes
        if changes or not alike:
            done_a, done_b = len(one.raw), len(other.raw)
    change = images.bytes(
        "body",
        ByteRange(r.body_offset + done_a, r.length - done_a),
        ByteRange(s.body_offset + done_b, s.length - done_b),
    )
    if change is not None:
        yield change


def _compare_paddings(images: ImagePair, r: Record, s: Record) -> Iterator[ValueChange]:
    old, new = r.padding_raw, s.padding_raw
    if old == new or (len(old) != len(new) and not old.strip(b"\0") and not new.strip(b"\0")):
        return
    change = images.bytes("padding", _padding(r), _padding(s))
    if change is not None:
        yield change


def _padding(record: Record) -> ByteRange:
    return ByteRange(record.body_offset + record.length, record.padding)


# ---------------------------------------------------------------------------------- bulk records


def head_changes(
    images: ImagePair, a: Sequence[Record], b: Sequence[Record], alike: bool
) -> Iterator[ValueChange]:
    """Yield what differs in bulk records outside of their parts.

    That is the rest of their heads, what follows the last part, and padding: record by record if
    those of both sides have the same lengths. If not, the reserved bytes that are not zero and what
    the parts leave over are compared in their order, whichever records they lie in.
    """
    if alike and [r.length for r in a] == [s.length for s in b]:
        for r, s in zip(a, b, strict=True):
            if not images.same(r, s):
                yield from _compare_heads(images, r, s, alike)
        return
    rest: tuple[tuple[Where, Ranges], ...]
    rest = ("body", _reserved), ("body", _leftover), ("padding", _padded)
    for where, ranges in rest:
        sides = ([range for r in side for range in ranges(images, r)] for side in (a, b))
        for in_a, in_b in zip_longest(*sides):
            change = images.bytes(where, in_a, in_b)
            if change is not None:
                yield change


def _compare_heads(images: ImagePair, r: Record, s: Record, alike: bool) -> Iterator[ValueChange]:
    yield from _compare_headers(r, s, alike)
    one, other = images.side(r), images.side(s)
    if one is not None and other is not None and one.raw != other.raw:
        keys = images.ask(_keys, r), images.ask(_keys, s)
        if keys[0] == keys[1]:
            yield from body_changes("body", one, other)
    in_a, in_b = (next(_leftover(images, record), None) for record in (r, s))
    change = images.bytes("body", in_a, in_b)
    if change is not None:
        yield change
    yield from _compare_paddings(images, r, s)


def _reserved(images: ImagePair, record: Record) -> Iterable[ByteRange]:
    """Return the reserved bytes of a record's head that are not zero."""
    return images.ask(_nonzero_reserved, record) or ()


def _nonzero_reserved(record: Record) -> list[ByteRange]:
    head = body_of(record)
    if head is None:
        return []
    raw = record.raw(record.head)
    return [
        ByteRange(record.body_offset + span.offset, span.size)
        for span in spans(head)
        if span.reserved and any(raw[span.offset : span.end])
    ]


def _leftover(images: ImagePair, record: Record) -> Iterator[ByteRange]:
    """Yield the bytes of a bulk record that follow its last part, if there are any."""
    end = images.ask(_parts_end, record)
    if end is not None and end < record.length:
        yield ByteRange(record.body_offset + end, record.length - end)


def _padded(images: ImagePair, record: Record) -> Iterator[ByteRange]:
    """Yield the padding of a record if it is not zero."""
    if any(record.padding_raw):
        yield _padding(record)


def _keys(record: Record) -> list[tuple[int, str]]:
    return [(part.key, part.kind) for part in parts_of(record) or ()]


def _parts_end(record: Record) -> int:
    """Return where the last part of a bulk record ends, from the start of its body."""
    return max((part.offset + part.size for part in parts_of(record) or ()), default=record.head)
