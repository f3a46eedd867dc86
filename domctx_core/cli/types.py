"""`domctx types`."""

from __future__ import annotations

import json
from typing import Any

import click

from domctx_core.cli.app import App
from domctx_core.cli.text import table
from domctx_core.errors import PluginError
from domctx_core.registry import Entry, Registry

__all__ = ["command"]


@click.command(name="types", short_help="The record types that are known, and who provides them.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--layout", is_flag=True, help="Import every record type and say how it is laid out.")
@click.pass_obj
def command(app: App, as_json: bool, layout: bool) -> None:
    """The record types of every format, with type code, name and provider."""
    app.host.load_run_time()
    known = [(registry, entry) for registry in app.host.formats.registries() for entry in registry]
    if as_json:
        types = [_to_json(registry, entry, layout) for registry, entry in known]
        app.out(json.dumps({"schema": "domctx.types/1", "types": types}, indent=2))
        return
    if not layout:
        rows = [
            (registry.format, f"{entry.code:#x}", entry.name, str(entry.provider))
            for registry, entry in known
        ]
        app.out(table(app, ("FORMAT", "CODE", "NAME", "PROVIDER"), rows))
        return
    for registry, entry in known:
        app.out(app.style(f"{registry.format} {entry.code:#x} {entry.name}", bold=True))
        fields = _layout(entry)
        if fields is None:
            app.out("  cannot be used: " + str(entry.unusable))
            continue
        for field in fields:
            offset = "" if field["offset"] is None else str(field["offset"])
            size = "..." if field["size"] is None else str(field["size"])
            unit = f" [{field['unit']}]" if field["unit"] else ""
            app.out(
                f"  {offset:>6} {size:>6}  {field['kind']:<12} {field['name']:<22} "
                f"{field['doc']}{unit}".rstrip()
            )


def _layout(entry: Entry) -> list[dict[str, Any]] | None:
    try:
        return entry.record_type.body.layout()
    except PluginError:
        return None


def _to_json(registry: Registry, entry: Entry, layout: bool) -> dict[str, Any]:
    fields = _layout(entry) if layout else None
    return {
        "format": registry.format,
        "code": entry.code,
        "name": entry.name,
        "name_buffer": None if entry.buffer is None else entry.buffer.hex(),
        "dist": entry.provider.dist,
        "version": entry.provider.version,
        "loaded": entry.loaded,
        "layout": fields,
    }
