"""Save: START's handler; pause; every other type on offer in ascending code; unpause; END's handler."""

from __future__ import annotations

from collections.abc import Iterator

from domctx_core.base.errors import PLUGIN_ERRORS, DomainError, DomctxError, Errno, PluginError
from domctx_core.base.io import DEFAULT_CAP
from domctx_core.base.xen_version import XenVersion
from domctx_core.engine.handlers import END, START, handler_error, locate, start_and_end
from domctx_core.engine.ops import MemorySaveOps, SizingSaveOps
from domctx_core.engine.pause import backend_errors, paused, refuse_self
from domctx_core.engine.save_context import EngineSaveContext
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.domain import Domain
from domctx_core.model.observer import Watch
from domctx_core.model.ops import SaveOps
from domctx_core.model.registry import Entry, Registry

__all__ = ["save_domain", "save_image", "size_domain"]


def save_domain(
    domain: Domain,
    ops: SaveOps,
    registry: Registry,
    *,
    dry_run: bool = False,
    xen_version: XenVersion | None = None,
    cap: int = DEFAULT_CAP,
    watch: Watch | None = None,
) -> int:
    """Save `domain` through `ops`; return the number of records written.

    `xen_version` goes into START if the domain has none of its own. `cap` (bytes) limits what is
    buffered of one record whose length is not known on a target that cannot seek. `watch` sees each
    record.

    Any failure unpauses and writes no END; the error names type, instance and provider. Raises
    `DomainError` (EPERM) for the domain that runs this program and, before the pause, `PluginError`
    if the domain has state of a type that no usable plugin knows.
    """
    refuse_self(domain, "saved")
    context = EngineSaveContext(
        ops,
        dry_run=dry_run,
        xen_version=domain.xen_version or xen_version,
        cap=cap,
        rules=registry.rules,
        measure=lambda entry, ordinal: _measure(domain, entry, ordinal, xen_version),
        watch=watch,
    )
    start, end = start_and_end(registry)
    with backend_errors(domain, "offers"):
        entries = list(_on_offer(domain, registry))
    _save_one(context, start, domain)
    with paused(domain):
        for entry in entries:
            _save_one(context, entry, domain)
    _save_one(context, end, domain)
    ops.flush()
    return context.records


def size_domain(
    domain: Domain, registry: Registry, *, xen_version: XenVersion | None = None
) -> int:
    """Return the exact size in bytes of the image that `save_domain` would write now (a dry run)."""
    ops = SizingSaveOps()
    save_domain(domain, ops, registry, dry_run=True, xen_version=xen_version)
    return ops.size


def save_image(
    domain: Domain,
    registry: Registry,
    *,
    xen_version: XenVersion | None = None,
    byteorder: ByteOrder = "little",
    attempts: int = 3,
) -> bytes:
    """Return the domain's image: sized by a dry run, then saved in memory.

    A domain that grows or shrinks in between is sized again, up to `attempts` times; then
    `DomainError` is raised.
    """
    for attempt in range(attempts):
        capacity = size_domain(domain, registry, xen_version=xen_version)
        ops = MemorySaveOps(capacity, byteorder)
        try:
            save_domain(domain, ops, registry, xen_version=xen_version)
            return ops.image
        except DomainError as error:
            if error.errno not in (Errno.ENOSPC, Errno.EIO) or attempt + 1 == attempts:
                raise
    raise ValueError("attempts must be at least 1")


def _on_offer(domain: Domain, registry: Registry) -> Iterator[Entry]:
    """Yield the entries that a save of this domain runs, codes ascending, all of them usable."""
    offers = domain.offers()
    if offers is None:
        offers = frozenset(entry.code for entry in registry)
    for code in sorted(offers - {START, END}):
        entry = registry.get(code)
        if entry is None:
            raise PluginError(
                f"domain {domain.domid} has state of type {code} ({code:#x}), which no installed"
                " plugin defines",
                rule="unknown-type",
                type=code,
                hint="install the plugin that declares this type code",
            )
        entry.record_type  # noqa: B018  # a plugin that cannot be used is found before the pause
        yield entry


def _save_one(context: EngineSaveContext, entry: Entry, domain: Domain) -> None:
    try:
        context.run(entry, domain)
    except DomctxError as error:
        locate(error, entry, context.instance)
        raise
    except PLUGIN_ERRORS as error:
        raise handler_error(entry, "save", error, context.instance) from error


def _measure(domain: Domain, entry: Entry, ordinal: int, xen_version: XenVersion | None) -> int:
    """Return the length of the `ordinal`-th record that a handler writes, by a dry run of it alone."""

    class Lengths(SizingSaveOps):
        def __init__(self) -> None:
            super().__init__()
            self.lengths: list[int] = []

        def end(self, length: int) -> None:
            self.lengths.append(length)

    ops = Lengths()
    context = EngineSaveContext(ops, dry_run=True, xen_version=domain.xen_version or xen_version)
    context.run(entry, domain)
    if len(ops.lengths) < ordinal:
        raise DomainError(
            f"a dry run of {entry.name} writes fewer records than its save",
            errno=Errno.EIO,
            expected=f"at least {ordinal} records",
            actual=f"{len(ops.lengths)} records",
        )
    return ops.lengths[ordinal - 1]
