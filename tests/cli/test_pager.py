"""The pager for long output on terminals."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from view_runs import Terminal

from domctx_core.testing import ImageBuilder


def test_what_is_longer_than_the_screen_goes_through_the_pager(
    terminal: Terminal, image: Path
) -> None:
    status, shown, _ = terminal.run("show", image, DOMCTX_PAGER=terminal.pager, PAGER="false")
    assert (status, shown) == (1, "")
    paged = terminal.paged()
    assert "#41 EVENT_CHANNEL[59]" in paged
    assert "error[unknown-type]" in paged
    assert paged.endswith("LESS=FRX\n")
    assert "\x1b" not in paged
    terminal.log.unlink()
    terminal.run("--color", "always", "show", image, PAGER=terminal.pager, LESS="-S")
    assert "\x1b[" in terminal.paged()
    assert terminal.paged().endswith("LESS=-S\n")


def test_what_fits_the_screen_needs_no_pager(terminal: Terminal, image: Path) -> None:
    _, shown, _ = terminal.run(
        "show", "--type", "TSC_INFO", "--type", "END", image, DOMCTX_PAGER=terminal.pager,
        LINES="60",
    )  # fmt: skip
    assert "TSC_INFO[0]" in shown
    assert terminal.paged() == ""


@pytest.mark.parametrize("pager", ["", "cat", "no-such-pager-anywhere", "'"])
def test_the_pager_can_be_turned_off(terminal: Terminal, image: Path, pager: str) -> None:
    status, shown, _ = terminal.run(
        "show", image, DOMCTX_PAGER=pager, PAGER=terminal.pager
    )  # fmt: skip
    assert status == 1
    assert "EVENT_CHANNEL[59]" in shown
    assert terminal.paged() == ""


def test_leaving_the_pager_early_is_no_error(terminal: Terminal, tmp_path: Path) -> None:
    builder = ImageBuilder().start(4, 17)
    for port in range(1, 4000):
        builder.record(5, port, struct.pack("<IIIBB2x16x", 5, 0, 0, 7, 0))
    path = tmp_path / "long.img"
    path.write_bytes(builder.end().build())
    status, shown, errors = terminal.run(
        "show", path, DOMCTX_PAGER=terminal.script("quits", "exec head -n 2")
    )
    assert (status, errors) == (0, "")
    assert len(shown.splitlines()) == 2


def test_a_pipe_is_never_paged(image: Path, terminal: Terminal) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "domctx_core", "show", image],
        capture_output=True, text=True, check=False,
        env={**os.environ, "DOMCTX_PAGER": terminal.pager},
    )  # fmt: skip
    assert "EVENT_CHANNEL[59]" in done.stdout
    assert terminal.paged() == ""
