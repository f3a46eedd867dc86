"""The group `domctx plugins`: its verbs, and what is misspelt."""

from __future__ import annotations

from cli_runs import Domctx


def test_help_lists_every_verb(domctx: Domctx) -> None:
    run = domctx("plugins", "--help")
    assert run.status == 0
    words = run.out.split()
    assert {"list", "info", "check", "freeze", "new"} <= set(words)


def test_a_misspelt_verb_is_refused(domctx: Domctx) -> None:
    run = domctx("plugins", "chek")
    assert run.status == 2
    assert "check" in run.err
