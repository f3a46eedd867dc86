"""Page long answers on a terminal, as git does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING

import click

from domctx_core.cli.app import App

if TYPE_CHECKING:
    import subprocess

__all__ = ["paged"]


def paged(app: App, lines: Iterable[str]) -> None:
    """Write the lines of an answer, through a pager if they do not fit on the terminal.

    DOMCTX_PAGER or else PAGER names it; empty, or `cat`, turns it off. When the user leaves the pager early,
    the rest of `lines` is not read.
    """
    rest = iter(lines)
    if app.terminal(sys.stdout):
        import shutil

        first = list(islice(rest, shutil.get_terminal_size().lines))
        command = _command() if len(first) >= shutil.get_terminal_size().lines else None
        if command is not None:
            _page(app, command, chain(first, rest))
            return
        rest = chain(first, rest)
    for line in rest:
        app.out(line)


def _command() -> list[str] | None:
    """Return the command line of the pager; None if there is none or it is turned off."""
    import shlex
    import shutil

    text = os.environ.get("DOMCTX_PAGER", os.environ.get("PAGER", "less"))
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    if not words or words == ["cat"] or shutil.which(words[0]) is None:
        return None
    return words


def _page(app: App, command: list[str], lines: Iterator[str]) -> None:
    import subprocess

    if app.live is not None:
        app.live()
    sys.stdout.flush()
    colored = app.colored(sys.stdout)
    environment = {"LESS": "FRX", "LV": "-c", **os.environ}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        env=environment,
        text=True,
        encoding=sys.stdout.encoding,
        errors="backslashreplace",
    ) as pager:
        assert pager.stdin is not None
        try:
            for line in lines:
                pager.stdin.write((line if colored else click.unstyle(line)) + "\n")
        except BrokenPipeError:
            pass
        finally:
            with suppress(BrokenPipeError):
                pager.stdin.close()
            _wait(pager)


def _wait(pager: subprocess.Popen[str]) -> None:
    """Wait for the pager to end; Ctrl-C is for the pager while it runs."""
    while True:
        try:
            pager.wait()
            return
        except KeyboardInterrupt:
            continue
