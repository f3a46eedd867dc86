"""Fixtures that run the verbs on a saved image."""

from __future__ import annotations

from pathlib import Path

import pytest

from domctx_core.testing import CommandRunner


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> CommandRunner:
    return CommandRunner(capsys)


@pytest.fixture
def saved(run: CommandRunner, tmp_path: Path) -> Path:
    path = tmp_path / "a.img"
    assert run("save", "sim:seed=3,channels=40", "-o", path).status == 0
    return path
