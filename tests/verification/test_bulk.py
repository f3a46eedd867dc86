"""Bulk records: those that are passed over in a row are judged as each of them would be."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import CORE, end, formats, start

from domctx_core import (
    ANY,
    Body,
    BufferSource,
    ByteOrder,
    Check,
    DomainContext,
    EndRecord,
    FileSource,
    Finding,
    Formats,
    Instances,
    Problem,
    Record,
    RecordType,
    RecordView,
    Rule,
    Severity,
    Source,
    StartRecord,
    Watch,
    count_of,
    reserved,
    u16,
    u32,
    verify,
)
from domctx_core import array as row
from domctx_core.authoring.subject import Nonconformity, Subject
from domctx_core.authoring.type_requirements import heads
from domctx_core.model.observer import Observer, Operation, RecordEvent
from domctx_core.verification.bulk import BulkScanner
from domctx_core.verification.verifier import Verifier

ORDERS = {"little": "<", "big": ">"}


class Pages(Body):
    """A list of numbers, below 1,000 each; 64 bytes follow for each of them."""

    count: int = count_of("numbers", maximum=20)
    pad = reserved(2)
    kind: int = u16(maximum=3)
    numbers: list[int] = row(u32(maximum=999), count="count")

    def check(self) -> Iterable[Problem]:
        if self.numbers and self.numbers[0] == 13:
            yield Problem("field-out-of-range", "13 comes first", field="numbers")


class Bulk(RecordType[Pages]):
    code, name, body, instances = 0x20, "PAGES", Pages, ANY
    bulk: ClassVar[bool | str] = True

    def prefix(self, first: bytes, byteorder: ByteOrder) -> int:
        return 8 + 4 * int.from_bytes(first[:4], byteorder)

    def extent(self, head: Pages) -> int:
        if head.kind == 3:
            raise ValueError("no extent")
        return 8 + 68 * head.count


class Few(Bulk):
    """Two instances; of kind 2 no length is known; its author's `prefix` can fail."""

    code, name, instances = 0x21, "FEW", Instances(limit=2)

    def prefix(self, first: bytes, byteorder: ByteOrder) -> int:
        if first[:1] == b"\xff":
            raise LookupError("no prefix")
        return super().prefix(first, byteorder)

    def extent(self, head: Pages) -> int | None:  # type: ignore[override]
        return None if head.kind == 2 else super().extent(head)


class Skipped(RecordType[Pages]):
    """Nothing is looked at."""

    code, name, body, instances = 0x22, "SKIPPED", Pages, ANY
    bulk: ClassVar[bool | str] = True


class Judged(Bulk):
    """What it says depends on the instance, so that each is asked."""

    code, name = 0x23, "JUDGED"

    def judge(self, instance: int | None, body: Pages, receiver: Any) -> Iterable[Problem]:
        if instance and instance % 7 == 0:
            yield Problem("field-out-of-range", "an instance of seven", severity=Severity.WARNING)


class Quick(Bulk):
    """Tells by the bytes of most heads how long a record is; its author did not think of all."""

    code, name = 0x25, "QUICK"

    def measure(self, head: bytearray, byteorder: ByteOrder) -> int | None:
        count, pad, kind, *numbers = struct.unpack(
            f"{ORDERS[byteorder]}IHH{len(head) // 4 - 2}I", head
        )
        if pad or kind == 2 or kind > 3 or len(numbers) > 20 or max(numbers, default=0) > 999:
            return None
        if kind == 3:
            raise ValueError("no extent")
        return None if numbers[:1] == [13] else len(head) + 64 * count


TYPES: tuple[type[RecordType[Any]], ...] = (Bulk, Few, Skipped, Judged, Quick)


class Heads(Check):
    """Wants heads, and says something of every fifth, and of some by what they say."""

    codes: ClassVar[frozenset[int]] = frozenset({0x20, 0x22, 0x25})
    rules: ClassVar[tuple[Rule, ...]] = (Rule("bulk/five", Severity.WARNING, None, "", "", "", ""),)

    def __init__(self) -> None:
        self.seen: list[RecordView] = []

    def record(self, seen: RecordView) -> Iterable[Problem]:
        self.seen.append(seen)
        if isinstance(seen.body, Pages) and seen.body.kind == 1 and len(seen.body.numbers) == 3:
            raise ArithmeticError("a fault of the check")
        if len(self.seen) % 5 == 0:
            yield Problem("bulk/five", f"{seen.index} {seen.instance}", 4)

    def end(self) -> Iterable[tuple[RecordView | None, Problem]]:
        yield None, Problem("bulk/five", repr(self.seen))


