"""Fixtures that run `domctx encode`."""

from __future__ import annotations

import pytest

from domctx_core.testing import CommandRunner


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> CommandRunner:
    return CommandRunner(capsys)
