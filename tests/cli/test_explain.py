"""`domctx explain`: rules by their id and by their errno."""

from __future__ import annotations

import pytest
from cli_runs import Domctx


def test_explain(domctx: Domctx) -> None:
    page = domctx("explain", "padding-not-zero").out
    assert "EINVAL (22)" in page
    assert "What to do:" in page
    listed = domctx("explain").out
    assert "truncated-header" in listed
    assert "event-channel/" in listed


@pytest.mark.parametrize("errno", ["61", "-61", "ENODATA", "enodata", "-ENODATA"])
def test_explain_lists_the_rules_of_an_errno(domctx: Domctx, errno: str) -> None:
    result = domctx("explain", errno)
    assert result.status == 0
    ids = [line.split()[0] for line in result.out.splitlines()]
    assert {"truncated-body", "body-too-short"} <= set(ids)
    assert "padding-not-zero" not in ids


def test_an_errno_of_no_rule_is_said_to_come_from_elsewhere(domctx: Domctx) -> None:
    result = domctx("explain", "EBUSY")
    assert result.status == 2
    assert "no rule has errno 16 (EBUSY)" in result.err
