"""Images to edit, and edits of them in one call."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from environments import ROOT
from support import rec

from domctx_core import (
    Body,
    BufferSource,
    Formats,
    Image,
    RecordType,
    count_of,
    read_image,
    reserved,
    text,
    u32,
    write_chunks,
)
from domctx_core.host.host import Host
from domctx_core.images.edit.editor import edit_image
from domctx_core.images.edit.operations import (
    Drop,
    EditOperation,
    Keep,
    Selector,
    parse_set,
)
from domctx_core.images.edit.outcome import Edit
from domctx_core.images.tree import RecordNode
from domctx_core.layout.kinds.aggregates import Array
from domctx_core.layout.kinds.base import Kind
from domctx_core.layout.kinds.binary import Reserved
from domctx_core.layout.kinds.scalars import Count
from domctx_core.layout.kinds.variants import Optional

CORPUS = sorted((ROOT / "tests/data/corpus").rglob("*.img"))


CAPTURES = sorted(
    [*(ROOT / "examples").rglob("*.no-pages"), *(ROOT / "plugins").glob("*/tests/data/*.no-pages")]
)


SMALL = [path for path in CORPUS if path.stat().st_size < 100_000]


INPUTS = [*CORPUS, *CAPTURES]


PV1 = next(path for path in CAPTURES if path.name == "pv1.save.no-pages")


PVH1 = next(path for path in CAPTURES if path.name == "pvh1.save.no-pages")


TSC = struct.pack("<IIQI", 0, 2400000, 5, 1)


END = rec(0, 0, b"")


@cache
def formats() -> Formats:
    return Host().formats


def tree(data: bytes) -> Image:
    return read_image(BufferSource(data), formats())


def change(data: bytes, *operations: EditOperation | str) -> Edit:
    made = [parse_set(each) if isinstance(each, str) else each for each in operations]
    return edit_image(tree(data), made, formats())


def written(edit: Edit) -> bytes:
    """The outcome's bytes, which are the same read without writing."""
    target = io.BytesIO()
    assert write_chunks(edit.chunks, edit.source, target) == edit.size
    data = target.getvalue()
    assert bytes(edit.outcome().at(0, edit.size + 9)) == data
    return data


def edited(data: bytes, *operations: EditOperation | str) -> bytes:
    return written(change(data, *operations))


def drop(records: str) -> Drop:
    return Drop(Selector.parse(records))


def keep(records: str) -> Keep:
    return Keep(Selector.parse(records))


def shape(image: Image) -> list[tuple[Any, ...]]:
    """Each record that holds no other, with all its bytes but the lengths around it."""
    found = []
    for container, node in image.nodes():
        record = node.record
        body = None if node.content and not node.inline else bytes(record.raw())
        path = container.level.path
        found.append((path, record.type, record.instance, body, record.padding_raw))
    return found


def hvm_context() -> bytes:
    """The HVM context in the PVH guest's stream."""
    nodes = (node for _, node in tree(PVH1.read_bytes()).nodes())
    return bytes(next(n.record for n in nodes if n.record.name == "HVM_CONTEXT").raw())


def leaves(kind: Kind, value: Any, path: str) -> Iterator[tuple[str, Kind, Any]]:
    """Every place in a value that can be set, those of its parts included."""
    yield path, kind, value
    if isinstance(kind, Optional) and kind.present(value) and not isinstance(kind.inner, Reserved):
        kind = kind.inner
    if isinstance(value, Body):
        for name, inner, item in fields(value):
            yield from leaves(inner, item, f"{path}.{name}")
    elif isinstance(kind, Array):
        for number in {0, len(value) // 2, len(value) - 1} if value else ():
            yield from leaves(kind.element, value[number], f"{path}[{number}]")


def fields(body: Body) -> Iterator[tuple[str, Kind, Any]]:
    for field in type(body).__layout__.fields:
        if not isinstance(field.kind, (Reserved, Count)):
            yield field.name, field.kind, getattr(body, field.name)


def as_written(kind: Kind, value: Any) -> str:
    """A value as a user writes it."""
    plain = kind.to_json(value)
    return plain if isinstance(plain, str) else json.dumps(plain)


def settable(image: Image) -> list[tuple[RecordNode, str, Kind, Any]]:
    found = []
    for container, node in image.nodes():
        record = node.record
        if (node.content and not node.inline) or not container.recognised:
            continue
        decoded = record.decoded
        if decoded is not None and decoded.body is not None:
            for name, kind, value in fields(decoded.body):
                found += [(node, *leaf) for leaf in leaves(kind, value, name)]
    return found


@cache
def settable_of(path: Path) -> tuple[Image, list[tuple[RecordNode, str, Kind, Any]]]:
    image = tree(path.read_bytes())
    return image, settable(image)


def selector(node: RecordNode) -> Selector:
    record = node.record
    return Selector(record.type, None, record.index, record.level.path)


class Named(Body):
    """A number, reserved bytes and a name of any length."""

    number: int = u32()
    count: int = count_of("name", init=False)
    pad = reserved(4)
    name: str = text(count="count")


class NamedRecord(RecordType[Named]):
    code, name, body = 0x700, "NAMED", Named


def named(name: bytes, filling: bytes, *, number: int = 1, pad: bytes = bytes(4)) -> bytes:
    body = struct.pack("<II", number, len(name)) + pad + name
    return struct.pack("<IIQ", 0x700, 0, len(body)) + body + filling
