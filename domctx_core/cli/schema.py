"""`domctx schema`."""

from __future__ import annotations

import json

import click

from domctx_core.cli.app import App
from domctx_core.errors import UsageError
from domctx_core.registry import Entry, Registry
from domctx_core.schema import image_schema, record_schema

__all__ = ["command"]


@click.command(name="schema", short_help="The JSON Schema of documents, or of record types.")
@click.argument("types", nargs=-1, metavar="[TYPE]...")
@click.pass_obj
def command(app: App, types: tuple[str, ...]) -> None:
    """The JSON Schema of what `decode` and `show --json` print and `encode` takes.

    TYPE is a name or code, as FORMAT/TYPE where several formats have it; then the schema is that
    of one record of any of these types.
    """
    app.host.load_run_time()
    formats = app.host.formats
    if types:
        known = [found for text in types for found in _find(app, text)]
        schema = record_schema(formats, known)
    else:
        schema = image_schema(formats)
    app.out(json.dumps(schema, indent=2))


def _find(app: App, text: str) -> list[tuple[Registry, Entry]]:
    """The types that go by a name or code; all of them, where several formats have one."""
    known = [(registry, entry) for registry in app.host.formats.registries() for entry in registry]
    format, _, name = text.rpartition("/")
    try:
        code = int(name, 0)
    except ValueError:
        code = None
    found = [
        (registry, entry)
        for registry, entry in known
        if (not format or registry.format == format)
        and (entry.code == code or entry.name == name.upper())
    ]
    if not found:
        import difflib

        names = sorted({entry.name for _, entry in known})
        near = difflib.get_close_matches(name.upper(), names, 3)
        raise UsageError(
            f"no record type is called {text!r}",
            hint=f"did you mean {' or '.join(near)}?" if near else "see `domctx types`",
        )
    return found