class Firsts(Check):
    """Has something to say of the first record in a row of one type, and of none after it."""

    codes: ClassVar[frozenset[int]] = frozenset({0x20, 0x25})
    first_of_row: ClassVar[frozenset[int]] = frozenset({0x20, 0x25})
    rules: ClassVar[tuple[Rule, ...]] = (Rule("bulk/first", Severity.NOTE, None, "", "", "", ""),)

    def __init__(self) -> None:
        self.before: tuple[int, int] = 0, 0
        self.seen: list[int] = []

    def record(self, seen: RecordView) -> Iterable[Problem]:
        self.seen.append(seen.index)
        before, self.before = self.before, (seen.code, seen.index)
        if before != (seen.code, seen.index - 1):
            yield Problem("bulk/first", f"{seen.code} {seen.index}")


class Heard(Observer):
    def __init__(self) -> None:
        self.events: list[RecordEvent] = []

    def records(self, batch: Sequence[RecordEvent]) -> None:
        self.events += batch


Outcome = tuple[list[Finding], list[RecordEvent], bool]


def outcome(source: Source, checks: Sequence[type[Check]], **options: Any) -> Outcome:
    heard, told = Heard(), list[Finding]()
    with Watch([heard], Operation("verify", "it")) as watch:
        verdict = verify(
            source, formats(TYPES), checks=checks, watch=watch, tell=told.append, **options
        )
    assert told == list(verdict.findings)
    return told, heard.events, verdict.needs_plugin


@contextmanager
def one_by_one() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BulkScanner, "after", lambda *_: ())
        yield


def same_both_ways(data: bytes, checks: Sequence[type[Check]] = (), **options: Any) -> Outcome:
    with one_by_one():
        slow = outcome(BufferSource(data), checks, **options)
    assert outcome(BufferSource(data), checks, **options) == slow
    assert outcome(FileSource(io.BytesIO(data)), checks, **options) == slow
    stream = FileSource(io.BytesIO(data), stream=True)
    assert outcome(stream, checks, **options)[1:] == slow[1:]
    return slow


def bulk(
    code: int, instance: int, numbers: Sequence[int], *, kind: int = 0, order: str = "<"
) -> bytes:
    count = len(numbers)
    body = struct.pack(f"{order}IHH{count}I", count, 0, kind, *numbers) + b"P" * 64 * count
    return struct.pack(order + "IIQ", code, instance, len(body)) + body + bytes(-len(body) % 8)


def image(*records: bytes, order: str = "<") -> bytes:
    return b"".join([start(order=order), *records, end(order=order)])


@st.composite
def images(draw: st.DrawFn) -> bytes:
    order = draw(st.sampled_from("<<>"))
    rng = random.Random(draw(st.integers(0, 99)))
    records, instance = [], 0
    for _ in range(draw(st.integers(1, 4))):
        code, even = draw(st.sampled_from([each.code for each in TYPES])), draw(st.booleans())
        for _ in range(draw(st.integers(1, 12))):
            count = rng.choice([0, 2, 4, 12] if even else [0, 1, 2, 3, 14])
            numbers = [rng.choice([0, 13, 999, 500]) for _ in range(count)]
            kind = rng.choice([0, 0, 0, 0, 1, 2, 3])
            records.append(bulk(code, instance, numbers, kind=kind, order=order))
            instance += rng.choice([1, 1, 1, 1, 1, 0])
    data = bytearray(image(*records, order=order))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 3)):
            case 0:
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case 1:
                del data[at : at + 8]
            case 2:
                data[at:at] = draw(st.binary(max_size=40))
            case _:
                del data[max(at, 24) :]
    return bytes(data)


