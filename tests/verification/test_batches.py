"""Runs: what is proved many at a time is what would be found one by one."""

from __future__ import annotations

import io
import os
import random
import struct
import threading
import tracemalloc
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum, IntFlag
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pytest
from environments import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import Drip, end, formats, samples, start

from domctx_core import (
    ANY,
    Body,
    BufferSource,
    Check,
    DeclarationError,
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
from domctx_core.authoring.subject import Nonconformity, Subject
from domctx_core.authoring.type_requirements import trusted_values
from domctx_core.host.host import Host
from domctx_core.layout.codegen.regex import body_pattern
from domctx_core.layout.codegen.source import NotApplicable
from domctx_core.layout.columns.arrays import LANES, ascending
from domctx_core.model.instance_set import InstanceSet
from domctx_core.model.observer import Observer, Operation, RecordEvent
from domctx_core.verification import batches as fast

CAPTURES = sorted(
    [
        *(ROOT / "examples").rglob("*.no-pages"),
        *(ROOT / "plugins").glob("*/tests/data/*.no-pages"),
        *(ROOT / "plugins").glob("*/tests/data/*.bin"),
    ]
)
SETTINGS = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

# ------------------------------------------------------------------------- bodies of every kind


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


class Second(Batched):
    """Another one that wants the same records, and has the default way for runs."""

    def records(self, run: Run) -> Iterable[tuple[int, Problem]]:
        return Check.records(self, run)


CHECKS = (Batched, Single, Second)


# --------------------------------------------------------------------------------- both ways


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


@contextmanager
def pipe(data: bytes) -> Iterator[io.FileIO]:
    reading, writing = os.pipe()

    def feed() -> None:
        with open(writing, "wb", buffering=0) as file:
            for at in range(0, len(data), 5000):
                file.write(data[at : at + 5000])

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        with io.FileIO(reading, "rb") as file:
            yield file
            while file.read(1 << 16):
                pass
    finally:
        thread.join()


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


@st.composite
def segment(draw: st.DrawFn, order: str) -> bytes:
    """A uniform run, types that take turns, or any order; instances that ascend, or do not."""
    codes = draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=4))
    rng = random.Random(draw(st.integers(0, 9)))
    count = draw(st.integers(1, 60))
    first, step = draw(st.integers(0, 40)), draw(st.sampled_from([1, 1, 1, 2, 0, -1]))
    jumble = draw(st.booleans())
    bodies = {code: examples(code, draw(st.integers(0, 3)), order) for code in codes}
    out = []
    for number in range(count):
        code = rng.choice(codes) if jumble else codes[number % len(codes)]
        instance = max(0, first + step * (number // (1 if jumble else len(codes))))
        out.append(record(code, instance, rng.choice(bodies[code]), order))
    return b"".join(out)


@st.composite
def images(draw: st.DrawFn) -> bytes:
    order = draw(st.sampled_from("<<>"))
    data = bytearray(start(order=order))
    for _ in range(draw(st.integers(1, 4))):
        data += draw(segment(order))
    data += end(order=order)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 3)):
            case 0:
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case 1:
                del data[at : at + draw(st.integers(1, 24))]
            case 2:
                data[at:at] = draw(st.binary(max_size=40))
            case _:
                del data[max(at, 24) :]
    return bytes(data)


@settings(SETTINGS, max_examples=120)
@given(images(), st.sampled_from([(), CHECKS]), st.sampled_from([1 << 20, 18]))
def test_both_ways_find_the_same(data: bytes, checks: Sequence[type[Check]], cap: int) -> None:
    same_both_ways(data, lambda: formats(TYPES), checks, cap=cap)


def test_both_ways_find_the_same_in_the_corpus() -> None:
    for sample in samples():
        same_both_ways(sample.data, lambda: formats(options=sample.options))  # noqa: B023


@cache
def host() -> Host:
    return Host()


def installed() -> Formats:
    return host().formats


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_both_ways_find_the_same_in_captures(path: Path) -> None:
    data = path.read_bytes()
    same_both_ways(data, installed, host().checks())
    rng = random.Random(path.name)
    for _ in range(4):
        bad = bytearray(data)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        same_both_ways(bytes(bad), installed, host().checks())


