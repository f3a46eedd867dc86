"""`domctx types`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from domctx_core.base.errors import PluginError
from domctx_core.cli.app import App
from domctx_core.cli.text import table
from domctx_core.model.registry import Entry, Registry

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
            (registry.format, f"{entry.code:#x}", entry.name, _provider(entry))
            for registry, entry in known
        ]
        app.out(table(app, ("FORMAT", "CODE", "NAME", "PROVIDER"), rows))
        if any(entry.unusable for _, entry in known):
            app.out("\n`domctx plugins list` says why some cannot be used.")
        return
    for registry, entry in known:
        app.out(app.style(f"{registry.format} {entry.code:#x} {entry.name}", bold=True))
        fields = _layout(entry)
        if fields is None:
            app.out("  cannot be used: " + str(entry.unusable))
            continue
        for line in _lines(fields, "  "):
            app.out(line)
        if not fields:
            app.out("  no fields")
        choice = _choice(registry, entry)
        for variant in choice.get("variants", ()):
            app.out(
                f"  {variant['name']}, where {' and '.join(choice['depends'])} before it says so:"
            )
            for line in _lines(variant["fields"], "    "):
                app.out(line)


def _provider(entry: Entry) -> str:
    return f"{entry.provider}{', cannot be used' if entry.unusable else ''}"


def _lines(fields: list[dict[str, Any]], indent: str) -> Iterator[str]:
    """Yield the fields of a layout, one a line, and those inside them indented."""
    for field in fields:
        offset = "" if field["offset"] is None else str(field["offset"])
        size = "..." if field["size"] is None else str(field["size"])
        unit = f" [{field['unit']}]" if field["unit"] else ""
        yield (
            f"{indent}{offset:>6} {size:>6}  {field['kind']:<14} {field['name']:<22} "
            f"{field['doc']}{unit}{_values(field)}"
        ).rstrip()
        yield from _inside(field, indent + "    ")


def _inside(kind: dict[str, Any], indent: str) -> Iterator[str]:
    yield from _lines(kind.get("fields", []), indent)
    for inner in (kind.get("element"), kind.get("inner")):
        if inner is not None:
            yield from _inside(inner, indent)
    for variant in kind.get("variants", []):
        yield f"{indent}{variant['name']}, {variant['size']} bytes:"
        yield from _lines(variant["fields"], indent + "  ")
    for case in kind.get("cases", []):
        yield f"{indent}where {kind['selector']} is {case['value']}:"
        yield from _lines(case["fields"], indent + "  ")


def _values(field: dict[str, Any]) -> str:
    """Return the values that a field may have, as text; empty if the layout does not limit them."""
    named = field.get("enum") or field.get("flags")
    if named:
        return f" ({', '.join(f'{number} {name}' for name, number in named.items())})"
    low, high = field.get("minimum"), field.get("maximum")
    if low is None and high is None:
        return ""
    if low is None:
        return f" (at most {high})"
    return f" (at least {low})" if high is None else f" ({low} to {high})"


def _layout(entry: Entry) -> list[dict[str, Any]] | None:
    try:
        return entry.record_type.body.layout()
    except PluginError:
        return None


def _choice(registry: Registry, entry: Entry) -> dict[str, Any]:
    """Return the variants of a layout, and the types whose records select one."""
    record_type = entry.record_type
    if not record_type.depends:
        return {}
    names = {each.code: each.name for each in registry}
    return {
        "depends": [names.get(code, f"type {code:#x}") for code in record_type.depends],
        "variants": [
            {"name": body.__name__, "size": body.fixed_size(), "fields": body.layout()}
            for body in record_type.bodies
        ],
    }


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
        **(_choice(registry, entry) if fields is not None else {}),
    }