@settings(deadline=None, max_examples=200)
@given(images(), st.sampled_from([(), (Heads,)]), st.sampled_from([1 << 20, 40]))
def test_both_ways_find_the_same(data: bytes, checks: Sequence[type[Check]], cap: int) -> None:
    same_both_ways(data, checks, cap=cap)


def test_a_check_is_asked_of_each_record_but_where_the_first_of_a_row_is_enough() -> None:
    asked: list[Firsts] = []

    class Noting(Firsts):
        def __init__(self) -> None:
            super().__init__()
            asked.append(self)

    class All(Firsts):
        first_of_row: ClassVar[frozenset[int]] = frozenset()

        def __init__(self) -> None:
            super().__init__()
            asked.append(self)

    wrong = bulk(0x20, 30, [2000, 1])
    records = [bulk(0x20, number, [1, 2]) for number in range(20)]
    quick = [bulk(0x25, number, [1, 2]) for number in range(20)]
    data = image(*records, wrong, *quick)
    found, _, _ = outcome(BufferSource(data), (Noting, All))
    said = [finding.message for finding in found if finding.rule == "bulk/first"]
    assert [asked[0].seen, asked[1].seen] == [[1, 21, 22], [*range(1, 42)]]
    assert said.count("32 1") == said.count("37 22") == 2


