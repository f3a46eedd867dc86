"""Tables, bodies field by field, and hex dumps as text."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from domctx_core.cli.app import App
from domctx_core.layout.body import Body
from domctx_core.layout.field import Field
from domctx_core.layout.kinds.aggregates import Array, Nested
from domctx_core.layout.kinds.base import Kind
from domctx_core.layout.kinds.binary import Blob, Reserved
from domctx_core.layout.kinds.variants import BySize, Optional, Switch
from domctx_core.layout.protocol import BodyBase
from domctx_core.layout.spans import with_unit

__all__ = ["body_lines", "hex_dump", "size_text", "table"]

_ROW = 8
"""Numbers of an array that are shown before the rest is only counted."""


def table(app: App, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return aligned columns under bold heads, wrapped to the width of a terminal."""
    import io
    import shutil

    from rich.console import Console
    from rich.table import Table

    colored = app.colored(sys.stdout)
    width = shutil.get_terminal_size().columns if app.terminal(sys.stdout) else 10_000
    page = io.StringIO()
    console = Console(
        file=page, width=width, force_terminal=colored, no_color=not colored, markup=False,
        highlight=False, emoji=False, legacy_windows=False,
    )  # fmt: skip
    grid = Table(box=None, pad_edge=False, header_style="bold" if colored else "")
    for head in heads:
        grid.add_column(head, overflow="fold")
    for row in rows:
        grid.add_row(*row)
    console.print(grid)
    return "\n".join(line.rstrip() for line in page.getvalue().rstrip("\n").split("\n"))


def size_text(size: int) -> str:
    """Return a number of bytes as text, with MiB or GiB beside a large one."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20)):
        if size >= factor:
            return f"{size} bytes ({size / factor:.1f} {unit})"
    return f"{size} bytes"


def hex_dump(raw: bytes | memoryview, start: int, total: int | None = None) -> Iterator[str]:
    """Yield rows of 16 bytes with offset and ASCII; if `total` is larger, the number left out."""
    for row in range(0, len(raw), 16):
        chunk = bytes(raw[row : row + 16])
        cells = chunk[:8].hex(" ") + "  " + chunk[8:].hex(" ")
        ascii_ = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in chunk)
        yield f"{start + row:#010x}  {cells:<48}  {ascii_}"
    if total is not None and total > len(raw):
        yield f"... {total - len(raw)} more bytes"


def body_lines(body: Body, indent: str) -> Iterator[str]:
    """Yield the fields of a body, one a line with aligned names; nested bodies are indented."""
    fields = [
        field for field in _fields(type(body)) if not _blank(field, getattr(body, field.name))
    ]
    summary = body.summary()
    width = max([len(field.name) for field in fields] + [len(name) for name in summary], default=0)
    for field in fields:
        value = getattr(body, field.name)
        yield from _lines(field.kind, value, field.name.ljust(width), indent, field)
    for name, text in summary.items():
        yield f"{indent}{name.ljust(width)}  {text}"


def _fields(body: type[BodyBase]) -> list[Field]:
    return [field for field in body.__layout__.fields if not isinstance(field.kind, Reserved)]


def _blank(field: Field, value: Any) -> bool:
    """Return True if a field is a blob with a default of zeros, and is zero."""
    return type(field.kind) is Blob and value == field.default and not any(value)


def _lines(kind: Kind, value: Any, name: str, indent: str, field: Field) -> Iterator[str]:
    if isinstance(kind, Optional) and kind.present(value) and not isinstance(kind.inner, Reserved):
        kind = kind.inner
    if isinstance(value, Body):
        variant = f"  {kind.name_of(value)}" if isinstance(kind, BySize) else ""
        yield f"{indent}{name.rstrip()}{variant}"
        yield from body_lines(value, indent + "  ")
    elif isinstance(kind, Array) and isinstance(kind.element, (Nested, BySize, Switch)):
        yield from _elements(kind.element, value, name.rstrip(), indent)
    elif isinstance(kind, Array) and len(value) > _ROW:
        head = ", ".join(kind.element.text(item) for item in value[:_ROW])
        yield f"{indent}{name}  {head}, ... ({len(value)} in all)"
    elif isinstance(kind, Switch):
        yield f"{indent}{name}  {'-' if value is None else value.hex()}"
    else:
        yield f"{indent}{name}  {with_unit(kind.text(value), value, field.unit)}"


def _elements(kind: Kind, items: Sequence[Body], name: str, indent: str) -> Iterator[str]:
    """Yield the elements of an array; equal neighbours are shown once."""
    if not items:
        yield f"{indent}{name}  none"
        return
    runs: list[tuple[str, Body]] = []
    first = 0
    while first < len(items):
        last = first
        while last + 1 < len(items) and items[last + 1] == items[first]:
            last += 1
        runs.append((f"[{first}]" if first == last else f"[{first}-{last}]", items[first]))
        first = last + 1
    if isinstance(kind, Nested) and all(_flat(field.kind) for field in _fields(kind.body)):
        yield f"{indent}{name}"
        yield from _rows(kind.body, runs, indent + "  ")
        return
    for label, item in runs:
        yield f"{indent}{name}{label}"
        yield from body_lines(item, indent + "  ")


def _flat(kind: Kind) -> bool:
    return not isinstance(kind, (Nested, Array, BySize, Switch, Optional))


def _rows(body: type[BodyBase], runs: Sequence[tuple[str, Body]], indent: str) -> Iterator[str]:
    """Yield elements without nested fields as a table with a line for each."""
    fields = [f for f in _fields(body) if any(not _blank(f, getattr(i, f.name)) for _, i in runs)]
    rows = [("", *(field.name for field in fields))]
    for label, item in runs:
        values = ((field, getattr(item, field.name)) for field in fields)
        rows.append((label, *(with_unit(f.kind.text(v), v, f.unit) for f, v in values)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield (indent + "  ".join(cells)).rstrip()
