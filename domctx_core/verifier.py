"""Verify: what is wrong with an input, finding by finding.

A verifier listens to the walker's events; it never stops at the first fault, and it knows nothing
of any particular record type beyond what that type declares.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from domctx_core.checks import Check, Container, Seen, blame_check
from domctx_core.context import Duplicates
from domctx_core.domains import XenVersion
from domctx_core.errors import PLUGIN_FAULTS, PluginError
from domctx_core.formats import Formats
from domctx_core.layout import Body
from domctx_core.observers import RecordEvent, Watch
from domctx_core.ops import DEFAULT_CAP
from domctx_core.records import RecordType
from domctx_core.rules import Finding, Problem, Rule, Severity
from domctx_core.sources import Source
from domctx_core.walker import (
    Closed,
    Event,
    Fault,
    Level,
    Opened,
    Record,
    Trailing,
    make_finding,
    walk,
)

__all__ = ["MAX_FINDINGS", "Verdict", "Verifier", "verify"]

MAX_FINDINGS = 1000
"""Findings that are kept of one input; after that only their number would grow."""


@dataclass(frozen=True, slots=True)
class Verdict:
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


@dataclass(eq=False)
class _State:
    """What the verifier remembers of one container."""

    checks: list[Check]
    rules: tuple[Rule, ...]
    container: Container | None = None
    current: tuple[Record, Body | None] | None = None
    duplicates: Duplicates = field(default_factory=Duplicates)
    previous: int = -1
    descended: bool = False


class Verifier:
    """Judges the events of one input; `receiver` is the Xen that is to load it."""

    def __init__(
        self, *, checks: Iterable[type[Check]] = (), receiver: XenVersion | None = None
    ) -> None:
        self.checks = tuple(checks)
        self.receiver = receiver
        self.needs_plugin = False
        self._states: dict[Level, _State] = {}
        self._count = 0
        self._failed = False
        self._limited = False

    def see(self, event: Event) -> list[Finding]:
        """The findings of one event."""
        found = []
        for finding in self._judge(event):
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
                if not resumed:
                    own = [check() for check in self.checks if check.format == level.format.name]
                    rules = tuple(rule for check in own for rule in check.rules)
                    self._states[level] = _State(own, rules)
                    for offset, problem in level.prologue_problems:
                        yield make_finding(problem, offset + (problem.offset or 0), level)
                    yield from self._begin(level)
            case Record():
                yield from self._record(event)
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
            case Closed(level):
                if level.last:
                    yield from self._close(level)

    def _begin(self, level: Level) -> Iterator[Finding]:
        state = self._states[level]
        outer = within = None
        if level.parent is not None:
            around = self._states[level.parent.level]
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
                with blame_check(check):
                    problems = list(check.begin(container))
            except PluginError as error:
                self.needs_plugin = True
                problems = [Problem("needs-plugin", error.message)]
                state.checks.remove(check)  # one that did not begin cannot go on
            for problem in problems:
                at = level.offset + (problem.offset or 0)
                yield make_finding(problem, at, level, rules=check.rules)

    def _record(self, record: Record) -> Iterator[Finding]:
        state = self._states[record.level]
        format = record.level.format
        if format.first is not None:
            if record.index == 0 and record.type != format.first:
                yield record.finding(
                    Problem(
                        "first-not-start",
                        f"the image does not begin with {_first_name(record.level)}",
                        expected=f"type {format.first}",
                        actual=f"type {record.type}",
                    )
                )
            elif record.index and record.type == format.first:
                yield record.finding(
                    Problem("start-repeated", f"{record.name} stands in the image a second time")
                )
        yield from self._order(record, state)
        body = yield from self._body(record, state)
        state.current = record, body
        yield from self._check(record, body, state)
        raw = record.padding_raw if record.complete else b""
        if raw.strip(b"\0"):
            yield record.finding(
                Problem(
                    "padding-not-zero",
                    "the padding after the body is not zero",
                    record.length + len(raw) - len(raw.lstrip(b"\0")),
                    expected="00" * len(raw),
                    actual=raw.hex(),
                )
            )

    def _order(self, record: Record, state: _State) -> Iterator[Finding]:
        instance = record.instance
        repeated = instance is not None and state.duplicates.seen(record.type, instance)
        if repeated and record.type != record.level.format.first:
            name = record.name or f"type {record.type}"
            yield record.finding(
                Problem(
                    "duplicate-record",
                    f"{name}[{instance}] stands in the image a second time",
                )
            )
        if not record.level.format.ascending or record.type == record.level.format.last:
            return
        if record.type < state.previous and not state.descended and record.index:
            state.descended = True
            yield record.finding(
                Problem(
                    "order-not-ascending",
                    f"type {record.type} comes after type {state.previous}",
                    expected=f"type {state.previous} or higher",
                    actual=f"type {record.type}",
                )
            )
        state.previous = record.type

    def _body(self, record: Record, state: _State) -> Generator[Finding, None, Body | None]:
        """What is wrong with one body; gives the body, where it can be decoded."""
        format = record.level.format
        if format.max_length is not None and record.length > format.max_length:
            yield record.finding(
                Problem(
                    "length-over-cap",
                    f"the {format.title} allows no body as long as this",
                    expected=f"at most {format.max_length} bytes",
                    actual=f"{record.length} bytes",
                )
            )
            return None
        try:
            entry = record.entry
            record_type = None if entry is None else entry.record_type
        except PluginError as error:
            self.needs_plugin = True
            yield record.finding(Problem("needs-plugin", error.message))
            return None
        if entry is None or record_type is None:
            optional = bool(record.type & format.optional)
            yield record.finding(
                Problem(
                    "unknown-type",
                    f"no installed plugin knows type {record.type} ({record.type:#x})"
                    + (" (optional: a reader may ignore it)" if optional else ""),
                    severity=Severity.NOTE if optional else None,
                )
            )
            return None
        if not record_type.loadable:
            yield record.finding(Problem("no-handler", f"{entry.name} can be read and not loaded"))
        instances = record_type.instances
        if (
            record.instance is not None
            and instances.limit is not None
            and record.instance >= instances.limit
        ):
            rule = record_type.rules.get("instance-not-allowed", "instance-not-allowed")
            yield record.finding(
                Problem(
                    rule,
                    f"{entry.name} has instance {record.instance}",
                    _instance_offset(record),
                    expected="0" if instances.limit == 1 else f"0 to {instances.limit - 1}",
                    actual=record.instance,
                    errno=instances.errno if rule == "instance-not-allowed" else None,
                )
            )
        if record.unopened is not None:
            yield record.finding(
                Problem(
                    "needs-plugin",
                    f"{entry.name} holds the format {record.unopened}, which no installed plugin"
                    " knows: what is inside was not looked at",
                    severity=Severity.NOTE,
                )
            )
        if record.available < record.length:
            yield from self._claim(record, record_type)
            return None
        try:
            if record.bulk and not record.head:
                return None
            decoded = record.decoded
        except PluginError as error:
            self.needs_plugin = True
            yield record.finding(Problem("needs-plugin", error.message))
            return None
        if decoded is None:
            what, size = ("head", record.head) if record.bulk else ("body", record.length)
            yield record.finding(
                Problem(
                    "length-over-cap",
                    f"the {what} is longer than what is held in memory",
                    expected=f"at most {record.cap} bytes",
                    actual=f"{size} bytes",
                )
            )
            return None
        for problem in decoded.problems:
            if problem.rule == "body-not-consumed" and record_type.ignore_rest:
                continue
            rule = record_type.rules.get(problem.rule, problem.rule)
            yield record.finding(replace(problem, rule=rule), rules=state.rules)
        body: Body | None = decoded.body
        if body is None:
            return None
        try:
            judged = list(record_type.judge(record.instance, body, self.receiver))
            if record.bulk:
                judged += _against_head(record, record_type.extent(body))
        except PLUGIN_FAULTS as raised:
            self.needs_plugin = True
            who = f"judging {entry.name} ({entry.provider})"
            message = f"{who} raised {type(raised).__name__}: {raised}"
            judged = [Problem("needs-plugin", message)]
        for problem in judged:
            yield record.finding(problem, rules=state.rules)
        return body

    @staticmethod
    def _claim(record: Record, record_type: RecordType[Any]) -> Iterator[Finding]:
        """A length that is wrong whatever follows: what `load` says of it before it reads on."""
        fixed = record_type.body.fixed_size()
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

    def _check(self, record: Record, body: Body | None, state: _State) -> Iterator[Finding]:
        for check in state.checks:
            if record.type in check.codes:
                seen = _seen(record, body)
                try:
                    with blame_check(check):
                        problems = list(check.record(seen))
                except PluginError as error:
                    self.needs_plugin = True
                    problems = [Problem("needs-plugin", error.message)]
                for problem in problems:
                    yield record.finding(problem, rules=check.rules)

    def _close(self, level: Level) -> Iterator[Finding]:
        state = self._states[level]
        for check in state.checks:
            problems: list[tuple[Seen | None, Problem]]
            try:
                with blame_check(check):
                    problems = list(check.end())
            except PluginError as error:
                self.needs_plugin = True
                problems = [(None, Problem("needs-plugin", error.message))]
            for seen, problem in problems:
                offset = level.offset + (problem.offset or 0) if seen is None else seen.offset
                finding = make_finding(problem, offset, level, rules=check.rules)
                if seen is not None:
                    header = level.header
                    at = offset
                    if problem.offset is not None and header is not None:
                        at += header.size + problem.offset
                    finding = replace(
                        finding, offset=at, container_offset=at - level.offset, record=seen.index,
                        type=seen.code, name=seen.name, instance=seen.instance,
                    )  # fmt: skip
                yield finding


def _against_head(record: Record, extent: int | None) -> list[Problem]:
    """The length of a bulk body where its head says another."""
    if extent is None or extent == record.length:
        return []
    return [
        Problem(
            "body-too-short" if record.length < extent else "body-not-consumed",
            "the body is not as long as its head says",
            min(extent, record.length),
            expected=f"{extent} bytes",
            actual=f"{record.length} bytes",
        )
    ]


def _seen(record: Record, body: Body | None) -> Seen:
    """A record as checks see it."""
    name = record.name or f"type {record.type:#x}"
    return Seen(
        record.index, record.offset, record.type, name, record.instance, record.length, body
    )


def _first_name(level: Level) -> str:
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
    verifier = Verifier(checks=checks, receiver=receiver)
    findings: list[Finding] = []
    name = ""
    for event in walk(source, formats, cap=cap):
        if not name and isinstance(event, (Opened, Fault)) and event.level is not None:
            name = event.level.path[0]
        found = verifier.see(event)
        findings += found
        if tell is not None:
            for finding in found:
                tell(finding)
        if watch and isinstance(event, Record):
            seen = RecordEvent(event.type, event.instance, event.offset, event.length)
            watch.see(seen)
    return Verdict(name, tuple(findings), verifier.needs_plugin)
