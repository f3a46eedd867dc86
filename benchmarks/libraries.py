"""Contestants that describe the images to a library for binary layouts.

Each is asked to check what it can say in its description, and every number of every record is then
looked at. None of them looks for records that are there twice.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, BinaryIO

from benchmarks.child import Run
from benchmarks.codes import BLOB, CLOCK, FLAGS, SMALL, WIDE
from benchmarks.inputs import MASK

__all__ = ["construct", "construct_compiled", "cstruct", "kaitai"]


def _read(run: Run, parse: Callable[[BinaryIO], Iterable[tuple[int, int, int]]]) -> dict[str, int]:
    """Time `parse`, which gives code, instance and the sum of the fields of each record."""
    large = run.arguments.get("large", False)
    data = b"" if large else run.data()
    records = instances = fields = 0
    with run.timed(), open(run.path, "rb") if large else io.BytesIO(data) as file:
        for code, instance, total in parse(file):
            if code > 1:
                records += 1
                instances += instance
                fields += total
        size = file.tell()
    totals = {"records": records, "bytes": size, "instances": instances & MASK}
    return totals if large else {**totals, "fields": fields & MASK}


# -------------------------------------------------------------------------------------------- Kaitai


def kaitai(run: Run) -> dict[str, int]:
    """Kaitai Struct: a reader generated from a description."""
    stream: Any = import_module("kaitaistruct").KaitaiStream
    made: Any = import_module("benchmarks.kaitai.domain_context").DomainContext

    def total(body: Any) -> int:
        match body:
            case made.Small():
                return int(body.mode.value + body.level + body.ticks)
            case made.Channel():
                sum_ = body.state.value + body.vcpu + body.flags + body.priority + body.consumer
                match body.binding:
                    case made.Unbound():
                        return int(sum_ + body.binding.domid)
                    case made.Interdomain():
                        return int(sum_ + body.binding.domid + body.binding.port)
                    case made.Pirq():
                        return int(sum_ + body.binding.number + body.binding.share)
                    case made.Virq():
                        return int(sum_ + body.binding.number)
                return int(sum_)
            case made.Clock():
                return int(body.mode.value + body.khz + body.nsec + body.incarnation)
            case made.FlagWord():
                return int(body.flags + body.value)
            case made.Wide():
                return int(body.a + body.b + body.c + body.d)
        return 0

    def parse(file: BinaryIO) -> Iterable[tuple[int, int, int]]:
        for record in made(stream(file)).records:
            yield record.code, record.instance, total(record.body)

    return _read(run, parse)


# ----------------------------------------------------------------------------------- dissect.cstruct


CSTRUCT = """
struct header { uint32 type; uint32 instance; uint64 length; };
struct start { uint32 major; uint32 minor; };
struct small { uint32 mode; uint16 level; uint16 zero; uint64 ticks; };
struct clock { uint32 mode; uint32 khz; uint64 nsec; uint32 incarnation; };
struct flags { uint32 flags; uint32 value; };
struct wide { uint64 a; uint64 b; uint64 c; uint64 d; };
struct peer { uint16 domid; uint16 gap; uint32 port; uint64 rest; };
struct interrupt { uint32 number; uint32 share; uint64 rest; };
struct channel {
    uint32 state; uint32 vcpu; uint32 flags; uint8 priority; uint8 consumer; uint16 zero;
    union { struct peer peer; struct interrupt interrupt; uint8 raw[16]; } u;
};
"""


def cstruct(run: Run) -> dict[str, int]:
    """dissect.cstruct: the layouts are C source, the rules are ours."""
    c: Any = import_module("dissect.cstruct").cstruct(endian="<")
    c.load(CSTRUCT, compiled=True)

    def need(right: bool) -> None:
        if not right:
            raise ValueError("a rule is broken")

    def small(b: Any) -> int:
        need(b.mode <= 2 and b.level <= 1000 and not b.zero)
        return int(b.mode + b.level + b.ticks)

    def clock(b: Any) -> int:
        need(b.mode <= 2)
        return int(b.mode + b.khz + b.nsec + b.incarnation)

    def flags(b: Any) -> int:
        need(b.flags <= 7)
        return int(b.flags + b.value)

    def wide(b: Any) -> int:
        return int(b.a + b.b + b.c + b.d)

    def channel(b: Any) -> int:
        need(b.flags <= 7 and b.priority <= 15 and b.consumer <= 5 and not b.zero)
        total = b.state + b.vcpu + b.flags + b.priority + b.consumer
        state, peer, interrupt = b.state, b.u.peer, b.u.interrupt
        if state == 1:
            need(not (peer.gap or peer.port or peer.rest))
            return int(total + peer.domid)
        if state == 2:
            need(not (peer.gap or peer.rest) and peer.port)
            return int(total + peer.domid + peer.port)
        if state == 3:
            need(interrupt.share <= 1 and not interrupt.rest)
            return int(total + interrupt.number + interrupt.share)
        need(state == 5 and not (interrupt.number or interrupt.share or interrupt.rest))
        return int(total)

    kinds = {
        SMALL: (c.small, 16, small), CLOCK: (c.clock, 20, clock), FLAGS: (c.flags, 8, flags),
        WIDE: (c.wide, 32, wide), 5: (c.channel, 32, channel), 1: (c.start, 8, lambda b: 0),
    }  # fmt: skip

    def parse(file: BinaryIO) -> Iterable[tuple[int, int, int]]:
        header = c.header
        while True:
            head = header(file)
            if head.type in kinds:
                kind, length, judge = kinds[head.type]
                need(head.length == length)
                yield head.type, head.instance, judge(kind(file))
            else:
                need(head.type in (0, 4, BLOB))
                need(len(file.read(head.length)) == head.length)
                yield head.type, head.instance, 0
            padding = file.read(-head.length % 8)
            need(not any(padding))
            if head.type == 0:
                return

    return _read(run, parse)


# ----------------------------------------------------------------------------------------- construct


def construct(run: Run) -> dict[str, int]:
    """construct, interpreted."""
    return _construct(run, compiled=False)


def construct_compiled(run: Run) -> dict[str, int]:
    """construct, compiled."""
    return _construct(run, compiled=True)


def _construct(run: Run, compiled: bool) -> dict[str, int]:
    k: Any = import_module("construct")
    this = k.this

    def zeros(size: int) -> Any:
        return k.Const(bytes(size))

    def at_most(form: Any, most: int) -> Any:
        # what the compiler of construct takes; ExprValidator it does not
        return form if compiled else k.ExprValidator(form, lambda obj, _: obj <= most)

    u16, u32, u64 = k.Int16ul, k.Int32ul, k.Int64ul
    small = k.Struct(
        "mode" / at_most(u32, 2), "level" / at_most(u16, 1000), zeros(2), "ticks" / u64
    )
    clock = k.Struct("mode" / at_most(u32, 2), "khz" / u32, "nsec" / u64, "incarnation" / u32)
    flags = k.Struct("flags" / at_most(u32, 7), "value" / u32)
    wide = k.Struct("a" / u64, "b" / u64, "c" / u64, "d" / u64)
    channel = k.Struct(
        "state" / u32, "vcpu" / u32, "flags" / at_most(u32, 7), "priority" / at_most(k.Int8ul, 15),
        "consumer" / at_most(k.Int8ul, 5), zeros(2),
        "binding" / k.Switch(this.state, {
            1: k.Struct("domid" / u16, zeros(14)),
            2: k.Struct("domid" / u16, zeros(2), "port" / u32, zeros(8)),
            3: k.Struct("number" / u32, "share" / at_most(u32, 1), zeros(8)),
            4: k.Struct("number" / at_most(u32, 23), zeros(12)),
            5: k.Struct(zeros(16)),
        }, default=k.Error),
    )  # fmt: skip
    bodies = {
        1: k.Struct("major" / u32, "minor" / u32),
        5: channel, SMALL: small, CLOCK: clock, FLAGS: flags, WIDE: wide,
    }  # fmt: skip
    record = k.Struct(
        "type" / u32, "instance" / u32, "length" / u64,
        "body" / k.Switch(this.type, bodies, default=k.Bytes(this.length)),
        "padding" / k.Bytes((8 - this.length % 8) % 8),
    )  # fmt: skip
    if compiled:
        record = record.compile()

    def numbers(container: Any) -> int:
        total = 0
        for key, value in container.items():
            if isinstance(value, int):
                total += value
            elif key == "binding":
                total += numbers(value)
        return total

    def parse(file: BinaryIO) -> Iterable[tuple[int, int, int]]:
        while True:
            made = record.parse_stream(file)
            if any(made.padding):
                raise ValueError("padding")
            body = made.body
            yield made.type, made.instance, 0 if isinstance(body, bytes) else numbers(body)
            if made.type == 0:
                return

    return _read(run, parse)
