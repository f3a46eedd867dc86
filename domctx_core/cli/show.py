"""`domctx show`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import click

from domctx_core.cli.app import App
from domctx_core.cli.inputs import open_input, parse_size
from domctx_core.cli.report import finding_text
from domctx_core.cli.text import body_lines, hex_dump, size_text
from domctx_core.errors import PLUGIN_FAULTS, PluginError, UsageError
from domctx_core.image import image_json, prologue_json, record_json
from domctx_core.layout import Body
from domctx_core.ops import DEFAULT_CAP
from domctx_core.records import Tally
from domctx_core.rules import Finding, Severity
from domctx_core.verifier import Verifier
from domctx_core.walker import KEPT, Closed, Event, Fault, Level, Opened, Record, Trailing, walk

__all__ = ["command"]

_DUMPED = 256
"""Bytes of a body that cannot be decoded which are dumped without --hex."""


@click.command(name="show", short_help="What is in an image, in any known format.")
@click.argument("image")
@click.option(
    "--type",
    "types",
    multiple=True,
    metavar="TYPE",
    help="Only this type, by name or code; repeatable.",
)
@click.option(
    "--instance",
    "instances",
    multiple=True,
    type=click.IntRange(0),
    help="Only this instance; repeatable.",
)
@click.option("--hex", "as_hex", is_flag=True, help="The bytes of each body too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--jsonl", "as_lines", is_flag=True, help="One line of JSON for each record.")
@click.option(
    "--cap",
    type=parse_size,
    default=str(DEFAULT_CAP),
    metavar="SIZE",
    help="Largest body to hold in memory.",
)
@click.pass_obj
def command(
    app: App,
    image: str,
    types: tuple[str, ...],
    instances: tuple[int, ...],
    as_hex: bool,
    as_json: bool,
    as_lines: bool,
    cap: int,
) -> None:
    """What is in IMAGE: its containers, records and their fields.

    All that can be read is shown, decoded where a plugin knows the type and raw where none does;
    then the exit status says whether anything was wrong with it.
    """
    keep = _filter(types, instances)
    _check_names(app, types)
    with open_input(app, image) as source:
        verifier = Verifier()
        events: Iterable[Event] = walk(source, app.host.formats, cap=cap)
        if as_json:
            document = image_json(events, verifier, path=image, source=source, keep=keep)
            app.out(json.dumps(document, indent=2))
            bad = any(finding["severity"] == "error" for finding in document["findings"])
        else:
            findings: list[Finding] = []
            name = "standard input" if image == "-" else image
            lines = _jsonl(events, verifier, findings, keep) if as_lines else _text(
                app, events, verifier, findings, keep, name, as_hex
            )  # fmt: skip
            for line in lines:
                app.out(line)
            bad = any(finding.severity is Severity.ERROR for finding in findings)
            if not as_lines:
                for finding in findings:
                    app.out("\n" + finding_text(app, finding, None if image == "-" else image))
    app.worst(4 if verifier.needs_plugin else int(bad))


def _filter(types: tuple[str, ...], instances: tuple[int, ...]) -> Callable[[Record], bool]:
    codes = {_code(each) for each in types} - {None}
    names = {each.upper() for each in types}

    def keep(record: Record) -> bool:
        if types and record.type not in codes and (record.name or "") not in names:
            return False
        return not instances or record.instance in instances

    return keep


def _check_names(app: App, types: tuple[str, ...]) -> None:
    """Refuse a name that no record type has: it is misspelt, and would show nothing."""
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


def _jsonl(
    events: Iterable[Event],
    verifier: Verifier,
    findings: list[Finding],
    keep: Callable[[Record], bool],
) -> Iterator[str]:
    for event in events:
        found = verifier.see(event)
        findings += found
        if isinstance(event, Opened) and not event.resumed:
            level = event.level
            line = {
                "container": list(level.path),
                "offset": level.offset,
                "format": level.format.name,
                "format_version": level.framing.version,
                "byteorder": level.framing.byteorder,
            }
            if level.prologue:
                line["header"] = prologue_json(level)
            yield json.dumps(line)
        elif isinstance(event, Record) and keep(event):
            yield json.dumps({"container": list(event.level.path), **record_json(event)})
        for finding in found:
            yield json.dumps({"finding": finding.to_json()})


def _text(
    app: App,
    events: Iterable[Event],
    verifier: Verifier,
    findings: list[Finding],
    keep: Callable[[Record], bool],
    name: str,
    as_hex: bool,
) -> Iterator[str]:
    row: _Row | None = None
    for event in events:
        findings += verifier.see(event)
        if row is not None and not (isinstance(event, Record) and _alike(row.first, event)):
            yield from _squashed(app, row)
            row = None
        match event:
            case Opened(level):
                yield from _opened(app, event, name)
            case Record() if keep(event):
                if event.bulk and not as_hex:
                    row = row or _Row(event)
                    row.add(event)
                else:
                    yield from _record(app, event, as_hex)
            case Trailing(level, offset, length, raw):
                yield f"{_indent(level)}{offset:#010x}  {size_text(length)} after the last record"
                yield from (
                    _indent(level) + "    " + row for row in hex_dump(raw[:64], offset, length)
                )
            case Fault(level, finding):
                at = "" if level is None else _indent(level)
                yield f"{at}{finding.offset:#010x}  {app.style(finding.message, fg='red')}"
            case Closed():
                pass
    if row is not None:
        yield from _squashed(app, row)


def _alike(one: Record, other: Record) -> bool:
    return one.level is other.level and one.type == other.type


def _indent(level: Level) -> str:
    return "  " * (len(level.path) - 1)


def _opened(app: App, opened: Opened, name: str) -> Iterator[str]:
    level, resumed = opened.level, opened.resumed
    format = level.format
    title = f"{format.title or format.name}, version {level.framing.version}"
    if not opened.recognised:
        title = f"no known format; read as {format.title}"
    if len(level.path) == 1:
        title = f"{name}: {title}"
    order = f"{level.framing.byteorder}-endian"
    yield _indent(level) + app.style(title, bold=True) + f", {'goes on' if resumed else order}"
    if not resumed:
        for _, body in level.prologue:
            yield from body_lines(body, _indent(level) + "    ")


def _head(app: App, record: Record) -> str:
    name = record.name or f"type {record.type:#x} (unknown)"
    if record.instance is not None:
        name += f"[{record.instance}]"
    return f"{_indent(record.level)}{record.offset:#010x}  #{record.index} {app.style(name, fg='cyan', bold=True)}"


def _record(app: App, record: Record, as_hex: bool) -> Iterator[str]:
    yield f"{_head(app, record)}  {size_text(record.length)}"
    indent = _indent(record.level) + "    "
    body: Body | None = None
    try:
        decoded = record.decoded
        body = None if decoded is None else decoded.body
    except PluginError:  # told as a finding; the bytes can still be shown
        pass
    if body is not None:
        try:
            yield from list(body_lines(body, indent))
        except PLUGIN_FAULTS as error:
            app.worst(4)
            name = type(body).__name__
            app.say(f"warning: the summary of {name} raised {type(error).__name__}: {error}")
            body = None
    nested = record.content is not None and not record.content.inline
    if as_hex or (body is None and not nested):
        limit = record.length if as_hex and record.held else min(record.length, KEPT)
        raw = record.raw(limit if as_hex else min(limit, _DUMPED))
        yield from (indent + row for row in hex_dump(raw, record.body_offset, record.length))


class _Row:
    """Bulk records in a row: what they add up to, and none of them but the first."""

    def __init__(self, first: Record) -> None:
        self.first = first
        self.count = 0
        self.size = 0
        self.tally: Tally[Any] | None = None
        if first.entry is not None:
            self.tally = first.entry.record_type.tally()

    def add(self, record: Record) -> None:
        self.count += 1
        self.size += record.length
        try:
            decoded = record.decoded if self.tally else None
            if self.tally and decoded is not None and decoded.body is not None:
                self.tally.add(decoded.body)
        except PluginError:  # told as a finding
            pass


def _squashed(app: App, row: _Row) -> Iterator[str]:
    """Many bulk records in a row on one line, as an operator wants to see guest pages."""
    count = "" if row.count == 1 else f" x {row.count}"
    counted = f"  {row.tally.text()}" if row.tally else ""
    yield f"{_head(app, row.first)}{count}  {size_text(row.size)}{counted}"
