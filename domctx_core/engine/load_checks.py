"""Show the records of a load to checks and observers, and refuse what a check reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from domctx_core.base.errors import ImageError, PluginError
from domctx_core.base.problems import Problem
from domctx_core.base.rules import Rules
from domctx_core.engine.load_context import EngineLoadContext
from domctx_core.engine.type_plan import TypePlan
from domctx_core.layout.columns.columns import Columns
from domctx_core.model.check import (
    Check,
    Container,
    placed_problems_of,
    problems_of,
)
from domctx_core.model.check_run import Run
from domctx_core.model.observer import RecordEvent, Watch
from domctx_core.model.record_view import RecordView
from domctx_core.model.wire import HEADER_SIZE

__all__ = ["LoadChecks"]


class LoadChecks:
    """The checks across records of one load, and its observers.

    Each method raises `ImageError` for the first problem that is an error.
    """

    def __init__(
        self,
        checks: Sequence[Check],
        context: EngineLoadContext,
        rules: Rules,
        watch: Watch | None,
    ) -> None:
        self.checks = checks
        self.watch = watch if watch else None
        self._context = context
        self._rules = rules

    def begin(self, format: str) -> None:
        """Show the checks the container, as `verify` does."""
        checks = tuple(self.checks)
        container = Container((format,), 0, 1, self._context.byteorder, checks=checks)
        for check in checks:
            for problem in problems_of(check, check.begin, container):
                self._refuse(problem, None)

    def want(self, plan: TypePlan) -> bool:
        """Return whether a check or an observer wants to see the records of a type."""
        return self.watch is not None or bool(plan.checks)

    def see(self, plan: TypePlan) -> None:
        """Show the present record, which has been taken."""
        context = self._context
        if self.watch:
            event = RecordEvent(plan.code, context.instance, context.offset, context.length)
            self.watch.see(event)
        for check in plan.checks:
            seen = RecordView(
                context.record, context.offset, plan.code, plan.name, context.instance,
                context.length, context.body,
            )  # fmt: skip
            for problem in problems_of(check, check.record, seen):
                self._refuse(problem, seen)

    def see_run(self, plan: TypePlan, run: Columns[Any], record: int, offset: int) -> None:
        """Show a run that has been taken, whose first record has that number and offset."""
        stride, size = run.frame.stride, run.layout.size
        byteorder = self._context.byteorder
        count = len(run)
        shown = Run(
            run.layout, run.raw, run.frame, byteorder, code=plan.code, name=plan.name,
            index=record, offset=offset, instance=("I", run.frame.instance, byteorder),
        )  # fmt: skip
        try:
            for number, problem in _in_order(plan.checks, shown):
                count = number + 1
                self._refuse(problem, shown.outline(number))
                count = len(run)
        finally:
            if self.watch:
                self.watch.see_run(plan.code, run.instances[:count], offset, stride, size)

    def end(self) -> None:
        """Let the checks conclude: all records were shown."""
        for check in self.checks:
            for seen, problem in placed_problems_of(check):
                self._refuse(problem, seen)

    def _refuse(self, problem: Problem, seen: RecordView | None) -> None:
        self._rules.find(problem.rule)
        errno = self._rules.refusal(problem)
        if errno is None:
            return
        at = problem.offset or 0 if seen is None else seen.offset
        if seen is not None and problem.offset is not None:
            at += HEADER_SIZE + problem.offset
        raise ImageError(
            problem.message,
            rule=problem.rule,
            errno=errno,
            offset=at,
            record=None if seen is None else seen.index,
            type=None if seen is None else seen.code,
            type_name=None if seen is None else seen.name,
            instance=None if seen is None else seen.instance,
            field=problem.field,
            expected=problem.expected,
            actual=problem.actual,
        )


def _in_order(checks: Iterable[Check], run: Run) -> Iterator[tuple[int, Problem]]:
    """Yield the problems that checks report of a run, by their records; then raise what one raised."""
    found: list[tuple[int, Problem]] = []
    raised: PluginError | None = None
    for check in checks:
        try:
            found += placed_problems_of(check, run)
        except PluginError as error:
            raised = raised or error
    found.sort(key=itemgetter(0))
    yield from found
    if raised is not None:
        raise raised