# --------------------------------------------------------------------------- the fast way is used


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


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    "codes", [(0x10,), (0x11,), (0x12,), (0x13,), (0x14,), (0x10, 0x11), (0x14, 0x12, 0x11)]
)
@pytest.mark.parametrize("jumble", [False, True])
def test_runs_cycles_and_any_order_are_proved(
    order: str, codes: tuple[int, ...], jumble: bool
) -> None:
    source = Counted(
        start(order=order) + rows(5000, *codes, order=order, jumble=jumble) + end(order=order)
    )
    found = verify(source, formats(TYPES)).findings
    assert [f.rule for f in found] == ["order-not-ascending"] * (len(codes) > 1)
    assert source.slow < 900
    assert source.looks < 400


def test_one_that_is_judged_or_checked_singly_goes_the_slow_way() -> None:
    for code, checks in ((0x15, ()), (0x14, (Single,))):
        source = Counted(start() + rows(500, code) + end())
        verify(source, formats(TYPES), checks=checks)
        assert source.slow > 500


def test_a_fault_in_a_run_is_told_where_it_is() -> None:
    data = bytearray(plain(3000))
    data[24 + 2000 * 32 + 16 : 24 + 2000 * 32 + 20] = bytes(4)
    source = Counted(bytes(data))
    (finding,) = verify(source, formats(TYPES)).findings
    assert (finding.rule, finding.record, finding.instance) == ("field-out-of-range", 2001, 2003)
    assert finding.offset == 24 + 2000 * 32 + 16
    assert source.slow < 300


FAULTS = {
    "padding-not-zero": (39, b"\1"),
    "reserved-not-zero": (16 + 4, b"\2"),
    "field-out-of-range": (16, b"\5"),
    "instance-not-allowed": (6, b"\2"),
    "body-too-short": (8, b"\x13"),
    "body-not-consumed": (8, b"\x15"),
    "unknown-type": (1, b"\x77"),
}


@pytest.mark.parametrize("rule", FAULTS)
def test_each_fault_in_a_run_is_told(rule: str) -> None:
    at, new = FAULTS[rule]
    at += 24 + 700 * 40
    data = bytearray(start() + rows(1000, 0x11) + end())
    data[at : at + len(new)] = new
    found = same_both_ways(bytes(data), lambda: formats(TYPES))[0]
    assert [f.rule for f in found][:1] == [rule]
    assert found[0].record == 701


def test_a_duplicate_far_apart_is_told() -> None:
    data = start() + rows(3000, 0x10) + record(0x10, 1234, examples(0x10, 0, "<")[0]) + end()
    (finding,) = verify(BufferSource(data), formats(TYPES)).findings
    assert (finding.rule, finding.record, finding.instance) == ("duplicate-record", 3001, 1234)


def test_where_nothing_fits_looks_are_few() -> None:
    bad = struct.pack("<IIQ", 0, 1, 1)  # state 0 is out of its range
    source = Counted(start() + b"".join(record(0x10, n, bad) for n in range(3000)) + end())
    verify(source, formats(TYPES))
    assert source.looks < 3000 / 50


@pytest.mark.parametrize("order", "<>")
def test_instances_in_any_order_are_unique_or_told(order: str) -> None:
    body = examples(0x10, 0, order)[0]
    numbers = list(range(4000))
    random.Random(1).shuffle(numbers)
    numbers[3900] = numbers[17]
    data = b"".join(record(0x10, number, body, order) for number in numbers)
    found = verify(
        BufferSource(start(order=order) + data + end(order=order)), formats(TYPES)
    ).findings
    assert [(f.rule, f.record) for f in found] == [("duplicate-record", 3901)]


def test_order_is_judged_between_runs() -> None:
    data = start() + rows(300, 0x11) + rows(300, 0x10) + rows(300, 0x12) + end()
    found = same_both_ways(data, lambda: formats(TYPES))[0]
    assert [(f.rule, f.record) for f in found] == [("order-not-ascending", 301)]


