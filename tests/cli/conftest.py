"""Fixtures for the tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_runs import Domctx
from view_runs import Terminal, make_channels_image


@pytest.fixture
def domctx(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Domctx:
    return Domctx(capsys, tmp_path)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Return the path of an image with records of known and unknown types."""
    return make_channels_image(tmp_path)
