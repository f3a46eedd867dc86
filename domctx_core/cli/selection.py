"""Find record types by name or code, and records by `--type` and `--instance`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from domctx_core.base.errors import UsageError
from domctx_core.cli.app import App
from domctx_core.layout.kinds.base import parse_integer
from domctx_core.reader.record import Record

if TYPE_CHECKING:
    from domctx_core.model.registry import Entry, Registry

__all__ = ["chosen_records", "named_types", "selection_options"]


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options `--type` and `--instance` to a command."""
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
        help="Only this type, by name or code, or as FORMAT/TYPE; repeatable.",
    )(command)


def chosen_records(
    app: App, types: Sequence[str], instances: Sequence[int]
) -> Callable[[Record], bool]:
    """Return the filter for records of these types and instances; without any, it keeps all.

    Raises `UsageError` for a name that no record type has: it is misspelt, and would show nothing.
    """
    wanted = [_parsed(text) for text in types]
    for text, (format, type) in zip(types, wanted, strict=True):
        if format or isinstance(type, str):
            named_types(app, text, any_code=True)

    def keep(record: Record) -> bool:
        if wanted and not any(
            type in (record.type, (record.name or "").upper())
            and format in ("", record.level.format.name)
            for format, type in wanted
        ):
            return False
        return not instances or record.instance in instances

    return keep


def named_types(app: App, text: str, *, any_code: bool = False) -> list[tuple[Registry, Entry]]:
    """Return the record types that `[FORMAT/]TYPE` names, in each format that has one.

    Raises `UsageError` if there is none; with `any_code` a code need not be known.
    """
    format, type = _parsed(text)
    app.host.load_run_time()
    formats = app.host.formats
    if format and format not in {registry.format for registry in formats.registries()}:
        from domctx_core.base.text import did_you_mean

        known = [registry.format for registry in formats.registries()]
        raise UsageError(
            f"no format is called {format!r}",
            expected=", ".join(known),
            hint=did_you_mean(format, known),
        )
    entries = [
        (registry, entry)
        for registry in formats.registries()
        if format in ("", registry.format)
        for entry in registry
    ]
    matching = [pair for pair in entries if type in (pair[1].code, pair[1].name.upper())]
    if not matching and not (any_code and isinstance(type, int)):
        from domctx_core.base.text import did_you_mean

        raise UsageError(
            f"no record type{f' of {format}' if format else ''} is called {text.rpartition('/')[2]!r:.80}",
            hint=did_you_mean(type, {entry.name for _, entry in entries}) or "see `domctx types`",
        )
    return matching


def _parsed(text: str) -> tuple[str, int | str]:
    """Return the format (empty if none is named) and the code or the name in capitals."""
    format, _, type = text.rpartition("/")
    try:
        code = parse_integer(type)
    except ValueError:
        return format, type.upper()
    if not 0 <= code < 2**32:
        raise UsageError(f"{type} is no type code", expected="0 to 0xffffffff")
    return format, code
