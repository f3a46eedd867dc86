"""Inputs: missing files, directories, pipes, and pipes that are spooled."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_runs import IMAGE, Domctx, process
from support import Drip

from domctx_core.cli.app import App
from domctx_core.cli.inputs import open_seekable


def test_a_file_that_is_not_there_is_3(domctx: Domctx) -> None:
    for arguments in (
        ["show", "/no/such"], ["verify", "/no/such"], ["load", "/no/such", "sim:"],
        ["save", "sim:/no/such", "-o", "x"], ["save", "sim:", "-o", "/no/such/x"],
    ):  # fmt: skip
        run = domctx(*arguments)
        assert run.status == 3, arguments
        assert "No such file" in run.err
        assert run.out == ""


def test_a_folder_is_3(domctx: Domctx, tmp_path: Path) -> None:
    assert domctx("show", tmp_path).status == 3


def test_a_pipe_in_and_a_pipe_out() -> None:
    saved = process("save", "sim:vcpus=2,channels=9,seed=4", "-o", "-")
    assert saved.returncode == 0
    assert b"saved" in saved.stderr
    for verb in ("show", "verify"):
        done = process(verb, "-", input=saved.stdout)
        assert (done.returncode, done.stderr) == (0, b"")
    done = process("load", "-", "sim:vcpus=2", input=saved.stdout)
    assert done.returncode == 0
    assert done.stdout == b""


def test_standard_input_may_be_a_buffer(domctx: Domctx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(IMAGE)))
    assert domctx("verify", "-").status == 0


class Standard(App):
    """An app with a standard input of its own."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self.stream = stream

    def standard_input(self) -> Any:
        return self.stream


def test_a_pipe_is_spooled_and_a_file_is_not(tmp_path: Path) -> None:
    data = bytes(range(256)) * 3000
    with open_seekable(Standard(Drip(data[:5000])), "-") as source:
        assert source.seekable
        assert source.end() == 5000
        assert bytes(source.at(4990, 99)) == data[4990:5000]
        assert bytes(source.at(0, 9)) == data[:9]
    file = io.BytesIO(data)
    file.seek(100)
    with open_seekable(Standard(file), "-") as source:
        assert source.end() == len(data) - 100
        assert bytes(source.at(0, 4)) == data[100:104]
    path = tmp_path / "a"
    path.write_bytes(data)
    with open_seekable(App(), str(path)) as source:
        assert source.seekable
        assert source.end() == len(data)
