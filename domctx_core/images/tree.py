"""Read an image of any known format into a tree of containers and records that has every byte.

It is built from the walker's flat events, for code that looks at an image more than once: edit, diff,
report. The source must be able to seek; bodies are read when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from domctx_core.base.errors import MisuseError
from domctx_core.base.io import DEFAULT_CAP
from domctx_core.base.problems import Finding
from domctx_core.model.format import Format
from domctx_core.model.formats import Formats
from domctx_core.reader.events import Closed, Fault, Opened, Trailing
from domctx_core.reader.record import OpenContainer, Record
from domctx_core.reader.sources import Source
from domctx_core.reader.splice import ByteRange
from domctx_core.reader.walker import walk
from domctx_core.verification.verifier import Verifier

__all__ = ["ContainerNode", "Image", "RecordNode", "read_image"]


@dataclass(slots=True, eq=False)
class RecordNode:
    """One whole record, and the container that its body is or that follows right after it."""

    record: Record
    content: ContainerNode | None = None

    @property
    def inline(self) -> bool:
        """Return whether `content` follows the record, rather than being its body."""
        content = self.record.content
        return content is not None and content.inline


@dataclass(slots=True, eq=False)
class ContainerNode:
    """One container, or one stretch of it where it was suspended and `resumed`.

    Its bytes are, in this order and without a gap: the prologue (none where it is `resumed`);
    the records, each with its padding and with content that follows it; the container that
    `follows` the prologue of a format without records; what could not be `unframed` or what stands
    after the last record (`trailing`). `unframed` is everything from where the framing broke.
    """

    level: OpenContainer
    resumed: bool
    recognised: bool
    start: int
    end: int
    parent: RecordNode | None = None
    outer: ContainerNode | None = None
    nodes: list[RecordNode] = field(default_factory=list)
    follows: ContainerNode | None = None
    trailing: ByteRange | None = None
    unframed: ByteRange | None = None

    @property
    def prologue(self) -> ByteRange:
        """Return the range of the bodies before the first record."""
        if self.resumed:
            return ByteRange(self.start, 0)
        return ByteRange(self.start, max(0, self.level.records_offset - self.start))

    def walk(self) -> Iterator[ContainerNode]:
        """Yield this container and all that are in it or follow its records, in image order."""
        pending = [self]
        while pending:
            container = pending.pop()
            yield container
            inner = [node.content for node in container.nodes if node.content is not None]
            if container.follows is not None:
                inner.append(container.follows)
            pending += reversed(inner)


@dataclass(slots=True, eq=False)
class Image:
    """A whole input: its outermost container, and the findings of the verifier, if there was one.

    `needs_plugin` is set if something could not be judged for want of a plugin.
    """

    source: Source
    root: ContainerNode
    size: int
    findings: tuple[Finding, ...] = ()
    needs_plugin: bool = False

    def nodes(self) -> Iterator[tuple[ContainerNode, RecordNode]]:
        """Yield every record with its container, in image order of the containers' beginnings."""
        for container in self.root.walk():
            for node in container.nodes:
                yield container, node


def read_image(
    source: Source,
    formats: Formats,
    *,
    verifier: Verifier | None = None,
    format: Format | None = None,
    cap: int = DEFAULT_CAP,
) -> Image:
    """Read the tree of an input; `verifier`, if given, sees it as it is read.

    Never raises for bad bytes: a record that the input does not have whole is part of what is
    `unframed`. Raises `MisuseError` if the source cannot seek.
    """
    if not source.seekable:
        raise MisuseError("a tree is made of an input that can seek")
    size = source.end()
    builder = _Builder()
    findings: list[Finding] = []
    for event in walk(source, formats, format=format, cap=cap):
        if verifier is not None:
            findings += verifier.see(event)
        match event:
            case Opened():
                builder.opened(event)
            case Record():
                builder.record(event)
            case Trailing(_, offset, length):
                builder.stack[-1].trailing = ByteRange(offset, length)
            case Closed():
                builder.closed(event)
            case Fault(level):
                builder.fault(level)
    root = builder.root
    assert root is not None  # the first event is an Opened, or a Fault of the outermost container
    needs_plugin = verifier is not None and verifier.needs_plugin
    return Image(source, root, size, tuple(findings), needs_plugin)


class _Builder:
    """Puts events in their places; `stack` are the containers that are open."""

    def __init__(self) -> None:
        self.end = 0
        self.root: ContainerNode | None = None
        self.stack: list[ContainerNode] = []
        self.node: RecordNode | None = None

    def opened(self, event: Opened) -> None:
        level, resumed, recognised, _ = event
        start = event.offset
        outer = self.stack[-1] if self.stack else None
        parent = self.node if level.parent is not None else None
        container = ContainerNode(level, resumed, recognised, start, start, parent, outer)
        if outer is None:
            self.root = container
        elif parent is None:
            outer.follows = container
        else:
            parent.content = container
        self.stack.append(container)

    def record(self, record: Record) -> None:
        if record.complete:
            self.node = RecordNode(record)
            self.stack[-1].nodes.append(self.node)

    def closed(self, event: Closed) -> None:
        container = self.stack.pop()
        if event.rest:
            container.unframed = ByteRange(event.offset, event.rest)
        end = event.offset + (event.rest or 0)
        if container.trailing is not None:
            end = container.trailing.end
        # a container that broke together with the one inside of it ends where that does
        container.end = self.end = max(self.end, end)

    def fault(self, level: OpenContainer | None) -> None:
        if self.root is None and level is not None:
            self.root = ContainerNode(level, False, True, 0, 0)
            self.stack.append(self.root)
