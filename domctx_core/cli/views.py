"""The views `--tree`, `--fields` and `--hex` of `domctx show`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from domctx_core.base.text import ranges_of, ranges_text
from domctx_core.cli.app import App
from domctx_core.cli.text import hex_dump
from domctx_core.images.tree import ContainerNode, Image, RecordNode
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.binary import Blob
from domctx_core.layout.spans import FieldSpan, spans
from domctx_core.reader.record import Record

__all__ = ["field_lines", "named_dump", "tree_lines"]

_BYTES = 8
"""Bytes of a field that are shown beside its value."""

_NAME, _VALUE = 40, 32
"""Columns beyond which names and values are not aligned."""

_RANGES = 6
"""Ranges of instances that are named in one line."""


# ------------------------------------------------------------------------------------------ tree


def tree_lines(app: App, image: Image, name: str, keep: Callable[[Record], bool]) -> Iterator[str]:
    """Yield containers and records, one a line, with the size of each, header and padding included.

    Adjacent records of one type are one line, with their number and instances.
    """
    width = max(5, len(str(image.size)))
    yield from _container(app, image.root, f"{name}: ", width, 0, keep)


def _line(offset: int, size: int, width: int, depth: int, text: str) -> str:
    return f"{offset:#010x}  {size:>{width}}  {'  ' * depth}{text}"


def _container(
    app: App,
    node: ContainerNode,
    name: str,
    width: int,
    depth: int,
    keep: Callable[[Record], bool],
) -> Iterator[str]:
    format = node.level.format
    title = f"{format.title or format.name}, version {node.level.framing.version}"
    if not node.recognised:
        title = f"no known format; read as {format.title}"
    note = ", goes on" if node.resumed else ""
    size = node.end - node.start
    yield _line(node.start, size, width, depth, name + app.style(title, bold=True) + note)
    row: list[RecordNode] = []
    for each in node.nodes:
        if row and not _alike(row[-1], each):
            yield _row(app, row, width, depth + 1)
            row = []
        if each.content is None:
            if keep(each.record):
                row.append(each)
            continue
        yield _row(app, [each], width, depth + 1)
        yield from _container(app, each.content, "", width, depth + 2, keep)
    if row:
        yield _row(app, row, width, depth + 1)
    if node.follows is not None:
        yield from _container(app, node.follows, "", width, depth + 1, keep)
    for span, what in ((node.trailing, "after the last record"), (node.unframed, "not framed")):
        if span is not None:
            text = app.style(what, fg="red")
            yield _line(span.offset, span.length, width, depth + 1, text)


def _alike(one: RecordNode, other: RecordNode) -> bool:
    return one.record.type == other.record.type and other.content is None


def _row(app: App, row: Sequence[RecordNode], width: int, depth: int) -> str:
    first = row[0].record
    name = first.name or f"type {first.type:#x} (unknown)"
    if first.instance is not None:
        instances = (node.record.instance or 0 for node in row)
        name += f"[{ranges_text(ranges_of(instances), most=_RANGES)}]"
    size = sum(node.record.end - node.record.offset for node in row)
    count = f" x {len(row)}" if len(row) > 1 else ""
    return _line(first.offset, size, width, depth, app.style(name, fg="cyan", bold=True) + count)


# ---------------------------------------------------------------------------------------- fields


def field_lines(app: App, body: Body, raw: bytes | memoryview, start: int) -> Iterator[str]:
    """Yield the innermost fields of a body: offset, size, name, bytes, value and description of each.

    `raw` are the bytes of the body, at offset `start` of the input; fields that a short body lacks have
    no offset. Equal neighbours in an array are one line.
    """
    fields = list(spans(body, fold=True))
    names = min(_NAME, max((len(span.path) for span in fields), default=0))
    texts = min(_VALUE, max((len(_value(span)) for span in fields), default=0))
    for span in fields:
        if span.size and span.offset >= len(raw):
            at, head, more = "", "beyond the record", ""
        else:
            at = f"{start + span.offset:#010x}"
            head = bytes(raw[span.offset : min(span.end, span.offset + _BYTES)]).hex(" ")
            more = " .." if span.size > _BYTES else "   "
        cells = f"{head}{more}".ljust(3 * _BYTES + 2)
        text = (
            f"{at:10}  {span.size:>5}  {span.path.ljust(names)}"
            f"  {cells}  {_value(span).ljust(texts)}"
        )
        doc = _doc(span)
        yield f"{text}  {app.style(doc, dim=True)}" if doc else text.rstrip()
    end = fields[-1].end if fields else 0
    if end < len(raw):
        rest = bytes(raw[end : end + _BYTES]).hex(" ")
        more = " .." if len(raw) - end > _BYTES else ""
        yield f"{start + end:#010x}  {len(raw) - end:>5}  {'(no field)'.ljust(names)}  {rest}{more}"


def _value(span: FieldSpan) -> str:
    if span.repeats:
        return span.text
    if type(span.kind) is Blob:  # the bytes stand beside it
        return f"{span.size} bytes"
    return "reserved" if span.reserved else span.text


def _doc(span: FieldSpan) -> str:
    if span.repeats:
        return ""
    notes = [span.doc] if span.doc else []
    if span.unit:
        notes.append(f"[{span.unit}]")
    if span.volatile:
        notes.append("(moves by itself)")
    return " ".join(notes)


# ------------------------------------------------------------------------------------------- hex


def named_dump(body: Body, raw: bytes | memoryview, start: int) -> Iterator[str]:
    """Yield a hex dump of a body; each row names the fields that begin in it."""
    fields = iter(spans(body))
    span = next(fields, None)
    for number, row in enumerate(hex_dump(raw, start)):
        names: list[str] = []
        parent = None
        while span is not None and span.offset < min(len(raw), 16 * (number + 1)):
            if span.size:
                above, dot, leaf = span.path.rpartition(".")
                names.append(dot + leaf if above == parent else span.path)
                parent = above
            span = next(fields, None)
        yield f"{row:<78}  {', '.join(names)}".rstrip()
