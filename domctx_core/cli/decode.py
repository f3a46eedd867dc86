"""`domctx decode`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import click

from domctx_core.base.io import CHUNK, cannot_read, write_all
from domctx_core.cli.app import App
from domctx_core.cli.inputs import complete_files, input_name, open_file, open_seekable
from domctx_core.cli.options import cap_option
from domctx_core.cli.outputs import blocks, open_output, refuse_overwriting
from domctx_core.cli.progress import progress
from domctx_core.document.decode import Pages, decode_lines, decode_text
from domctx_core.reader.passing import PassingSource
from domctx_core.reader.sources import FileSource, Source

__all__ = ["command"]


@click.command(name="decode", short_help="A whole image as JSON, for `encode` to turn back.")
@click.argument("image", shell_complete=complete_files)
@click.option(
    "-o",
    "--output",
    "document",
    default="-",
    metavar="JSON",
    help="A file to write it to; standard output without it.",
)
@click.option(
    "--pages",
    type=click.Choice(["reference", "inline", "omit"]),
    default="reference",
    show_default=True,
    help="Guest memory: by its place in IMAGE, in hex, or left out.",
)
@click.option("--jsonl", "as_lines", is_flag=True, help="A line for each record, as it comes.")
@cap_option("Largest body to hold in memory, such as 64M; others are treated as guest memory.")
@click.pass_obj
def command(app: App, image: str, document: str, pages: Pages, as_lines: bool, cap: int) -> None:
    """IMAGE, in any known format, as one JSON document that holds all of it.

    `domctx encode` makes the very same bytes of it again, whether they are right or wrong; see
    `domctx verify` for that.
    """
    refuse_overwriting(document, image)
    formats = app.host.formats
    with ExitStack() as stack:
        if as_lines:
            source = stack.enter_context(_passing(app, image, cap))
            parts = _lines(source, app, pages, cap)
        else:
            source = stack.enter_context(open_seekable(app, image))
            parts = decode_text(source, formats, path=image, pages=pages, cap=cap)
        stack.enter_context(progress(app, f"decoding {input_name(image)}", source))
        if document == "-":
            for block in blocks(parts, 1 if as_lines and not source.seekable else CHUNK):
                app.out(block)
        else:
            file = stack.enter_context(open_output(app, document))
            for block in blocks(parts, CHUNK):
                write_all(file, block.encode() + b"\n")


@contextmanager
def _passing(app: App, image: str, cap: int) -> Iterator[Source]:
    """Open an input to be read once; of one that cannot seek, keep what has been read for a while."""
    with open_file(app, image) as file:
        try:
            source = FileSource(file)
        except OSError as error:
            raise cannot_read(image, error) from error
        yield source if source.seekable else PassingSource(file, cap=cap)


def _lines(source: Source, app: App, pages: Pages, cap: int) -> Iterator[str]:
    encode = json.JSONEncoder().encode
    for line in decode_lines(source, app.host.formats, pages=pages, cap=cap):
        yield encode(line) + "\n"
