"""Fixtures that write images and compare them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from compared_images import Make

from domctx_core.testing import CommandResult, CommandRunner, ImageBuilder


@pytest.fixture
def file(tmp_path: Path) -> Make:
    def make(name: str, content: bytes | ImageBuilder) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.end().build())
        return path

    return make


@pytest.fixture
def compare(
    domctx_cli: CommandRunner, file: Make
) -> Callable[..., tuple[CommandResult, list[dict[str, Any]]]]:
    """The answer for people, and the records of the first container of the one in JSON."""

    def run(
        a: bytes | ImageBuilder, b: bytes | ImageBuilder, *options: str
    ) -> tuple[CommandResult, list[dict[str, Any]]]:
        paths = file("a.img", a), file("b.img", b)
        document = domctx_cli("diff", "--json", *options, *paths).json
        assert document["schema"] == "domctx.diff/1"
        records = document["containers"][0]["records"] if document["containers"] else []
        return domctx_cli("diff", *options, *paths), records

    return run
