"""Formats: framing plus a registry of record types.

A format says what comes before the first record (the prologue), what a record's header looks
like, what records are padded to, and which record is the last. It says so with the same `Body`
declarations that record types use, so that every tool works on every format.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from domctx_core.base.problems import Severity
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.wire import ALIGNMENT, DOMAIN_CONTEXT, RecordHeader, byteorder_of

__all__ = ["HEAD_SIZE", "DomainContext", "Format", "Framing"]

HEAD_SIZE = 64
"""Bytes from the start of an input that a format is recognised by."""


class Framing(NamedTuple):
    """What a prologue says about the records after it.

    `follows` names the format that stands in place of records, in formats that have none.
    """

    byteorder: ByteOrder
    version: int
    follows: str | None = None


class Format:
    """One format. Subclass it, set the class attributes and override what depends on the bytes.

    * `name`: unique, such as `libxc`; `title`: for people, such as `libxc migration stream`;
    * `header`: the body of a record header, of fixed size, with integer fields `type`, `length`
      and perhaps `instance`; None for a format without records;
    * `alignment`: a record's body is padded with zeros to a multiple of this;
    * `padding`: how grave it is where that padding is not zero; readers of the format may be told
      to ignore it;
    * `first`: type code of the record that must come first and only once, if there is one;
    * `last`: type code of the record that ends the format;
    * `ascending`: records are written in ascending type code;
    * `optional`: bits of a type code that mark a record which a reader may ignore;
    * `max_length`: the longest body that the format allows, in bytes;
    * `opaque`: in a format without records, all that follows the prologue belongs to it and is
      passed over, up to the end of what holds it.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    header: ClassVar[type[Body] | None] = None
    alignment: ClassVar[int] = 8
    padding: ClassVar[Severity] = Severity.ERROR
    first: ClassVar[int | None] = None
    last: ClassVar[int] = 0
    ascending: ClassVar[bool] = False
    optional: ClassVar[int] = 0
    max_length: ClassVar[int | None] = None
    opaque: ClassVar[bool] = False

    def recognises(self, head: bytes) -> bool:
        """Whether an input that begins with `head` (up to `HEAD_SIZE` bytes) is of this format."""
        return False

    def byteorder(self, head: bytes) -> ByteOrder:
        """The byte order of the prologue, for bodies that do not fix their own."""
        return "little"

    def prologue(self, bodies: Sequence[Body]) -> tuple[type[Body], int] | None:
        """The next body of the prologue and its length in bytes, after those read so far.

        None where the prologue is complete.
        """
        return None

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        """What the prologue says about what follows; `head` is the input's first bytes."""
        raise NotImplementedError


class DomainContext(Format):
    """The domain context image: no prologue; START shows version and byte order."""

    name = DOMAIN_CONTEXT
    title = "domain context"
    header = RecordHeader
    alignment = ALIGNMENT
    first = 1
    last = 0
    ascending = True

    def recognises(self, head: bytes) -> bool:
        """An image begins with START: type 1, instance 0, length 8."""
        order = byteorder_of(head)
        return order is not None and head[4:8] == b"\0\0\0\0"

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        """Version 1, in the byte order that START's type code shows."""
        return Framing(byteorder_of(head) or "little", 1)
