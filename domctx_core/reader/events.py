"""Events: what a walk over an input yields, from the beginning of a container to its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from domctx_core.base.errors import PluginError
from domctx_core.base.problems import Finding
from domctx_core.reader.record import OpenContainer, Record

__all__ = ["Batch", "Batcher", "Closed", "Event", "Fault", "Opened", "Trailing"]


class Opened(NamedTuple):
    """A container begins (or goes on, where `resumed`).

    One that is not `recognised` fits no known format, and is read as a domain context; `untried` are
    the formats that could have fitted if their plugins were of use, and why they are not.
    """

    level: OpenContainer
    resumed: bool = False
    recognised: bool = True
    untried: Mapping[str, PluginError] = MappingProxyType({})

    @property
    def offset(self) -> int:
        """Where the container begins or goes on."""
        parent = self.level.parent
        return parent.end if self.resumed and parent is not None else self.level.offset


class Closed(NamedTuple):
    """A container has ended, is suspended, or is `broken`: its framing cannot be read any further.

    `offset` is where its framing ends. `rest` counts the bytes from there that are its own and have
    no framing: of a broken container all up to the end of the body that holds it or of the input,
    and None where only reading the input to its end would tell. Where several break at once, they
    are the innermost one's. Each container that was opened is closed, and so is the outermost one if
    it broke before it was opened.
    """

    level: OpenContainer
    offset: int
    rest: int | None = 0
    broken: bool = False


class Trailing(NamedTuple):
    """Bytes after the last record of a container."""

    level: OpenContainer
    offset: int
    length: int
    raw: bytes


class Fault(NamedTuple):
    """The input cannot be framed any further at this place."""

    level: OpenContainer | None
    finding: Finding
    needs_plugin: bool = False


class Batch:
    """Records that follow each other and were taken together, with no event for each.

    They are `count` records of `level`; `index` is that of the first, which starts at `offset`, and
    `end` is where the last one's padding ends. A `Batcher` adds to this what it knows of them.
    """

    __slots__ = ("count", "end", "index", "level", "offset")

    def __init__(self, level: OpenContainer, index: int, offset: int, count: int, end: int) -> None:
        self.level = level
        self.index = index
        self.offset = offset
        self.count = count
        self.end = end


class Batcher(Protocol):
    """Takes records together, where that is quicker than an event for each."""

    def after(self, record: Record) -> Iterable[Batch]:
        """Yield the batches that follow right after a record, each where the one before it ends.

        Only asked about whole records that neither hold nor introduce another container. The reader
        of the events has seen the record, and sees each batch before the next one is asked for.
        """


Event = Opened | Record | Batch | Closed | Trailing | Fault
