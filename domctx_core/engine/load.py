"""Load: START first, outside the pause; the records in image order; END after the unpause."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import islice
from operator import itemgetter
from typing import Any

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
from domctx_core.base.problems import Problem, Severity
from domctx_core.base.rules import CORE_RULES, find_rule
from domctx_core.base.xen_version import XenVersion
from domctx_core.engine.handlers import END, START, handler_error, start_and_end
from domctx_core.engine.load_context import EngineLoadContext
from domctx_core.engine.pause import paused, refuse_self
from domctx_core.engine.staging import Origin, StagedDomain, change_names
from domctx_core.engine.type_plan import TypePlan
from domctx_core.layout.body import Body
from domctx_core.layout.columns.columns import Columns
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.check import Check, Container, Seen, placed_problems_of, problems_of
from domctx_core.model.check_run import Run
from domctx_core.model.domain import Domain
from domctx_core.model.instance_set import Duplicates
from domctx_core.model.observer import RecordEvent, Watch
from domctx_core.model.ops import LoadOps
from domctx_core.model.registry import Entry, Registry
from domctx_core.model.wire import HEADER_SIZE, byteorder_of, unpack_header

__all__ = ["LoadResult", "load_domain"]

_WAIT = 63
"""Records of a type that go by at most before a run of them is looked for again in vain."""

_LISTED = 1000
"""Changes that an error names one by one."""


@dataclass(frozen=True)
class LoadResult:
    """What a load did.

    `records` counts those between START and END, `consumed` the bytes of the whole image;
    `byteorder` is the image's.
    """

    records: int
    consumed: int
    byteorder: ByteOrder
    _changed: Callable[[], Iterable[str]] = field(repr=False)

    @cached_property
    def changes(self) -> tuple[str, ...]:
        """What was written to the domain, such as `TscInfo[0]`."""
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

    With `validate` (the default) the whole image is read and checked first against a staging
    view; the domain is neither paused nor changed before all of it is known to be good. Without,
    records are applied as they come, and an error says in its notes what had been applied.

    `xen_version` is the receiver's version where the domain has none; an image of a newer one is
    EOPNOTSUPP unless `allow_newer`. `checks` see every record and may refuse the image. `cap`
    (bytes) limits what is held of one body. `watch` is told of each record as it is taken.

    Raises `ImageError` for a bad image, `DomainError` where the domain refuses, `PluginError`
    where a plugin is at fault.
    """
    refuse_self(domain, "loaded")
    start, end = start_and_end(registry)
    receiver = None if allow_newer else domain.xen_version or xen_version
    load = _Load(domain, ops, registry, start, end, receiver, list(checks), cap, watch)
    try:
        return load.in_two_phases() if validate else load.as_it_comes()
    except ImageError as error:
        _name(error, registry)
        raise


