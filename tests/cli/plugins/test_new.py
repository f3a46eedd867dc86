"""`domctx plugins new`: where the plugin is created, and names and codes that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_runs import Domctx


def test_a_plugin_is_created_in_the_directory(domctx: Domctx, tmp_path: Path) -> None:
    run = domctx("plugins", "new", "sample", "--code", "0x300", "--directory", tmp_path)
    assert run.status == 0
    (made,) = tmp_path.rglob("pyproject.toml")
    assert "0x300" in "".join(path.read_text() for path in made.parent.rglob("*.py")).lower()


@pytest.mark.parametrize("code", ["many", "-1", "0x1ffffffff"])
def test_what_is_not_a_type_code_is_refused(domctx: Domctx, tmp_path: Path, code: str) -> None:
    run = domctx("plugins", "new", "sample", "--code", code, "--directory", tmp_path)
    assert run.status == 2
    assert list(tmp_path.iterdir()) == []
