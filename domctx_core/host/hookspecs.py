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
    """Return record types created at run time, such as one for each entry of a table.

    Called when an image has a type code that the static index does not know, and by
    `domctx types`.
    """


@hookspec
def domctx_formats() -> Iterable[FormatDeclaration]:
    """Return formats created at run time; called when no indexed format fits an input."""


@hookspec
def domctx_domains() -> Iterable[DomainDeclaration]:
    """Return schemes of domains created at run time; called when a scheme is not indexed."""


@hookspec
def domctx_checks() -> Iterable[CheckDeclaration]:
    """Return checks across the records of one image; called by `verify` and `load`."""


@hookspec
def domctx_commands() -> Iterable[CommandDeclaration]:
    """Return verbs of the command line created at run time; called when a verb is not indexed."""


@hookspec
def domctx_observers() -> Iterable[ObserverDeclaration]:
    """Return observers of save, load and verify: progress, audit. Called by those verbs.

    Each operation gets its own observer, which receives records in batches.
    """
