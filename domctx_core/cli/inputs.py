"""Open the inputs that are named on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from domctx_core.base.errors import UsageError, io_error
from domctx_core.base.io import CHUNK, cannot_read, path_text, write_all
from domctx_core.cli.app import App
from domctx_core.reader.sources import FileSource, Source, open_source

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

__all__ = [
    "complete_files",
    "input_name",
    "open_file",
    "open_input",
    "open_seekable",
    "parse_size",
]


def complete_files(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete an argument with the shell's own file names; for click's `shell_complete`."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def input_name(path: str) -> str:
    """Return the name of an input for messages."""
    return "standard input" if path == "-" else path_text(path)


@contextmanager
def open_file(app: App, path: str) -> Iterator[BinaryIO]:
    """Open the file at `path`, unbuffered, or standard input for `-`, which stays open."""
    if path == "-":
        yield app.standard_input()
        return
    try:
        file: Any = open(path, "rb", buffering=0)  # noqa: SIM115  # closed below
    except OSError as error:
        raise cannot_read(path, error) from error
    with file:
        yield file


@contextmanager
def open_input(app: App, path: str) -> Iterator[Source]:
    """Open the image at `path`, or standard input for `-`."""
    if path == "-":
        yield FileSource(app.standard_input())
        return
    with open_source(path) as source:
        yield source


@contextmanager
def open_seekable(app: App, path: str) -> Iterator[Source]:
    """Open an image as `open_input` does, as a source that can seek.

    A pipe is read to its end first, into a temporary file that is deleted at the end of the block.
    """
    with ExitStack() as stack:
        source = stack.enter_context(open_input(app, path))
        if not source.seekable:
            source = FileSource(stack.enter_context(_spooled(source)))
        yield source


def _spooled(source: Source) -> BinaryIO:
    """Return a temporary file with all bytes of a source; closing deletes it."""
    import tempfile

    try:
        spool: Any = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # the caller's to close
        at = 0
        while data := source.at(at, CHUNK):
            write_all(spool, data)
            at += len(data)
        spool.seek(0)
    except OSError as error:
        raise io_error(
            "spool the input to a temporary file",
            error,
            hint="TMPDIR says where temporary files go",
        ) from error
    file: BinaryIO = spool
    return file


def parse_size(text: str) -> int:
    """Return the number of bytes that `4096`, `64K`, `128M` or `2G` names; for click's `type`."""
    factor = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1:].upper(), 1)
    digits = text[:-1] if factor > 1 else text
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise UsageError(f"{text!r:.80} is not a size", expected="4096, 64K, 128M or 2G")
    return int(digits) * factor
