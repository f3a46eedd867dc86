"""`domctx plugins info`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import click

from domctx_core.base.errors import PluginError
from domctx_core.cli.app import App
from domctx_core.host.host import Host
from domctx_core.host.plugin import Plugin

__all__ = ["info"]


@click.command(name="info", short_help="All that is known of one plugin.")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def info(app: App, name: str, as_json: bool) -> None:
    """All that is known of the plugin NAME: a distribution, an entry point or a module.

    Imports it, so that its status is what it would be when it is needed. `domctx -v plugins info`
    shows the traceback of what failed.
    """
    plugins = app.host.named(name)
    app.host.examine(plugins)
    if as_json:
        document = {
            "schema": "domctx.plugin-info/1",
            "distributions": [
                _to_json(app.host, list(group)) for _, group in itertools.groupby(plugins, _where)
            ],
        }
        app.out(json.dumps(document, indent=2))
        return
    for _, group in itertools.groupby(plugins, _where):
        for line in _text(app, list(group)):
            app.out(line)


def _where(plugin: Plugin) -> tuple[str, str]:
    return plugin.entry_point.dist, plugin.entry_point.location


def _to_json(host: Host, plugins: list[Plugin]) -> dict[str, Any]:
    found = plugins[0].entry_point
    metadata = found.metadata
    return {
        "dist": found.dist,
        "version": found.version,
        "summary": metadata.summary,
        "license": metadata.license or None,
        "location": found.working_tree or found.location,
        "editable": found.editable,
        "requires_python": metadata.requires_python or None,
        "requires": list(found.requires),
        "entry_points": [
            {
                "group": plugin.entry_point.group,
                "name": plugin.entry_point.name,
                "value": plugin.entry_point.value,
                "status": str(plugin.status),
                "reason": plugin.reason,
                "hooks": plugin.hooks,
                "warnings": plugin.warnings,
                "trace": plugin.trace or None,
                "record_types": _record_types(host, plugin),
            }
            for plugin in plugins
        ],
    }


def _record_types(host: Host, plugin: Plugin) -> list[dict[str, Any]]:
    rows = []
    for format, entry in host.declared(plugin):
        doc, layout = "", None
        if plugin.usable:
            try:
                body = entry.record_type.body
                doc, layout = (body.__doc__ or "").strip().partition("\n")[0], body.layout()
            except PluginError:  # an entry that has gone into conflict since
                pass
        rows.append(
            {"format": format, "code": entry.code, "name": entry.name, "doc": doc, "layout": layout}
        )
    return rows


def _text(app: App, plugins: list[Plugin]) -> Iterator[str]:
    about = _to_json(app.host, plugins)
    yield app.style(f"{about['dist']} {about['version']}", bold=True)
    if about["summary"]:
        yield f"  {about['summary']}"
    yield f"  location  {about['location']}{' (editable)' if about['editable'] else ''}"
    yield f"  licence   {about['license'] or 'not given'}"
    yield f"  python    {about['requires_python'] or 'any'}"
    yield f"  requires  {', '.join(about['requires']) or 'nothing'}"
    for plugin, point in zip(plugins, about["entry_points"], strict=True):
        status = app.style(point["status"], fg="green" if plugin.usable else "red")
        yield f"  {point['group']}: {point['name']} = {point['value']}"
        yield f"    status  {status}{': ' + point['reason'] if point['reason'] else ''}"
        if point["hooks"]:
            yield f"    hooks   {', '.join(point['hooks'])}"
        for warning in point["warnings"]:
            yield f"    warning {warning}"
        for each in point["record_types"]:
            yield from _record_type(app, each)


def _record_type(app: App, each: dict[str, Any]) -> Iterator[str]:
    name = app.style(each["name"], fg="cyan", bold=True)
    yield f"    {each['format']} {each['code']:#x} {name}  {each['doc']}".rstrip()
    for field in each["layout"] or ():
        unit = f" [{field['unit']}]" if field["unit"] else ""
        yield f"      {field['name']:<20} {field['kind']:<10} {field['doc']}{unit}".rstrip()
