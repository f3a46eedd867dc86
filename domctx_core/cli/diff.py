"""`domctx diff`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import click

from domctx_core.base.errors import UsageError
from domctx_core.cli.app import App
from domctx_core.cli.inputs import complete_files, open_seekable
from domctx_core.cli.options import cap_option
from domctx_core.cli.pager import paged
from domctx_core.cli.progress import progress
from domctx_core.cli.selection import chosen_records, selection_options
from domctx_core.cli.text import size_text
from domctx_core.images.diff.changes import PartsChange, ValueChange
from domctx_core.images.diff.compare import diff_images
from domctx_core.images.diff.model import ContainerChange, Diff, RecordChange
from domctx_core.images.tree import Image, read_image

__all__ = ["command"]


@click.command(name="diff", short_help="What differs between two images, field by field.")
@click.argument("a", metavar="A", shell_complete=complete_files)
@click.argument("b", metavar="B", shell_complete=complete_files)
@selection_options
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Show, and count, fields that move by themselves too, such as times.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("-q", "--quiet", "silent", is_flag=True, help="Print nothing: the status answers.")
@cap_option()
@click.pass_obj
def command(
    app: App,
    a: str,
    b: str,
    types: tuple[str, ...],
    instances: tuple[int, ...],
    everything: bool,
    as_json: bool,
    silent: bool,
    cap: int,
) -> None:
    """What is another in B than in A: records by type, instance and identity, then fields.

    A and B may be of different formats; what they have in common is compared, such as the domain
    context in a stream with a bare one. The exit status is 0 where nothing differs but what moves
    by itself, and 1 where something does.
    """
    if a == b == "-":
        raise UsageError("standard input cannot be both images")
    keep = chosen_records(app, types, instances) if types or instances else None
    with ExitStack() as stack:
        sources = [stack.enter_context(open_seekable(app, path)) for path in (a, b)]
        with progress(app, "comparing", *sources):
            images = [read_image(source, app.host.formats, cap=cap) for source in sources]
            diff = diff_images(*images, keep=keep)
        count = diff.differences + (diff.folded if everything else 0)
        if as_json and not silent:
            document = _document((a, b), images, diff)
            app.out(json.dumps(document, indent=2))
        elif not silent:
            paged(app, _DiffText(app, everything).lines(diff))
    app.raise_status(4 if diff.needs_plugin else int(count > 0))


def _document(paths: Iterable[str], images: Iterable[Image], diff: Diff) -> dict[str, Any]:
    sides = {
        side: {"path": path, "format": image.root.level.format.name, "size": image.size}
        for side, path, image in zip("ab", paths, images, strict=True)
    }
    return {"schema": "domctx.diff/1", **sides, **diff.to_json()}


_MARKS = {
    "added": ("+", "green"),
    "removed": ("-", "red"),
    "changed": ("~", "yellow"),
    "moved": (">", "cyan"),
}

_FOLDED_RECORDS = 8
"""Records whose folded fields are told in a line each; the rest is counted."""

_FOLDED_FIELDS = 3
"""Folded fields of a record that are named."""

_WIDE = 40
"""Characters of a field's name beyond which values are not aligned."""


