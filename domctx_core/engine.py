"""The engine: `save_domain` and `load_domain`, with the semantics of the seed's C engine.

Save: START's handler; pause; every other type on offer in ascending code; unpause; END's handler.
Load: START first, outside the pause; the records in image order; END after the unpause.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from domctx_core.checks import Check, Container, Seen, blame_check
from domctx_core.context import Duplicates, LoadContext, SaveContext
from domctx_core.domains import Domain, StagedDomain, XenVersion
from domctx_core.errors import (
    PLUGIN_FAULTS,
    DomainError,
    DomctxError,
    Errno,
    ImageError,
    PluginError,
)
from domctx_core.layout import ByteOrder
from domctx_core.observers import RecordEvent, Watch
from domctx_core.ops import DEFAULT_CAP, LoadOps, MemorySaveOps, SaveOps, SizingSaveOps
from domctx_core.registry import Entry, Registry
from domctx_core.rules import CORE_RULES, Problem, Severity, find_rule
from domctx_core.wire import HEADER_SIZE, byteorder_of, unpack_header

__all__ = ["END", "START", "LoadResult", "load_domain", "save_domain", "save_image", "size_domain"]

END = 0
"""Type code of the record that terminates an image."""

START = 1
"""Type code of the record that begins an image."""


# ------------------------------------------------------------------------------------------ save


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
    """Save `domain` through `ops`; gives the number of records written.

    `xen_version` goes into START where the domain has none of its own. `cap` (bytes) limits what
    is buffered of one record whose length is not known on a target that cannot seek. `watch` is
    told of each record.

    Any failure unpauses and writes no END; the error says which type, instance and provider
    failed. `DomainError` with EPERM: the domain is the one that runs this program. `PluginError`,
    before the pause: the domain has state of a type that no usable plugin knows.
    """
    _refuse_self(domain, "saved")
    context = SaveContext(
        ops,
        dry_run=dry_run,
        xen_version=domain.xen_version or xen_version,
        cap=cap,
        measure=lambda entry, ordinal: _measure(domain, entry, ordinal, xen_version),
        watch=watch,
    )
    start, end = _framing(registry)
    with _backend(domain, "offers"):
        entries = list(_on_offer(domain, registry))
    _save_one(context, start, domain)
    with _paused(domain):
        for entry in entries:
            _save_one(context, entry, domain)
    _save_one(context, end, domain)
    ops.flush()
    return context.records


def size_domain(
    domain: Domain, registry: Registry, *, xen_version: XenVersion | None = None
) -> int:
    """The exact size in bytes of the image that `save_domain` would write now (a dry run)."""
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
    """The domain's image in memory: sized by a dry run, then saved.

    A domain that grows or shrinks in between is sized again, `attempts` times at most; then the
    `DomainError` says so.
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


def _refuse_self(domain: Domain, what: str) -> None:
    if domain.is_current:
        raise DomainError(
            f"domain {domain.domid} runs this program, so it cannot be {what} by it",
            errno=Errno.EPERM,
            hint="run domctx in another domain",
        )


def _framing(registry: Registry) -> tuple[Entry, Entry]:
    start, end = registry.get(START), registry.get(END)
    if start is None or end is None:
        raise PluginError(
            "the registry has no record types START and END, which every image needs",
            hint="register domctx_core.builtin's, or let a host build the registry",
        )
    return start, end


def _on_offer(domain: Domain, registry: Registry) -> Iterator[Entry]:
    """The entries that a save of this domain runs, in ascending code, all of them usable."""
    offers = domain.offers()
    if offers is None:
        offers = frozenset(entry.code for entry in registry)
    for code in sorted(offers - {START, END}):
        entry = registry.get(code)
        if entry is None:
            raise PluginError(
                f"domain {domain.domid} has state of type {code} ({code:#x}), which no installed"
                " plugin knows",
                rule="unknown-type",
                type=code,
                hint="install the plugin that declares this type code",
            )
        entry.record_type  # noqa: B018  # a plugin that cannot be used is found before the pause
        yield entry


def _save_one(context: SaveContext, entry: Entry, domain: Domain) -> None:
    with _blame(entry, "save", lambda: context.instance):
        context.run(entry, domain)


