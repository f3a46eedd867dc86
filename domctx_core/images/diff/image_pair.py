"""Both images of a diff, with what their record types have to answer about them."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

from domctx_core.base.errors import PLUGIN_ERRORS, InputOutputError
from domctx_core.images.diff.bodies import Side
from domctx_core.images.diff.bytes import Comparer, bytes_change
from domctx_core.images.diff.changes import ValueChange, Where
from domctx_core.images.diff.parts import body_of
from domctx_core.images.tree import Image, RecordNode
from domctx_core.layout.body import Body
from domctx_core.model.record_type import RecordType
from domctx_core.reader.record import OpenContainer, Record
from domctx_core.reader.splice import ByteRange

__all__ = ["ImagePair", "Keep"]

T = TypeVar("T")
Keep = Callable[[Record], bool]


class ImagePair:
    """The images A and B, and what all steps of their comparison share.

    `needs_plugin` is set when a plugin fails. `partners` maps each container that is compared with
    one of the other image to that one, both by the `id` of their level. `left_out` has the `id` of
    the record nodes that are compared with those of a domain context instead of with their like.
    """

    def __init__(self, a: Image, b: Image, keep: Keep | None) -> None:
        self.a, self.b = a, b
        self.keep = keep
        self.comparer = Comparer(a.source, b.source)
        self.needs_plugin = False
        self.partners: dict[int, int] = {}
        self.left_out: set[int] = set()

    def ask(self, question: Callable[..., T], *about: Any) -> T | None:
        """Return a plugin's answer; None if it fails, which sets `needs_plugin`."""
        try:
            return question(*about)
        except InputOutputError:
            raise
        except PLUGIN_ERRORS:
            self.needs_plugin = True
            return None

    def record_type(self, record: Record) -> RecordType[Any] | None:
        """Return the type of a record; None if no plugin knows it or its plugin fails."""
        entry = self.ask(attrgetter("entry"), record)
        return None if entry is None else self.ask(attrgetter("record_type"), entry)

    def decoded(self, record: Record) -> Body | None:
        """Return the body of a record that is no bulk record, if it can be decoded."""
        decoded = None if record.bulk else self.ask(attrgetter("decoded"), record)
        return None if decoded is None else decoded.body

    def side(self, record: Record) -> Side | None:
        """Return the body of a record (of a bulk record, its head), if it can be decoded."""
        body = self.ask(body_of, record) if record.bulk else self.decoded(record)
        if body is None:
            return None
        raw = bytes(record.raw(record.head if record.bulk else None))
        return Side(body, raw, record.body_offset, record.level.framing.byteorder)

    def same(self, r: Record, s: Record) -> bool:
        """Return whether two records are the same bytes, header and padding included."""
        size = r.end - r.offset
        return r.length == s.length and self.comparer.same(r.offset, s.offset, size)

    def match(self, x: OpenContainer, y: OpenContainer) -> None:
        """Have two containers compared with each other."""
        self.partners |= {id(x): id(y), id(y): id(x)}

    def share_content(self, n: RecordNode, m: RecordNode) -> bool:
        """Return whether two records hold containers that are compared with each other."""
        if n.inline or m.inline or n.content is None or m.content is None:
            return False
        return self.partners.get(id(n.content.level)) == id(m.content.level)

    def bytes(self, where: Where, a: ByteRange | None, b: ByteRange | None) -> ValueChange | None:
        """Compare a range of A with one of B; None if their bytes are equal."""
        return bytes_change(
            where,
            None,
            None if a is None else (self.a.source, a),
            None if b is None else (self.b.source, b),
        )
