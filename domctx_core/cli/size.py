"""`domctx size`."""

from __future__ import annotations

import json
from contextlib import closing

import click

from domctx_core.base.xen_version import XenVersion
from domctx_core.cli.app import App
from domctx_core.cli.options import xen_option
from domctx_core.engine.save import size_domain

__all__ = ["command"]


@click.command(name="size", short_help="The exact size of a domain's image, without saving it.")
@click.argument("domain")
@xen_option("The version for START where the domain has none of its own.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(app: App, domain: str, xen: XenVersion | None, as_json: bool) -> None:
    """The exact size in bytes of the image that a save of DOMAIN would write now."""
    opened = app.host.open_domain(domain, "save", standard_input=app.standard_input_if_open())
    with closing(opened):
        size = size_domain(opened, app.host.registry, xen_version=xen)
    if as_json:
        app.out(json.dumps({"schema": "domctx.size/1", "domain": domain, "size": size}))
    else:
        app.out(str(size))
