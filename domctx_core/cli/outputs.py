"""Writing what the user asked for to where they want it."""

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
    """The file at `path`, whole or absent, or standard output for `-`, to write bytes to.

    A terminal is refused, unless what is written is `text`.
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
    """`UsageError` where `output` is the file of an input, which it would take the place of."""
    for each in inputs:
        if output not in (None, "-") and each not in (None, "-") and _same(str(output), str(each)):
            raise UsageError(
                f"the output would take the place of {path_text(str(each))}",
                hint=hint or "name another file with -o",
            )


def domain_files(domain: str) -> set[str]:
    """What may be names of files in SCHEME:REST: REST, its parts between commas, and their values.

    A value that is a number, such as that of `seed=7`, is taken for one.
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
    """Whole lines without their last end, at least so many characters at once."""
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
