"""Runs of records and single records are two ways to one result: image, state, error, events."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import LoggedDomain, end, fail_at, rec, registry, samples, start

from domctx_core import (
    Body,
    Check,
    Columns,
    Domain,
    DomainError,
    DomctxError,
    Errno,
    FileLoadOps,
    FileSaveOps,
    Guest,
    ImageError,
    Instances,
    LoadContext,
    LoadOps,
    MemoryLoadOps,
    MemorySaveOps,
    MisuseError,
    Observer,
    Operation,
    Problem,
    RecordEvent,
    RecordType,
    RecordView,
    Registry,
    Rule,
    SaveContext,
    SaveOps,
    Severity,
    Watch,
    load_domain,
    reserved,
    save_domain,
    u8,
    u16,
    u32,
)
from domctx_core.engine.ops import SizingSaveOps
from domctx_core.engine.sim_domain import SimDomain


class Pair(Body):
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


class PairType(RecordType[Pair]):
    code, name, body = 0x100, "PAIR", Pair


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


TYPES = (PairType, WideType, TailType)


class Plain(LoadOps):
    """A caller's own ops: nothing can be looked at ahead, so that each record is taken alone."""

    def __init__(self, data: bytes) -> None:
        self.stream = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self.stream.read(size)


class PlainSave(SaveOps):
    """A caller's own ops: each record begins, is appended to and ends."""

    def __init__(self, byteorder: Any = "little") -> None:
        self.inner = MemorySaveOps(byteorder=byteorder)
        self.byteorder = byteorder

    def begin(self, type: int, instance: int, length: int | None) -> None:
        self.inner.begin(type, instance, length)

    def append(self, data: bytes | bytearray | memoryview) -> None:
        self.inner.append(data)

    def end(self, length: int) -> None:
        self.inner.end(length)


class Picky(SimDomain):
    """Refuses one instance before anything is written, and another when it is written."""

    def __init__(self, known: Registry, refused: int, failing: int) -> None:
        super().__init__(known, guest=Guest(vcpus=2))
        self.refused, self.failing = refused, failing

    def accepts(self, body: Any, instance: int, value: Any) -> None:
        super().accepts(body, instance, value)
        if instance == self.refused:
            raise DomainError(f"no {instance}", errno=Errno.EFAULT)

    def write(self, body: Any, instance: int, value: Any) -> None:
        if instance == self.failing:
            raise DomainError(f"not {instance}", errno=Errno.EBUSY)
        super().write(body, instance, value)


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


def pairs(count: int, first: int = 0, order: str = "<", step: int = 1) -> list[bytes]:
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


# ------------------------------------------------------------------------------------------- loads


@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_run_is_taken_as_a_whole_and_comes_to_the_same(order: str, validate: bool) -> None:
    known = registry([*TYPES, EachType])
    data = b"".join(
        [start(order=order), *pairs(40, 3, order), *wides(300, 0, order), *pairs(20, 100, order),
         *tails(0x102, 20, 0, order), *tails(0x103, 30, 0, order), end(order=order)]
    )  # fmt: skip
    seen, domain = both_ways(data, known, validate=validate)
    assert seen[0] == 410
    assert domain.read(Pair, 5) == Pair(kind=2, value=14)
    assert domain.read(Wide, 299) == Wide(state=5, low=299, a=299, b=2**32 - 1)
    assert list(domain.instances(Pair)) == [*range(3, 43), *range(100, 120)]


@pytest.mark.parametrize("one", samples(), ids=lambda one: one.name)
def test_corpus_both_ways(one: Any) -> None:
    both_ways(one.data, registry(options=one.options), xen_version=None)


IMAGE = b"".join(
    [start(), *pairs(30), *wides(30), *tails(0x102, 4), *tails(0x103, 20), *pairs(12, 50), end()]
)


@settings(max_examples=120, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(24, len(IMAGE) - 1), st.integers(0, 255)), max_size=3),
    cut=st.one_of(st.none(), st.integers(24, len(IMAGE))),
    validate=st.booleans(),
    domain=st.sampled_from(["sim", "picky"]),
    refused=st.integers(0, 70),
    failing=st.integers(0, 70),
)
def test_mutations_both_ways(
    changes: list[tuple[int, int]], cut: int | None, validate: bool, domain: str, refused: int,
    failing: int,
) -> None:  # fmt: skip
    data = bytearray(IMAGE)
    for at, value in changes:
        data[at] = value
    known = registry([*TYPES, EachType])
    make = SimDomain if domain == "sim" else lambda each: Picky(each, refused, failing)
    both_ways(bytes(data[:cut]), known, make, validate=validate)


