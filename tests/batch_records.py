"""Bodies of every kind, images of them, and verification with and without batches."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum, IntFlag
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from support import end, start

from domctx_core import (
    ANY,
    Body,
    BufferSource,
    Check,
    Errno,
    FileSource,
    Finding,
    Formats,
    Instances,
    Problem,
    RecordType,
    RecordView,
    Rule,
    Run,
    Severity,
    Source,
    Watch,
    bitmap,
    blob,
    i16,
    nested,
    reserved,
    switch,
    text,
    u8,
    u16,
    u32,
    u64,
    verify,
)
from domctx_core import (
    array as fixed_array,
)
from domctx_core.model.observer import Observer, Operation, RecordEvent
from domctx_core.verification import batches as fast

SETTINGS = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


class Mode(IntEnum):
    OFF = 0
    ON = 1
    AUTO = 2
    ODD = 300


class Kind(IntEnum):
    NONE = 0
    EVEN = 1
    INNER = 2


class Flag(IntFlag):
    A = 1
    B = 4
    HIGH = 0x8000


class Plain(Body):
    """16 bytes of plain numbers but for a range that is not one of single bytes."""

    state: int = u32(minimum=1, maximum=0x1FF)
    a: int = u32()
    b: int = u64()


class Mixed(Body):
    """An enumeration, flags, a sign, reserved bytes; 20 bytes and padding."""

    mode: Mode = u32()
    flags: Flag = u16()
    delta: int = i16(minimum=-300, maximum=5)
    pad = reserved(4)
    when: int = u64(maximum=2**40)


class Inner(Body, byteorder="big"):
    low: int = u16(maximum=0x7FF0)
    pad = reserved(1)
    high: int = u8(minimum=1)


class Deep(Body):
    """A body in a body in another byte order, arrays, bytes, text and a bitmap."""

    inner: Inner = nested(Inner)
    modes: list[int] = fixed_array(u8(maximum=3), 5)
    pairs: list[Inner] = fixed_array(Inner, 2)
    name: str = text(3)
    raw: bytes = blob(4)
    bits: Any = bitmap(8)


class Even(Body, trusted_values={"value": range(0x10000), "parity": [0]}):
    """`check` has nothing to say of small values and parity 0."""

    value: int = u32()
    parity: int = u16()

    def check(self) -> Iterable[Problem]:
        if (self.value > 0xFFFFF) != bool(self.parity):
            yield Problem("field-out-of-range", "the parity is wrong", field="parity")


class Union(Body):
    """A union in which a case has a check of its own."""

    kind: Kind = u8()
    pad = reserved(1)
    number: int = u16()
    value: Any = switch("kind", {0: None, 1: Even, 2: Inner}, size=8)


class PlainRecord(RecordType[Plain]):
    code, name, body, instances = 0x10, "PLAIN", Plain, ANY


class MixedRecord(RecordType[Mixed]):
    code, name, body = 0x11, "MIXED", Mixed
    instances: ClassVar[Instances] = Instances(limit=70_000, errno=Errno.ENOSPC)


class DeepRecord(RecordType[Deep]):
    code, name, body = 0x12, "DEEP", Deep


class EvenRecord(RecordType[Even]):
    code, name, body = 0x13, "EVEN", Even
    trusted_values: ClassVar[range | None] = range(3, 1 << 31)

    def judge(self, instance: int | None, body: Even, receiver: Any) -> Iterable[Problem]:
        if instance in (1, 2):
            yield Problem("instance-not-allowed", "neither 1 nor 2", actual=instance)


class UnionRecord(RecordType[Union]):
    code, name, body = 0x14, "UNION", Union


class JudgedRecord(RecordType[Plain]):
    """One that has to be asked each time."""

    code, name, body = 0x15, "JUDGED", Plain

    def judge(self, instance: int | None, body: Plain, receiver: Any) -> Iterable[Problem]:
        if body.a == 7:
            yield Problem("field-out-of-range", "seven", field="a")


class NoteRecord(RecordType[Plain]):
    """One that every record is told of."""

    code, name, body, loadable = 0x16, "NOTED", Plain, False


TYPES: Sequence[type[RecordType[Any]]] = (
    PlainRecord, MixedRecord, DeepRecord, EvenRecord, UnionRecord, JudgedRecord, NoteRecord,
)  # fmt: skip


BODIES = {each.code: each.body for each in TYPES}


SEVEN = Rule("runs/seven", Severity.WARNING, None, "seven", "m", "a", "e")


RISE = Rule("runs/rise", Severity.ERROR, Errno.EINVAL, "rise", "m", "a", "e")


class Batched(Check):
    """Has a way for runs; wants PLAIN."""

    codes: ClassVar[frozenset[int]] = frozenset({0x10})
    rules: ClassVar[tuple[Rule, ...]] = (SEVEN, RISE)

    def __init__(self) -> None:
        self.last = self.total = self.count = 0

    def record(self, seen: RecordView) -> Iterable[Problem]:
        if isinstance(seen.body, Plain):
            yield from self._one(seen.body.a, seen.body.b % 2**32, seen.instance or 0)

    def records(self, run: Run) -> Iterable[tuple[int, Problem]]:
        columns = zip(run.column("a"), run.column("b"), run.instances, strict=True)
        for at, (a, b, instance) in enumerate(columns):
            for problem in self._one(a, b % 2**32, instance):
                yield at, problem

    def _one(self, a: int, b: int, instance: int) -> Iterator[Problem]:
        self.total += b + instance
        self.count += 1
        if a == 7:
            yield Problem("runs/seven", f"a is 7, after {self.last}", 4, "a")
        self.last = a

    def end(self) -> Iterable[tuple[RecordView | None, Problem]]:
        yield None, Problem("runs/rise", f"{self.count} records, {self.total}")


class Single(Check):
    """Has a way for single records only; wants UNION."""

    codes: ClassVar[frozenset[int]] = frozenset({0x14})
    rules: ClassVar[tuple[Rule, ...]] = (RISE,)

    def __init__(self) -> None:
        self.seen: list[tuple[int, int, int | None]] = []

    def record(self, seen: RecordView) -> Iterable[Problem]:
        self.seen.append((seen.index, seen.offset, seen.instance))
        return ()

    def end(self) -> Iterable[tuple[RecordView | None, Problem]]:
        yield None, Problem("runs/rise", str(hash(tuple(self.seen))))


@contextmanager
def constants(**values: int) -> Iterator[None]:
    before = {name: getattr(fast, name) for name in values}
    try:
        for name, value in values.items():
            setattr(fast, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(fast, name, value)


SLOW = {"LEAST": 1 << 62}


EAGER = {"WARM": 0, "PATIENCE": 1}


class Heard(Observer):
    def __init__(self) -> None:
        self.events: list[RecordEvent] = []

    def records(self, batch: Sequence[RecordEvent]) -> None:
        self.events += batch


Outcome = tuple[list[Finding], list[RecordEvent], bool]


def outcome(
    source: Source, known: Formats, checks: Sequence[type[Check]] = (), **options: Any
) -> Outcome:
    heard, told = Heard(), list[Finding]()
    with Watch([heard], Operation("verify", "it")) as watch:
        verdict = verify(source, known, checks=checks, watch=watch, tell=told.append, **options)
    assert told == list(verdict.findings)
    return told, heard.events, verdict.needs_plugin


def same_both_ways(
    data: bytes, known: Callable[[], Formats], checks: Sequence[type[Check]] = (), **options: Any
) -> Outcome:
    """What is found must not depend on the way, nor on the kind of source."""
    with constants(**SLOW):
        slow = outcome(BufferSource(data), known(), checks, **options)
    with constants(**EAGER):
        assert outcome(BufferSource(data), known(), checks, **options) == slow
        assert outcome(FileSource(io.BytesIO(data)), known(), checks, **options) == slow
        odd = memoryview(b"x" + data)[1:]
        with constants(LEAST=1, FIRST_BLOCK=100, LEAST_BLOCK=100, BLOCK=1000):
            assert outcome(BufferSource(odd), known(), checks, **options) == slow
            stream = FileSource(io.BytesIO(data), stream=True)
            assert outcome(stream, known(), checks, **options) == slow
    assert outcome(BufferSource(data), known(), checks, **options) == slow
    return slow


def record(code: int, instance: int, body: bytes, order: str = "<") -> bytes:
    padding = bytes(-len(body) % 8)
    return struct.pack(order + "IIQ", code, instance, len(body)) + body + padding


def examples(code: int, number: int, order: str) -> list[bytes]:
    rng = random.Random(number)
    made: list[bytes] = []
    while len(made) < 6:
        body = BODIES[code].example(rng)
        if isinstance(body, Even):
            body.value, body.parity = body.value & 0xFFFF, 0
        if isinstance(body, Union) and isinstance(body.value, Even):
            body.value = body.value.replace(value=5, parity=0)
        if not body.problems():
            made.append(body.to_bytes("little" if order == "<" else "big"))
    return made


CODES = tuple(BODIES)


class Counted(BufferSource):
    """Counts what is asked for: by the slow way, and by looks for a run."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.slow = self.looks = 0

    def at(self, offset: int, size: int) -> memoryview:
        self.slow += 1
        return super().at(offset, size)

    def ready(self, offset: int, size: int) -> bytes:
        self.looks += 1
        return bytes(super().at(offset, size))


def rows(count: int, *codes: int, order: str = "<", jumble: bool = False) -> bytes:
    rng = random.Random(4)
    bodies = {code: examples(code, 1, order) for code in codes}
    out = []
    for number in range(count):
        code = rng.choice(codes) if jumble else codes[number % len(codes)]
        out.append(record(code, number + 3, rng.choice(bodies[code]), order))
    return b"".join(out)


def plain(count: int, order: str = "<") -> bytes:
    return start(order=order) + rows(count, 0x10, order=order) + end(order=order)
