"""The findings of one record by itself, and of its place among the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from domctx_core.base.errors import PLUGIN_ERRORS, PluginError, describe
from domctx_core.base.problems import Finding, Problem, Severity
from domctx_core.layout.body import Body
from domctx_core.model.instance_set import OrderState
from domctx_core.model.record_type import RecordType
from domctx_core.reader.record import OpenContainer, Record, unusable
from domctx_core.verification.check_runner import CheckRunner
from domctx_core.verification.state import ContainerState, TypePlan

if TYPE_CHECKING:
    from domctx_core.base.xen_version import XenVersion

__all__ = ["RecordJudge"]


class RecordJudge:
    """Judges records one by one; `needs_plugin` is true once a plugin could not be used."""

    def __init__(
        self,
        states: Mapping[OpenContainer, ContainerState],
        checks: CheckRunner,
        receiver: XenVersion | None,
    ) -> None:
        self._states = states
        self._checks = checks
        self._receiver = receiver
        self.needs_plugin = False

    def judge(self, record: Record) -> list[Finding]:
        """Return the findings of a record; its container goes on from there."""
        state = self._states[record.level]
        plan = state.plans.get(record.type)
        if plan is None or plan.type_info is not record.type_info:
            plan = _plan(record, state)
        findings: list[Finding] = []
        if plan.opens or not record.index:
            _first(record, findings)
        order, instance = state.order, record.instance
        if instance is not None and not order.instances.add(record.type, instance):
            _repeated(record, findings)
        if plan.ordered:
            if record.type < order.previous:
                _descends(record, order, findings)
            order.previous = record.type
        body = self._body(record, plan, state, findings)
        state.current = record, body
        if plan.checks:
            self._checks.record(record, body, plan.checks, state.rules, findings)
        if record.padding and record.complete and record.padding_raw.strip(b"\0"):
            _padding(record, findings)
        return findings

    def _body(
        self, record: Record, plan: TypePlan, state: ContainerState, findings: list[Finding]
    ) -> Body | None:
        """Add the findings of a body; return the body where it can be decoded."""
        if plan.longest is not None and record.length > plan.longest:
            problem = Problem(
                "length-over-cap",
                f"the {record.level.format.title} allows no body as long as this",
                expected=f"at most {plan.longest} bytes",
                actual=f"{record.length} bytes",
            )
            findings.append(record.finding(problem))
            return None
        record_type = plan.record_type
        if record_type is None:
            findings.append(self._unknown(record))
            return None
        if not plan.loadable:
            note = Problem("no-handler", f"{record.name} can be inspected, but not loaded")
            findings.append(record.finding(note))
        if plan.limit is not None and record.instance is not None and record.instance >= plan.limit:
            findings.append(_over_limit(record, record_type, plan.limit))
        if record.unopened is not None:
            findings.append(_unopened(record))
        if record.available < record.length:
            findings += _overlong(record, record_type)
            return None
        try:
            if plan.bulk and not record.head:
                return None
            decoded = record.decoded
        except PluginError as error:
            self.needs_plugin = True
            findings.append(record.finding(unusable(error)))
            return None
        if decoded is None:
            findings.append(_not_held(record, record_type))
            return None
        for problem in decoded.problems:
            if problem.rule == "body-not-consumed" and record_type.ignore_rest:
                continue
            rule = record_type.rules.get(problem.rule, problem.rule)
            findings.append(record.finding(problem._replace(rule=rule), rules=state.rules))
        body: Body | None = decoded.body
        if plan.judged and body is not None:
            for problem in self._judged(record, record_type, body):
                findings.append(record.finding(problem, rules=state.rules))
        return body

    def _unknown(self, record: Record) -> Finding:
        """Return the finding of a record whose type is not known, or whose plugin cannot be used."""
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
                f"no installed plugin defines type {record.type} ({record.type:#x})"
                + (" (optional: a reader may ignore it)" if optional else ""),
                severity=Severity.NOTE if optional else None,
            )
        )

    def _judged(
        self, record: Record, record_type: RecordType[Any], body: Body
    ) -> Iterable[Problem]:
        """Return the problems that the record type itself finds."""
        try:
            judged: list[Problem] = []
            if record.type_info.judged:
                judged += record_type.judge(record.instance, body, self._receiver)
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


def _plan(record: Record, state: ContainerState) -> TypePlan:
    """Return the plan of a record's type, and keep it if the type is declared."""
    level, code = record.level, record.type
    plan = TypePlan(level, code, record.type_info, state.checks)
    if level.type_infos.get(code) is record.type_info:
        state.plans[code] = plan
    return plan


