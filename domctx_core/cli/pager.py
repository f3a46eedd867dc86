"""A long answer on a terminal goes through a pager, as git's does."""

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
    """Write the lines of an answer; through a pager where a terminal has not room for them.

    DOMCTX_PAGER or else PAGER says which; empty, or `cat`, turns it off. Whoever leaves the pager early has
    seen enough: the rest of `lines` is not asked for.
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
    """The pager's command line; None where there is none or none is wanted."""
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
    """Ctrl-C is the pager's, as long as it is there."""
    while True:
        try:
            pager.wait()
            return
        except KeyboardInterrupt:
            continue
