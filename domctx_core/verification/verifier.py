"""Verify: what is wrong with an input, finding by finding.

A verifier listens to the walker's events; it never stops at the first fault, and it knows nothing
of any particular record type beyond what that type declares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from domctx_core.base.errors import PLUGIN_ERRORS, DomctxError, PluginError, describe
from domctx_core.base.io import DEFAULT_CAP
from domctx_core.base.problems import Finding, Problem, Severity
from domctx_core.base.rules import Rules
from domctx_core.layout.body import Body
from domctx_core.model.check import (
    Check,
    Container,
    RecordView,
    check_fault,
    make_check,
    placed_problems_of,
    problems_of,
)
from domctx_core.model.formats import Formats
from domctx_core.model.instance_set import OrderState
from domctx_core.model.observer import RecordEvent, Watch
from domctx_core.model.record_type import RecordType
from domctx_core.reader.events import Closed, Event, Fault, Opened, Trailing
from domctx_core.reader.record import OpenContainer, Record, make_finding, unusable
from domctx_core.reader.sources import Source
from domctx_core.reader.walker import walk
from domctx_core.verification.state import ContainerState, TypePlan, ValidBatch

if TYPE_CHECKING:
    from domctx_core.base.xen_version import XenVersion
    from domctx_core.model.check_run import Run

__all__ = ["MAX_FINDINGS", "Verdict", "Verifier", "verify"]

MAX_FINDINGS = 1000
"""Findings that are kept of one input; after that only their number would grow."""


class Verdict(NamedTuple):
    """What `verify` has to say of one input.

    `format` is the outermost format's name; `needs_plugin` says that something could not be
    judged because a plugin could not be used.
    """

    format: str
    findings: tuple[Finding, ...]
    needs_plugin: bool

    @property
    def valid(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


class Verifier:
    """Judges the events of one input; `receiver` is the Xen that is to load it."""

    def __init__(
        self, *, checks: Iterable[type[Check]] = (), receiver: XenVersion | None = None
    ) -> None:
        self.checks = tuple(checks)
        self._brought = [rule for check in self.checks for rule in check.rules]
        self.receiver = receiver
        self.needs_plugin = False
        #: What is known of the containers met so far.
        self.states: dict[OpenContainer, ContainerState] = {}
        self._count = 0
        self._failed = False
        self._limited = False

    def see(self, event: Event) -> list[Finding]:
        """The findings of one event."""
        if type(event) is Record:
            made = self._record(event)
            return self._sieved(made) if made else made
        return self._sieved(self._judge(event))

    def _sieved(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings that are kept of those made."""
        found = []
        for finding in findings:
            grave = finding.severity is Severity.ERROR
            self._count += 1
            if self._count < MAX_FINDINGS or (grave and not self._failed):
                found.append(finding)
            elif not self._limited:
                self._limited = True
                limit = Problem(
                    "limit",
                    f"more than {MAX_FINDINGS - 1} findings; of the rest only the first error is"
                    " kept, if there was none before",
                    severity=None if self._failed else Severity.NOTE,
                )
                found.append(make_finding(limit, finding.offset, None))
            self._failed |= grave
        return found

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
                    own, faults = self._made(level.format.name)
                    rules = Rules(self._brought, level.registry.rules.get)
                    self.states[level] = ContainerState(own, rules)
                    for problem in faults:
                        yield make_finding(problem, level.offset, level)
                    for offset, problem in level.prologue_problems:
                        yield make_finding(
                            problem, offset + (problem.offset or 0), level, rules=rules
                        )
                    yield from self._begin(level)
            case Fault(_, finding, needs_plugin):
                self.needs_plugin |= needs_plugin
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
                yield from self._close(level)
            case ValidBatch():
                yield from self._batch(event)

    def _made(self, format: str) -> tuple[list[Check], list[Problem]]:
        """The checks of one container, and what is said of those that cannot be made."""
        made: list[Check] = []
        faults: list[Problem] = []
        for kind in self.checks:
            if kind.format == format:
                try:
                    made.append(make_check(kind))
                except PluginError as error:
                    faults += self._unasked(error)
        return made, faults

    def _begin(self, level: OpenContainer) -> Iterator[Finding]:
        state = self.states[level]
        outer = within = None
        if level.parent is not None:
            around = self.states[level.parent.level]
            outer = around.container
            if around.current is not None:
                within = _seen(*around.current)
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
                self.needs_plugin = True
                problems = [unusable(error)]
                state.checks.remove(check)  # one that did not begin cannot go on
            for problem in problems:
                at = level.offset + (problem.offset or 0)
                yield make_finding(problem, at, level, rules=state.rules)

    def _record(self, record: Record) -> list[Finding]:
        state = self.states[record.level]
        plan = state.plans.get(record.type)
        if plan is None or plan.type_info is not record.type_info:
            plan = self._plan(record, state)
        found: list[Finding] = []
        if plan.opens or not record.index:
            self._first(record, found)
        order, instance = state.order, record.instance
        if instance is not None and not order.instances.add(record.type, instance):
            self._repeated(record, found)
        if plan.ordered:
            if record.type < order.previous:
                self._descends(record, order, found)
            order.previous = record.type
        body = self._body(record, plan, state, found)
        state.current = record, body
        if plan.checks:
            self._check(record, body, plan.checks, state.rules, found)
        if record.padding and record.complete and record.padding_raw.strip(b"\0"):
            self._padding(record, found)
        return found

    @staticmethod
    def _plan(record: Record, state: ContainerState) -> TypePlan:
        """The plan of a record's type."""
        level, code = record.level, record.type
        plan = TypePlan(level, code, record.type_info, state.checks)
        if level.type_infos.get(code) is record.type_info:
            state.plans[code] = plan
        return plan

    @staticmethod
    def _first(record: Record, found: list[Finding]) -> None:
        """What is wrong with the record that an image begins with, or should."""
        first = record.level.format.first
        if first is None:
            return
        if record.index == 0 and record.type != first:
            problem = Problem(
                "first-not-start",
                f"the image does not begin with {_first_name(record.level)}",
                expected=f"type {first}",
                actual=f"type {record.type}",
            )
            found.append(record.finding(problem))
        elif record.index and record.type == first:
            again = f"{record.name} stands in the image a second time"
            found.append(record.finding(Problem("start-repeated", again)))

    @staticmethod
    def _repeated(record: Record, found: list[Finding]) -> None:
        if record.type != record.level.format.first:
            name = record.name or f"type {record.type}"
            again = f"{name}[{record.instance}] stands in the image a second time"
            found.append(record.finding(Problem("duplicate-record", again)))

    @staticmethod
    def _descends(record: Record, order: OrderState, found: list[Finding]) -> None:
        """A type code below the one before, which is said once."""
        if order.descended or not record.index:
            return
        order.descended = True
        problem = Problem(
            "order-not-ascending",
            f"type {record.type} comes after type {order.previous}",
            expected=f"type {order.previous} or higher",
            actual=f"type {record.type}",
        )
        found.append(record.finding(problem))

    @staticmethod
    def _padding(record: Record, found: list[Finding]) -> None:
        raw = record.padding_raw
        problem = Problem(
            "padding-not-zero",
            "the padding after the body is not zero",
            record.length + len(raw) - len(raw.lstrip(b"\0")),
            expected="00" * len(raw),
            actual=raw.hex(),
            severity=record.level.format.padding,
        )
        found.append(record.finding(problem))

    def _body(
        self, record: Record, plan: TypePlan, state: ContainerState, found: list[Finding]
    ) -> Body | None:
        """Add what is wrong with one body; gives the body, where it can be decoded."""
        if plan.longest is not None and record.length > plan.longest:
            problem = Problem(
                "length-over-cap",
                f"the {record.level.format.title} allows no body as long as this",
                expected=f"at most {plan.longest} bytes",
                actual=f"{record.length} bytes",
            )
            found.append(record.finding(problem))
            return None
        record_type = plan.record_type
        if record_type is None:
            found.append(self._unknown(record))
            return None
        if not plan.loadable:
            note = Problem("no-handler", f"{record.name} can be read and not loaded")
            found.append(record.finding(note))
        if plan.limit is not None and record.instance is not None and record.instance >= plan.limit:
            found.append(_over_limit(record, record_type, plan.limit))
        if record.unopened is not None:
            found.append(_unopened(record))
        if record.available < record.length:
            found += self._claim(record, record_type)
            return None
        try:
            if plan.bulk and not record.head:
                return None
            decoded = record.decoded
        except PluginError as error:
            self.needs_plugin = True
            found.append(record.finding(unusable(error)))
            return None
        if decoded is None:
            found.append(_not_held(record, record_type))
            return None
        for problem in decoded.problems:
            if problem.rule == "body-not-consumed" and record_type.ignore_rest:
                continue
            rule = record_type.rules.get(problem.rule, problem.rule)
            found.append(record.finding(problem._replace(rule=rule), rules=state.rules))
        body: Body | None = decoded.body
        if plan.judged and body is not None:
            for problem in self._judged(record, record_type, body):
                found.append(record.finding(problem, rules=state.rules))
        return body

    def _unknown(self, record: Record) -> Finding:
        """What is said of a record whose type nobody knows, or whose plugin cannot be used."""
        try:
            if record.entry is not None:
                _ = record.entry.record_type
        except PluginError as error:
            self.needs_plugin = True
            return record.finding(unusable(error))
        optional = bool(record.type & record.level.format.optional)
        return record.finding(
            Problem(
                "unknown-type",
                f"no installed plugin knows type {record.type} ({record.type:#x})"
                + (" (optional: a reader may ignore it)" if optional else ""),
                severity=Severity.NOTE if optional else None,
            )
        )

    def _judged(
        self, record: Record, record_type: RecordType[Any], body: Body
    ) -> Iterable[Problem]:
        """What the record type itself has to say."""
        try:
            judged: list[Problem] = []
            if record.type_info.judged:
                judged += record_type.judge(record.instance, body, self.receiver)
            if record.type_info.bulk:
                extent = record_type.extent(body)
                if extent is not None and extent != record.length:
                    judged.append(_against_head(record, extent))
        except PLUGIN_ERRORS as raised:
            self.needs_plugin = True
            assert record.entry is not None
            who = f"judging {record.entry.name} ({record.entry.provider})"
            message = f"{who} raised {describe(raised)}"
            judged = [Problem("needs-plugin", message)]
        return judged

    @staticmethod
    def _claim(record: Record, record_type: RecordType[Any]) -> Iterator[Finding]:
        """A length that is wrong whatever follows: what `load` says of it before it reads on."""
        try:
            body = record.body_class
        except PluginError:
            return
        fixed = None if body is None else body.fixed_size()
        if fixed is not None and record.length > fixed and not record_type.ignore_rest:
            yield record.finding(
                Problem(
                    record_type.rules.get("body-not-consumed", "body-not-consumed"),
                    f"the length leaves {record.length - fixed} bytes of the body over",
                    min(fixed, record.available),
                    expected=f"{fixed} bytes",
                    actual=f"{record.length} bytes",
                )
            )

    def _check(
        self,
        record: Record,
        body: Body | None,
        checks: Iterable[Check],
        rules: Rules,
        found: list[Finding],
    ) -> None:
        """Add what checks across records have to say."""
        seen = _seen(record, body)
        for check in checks:
            for problem in self._ask(check, seen):
                found.append(record.finding(problem, rules))

    def _ask(self, check: Check, seen: RecordView) -> Iterable[Problem]:
        """What a check has to say of one record."""
        try:
            answer = check.record(seen)
            if not answer and type(answer) is tuple:  # as mostly
                return ()
            return list(problems_of(check, lambda: answer))
        except PluginError as error:
            return self._unasked(error)
        except DomctxError:
            raise
        except PLUGIN_ERRORS as error:
            return self._unasked(check_fault(type(check), error))

    def _unasked(self, error: PluginError) -> list[Problem]:
        """What is said in place of a check that raised."""
        self.needs_plugin = True
        return [unusable(error)]

    def _batch(self, batch: ValidBatch) -> Iterator[Finding]:
        """Yield what checks find in records that are otherwise valid."""
        rules = self.states[batch.level].rules
        for seen in batch.views:
            for check in batch.checks:
                for problem in self._ask(check, seen):
                    yield _told(batch.level, seen, problem, rules)
        if batch.run is not None:
            yield from self._run(batch, batch.run, rules)

    def _run(self, batch: ValidBatch, run: Run, rules: Rules) -> Iterator[Finding]:
        problems: list[tuple[int, int, Problem]] = []
        for order, check in enumerate(batch.checks):
            try:
                problems += [(number, order, p) for number, p in placed_problems_of(check, run)]
            except PluginError as error:
                self.needs_plugin = True
                problems.append((0, order, unusable(error)))
        problems.sort(key=itemgetter(0, 1))
        for number, _, problem in problems:
            yield _told(batch.level, run.outline(number), problem, rules)

    def _close(self, level: OpenContainer) -> Iterator[Finding]:
        state = self.states[level]
        for check in state.checks:
            problems: list[tuple[RecordView | None, Problem]]
            try:
                problems = list(placed_problems_of(check))
            except PluginError as error:
                self.needs_plugin = True
                problems = [(None, unusable(error))]
            for seen, problem in problems:
                if seen is None:
                    at = level.offset + (problem.offset or 0)
                    yield make_finding(problem, at, level, rules=state.rules)
                else:
                    yield _told(level, seen, problem, state.rules)