FAULTS: dict[str, tuple[int, bytes, str]] = {
    "padding": (22, b"\1", "padding-not-zero"),
    "range": (16, b"\x0a", "field-out-of-range"),
    "duplicate": (4, struct.pack("<I", 3), "duplicate-record"),
    "length": (8, b"\6", "body-not-consumed"),
    "short": (8, b"\4", "body-too-short"),
    "type": (0, b"\xff\xff", "unknown-type"),
    "start": (0, b"\1\0", "start-repeated"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_long_run_is_told_as_ever(fault: str) -> None:
    at, value, rule = FAULTS[fault]
    records = pairs(2000)
    bad = bytearray(records[1500])
    bad[at : at + len(value)] = value
    records[1500] = bytes(bad)
    seen, domain = both_ways(b"".join([start(), *records, end()]), registry(TYPES))
    assert (seen[0], seen[2], seen[5]) == (ImageError, rule, 1501)
    assert 24 + 1500 * 24 <= seen[4] < 24 + 1501 * 24 + 8
    assert not domain.instances(Pair)


def test_instances_in_any_order() -> None:
    data = b"".join([start(), *reversed(pairs(50)), *pairs(20, 200, step=3), *pairs(9, 60), end()])
    seen, _ = both_ways(data, registry(TYPES))
    assert seen[0] == 79
    again = b"".join([start(), *pairs(50), *pairs(10, 45), end()])
    seen, _ = both_ways(again, registry(TYPES))
    assert (seen[2], seen[8]) == ("duplicate-record", 45)


def test_an_instance_beyond_the_limit() -> None:
    seen, _ = both_ways(b"".join([start(), *wides(30, 4990), end()]), registry(TYPES))
    assert (seen[2], seen[3], seen[8]) == ("instance-not-allowed", Errno.ENOSPC, 5000)


def test_a_run_of_bodies_longer_than_what_is_held() -> None:
    data = b"".join([start(), *wides(30), end()])
    seen, _ = both_ways(data, registry(TYPES), cap=15)
    assert (seen[2], seen[8]) == ("length-over-cap", 0)


def test_what_follows_the_image_is_left_alone(tmp_path: Path) -> None:
    data = b"".join([start(), *pairs(5000), end()])
    path = tmp_path / "image"
    path.write_bytes(b"before" + data + b"after")
    for buffering in (-1, 0):
        with path.open("rb", buffering=buffering) as file:
            file.seek(6)
            domain = SimDomain(registry(TYPES))
            result = load_domain(domain, FileLoadOps(file), registry(TYPES))
            assert (result.records, result.consumed) == (5000, len(data))
            assert file.read() == b"after"


def test_ops_that_read_in_their_own_way_are_asked_for_each_read() -> None:
    class Counted(MemoryLoadOps):
        reads = 0

        def read(self, size: int) -> bytes:
            self.reads += 1
            return super().read(size)

    ops = Counted(b"".join([start(), *pairs(20), end()]))
    load_domain(SimDomain(registry(TYPES)), ops, registry(TYPES))
    assert ops.reads == 3 * 20 + 3


# ------------------------------------------------------------------------- who sees each record


def test_a_domain_or_a_handler_that_needs_each_record_gets_each() -> None:
    data = b"".join([start(), *pairs(50), *tails(0x103, 50), end()])
    known = registry([*TYPES, EachType])
    logged = LoggedDomain(known)
    load_domain(logged, MemoryLoadOps(data), known)
    assert logged.log[1:51] == [f"write Pair[{i}]" for i in range(50)]

    class Watching(SimDomain):
        seen: ClassVar[list[tuple[int, int]]] = []

        def write(self, body: Any, instance: int, value: Any) -> None:
            self.seen.append((instance, value.value))
            super().write(body, instance, value)

    load_domain(Watching(known), MemoryLoadOps(data), known)
    assert Watching.seen == [(i, i * 7) for i in range(50)] + [(i, 101 + i) for i in range(50)]


class Batches(PairType):
    """A batch form of its own, which leaves runs with a certain value to `load`."""

    calls: ClassVar[list[int]] = []

    def load(self, domain: Domain, context: LoadContext) -> None:
        instance, body = context.read(self)
        if body.value == 7 * 30:
            raise context.error("field-out-of-range", "not this one")
        domain.write(Pair, instance, body)

    def load_run(self, domain: Domain, context: LoadContext, run: Columns[Pair]) -> bool:
        self.calls.append(len(run))
        if 7 * 30 in run.column("value"):
            return False
        domain.write_run(Pair, run.replace({"kind": [0] * len(run)}))
        return True


def test_a_batch_form_of_the_authors_own() -> None:
    Batches.calls.clear()
    known = registry([Batches])
    domain = SimDomain(known)
    result = load_domain(domain, MemoryLoadOps(b"".join([start(), *pairs(25), end()])), known)
    assert (result.records, Batches.calls) == (25, [25])
    assert domain.read(Pair, 8) == Pair(kind=0, value=56)
    with pytest.raises(ImageError, match="not this one") as caught:
        load_domain(SimDomain(known), MemoryLoadOps(b"".join([start(), *pairs(50), end()])), known)
    error = caught.value
    assert (error.record, error.offset, error.instance) == (31, 24 + 24 * 30, 30)

    class Later(Batches):
        """A subclass with a `load` of its own sees each record again."""

        def load(self, domain: Domain, context: LoadContext) -> None:
            domain.write(Pair, *context.read(self))

    Batches.calls.clear()
    known = registry([Later])
    load_domain(SimDomain(known), MemoryLoadOps(b"".join([start(), *pairs(50), end()])), known)
    assert Batches.calls == []


def test_an_error_of_a_batch_form_is_about_the_record_that_it_turned_to() -> None:
    class Turns(PairType):
        def load_run(self, domain: Domain, context: LoadContext, run: Columns[Pair]) -> bool:
            context.turn_to(7)
            raise context.error("field-out-of-range", "seven")

    class Takes(PairType):
        def load_run(self, domain: Domain, context: LoadContext, run: Columns[Pair]) -> bool:
            context.begin(self.code)
            return True

    class Breaks(PairType):
        def load_run(self, domain: Domain, context: LoadContext, run: Columns[Pair]) -> bool:
            raise ZeroDivisionError("bug")

    data = b"".join([start(), *pairs(20), end()])
    with pytest.raises(ImageError, match="seven") as caught:
        load_domain(SimDomain(registry([Turns])), MemoryLoadOps(data), registry([Turns]))
    assert (caught.value.record, caught.value.instance) == (8, 7)
    assert caught.value.offset == 24 + 7 * 24
    with pytest.raises(MisuseError):
        load_domain(SimDomain(registry([Takes])), MemoryLoadOps(data), registry([Takes]))
    with pytest.raises(DomctxError, match="load handler of PAIR raised ZeroDivisionError: bug"):
        load_domain(SimDomain(registry([Breaks])), MemoryLoadOps(data), registry([Breaks]))


class Whole(SimDomain):
    """Fails on one instance of a run as a whole."""

    def write_run(self, body: Any, run: Columns[Any]) -> None:
        if run.place_of(11) is not None:
            raise DomainError("full", errno=Errno.ENOSPC, instance=11)
        super().write_run(body, run)


def test_what_a_domain_takes_as_a_whole_it_refuses_as_a_whole() -> None:
    known = registry(TYPES)
    data = b"".join([start(), *wides(10), *pairs(20), end()])
    with pytest.raises(DomainError) as caught:
        load_domain(Whole(known), MemoryLoadOps(data), known)
    error = caught.value
    assert error.__notes__ == [
        "the image is sound; before the domain refused, it took "
        + ", ".join(f"Wide[{i}]" for i in range(10))
    ]
    assert (error.record, error.offset, error.instance) == (22, 24 + 10 * 32 + 11 * 24, 11)
    assert error.type_name == "PAIR"


def test_what_was_read_back_while_planning_is_what_is_written() -> None:
    class Reads(TailType):
        def load(self, domain: Domain, context: LoadContext) -> None:
            instance, _ = context.read(self)
            body = domain.read(Pair, instance + 5)
            body.kind = 9
            assert domain.read(Pair, instance + 5) is body
            assert list(domain.instances(Pair)) == list(range(30))

    known = registry([PairType, Reads])
    data = b"".join([start(), *pairs(30), *tails(0x102, 2), end()])
    _, domain = both_ways(data, known)
    assert domain.read(Pair, 5).kind == domain.read(Pair, 6).kind == 9
    assert domain.read(Pair, 7).kind == 7


# ------------------------------------------------------------------------------------------ checks


class Sums(Check):
    """Refuses where values add up to more than it likes, one by one or at once."""

    codes: ClassVar[frozenset[int]] = frozenset({0x100})
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("t/sum", Severity.ERROR, Errno.EINVAL, "too much", "why", "less", "an image"),
    )
    limit = 10**9

    def __init__(self) -> None:
        self.total = 0

    def record(self, seen: RecordView) -> Iterable[Problem]:
        assert isinstance(seen.body, Pair)
        self.total += seen.body.value
        if self.total > self.limit:
            yield Problem("t/sum", f"{self.total} is too much", 1, "value")


class BatchSums(Sums):
    def records(self, run: Any) -> Iterable[tuple[int, Problem]]:
        for number, value in enumerate(run.numbers(1, 4)):
            self.total += value
            if self.total > self.limit:
                yield number, Problem("t/sum", f"{self.total} is too much", 1, "value")


@pytest.mark.parametrize("check", [Sums, BatchSums])
@pytest.mark.parametrize("limit", [10**9, 700])
@pytest.mark.parametrize("refused", [-1, 5, 35])
def test_checks_see_the_same(check: type[Sums], limit: int, refused: int) -> None:
    known = registry(TYPES)
    data = b"".join([start(), *pairs(40), end()])

    class Refuses(SimDomain):
        def accepts_run(self, body: Any, run: Columns[Any]) -> None:
            if run.place_of(refused) is not None:
                raise DomainError("no", instance=refused)

        def accepts(self, body: Any, instance: int, value: Any) -> None:
            if instance == refused:
                raise DomainError("no", instance=refused)

    seen = []
    for ops in (MemoryLoadOps(data), Plain(data)):
        one = check()
        one.limit = limit
        seen.append((outcome(Refuses(known), ops, known, checks=[one]), one.total))
    assert seen[0][0][0] == seen[1][0][0]
    if limit == 10**9 and refused < 0:
        assert seen[0] == seen[1]


# ------------------------------------------------------------------------------------------- saves


def loaded(known: Registry, order: str = "<") -> SimDomain:
    domain = SimDomain(known)
    data = [start(order=order), *pairs(40, 3, order), *wides(300, 0, order), end(order=order)]
    load_domain(domain, MemoryLoadOps(b"".join(data)), known)
    return domain


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("target", ["little", "big"])
@pytest.mark.parametrize("touched", [False, True])
def test_a_save_in_runs_is_a_save_of_single_records(order: str, target: Any, touched: bool) -> None:
    known = registry(TYPES)
    domain = loaded(known, order)
    if touched:
        domain.read(Pair, 7).value = 1
        domain.write(Wide, 5, domain.read(Wide, 6))
    fast, slow, file = MemorySaveOps(byteorder=target), PlainSave(target), io.BytesIO()
    events = []
    for ops in (fast, slow, FileSaveOps(file, target)):
        log = Log()
        watch = Watch([log], Operation("save", "x"))
        with watch:
            save_domain(domain, ops, known, watch=watch)
        events.append(log.events)
    assert fast.image == slow.inner.image == file.getvalue()
    assert events[0] == events[1] == events[2]
    sized = SizingSaveOps()
    assert save_domain(domain, sized, known, dry_run=True) == 342
    assert sized.size == len(fast.image)
    again = SimDomain(known)
    load_domain(again, MemoryLoadOps(fast.image), known)
    assert [each["body"] for each in again.to_json()["records"]] == [
        each["body"] for each in domain.to_json()["records"]
    ]


class Writes(PairType):
    """Writes what a test wants."""

    what: ClassVar[list[Any]] = []

    def save(self, domain: Domain, context: SaveContext) -> None:
        for each in self.what:
            if isinstance(each, Columns):
                context.write_run(each)
            else:
                context.write(*each)


RUN = Columns(Pair, range(5, 20), {"kind": [1] * 15, "value": range(15)})
GOOD = Pair(kind=1, value=2)
TEXT: Any = "x"
SAVES: dict[str, list[Any]] = {
    "ascending": [(i, GOOD) for i in range(30)],
    "gaps": [(i, GOOD) for i in (0, 1, 5, 9, 8, 7, 100, 6)],
    "twice": [(i, GOOD) for i in (4, 5, 6, 5)],
    "twice, after a gap": [(i, GOOD) for i in (4, 9, 3, 4)],
    "a run": [RUN],
    "a run and more": [(3, GOOD), RUN, (20, GOOD), (4, GOOD)],
    "a run twice": [RUN, (25, GOOD), RUN],
    "in a run": [RUN, (7, GOOD)],
    "before a run": [(7, GOOD), RUN],
    "a bad value": [(1, GOOD), (2, Pair(kind=10, value=0))],
    "one that does not fit": [(1, GOOD), (2, Pair(kind=1, value=2**32))],
    "one of another type": [(2, Pair(kind=1, value=TEXT))],
    "a bad value in a run": [RUN.replace({"kind": [1] * 14 + [10]})],
    "an instance too high": [(2**32, GOOD)],
    "an instance below zero": [(-1, GOOD)],
    "instances descend": [Columns(Pair, [3, 2, 1], {"kind": [1] * 3, "value": [1] * 3})],
    "instances repeat": [Columns(Pair, [3, 3], {"kind": [1] * 2, "value": [1] * 2})],
    "nothing": [Columns(Pair, [], {"kind": [], "value": []})],
    "raw": [(1, GOOD), (2, b"12345"), (3, GOOD), (3, b"")],
}


REPEATED = {
    "twice", "twice, after a gap", "a run twice", "in a run", "before a run", "instances repeat",
}  # fmt: skip


@pytest.mark.parametrize("name", SAVES)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_handlers_write_both_ways(name: str, dry_run: bool) -> None:
    class Given(Writes):
        what: ClassVar[list[Any]] = SAVES[name]

    known = registry([Given])
    seen: list[Any] = []
    for ops in (MemorySaveOps(), PlainSave()):
        domain = LoggedDomain(known)
        domain.state = {Pair: {0: GOOD}}
        try:
            count = save_domain(domain, ops, known, dry_run=dry_run)
            inner = ops.inner if isinstance(ops, PlainSave) else ops
            seen.append((count, len(inner.image) if dry_run else inner.image))
        except DomctxError as error:
            seen.append(
                (type(error), error.message, error.errno, error.instance, error.expected,
                 error.actual, error.type_name)
            )  # fmt: skip
        assert domain.pauses == domain.unpauses
    assert seen[0] == seen[1]
    if name in REPEATED:
        assert seen[0][0] is MisuseError
        assert "is written twice" in seen[0][1]


@pytest.mark.parametrize("ops", [MemorySaveOps, PlainSave])
@pytest.mark.parametrize("dry_run", [False, True])
def test_the_first_instance_that_a_type_does_not_have(ops: Any, dry_run: bool) -> None:
    class Given(Writes):
        what: ClassVar[list[Any]] = [RUN]  # whose last instance is 19

    def save(limit: int) -> int:
        Given.instances = Instances(limit=limit)
        domain = LoggedDomain(registry([Given]))
        domain.state = {Pair: {0: GOOD}}
        return save_domain(domain, ops(), domain.registry, dry_run=dry_run)

    assert save(20) == len(RUN) + 2
    with pytest.raises(MisuseError, match="PAIR cannot have instance 19") as caught:
        save(19)
    assert caught.value.expected == "0 to 18"


def test_ops_that_override_a_part_are_asked_for_each_record() -> None:
    class Begins(MemorySaveOps):
        begun = 0

        def begin(self, type: int, instance: int, length: int | None) -> None:
            self.begun += 1
            super().begin(type, instance, length)

    known = registry(TYPES)
    ops = Begins()
    save_domain(loaded(known), ops, known)
    assert ops.begun == 342


def test_a_save_that_outgrows_its_size_says_so() -> None:
    known = registry(TYPES)
    with pytest.raises(DomainError) as caught:
        save_domain(loaded(known), MemorySaveOps(500), known)
    assert caught.value.errno is Errno.ENOSPC
    assert caught.value.type_name == "PAIR"


# ------------------------------------------------------------------------------------ per vCPU


class VcpuType(RecordType[Tail]):
    code, name, body = 0x104, "VCPU", Tail
    instances: ClassVar[Instances] = Instances(per_vcpu=True)


def test_a_run_with_one_vcpu_too_many() -> None:
    known = registry([VcpuType])
    data = b"".join([start(), *tails(0x104, 30), end()])
    make = lambda each: SimDomain(each, guest=Guest(vcpus=20))  # noqa: E731
    seen, _ = both_ways(data, known, make)
    assert seen[1] == "the domain has no vCPU 20"
    assert (seen[5], seen[8]) == (21, 20)


def test_fail_anywhere_in_a_run_and_the_domain_is_unpaused() -> None:
    known = registry(TYPES)
    data = b"".join([start(), *pairs(12), end()])
    for number in range(14):
        domain = LoggedDomain(known, trap=fail_at(number, KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            load_domain(domain, MemoryLoadOps(data), known)
        assert domain.pauses == domain.unpauses
