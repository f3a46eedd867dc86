"""Options that several verbs share: sizes and versions."""

from __future__ import annotations

import pytest
from cli_runs import Domctx


@pytest.mark.parametrize(("target", "status"), [("4.16", 1), ("4.17", 0), ("4.18", 0)])
def test_versions_are_compared_as_numbers(domctx: Domctx, target: str, status: int) -> None:
    assert domctx("verify", "--target-xen", target, domctx.file("x.img")).status == status


@pytest.mark.parametrize("text", ["4", "4.x", "four"])
def test_what_is_not_a_version_is_refused(domctx: Domctx, text: str) -> None:
    run = domctx("save", "--xen", text, "sim:", "-o", "x")
    assert run.status == 2
    assert "MAJOR.MINOR" in run.err


@pytest.mark.parametrize(("cap", "held"), [("20", True), ("19", False), ("1K", True)])
def test_bodies_beyond_the_cap_are_not_held(domctx: Domctx, cap: str, held: bool) -> None:
    run = domctx("decode", "--cap", cap, domctx.file("x.img"), "-o", "-")
    assert run.status == 0
    assert ("khz" in run.out) is held
