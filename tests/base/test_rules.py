"""The catalogue of rules, and how the severity and errno of a problem are settled."""

import re

import pytest

from domctx_core import DeclarationError, Errno, Problem, Rule, Severity
from domctx_core.base.rules import CORE_ONLY, CORE_RULES, Rules

E, W, N = Severity.ERROR, Severity.WARNING, Severity.NOTE

EXPECTED: dict[str, tuple[Severity, Errno | None]] = {
    "truncated-header": (E, Errno.ENODATA),
    "truncated-body": (E, Errno.ENODATA),
    "truncated-padding": (E, Errno.ENODATA),
    "length-overflow": (E, Errno.ENODATA),
    "length-over-cap": (E, Errno.E2BIG),
    "first-not-start": (E, Errno.EINVAL),
    "start-repeated": (E, Errno.EINVAL),
    "start-instance": (E, Errno.EINVAL),
    "end-instance": (E, Errno.EINVAL),
    "end-length": (E, Errno.EINVAL),
    "end-missing": (E, Errno.ENODATA),
    "not-suspended": (E, Errno.EINVAL),
    "trailing-bytes": (W, None),
    "unknown-type": (E, Errno.EINVAL),
    "no-handler": (N, None),
    "body-too-short": (E, Errno.ENODATA),
    "body-not-consumed": (E, Errno.EINVAL),
    "padding-not-zero": (E, Errno.EINVAL),
    "instance-not-allowed": (E, Errno.ENXIO),
    "duplicate-record": (E, Errno.EEXIST),
    "order-not-ascending": (W, None),
    "newer-version": (N, Errno.EOPNOTSUPP),
    "reserved-not-zero": (E, Errno.EINVAL),
    "field-out-of-range": (E, Errno.EINVAL),
    "needs-plugin": (E, Errno.EINVAL),
    "limit": (E, Errno.E2BIG),
}


def test_every_rule_is_there_with_its_severity_and_errno() -> None:
    assert {id: (rule.severity, rule.errno) for id, rule in CORE_RULES.items()} == EXPECTED


@pytest.mark.parametrize("id", CORE_RULES)
def test_every_rule_explains_itself(id: str) -> None:
    rule = CORE_RULES[id]
    assert rule.id == id
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", id)
    for part in rule.summary, rule.meaning, rule.advice, rule.example:
        assert part == part.strip()
        assert len(part) >= 8
        assert "  " not in part
    assert "\n" not in rule.summary
    assert not rule.summary.endswith(".")
    assert rule.meaning.endswith(".")
    assert rule.advice.endswith(".")


def test_no_two_rules_share_a_text() -> None:
    for part in "summary", "meaning", "example":
        assert len({getattr(rule, part) for rule in CORE_RULES.values()}) == len(CORE_RULES)


def test_find_a_rule() -> None:
    mine = Rule("acme/odd", W, None, "odd", "Odd.", "Look.", "x")
    again = mine._replace(severity=E)
    impostor = Rule("limit", N, None, "a", "b", "c", "d")
    rules = Rules([mine, again, impostor])
    assert rules.find("acme/odd") is mine
    assert rules.find("limit") is CORE_RULES["limit"]
    assert rules.get("acme/even") is None
    with pytest.raises(DeclarationError, match="the rule 'acme/even' is reported but not"):
        rules.find("acme/even")


def test_a_rule_beyond_is_asked_for_once() -> None:
    asked = []

    def beyond(id: str) -> Rule | None:
        asked.append(id)
        return Rule(id, N, None, "far", "Far.", "Go.", "x") if id == "acme/far" else None

    rules = Rules(beyond=beyond)
    assert rules.get("limit") is CORE_RULES["limit"]
    assert rules.find("acme/far") is rules.find("acme/far")
    assert rules.get("acme/near") is None
    assert asked == ["acme/far", "acme/near"]


def test_settle_severity_and_errno() -> None:
    rules = Rules([Rule("acme/odd", W, Errno.EBUSY, "odd", "Odd.", "Look.", "x")])
    assert rules.settle(Problem("acme/odd", "")) == (W, Errno.EBUSY)
    assert rules.settle(Problem("acme/odd", "", errno=Errno.EIO, severity=E)) == (E, Errno.EIO)
    assert rules.settle(Problem("acme/even", "")) == (E, None)
    assert CORE_ONLY.settle(Problem("trailing-bytes", "")) == (W, None)
    assert rules.refusal(Problem("acme/odd", "")) is None
    assert rules.refusal(Problem("acme/odd", "", severity=E)) is Errno.EBUSY
    assert rules.refusal(Problem("trailing-bytes", "", severity=E)) is Errno.EINVAL
    assert rules.refusal(Problem("acme/even", "")) is Errno.EINVAL
