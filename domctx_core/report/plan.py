"""What of an image is in a page: each record in full, as a row of a table, or only counted.

A page has to open whatever the image holds, so there is a limit to each of the three.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from domctx_core.base.problems import Finding
from domctx_core.images.tree import ContainerNode, RecordNode
from domctx_core.reader.record import Record

__all__ = ["Item", "Places", "Plan", "What"]

_ROWS = 10
"""Rows of tables for each record in full that is allowed."""


class What(Enum):
    """What an item of the plan adds to the page."""

    CONTAINER = "the head of a container"
    RECORD = "one record in full"
    TABLE = "records in short"
    LEFT_OUT = "records that are only counted"
    BYTES = "bytes of a container that are no records"


@dataclass(slots=True)
class Item:
    """One line of the plan; `id` is where in the page it is."""

    what: What
    container: ContainerNode
    depth: int
    id: str
    nodes: list[RecordNode] = field(default_factory=list)


class Places:
    """Finds records and containers by offset, and numbers them in the order of the bytes.

    `run` says how many records of the same type stand right before a record.
    """

    def __init__(self, root: ContainerNode) -> None:
        self.root = root
        self.container_of: dict[RecordNode, ContainerNode] = {}
        self.numbers: dict[RecordNode, int] = {}
        self.containers: dict[ContainerNode, str] = {}
        self.run: dict[RecordNode, int] = {}
        for what, container, _, node in walk(root):
            if node is not None:
                self.numbers[node] = len(self.numbers)
                self.container_of[node] = container
            elif what is What.CONTAINER:
                self.containers[container] = f"c{len(self.containers)}"
        for container in self.containers:
            place, type = 0, None
            for node in container.nodes:
                place = place + 1 if node.record.type == type else 0
                type = node.record.type
                self.run[node] = place
        self._nodes = list(self.numbers)
        self._starts = [node.record.offset for node in self._nodes]
        self._all = list(self.containers)
        self._container_starts = [container.start for container in self._all]

    def node(self, finding: Finding) -> RecordNode | None:
        """Return the record that a finding is about; None for a container or an incomplete record."""
        at = bisect_right(self._starts, finding.offset) - 1
        if finding.record is None or at < 0:
            return None
        node: RecordNode | None = self._nodes[at]
        while node is not None:
            record = node.record
            if finding.offset < record.end and record.index == finding.record:
                return node
            node = self.container_of[node].parent
        return None

    def starting(self, offset: int) -> RecordNode | ContainerNode | None:
        """Return the record that starts at an offset, or else the container that does."""
        at = bisect_right(self._starts, offset) - 1
        if at >= 0 and self._starts[at] == offset:
            return self._nodes[at]
        at = bisect_right(self._container_starts, offset) - 1
        if at >= 0 and self._container_starts[at] == offset:
            return self._all[at]
        return None

    def container(self, finding: Finding) -> ContainerNode:
        """Return the container that a finding is about, by default the outermost."""
        at = bisect_right(self._container_starts, finding.offset) - 1
        container = self._all[at] if at >= 0 else None
        while container is not None:
            inside = finding.offset <= container.end
            if inside and container.level.path == (finding.container or container.level.path):
                return container
            container = container.outer
        return self.root


class Plan:
    """The items of a page, in the order of the bytes.

    `targets` and `containers` are the ids of what is in the page. In full are at most `limit` records: those with findings (`bad`), then the first ones of each
    run of like records.
    """

    def __init__(
        self,
        places: Places,
        bad: set[RecordNode],
        keep: Callable[[Record], bool] | None,
        limit: int,
    ) -> None:
        numbers = places.numbers
        nodes = [node for node in numbers if keep is None or keep(node.record)]
        full = heapq.nsmallest(
            limit, nodes, key=lambda node: (node not in bad, places.run[node], numbers[node])
        )
        self.limit = limit
        self.kept = len(nodes)
        self.items: list[Item] = []
        self.targets: dict[RecordNode, str] = {}
        self.containers: dict[ContainerNode, str] = {}
        self._rows = _ROWS * limit
        self._lay(places, set(nodes), set(full), max(limit, 1))

    def _lay(
        self, places: Places, kept: set[RecordNode], full: set[RecordNode], containers: int
    ) -> None:
        shown: set[ContainerNode] = set()
        for what, container, depth, node in walk(places.root):
            id = places.containers[container]
            if node is not None:
                if node in kept:
                    self._node(node, container, depth, places, node in full, container in shown)
            elif what is What.CONTAINER:
                if len(shown) < containers:
                    shown.add(container)
                    self.containers[container] = id
                    self.items.append(Item(what, container, depth, id))
            elif container in shown:
                self.items.append(Item(what, container, depth, f"{id}-bytes"))

    def _node(
        self,
        node: RecordNode,
        container: ContainerNode,
        depth: int,
        places: Places,
        full: bool,
        shown: bool,
    ) -> None:
        id = f"r{places.numbers[node]}"
        if shown and full:
            self.items.append(Item(What.RECORD, container, depth, id, [node]))
        else:
            what = What.TABLE if shown and self._rows > 0 else What.LEFT_OUT
            self._rows -= what is What.TABLE
            last = self.items[-1]
            if last.what is not what or (what is What.TABLE and last.container is not container):
                last = Item(what, container, depth, f"t{len(self.items)}")
                self.items.append(last)
            last.nodes.append(node)
            if what is What.LEFT_OUT:
                id = last.id
        self.targets[node] = id

    def count(self, what: What) -> int:
        """Count the records that are in the page in this form."""
        return sum(len(item.nodes) for item in self.items if item.what is what)


_Step = tuple[What, ContainerNode, int, RecordNode | None]


def walk(container: ContainerNode, depth: int = 0) -> Iterator[_Step]:
    """Yield the tree as a flat sequence in the order of the bytes, with the depth of each container."""
    yield What.CONTAINER, container, depth, None
    for node in container.nodes:
        yield What.RECORD, container, depth, node
        if node.content is not None:
            yield from walk(node.content, depth + 1)
    if container.follows is not None:
        yield from walk(container.follows, depth + 1)
    if container.trailing is not None or container.unframed is not None:
        yield What.BYTES, container, depth, None
