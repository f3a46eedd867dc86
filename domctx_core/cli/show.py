"""`domctx show`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Any

import click

from domctx_core.base.errors import PLUGIN_ERRORS, PluginError, UsageError, describe
from domctx_core.base.problems import Finding, Severity
from domctx_core.cli.app import App
from domctx_core.cli.inputs import complete_files, input_name, open_input, open_seekable
from domctx_core.cli.messages import finding_text
from domctx_core.cli.options import cap_option
from domctx_core.cli.pager import paged
from domctx_core.cli.progress import progress
from domctx_core.cli.selection import chosen_records, selection_options
from domctx_core.cli.text import body_lines, hex_dump, size_text
from domctx_core.layout.body import Body
from domctx_core.model.attributes import Tally
from domctx_core.reader.events import Closed, Event, Fault, Opened, Trailing
from domctx_core.reader.record import KEPT, OpenContainer, Record
from domctx_core.reader.sources import Source
from domctx_core.reader.walker import walk
from domctx_core.verification.verifier import Verifier

__all__ = ["command"]


class View(Enum):
    """What is shown of a record."""

    VALUES = "values"
    FIELDS = "fields"
    HEX = "hex"


_DUMPED = 256
"""Bytes of a body that cannot be decoded which are dumped without --hex."""


@click.command(name="show", short_help="What is in an image, in any known format.")
@click.argument("image", shell_complete=complete_files)
@selection_options
@click.option("--tree", "as_tree", is_flag=True, help="Containers and records, one a line.")
@click.option(
    "--fields",
    "as_fields",
    is_flag=True,
    help="One field a line: offset, size, name, bytes, value and meaning.",
)
@click.option("--hex", "as_hex", is_flag=True, help="The bytes of each body too, named.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--jsonl", "as_lines", is_flag=True, help="One line of JSON for each record.")
@cap_option()
@click.pass_obj
def command(
    app: App,
    image: str,
    types: tuple[str, ...],
    instances: tuple[int, ...],
    as_tree: bool,
    as_fields: bool,
    as_hex: bool,
    as_json: bool,
    as_lines: bool,
    cap: int,
) -> None:
    """What is in IMAGE: its containers, records and their fields.

    All that can be read is shown, decoded where a plugin knows the type and raw where none does;
    then the exit status says whether anything was wrong with it.
    """
    keep = chosen_records(app, types, instances)
    if sum((as_tree, as_fields, as_hex, as_json, as_lines)) > 1:
        raise UsageError(
            "show has one view at a time",
            expected="one of --tree, --fields, --hex, --json and --jsonl",
        )
    name = input_name(image)
    opened = (open_seekable if as_tree or as_fields else open_input)(app, image)
    with opened as source, progress(app, f"reading {name}", source):
        verifier = Verifier()
        if as_json or as_lines:
            show = _document if as_json else _lines
            bad = show(app, source, walk(source, app.host.formats, cap=cap), verifier, keep, image)
        else:
            findings: list[Finding] = []
            if as_tree:
                lines = _tree(app, source, verifier, findings, keep, name, cap)
            else:
                events = walk(source, app.host.formats, cap=cap)
                view = View.FIELDS if as_fields else View.HEX if as_hex else View.VALUES
                lines = _text(app, source, events, verifier, findings, keep, name, view)
            again = None if image == "-" else image
            told = ("\n" + finding_text(app, finding, again) for finding in findings)
            paged(app, (line for part in (lines, told) for line in part))
            bad = any(finding.severity is Severity.ERROR for finding in findings)
    app.raise_status(4 if verifier.needs_plugin else int(bad))


def _document(
    app: App,
    source: Source,
    events: Iterable[Event],
    verifier: Verifier,
    keep: Callable[[Record], bool],
    path: str,
) -> bool:
    """Print one document for the whole input; return whether it has an error.

    It is written as it comes: an image may have millions of records.
    """
    from domctx_core.base.io import CHUNK
    from domctx_core.cli.outputs import blocks
    from domctx_core.document.view import view_text

    findings: list[Finding] = []
    text = view_text(source, events, verifier, findings, path=path, keep=keep)
    for block in blocks(text, CHUNK):
        app.out(block)
    return any(finding.severity is Severity.ERROR for finding in findings)


def _lines(
    app: App,
    source: Source,
    events: Iterable[Event],
    verifier: Verifier,
    keep: Callable[[Record], bool],
    path: str,
) -> bool:
    """Print a line for each container, record and finding; return whether there is an error."""
    import json

    from domctx_core.document.view import view_lines

    bad = False
    for event in events:
        findings = verifier.see(event)
        bad |= any(finding.severity is Severity.ERROR for finding in findings)
        for line in view_lines(event, keep, findings):
            app.out(json.dumps(line))
    return bad


def _tree(
    app: App,
    source: Source,
    verifier: Verifier,
    findings: list[Finding],
    keep: Callable[[Record], bool],
    name: str,
    cap: int,
) -> Iterator[str]:
    from domctx_core.cli.views import tree_lines
    from domctx_core.images.tree import read_image

    image = read_image(source, app.host.formats, verifier=verifier, cap=cap)
    findings += image.findings
    yield from tree_lines(app, image, name, keep)


def _text(
    app: App,
    source: Source,
    events: Iterable[Event],
    verifier: Verifier,
    findings: list[Finding],
    keep: Callable[[Record], bool],
    name: str,
    view: View,
) -> Iterator[str]:
    row: _BulkRecords | None = None
    for event in events:
        findings += verifier.see(event)
        if row is not None and not (isinstance(event, Record) and _alike(row.first, event)):
            yield from _squashed(app, row)
            row = None
        match event:
            case Opened(level):
                yield from _opened(app, event, source, name, view)
            case Record() if keep(event):
                if event.bulk and view is View.VALUES:
                    row = row or _BulkRecords(event)
                    row.add(event)
                else:
                    yield from _record(app, event, view)
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


def _indent(level: OpenContainer) -> str:
    return "  " * (len(level.path) - 1)


def _opened(app: App, opened: Opened, source: Source, name: str, view: View) -> Iterator[str]:
    level, resumed = opened.level, opened.resumed
    format = level.format
    title = f"{format.title or format.name}, version {level.framing.version}"
    if not opened.recognised:
        title = f"no known format; read as {format.title}"
        if opened.untried:
            title += f" (not tried: {', '.join(opened.untried)})"
    if len(level.path) == 1:
        title = f"{name}: {title}"
    order = f"{level.framing.byteorder}-endian"
    yield _indent(level) + app.style(title, bold=True) + f", {'goes on' if resumed else order}"
    if not resumed:
        yield from (f"{_indent(level)}    {line}" for line in _prologue(app, level, source, view))


def _prologue(app: App, level: OpenContainer, source: Source, view: View) -> Iterator[str]:
    for offset, body in level.prologue:
        if view is View.FIELDS:
            from domctx_core.cli.views import field_lines

            raw = source.at(offset, body.size())
            yield from field_lines(app, body, raw, offset)
        else:
            yield from body_lines(body, "")


def _head(app: App, record: Record) -> str:
    name = record.name or f"type {record.type:#x} (unknown)"
    if record.instance is not None:
        name += f"[{record.instance}]"
    return f"{_indent(record.level)}{record.offset:#010x}  #{record.index} {app.style(name, fg='cyan', bold=True)}"


def _record(app: App, record: Record, view: View) -> Iterator[str]:
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
            yield from [indent + line for line in _body(app, record, body, view)]
        except PLUGIN_ERRORS as error:
            app.raise_status(4)
            name = type(body).__name__
            app.err(f"warning: the summary of {name} raised {describe(error)}")
            body = None
    nested = record.content is not None and not record.content.inline
    if view is View.HEX or (body is None and not nested):
        yield from (indent + line for line in _dump(record, body, view))


def _body(app: App, record: Record, body: Body, view: View) -> Iterator[str]:
    if view is not View.FIELDS:
        yield from body_lines(body, "")
        return
    from domctx_core.cli.views import field_lines

    raw = record.raw(record.head if record.bulk else None)
    yield from field_lines(app, body, raw, record.body_offset)


def _dump(record: Record, body: Body | None, view: View) -> Iterator[str]:
    whole = view is View.HEX and record.held
    size = record.length if whole else min(record.length, KEPT if view is View.HEX else _DUMPED)
    raw = record.raw(size)
    if body is None or not record.held:
        yield from hex_dump(raw, record.body_offset, record.length)
        return
    from domctx_core.cli.views import named_dump

    yield from named_dump(body, raw, record.body_offset)


class _BulkRecords:
    """Adjacent bulk records: the first of them, and totals of all."""

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


def _squashed(app: App, row: _BulkRecords) -> Iterator[str]:
    """Yield one line for adjacent bulk records, such as those of guest pages."""
    count = "" if row.count == 1 else f" x {row.count}"
    counted = f"  {row.tally.text()}" if row.tally else ""
    yield f"{_head(app, row.first)}{count}  {size_text(row.size)}{counted}"