def test_a_check_that_raises_for_a_run_is_its_plugins_fault() -> None:
    class Broken(Batched):
        def records(self, run: Run) -> Iterable[tuple[int, Problem]]:
            raise KeyError("no")

    verdict = verify(BufferSource(plain(500)), formats(TYPES), checks=[Broken])
    assert verdict.needs_plugin
    assert {f.rule for f in verdict.findings} == {"needs-plugin", "runs/rise"}


# ------------------------------------------------------------------------------------ a run itself


@pytest.mark.parametrize("order", "<>")
def test_a_run_gives_columns_and_records(order: str) -> None:
    kept: list[Run] = []

    class Keep(Batched):
        def records(self, run: Run) -> Iterable[tuple[int, Problem]]:
            kept.append(run)
            return ()

    seen: list[RecordView] = []

    class Note(Batched):
        def record(self, each: RecordView) -> Iterable[Problem]:
            seen.append(each)
            return ()

        records = Check.records

    data = plain(700, order)
    verify(BufferSource(data), formats(TYPES))
    with constants(FIRST_BLOCK=4096, BLOCK=4096):
        verify(BufferSource(data), formats(TYPES), checks=[Keep])
    with constants(**SLOW):
        verify(BufferSource(data), formats(TYPES), checks=[Note])
    assert len(kept) > 3
    assert sum(map(len, kept)) == 699
    for run in kept:
        expected = seen[run.index - 1 : run.index - 1 + len(run)]
        assert list(run) == expected
        assert list(run.instances) == [each.instance for each in expected]
        assert list(run.column("a")) == [each.body.a for each in expected]  # type: ignore[union-attr]
        assert list(run.column("b")) == [each.body.b for each in expected]  # type: ignore[union-attr]
        assert run.outline(1).body is None
        with pytest.raises(IndexError):
            run[len(run)]


@pytest.mark.parametrize("order", "<>")
def test_a_pattern_is_made_for_many_records_and_used_for_few(order: str) -> None:
    class Fresh(Plain):
        pass

    class FreshRecord(RecordType[Fresh]):
        code, name, body, instances = 0x10, "FRESH", Fresh, ANY

    kept: list[int] = []

    class Keep(Batched):
        def record(self, seen: RecordView) -> Iterable[Problem]:
            return ()

        def records(self, run: Run) -> Iterable[tuple[int, Problem]]:
            kept.append(len(run))
            return ()

    for count, told in ((50, 0), (300, 200), (50, 49)):
        kept.clear()
        verify(BufferSource(plain(count, order)), formats([FreshRecord]), checks=[Keep])
        assert sum(kept) == told


# --------------------------------------------------------------------------------------- patterns


@settings(SETTINGS, max_examples=300)
@given(st.sampled_from(CODES), st.integers(0, 5), st.sampled_from("<>"), st.data())
def test_a_pattern_matches_good_bodies_only(
    code: int, number: int, order: str, data: st.DataObject
) -> None:
    import re

    name: Any = "little" if order == "<" else "big"
    body = BODIES[code]
    match = re.compile(body_pattern(body, name), re.DOTALL).fullmatch
    for raw in examples(code, number, order):
        assert match(raw)
        changed = bytearray(raw)
        for _ in range(data.draw(st.integers(1, 3))):
            changed[data.draw(st.integers(0, len(raw) - 1))] = data.draw(
                st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 255]))
            )
        problems = body.inspect(bytes(changed), name).problems
        if match(changed):
            assert not problems
        elif not body.__layout__.own_check and body is not Union:
            assert problems


def test_a_check_that_is_not_ordinary_has_no_pattern() -> None:
    class Asked(Even):
        def check(self) -> Iterable[Problem]:
            return ()

    class Heir(Even):
        more: int = u8()

    with pytest.raises(NotApplicable):
        body_pattern(Asked, "little")
    assert body_pattern(Heir, "little")
    with pytest.raises(DeclarationError, match="pad"):
        type("Odd", (Body,), {"pad": reserved(2)}, trusted_values={"pad": [0]})