def _name(error: ImageError, registry: Registry) -> None:
    """Say the name of the record type, also where a fault of framing left no handler to say it."""
    if error.type is not None and error.type_name is None:
        with suppress(PluginError):  # two providers of one code: then it has no name
            entry = registry.get(error.type)
            error.type_name = None if entry is None else entry.name


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
        self.records = 0
        self.at_once = False
        self.watch = watch if watch else None
        self.context = EngineLoadContext(
            ops,
            byteorder="little",
            receiver=receiver,
            cap=cap,
            rules=[rule for check in self.checks for rule in check.rules],
        )

    def in_two_phases(self) -> LoadResult:
        self.at_once = True
        self.context.read_on()
        staged = StagedDomain(self.domain)
        with gc_paused():
            self.read_start(staged)
            before_pause = len(staged)
            self.read_records(staged)
            before_unpause = len(staged)
            self.read_end(staged)
            try:
                self.apply(staged, 0, before_pause)
                with paused(self.domain):
                    self.apply(staged, before_pause, before_unpause)
                self.apply(staged, before_unpause, len(staged))
            except DomctxError as error:
                done = _listed(staged.changes())
                error.add_note(f"the image is sound; before the domain refused, it took {done}")
                raise
        return self.result(staged.changes)

    def apply(self, staged: StagedDomain, first: int, last: int) -> None:
        """Replay queued changes; an error says which record the change came from."""
        try:
            staged.replay(first, last)
        except DomctxError as error:
            error.locate(**_where(*staged.failed_change(error)))
            raise
        except PLUGIN_ERRORS as error:
            where = _where(*staged.failed_change(None))
            raise PluginError(
                f"applying {where['type_name']}[{where['instance']}] raised {describe(error)}",
                errno=Errno.EIO,
                **where,
            ) from error

    def as_it_comes(self) -> LoadResult:
        witness = _Witness(self.domain)
        try:
            self.read_start(witness)
            with paused(self.domain):
                self.read_records(witness)
            self.read_end(witness)
        except DomctxError as error:
            done = _listed(witness.changes())
            error.add_note(f"loaded without validation: the domain had taken {done}")
            raise
        return self.result(witness.changes)

    def result(self, changes: Callable[[], Iterable[str]]) -> LoadResult:
        context = self.context
        context.finish()
        return LoadResult(self.records, context.consumed, context.byteorder, changes)

    def begin_checks(self) -> None:
        """Tell the checks what they are about to see, as `verify` does."""
        path = (self.registry.format,)
        checks = tuple(self.checks)
        container = Container(path, 0, 1, self.context.byteorder, checks=checks)
        for check in checks:
            for problem in problems_of(check, check.begin, container):
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
        self.run(TypePlan(self.start, self.checks), domain)

    def read_records(self, domain: StagedDomain) -> None:
        """The records up to END, whose header is then the present one."""
        context = self.context
        plans: dict[int, TypePlan] = {}
        alone = 0
        while True:
            code = context.advance()
            if code == END:
                return
            plan = plans.get(code)
            if plan is None:
                plan = plans[code] = self.plan(code)
            layout = plan.layout
            if alone:
                alone -= 1
            elif plan.wait:
                plan.wait -= 1
            elif layout is not None and context.length == layout.size:
                run = context.look_ahead(layout, plan.frame)
                if run is not None and self.take_run(plan, run, domain):
                    plan.missed = 0
                    continue
                alone = 0 if run is None else len(run) - 1
                plan.wait = plan.missed = min(2 * plan.missed + 1, _WAIT)
            if self.duplicates.seen(code, context.instance):
                raise context.error(
                    "duplicate-record",
                    f"{plan.name}[{context.instance}] stands in the image a second time",
                    type_name=plan.name,
                )
            self.run(plan, domain)
            self.records += 1

    def plan(self, code: int) -> TypePlan:
        """How records of a type are taken; raises `ImageError` where they cannot be."""
        context = self.context
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
        return TypePlan(entry, self.checks, self.at_once)

    def take_run(self, plan: TypePlan, run: Columns[Any], domain: StagedDomain) -> bool:
        """Take the run that begins with the present record; gives whether that could be done.

        It cannot where anything might be wrong with it, and then nothing has happened.
        """
        if not run.ascending or not plan.good.start <= run.instances[0]:
            return False
        if run.instances[-1] >= plan.good.stop:
            return False
        if not self.duplicates.extend([(plan.code, run.stretch)]):
            return False
        context = self.context
        record, offset = context.record, context.offset
        if not (plan.whole and domain.takes_runs and self.take_whole(plan, run, domain)):
            context.turn_to(0)
            domain.begin_each((plan.entry, record, offset, run))
            self.take_each(plan, domain)
            domain.end_each()
        context.end_run()
        self.records += len(run)
        return True

    def take_whole(self, plan: TypePlan, run: Columns[Any], domain: StagedDomain) -> bool:
        """Run the load handler of a whole run; gives whether it took it."""
        context, entry = self.context, plan.entry
        record, offset = context.record, context.offset
        domain.begin_run((entry, record, offset, run))
        try:
            taken = context.run_whole(entry, plan.record_type.load_run, domain, run)
        except DomctxError as error:
            place = None if error.instance is None else run.place_of(error.instance)
            if place:  # all was well with the records before that
                self.tell_run(plan, run[:place], record, offset)
            raise
        except PLUGIN_ERRORS as error:
            raise handler_error(entry, "load", error, context.instance) from error
        if taken:
            self.tell_run(plan, run, record, offset)
        return taken

    def tell_run(self, plan: TypePlan, run: Columns[Any], record: int, offset: int) -> None:
        """Tell observers and checks of a run, the first of which has that number and offset."""
        stride, size = run.frame.stride, run.layout.size
        byteorder = self.context.byteorder
        told = len(run)
        shown = Run(
            plan.code, plan.name, record, offset, stride, size, byteorder, HEADER_SIZE, slice(4, 8),
            byteorder, run.body, run.raw,
        )  # fmt: skip
        try:
            for number, check, problem in _in_order(plan.checks, shown):
                told = number + 1
                self.judge(check, problem, shown.outline(number))
                told = len(run)
        finally:
            if self.watch:
                self.watch.see_run(plan.code, run.instances[:told], offset, stride, size)

    def take_each(self, plan: TypePlan, domain: StagedDomain) -> None:
        """Run the load handler of each record of a run, and tell of it."""
        context, entry = self.context, plan.entry
        told = self.watch is not None or bool(plan.checks)
        after = partial(self.tell, plan) if told else None
        try:
            context.run_each(entry, plan.load, domain, after)
        except DomctxError:
            raise
        except PLUGIN_ERRORS as error:
            raise handler_error(entry, "load", error, context.instance) from error

    def read_end(self, domain: StagedDomain) -> None:
        self.run(TypePlan(self.end, self.checks), domain)
        for check in self.checks:
            for seen, problem in placed_problems_of(check):
                self.judge(check, problem, seen)

    def run(self, plan: TypePlan, domain: StagedDomain) -> None:
        """Take the present record: run its load handler, and tell of it."""
        context = self.context
        entry = plan.entry
        if plan.limit is not None and context.instance >= plan.limit:
            instances = plan.record_type.instances
            rule = plan.record_type.rules.get("instance-not-allowed", "instance-not-allowed")
            known = CORE_RULES.get(rule)
            raise context.error(
                rule,
                f"{entry.name} has instance {context.instance}",
                offset=context.offset + 4,
                errno=instances.errno if rule == "instance-not-allowed" else known and known.errno,
                expected="0" if plan.limit == 1 else f"0 to {plan.limit - 1}",
                actual=context.instance,
                type_name=entry.name,
                provider=entry.provider,
            )
        domain.origin = entry, context.record, context.offset, None
        try:
            context.run(entry, plan.load, domain)
        except DomctxError:
            raise
        except PLUGIN_ERRORS as error:
            raise handler_error(entry, "load", error, context.instance) from error
        if plan.checks or self.watch is not None:
            self.tell(plan)

    def tell(self, plan: TypePlan) -> None:
        """Tell observers and checks of the present record, which has been taken."""
        context, entry = self.context, plan.entry
        if self.watch:
            event = RecordEvent(entry.code, context.instance, context.offset, context.length)
            self.watch.see(event)
        for check in plan.checks:
            seen = Seen(
                context.record, context.offset, entry.code, entry.name, context.instance,
                context.length, context.body,
            )  # fmt: skip
            for problem in problems_of(check, check.record, seen):
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