def _told(level: OpenContainer, seen: RecordView, problem: Problem, rules: Rules) -> Finding:
    """A check's problem of a record that has passed by, at its place in the input."""
    at = seen.offset
    if problem.offset is not None and level.header is not None:
        at += level.header.size + problem.offset
    found = make_finding(problem, at, level, rules=rules)
    return found._replace(record=seen.index, type=seen.code, name=seen.name, instance=seen.instance)


def _against_head(record: Record, extent: int) -> Problem:
    """The length of a bulk body, which is not the one that its head says."""
    return Problem(
        "body-too-short" if record.length < extent else "body-not-consumed",
        "the body is not as long as its head says",
        min(extent, record.length),
        expected=f"{extent} bytes",
        actual=f"{record.length} bytes",
    )


def _over_limit(record: Record, record_type: RecordType[Any], limit: int) -> Finding:
    """An instance that the record type does not have."""
    rule = record_type.rules.get("instance-not-allowed", "instance-not-allowed")
    problem = Problem(
        rule,
        f"{record.name} has instance {record.instance}",
        _instance_offset(record),
        expected="0" if limit == 1 else f"0 to {limit - 1}",
        actual=record.instance,
        errno=record_type.instances.errno if rule == "instance-not-allowed" else None,
    )
    return record.finding(problem)