def test_conformance_asks_whether_what_is_ordinary_is() -> None:
    class Liar(Even, trusted_values={"value": range(1 << 24), "parity": [0]}):
        def check(self) -> Iterable[Problem]:
            return Even.check(self)

    class LiarRecord(RecordType[Liar]):
        code, name, body = 0x17, "LIAR", Liar

    class Partial(EvenRecord):
        trusted_values: ClassVar[range | None] = range(2, 9)

    known = formats(TYPES).registry("domain-context")
    for each in TYPES:
        trusted_values(Subject(each(), known))
    with pytest.raises(Nonconformity, match="the parity is wrong"):
        trusted_values(Subject(LiarRecord(), known))
    with pytest.raises(Nonconformity, match="neither 1 nor 2"):
        trusted_values(Subject(Partial(), known))


# ------------------------------------------------------------------------------------- duplicates


@settings(SETTINGS, max_examples=200)
@given(
    st.lists(
        st.one_of(
            st.integers(0, 400).map(lambda n: range(n, n + 1)),
            st.builds(
                lambda a, n, s: range(a, a + n, s),
                st.integers(0, 400), st.integers(1, 200), st.integers(1, 5),
            ),
            st.lists(st.integers(0, 500), min_size=1).map(lambda n: array("I", sorted(set(n)))),
        ),
        max_size=30,
    ),
    st.lists(st.integers(0, 1), min_size=30, max_size=30),
)  # fmt: skip
def test_duplicates_are_told_as_a_set_would(columns: list[Any], codes: list[int]) -> None:
    known, expected = InstanceSet(), set[tuple[int, int]]()
    for code, column in zip(codes, columns, strict=False):
        above = max((n for c, n in expected if c == code), default=-1)
        if len(column) > 1:
            assert known.add_ascending([(code, column)]) == (column[0] > above)
            if column[0] <= above:
                continue
        else:
            assert known.add(code, column[0]) == ((code, column[0]) not in expected)
        expected |= {(code, number) for number in column}
    for code in (0, 1):
        for number in range(600):
            assert known.add(code, number) == ((code, number) not in expected)


@settings(SETTINGS, max_examples=150)
@given(
    st.lists(
        st.one_of(
            st.lists(st.integers(0, 3000), max_size=40).map(lambda n: array("I", n)),
            st.builds(
                lambda first, count, seed: array(
                    "I", random.Random(seed).sample(range(first, first + 3 * count), count)
                ),
                st.integers(0, 5000), st.integers(1, 2000), st.integers(0, 9),
            ),
            st.builds(
                lambda first, count: array("I", range(first, first + count)),
                st.integers(0, 5000), st.integers(1, 2000),
            ),
        ),
        max_size=8,
    ),
    st.integers(0, 1),
)  # fmt: skip
def test_a_row_in_any_order_is_new_up_to_the_first_that_was_there(
    rows: list[Any], before: int
) -> None:
    known, expected = InstanceSet(), set[int]()
    if before:
        known.add(7, 2500)
        expected.add(2500)
    for row in rows:
        new = 0
        while new < len(row) and row[new] not in expected:
            expected.add(row[new])
            new += 1
        assert known.add_until_duplicate(7, row) == new
    for number in (*range(0, 12_000, 7), *expected):
        assert known.add(7, number) == (number not in expected)
        expected.add(number)


def test_type_codes_without_end_share_what_is_kept() -> None:
    known = InstanceSet()
    pairs = [(code, code % 7) for code in range(10_000)]
    assert all(known.add(*pair) for pair in pairs)
    assert not any(known.add(*pair) for pair in pairs)
    assert all(known.add(code, number + 1) for code, number in pairs)
    assert not known.add_ascending([(70_000, range(5))])


