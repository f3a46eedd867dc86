"""`domctx plugins freeze`."""

from __future__ import annotations

import shlex

import click

from domctx_core.cli.app import App
from domctx_core.host.plugin import Status
from domctx_core.model.registry import CORE

__all__ = ["freeze"]


@click.command(name="freeze", short_help="The installed plugins as requirements for pip.")
@click.pass_obj
def freeze(app: App) -> None:
    """The installed plugins as requirements, for `pip install -r`.

    Those that are turned off or broken are among them: they are installed too. Missing is only one
    whose metadata cannot be read, since that has the version.
    """
    installed = {
        plugin.entry_point.dist: plugin.entry_point
        for plugin in app.host.plugins
        if plugin.entry_point.dist != CORE
        and plugin.status is not Status.SHADOWED
        and not plugin.entry_point.fault
    }
    for dist, found in sorted(installed.items()):
        tree = found.working_tree
        pinned = f"{dist}=={found.version}"
        app.out(pinned if tree is None else f"# editable: {pinned}\n-e {shlex.quote(tree)}")