def _first(record: Record, findings: list[Finding]) -> None:
    """Check that the record that an image has to begin with comes first, and only there."""
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
        findings.append(record.finding(problem))
    elif record.index and record.type == first:
        again = f"{record.name} appears twice in the image"
        findings.append(record.finding(Problem("start-repeated", again)))


def _repeated(record: Record, findings: list[Finding]) -> None:
    if record.type != record.level.format.first:
        name = record.name or f"type {record.type}"
        again = f"{name}[{record.instance}] appears twice in the image"
        findings.append(record.finding(Problem("duplicate-record", again)))


def _descends(record: Record, order: OrderState, findings: list[Finding]) -> None:
    """Report a type code below the one before; only the first in a container is reported."""
    if order.descended or not record.index:
        return
    order.descended = True
    problem = Problem(
        "order-not-ascending",
        f"type {record.type} comes after type {order.previous}",
        expected=f"type {order.previous} or higher",
        actual=f"type {record.type}",
    )
    findings.append(record.finding(problem))


def _padding(record: Record, findings: list[Finding]) -> None:
    raw = record.padding_raw
    problem = Problem(
        "padding-not-zero",
        "the padding after the body is not zero",
        record.length + len(raw) - len(raw.lstrip(b"\0")),
        expected="00" * len(raw),
        actual=raw.hex(),
        severity=record.level.format.padding,
    )
    findings.append(record.finding(problem))


def _overlong(record: Record, record_type: RecordType[Any]) -> Iterator[Finding]:
    """Yield the finding of a length that no valid body has, as `load` reports it, of a body cut short."""
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


def _against_head(record: Record, extent: int) -> Problem:
    """Return the problem of a bulk body that is not as long as its head says."""
    return Problem(
        "body-too-short" if record.length < extent else "body-not-consumed",
        "the body is not as long as its head says",
        min(extent, record.length),
        expected=f"{extent} bytes",
        actual=f"{record.length} bytes",
    )


def _over_limit(record: Record, record_type: RecordType[Any], limit: int) -> Finding:
    """Return the finding of an instance that the record type does not have."""
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
    """Return the note on a format in a body that no plugin knows and a reader may do without."""
    problem = Problem(
        "needs-plugin",
        f"{record.name} holds the format {record.unopened}, which no installed"
        " plugin knows: what is inside was not looked at",
        severity=Severity.NOTE,
    )
    return record.finding(problem)


def _not_held(record: Record, record_type: RecordType[Any]) -> Finding:
    """Return the finding of a body that is longer than the cap."""
    what, size = ("head", record.head) if record.bulk else ("body", record.length)
    problem = Problem(
        "length-over-cap",
        f"the {what} is longer than what is held in memory",
        expected=f"at most {record.cap} bytes",
        actual=f"{size} bytes",
        severity=Severity.NOTE if record_type.opaque else None,
    )
    return record.finding(problem)


def _first_name(level: OpenContainer) -> str:
    """Return the name of the record type that the format begins with."""
    first = level.format.first
    assert first is not None
    try:
        entry = level.registry.get(first)
    except PluginError:
        entry = None
    return f"type {first}" if entry is None else entry.name


def _instance_offset(record: Record) -> int:
    """Return where the record's instance is, counted from the start of the body."""
    header = record.level.header
    assert header is not None
    assert header.instance_offset is not None
    return header.instance_offset - record.header_size