@pytest.mark.parametrize(
    ("numbers", "most"),
    [
        (range(50_000), 0.1),
        (range(0, 100_000, 2), 5),
        (range(50_000, 0, -1), 8),
        (random.Random(2).sample(range(1 << 32), 50_000), 8),
        (random.Random(2).sample(range(90_000), 50_000), 8),
        ([n ^ 1 for n in range(50_000)], 8),
    ],
)
def test_duplicates_take_little_memory(numbers: Sequence[int], most: float) -> None:
    known = InstanceSet()
    tracemalloc.start()
    for number in numbers:
        known.add(3, number)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held <= most * len(numbers)


@settings(SETTINGS, max_examples=300)
@given(
    st.one_of(
        st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=50),
        st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=50).map(sorted),
        st.builds(
            lambda a, n, s: list(range(a, min(a + n * s, 1 << 32), s)),
            st.sampled_from([0, 1, 200, 65_000, 65_536, 2**24 - 9, 2**32 - 300]),
            st.integers(1, 700), st.sampled_from([1, 1, 2, 300]),
        ),
    ),
    st.integers(-1, 800),
    st.sampled_from(["little", "big"]),
)  # fmt: skip
def test_ascending_columns(numbers: list[int], spoil: int, order: Any) -> None:
    if 0 <= spoil < len(numbers):
        numbers[spoil] ^= 1
    for size in (4, 2, 1):
        cut = [number % 256**size for number in numbers]
        raw = b"".join(number.to_bytes(size, order) for number in cut)
        found = ascending([raw[at::size] for at in range(size)], order)
        if all(a < b for a, b in pairwise(cut)):
            assert found is not None
            assert list(found) == cut
        else:
            assert found is None


def test_as_many_as_there_may_be_ascend() -> None:
    raw = array("I", range(60_000, 60_000 + LANES)).tobytes()
    little = raw if array("I", [1]).tobytes()[0] else bytes(reversed(raw))
    columns = [little[at::4] for at in range(4)]
    assert ascending(columns, "little") == range(60_000, 60_000 + LANES)
    columns[0] = columns[0][:-1] + b"\0"
    assert ascending(columns, "little") is None


# ------------------------------------------------------------------------------- sources and blocks


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 2000), st.booleans()), max_size=20))
def test_a_file_gives_what_a_buffer_gives(steps: list[tuple[int, int, bool]]) -> None:
    data = random.Random(5).randbytes(2500)
    file, buffer = FileSource(io.BytesIO(data)), BufferSource(data)
    for offset, size, ahead in steps:
        if ahead:
            assert file.ready(offset, size) == buffer.ready(offset, size)
        else:
            assert file.at(offset, size) == buffer.at(offset, size)


def test_what_a_file_gave_stays_as_it_is() -> None:
    data = random.Random(6).randbytes(1 << 20)
    source = FileSource(io.BytesIO(data))
    kept = [(at, source.at(at, 1000)) for at in range(0, len(data), 5000)]
    assert all(view == data[at : at + 1000] for at, view in kept)


def test_a_pipe_is_not_waited_for() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as file:
        source = FileSource(file)
        os.write(writing, b"abcdef")
        assert bytes(source.at(0, 2)) == b"ab"
        assert source.ready(2, 100) == b"cdef"
        assert source.ready(6, 100) == b""
        os.write(writing, b"gh")
        assert source.ready(6, 100) == b"gh"
        assert source.ready(2, 100) == b""  # that has passed by
        os.close(writing)
        assert source.ready(8, 100) == b""
        assert source.end() == 8
    assert FileSource(Drip(b"abc")).ready(0, 2) == b""


def test_both_ways_find_the_same_on_a_pipe() -> None:
    data = bytearray(plain(4000))
    data[24 + 3000 * 32 + 16 : 24 + 3000 * 32 + 20] = bytes(4)
    expected = verify(BufferSource(bytes(data)), formats(TYPES)).findings
    assert len(expected) == 1
    with pipe(bytes(data)) as file:
        assert verify(FileSource(file), formats(TYPES)).findings == expected


def test_memory_is_flat() -> None:
    data = plain(100_000)

    def peak(source: Source) -> int:
        tracemalloc.start()
        verify(source, formats(TYPES))
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    assert peak(BufferSource(data)) < 2 << 20
    assert peak(FileSource(io.BytesIO(data))) < 3 << 20