class _DiffText:
    """Formats differences as text; each field has its offset in A and in B before it."""

    def __init__(self, app: App, everything: bool) -> None:
        self.app = app
        self.everything = everything

    def lines(self, diff: Diff) -> Iterator[str]:
        """Yield all lines: containers, their records, what is folded, and the total."""
        for container in diff.containers:
            yield from self.container(container)
        if not self.everything:
            yield from self.folded(diff)
        outside = [each for each in diff.containers if each.status == "not-compared"]
        if outside:
            yield self.app.style(_outside(outside), dim=True)
        count = diff.differences + (diff.folded if self.everything else 0)
        if count:
            yield _plural(count, "difference")
        elif not diff.folded:
            yield "no differences"
        if diff.needs_plugin:
            yield self.app.style(
                "a plugin cannot be used: what its records differ in is told in bytes", fg="red"
            )

    def container(self, container: ContainerChange) -> Iterator[str]:
        """Yield the differences of a container and of its records, under its title."""
        changes = self.shown(container.changes)
        records = [each for each in container.records if self.record_is_shown(each)]
        alone = container.status in ("added", "removed")
        if not (alone or changes or records):
            return
        yield self.app.style(_title(container), bold=True)
        yield from self.changes(changes, "  ")
        for record in records:
            yield from self.record(record)

    def record_is_shown(self, record: RecordChange) -> bool:
        return bool(record.differences or (self.everything and record.folded))

    def shown(self, changes: Iterable[ValueChange]) -> list[ValueChange]:
        return [each for each in changes if self.everything or not each.volatile]

    def record(self, record: RecordChange) -> Iterator[str]:
        """Yield the line of a record, then its fields."""
        mark, color = _MARKS[record.status]
        a, b = record.a, record.b
        label = record.place.label
        if a is not None and b is not None and a.label != b.label:
            label = f"{a.label} -> {b.label}"
        if record.ordinal:
            label += f" (number {record.ordinal + 1} of these)"
        sides = [f"{x.offset:#010x}" if x is not None else " " * 10 for x in (a, b)]
        facts = []
        if record.parts is None:
            if a is None or b is None:
                facts.append(size_text(record.place.length))
            elif a.length != b.length:
                facts.append(f"{a.length} -> {b.length} bytes")
        if record.moved and a is not None and b is not None:
            facts.append(f"moved: record {a.index} -> {b.index}")
        head = self.app.style(f"{mark} {label}", fg=color, bold=True)
        yield f"{head}  {'  '.join([*sides, *facts])}".rstrip()
        yield from self.changes(self.shown(record.changes), "    ")
        if record.parts is not None:
            yield from self.parts(record.parts, "    ")

    def changes(self, changes: list[ValueChange], indent: str) -> Iterator[str]:
        names = [_name(change) for change in changes]
        width = min(max(map(len, names), default=0), _WIDE)
        for change, name in zip(changes, names, strict=True):
            sides = [_offset(value) for value in (change.a, change.b)]
            text = f"{indent}{'  '.join(sides)}  {name.ljust(width)}  {self.values(change)}"
            note = self.app.style("  (moves by itself)", dim=True) if change.volatile else ""
            yield text + note

    def values(self, change: ValueChange) -> str:
        """Return the old and the new value of a change."""
        if change.set is not None and change.cleared is not None:
            words = []
            if change.set:
                words.append(self.app.style(f"set {_cut(change.set.text())}", fg="green"))
            if change.cleared:
                words.append(self.app.style(f"cleared {_cut(change.cleared.text())}", fg="red"))
            return "; ".join(words)
        old = "absent" if change.a is None else change.a.text
        new = "absent" if change.b is None else change.b.text
        arrow = f"{self.app.style(old, fg='red')} -> {self.app.style(new, fg='green')}"
        if change.first is None:
            return arrow
        return f"{_plural(change.count or 0, 'byte')} from +{change.first:#x}: {arrow}"

    def parts(self, parts: PartsChange, indent: str) -> Iterator[str]:
        """Yield a line for each kind of difference between parts."""
        by = ", ".join(f"{count} {old} -> {new}" for old, new, count in parts.kinds_by)
        rows = [
            (parts.changed, "with other content"),
            (parts.kinds, f"of another kind ({by})"),
            (parts.removed, "in A only"),
            (parts.added, "in B only"),
        ]
        if self.everything:
            rows.append((parts.passing, "in another order, or another before they come again"))
        for keys, what in rows:
            if keys.count:
                yield f"{indent}{_plural(keys.count, parts.part)} {what}: {keys.text()}"

    def folded(self, diff: Diff) -> Iterator[str]:
        """Yield the number of volatile fields that differ, and a line for each record that has some."""
        if not diff.folded:
            return
        verb = "moves by itself differs" if diff.folded == 1 else "move by themselves differ"
        shows = "shows it" if diff.folded == 1 else "shows them"
        yield self.app.style(
            f"{_plural(diff.folded, 'field')} that {verb}; --all {shows}:", dim=True
        )
        records = [record for _, record in diff.records() if record.folded]
        for record in records[:_FOLDED_RECORDS]:
            yield self.app.style(f"  {record.place.label}  {_folded(record)}", dim=True)
        if len(records) > _FOLDED_RECORDS:
            more = _plural(len(records) - _FOLDED_RECORDS, "more record")
            yield self.app.style(f"  and {more}", dim=True)


def _folded(record: RecordChange) -> str:
    changes = [change for change in record.changes if change.volatile]
    words = []
    for change in changes[:_FOLDED_FIELDS]:
        old = "absent" if change.a is None else change.a.text
        new = "absent" if change.b is None else change.b.text
        words.append(f"{_name(change)} {old} -> {new}")
    if len(changes) > _FOLDED_FIELDS:
        words.append(f"{len(changes) - _FOLDED_FIELDS} more")
    if record.parts is not None and record.parts.passing.count:
        passing = _plural(record.parts.passing.count, record.parts.part)
        words.append(f"{passing} in another order, or another before they come again")
    return ", ".join(words)


def _title(container: ContainerChange) -> str:
    places = []
    for side, place in (("A", container.a), ("B", container.b)):
        if place is None:
            places.append(f"not in {side}")
        else:
            places.append(f"{side}: {' > '.join(place.path)} at {place.offset:#x}")
    return f"{container.format}  {', '.join(places)}"


def _outside(containers: Iterable[ContainerChange]) -> str:
    sides = []
    for side, names in (
        ("A", [each.format for each in containers if each.a is not None]),
        ("B", [each.format for each in containers if each.b is not None]),
    ):
        if names:
            sides.append(f"{', '.join(dict.fromkeys(names))} of {side}")
    return f"not compared, since the other has none: {'; '.join(sides)}"


_WHERE = {
    "body": "body",
    "header": "header",
    "prologue": "prologue",
    "padding": "padding",
    "byteorder": "byte order",
    "format": "format",
    "trailing": "after the last record",
    "unframed": "not framed",
}


def _name(change: ValueChange) -> str:
    if change.field is None:
        return f"({_WHERE[change.where]})"
    return change.field if change.where == "body" else f"{change.where}.{change.field}"


def _offset(value: Any) -> str:
    return " " * 10 if value is None or value.offset is None else f"{value.offset:#010x}"


def _cut(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:160].rpartition(',')[0]}, ..."


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