def _unopened(record: Record) -> Finding:
    """A format in a body that nobody knows, where that is all right."""
    problem = Problem(
        "needs-plugin",
        f"{record.name} holds the format {record.unopened}, which no installed"
        " plugin knows: what is inside was not looked at",
        severity=Severity.NOTE,
    )
    return record.finding(problem)


def _not_held(record: Record, record_type: RecordType[Any]) -> Finding:
    """A body that is longer than the cap."""
    what, size = ("head", record.head) if record.bulk else ("body", record.length)
    problem = Problem(
        "length-over-cap",
        f"the {what} is longer than what is held in memory",
        expected=f"at most {record.cap} bytes",
        actual=f"{size} bytes",
        severity=Severity.NOTE if record_type.opaque else None,
    )
    return record.finding(problem)


def _untried(opened: Opened) -> str:
    """The formats that an input was not tried against, by the reason that keeps them away."""
    names: dict[str, list[str]] = {}
    for name, error in opened.untried.items():
        names.setdefault(error.message, []).append(name)
    return "; ".join(f"{', '.join(each)} ({reason})" for reason, each in names.items())


def _seen(record: Record, body: Body | None) -> RecordView:
    """A record as checks see it."""
    name = record.type_info.name or f"type {record.type:#x}"
    return RecordView(
        record.index, record.offset, record.type, name, record.instance, record.length, body
    )


