"""Runs in which something is out of the ordinary come to the same as records one by one."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import end, formats, rec, registry, start

from domctx_core import (
    Body,
    BufferSource,
    Check,
    Columns,
    Domain,
    DomainError,
    DomctxError,
    Errno,
    LoadContext,
    LoadOps,
    MemoryLoadOps,
    MemorySaveOps,
    Problem,
    RecordType,
    RecordView,
    Rule,
    Run,
    Severity,
    XenVersion,
    blob,
    load_domain,
    save_domain,
    switch,
    u32,
    u64,
    verify,
)
from domctx_core.engine.sim_domain import SimDomain
from domctx_core.layout.columns.column_runs import ColumnRuns
from domctx_core.verification import batches as fast


class Value(Body):
    a: int = u64()


class Plain(LoadOps):
    """An image that cannot be looked at ahead, so that its records come one by one."""

    def __init__(self, data: bytes) -> None:
        self._inner = MemoryLoadOps(data)

    def read(self, size: int) -> bytes:
        return self._inner.read(size)


def of(body: type[Body], **members: Any) -> type[RecordType[Any]]:
    """A record type of that body, type code 0x100."""
    return type("Made", (RecordType,), {"code": 0x100, "name": "T", "body": body, **members})


def image(bodies: Iterable[bytes]) -> bytes:
    return b"".join([start(), *(rec(0x100, n, raw) for n, raw in enumerate(bodies)), end()])


def values(count: int) -> bytes:
    return image(struct.pack("<Q", 7 * number) for number in range(count))


def loaded(
    data: bytes,
    kind: type[RecordType[Any]],
    domain: Callable[[Any], SimDomain] = SimDomain,
    **options: Any,
) -> Any:
    """State or error of a load, the same whichever way it went."""
    outcomes: list[Any] = []
    for ops in (MemoryLoadOps, Plain):
        known = registry([kind])
        made = domain(known)
        checks = [check() for check in options.get("checks", ())]
        try:
            load_domain(made, ops(data), known, **{**options, "checks": checks})
        except DomctxError as error:
            outcomes.append((str(error), error.offset, error.record, error.instance))
        else:
            outcomes.append([(n, made.read(kind.body, n)) for n in made.instances(kind.body)])
    assert outcomes[0] == outcomes[1]
    return outcomes[0]


@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize("count", [8, 9, 30])
def test_bodies_taken_as_places(count: int, validate: bool) -> None:
    def load(self: Any, domain: Domain, context: LoadContext) -> None:
        instance = context.begin(self.code)
        place = context.extent()
        context.end()
        domain.write(Value, instance, Value.from_bytes(place.read(), context.byteorder))

    data = values(count) + bytes(5000)
    state = loaded(data, of(Value, load=load), validate=validate)
    assert state == [(number, Value(a=7 * number)) for number in range(count)]


def test_there_is_no_body_before_one_is_read() -> None:
    def load(self: Any, domain: Domain, context: LoadContext) -> None:
        assert context.body is None
        domain.write(Value, *context.read(self))

    assert len(loaded(values(30), of(Value, load=load))) == 30


def test_two_unions_of_one_selector() -> None:
    class Case(Body):
        x: int = u32()

    class Both(Body):
        k: int = u32()
        one: Any = switch("k", {0: None, 1: Case}, size=4)
        two: Any = switch("k", {1: Case}, size=4)

    kind = of(Both)
    good = [struct.pack("<III", n % 2, n % 2, 5) for n in range(300)]
    assert len(loaded(image(good), kind)) == 300
    assert verify(BufferSource(image(good)), formats([kind])).findings == ()
    bad = [*good[:250], struct.pack("<III", 0, 1, 5), *good[251:]]
    (finding,) = verify(BufferSource(image(bad)), formats([kind])).findings
    assert (finding.record, finding.field) == (251, "one.unused")


def test_a_field_without_bytes() -> None:
    class Tail(Body):
        a: int = u64()
        z: bytes = blob(0)

    def load(self: Any, domain: Domain, context: LoadContext) -> None:
        domain.write(Tail, *context.read(self))

    assert loaded(values(8), of(Tail, load=load))[7] == (7, Tail(a=49, z=b""))


@pytest.mark.parametrize("validate", [True, False])
def test_a_domain_that_accepts_not_all(validate: bool) -> None:
    class Picky(SimDomain):
        def accepts(self, body: Any, instance: int, value: Any) -> None:
            super().accepts(body, instance, value)
            if instance == 5:
                raise DomainError("no 5")

    said, *_ = loaded(values(20), of(Value), Picky, validate=validate)
    assert "no 5" in said


def test_of_two_checks_the_earlier_record_counts() -> None:
    def refusing(bad: int) -> type[Check]:
        class Refusing(Check):
            codes = frozenset({0x100})
            rules = (Rule("odd/no", Severity.ERROR, Errno.EBUSY, "", "", "", ""),)

            def record(self, seen: RecordView) -> Iterable[Problem]:
                if seen.instance == bad:
                    yield Problem("odd/no", f"not {bad}")

            def records(self, run: Run) -> Iterable[tuple[int, Problem]]:
                return Check.records(self, run)

        return Refusing

    said, offset, record, _ = loaded(values(40), of(Value), checks=[refusing(33), refusing(5)])
    assert ("not 5" in said, offset, record) == (True, 24 + 5 * 24, 6)


def test_a_body_with_problems_of_its_own() -> None:
    class Own(Body):
        a: int = u64()

        def problems(self) -> list[Problem]:
            return [Problem("field-out-of-range", "never")] if self.a == 21 else []

    said, *_ = loaded(values(20), of(Own))
    assert "never" in said


def test_a_body_with_bytes_of_its_own() -> None:
    class Own(Body):
        a: int = u64()

        def to_bytes(self, byteorder: Any = "little", *, check: bool = True) -> bytes:
            return struct.pack("<Q", self.a ^ 0xFF)

    known, ops = registry([of(Own)]), MemorySaveOps()
    domain = SimDomain(known)
    load_domain(domain, MemoryLoadOps(values(20)), known)
    save_domain(domain, ops, known, xen_version=XenVersion(4, 15))
    assert ops.image[24 + 16 : 24 + 24] == struct.pack("<Q", 0xFF)


# ------------------------------------------------------------------------------- what it costs


@given(st.lists(st.lists(st.integers(0, 60), min_size=1, unique=True), max_size=40), st.data())
def test_the_latest_of_many_runs_counts(runs: list[list[int]], data: st.DataObject) -> None:
    kept, latest = ColumnRuns(), dict[int, tuple[int, int]]()
    for number, instances in enumerate(map(sorted, runs)):
        kept.append(Columns(Value, instances, {"a": instances}))
        latest |= {instance: (number, place) for place, instance in enumerate(instances)}
        asked = data.draw(st.integers(0, 60))
        assert kept.find(asked) == latest.get(asked)
    assert [kept.find(instance) for instance in range(61)] == [latest.get(n) for n in range(61)]


def test_state_of_many_runs_is_found_without_looking_at_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = ColumnRuns(Columns(Value, range(9 * n, 9 * n + 9), {"a": range(9)}) for n in range(500))
    asked: list[int] = []
    place_of = Columns.place_of

    def counted(self: Columns[Any], instance: int) -> int | None:
        asked.append(instance)
        return place_of(self, instance)

    monkeypatch.setattr(Columns, "place_of", counted)
    assert [kept.find(n) for n in range(4500)] == [divmod(n, 9) for n in range(4500)]
    assert len(asked) == 4500


def test_turns_that_change_all_the_time_are_not_all_made_patterns_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kinds = [
        type("Made", (RecordType,), {"code": 0x100 + n, "name": f"T{n}", "body": Value})
        for n in range(16)
    ]
    rng, records, counts = random.Random(1), [start()], [0] * 16
    turns = [[n] * 101 for n in range(16)] + [rng.sample(range(16), 8) * 2 for _ in range(200)]
    for code in (each for turn in turns for each in turn):
        records.append(rec(0x100 + code, counts[code], bytes(8)))
        counts[code] += 1
    made: list[int] = []

    class Counted(fast._RepeatingPattern):
        def __init__(self, proofs: Any, instance: slice) -> None:
            made.append(len(proofs))
            super().__init__(proofs, instance)

    monkeypatch.setattr(fast, "_RepeatingPattern", Counted)
    data = b"".join([*records, end()])
    rules = {each.rule for each in verify(BufferSource(data), formats(kinds)).findings}
    assert rules == {"order-not-ascending"}
    assert len(made) <= 2 * 16
