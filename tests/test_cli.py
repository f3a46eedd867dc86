"""The entry point: the version without any import, the garbage collector, and early interrupts."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from domctx_core._version import __version__


def test_version_needs_nothing_but_the_interpreter() -> None:
    code = (
        "import sys; from domctx_core.cli import main; main(['--version']);"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in"
        " ('click', 'rich', 'pluggy', 'importlib_metadata')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.splitlines() == [b"domctx 0.1.0", b"[]"]


def test_ctrl_c_while_it_starts_is_130_and_nothing_else() -> None:
    code = (
        "import sys\n"
        "class Key:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Key())\n"
        "from domctx_core.cli import main\n"
        "sys.exit(main(['types']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


VERSION_LINE = f"domctx {__version__}\n"


def domctx(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "domctx_core", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "arguments", [["--version"], ["-v", "--version"], ["--version", "show"], ["-q", "--version"]]
)
def test_the_version_wherever_it_is_asked_for(arguments: list[str]) -> None:
    done = domctx(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (0, VERSION_LINE, "")


@pytest.mark.parametrize("arguments", [["--version", "--nonsense"], ["--versio"]])
def test_an_option_that_is_none_is_wrong_beside_it_too(arguments: list[str]) -> None:
    done = domctx(*arguments)
    assert (done.returncode, done.stdout) == (2, "")


def test_what_is_called_from_a_program_leaves_its_collector_alone() -> None:
    code = """
import gc
from domctx_core.cli import main
before = gc.get_threshold(), gc.get_freeze_count()
main(["--version"])
assert (gc.get_threshold(), gc.get_freeze_count()) == before
"""
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_a_complaint_that_cannot_be_written_is_still_a_status() -> None:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "domctx_core", "show", "no such file"], stderr=full,
            stdout=subprocess.PIPE, check=False, env=variables,
        )  # fmt: skip
    assert done.returncode == 3