def _in_order(checks: Iterable[Check], run: Run) -> Iterator[tuple[int, Check, Problem]]:
    """What all checks have to say of a run, by the records that it is about; then what one raised."""
    told: list[tuple[int, Check, Problem]] = []
    raised: PluginError | None = None
    for check in checks:
        try:
            told += ((number, check, problem) for number, problem in placed_problems_of(check, run))
        except PluginError as error:
            raised = raised or error
    told.sort(key=itemgetter(0))
    yield from told
    if raised is not None:
        raise raised


class _Witness(StagedDomain):
    """The domain itself, with a list of what it took: for a load without validation."""

    def __init__(self, domain: Domain) -> None:
        super().__init__(domain)
        self._taken: list[tuple[type[Body], int | Columns[Any]]] = []

    def read(self, body: Any, instance: int = 0) -> Any:
        return self.domain.read(body, instance)

    def instances(self, body: Any) -> Iterable[int]:
        return self.domain.instances(body)

    def write(self, body: Any, instance: int, value: Any) -> None:
        self.domain.write(body, instance, value)
        self._taken.append((body, instance))

    def write_run(self, body: Any, run: Columns[Any]) -> None:
        if not self._run_written:
            Domain.write_run(self, body, run)
            return
        self.domain.write_run(body, run)
        self._taken.append((body, run))

    @property
    def takes_runs(self) -> bool:
        return self._run_written and super().takes_runs

    def update(self, body: Any, instance: int, change: Any) -> None:
        self.domain.update(body, instance, change)
        self._taken.append((body, instance))

    def changes(self) -> Iterator[str]:
        return change_names(self._taken)


def _where(origin: Origin, instance: int | None) -> dict[str, Any]:
    """Where a change comes from, as errors say it."""
    entry, record, offset, _ = origin
    return {
        "record": record,
        "offset": offset,
        "type": entry.code,
        "type_name": entry.name,
        "instance": instance,
        "provider": entry.provider,
    }


def _listed(names: Iterator[str]) -> str:
    """Names in a row; of very many the first, and how many more there are."""
    first = list(islice(names, _LISTED))
    more = sum(1 for _ in names)
    if more:
        first.append(f"and {more} more")
    return ", ".join(first) or "nothing"
