"""The containers and records of a page, each made when the page comes to it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from domctx_core.base.errors import PLUGIN_ERRORS
from domctx_core.images.tree import ContainerNode, RecordNode
from domctx_core.layout.body import Body, Empty
from domctx_core.model.registry import Provider
from domctx_core.reader.record import Record
from domctx_core.reader.sources import Source
from domctx_core.report.blocks import (
    Block,
    Bytes,
    Container,
    LeftOut,
    Marked,
    RecordCard,
    Table,
    TableRow,
)
from domctx_core.report.dump import make_dump
from domctx_core.report.fields import DUMPED, FIELDS, description, facts_of, make_fields, short_text
from domctx_core.report.plan import Item, Places, Plan, What

__all__ = ["Cards"]

_FIELDS_EACH = 150
"""Fields of all records together, for each record in full that is allowed."""

_OPEN = 3
"""Records of a run of like ones that stand open; the others are one line until they are opened."""


class Cards:
    """Makes the blocks of a plan.

    `marked` has the findings by the id of the place in the page, `of_node` by record. `warn` is
    called with each record that a plugin raised at, and what it raised.
    """

    def __init__(
        self,
        source: Source,
        places: Places,
        plan: Plan,
        marked: Mapping[str, Sequence[Marked]],
        of_node: Mapping[RecordNode, Sequence[Marked]],
        warn: Callable[[Record, BaseException], None],
    ) -> None:
        self.source = source
        self.places = places
        self.plan = plan
        self.marked = marked
        self.of_node = of_node
        self.warn = warn
        self.fields_left = _FIELDS_EACH * max(plan.limit, 1)

    def __iter__(self) -> Iterator[Block]:
        for item in self.plan.items:
            match item.what:
                case What.CONTAINER:
                    yield self.container(item)
                case What.RECORD:
                    yield self.card(item)
                case What.TABLE:
                    yield self.table(item)
                case What.LEFT_OUT:
                    yield self.left_out(item)
                case What.BYTES:
                    yield from self.bytes(item)

    def container(self, item: Item) -> Container:
        """Return the head of a container, with its prologue."""
        node = item.container
        level = node.level
        header = []
        marked = tuple(self.marked.get(item.id, ()))
        if level.prologue and not node.resumed:
            ends = [*(offset for offset, _ in level.prologue[1:]), level.records_offset]
            for number, ((offset, body), end) in enumerate(zip(level.prologue, ends, strict=True)):
                raw = bytes(self.source.at(offset, min(DUMPED, end - offset)))
                id = f"{item.id}h{number}"
                fields, marked = make_fields(id, body, raw, offset, end - offset, marked)
                header.append(fields)
        return Container(
            item.id, item.depth, level.format.title or level.format.name, level.format.name,
            level.framing.version, level.framing.byteorder, node.resumed, node.recognised,
            node.start, node.end - node.start, len(node.nodes), tuple(header), marked,
        )  # fmt: skip

    def card(self, item: Item) -> RecordCard:
        """Return one record in full: its fields beside its bytes."""
        node = item.nodes[0]
        record = node.record
        marked = tuple(self.of_node.get(node, ()))
        body, size, note = self.body(record), record.length, ""
        decoded = body
        if node.content is not None and not node.inline:
            decoded, size, note = None, 0, "Its body is the container that follows."
        elif record.bulk:
            size = min(size, record.head) if body is not None else 0
            note = f"{record.length - size:,} bytes of pages are not in this report."
        padding = record.padding if size == record.length else 0
        raw = bytes(record.raw(min(size, DUMPED)))
        if padding and len(raw) == size:
            raw += record.padding_raw
        at, short = record.body_offset, ""
        facts: tuple[tuple[str, str], ...] = ()
        try:
            most = min(FIELDS, self.fields_left)
            fields, rest = make_fields(
                item.id, decoded, raw, at, size + padding, marked, padding, most
            )
            self.fields_left -= len(fields.rows)
            facts, short = self.summary(body)
        except PLUGIN_ERRORS as error:
            self.warn(record, error)
            fields, rest = make_fields(item.id, None, raw, at, size + padding, marked, padding)
        return RecordCard(
            item.id, item.depth, record.index, type_name(record), record.name is not None,
            record.instance, record.type, record.offset, record.length, record.padding,
            _provider(record), self.description(record, body), note, short, facts,
            fields, rest, self.places.run[node] >= _OPEN and not marked,
        )  # fmt: skip

    def table(self, item: Item) -> Table:
        """Return adjacent records in short."""
        first = item.nodes[0].record
        same = all(node.record.type == first.type for node in item.nodes)
        what = f"{type_name(first)} " if same else ""
        title = f"{len(item.nodes):,} more {what}records"
        return Table(item.id, item.depth, title, map(self.row, item.nodes))

    def row(self, node: RecordNode) -> TableRow:
        """Return one record in short."""
        record = node.record
        short = ""
        try:
            _, short = self.summary(self.body(record))
        except PLUGIN_ERRORS as error:
            self.warn(record, error)
        name = type_name(record)
        if record.instance is not None:
            name += f"[{record.instance}]"
        return TableRow(
            self.plan.targets[node], record.index, name, record.offset, record.length, short,
            tuple(self.of_node.get(node, ())),
        )  # fmt: skip

    def left_out(self, item: Item) -> LeftOut:
        """Return records that are only counted."""
        counts: Counter[str] = Counter()
        instances: dict[str, tuple[int, int]] = {}
        marked: list[Marked] = []
        for node in item.nodes:
            record = node.record
            name = type_name(record)
            counts[name] += 1
            if record.instance is not None:
                low, high = instances.get(name, (record.instance, record.instance))
                instances[name] = min(low, record.instance), max(high, record.instance)
            marked += self.of_node.get(node, ())
        types = tuple((name, count, instances.get(name)) for name, count in counts.items())
        return LeftOut(item.id, item.depth, len(item.nodes), types, tuple(marked))

    def bytes(self, item: Item) -> Iterator[Bytes]:
        """Yield bytes of a container that are no records."""
        marked = tuple(self.marked.get(item.id, ()))
        node: ContainerNode = item.container
        for id, span, title in (
            (item.id, node.trailing, "Bytes after the last record"),
            (item.id, node.unframed, "Bytes that cannot be read as records"),
        ):
            if span is not None:
                raw = bytes(self.source.at(span.offset, min(DUMPED, span.length)))
                dump = make_dump(raw, span.offset, (), span.length - len(raw))
                yield Bytes(id, item.depth, title, span.offset, span.length, dump, marked)

    def body(self, record: Record) -> Body | None:
        """Return the body; None if it cannot be decoded, which a finding reports."""
        try:
            decoded = record.decoded
        except PLUGIN_ERRORS:
            return None
        return None if decoded is None else decoded.body

    def description(self, record: Record, body: Body | None) -> str:
        """Return the docstring of the body, or else that of the record type."""
        if body is None:
            return ""
        if isinstance(body, Empty) and record.entry is not None:
            return description(type(record.entry.record_type))
        return description(type(body))

    def summary(self, body: Body | None) -> tuple[tuple[tuple[str, str], ...], str]:
        """Return a body's summary, and its values in short."""
        if body is None:
            return (), ""
        facts = facts_of(body)
        return facts, short_text(body, facts)


def type_name(record: Record) -> str:
    """Return the name of a record's type, or its code if the type is unknown."""
    return record.name or f"type {record.type:#x}"


def _provider(record: Record) -> Provider | None:
    with contextlib.suppress(*PLUGIN_ERRORS):  # two may claim the type: a finding says so
        return None if record.entry is None else record.entry.provider
    return None
