"""The map of an image: bands in the order of its bytes, as a picture can show them.

The smallest record needs 24 bytes and the largest has gigabytes, so the map is drawn twice: a
strip that is true to scale, and beside it bands that are high enough to read, whose height grows
with the logarithm of their size. Each band knows where it is in both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from domctx_core.base.errors import PluginError
from domctx_core.base.problems import Severity
from domctx_core.images.tree import ContainerNode, RecordNode
from domctx_core.reader.splice import ByteRange

__all__ = ["Band", "Map", "Part", "make_map"]

TIMES = "\N{MULTIPLICATION SIGN}"

MAX_BANDS = 240
"""Bands of one map; beyond that neighbours share one."""

_LOWEST = 24.0
"""Height of the lowest band, which still has a line of text."""

_GAP = 2.0


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a band to scale within it: `kind` is header, body, pages or padding.

    `start` and `width` are in per cent of the band.
    """

    kind: str
    size: int
    start: float
    width: float


@dataclass(slots=True)
class Band:
    """One band: a container's head, one record, a run of records, or bytes outside of them.

    `size` is in bytes; of a container it is that of what stands before its records. `count` is how
    many records it stands for. `top` and `height` are where it is drawn, `strip_top` and
    `strip_height` where its bytes are in the strip.
    """

    kind: str
    depth: int
    label: str
    offset: int
    size: int
    count: int
    target: str
    sizes: dict[str, int] = field(default_factory=dict)
    severity: Severity | None = None
    findings: int = 0
    top: float = 0.0
    height: float = _LOWEST
    strip_top: float = 0.0
    strip_height: float = 0.0

    @property
    def end(self) -> int:
        """One past its last byte."""
        return self.offset + self.size

    @property
    def mostly(self) -> str:
        """The kind of part that takes most of its bytes."""
        return max(self.sizes, key=lambda kind: self.sizes[kind], default="header")

    @property
    def parts(self) -> list[Part]:
        """Its parts, to scale, if it has more than one."""
        total = sum(self.sizes.values())
        if total == 0 or self.kind == "container":
            return []
        parts, at = [], 0.0
        for kind, size in self.sizes.items():
            if size:
                width = 100 * size / total
                parts.append(Part(kind, size, at, width))
                at += width
        return parts


@dataclass(frozen=True, slots=True)
class Map:
    """All bands from top to bottom; `scale` is the number of bytes in one pixel of the strip."""

    bands: tuple[Band, ...]
    height: float
    scale: float
    merged: bool


Target = Callable[[RecordNode], str]
"""Where in the page a record is."""


def make_map(
    root: ContainerNode, size: int, target: Target, container_target: dict[ContainerNode, str]
) -> Map:
    """Return the map of all bytes of an image."""
    bands = list(_container(root, 0, target, container_target))
    count = len(bands)
    if count > MAX_BANDS:
        bands = _merged(bands, MAX_BANDS)
    at = 0.0
    for band in bands:
        band.height = _LOWEST + 3 * max(0.0, math.log2(max(band.size, 1) / 64))
        if band.kind == "container":
            band.height = _LOWEST
        band.top = at
        at += band.height + _GAP
    height = max(at - _GAP, _LOWEST)
    for band in bands:
        band.strip_top = height * band.offset / size if size else 0.0
        band.strip_height = height * band.size / size if size else 0.0
    return Map(tuple(bands), height, size / height, count > len(bands))


def _container(
    container: ContainerNode, depth: int, target: Target, targets: dict[ContainerNode, str]
) -> Iterator[Band]:
    here = targets.get(container, "records")
    format = container.level.format
    title = format.title or format.name
    prologue = container.prologue
    yield Band(
        "container", depth, f"{title}{' goes on' if container.resumed else ''}",
        container.start, prologue.length, 0, here,
    )  # fmt: skip
    run: Band | None = None
    type: int | None = None
    for node in container.nodes:
        record = node.record
        if run is not None and (record.type != type or node.content is not None):
            yield run
            run = None
        if run is None:
            run, type = _record(node, depth + 1, target(node)), record.type
        else:
            _join(run, node)
        if node.content is not None:
            yield run
            run = None
            yield from _container(node.content, depth + 1, target, targets)
            if not node.inline and record.padding:
                at = record.end - record.padding
                sizes = {"padding": record.padding}
                yield Band(
                    "bytes", depth + 1, "padding", at, record.padding, 0, target(node), sizes
                )
    if run is not None:
        yield run
    if container.follows is not None:
        yield from _container(container.follows, depth + 1, target, targets)
    for span, label in (
        (container.trailing, "after the last record"),
        (container.unframed, "cannot be read as records"),
    ):
        if span is not None:
            yield _bytes(span, label, depth + 1, here)


def _bytes(span: ByteRange, label: str, depth: int, target: str) -> Band:
    return Band("bytes", depth, label, span.offset, span.length, 0, target, {"stray": span.length})


def _record(node: RecordNode, depth: int, target: str) -> Band:
    record = node.record
    name = record.name or f"type {record.type:#x}"
    if record.instance is not None:
        name += f"[{record.instance}]"
    kind = "record" if record.name else "unknown"
    band = Band(kind, depth, name, record.offset, 0, 0, target)
    _join(band, node)
    band.label = name
    return band


def _join(band: Band, node: RecordNode) -> None:
    """Count one more record of the same type in."""
    record = node.record
    name = record.name or f"type {record.type:#x}"
    band.count += 1
    band.label = f"{band.count:,} {TIMES} {name}"
    sizes = band.sizes
    sizes["header"] = sizes.get("header", 0) + record.header_size
    head = 0
    if record.bulk:
        head = min(_head(node), record.length)
        sizes["body"] = sizes.get("body", 0) + head
        sizes["pages"] = sizes.get("pages", 0) + record.length - head
    elif node.content is not None and not node.inline:
        band.size += record.header_size
        return  # its body is drawn as what it holds
    else:
        sizes["body"] = sizes.get("body", 0) + record.length
    sizes["padding"] = sizes.get("padding", 0) + record.padding
    band.size = record.end - band.offset


def _head(node: RecordNode) -> int:
    try:
        return node.record.head
    except PluginError:  # told as a finding
        return 0


def _merged(bands: Sequence[Band], most: int) -> list[Band]:
    """Merge neighbouring bands until there are at most `most`; containers keep theirs as long as possible."""
    heads = sum(band.kind == "container" for band in bands)
    keep = heads <= most // 2
    share = math.ceil(len(bands) / max(1, most - 2 * heads if keep else most))
    merged: list[Band] = []
    left = 0
    for band in bands:
        if keep and band.kind == "container":
            merged.append(band)
            left = 0
            continue
        if left:
            into = merged[-1]
            into.count += band.count
            into.size = max(into.end, band.end) - into.offset
            into.depth = min(into.depth, band.depth)
            into.kind, into.label = "mixed", f"{into.count:,} records"
            for kind, size in band.sizes.items():
                into.sizes[kind] = into.sizes.get(kind, 0) + size
            left -= 1
        else:
            merged.append(band)
            left = share - 1
    return merged
