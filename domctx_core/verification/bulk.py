"""Bulk records in a row: one type, of which only the heads are looked at, in a file that can seek.

Header, head and length are looked at where they are, one record after the other, and nothing else is
read. A record of which it is not certain that it breaks no rule ends the row: it is judged by
itself, which is where faults are found and explained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from domctx_core.base.errors import PLUGIN_ERRORS, InputOutputError
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.attributes import FIRST
from domctx_core.model.check import Check
from domctx_core.model.instance_set import InstanceSet
from domctx_core.model.observer import RecordEvent
from domctx_core.model.overrides import prefers_batch
from domctx_core.model.record_type import RecordType
from domctx_core.model.record_view import RecordView
from domctx_core.model.traits import Traits
from domctx_core.reader.record import OpenContainer, Record, TypeInfo
from domctx_core.reader.sources import Source
from domctx_core.verification.state import ContainerState, ValidBatch

__all__ = ["BulkScanner"]

MOST_VIEWS = 64
"""Records in a batch where checks or observers want to know of each: their heads are in memory."""


class _BulkPlan(NamedTuple):
    """What the bulk records of one type in one container are judged by.

    `longest` is the length that the format allows, `limit` the first instance that the type does not
    have; `checks` are those that want to see the records.
    """

    record_type: RecordType[Any]
    body: type[Body]
    longest: int | None
    limit: int | None
    checks: Sequence[Check]


def _plan(record: Record, checks: Iterable[Check]) -> _BulkPlan | None:
    """Return the plan of a record's type; None where more than head and length decide."""
    level, record_type = record.level, record.type_info.record_type
    if record_type is None or record.type in (level.format.first, level.format.last):
        return None
    traits = Traits.of(record_type)
    if traits.judged or not (traits.self_contained and traits.loadable):
        return None
    wanting = [check for check in checks if record.type in check.codes - check.first_of_row]
    longest, limit = level.format.max_length, record_type.instances.limit
    return _BulkPlan(record_type, record_type.body, longest, limit, wanting)


def _decoder(body: type[Body], byteorder: ByteOrder) -> Callable[[memoryview], Body]:
    """Return a function that makes bodies of valid bytes, and raises for any that may be invalid."""
    own = getattr(body.inspect, "__func__", None) is getattr(Body.inspect, "__func__", None)
    made = body.__layout__.decoders.get(byteorder) if own else None
    if made is not None:
        return made

    def decode(raw: memoryview) -> Body:
        decoded, problems, _ = body.inspect(raw, byteorder)
        if decoded is None or problems:
            raise ValueError(problems)
        return decoded

    return decode


def _judge(plan: _BulkPlan, order: ByteOrder) -> Callable[[bytearray, int], Body | None]:
    """Return a function that raises where a head may break a rule, or announces another length.

    It returns the body where a check wants to see it.
    """
    record_type = plan.record_type
    own, measure, extent = type(record_type), record_type.measure, record_type.extent
    decode = _decoder(plan.body, order)

    def quickly(head: bytearray, length: int) -> None:
        if measure(head, order) != length:
            raise ValueError(length)

    def thoroughly(head: bytearray, length: int) -> Body:
        body = decode(memoryview(bytes(head)))
        if extent(body) not in (None, length):
            raise ValueError(length)
        return body

    if not plan.checks and prefers_batch(own, "measure", "prefix", "body", "extent"):
        return quickly
    return thoroughly


class BulkScanner:
    """Takes the bulk records that follow on one of their type, in batches.

    `states` are those of the containers that are judged; `watched` is true where batches need
    events.
    """

    def __init__(
        self,
        source: Source,
        cap: int,
        states: Mapping[OpenContainer, ContainerState],
        watched: bool,
    ) -> None:
        self._source = source
        self._cap = cap
        self._states = states
        self._watched = watched
        self._plans: dict[TypeInfo, _BulkPlan | None] = {}

    def after(self, record: Record) -> Iterable[ValidBatch]:
        """Yield the records after one, in batches, up to the first that has to be judged by itself."""
        if self._source.size is None:
            return ()
        state = self._states[record.level]
        if record.type_info not in self._plans:
            self._plans[record.type_info] = _plan(record, state.checks)
        plan = self._plans[record.type_info]
        return () if plan is None else self._scan(plan, record, state.order.instances)

    def _scan(
        self, plan: _BulkPlan, record: Record, instances: InstanceSet
    ) -> Iterator[ValidBatch]:
        source, cap, level, code = self._source, self._cap, record.level, record.type
        read_into, watched, checks = source.read_into, self._watched, plan.checks
        header, order, alignment = level.header, level.framing.byteorder, level.format.alignment
        bound = source.size if level.bound is None else level.bound
        assert header is not None
        assert bound is not None
        limit, longest = plan.limit, bound if plan.longest is None else plan.longest
        prefix, judge, name = plan.record_type.prefix, _judge(plan, order), plan.record_type.name
        size, offset, start = header.size, record.end, record.end
        index = first = record.index + 1
        views: list[RecordView] = []
        events: list[RecordEvent] = []
        front, near = bytearray(size), bytearray(FIRST)
        while offset + size <= bound:
            try:
                read = read_into(offset, (front, near))
            except InputOutputError:
                break  # it is raised again where the record is read by itself
            if read < size:
                break
            type, instance, length = header.read(front)
            end = offset + size + length
            if type != code or end > bound or length > longest or length % alignment:
                break
            looked = length if length < FIRST else FIRST
            if read < size + looked:
                break
            body = None
            try:
                want = prefix(bytes(near[:looked]), order)
                if want > 0:
                    if want > length or want > cap:
                        break
                    head = near if want == len(near) else near[:want]
                    if want > len(near):
                        head = bytearray(want)
                        read = read_into(offset, (front, head))
                    if read < size + want:
                        break
                    body = judge(head, length)
            except PLUGIN_ERRORS:
                break
            if instance is not None and (
                (limit is not None and instance >= limit) or not instances.add(code, instance)
            ):
                break
            if checks:
                views.append(RecordView(index, offset, code, name, instance, length, body))
            if watched:
                events.append(RecordEvent(code, instance, offset, length))
            index += 1
            offset = end
            if len(views) == MOST_VIEWS or len(events) == MOST_VIEWS:
                yield ValidBatch(
                    level, first, start, index - first, offset, checks, views=views, events=events
                )
                first, start, views, events = index, offset, [], []
            if want != len(near):  # mostly the next one is like this one
                near = bytearray(max(want, FIRST))
        if index > first:
            yield ValidBatch(
                level, first, start, index - first, offset, checks, views=views, events=events
            )
