"""`domctx encode`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import BinaryIO

import click

from domctx_core.base.errors import DocumentError, DocumentFault, UsageError
from domctx_core.base.io import cannot_read
from domctx_core.cli.app import App
from domctx_core.cli.inputs import complete_files, input_name, open_seekable
from domctx_core.cli.messages import ExitStatus, message_text
from domctx_core.cli.options import cap_option
from domctx_core.cli.outputs import open_output, refuse_overwriting
from domctx_core.cli.progress import file_progress
from domctx_core.document.encode.encode import encode_image, encode_lines
from domctx_core.document.encode.parse import parse_document, parse_lines
from domctx_core.reader.sources import Source
from domctx_core.reader.splice import Chunk, write_chunks

__all__ = ["command"]

_PRINTED = 100
"""Faults that are printed before the rest is only counted."""


@click.command(name="encode", short_help="The image that a JSON document describes.")
@click.argument("document", shell_complete=complete_files)
@click.option(
    "-o",
    "--output",
    "image",
    required=True,
    metavar="IMAGE",
    help="The file to write; - for standard output.",
)
@click.option(
    "--source",
    "original",
    metavar="FILE",
    help="The image that was decoded, for what the document has by reference.",
)
@click.option("--fill-zero", is_flag=True, help="Zeros for what was left out by `decode`.")
@click.option("--jsonl", "as_lines", is_flag=True, help="DOCUMENT is one of `decode --jsonl`.")
@cap_option("Most zeros to write for one record.")
@click.pass_obj
def command(
    app: App,
    document: str,
    image: str,
    original: str | None,
    fill_zero: bool,
    as_lines: bool,
    cap: int,
) -> None:
    """The image that DOCUMENT, made by `domctx decode` and perhaps edited, describes.

    Lengths, counts and padding may be left out. All that is wrong with the document is told, each
    with its path, and then nothing is written.
    """
    if document == original == "-":
        raise UsageError("standard input cannot be both the document and the source")
    refuse_overwriting(image, document, original)
    try:
        with ExitStack() as stack:
            source = None
            if original is not None:
                source = stack.enter_context(open_seekable(app, original))
            file = _open(app, document, stack)
            stack.enter_context(file_progress(app, f"encoding {input_name(document)}", file))
            chunks = _chunks(app, file, source, document, fill_zero, as_lines, cap)
            target = stack.enter_context(open_output(app, image))
            size = write_chunks(chunks, source, target)
    except DocumentError as error:
        _print_faults(app, error, document)
    else:
        app.err(f"encoded {input_name(document)}: {size} bytes")


def _open(app: App, document: str, stack: ExitStack) -> BinaryIO:
    if document == "-":
        app.standard_input()  # tells of one that is closed
        return sys.stdin.buffer
    try:
        return stack.enter_context(open(document, "rb"))
    except OSError as error:
        raise cannot_read(document, error) from error


def _chunks(
    app: App,
    file: BinaryIO,
    source: Source | None,
    document: str,
    fill_zero: bool,
    as_lines: bool,
    cap: int,
) -> Iterable[Chunk]:
    if as_lines:
        lines = parse_lines(_read(file, document))
        return encode_lines(lines, app.host.formats, source=source, fill_zero=fill_zero, cap=cap)
    value = parse_document(b"".join(_read(file, document)))
    return encode_image(value, app.host.formats, source=source, fill_zero=fill_zero, cap=cap)


def _read(file: BinaryIO, document: str) -> Iterator[bytes]:
    try:
        yield from file
    except OSError as error:
        raise cannot_read(document, error) from error


def _print_faults(app: App, error: DocumentError, document: str) -> None:
    """Print each fault with its path in the document, and what to do about it."""
    for fault in error.faults[:_PRINTED]:
        click.echo(_text(app, fault, document), err=True, color=app.colored(sys.stderr))
    more = len(error.faults) - _PRINTED
    if more > 0:
        click.echo(f"... and {more} more", err=True)
    needs_plugin = any(fault.needs_plugin for fault in error.faults)
    app.raise_status(ExitStatus.PLUGIN if needs_plugin else ExitStatus.FINDINGS)


def _text(app: App, fault: DocumentFault, document: str) -> str:
    head = f"{app.style('error', sys.stderr, fg='red', bold=True)}: {fault.message}"
    where = ": ".join(
        part for part in ("" if document == "-" else input_name(document), fault.path) if part
    )
    facts = (("expected", fault.expected), ("actual", fault.actual), ("help", fault.hint))
    return message_text(app, sys.stderr, head, where, facts)
