"""Runs of `domctx` in this process and as a process, and a small valid image for them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from domctx_core.cli import main

IMAGE = bytes.fromhex(
    "0100000000000000 0800000000000000 0400000011000000"
    "0300000000000000 1400000000000000 0000000000 9f2400 15cd5b0700000000 0100000000000000"
    "0000000000000000 0000000000000000".replace(" ", "")
)
"""START of Xen 4.17, a TSC_INFO and END: 80 bytes."""


PADDING = 24 + 16 + 20
"""Offset of the TSC_INFO's padding."""


class Run:
    """What one run of `domctx` in this process gave."""

    def __init__(self, status: int, captured: pytest.CaptureResult[str]) -> None:
        self.status = status
        self.out = captured.out
        self.err = captured.err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Domctx:
    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self.capsys = capsys
        self.folder = folder

    def __call__(self, *arguments: str | Path) -> Run:
        self.capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return Run(status, self.capsys.readouterr())

    def file(self, name: str, content: bytes | str = IMAGE) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "domctx_core", *arguments]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, **options)
