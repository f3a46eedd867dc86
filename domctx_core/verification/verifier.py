"""The verifier: the findings of each event of a walk.

It never stops at a fault, and knows of a record type only what the type declares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from domctx_core.base.problems import Finding, Problem, Severity
from domctx_core.base.rules import Rules
from domctx_core.model.check import Check
from domctx_core.reader.events import Closed, Event, Fault, Opened, Trailing
from domctx_core.reader.record import OpenContainer, Record, make_finding
from domctx_core.verification.check_runner import CheckRunner
from domctx_core.verification.record_judge import RecordJudge
from domctx_core.verification.state import ContainerState, ValidBatch

if TYPE_CHECKING:
    from domctx_core.base.xen_version import XenVersion

__all__ = ["MAX_FINDINGS", "Verifier"]

MAX_FINDINGS = 1000
"""Findings that are kept of one input; after that only their number would grow."""


class Verifier:
    """Judges the events of one input; `receiver` is the Xen that is to load it."""

    def __init__(
        self, *, checks: Iterable[type[Check]] = (), receiver: XenVersion | None = None
    ) -> None:
        checks = tuple(checks)
        self._rules = [rule for check in checks for rule in check.rules]
        #: What is known of the containers met so far.
        self.states: dict[OpenContainer, ContainerState] = {}
        self._checks = CheckRunner(checks)
        self._records = RecordJudge(self.states, self._checks, receiver)
        self._unread = False
        self._count = 0
        self._failed = False
        self._limited = False

    @property
    def needs_plugin(self) -> bool:
        """Return True if something could not be judged because a plugin could not be used."""
        return self._unread or self._records.needs_plugin or self._checks.needs_plugin

    def see(self, event: Event) -> list[Finding]:
        """Return the findings of one event."""
        if type(event) is Record:
            findings = self._records.judge(event)
            return self._limit(findings) if findings else findings
        if type(event) is ValidBatch and event.run is None and not event.views:
            return []
        return self._limit(self._judge(event))

    def _limit(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings that are kept."""
        kept = []
        for finding in findings:
            grave = finding.severity is Severity.ERROR
            self._count += 1
            if self._count < MAX_FINDINGS or (grave and not self._failed):
                kept.append(finding)
            elif not self._limited:
                self._limited = True
                limit = Problem(
                    "limit",
                    f"more than {MAX_FINDINGS - 1} findings; of the rest only the first error is"
                    " kept, if there was none before",
                    severity=None if self._failed else Severity.NOTE,
                )
                kept.append(make_finding(limit, finding.offset, None))
            self._failed |= grave
        return kept

    def _judge(self, event: Event) -> Iterator[Finding]:
        match event:
            case Opened(level, resumed):
                if event.untried:
                    problem = Problem(
                        "needs-plugin",
                        f"no known format fits, and some could not be tried: {_untried(event)}",
                        severity=Severity.NOTE,
                    )
                    yield make_finding(problem, level.offset, level)
                if not resumed:
                    yield from self._begin(level)
            case Fault(_, finding, needs_plugin):
                self._unread |= needs_plugin
                yield finding
            case Trailing(level, offset, length, _):
                problem = Problem(
                    "trailing-bytes",
                    f"{length} bytes follow after the last record",
                    expected="the end of the input" if level.bound is None else "the body's end",
                    actual=f"{length} bytes",
                )
                yield make_finding(problem, offset, level)
            case Closed(level, broken=False) if level.last:
                yield from self._checks.end(level, self.states[level])
            case ValidBatch():
                yield from self._checks.batch(event, self.states[event.level].rules)

    def _begin(self, level: OpenContainer) -> Iterator[Finding]:
        """Yield the findings of a container's prologue, and what its checks find in it."""
        checks, faults = self._checks.make(level.format.name)
        rules = Rules(self._rules, level.registry.rules.get)
        self.states[level] = ContainerState(checks, rules)
        for problem in faults:
            yield make_finding(problem, level.offset, level)
        for offset, problem in level.prologue_problems:
            yield make_finding(problem, offset + (problem.offset or 0), level, rules=rules)
        yield from self._checks.begin(level, self.states)


def _untried(opened: Opened) -> str:
    """Return the formats that an input was not tried against, by the reason why not."""
    names: dict[str, list[str]] = {}
    for name, error in opened.untried.items():
        names.setdefault(error.message, []).append(name)
    return "; ".join(f"{', '.join(group)} ({reason})" for reason, group in names.items())
