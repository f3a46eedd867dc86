"""`--type` and `--instance`: which records the user wants to see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from domctx_core.cli.app import App
from domctx_core.errors import UsageError
from domctx_core.walker import Record

__all__ = ["chosen_records", "selection_options"]


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that gives a command the options `types` and `instances`."""
    command = click.option(
        "--instance",
        "instances",
        multiple=True,
        type=click.IntRange(0),
        help="Only this instance; repeatable.",
    )(command)
    return click.option(
        "--type",
        "types",
        multiple=True,
        metavar="TYPE",
        help="Only this type, by name or code; repeatable.",
    )(command)


def chosen_records(
    app: App, types: Sequence[str], instances: Sequence[int]
) -> Callable[[Record], bool]:
    """Whether a record is one of those that the user named; each is, where nothing was named.

    `UsageError` for a name that no record type has: it is misspelt, and would show nothing.
    """
    codes = {_code(each) for each in types} - {None}
    names = {each.upper() for each in types}
    _check_names(app, types)

    def keep(record: Record) -> bool:
        if types and record.type not in codes and (record.name or "") not in names:
            return False
        return not instances or record.instance in instances

    return keep


def _check_names(app: App, types: Sequence[str]) -> None:
    for text in types:
        if _code(text) is not None:
            continue
        app.host.load_run_time()
        known = {entry.name for registry in app.host.formats.registries() for entry in registry}
        if text.upper() not in known:
            import difflib

            near = difflib.get_close_matches(text.upper(), sorted(known), 3)
            raise UsageError(
                f"no record type is called {text!r}",
                hint=f"did you mean {' or '.join(near)}?" if near else "see `domctx types`",
            )


def _code(text: str) -> int | None:
    try:
        code = int(text, 0)
    except ValueError:
        return None
    if not 0 <= code < 2**32:
        raise UsageError(f"{text} is no type code", expected="0 to 0xffffffff")
    return code
