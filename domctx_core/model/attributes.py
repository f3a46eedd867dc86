"""Values that a record type is declared with, and what it gives of bulk bodies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from domctx_core.base.errors import Errno
from domctx_core.layout.body import Body

if TYPE_CHECKING:
    from domctx_core.model.visuals import Amount

__all__ = ["ANY", "FIRST", "PER_VCPU", "SINGLE", "Content", "Instances", "Part", "Tally"]

B = TypeVar("B", bound=Body)


FIRST = 64
"""Bytes of a bulk body that its record type may look at to tell how long its head is."""


class Instances(NamedTuple):
    """Which instances a record type may have: those below `limit` (None: any 32-bit number).

    `errno` is what a load says of others. `per_vcpu` says that the instance is a vCPU's number.
    """

    limit: int | None = None
    errno: Errno = Errno.ENXIO
    per_vcpu: bool = False


ANY = Instances()
"""Any instance: a port, a page, a number that the author gives a meaning."""

SINGLE = Instances(limit=1)
"""One record a domain, instance 0."""

PER_VCPU = Instances(per_vcpu=True)
"""One record a vCPU; the instance is its number."""


class Content(NamedTuple):
    """Another format inside or right after a record.

    `format` is the inner format's name (None: whatever the bytes show). `inline` says that it
    follows the record in the stream and is no part of its body. `resumes` says that it goes on
    where that format was suspended, without a new prologue. `optional` says of a format inside
    the body that a reader may do without it: where no plugin knows it, the body stays as it is,
    and `verify` says so in a note.
    """

    format: str | None = None
    inline: bool = False
    resumes: bool = False
    optional: bool = False


class Part(NamedTuple):
    """One of the things that follow the head of a bulk record, such as a page of guest memory.

    `key` tells it from all others of the domain (a PFN), `kind` says in a word or two what it is.
    `size` bytes from `offset`, which counts from the start of the body, are its content; none is
    a part too.
    """

    key: int
    kind: str
    offset: int
    size: int


class Tally(Generic[B]):
    """Adds up the heads of bulk records that stand in a row, so that one line can tell of them."""

    def add(self, head: B) -> None:
        """Count one more head; nothing of it need be kept."""
        raise NotImplementedError

    def text(self) -> str:
        """What was counted, on one line."""
        raise NotImplementedError

    def amounts(self) -> Iterable[Amount]:
        """What was counted as amounts of each kind, for a chart; none where there is no use in it."""
        return ()
