"""Formats: how records are framed.

A format declares what comes before the first record (the prologue), the header of a record, the
alignment of records, and which record is the last. The declarations are `Body` classes, as those of
record types are, so that every tool works with every format.
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
"""Bytes from the start of an input that `Format.recognises` gets."""


class Framing(NamedTuple):
    """What a prologue determines for the records after it.

    `follows` is the name of the format that comes in place of records, in formats without records.
    """

    byteorder: ByteOrder
    version: int
    follows: str | None = None


class Format:
    """One format. Subclass it, set the class attributes, and override what depends on the bytes.

    * `name`: a unique name, such as `libxc`; `title`: one for people, `libxc migration stream`;
    * `header`: the `Body` class of record headers, of fixed size, with integer fields `type`,
      `length` and perhaps `instance`; None for a format without records;
    * `alignment`: bodies are padded with zeros to a multiple of so many bytes;
    * `padding`: severity of padding that is not zero;
    * `first`: type code of a record that must come first, and only once; None if there is none;
    * `last`: type code of the record that ends the format;
    * `ascending`: records come in ascending type code;
    * `optional`: bits of a type code that mark a record which a reader may ignore;
    * `max_length`: bytes of the longest body that the format allows, None if there is no limit;
    * `opaque`: in a format without records, all that follows the prologue belongs to it and is
      skipped, up to the end of what holds it.
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
        """Return whether an input is of this format; `head` is its first `HEAD_SIZE` bytes or less."""
        return False

    def byteorder(self, head: bytes) -> ByteOrder:
        """Return the byte order of those bodies of the prologue that do not fix their own."""
        return "little"

    def prologue(self, bodies: Sequence[Body]) -> tuple[type[Body], int] | None:
        """Return class and length in bytes of the next body of the prologue, after `bodies`.

        None if the prologue is complete.
        """
        return None

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        """Return what the prologue determines for what follows; `head` is the input's first bytes."""
        raise NotImplementedError


class DomainContext(Format):
    """The domain context image. It has no prologue; START shows version and byte order."""

    name = DOMAIN_CONTEXT
    title = "domain context"
    header = RecordHeader
    alignment = ALIGNMENT
    first = 1
    last = 0
    ascending = True

    def recognises(self, head: bytes) -> bool:
        """Return whether `head` begins with START: type 1, instance 0."""
        order = byteorder_of(head)
        return order is not None and head[4:8] == b"\0\0\0\0"

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        """Return version 1, and the byte order that START's type code shows."""
        return Framing(byteorder_of(head) or "little", 1)
