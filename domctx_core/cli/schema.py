"""`domctx schema`."""

from __future__ import annotations

import json

import click

from domctx_core.cli.app import App
from domctx_core.cli.selection import named_types
from domctx_core.document.schema import image_schema, line_schema, record_schema

__all__ = ["command"]


@click.command(name="schema", short_help="The JSON Schema of documents, or of record types.")
@click.argument("types", nargs=-1, metavar="[TYPE]...")
@click.option("--jsonl", "as_lines", is_flag=True, help="Of a line of `decode --jsonl`.")
@click.pass_obj
def command(app: App, types: tuple[str, ...], as_lines: bool) -> None:
    """The JSON Schema of what `decode` and `show --json` print and `encode` takes.

    TYPE is a name or code, as FORMAT/TYPE where several formats have it; then the schema is that
    of one record of any of these types.
    """
    app.host.load_run_time()
    formats = app.host.formats
    known = [pair for text in types for pair in named_types(app, text)]
    if as_lines:
        schema = line_schema(formats, known or None)
    else:
        schema = record_schema(formats, known) if known else image_schema(formats)
    app.out(json.dumps(schema, indent=2))
