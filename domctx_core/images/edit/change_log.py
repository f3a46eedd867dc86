"""Collect the changes of an edit, and add their places in the outcome at the end."""

from __future__ import annotations

from dataclasses import dataclass, replace

from domctx_core.images.edit.drafts import ContainerDraft, RecordDraft
from domctx_core.images.edit.fields import find_in
from domctx_core.images.edit.outcome import EditChange
from domctx_core.layout.field_path import Ref
from domctx_core.reader.sources import Source

__all__ = ["ChangeLog"]


@dataclass(slots=True)
class _Pending:
    """A change whose place in the outcome is not known yet."""

    change: EditChange
    where: RecordDraft | ContainerDraft
    header: int = 0


class ChangeLog:
    """The changes so far, in order. `source` is the input."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._pending: list[_Pending] = []

    def add(
        self, item: RecordDraft, change: EditChange, offset: int | None, index: int | None = -1
    ) -> None:
        """Add a change of a record: at `offset` of the input, where `index` is its index (-1: as it is)."""
        record = item.record
        change = replace(
            change,
            container=item.container.level.path,
            type=record.type,
            name=record.name,
            instance=record.instance,
            record=record.index if index == -1 else index,
            offset=offset,
        )
        self._pending.append(_Pending(change, item))

    def add_header(
        self, draft: ContainerDraft, number: int, change: EditChange, offset: int | None
    ) -> None:
        """Add a change of the body with that number among those before a container's records."""
        change = replace(change, container=draft.level.path, offset=offset)
        self._pending.append(_Pending(change, draft, number))

    def header_fields(self, draft: ContainerDraft) -> set[str | None]:
        """Return the fields that were set before a container's records."""
        return {pending.change.field for pending in self._pending if pending.where is draft}

    def finish(self) -> tuple[EditChange, ...]:
        """Return all changes with their places in the outcome, when that is laid out."""
        return tuple(map(self._placed, self._pending))

    def _placed(self, pending: _Pending) -> EditChange:
        change, where = pending.change, pending.where
        if change.action == "dropped" or where.new_offset is None:
            return change
        if change.field is None:
            return replace(change, new_offset=where.new_offset)
        place: Ref | None
        if isinstance(where, ContainerDraft):
            ranges, start = where.header_ranges(), where.new_offset
            for number, range in enumerate(ranges[: pending.header]):
                start += len(where.headers.get(number, b"")) or range.length
            raw = where.header(pending.header, self.source)
            cls = type(where.level.prologue[pending.header][1])
            place = find_in(cls, raw, where.header_order(self.source), change.field, None)
        else:
            record = where.record
            start = where.new_offset + record.header_size
            raw = bytes(record.raw()) if where.body is None else where.body
            assert record.body_class is not None
            order = record.level.framing.byteorder
            place = find_in(record.body_class, raw, order, change.field, where)
        return replace(change, new_offset=None if place is None else start + place.offset)
