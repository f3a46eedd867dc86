"""Events: what a walk over an input yields, from the beginning of a container to its end."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from domctx_core.base.errors import PluginError
from domctx_core.base.problems import Finding
from domctx_core.reader.record import OpenContainer, Record

__all__ = ["Closed", "Event", "Fault", "Opened", "Trailing"]


class Opened(NamedTuple):
    """A container begins (or goes on, where `resumed`).

    One that is not `recognised` fits no known format, and is read as a domain context; `untried` are
    the formats that could have fitted if their plugins were of use, and why they are not.
    """

    level: OpenContainer
    resumed: bool = False
    recognised: bool = True
    untried: Mapping[str, PluginError] = MappingProxyType({})


class Closed(NamedTuple):
    """A container has ended, or is suspended; `offset` is where."""

    level: OpenContainer
    offset: int


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


Event = Opened | Record | Closed | Trailing | Fault
