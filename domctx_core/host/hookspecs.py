"""The hooks that a pluggy module may implement: these specifications are the reference.

Each hook has no arguments and returns declarations; the core validates and sorts them. A module that
is named by an entry point of the group `domctx.plugins` implements those that it needs::

    from domctx_core import CheckDeclaration, hookimpl

    @hookimpl
    def domctx_checks():
        return [CheckDeclaration(MyCheck)]

What a name can index (a record type, a format, a domain scheme) is better declared by an entry
point of its own, since that is known without importing anything.
"""

# pluggy reads the names and arguments of these functions and calls none of them
# mypy: disable-error-code="empty-body"

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from domctx_core.model.declarations import (
        CheckDeclaration,
        CommandDeclaration,
        DomainDeclaration,
        FormatDeclaration,
        ObserverDeclaration,
        RecordTypeDeclaration,
    )

__all__ = ["PROJECT", "hookimpl"]

PROJECT = "domctx"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin's module as the implementation of the hook of that name."""


@hookspec
def domctx_record_types() -> Iterable[RecordTypeDeclaration]:
    """Record types that are made at run time, such as one for each entry of a table.

    Asked for when an image has a type code that the static index does not know, and by
    `domctx types`.
    """


@hookspec
def domctx_formats() -> Iterable[FormatDeclaration]:
    """Formats that are made at run time; asked for when no indexed format fits an input."""


@hookspec
def domctx_domains() -> Iterable[DomainDeclaration]:
    """Schemes of domains that are made at run time; asked for when a scheme is not indexed."""


@hookspec
def domctx_checks() -> Iterable[CheckDeclaration]:
    """Checks across the records of one image; asked for by `verify` and `load`."""


@hookspec
def domctx_commands() -> Iterable[CommandDeclaration]:
    """Verbs of the command line that are made at run time; asked for when a verb is not indexed."""


@hookspec
def domctx_observers() -> Iterable[ObserverDeclaration]:
    """Observers of save, load and verify: progress, audit. Asked for by those verbs.

    Each operation gets an observer of its own, which is told of records in batches.
    """
