"""`domctx plugins check`."""

from __future__ import annotations

import itertools
import json

import click

from domctx_core.cli.app import App

__all__ = ["check"]


@click.command(name="check", short_help="Hold plugins against what a plugin ought to be.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def check(app: App, name: str | None, as_json: bool) -> None:
    """Hold the plugins of NAME (all but the core's without NAME) against what they ought to be.

    Imports all that they declare, and looks at metadata, entry points, hooks, type codes, layouts,
    and whether each record type conforms. The exit status is 1 if there are faults.
    """
    from domctx_core.authoring import checkup

    dists = None
    if name is not None:
        dists = list(dict.fromkeys(plugin.entry_point.dist for plugin in app.host.named(name)))
    faults = checkup.check(app.host, dists)
    checked = checkup.distributions(app.host) if dists is None else dists
    if as_json:
        document = {
            "schema": "domctx.check/1",
            "checked": checked,
            "faults": [fault.to_json() for fault in faults],
        }
        app.out(json.dumps(document, indent=2))
    elif faults:
        for dist, group in itertools.groupby(faults, lambda fault: fault.dist):
            app.out(app.style(dist, bold=True))
            for fault in group:
                app.out(f"  {app.style(fault.what, fg='red')}: {' '.join(fault.message.split())}")
    else:
        app.out(f"no faults in {', '.join(checked)}" if checked else "no plugins are installed")
    app.raise_status(int(bool(faults)))
