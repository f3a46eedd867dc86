"""Record types for runs, and comparisons of runs with single records."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from support import rec

from domctx_core import (
    Body,
    Domain,
    DomainError,
    DomctxError,
    Errno,
    Instances,
    LoadContext,
    LoadOps,
    MemoryLoadOps,
    Observer,
    Operation,
    Problem,
    RecordEvent,
    RecordType,
    Registry,
    Watch,
    load_domain,
    reserved,
    u8,
    u16,
    u32,
)
from domctx_core.engine.sim_domain import SimDomain


class Reading(Body):
    """5 bytes, so that there is padding."""

    kind: int = u8(maximum=9)
    value: int = u32()


class Wide(Body):
    """16 bytes with a rule and a gap."""

    state: int = u32(maximum=6)
    low: int = u16()
    pad = reserved(2)
    a: int = u32()
    b: int = u32()


class ReadingType(RecordType[Reading]):
    code, name, body = 0x100, "READING", Reading


class WideType(RecordType[Wide]):
    code, name, body = 0x101, "WIDE", Wide
    instances: ClassVar[Instances] = Instances(limit=5000, errno=Errno.ENOSPC)


class Tail(Body):
    """Sees each record: `judge` has an opinion."""

    value: int = u32()


class TailType(RecordType[Tail]):
    code, name, body = 0x102, "TAIL", Tail

    def judge(self, instance: int | None, body: Tail, receiver: Any) -> Iterable[Problem]:
        if body.value == 13:
            yield Problem("field-out-of-range", "13", 0, "value", actual=13)


class EachType(RecordType[Tail]):
    """Sees each record: `load` is its own."""

    code, name, body = 0x103, "EACH", Tail

    def load(self, domain: Domain, context: LoadContext) -> None:
        instance, body = context.read(self)
        if body.value == 17:
            raise DomainError("not 17", errno=Errno.EFAULT)
        domain.write(Tail, instance, body.replace(value=(body.value + 1) % 2**32))


RUN_TYPES = (ReadingType, WideType, TailType)


class Plain(LoadOps):
    """A caller's own ops: nothing can be looked at ahead, so that each record is taken alone."""

    def __init__(self, data: bytes) -> None:
        self.stream = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self.stream.read(size)


class Log(Observer):
    """Keeps all events."""

    def __init__(self) -> None:
        self.events: list[RecordEvent] = []

    def records(self, batch: Sequence[RecordEvent]) -> None:
        self.events += batch


def outcome(
    domain: Domain, ops: LoadOps, known: Registry, **options: Any
) -> tuple[Any, list[RecordEvent]]:
    """All that can be seen of a load: the result or the error, and what observers hear."""
    log = Log()
    watch = Watch([log], Operation("load", "x"))
    try:
        with watch:
            result = load_domain(domain, ops, known, watch=watch, **options)
        seen: Any = (result.records, result.consumed, result.changes, result.byteorder)
    except DomctxError as error:
        seen = (
            type(error), error.message, error.rule, error.errno, error.offset, error.record,
            error.type, error.type_name, error.instance, error.field, error.expected,
            error.actual, str(error.provider), error.hint, getattr(error, "__notes__", []),
        )  # fmt: skip
    return seen, log.events


def both_ways(data: bytes, known: Registry, make: Any = SimDomain, **options: Any) -> Any:
    """Load one image in runs and record by record, and compare; gives what came of it."""
    one, other = make(known), make(known)
    fast = outcome(one, MemoryLoadOps(data), known, **options)
    slow = outcome(other, Plain(data), known, **options)
    assert fast == slow
    assert one.to_json() == other.to_json()
    return fast[0], one


def readings(count: int, first: int = 0, order: str = "<", step: int = 1) -> list[bytes]:
    return [
        rec(0x100, first + i * step, struct.pack(order + "BI", i % 10, i * 7), order=order)
        for i in range(count)
    ]


def wides(count: int, first: int = 0, order: str = "<") -> list[bytes]:
    return [
        rec(0x101, first + i, struct.pack(order + "IHHII", i % 7, i, 0, i, 2**32 - 1), order=order)
        for i in range(count)
    ]


def tails(code: int, count: int, first: int = 0, order: str = "<") -> list[bytes]:
    return [
        rec(code, first + i, struct.pack(order + "I", 100 + i), order=order) for i in range(count)
    ]