@pytest.mark.parametrize("changed", ["prefix", "extent", "body"])
def test_what_a_type_measures_does_not_hold_for_one_made_of_it_that_changes_what_is_measured(
    changed: str,
) -> None:
    class Other(Pages):
        """The same, and it wants more."""

        def check(self) -> Iterable[Problem]:
            yield Problem("field-out-of-range", "never right", field="numbers")

    def prefix(self: Quick, first: bytes, byteorder: ByteOrder) -> int:
        return 8

    changes = {"prefix": prefix, "extent": lambda self, head: 1000, "body": Other}
    made = type("Made", (Quick,), {changed: changes[changed]})
    data = image(*(bulk(0x25, number, [1, 2]) for number in range(5)))
    verdict = verify(BufferSource(data), formats([made]))
    assert [finding.record for finding in verdict.findings] == [1, 2, 3, 4, 5]


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The indices of the records that went the slow way."""
    taken: list[int] = []
    see = Verifier.see

    def noted(self: Verifier, event: Any) -> list[Finding]:
        if isinstance(event, Record):
            taken.append(event.index)
        return see(self, event)

    monkeypatch.setattr(Verifier, "see", noted)
    return taken


GOOD = [bulk(0x20, number, [100, number]) for number in range(100)]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("code", [0x20, 0x22, 0x25])
def test_of_a_row_only_the_first_is_looked_at_by_itself(
    slowly: list[int], tmp_path: Path, code: int, order: str
) -> None:
    path = tmp_path / "image"
    records = [bulk(code, number, [100, number], order=order) for number in range(100)]
    path.write_bytes(image(*records, order=order))
    with path.open("rb", buffering=0) as file:
        found, events, _ = outcome(FileSource(file), (Heads,))
    assert slowly == [0, 1, 101]
    assert [event.instance for event in events if event.code == code] == list(range(100))
    assert sum(finding.rule == "bulk/five" for finding in found) == 21


class Capped(DomainContext):
    """Allows no body of more than 16 bytes, and pads none."""

    alignment: ClassVar[int] = 1
    max_length: ClassVar[int | None] = 16


def test_a_body_as_long_as_the_format_allows_is_not_looked_at_by_itself(slowly: list[int]) -> None:
    known = Formats()
    known.add("domain-context", CORE, Capped)
    for each in (StartRecord, Skipped, EndRecord):
        known.registry("domain-context").register(each, CORE)
    lengths = [16, 16, 16, 17, 16, 24, 16, 16]
    records = [
        struct.pack("<IIQ", 0x22, number, length) + bytes(length)
        for number, length in enumerate(lengths)
    ]
    found = verify(BufferSource(image(*records)), known).findings
    assert [(each.rule, each.record, each.actual) for each in found] == [
        ("length-over-cap", 4, "17 bytes"), ("length-over-cap", 6, "24 bytes")
    ]  # fmt: skip
    assert slowly == [0, 1, 4, 6, 9]


@pytest.mark.parametrize(
    ("bad", "rule", "offset"),
    [
        (bulk(0x20, 3, [3, 4]), "duplicate-record", 0),
        (bulk(0x20, 200, [2000, 4]), "field-out-of-range", 16 + 8),
        (bulk(0x20, 200, [1, 4])[:-8] + b"longer.." * 2, "unframed", None),
        (bulk(0x20, 200, [13, 4]), "field-out-of-range", 16 + 8),
        (bulk(0x20, 200, [1, 4], kind=3), "needs-plugin", 0),
        (b"\x20\0\0\0\xc8\0\0\0" + struct.pack("<Q", 4) + bytes(8), "body-too-short", 16 + 4),
        (bulk(0x20, 200, [1]), None, None),  # needs padding
        (bulk(0x20, 200, [1])[:-4] + b"\0\0\0\1", "padding-not-zero", 16 + 76 + 3),
    ],
)
def test_what_is_not_plain_is_told_where_it_is(
    bad: bytes, rule: str | None, offset: int | None
) -> None:
    before, after = GOOD[:10], GOOD[10:20]
    found, _, _ = same_both_ways(image(*before, bad, *after))
    told = [finding for finding in found if finding.record == 11]
    if offset is not None:
        assert [finding.rule for finding in told] == [rule]
        assert told[0].offset == len(start()) + sum(map(len, before)) + offset
    else:
        assert bool(found) == (rule is not None)


def test_a_length_beyond_the_end_of_the_file_is_not_believed() -> None:
    data = image(*GOOD[:10])[:-16] + struct.pack("<IIQ", 0x22, 0, 1 << 62) + bytes(100)
    found, _, _ = same_both_ways(data)
    assert [finding.rule for finding in found] == ["truncated-body"]


def test_an_instance_that_the_type_does_not_have() -> None:
    found, _, _ = same_both_ways(image(*(bulk(0x21, number, [1, 2]) for number in range(4))))
    assert [(each.record, each.rule) for each in found] == [
        (3, "instance-not-allowed"), (4, "instance-not-allowed"),
    ]  # fmt: skip


class Row(Body):
    """Numbers, as many as there are, and nothing after them."""

    count: int = count_of("numbers")
    numbers: list[int] = row(u32(), count="count")


class Rows(RecordType[Row]):
    code, name, body, instances = 0x24, "ROWS", Row, ANY
    bulk: ClassVar[bool | str] = True

    def prefix(self, first: bytes, byteorder: ByteOrder) -> int:
        return 4 + 4 * int.from_bytes(first[:4], byteorder)


def test_a_long_head_is_not_read_again_for_each_short_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def record(instance: int, count: int) -> bytes:
        body = struct.pack("<I", count) + bytes(4 * count)
        return struct.pack("<IIQ", 0x24, instance, len(body)) + body

    data = image(record(0, 1), record(1, 100_001), *(record(n, 1) for n in range(2, 2000)))
    asked: list[int] = []
    give = BufferSource.at

    def at(self: BufferSource, offset: int, size: int) -> memoryview:
        asked.append(size)
        return give(self, offset, size)

    monkeypatch.setattr(BufferSource, "at", at)
    assert verify(BufferSource(data), formats([*TYPES, Rows])).valid
    assert sum(asked) < 4 * len(data)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "`measure` raises ValueError: no extent"),
        ({"measure": lambda self, head, order: None}, None),
        ({"prefix": lambda *_: 1 // 0}, "`prefix` raises ZeroDivisionError"),
        ({"prefix": lambda *_: 8}, "`prefix` returns 8 for a head of"),
        ({"measure": lambda self, head, order: len(head)}, "`measure` returns 1?., but `extent`"),
        (
            {"measure": lambda self, head, order: len(head) + 16 * (len(head) - 8)},
            "for a head that breaks a rule",
        ),
    ],
)
def test_conformance_holds_a_measure_against_what_it_is_short_for(
    change: dict[str, Any], said: str | None
) -> None:
    made: RecordType[Any] = type("Made", (Quick,), change)()
    subject = Subject(made, formats([type(made)]).registry("domain-context"))
    if said is None:
        heads(subject)
        return
    with pytest.raises(Nonconformity, match=said):
        heads(subject)
