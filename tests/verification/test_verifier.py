"""Verify: every rule, its place, its severity; limits; what a plugin brings."""

from __future__ import annotations

from collections.abc import Iterable

from support import (
    CORE,
    end,
    formats,
    image,
    port,
    rec,
    start,
    tsc,
)
from verdict_records import Chatty, findings

from domctx_core import (
    BufferSource,
    Problem,
    RecordView,
    Severity,
    Verifier,
    verify,
    walk,
)
from domctx_core.base.rules import CORE_RULES
from domctx_core.verification.verifier import MAX_FINDINGS


def test_every_rule_of_the_core_is_explained() -> None:
    for rule in CORE_RULES.values():
        assert rule.summary
        assert rule.meaning
        assert rule.advice
        assert rule.example
        assert rule.severity is not Severity.ERROR or rule.errno is not None


def test_findings_are_limited() -> None:
    data = start() + b"".join(rec(0x40, n, b"") for n in range(5000)) + end()
    found = findings(data)
    assert len(found) == MAX_FINDINGS
    assert found[-1].rule == "limit"
    assert found[-1].severity is Severity.ERROR
    assert not verify(BufferSource(data), formats()).valid


# ---------------------------------------------------------------------------------------- the verifier


def test_a_verifier_takes_events_one_by_one() -> None:
    verifier = Verifier()
    counts = [len(verifier.see(e)) for e in walk(BufferSource(image(port(1, state=9))), formats())]
    assert counts == [0, 0, 1, 0, 0]


def test_an_image_without_end_is_not_checked_as_a_whole() -> None:
    class Final(Chatty):
        def end(self) -> Iterable[tuple[RecordView | None, Problem]]:
            yield None, Problem("chatty/port", "at the end")

    assert [f.message for f in findings(image(), checks=[Final])] == ["at the end"]
    assert [f.rule for f in findings(start(), checks=[Final])] == ["end-missing"]


def test_a_finding_as_an_error() -> None:
    (finding,) = findings(image(rec(3, 0, tsc(mode=7))))
    error = finding.error(provider=CORE)
    assert (error.rule, error.errno, error.offset) == (finding.rule, finding.errno, finding.offset)
    assert (error.type_name, error.field, error.actual) == ("TSC_INFO", "mode", 7)
    assert error.provider is CORE
