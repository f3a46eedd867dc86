"""`domctx plugins new`."""

from __future__ import annotations

import click

from domctx_core.base.errors import UsageError
from domctx_core.cli.app import App
from domctx_core.layout.kinds.base import parse_integer

__all__ = ["new"]


@click.command(name="new", short_help="Write the package of a new record type.")
@click.argument("name")
@click.option("--code", metavar="CODE", help="Its type code; one that is free by default.")
@click.option(
    "--directory", default=".", metavar="DIR", help="Where the package's folder is to be made."
)
@click.option("--author", metavar="NAME", help="Who holds the copyright; git's user by default.")
@click.pass_obj
def new(app: App, name: str, code: str | None, directory: str, author: str | None) -> None:
    """Write the package domctx-plugin-NAME with a record type that works.

    NAME is such as grant-table; the record type is then called GRANT_TABLE. Nothing is fetched,
    and nothing that is there is overwritten.
    """
    from domctx_core.authoring.scaffold.new_plugin import Names, git_author, write_plugin

    names = Names.of(name)
    folder = write_plugin(
        names,
        directory,
        app.host.registry,
        code=_number(code),
        author=git_author() if author is None else author,
    )
    app.out(str(folder))
    app.err(
        f"next: cd {folder}; pip install --group dev -e . (pip 25.1 or newer); pytest;"
        " domctx plugins check"
    )


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_integer(text)
    except ValueError:
        raise UsageError(
            f"{text:.80} is no type code", expected="a number, such as 0x1234 or 4660"
        ) from None
