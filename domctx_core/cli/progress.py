"""Progress of long operations: a line on standard error, if that is a terminal.

The operation itself counts nothing. A thread polls the position of the input, and neither shows nor
imports anything in the first second.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from domctx_core.cli.app import App
from domctx_core.reader.sources import Source

__all__ = ["file_progress", "progress", "progress_of"]

PATIENCE = 1.0
"""Seconds before anything is shown."""

_WIDTH = 36
"""Columns for what is being done."""

_PAUSE = 0.1
"""Seconds between two looks."""


@contextmanager
def progress(app: App, what: str, *sources: Source) -> Iterator[None]:
    """Show the progress of the block in reading `sources`: bytes done, size and rate."""
    sizes = [source.size for source in sources]
    total = None if None in sizes else sum(size for size in sizes if size is not None)
    with progress_of(app, what, lambda: sum(source.position for source in sources), total):
        yield


@contextmanager
def file_progress(app: App, what: str, file: Any) -> Iterator[None]:
    """Show the progress of the block in reading or writing a regular file."""
    try:
        number = file.fileno()
        size = os.fstat(number).st_size if stat.S_ISREG(os.fstat(number).st_mode) else None
    except (OSError, AttributeError):
        size = None
    if size is None:
        yield
        return
    with progress_of(app, what, lambda: os.lseek(number, 0, os.SEEK_CUR), size or None):
        yield


@contextmanager
def progress_of(
    app: App, what: str, position: Callable[[], int], total: int | None = None
) -> Iterator[None]:
    """Show the progress of the block by a byte count that another thread may read at any time.

    Nothing is shown with `-q` or if standard error is no terminal. The first line of output on the
    same terminal ends it.
    """
    if app.quiet or not app.terminal(sys.stderr) or app.live is not None:
        yield
        return
    meter = _Meter(app, what, position, total)
    app.live = meter.stop
    try:
        yield
    finally:
        app.live = None
        meter.stop()


def _short(text: str) -> str:
    """Shorten a text to fit beside the numbers on a line of 80 columns."""
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH // 2 - 1]}..{text[1 - _WIDTH // 2 :]}"


class _Meter:
    def __init__(self, app: App, what: str, position: Callable[[], int], total: int | None) -> None:
        self.app = app
        self.what = what
        self.position = position
        self.total = total
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, name="progress", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Remove the line and show nothing more."""
        self.over.set()
        self.thread.join()

    def run(self) -> None:
        if self.over.wait(PATIENCE):
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        console = Console(stderr=True, no_color=not self.app.colored(sys.stderr))
        columns = (
            TextColumn("{task.description}", markup=False),
            *((BarColumn(),) if self.total else ()),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            *((TimeRemainingColumn(),) if self.total else ()),
        )
        with Progress(
            *columns,
            console=console,
            transient=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        ) as shown:
            task = shown.add_task(_short(self.what), total=self.total or None)
            while not self.over.wait(_PAUSE):
                done = self.position()
                shown.update(task, completed=min(done, self.total) if self.total else done)
                shown.refresh()
