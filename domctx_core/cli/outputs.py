"""Open the outputs that are named on the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from domctx_core.base.errors import UsageError, io_error
from domctx_core.base.io import path_text, whole_file
from domctx_core.cli.app import App

__all__ = ["blocks", "domain_files", "open_output", "refuse_overwriting"]


@contextmanager
def open_output(app: App, path: str, *, text: bool = False) -> Iterator[BinaryIO]:
    """Open a binary file at `path`, written whole or not at all, or standard output for `-`.

    A terminal is refused, except for `text`.
    """
    if path != "-":
        with whole_file(path) as file:
            yield file
        return
    if text and sys.stdout is not None:
        stream: BinaryIO = sys.stdout.buffer
    else:
        stream = app.standard_output()
    try:
        yield stream
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise io_error("write the output", error) from error


def refuse_overwriting(output: str | None, *inputs: str | None, hint: str | None = None) -> None:
    """Raise `UsageError` if `output` is the same file as one of the inputs."""
    for each in inputs:
        if output not in (None, "-") and each not in (None, "-") and _same(str(output), str(each)):
            raise UsageError(
                f"the output would take the place of {path_text(str(each))}",
                hint=hint or "name another file with -o",
            )


def domain_files(domain: str) -> set[str]:
    """Return what may be file names in SCHEME:REST: REST, its parts between commas, and their values.

    A value that is a number, as in `seed=7`, is no file name.
    """
    rest = domain.partition(":")[2]
    parts = rest.split(",")
    values = (part.partition("=")[2] for part in parts)
    return {rest, *parts, *(value for value in values if not value.isdecimal())} - {""}


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other) and os.path.isfile(one)
    except (OSError, ValueError):  # one of them is not there, which is for others to say
        return False


def blocks(parts: Iterator[str], least: int) -> Iterator[str]:
    """Join parts to blocks of whole lines of at least `least` characters, without the last newline."""
    held: list[str] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= least:
            text, newline, rest = "".join(held).rpartition("\n")
            if newline:
                yield text
            held, size = [rest], 0
    if any(held):
        yield "".join(held).removesuffix("\n")
