"""The progress line of long runs on terminals."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from view_runs import Terminal


def slowly(image: Path, seconds: float) -> Callable[[int], None]:
    """Feeds an image in two halves, with a pause between them."""

    def feed(to: int) -> None:
        data = image.read_bytes()
        os.write(to, data[:1024])
        time.sleep(seconds)
        os.write(to, data[1024:])

    return feed


SOON = (
    "import domctx_core.cli.progress as p; p.PATIENCE = 0.2;"
    "from domctx_core.cli import main; sys.exit(main(sys.argv[1:]))"
)


def test_progress_is_shown_after_a_while(terminal: Terminal, image: Path) -> None:
    status, shown, answer = terminal.run(
        "verify", "-", out=False, feed=slowly(image, 1.2), code=SOON
    )
    assert status == 1
    assert "reading standard input" in shown
    assert re.search(r"\d+ bytes|\d+(\.\d)?/\?|KiB", shown)
    assert "standard input: not valid" in answer
    assert "reading" not in answer


def test_progress_is_not_shown_where_nobody_looks(terminal: Terminal, image: Path) -> None:
    _, shown, _ = terminal.run("-q", "verify", "-", out=False, feed=slowly(image, 1.2), code=SOON)
    assert shown == ""


def test_progress_is_not_shown_at_once_nor_in_a_pipe(terminal: Terminal, image: Path) -> None:
    _, shown, _ = terminal.run("verify", "-", out=False, feed=slowly(image, 0.1))
    assert "reading" not in shown
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {SOON}", "verify", "-"],
        input=image.read_bytes(), capture_output=True, check=False,
    )  # fmt: skip
    assert done.stderr == b""
