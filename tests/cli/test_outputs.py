"""Outputs: terminals, and files that exist or are an input."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from cli_runs import IMAGE, Domctx


def test_binary_to_a_terminal_is_refused() -> None:
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "domctx_core", "save", "sim:", "-o", "-"]
    done = subprocess.run(command, stdout=slave, stderr=subprocess.PIPE, check=False)
    os.close(slave)
    os.close(master)
    assert done.returncode == 2
    assert b"standard output is a terminal" in done.stderr


def test_an_input_is_not_overwritten_by_whatever_name(domctx: Domctx, tmp_path: Path) -> None:
    path = domctx.file("x.img")
    (tmp_path / "link").symlink_to(path)
    for name in (path, tmp_path / "." / "x.img", tmp_path / "link"):
        assert domctx("decode", path, "-o", name).status == 2
    assert path.read_bytes() == IMAGE