def _measure(domain: Domain, entry: Entry, ordinal: int, xen_version: XenVersion | None) -> int:
    """The length of the `ordinal`-th record that a handler writes, by a dry run of it alone."""

    class Lengths(SizingSaveOps):
        def __init__(self) -> None:
            super().__init__()
            self.lengths: list[int] = []

        def end(self, length: int) -> None:
            self.lengths.append(length)

    ops = Lengths()
    context = SaveContext(ops, dry_run=True, xen_version=domain.xen_version or xen_version)
    context.run(entry, domain)
    if len(ops.lengths) < ordinal:
        raise DomainError(
            f"a dry run of {entry.name} writes fewer records than its save",
            errno=Errno.EIO,
            expected=f"at least {ordinal} records",
            actual=f"{len(ops.lengths)} records",
        )
    return ops.lengths[ordinal - 1]


# ------------------------------------------------------------------------------------------ load


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a load did.

    `records` counts those between START and END, `consumed` the bytes of the whole image,
    `changes` what was written to the domain (`TscInfo[0]`), `byteorder` is the image's.
    """

    records: int
    consumed: int
    changes: tuple[str, ...]
    byteorder: ByteOrder


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

    With `validate` (the default) the whole image is read and checked first against a staging
    view; the domain is neither paused nor changed before all of it is known to be good. Without,
    records are applied as they come, and an error says in its notes what had been applied.

    `xen_version` is the receiver's version where the domain has none; an image of a newer one is
    EOPNOTSUPP unless `allow_newer`. `checks` see every record and may refuse the image. `cap`
    (bytes) limits what is held of one body. `watch` is told of each record as it is taken.

    Raises `ImageError` for a bad image, `DomainError` where the domain refuses, `PluginError`
    where a plugin is at fault.
    """
    _refuse_self(domain, "loaded")
    start, end = _framing(registry)
    receiver = None if allow_newer else domain.xen_version or xen_version
    load = _Load(domain, ops, registry, start, end, receiver, list(checks), cap, watch)
    return load.in_two_phases() if validate else load.as_it_comes()


