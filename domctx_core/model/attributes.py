"""Values of a record type's attributes, and the parts and totals of bulk bodies."""

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
"""Bytes of a bulk body that `RecordType.prefix` gets at most."""


class Instances(NamedTuple):
    """The instances that records of a type may have: those below `limit` (None: any 32-bit number).

    A load refuses others with `errno`. With `per_vcpu`, the instance is the number of a vCPU.
    """

    limit: int | None = None
    errno: Errno = Errno.ENXIO
    per_vcpu: bool = False


ANY = Instances()
"""Any instance, such as the number of a port or a page."""

SINGLE = Instances(limit=1)
"""One record per domain, instance 0."""

PER_VCPU = Instances(per_vcpu=True)
"""One record per vCPU; the instance is its number."""


class Content(NamedTuple):
    """Another format inside or right after a record.

    * `format`: name of the inner format (None: the one that recognises the bytes);
    * `inline`: it follows the record in the stream, and is not part of its body;
    * `resumes`: it goes on where that format was suspended, without a new prologue;
    * `optional`: a reader may do without it. If no plugin knows the format, the body is left as it
      is, and `verify` adds a note.
    """

    format: str | None = None
    inline: bool = False
    resumes: bool = False
    optional: bool = False


class Part(NamedTuple):
    """One of the things that follow the head of a bulk record, such as a page of guest memory.

    * `key`: a number that no other part of the domain has, such as a PFN;
    * `kind`: a word or two for people;
    * `offset`, `size`: where its content is, in bytes from the start of the body; `size` may be 0.
    """

    key: int
    kind: str
    offset: int
    size: int


class Tally(Generic[B]):
    """Adds up the heads of consecutive bulk records, which `show` prints as one line."""

    def add(self, head: B) -> None:
        """Count one more head."""
        raise NotImplementedError

    def text(self) -> str:
        """Return the totals, on one line."""
        raise NotImplementedError

    def amounts(self) -> Iterable[Amount]:
        """Return amounts of each kind, for a chart."""
        return ()
