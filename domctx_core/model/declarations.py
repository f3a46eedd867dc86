"""Declarations: what a plugin contributes, one frozen dataclass for each kind.

The static index makes them from entry points; a pluggy module returns them from its hooks. The
core validates, sorts and checks them for conflicts; a plugin never registers anything itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from domctx_core.model.check import Check
from domctx_core.model.domain import Domain
from domctx_core.model.format import Format
from domctx_core.model.formats import Formats
from domctx_core.model.observer import Observer
from domctx_core.model.record_type import RecordType
from domctx_core.model.wire import DOMAIN_CONTEXT

if TYPE_CHECKING:
    import click

__all__ = [
    "CheckDeclaration",
    "CommandDeclaration",
    "DomainDeclaration",
    "DomainRequest",
    "FormatDeclaration",
    "ObserverDeclaration",
    "RecordTypeDeclaration",
]


@dataclass(frozen=True, slots=True)
class RecordTypeDeclaration:
    """A record type of one format: a `RecordType` subclass, or an instance created at run time."""

    record_type: RecordType[Any] | type[RecordType[Any]]
    format: str = DOMAIN_CONTEXT


@dataclass(frozen=True, slots=True)
class FormatDeclaration:
    """A format that images or containers can have: a `Format` subclass."""

    format: type[Format]


@dataclass(frozen=True, slots=True)
class DomainRequest:
    """What the opener of a scheme gets.

    * `rest`: what follows `scheme:`;
    * `purpose`: `save` (the domain is read) or `load` (it is written);
    * `formats`: the available formats and registries;
    * `standard_input`: where to read `-` from, None if that is not possible;
    * `checks`: returns the checks across records of all plugins, for an opener that judges an image;
      the call imports them.
    """

    rest: str
    purpose: Literal["save", "load"]
    formats: Formats
    standard_input: BinaryIO | None = None
    checks: Callable[[], Sequence[type[Check]]] = tuple


@dataclass(frozen=True, slots=True)
class DomainDeclaration:
    """A scheme of domains: `open` returns the domain that `scheme:rest` names.

    It raises `UsageError` for a `rest` that it cannot parse, `InputOutputError` for a file that
    cannot be used, `DomainError` for what it refuses.
    """

    scheme: str
    open: Callable[[DomainRequest], Domain]


@dataclass(frozen=True, slots=True)
class CheckDeclaration:
    """A check across records: a `Check` subclass; each image gets its own instance."""

    check: type[Check]


@dataclass(frozen=True, slots=True)
class CommandDeclaration:
    """A verb of the command line: its name and the click command that does it."""

    name: str
    command: click.Command


@dataclass(frozen=True, slots=True)
class ObserverDeclaration:
    """An observer of operations: a callable, such as its class, that returns a new one."""

    observer: Callable[[], Observer]
