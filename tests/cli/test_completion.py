"""The shell completes verbs, options and files, fast and in silence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = [sys.executable, "-m", "domctx_core"]


def complete(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What a shell is told where the last word of `line` is to be completed."""
    asked = {
        "_DOMCTX_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
        **variables,
    }
    return subprocess.run(
        MODULE, capture_output=True, text=True, check=False, env={**os.environ, **asked}
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("domctx ver", {"plain,verify"}),
        ("domctx -q --color never ver", {"plain,verify"}),
        ("domctx --no-p", {"plain,--no-plugins"}),
        ("domctx --color a", {"plain,auto", "plain,always"}),
        ("domctx plugins fr", {"plain,freeze"}),
        ("domctx verify --te", {"plain,--tee"}),
        ("domctx show some.i", {"file,some.i"}),
        ("domctx diff one.img two", {"file,two"}),
        ("domctx conv", {"plain,convert"}),
    ],
)
def test_words(line: str, expected: set[str]) -> None:
    done = complete(line)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.split()) == expected


def test_all_verbs_are_there_with_their_help() -> None:
    done = complete("domctx ", _DOMCTX_COMPLETE="zsh_complete")
    assert "plain\nshow\nWhat is in an image, in any known format.\n" in done.stdout
    assert "plain\nplugins\n" in done.stdout


def test_what_is_wrong_says_nothing_into_the_line_that_is_being_typed() -> None:
    done = complete("domctx -p no:nonsense ver")
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shells_take_the_script(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "domctx").write_text(f'#!/bin/sh\nexec {sys.executable} -m domctx_core "$@"\n')
    (tmp_path / "domctx").chmod(0o755)
    asked = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "_DOMCTX_COMPLETE": f"{shell}_source"}
    made = subprocess.run(
        [tmp_path / "domctx"], capture_output=True, text=True, check=True,
        env={**os.environ, **asked},
    )  # fmt: skip
    assert made.stderr == ""
    (tmp_path / "script").write_text(made.stdout)
    told = {"bash": f"source {tmp_path}/script; complete -p domctx"}
    words = told.get(shell, f"{shell} --no-execute {tmp_path}/script")
    done = subprocess.run(
        [shell, "-c", words], capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": asked["PATH"]},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    if shell == "bash":
        assert "domctx" in done.stdout
