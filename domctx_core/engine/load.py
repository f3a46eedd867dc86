"""Load: START first, outside the pause; the records in image order; END after the unpause."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from domctx_core.base.errors import (
    PLUGIN_ERRORS,
    DomctxError,
    Errno,
    ImageError,
    PluginError,
    describe,
)
from domctx_core.base.gc_pause import gc_paused
from domctx_core.base.io import DEFAULT_CAP
from domctx_core.base.xen_version import XenVersion
from domctx_core.engine.load_records import RecordLoader
from domctx_core.engine.pause import paused, refuse_self
from domctx_core.engine.staging import DirectDomain, StagedDomain
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.check import Check
from domctx_core.model.domain import Domain
from domctx_core.model.observer import Watch
from domctx_core.model.ops import LoadOps
from domctx_core.model.registry import Registry

__all__ = ["LoadResult", "load_domain"]

_LISTED = 1000
"""Changes that an error names one by one."""


@dataclass(frozen=True)
class LoadResult:
    """What a load did.

    `records` is the number of records between START and END, `consumed` the bytes of the whole
    image, `byteorder` that of the image.
    """

    records: int
    consumed: int
    byteorder: ByteOrder
    _changed: Callable[[], Iterable[str]] = field(repr=False)

    @cached_property
    def changes(self) -> tuple[str, ...]:
        """The names of what was written to the domain, such as `TscInfo[0]`."""
        return tuple(self._changed())


def load_domain(
    domain: Domain,
    ops: LoadOps,
    registry: Registry,
    *,
    validate: bool = True,
    allow_newer: bool = False,
    xen_version: XenVersion | None = None,
    checks: Iterable[Check] = (),
    cap: int = DEFAULT_CAP,
    watch: Watch | None = None,
) -> LoadResult:
    """Load an image from `ops` into `domain`.

    With `validate` (the default) the whole image is read and checked first; the domain is neither
    paused nor changed before all of it is known to be valid. Without, each record is written as it
    comes, and the notes of an error list what was written.

    `xen_version` is the receiver's version if the domain has none; an image of a newer one raises
    EOPNOTSUPP unless `allow_newer`. `checks` see every record and may refuse the image. `cap`
    (bytes) limits what is held of one body. `watch` sees each record as it is taken.

    Raises `ImageError` for a bad image, `DomainError` if the domain refuses, `PluginError` if a
    plugin is at fault.
    """
    refuse_self(domain, "loaded")
    receiver = None if allow_newer else domain.xen_version or xen_version
    loader = RecordLoader(ops, registry, receiver, checks, cap, watch, validate)
    try:
        load = _in_two_phases if validate else _as_it_comes
        changes = load(loader, domain)
    except ImageError as error:
        _name(error, registry)
        raise
    return LoadResult(loader.records, loader.finish(), loader.context.byteorder, changes)


def _in_two_phases(loader: RecordLoader, domain: Domain) -> Callable[[], Iterable[str]]:
    """Read all records, then write what their handlers want; return a function that names the changes."""
    staged = StagedDomain(domain)
    with gc_paused():
        loader.read_start(staged)
        before_pause = len(staged)
        loader.read_records(staged)
        before_unpause = len(staged)
        loader.read_end(staged)
        try:
            _apply(staged, 0, before_pause)
            with paused(domain):
                _apply(staged, before_pause, before_unpause)
            _apply(staged, before_unpause, len(staged))
        except DomctxError as error:
            done = _listed(staged.changes())
            error.add_note(f"the image is valid; written to the domain before the error: {done}")
            raise
    return staged.changes


def _apply(staged: StagedDomain, first: int, last: int) -> None:
    """Replay queued changes; an error gets the record that the change came from."""
    try:
        staged.replay(first, last)
    except DomctxError as error:
        error.locate(**staged.failed_change(error))
        raise
    except PLUGIN_ERRORS as error:
        where = staged.failed_change(None)
        raise PluginError(
            f"applying {where['type_name']}[{where['instance']}] raised {describe(error)}",
            errno=Errno.EIO,
            **where,
        ) from error


def _as_it_comes(loader: RecordLoader, domain: Domain) -> Callable[[], Iterable[str]]:
    """Write to the domain what each record's handler wants before the next record is read."""
    direct = DirectDomain(domain)
    try:
        loader.read_start(direct)
        with paused(domain):
            loader.read_records(direct)
        loader.read_end(direct)
    except DomctxError as error:
        done = _listed(direct.changes())
        error.add_note(f"loaded without validation; written to the domain before the error: {done}")
        raise
    return direct.changes


def _name(error: ImageError, registry: Registry) -> None:
    """Add the name of the record type, which is missing if no handler was at work."""
    if error.type is not None and error.type_name is None:
        with suppress(PluginError):  # two providers of one code: then it has no name
            entry = registry.get(error.type)
            error.type_name = None if entry is None else entry.name


def _listed(names: Iterator[str]) -> str:
    """Return names as a list in a sentence: the first ones, and how many more there are."""
    first = list(islice(names, _LISTED))
    more = sum(1 for _ in names)
    if more:
        first.append(f"and {more} more")
    return ", ".join(first) or "nothing"
