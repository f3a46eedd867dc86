"""Error messages, and how a bug in domctx itself is reported."""

from __future__ import annotations

import pytest
from cli_runs import Domctx


def test_a_bug_of_ours_is_5_and_told_apart(domctx: Domctx, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("domctx_core.cli.verify.judge", broken)
    run = domctx("verify", domctx.file("x.img"))
    assert run.status == 5
    assert "bug in domctx" in run.err
    assert "Traceback" not in run.err
    assert "Traceback" in domctx("-v", "verify", domctx.file("x.img")).err
