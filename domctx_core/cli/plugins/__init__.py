"""`domctx plugins` and the verbs below it: `list`, `info`, `check`, `new`, `freeze`."""

from __future__ import annotations

import click

from domctx_core.cli.plugins.check import check
from domctx_core.cli.plugins.freeze import freeze
from domctx_core.cli.plugins.info import info
from domctx_core.cli.plugins.list import list_
from domctx_core.cli.plugins.new import new

__all__ = ["command"]


@click.group(name="plugins", short_help="The plugins that were found, and what became of them.")
def command() -> None:
    """The plugins that were found, and what became of them."""


for _verb in (list_, info, check, new, freeze):
    command.add_command(_verb)
