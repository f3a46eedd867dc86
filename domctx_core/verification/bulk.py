"""Rows of bulk records: one type, of which only the heads are looked at, in a file that can seek.

Of such records `verify` makes no events: header, head and length are looked at where they lie, one
record after the other. What is not plainly right is left to the slow way, which explains it; as with
`Runs`, no fault is found here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from domctx_core.base.errors import PLUGIN_ERRORS
from domctx_core.base.problems import Problem
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.attributes import FIRST
from domctx_core.model.check import Check, RecordView
from domctx_core.model.instance_set import InstanceSet, OrderState
from domctx_core.model.observer import RecordEvent, Watch
from domctx_core.model.overrides import prefers_batch
from domctx_core.model.record_type import RecordType
from domctx_core.model.traits import Traits
from domctx_core.reader.record import OpenContainer, Record, TypeInfo
from domctx_core.reader.sources import Source

__all__ = ["BulkRows"]


class _Kind(NamedTuple):
    """What the records of one type in one container are judged by.

    `longest` is the length that the format allows, `limit` the first instance that the type does not
    have; `checks` are those that want to see the records.
    """

    record_type: RecordType[Any]
    body: type[Body]
    longest: int | None
    limit: int | None
    checks: Sequence[Check]


def _kind(record: Record, checks: Sequence[Check]) -> _Kind | None:
    """None where more is to be said of a record than its head and its length tell."""
    level, found = record.level, record.type_info.record_type
    if found is None or record.type in (level.format.first, level.format.last):
        return None
    traits = Traits.of(found)
    if traits.judged or not (traits.self_contained and traits.loadable):
        return None
    wanting = [check for check in checks if record.type in check.codes - check.first_of_row]
    return _Kind(found, found.body, level.format.max_length, found.instances.limit, wanting)


def _decoder(body: type[Body], byteorder: ByteOrder) -> Callable[[memoryview], Body]:
    """Makes a body of bytes that break no rule, and raises something where they may break one."""
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


def _judge(kind: _Kind, order: ByteOrder) -> Callable[[bytearray, int], Body | None]:
    """Raises something where a head may break a rule, or announces another length than it has.

    Gives the body, where a check wants to see it.
    """
    record_type = kind.record_type
    own, measure, extent = type(record_type), record_type.measure, record_type.extent
    decode = _decoder(kind.body, order)

    def quickly(head: bytearray, length: int) -> None:
        if measure(head, order) != length:
            raise ValueError(length)

    def thoroughly(head: bytearray, length: int) -> Body:
        body = decode(memoryview(bytes(head)))
        if extent(body) not in (None, length):
            raise ValueError(length)
        return body

    if not kind.checks and prefers_batch(own, "measure", "prefix", "body", "extent"):
        return quickly
    return thoroughly


class BulkRows:
    """Takes the bulk records that follow on one that was judged and are of its type.

    `watch` hears of them; `ask` gives what a check has to say of one, and `tell` is called with that.
    """

    def __init__(
        self,
        source: Source,
        cap: int,
        watch: Watch | None,
        ask: Callable[[Check, RecordView], Iterable[Problem]],
        tell: Callable[[OpenContainer, RecordView, Check, Problem], None],
    ) -> None:
        self._source = source
        self._cap = cap
        self._watch = watch or None
        self._ask = ask
        self._tell = tell
        self._kinds: dict[TypeInfo, _Kind | None] = {}

    def after(self, record: Record, standing: OrderState, checks: Sequence[Check]) -> None:
        """Take what is plainly right, and say so in `record.passed`."""
        if self._source.size is None or not record.complete:
            return
        if record.type_info not in self._kinds:
            self._kinds[record.type_info] = _kind(record, checks)
        kind = self._kinds[record.type_info]
        if kind is not None:
            record.passed = self._take(kind, record, standing.instances) - record.end

    def _take(self, kind: _Kind, record: Record, instances: InstanceSet) -> int:
        """Take the records that follow; gives where the last of them ends."""
        read_into, watch, level, code = (
            self._source.read_into,
            self._watch,
            record.level,
            record.type,
        )
        header, order, alignment = level.header, level.framing.byteorder, level.format.alignment
        bound = self._source.size if level.bound is None else level.bound
        assert header is not None
        assert bound is not None
        limit, longest = kind.limit, bound if kind.longest is None else kind.longest
        prefix, judge, cap = kind.record_type.prefix, _judge(kind, order), self._cap
        size, at = header.size, record.end
        front, near = bytearray(size), bytearray(FIRST)
        while at + size <= bound:
            read = read_into(at, (front, near))
            if read < size:
                break
            type, instance, length = header.read(front)
            end = at + size + length
            if type != code or end > bound or length > longest or length % alignment:
                break
            first = length if length < FIRST else FIRST
            if read < size + first:
                break
            body = None
            try:
                want = prefix(bytes(near[:first]), order)
                if want > 0:
                    if want > length or want > cap:
                        break
                    head = near if want == len(near) else near[:want]
                    if want > len(near):
                        head = bytearray(want)
                        read = read_into(at, (front, head))
                    if read < size + want:
                        break
                    body = judge(head, length)
            except PLUGIN_ERRORS:
                break
            if instance is not None and (
                (limit is not None and instance >= limit) or not instances.add(code, instance)
            ):
                break
            if kind.checks:
                name = kind.record_type.name
                seen = RecordView(level.count, at, code, name, instance, length, body)
                for check in kind.checks:
                    for problem in self._ask(check, seen):
                        self._tell(level, seen, check, problem)
            level.count += 1
            if watch is not None:
                watch.see(RecordEvent(code, instance, at, length))
            at = end
            if want != len(near):  # mostly the next one is like this one
                near = bytearray(max(want, FIRST))
        return at
