"""`domctx edit`."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from contextlib import ExitStack
from itertools import groupby
from typing import Any

import click

from domctx_core.base.errors import UsageError
from domctx_core.base.problems import Finding, Severity
from domctx_core.base.text import ranges_of, ranges_text
from domctx_core.cli.app import App
from domctx_core.cli.inputs import complete_files, input_name, open_seekable
from domctx_core.cli.messages import finding_text
from domctx_core.cli.options import cap_option
from domctx_core.cli.outputs import open_output, refuse_overwriting
from domctx_core.images.edit.editor import edit_image
from domctx_core.images.edit.operations import (
    Drop,
    EditOperation,
    Insert,
    Keep,
    Order,
    Reorder,
    Selector,
    parse_set,
)
from domctx_core.images.edit.outcome import Edit, EditChange
from domctx_core.images.tree import read_image
from domctx_core.reader.splice import write_chunks
from domctx_core.verification.verdict import Verdict, judge

__all__ = ["command"]


@click.command(name="edit", short_help="Change an image: set fields, drop, insert, reorder.")
@click.argument("image", shell_complete=complete_files)
@click.option("-o", "--output", metavar="OUT", help="The file to write; - for standard output.")
@click.option("--in-place", is_flag=True, help="Put a new file in the place of IMAGE.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Set a field: TYPE[INSTANCE].field=value, or FORMAT:field=value of a header; repeatable.",
)
@click.option(
    "--drop",
    "drops",
    multiple=True,
    metavar="RECORDS",
    help="Take records out: TYPE, TYPE[INSTANCE], TYPE[3-7], TYPE#INDEX; repeatable.",
)
@click.option(
    "--keep",
    "keeps",
    multiple=True,
    metavar="RECORDS",
    help="Take out all others of the same container that its format does not ask for; repeatable.",
)
@click.option(
    "--insert",
    "inserts",
    multiple=True,
    metavar="FILE",
    help="Put the records of another image in; repeatable.",
)
@click.option("--replace", is_flag=True, help="Let inserted records replace those that are there.")
@click.option(
    "--reorder",
    type=click.Choice(["ascending", "dependencies"]),
    help="Order records by type and instance, or behind those they depend on.",
)
@click.option("--force", is_flag=True, help="Write what verify refuses.")
@click.option("--json", "as_json", is_flag=True, help="What changed as one JSON document.")
@cap_option()
@click.pass_obj
def command(
    app: App,
    image: str,
    output: str | None,
    in_place: bool,
    dry_run: bool,
    sets: tuple[str, ...],
    drops: tuple[str, ...],
    keeps: tuple[str, ...],
    inserts: tuple[str, ...],
    replace: bool,
    reorder: Order | None,
    force: bool,
    as_json: bool,
    cap: int,
) -> None:
    """Write IMAGE to OUT with some things changed and every other byte as it was.

    One of -o, --in-place and -n is needed.

    Fields are set first, then records are dropped and kept, then others are inserted, and last
    comes the order. Lengths and padding follow. The outcome is verified before anything is
    written.
    """
    output = _target(image, output, in_place, dry_run)
    operations: list[EditOperation] = [parse_set(text) for text in sets]
    operations += [Drop(Selector.parse(text)) for text in drops]
    operations += [Keep(Selector.parse(text)) for text in keeps]
    if replace and not inserts:
        raise UsageError("--replace is about what --insert puts in, and nothing is")
    if [image, *inserts].count("-") > 1:
        raise UsageError("standard input can be read once", hint="save one of the images to a file")
    if output == "-":
        app.standard_output()  # refused before anything is read
    app.host.load_run_time()
    formats = app.host.formats
    with ExitStack() as stack:
        source = stack.enter_context(open_seekable(app, image))
        tree = read_image(source, formats, cap=cap)
        for path in inserts:
            other = read_image(stack.enter_context(open_seekable(app, path)), formats, cap=cap)
            operations.append(Insert(other, input_name(path), replace))
        if reorder is not None:
            operations.append(Reorder(reorder))
        edit = edit_image(tree, operations, formats)
        verdict = judge(edit.outcome(), app.host, cap=cap)
        findings: list[tuple[Finding, bool]] = []
        if verdict.findings:
            earlier = judge(source, app.host, cap=cap)
            findings = list(_compared(verdict.findings, earlier.findings))
        refused = not verdict.valid and not force
        if not refused and output is not None:
            with open_output(app, output) as file:
                write_chunks(edit.chunks, edit.source, file)
        if as_json:
            document = _to_json(image, output, edit, findings, verdict, refused)
            text = json.dumps(document, indent=2)
            click.echo(text, err=True) if output == "-" else app.out(text)
        else:
            _print_text(app, input_name(image), output, edit, findings, refused)
    if refused:
        app.raise_status(4 if verdict.needs_plugin else 1)


def _target(image: str, output: str | None, in_place: bool, dry_run: bool) -> str | None:
    """Return the path to write to, or None; raise `UsageError` if IMAGE would be overwritten by mistake."""
    if (output is not None) + in_place + (dry_run and output is None and not in_place) != 1:
        raise UsageError(
            "say where the outcome goes"
            if output is None
            else "-o and --in-place exclude each other",
            expected="-o OUT, --in-place or --dry-run",
        )
    if in_place:
        if image == "-" or (os.path.exists(image) and not os.path.isfile(image)):
            raise UsageError(f"{input_name(image)} is no file that --in-place could replace")
        output = image
    else:
        refuse_overwriting(output, image, hint="--in-place puts a new file in its place")
    return None if dry_run else output


# ------------------------------------------------------------------------------ what is said


def _to_json(
    path: str,
    output: str | None,
    edit: Edit,
    findings: Iterable[tuple[Finding, bool]],
    verdict: Verdict,
    refused: bool,
) -> dict[str, Any]:
    return {
        "schema": "domctx.edit/1",
        "path": path,
        "output": output,
        "written": output is not None and not refused,
        "size": edit.size,
        "valid": verdict.valid,
        "changes": [change.to_json() for change in edit.changes],
        "findings": [{**finding.to_json(), "before": before} for finding, before in findings],
    }


def _print_text(
    app: App,
    name: str,
    output: str | None,
    edit: Edit,
    findings: Iterable[tuple[Finding, bool]],
    refused: bool,
) -> None:
    for line in _change_lines(edit.changes):
        app.err(line)
    if not edit.changes:
        app.err("nothing changes")
    for finding, before in findings:
        error = finding.severity is Severity.ERROR
        if before and not error:
            continue
        text = finding_text(app, finding, None, sys.stderr)
        if before:
            text += f"\n   = note: {name} has this already"
        (_print_error if error and refused else app.err)(text)
    if refused:
        what = "nothing is written" if output else "refused"
        _print_error(f"{what}: verify finds errors in the outcome; --force writes it all the same")
    elif output is not None:
        app.err(f"wrote {_place(output)}: {edit.size} bytes")
    else:
        app.err(f"nothing is written; the outcome has {edit.size} bytes")


def _print_error(text: str) -> None:
    click.echo(text, err=True)


def _place(output: str) -> str:
    return "standard output" if output == "-" else output


def _compared(
    findings: Iterable[Finding], earlier: Iterable[Finding]
) -> Iterator[tuple[Finding, bool]]:
    """Yield each finding, and whether the input has it too, at any place."""
    known = Counter(map(_identity, earlier))
    for finding in findings:
        key = _identity(finding)
        yield finding, known[key] > 0
        known[key] -= 1


def _identity(finding: Finding) -> Hashable:
    """Return what identifies a finding but its place: records and bytes move."""
    return (
        finding.rule, finding.severity, finding.container, finding.type, finding.instance,
        finding.field, finding.message, str(finding.expected), str(finding.actual),
    )  # fmt: skip


def _moves(change: EditChange) -> str:
    """Return the old and the new offset of a field as text."""
    old, new = change.offset, change.new_offset
    if old is None or old == new:
        return "nowhere" if new is None else f"at {new:#x}"
    return f"was at {old:#x}" if new is None else f"at {old:#x} -> {new:#x}"


def _change_lines(changes: Iterable[EditChange]) -> Iterator[str]:
    """Yield a line for each change; the same change of adjacent records of one type is one line."""
    for _, group in groupby(changes, _alike):
        row = list(group)
        first = row[0]
        bare = len(first.container) < 2 and first.type is not None
        where = "" if bare else "/".join([*first.container, ""])
        if first.action == "set":
            header = first.type is None
            label = f"{where[:-1]}:" if header else f"{where}{_label(first, row)}."
            yield f"{label}{first.field}: {first.text} ({_moves(first)})"
            continue
        yield f"{first.action} {where}{_label(first, row)}{_at(row)}"


def _alike(change: EditChange) -> Hashable:
    """Return the key of changes that share a line; each change of a field has its own."""
    single = id(change) if change.action == "set" else change.type
    return change.action, change.container, single, change.instance is None


def _label(first: EditChange, row: list[EditChange]) -> str:
    name = first.name or f"type {first.type:#x}"
    if first.instance is None:
        return f"{name} ({len(row)} records)" if len(row) > 1 else name
    numbers = [change.instance for change in row if change.instance is not None]
    ranges = list(ranges_of(numbers))
    more = f" ({len(row)} records)" if len(ranges) > _PARTS else ""
    return f"{name}[{ranges_text(ranges, most=_PARTS, separator=',')}{more}]"


_PARTS = 12
"""Ranges of instances that are listed on one line."""


def _at(row: list[EditChange]) -> str:
    first = row[0]
    old, new = first.offset, first.new_offset
    more = " on" if len(row) > 1 else ""
    if old is None or new is None or old == new:
        at = new if old is None else old
        return "" if at is None else f" (at {at:#x}{more})"
    return f" (from {old:#x}{more} to {new:#x}{more})"