def _first_name(level: OpenContainer) -> str:
    """The name of the record type that the format begins with."""
    first = level.format.first
    assert first is not None
    try:
        entry = level.registry.get(first)
    except PluginError:
        entry = None
    return f"type {first}" if entry is None else entry.name


def _instance_offset(record: Record) -> int:
    """Where the record's instance stands, counted from the start of the body."""
    header = record.level.header
    assert header is not None
    assert header.instance_offset is not None
    return header.instance_offset - record.header_size


def verify(
    source: Source,
    formats: Formats,
    *,
    checks: Iterable[type[Check]] = (),
    receiver: XenVersion | None = None,
    cap: int = DEFAULT_CAP,
    watch: Watch | None = None,
    tell: Callable[[Finding], None] | None = None,
) -> Verdict:
    """All findings of an input of any known format, in the order of its bytes.

    `receiver` is the Xen that is to load it. Bodies larger than `cap` bytes are not held. `tell`
    is given each finding as soon as it is made. Never raises for bad bytes.
    """
    from domctx_core.verification.batches import BatchValidator  # which `show` can do without

    verifier = Verifier(checks=checks, receiver=receiver)
    findings: list[Finding] = []
    name = ""

    def take(found: list[Finding]) -> None:
        findings.extend(found)
        if tell is not None:
            for finding in found:
                tell(finding)

    watched = watch if watch else None
    batcher = BatchValidator(source, cap, verifier.states, watched=watched is not None)
    for event in walk(source, formats, cap=cap, batcher=batcher):
        found = verifier.see(event)
        if found:
            take(found)
        if type(event) is Record:
            if watched is not None:
                watched.see(RecordEvent(event.type, event.instance, event.offset, event.length))
        elif type(event) is ValidBatch:
            if watched is not None:
                for each in event.events:
                    watched.see(each)
        elif not name and isinstance(event, (Opened, Fault)) and event.level is not None:
            name = event.level.path[0]
    return Verdict(name, tuple(findings), verifier.needs_plugin)
