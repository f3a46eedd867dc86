"""The checks across records of each container, run for a verifier.

What a check raises is the fault of its plugin: it is reported in place of an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING

from domctx_core.base.errors import PLUGIN_ERRORS, DomctxError, PluginError
from domctx_core.base.problems import Finding, Problem
from domctx_core.base.rules import Rules
from domctx_core.layout.body import Body
from domctx_core.model.check import (
    Check,
    Container,
    check_fault,
    make_check,
    placed_problems_of,
    problems_of,
)
from domctx_core.model.record_view import RecordView
from domctx_core.reader.record import OpenContainer, Record, make_finding, unusable
from domctx_core.verification.state import ContainerState, ValidBatch

if TYPE_CHECKING:
    from domctx_core.model.check_run import Run

__all__ = ["CheckRunner"]


class CheckRunner:
    """Runs checks; `needs_plugin` is true once one of them could not be asked."""

    def __init__(self, checks: Iterable[type[Check]]) -> None:
        self._checks = tuple(checks)
        self.needs_plugin = False

    def make(self, format: str) -> tuple[list[Check], list[Problem]]:
        """Return the checks of a container of that format, and a problem for each that fails."""
        made: list[Check] = []
        faults: list[Problem] = []
        for check in self._checks:
            if check.format == format:
                try:
                    made.append(make_check(check))
                except PluginError as error:
                    faults += self._failed(error)
        return made, faults

    def begin(
        self, level: OpenContainer, states: Mapping[OpenContainer, ContainerState]
    ) -> Iterator[Finding]:
        """Show a container to its checks before the first record; drop those that fail."""
        state = states[level]
        outer = within = None
        if level.parent is not None:
            around = states[level.parent.level]
            outer = around.container
            if around.current is not None:
                within = view_of(*around.current)
        state.container = container = Container(
            level.path,
            level.offset,
            level.framing.version,
            level.framing.byteorder,
            tuple(body for _, body in level.prologue),
            within,
            outer,
            tuple(state.checks),
        )
        for check in tuple(state.checks):
            problems: Iterable[Problem]
            try:
                problems = list(problems_of(check, check.begin, container))
            except PluginError as error:
                problems = self._failed(error)
                state.checks.remove(check)  # one that did not begin cannot go on
            for problem in problems:
                yield _container_finding(level, problem, state.rules)

    def record(
        self,
        record: Record,
        body: Body | None,
        checks: Iterable[Check],
        rules: Rules,
        findings: list[Finding],
    ) -> None:
        """Add what checks find in one record."""
        view = view_of(record, body)
        for check in checks:
            for problem in self._ask(check, view):
                findings.append(record.finding(problem, rules))

    def _ask(self, check: Check, view: RecordView) -> Iterable[Problem]:
        """Return the problems that a check finds in one record."""
        try:
            answer = check.record(view)
            if not answer and type(answer) is tuple:  # the most frequent answer
                return ()
            return list(problems_of(check, lambda: answer))
        except PluginError as error:
            return self._failed(error)
        except DomctxError:
            raise
        except PLUGIN_ERRORS as error:
            return self._failed(check_fault(type(check), error))

    def _failed(self, error: PluginError) -> list[Problem]:
        """Return the problem to report in place of the answer of a check."""
        self.needs_plugin = True
        return [unusable(error)]

    def batch(self, batch: ValidBatch, rules: Rules) -> Iterator[Finding]:
        """Yield what checks find in records that are otherwise valid."""
        for view in batch.views:
            for check in batch.checks:
                for problem in self._ask(check, view):
                    yield _finding(batch.level, view, problem, rules)
        if batch.run is not None:
            yield from self._run(batch, batch.run, rules)

    def _run(self, batch: ValidBatch, run: Run, rules: Rules) -> Iterator[Finding]:
        problems: list[tuple[int, int, Problem]] = []
        for order, check in enumerate(batch.checks):
            try:
                problems += [(number, order, p) for number, p in placed_problems_of(check, run)]
            except PluginError as error:
                problems += [(0, order, problem) for problem in self._failed(error)]
        problems.sort(key=itemgetter(0, 1))
        for number, _, problem in problems:
            yield _finding(batch.level, run.outline(number), problem, rules)

    def end(self, level: OpenContainer, state: ContainerState) -> Iterator[Finding]:
        """Yield what checks find after the last record of a container."""
        for check in state.checks:
            problems: list[tuple[RecordView | None, Problem]]
            try:
                problems = list(placed_problems_of(check))
            except PluginError as error:
                problems = [(None, problem) for problem in self._failed(error)]
            for view, problem in problems:
                if view is None:
                    yield _container_finding(level, problem, state.rules)
                else:
                    yield _finding(level, view, problem, state.rules)


def view_of(record: Record, body: Body | None) -> RecordView:
    """Return a record as checks see it."""
    name = record.type_info.name or f"type {record.type:#x}"
    return RecordView(
        record.index, record.offset, record.type, name, record.instance, record.length, body
    )


def _finding(level: OpenContainer, view: RecordView, problem: Problem, rules: Rules) -> Finding:
    """Return the finding of a problem of a record that has passed by."""
    offset = view.offset
    if problem.offset is not None and level.header is not None:
        offset += level.header.size + problem.offset
    finding = make_finding(problem, offset, level, rules=rules)
    return finding._replace(
        record=view.index, type=view.code, name=view.name, instance=view.instance
    )


def _container_finding(level: OpenContainer, problem: Problem, rules: Rules) -> Finding:
    """Return the finding of a problem of a container as a whole."""
    return make_finding(problem, level.offset + (problem.offset or 0), level, rules=rules)
