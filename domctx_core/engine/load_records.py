"""Read the records of an image, and have each taken by the load handler of its type."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from domctx_core.base.errors import DomctxError, Errno
from domctx_core.base.rules import Rules
from domctx_core.base.xen_version import XenVersion
from domctx_core.engine.cursor import RecordCursor
from domctx_core.engine.handlers import END, START, start_and_end
from domctx_core.engine.load_checks import LoadChecks
from domctx_core.engine.load_context import EngineLoadContext
from domctx_core.engine.look_ahead import LookAhead
from domctx_core.engine.staging import StagedDomain
from domctx_core.engine.type_plan import TypePlan
from domctx_core.layout.columns.columns import Columns
from domctx_core.model.check import Check
from domctx_core.model.instance_set import InstanceSet
from domctx_core.model.observer import Watch
from domctx_core.model.ops import LoadOps
from domctx_core.model.registry import Entry, Registry

__all__ = ["RecordLoader"]

_WAIT = 63
"""Records of a type that go by at most before a run of them is looked for again in vain."""


class RecordLoader:
    """Reads an image record by record, or run by run, and hands each to its load handler.

    `records` counts those between START and END. With `validate`, nothing happens to the domain
    before all of them were read.
    """

    def __init__(
        self,
        ops: LoadOps,
        registry: Registry,
        receiver: XenVersion | None,
        checks: Iterable[Check],
        cap: int,
        watch: Watch | None,
        validate: bool,
    ) -> None:
        self.records = 0
        self._registry = registry
        self._start, self._end = start_and_end(registry)
        self._validate = validate
        self._instances = InstanceSet()
        self._image = image = LookAhead(ops)
        checks = tuple(checks)
        rules = Rules((rule for check in checks for rule in check.rules), registry.rules.get)
        own = [check for check in checks if check.format == registry.format]
        self.context = context = EngineLoadContext(
            image,
            receiver=receiver,
            cap=cap,
            # a load that acts on each record as it comes is not to wait for the next one
            reads_on=validate and image.can_peek,
            rules=rules,
        )
        self._cursor = RecordCursor(context)
        self._checks = LoadChecks(own, context, rules, watch)

    def finish(self) -> int:
        """Let the ops end where the image ends; return the bytes of the image."""
        self._image.sync()
        return self._image.position

    def read_start(self, domain: StagedDomain) -> None:
        """Take START, which must be the first record."""
        context = self.context
        if not self._cursor.first():
            raise context.error(
                "first-not-start",
                "the image does not begin with START",
                expected=f"type {START}",
                actual=f"type {context.type}",
            )
        self._checks.begin(self._registry.format)
        self._take(self._plan_of(self._start), domain)

    def read_records(self, domain: StagedDomain) -> None:
        """Take the records up to END, which is then the present one."""
        context, advance = self.context, self._cursor.advance
        plans: dict[int, TypePlan] = {}
        alone = 0
        while True:
            code = advance()
            if code == END:
                return
            plan = plans.get(code)
            if plan is None:
                plan = plans[code] = self._plan(code)
            layout = plan.layout
            if alone:
                alone -= 1
            elif plan.wait:
                plan.wait -= 1
            elif layout is not None and context.length == layout.size:
                run = self._cursor.find_run(layout, plan.frame)
                if run is not None and self._take_run(plan, run, domain):
                    plan.missed = 0
                    continue
                alone = 0 if run is None else len(run) - 1
                plan.wait = plan.missed = min(2 * plan.missed + 1, _WAIT)
            if not self._instances.add(code, context.instance):
                raise context.error(
                    "duplicate-record",
                    f"{plan.name}[{context.instance}] appears twice in the image",
                    type_name=plan.name,
                )
            self._take(plan, domain)
            self.records += 1

    def read_end(self, domain: StagedDomain) -> None:
        """Take END, and let the checks conclude."""
        self._take(self._plan_of(self._end), domain)
        self._checks.end()

    def _plan(self, code: int) -> TypePlan:
        """Return how records of a type are taken; raise `ImageError` if they cannot be."""
        context = self.context
        if code == START:
            raise context.error("start-repeated", "START appears twice in the image")
        entry = self._registry.get(code)
        if entry is None:
            raise context.error(
                "unknown-type",
                f"no installed plugin defines type {code} ({code:#x})",
                hint="install the plugin that defines it; `domctx types` lists the known types",
            )
        if not entry.record_type.loadable:
            raise context.error(
                "no-handler",
                f"{entry.name} can be inspected, but not loaded",
                type_name=entry.name,
                provider=entry.provider,
                errno=Errno.EINVAL,
            )
        return self._plan_of(entry)

    def _plan_of(self, entry: Entry) -> TypePlan:
        checks = self._checks
        return TypePlan(entry, checks.checks, self._validate, checks.watch is not None)

    def _take(self, plan: TypePlan, domain: StagedDomain) -> None:
        """Run the load handler of the present record, and show the record to checks."""
        context, entry = self.context, plan.entry
        if plan.limit is not None and context.instance >= plan.limit:
            instances = plan.record_type.instances
            rule = plan.record_type.rules.get("instance-not-allowed", "instance-not-allowed")
            raise context.error(
                rule,
                f"{entry.name} has instance {context.instance}",
                offset=context.offset + 4,
                errno=instances.errno if rule == "instance-not-allowed" else None,
                expected="0" if plan.limit == 1 else f"0 to {plan.limit - 1}",
                actual=context.instance,
                type_name=entry.name,
                provider=entry.provider,
            )
        domain.origin = entry, context.record, context.offset, None
        self._cursor.run(entry, plan.load, domain)
        if plan.watched:
            self._checks.see(plan)

    def _take_run(self, plan: TypePlan, run: Columns[Any], domain: StagedDomain) -> bool:
        """Take the run that begins with the present record; return whether that could be done.

        If anything might be wrong with it, nothing has happened.
        """
        instances, trusted = run.instances, plan.trusted
        if (
            not run.ascending
            or not trusted.start <= instances[0] <= instances[-1] < trusted.stop
            or not self._instances.add_ascending([(plan.code, run.stretch)])
        ):
            return False
        context, cursor = self.context, self._cursor
        record, offset = context.record, context.offset
        if not (plan.whole and domain.takes_runs and self._take_whole(plan, run, domain)):
            context.turn_to(0)
            domain.begin_each((plan.entry, record, offset, run))
            after = partial(self._checks.see, plan) if plan.watched else None
            cursor.run_each(plan.entry, plan.load, domain, after)
            domain.end_each()
        cursor.end_run()
        self.records += len(run)
        return True

    def _take_whole(self, plan: TypePlan, run: Columns[Any], domain: StagedDomain) -> bool:
        """Run the load handler of a whole run; return whether it took the run."""
        context, entry = self.context, plan.entry
        record, offset = context.record, context.offset
        domain.begin_run((entry, record, offset, run))
        try:
            taken = self._cursor.run_whole(entry, plan.record_type.load_run, domain, run)
        except DomctxError as error:
            index = None if error.instance is None else run.place_of(error.instance)
            if index:  # all was well with the records before that
                self._checks.see_run(plan, run[:index], record, offset)
            raise
        if taken:
            self._checks.see_run(plan, run, record, offset)
        return taken
