"""`domctx plugins list`."""

from __future__ import annotations

import json

import click

from domctx_core.cli.app import App
from domctx_core.cli.text import table

__all__ = ["list_"]


@click.command(name="list", short_help="Every plugin with its status and the reason for it.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(app: App, as_json: bool) -> None:
    """Every entry point of every plugin with its status and the reason for it."""
    app.host.load_run_time()
    plugins = app.host.plugins
    if as_json:
        document = {
            "schema": "domctx.plugins/1",
            "plugins": [plugin.to_json() for plugin in plugins],
        }
        app.out(json.dumps(document, indent=2))
        return
    rows = [
        (
            plugin.entry_point.dist,
            plugin.entry_point.version,
            str(plugin.status),
            plugin.entry_point.group.removeprefix("domctx."),
            plugin.entry_point.name,
            plugin.reason,
        )
        for plugin in plugins
    ]
    heads = ("DISTRIBUTION", "VERSION", "STATUS", "GROUP", "ENTRY POINT", "REASON")
    app.out(table(app, heads, rows))