class _Load:
    """One load operation."""

    def __init__(
        self,
        domain: Domain,
        ops: LoadOps,
        registry: Registry,
        start: Entry,
        end: Entry,
        receiver: XenVersion | None,
        checks: list[Check],
        cap: int,
        watch: Watch | None,
    ) -> None:
        self.domain = domain
        self.registry = registry
        self.start, self.end = start, end
        self.checks = [check for check in checks if check.format == registry.format]
        self.duplicates = Duplicates()
        self.origins: list[dict[str, Any]] = []
        self.records = 0
        self.watch = watch
        self.context = LoadContext(
            ops,
            byteorder="little",
            receiver=receiver,
            cap=cap,
            rules=[rule for check in self.checks for rule in check.rules],
        )

    def in_two_phases(self) -> LoadResult:
        staged = StagedDomain(self.domain)
        self.read_start(staged)
        before_pause = len(staged)
        self.read_records(staged)
        before_unpause = len(staged)
        self.read_end(staged)

        applied: list[str] = []
        try:
            self.apply(staged, 0, before_pause, applied)
            with _paused(self.domain):
                self.apply(staged, before_pause, before_unpause, applied)
            self.apply(staged, before_unpause, len(staged), applied)
        except DomctxError as error:
            done = ", ".join(applied) or "nothing"
            error.add_note(f"the image is sound; before the domain refused, it took {done}")
            raise
        return self.result(applied)

    def apply(self, staged: StagedDomain, first: int, last: int, applied: list[str]) -> None:
        """Replay queued changes; an error says which record the change came from."""
        try:
            staged.replay(first, last, applied)
        except DomctxError as error:
            error.locate(**self.origins[len(applied)])
            raise
        except PLUGIN_FAULTS as error:
            origin = self.origins[len(applied)]
            raise PluginError(
                f"applying {origin['type_name']}[{origin['instance']}] raised"
                f" {type(error).__name__}: {error}",
                errno=Errno.EIO,
                **origin,
            ) from error

    def as_it_comes(self) -> LoadResult:
        witness = _Witness(self.domain)
        try:
            self.read_start(witness)
            with _paused(self.domain):
                self.read_records(witness)
            self.read_end(witness)
        except DomctxError as error:
            done = ", ".join(witness.applied) or "nothing"
            error.add_note(f"loaded without validation: the domain had taken {done}")
            raise
        return self.result(witness.applied)

    def result(self, applied: Sequence[str]) -> LoadResult:
        context = self.context
        return LoadResult(self.records, context.consumed, tuple(applied), context.byteorder)

    def begin_checks(self) -> None:
        """Tell the checks what they are about to see, as `verify` does."""
        path = (self.registry.format,)
        checks = tuple(self.checks)
        container = Container(path, 0, 1, self.context.byteorder, checks=checks)
        for check in checks:
            with blame_check(check):
                for problem in check.begin(container):
                    self.judge(check, problem, None)

    def read_start(self, domain: StagedDomain) -> None:
        context = self.context
        raw = context.read_header()
        byteorder = byteorder_of(raw)
        context.byteorder = byteorder or "little"
        context.next_header(raw, *unpack_header(raw, context.byteorder))
        if byteorder is None:
            raise context.error(
                "first-not-start",
                "the image does not begin with START",
                expected=f"type {START}",
                actual=f"type {context.type}",
            )
        self.begin_checks()
        self.run(self.start, domain)

    def read_records(self, domain: StagedDomain) -> None:
        """The records up to END, whose header is then the present one."""
        context = self.context
        while True:
            raw = context.read_header()
            context.next_header(raw, *unpack_header(raw, context.byteorder))
            code = context.type
            if code == END:
                return
            if code == START:
                raise context.error("start-repeated", "START stands in the image a second time")
            entry = self.registry.get(code)
            if entry is None:
                raise context.error(
                    "unknown-type",
                    f"no installed plugin knows type {code} ({code:#x})",
                    hint="install the plugin that declares it; `domctx types` lists what is known",
                )
            if not entry.record_type.loadable:
                raise context.error(
                    "no-handler",
                    f"{entry.name} can be read and not loaded",
                    type_name=entry.name,
                    provider=entry.provider,
                    errno=Errno.EINVAL,
                )
            if self.duplicates.seen(code, context.instance):
                raise context.error(
                    "duplicate-record",
                    f"{entry.name}[{context.instance}] stands in the image a second time",
                    type_name=entry.name,
                )
            self.run(entry, domain)
            self.records += 1

    def read_end(self, domain: StagedDomain) -> None:
        self.run(self.end, domain)
        for check in self.checks:
            with blame_check(check):
                for seen, problem in check.end():
                    self.judge(check, problem, seen)

    def run(self, entry: Entry, domain: StagedDomain) -> None:
        context = self.context
        instances = entry.record_type.instances
        if instances.limit is not None and context.instance >= instances.limit:
            rule = entry.record_type.rules.get("instance-not-allowed", "instance-not-allowed")
            known = CORE_RULES.get(rule)
            raise context.error(
                rule,
                f"{entry.name} has instance {context.instance}",
                offset=context.offset + 4,
                errno=instances.errno if rule == "instance-not-allowed" else known and known.errno,
                expected="0" if instances.limit == 1 else f"0 to {instances.limit - 1}",
                actual=context.instance,
                type_name=entry.name,
                provider=entry.provider,
            )
        with _blame(entry, "load", lambda: context.instance):
            context.run(entry, domain)
        if self.watch:
            event = RecordEvent(entry.code, context.instance, context.offset, context.length)
            self.watch.see(event)
        if len(domain) > len(self.origins):
            origin = {
                "record": context.record,
                "offset": context.offset,
                "type": entry.code,
                "type_name": entry.name,
                "instance": context.instance,
                "provider": entry.provider,
            }
            self.origins += [origin] * (len(domain) - len(self.origins))
        for check in self.checks:
            if entry.code in check.codes:
                seen = Seen(
                    context.record, context.offset, entry.code, entry.name, context.instance,
                    context.length, context.body,
                )  # fmt: skip
                with blame_check(check):
                    for problem in check.record(seen):
                        self.judge(check, problem, seen)

    def judge(self, check: Check, problem: Problem, seen: Seen | None) -> None:
        rule = find_rule(problem.rule, check.rules)
        if (problem.severity or rule.severity) is not Severity.ERROR:
            return
        at = problem.offset or 0 if seen is None else seen.offset
        if seen is not None and problem.offset is not None:
            at += HEADER_SIZE + problem.offset
        raise ImageError(
            problem.message,
            rule=problem.rule,
            errno=problem.errno or rule.errno or Errno.EINVAL,
            offset=at,
            record=None if seen is None else seen.index,
            type=None if seen is None else seen.code,
            type_name=None if seen is None else seen.name,
            instance=None if seen is None else seen.instance,
            field=problem.field,
            expected=problem.expected,
            actual=problem.actual,
        )


class _Witness(StagedDomain):
    """The domain itself, with a list of what it took: for a load without validation."""

    def __init__(self, domain: Domain) -> None:
        super().__init__(domain)
        self.applied: list[str] = []

    def read(self, body: Any, instance: int = 0) -> Any:
        return self.domain.read(body, instance)

    def instances(self, body: Any) -> Iterable[int]:
        return self.domain.instances(body)

    def write(self, body: Any, instance: int, value: Any) -> None:
        self.domain.write(body, instance, value)
        self.applied.append(f"{body.__name__}[{instance}]")

    def update(self, body: Any, instance: int, change: Any) -> None:
        self.domain.update(body, instance, change)
        self.applied.append(f"{body.__name__}[{instance}]")


# ------------------------------------------------------------------------------------------ both


@contextmanager
def _paused(domain: Domain) -> Iterator[None]:
    """Pause and, whatever happens, unpause; what went wrong first is the error.

    Ctrl-C waits while the domain is being paused or unpaused, so that it is always known which.
    """
    paused = False
    allow_interrupts = _hold_interrupts()
    try:
        try:
            with _backend(domain, "pause"):
                domain.pause()
            paused = True
        finally:
            allow_interrupts()
        yield
    except BaseException as error:
        if paused:
            allow_interrupts = _hold_interrupts()
            try:
                domain.unpause()
            except PLUGIN_FAULTS as second:
                error.add_note(f"and the domain could not be unpaused: {second}")
            finally:
                allow_interrupts()
        raise
    allow_interrupts = _hold_interrupts()
    try:
        with _backend(domain, "unpause"):
            domain.unpause()
    finally:
        allow_interrupts()


def _hold_interrupts() -> Callable[[], None]:
    """Let Ctrl-C wait until the function that this gives is called.

    Blocking the signal would not do: any other thread of the program may take it.
    """
    previous = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(previous):
        return lambda: None  # Ctrl-C raises nothing here
    waiting: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: waiting.append((number, frame)))

    def allow() -> None:
        signal.signal(signal.SIGINT, previous)
        for number, frame in waiting[:1]:
            previous(number, frame)

    return allow


@contextmanager
def _backend(domain: Domain, what: str) -> Iterator[None]:
    """What a domain raises that is none of ours is its backend's fault."""
    try:
        yield
    except DomctxError:
        raise
    except PLUGIN_FAULTS as error:
        raise PluginError(
            f"`{what}` of {type(domain).__module__}.{type(domain).__qualname__} raised"
            f" {type(error).__name__}: {error}",
            errno=Errno.EIO,
        ) from error


@contextmanager
def _blame(entry: Entry, what: str, instance: Callable[[], int | None]) -> Iterator[None]:
    """Say in every error whose handler was at work; what is none of ours is the plugin's fault."""
    try:
        yield
    except DomctxError as error:
        error.locate(
            type=entry.code,
            type_name=entry.name,
            instance=instance(),
            provider=entry.provider,
        )
        raise
    except PLUGIN_FAULTS as error:
        raise PluginError(
            f"the {what} handler of {entry.name} raised {type(error).__name__}: {error}",
            errno=Errno.EIO,
            type=entry.code,
            type_name=entry.name,
            instance=instance(),
            provider=entry.provider,
        ) from error
