"""One record at a time, made cheap: the same bytes, state and errors as the ways that explain."""

from __future__ import annotations

import copy
import os
import pickle
import random
import struct
from collections.abc import Iterable
from enum import IntEnum, IntFlag
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domctx_core import (
    Body,
    BodyError,
    DomainError,
    DomctxError,
    EndRecord,
    Errno,
    FileLoadOps,
    ImageError,
    LoadContext,
    MemoryLoadOps,
    MemorySaveOps,
    MisuseError,
    Problem,
    Provider,
    RecordType,
    Registry,
    SaveContext,
    Severity,
    StartRecord,
    array,
    bitmap,
    blob,
    i16,
    load_domain,
    nested,
    reserved,
    save_domain,
    switch,
    text,
    u8,
    u16,
    u32,
    u64,
)
from domctx_core.authoring.engine_requirements import runs
from domctx_core.authoring.subject import Nonconformity, Subject
from domctx_core.engine.sim_domain import SimDomain
from domctx_core.layout.kinds.bits import Bits


class Mode(IntEnum):
    OFF = 0
    ON = 1
    AUTO = 7


class Marks(IntFlag):
    A = 1
    B = 2
    C = 8


class Pair(Body):
    """Two numbers that must differ."""

    low: int = u8()
    high: int = u8(default=255)

    def check(self) -> Iterable[Problem]:
        if self.low == self.high:
            yield Problem("field-out-of-range", "both are the same", field="high")


class Odd(Body, byteorder="big"):
    """In a byte order of its own."""

    number: int = u16()


class Everything(Body):
    """A field of each kind that has a fixed size."""

    mode: Mode = u32()
    marks: Marks = u8(default=Marks(0))
    level: int = i16(minimum=-5, maximum=1000)
    pad = reserved(1)
    wide: int = u64(default=9)
    raw: bytes = blob(3, default=b"abc")
    name: str = text(4, default="four")
    bits: Bits = bitmap(8, default=Bits(64, [3]))
    pair: Pair = nested(Pair)
    odd: Odd = nested(Odd)
    numbers: list[int] = array(u16(), 3)
    pairs: list[Pair] = array(Pair, 2)
    union: Any = switch("mode", {Mode.OFF: None, Mode.ON: Pair, Mode.AUTO: Odd}, size=6)


class Warned(Body, trusted_values={"kind": range(3)}):
    """`check` warns of what is not trusted, and refuses 9."""

    kind: int = u8()
    asked = 0

    def check(self) -> Iterable[Problem]:
        type(self).asked += 1
        if self.kind == 9:
            yield Problem("field-out-of-range", "nine", 0, "kind")
        elif self.kind > 2:
            yield Problem("field-out-of-range", "odd", 0, "kind", severity=Severity.WARNING)


def plain(**changes: Any) -> Everything:
    values: dict[str, Any] = {
        "mode": Mode.ON, "level": 4, "pair": Pair(low=1), "odd": Odd(number=2), "numbers": [1, 2, 3],
        "pairs": [Pair(low=3), Pair(low=4)], "union": Pair(low=5),
    }  # fmt: skip
    return Everything(**(values | changes))


def explained(body: Body, byteorder: Any) -> Any:
    """What `to_bytes` has to give: problems found by the thorough way, bytes written field by field."""
    from domctx_core.layout.kinds.base import ORDERS, Checker

    layout, checker, out = type(body).__layout__, Checker(), bytearray()
    layout.check(body, checker)
    errors = [p for p in checker.problems if p.severity in (None, Severity.ERROR)]
    if errors:
        first = min(errors, key=lambda p: (p.offset is None, p.offset or 0))
        return first.message, first.offset, first.field
    try:
        layout.encode(body, out, ORDERS[byteorder])
    except (struct.error, OverflowError, TypeError, AttributeError, ValueError):
        return "does not fit"
    return bytes(out)


def written(body: Body, byteorder: Any) -> Any:
    try:
        return body.to_bytes(byteorder)
    except BodyError as error:
        if isinstance(error.__cause__, Exception):
            return "does not fit"
        return error.message, error.offset, error.field


ODDITIES: dict[str, list[Any]] = {
    "mode": [0, 1, 7, 2, True, 1.0, Mode.OFF, Mode.AUTO, Marks.A],
    "marks": [Marks(11), 0, 4, Marks(4), 256, -1, None],
    "level": [-5, 1000, -6, 1001, True, "4", 70000],
    "wide": [0, 2**64 - 1, 2**64, -1, True, Mode.ON, 1.5, None],
    "raw": [b"", b"abcd", bytearray(b"xyz"), memoryview(b"xyz"), "abc", 3],
    "name": ["", "vier", "vier!", "über", "\ud800abc", b"four", None],
    "bits": [Bits(64), Bits(32), 5],
    "pair": [Pair(low=7, high=7), Pair(low=256), Odd(number=1), None],
    "odd": [Odd(number=0x102), Odd(number=-1), Pair(low=1)],
    "numbers": [[], [1, 2], (1, 2, 3), [1, 2, 65536], [1, 2, "3"], [True, 2, 3], None],
    "pairs": [[], [Pair(low=1)], [Pair(low=1), Odd(number=1)], [Pair(low=2, high=2)] * 2, None],
    "union": [None, b"sixsix", b"six", Odd(number=4), Pair(low=8, high=8), Pair(low=-4)],
}


@pytest.mark.parametrize("byteorder", ["little", "big"])
def test_each_value_is_written_or_refused_as_the_explaining_way_says(byteorder: Any) -> None:
    cases = [(name, value) for name, values in ODDITIES.items() for value in values]
    found = []
    for name, value in cases:
        body = plain(**{name: value})
        found.append(written(body, byteorder))
        assert found[-1] == explained(body, byteorder), (name, value)
    assert sum(isinstance(each, bytes) for each in found) > 15
    assert sum(isinstance(each, tuple) for each in found) > 20


@given(st.data())
def test_odd_values_together(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(ODDITIES)), max_size=3, unique=True))
    changes = {name: data.draw(st.sampled_from(ODDITIES[name])) for name in names}
    body = plain(**changes)
    for byteorder in ("little", "big"):
        assert written(body, byteorder) == explained(body, byteorder)


def test_examples_are_read_back() -> None:
    for seed in range(60):
        body = Everything.example(random.Random(seed))
        if body.problems():
            continue
        for byteorder in ("little", "big"):
            raw = body.to_bytes(byteorder)
            assert Everything.from_bytes(raw, byteorder) == body


def test_a_missing_attribute_is_told() -> None:
    body = plain()
    del body.wide
    with pytest.raises((BodyError, AttributeError)):
        body.to_bytes()


def test_check_is_asked_but_for_ordinary_values() -> None:
    Warned.asked = 0
    assert Warned(kind=2).to_bytes() == b"\2"
    assert Warned.asked == 0
    assert Warned(kind=3).to_bytes() == b"\3"  # a warning stands in no one's way
    assert Warned.asked > 0
    with pytest.raises(BodyError, match="nine"):
        Warned(kind=9).to_bytes()


# ------------------------------------------------------------------------------------ making bodies


class TestMaking:
    def test_what_is_missing_or_unknown_is_told(self) -> None:
        for _ in range(2):  # the first body of a class is made in another way than the rest
            with pytest.raises(TypeError, match=r"^Pair needs `low`$"):
                Pair()  # type: ignore[call-arg]
            with pytest.raises(TypeError, match=r"^Pair has no field middle, top$"):
                Pair(low=1, middle=2, top=3)  # type: ignore[call-arg]
            with pytest.raises(TypeError, match=r"^Pair needs `low`$"):
                Pair(middle=2)  # type: ignore[call-arg]
            with pytest.raises(TypeError, match="positional"):
                Pair(1)  # type: ignore[call-arg]
            assert (Pair(low=1).low, Pair(low=1).high, Pair(high=3, low=2).high) == (1, 255, 3)

    def test_defaults_that_can_change_are_not_shared(self) -> None:
        class Row(Body):
            numbers: list[int] = array(u8(), 2, default=[1, 2])

        one, two, three = Row(), Row(), Row()
        one.numbers.append(3)
        two.numbers.append(4)
        assert three.numbers == [1, 2]

    def test_inheritance(self) -> None:
        class Base(Body):
            a: int = u8()

        class Derived(Base):
            b: int = u8(default=4)

        assert Base(a=1).a == Base(a=1).a == 1
        for _ in range(2):
            assert (Derived(a=1).b, Derived(a=2, b=3).a) == (4, 2)
            with pytest.raises(TypeError, match=r"^Derived needs `a`$"):
                Derived(b=1)  # type: ignore[call-arg]

    def test_an_author_s_own_init(self) -> None:
        class Own(Body):
            a: int = u8()
            b: int = u8(default=1)

            def __init__(self, **values: Any) -> None:
                super().__init__(**({"a": 7} | values))

        class Below(Own):
            c: int = u8(default=2)

        class Beside(Own):
            d: int = u8()

            def __init__(self, **values: Any) -> None:
                super().__init__(d=3, **values)

        below: Any = Below
        for _ in range(2):
            assert (Own().a, Own(a=2).a) == (7, 2)
            assert (below(c=9).a, below(c=9).c, below().c) == (7, 9, 2)
            assert (Beside(b=5).b, Beside().d) == (5, 3)

    def test_fields_named_like_what_python_has(self) -> None:
        class Named(Body):
            type: int = u8()
            int: Any = u8()
            self: Any = u8()
            others: Any = u8()
            struct: Any = u8(maximum=5)
            body: Any = u8()
            number: Any = u8()

        values = {"type": 1, "int": 2, "self": 3, "others": 4, "struct": 5, "body": 6, "number": 7}
        for _ in range(2):
            made = Named(**values)
            assert made.to_bytes() == bytes(range(1, 8))
        with pytest.raises(BodyError, match="outside its range"):
            Named(**(values | {"struct": 6})).to_bytes()

    def test_copies(self) -> None:
        body = plain()
        assert copy.copy(body) == copy.deepcopy(body) == body == body.replace()
        assert pickle.loads(pickle.dumps(body)) == body


# ------------------------------------------------------------------------------------------ records


class PairRecord(RecordType[Pair]):
    """Pairs."""

    code, name, body = 0x100, "PAIR", Pair


class EverythingRecord(RecordType[Everything]):
    """All kinds of fields."""

    code, name, body = 0x101, "EVERYTHING", Everything


class OddRecord(RecordType[Odd]):
    """In another byte order than the image, perhaps."""

    code, name, body = 0x102, "ODD", Odd


def registry(*types: type[RecordType[Any]]) -> Registry:
    made = Registry()
    every: tuple[type[RecordType[Any]], ...] = (StartRecord, EndRecord, *types)
    for each in every:
        made.register(each, Provider("test", "1"))
    return made


TYPES = (PairRecord, EverythingRecord, OddRecord)


class Callbacks(MemorySaveOps):
    """Takes records by begin, append and end alone."""

    def begin(self, type: int, instance: int, length: int | None) -> None:
        super().begin(type, instance, length)


@pytest.mark.parametrize("byteorder", ["little", "big"])
def test_a_record_in_one_piece_is_the_record_in_parts(byteorder: Any) -> None:
    known = registry(*TYPES)
    domain = SimDomain(known)
    domain.adopt(0x100, {n: Pair(low=n) for n in (0, 1, 5, 200)})
    domain.adopt(0x101, {3: plain(), 4: plain(mode=Mode.AUTO, union=Odd(number=7), marks=Marks(9))})
    domain.adopt(0x102, {n: Odd(number=n) for n in range(3)})
    images = []
    for kind in (MemorySaveOps, Callbacks):
        ops = kind(None, byteorder)
        save_domain(domain, ops, known)
        images.append(ops.image)
    assert images[0] == images[1]
    again = SimDomain(known)
    load_domain(again, MemoryLoadOps(images[0]), known)
    assert again.to_json()["records"] == domain.to_json()["records"]


class TestWriting:
    def saved(self, save: Any, kind: Any = MemorySaveOps, **options: Any) -> list[tuple[int, ...]]:
        """The headers that a handler writes."""

        class Written(PairRecord):
            def save(self, domain: Any, context: SaveContext) -> None:
                save(context)

        known = registry(Written)
        domain = SimDomain(known)
        domain.adopt(0x100, {0: Pair(low=1)})
        ops = kind(**options)
        save_domain(domain, ops, known)
        image = ops.image[24:-16]
        return [struct.unpack_from("<IIQ", image, at) for at in range(0, len(image), 24)]

    def test_any_order_of_instances(self) -> None:
        order = [4, 5, 3, 9, 8, 0, 7, 6, 2**32 - 1, 1]

        def save(context: SaveContext) -> None:
            for number in order:
                context.write(number, Pair(low=1))

        assert [row[1] for row in self.saved(save)] == order

    @pytest.mark.parametrize("rows", [[1, 1], [1, 2, 1], [3, 1, 3], [5, 4, 3, 4], [0, 1, 2, 0]])
    def test_an_instance_twice(self, rows: list[int]) -> None:
        def save(context: SaveContext) -> None:
            for number in rows:
                context.write(number, Pair(low=1))

        with pytest.raises(MisuseError, match=rf"PAIR\[{rows[-1]}\] is written twice"):
            self.saved(save)

    def test_single_calls_and_whole_bodies_mixed(self) -> None:
        def save(context: SaveContext) -> None:
            context.write(0, Pair(low=1))
            context.begin(0x100, 1)
            with pytest.raises(MisuseError, match="before"):
                context.write(2, Pair(low=1))
            context.data(b"\1")
            context.data(b"\2")
            context.end()
            context.write(2, b"\1\2")
            context.write(3, Pair(low=1))

        assert self.saved(save) == [(0x100, n, 2) for n in range(4)]

    def test_a_body_of_another_class(self) -> None:
        def save(context: SaveContext) -> None:
            context.write(0, Pair(low=1))
            context.write(1, Odd(number=3))
            context.write(2, Pair(low=1))

        assert self.saved(save) == [(0x100, n, 2) for n in range(3)]

    @pytest.mark.parametrize("number", [-1, 2**32])
    def test_an_instance_that_does_not_fit(self, number: int) -> None:
        with pytest.raises(MisuseError, match=f"cannot have instance {number}"):
            self.saved(lambda context: context.write(number, Pair(low=1)))

    def test_a_bad_body_says_which(self) -> None:
        def save(context: SaveContext) -> None:
            context.write(0, Pair(low=1))
            context.write(1, Pair(low=2, high=2))

        with pytest.raises(BodyError, match="both are the same") as caught:
            self.saved(save)
        assert (caught.value.instance, caught.value.type) == (1, 0x100)

    def test_ops_that_are_full_say_at_which_record(self) -> None:
        def save(context: SaveContext) -> None:
            for number in range(9):
                context.write(number, Pair(low=1))

        with pytest.raises(DomainError) as caught:
            self.saved(save, capacity=24 + 5 * 24)
        assert (caught.value.errno, caught.value.instance) == (Errno.ENOSPC, 5)

    def test_a_body_that_overrides_to_bytes(self) -> None:
        class Shouting(Pair):
            def to_bytes(self, byteorder: Any = "little", *, check: bool = True) -> bytes:
                return b"!!"

        known = registry(PairRecord)
        domain, ops = SimDomain(known), MemorySaveOps()
        domain.adopt(0x100, {0: Shouting(low=1), 1: Pair(low=1)})
        save_domain(domain, ops, known)
        assert [ops.image[at : at + 2] for at in (40, 64)] == [b"!!", b"\1\xff"]

    def test_outside_of_a_handler(self) -> None:
        held: list[SaveContext] = []

        def save(context: SaveContext) -> None:
            context.write(0, Pair(low=1))
            held.append(context)

        self.saved(save)
        with pytest.raises(MisuseError, match="outside of a save handler"):
            held[0].write(1, Pair(low=1))


# ------------------------------------------------------------------------------------------ loading


class Number(Body):
    """A number and what is reserved."""

    number: int = u32(maximum=1000)
    pad = reserved(1)
    mode: Mode = u8()


class NumberRecord(RecordType[Number]):
    """Numbers: 6 bytes, so that there is padding."""

    code, name, body = 0x110, "NUMBER", Number


def image_of(count: int, code: int = 0x110, first: int = 0) -> bytes:
    rows = [struct.pack("<IIQIxBxx", code, first + n, 6, n % 1001, 1) for n in range(count)]
    return struct.pack("<IIQII", 1, 0, 8, 4, 15) + b"".join(rows) + bytes(16)


class Takes(NumberRecord):
    """Takes records in turn by `read`, by bytes, and not at all by itself."""

    ways: tuple[str, ...] = ("read",)
    places: list[tuple[int, int, int]] = []  # noqa: RUF012  # what a test looks at

    def load(self, domain: Any, context: LoadContext) -> None:
        way = self.ways[context.instance % len(self.ways)]
        if way == "read":
            number, body = context.read(self)
        elif way == "other":  # the same type, by another object
            number, body = context.read(NumberRecord())
        else:
            number = context.begin(self.code)
            raw = context.data(4) + context.data(2) if way == "parts" else context.rest()
            context.end()
            body = Number.from_bytes(raw)
        self.places.append((number, context.record, context.offset))
        self.act(domain, number, body)

    def act(self, domain: Any, number: int, body: Number) -> None:
        domain.write(Number, number, body)


@pytest.mark.parametrize(
    "ways",
    [("read",), ("parts",), ("rest",), ("other",), ("read", "parts"), ("rest", "read", "other")],
)
def test_however_a_record_is_taken(ways: tuple[str, ...]) -> None:
    class Way(Takes):
        places: list[tuple[int, int, int]] = []  # noqa: RUF012

    Way.ways = ways
    known = registry(Way)
    domain, plainly = SimDomain(known), SimDomain(registry(NumberRecord))
    result = load_domain(domain, MemoryLoadOps(image_of(3000)), known)
    load_domain(plainly, MemoryLoadOps(image_of(3000)), registry(NumberRecord))
    assert result.records == 3000
    assert domain.to_json()["records"] == plainly.to_json()["records"]
    assert result.changes == tuple(f"Number[{n}]" for n in range(3000))
    assert Way.places == [(n, n + 1, 24 + 24 * n) for n in range(3000)]


class Misbehaves(Takes):
    def act(self, domain: Any, number: int, body: Number) -> None:
        if number == 20:
            self.misbehave(domain, number, body)
        else:
            domain.write(Number, number, body)

    def misbehave(self, domain: Any, number: int, body: Number) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("does", "changes"),
    [
        ("nothing", ["Number[19]", "Number[21]"]),
        ("twice", ["Number[19]", "Number[20]", "Number[20]", "Number[21]"]),
        ("elsewhere", ["Number[19]", "Number[7]", "Number[21]"]),
        ("update", ["Number[19]", "Number[20]", "Number[21]"]),
        ("read", ["Number[19]", "Number[20]", "Number[21]"]),
        ("other body", ["Number[19]", "Pair[20]", "Number[21]"]),
    ],
)
def test_changes_keep_their_order(does: str, changes: list[str]) -> None:
    class Here(Misbehaves):
        def misbehave(self, domain: Any, number: int, body: Number) -> None:
            if does == "twice":
                domain.write(Number, number, Number(number=1, mode=Mode.ON))
            if does == "elsewhere":
                domain.write(Number, 7, body)
            if does == "update":
                domain.update(Number, number, lambda now: body)
            if does == "other body":
                domain.write(Pair, number, Pair(low=1))
            if does == "read":
                assert domain.read(Number, 19).number == 19
                assert domain.read(Number, 3).number == 3
                assert list(domain.instances(Number)) == list(range(20))
            if does in ("twice", "read"):
                domain.write(Number, number, body)

    known = registry(Here, PairRecord)
    domain = SimDomain(known)
    found = list(load_domain(domain, MemoryLoadOps(image_of(30)), known).changes)
    at = found.index("Number[19]")
    assert found[at : at + len(changes)] == changes
    if does not in ("nothing", "elsewhere", "other body"):
        assert domain.read(Number, 20).number == 20
    if does == "elsewhere":
        assert domain.read(Number, 7).number == 20


class Picky(SimDomain):
    """Refuses one instance, when it is written and no sooner."""

    refused = 17
    calls = 0

    def write(self, body: Any, instance: int, value: Any) -> None:
        if instance == self.refused:
            raise DomainError("not this one")
        super().write(body, instance, value)


@pytest.mark.parametrize("refused", [0, 1, 17, 29])
def test_what_a_domain_refuses_at_last_is_located(refused: int) -> None:
    class Plainly(Takes):
        pass

    known = registry(Plainly)
    domain = Picky(known)
    domain.refused = refused
    with pytest.raises(DomainError) as caught:
        load_domain(domain, MemoryLoadOps(image_of(30)), known)
    error = caught.value
    assert (error.instance, error.offset, error.record) == (refused, 24 + 24 * refused, refused + 1)
    assert (domain.pauses, domain.unpauses) == (1, 1)
    taken = ", ".join(f"Number[{n}]" for n in range(refused)) or "nothing"
    assert error.__notes__ == [f"the image is sound; before the domain refused, it took {taken}"]


def test_what_another_type_writes_after_a_run_is_not_of_the_run() -> None:
    class LeavesTheLast(Takes):
        def act(self, domain: Any, number: int, body: Number) -> None:
            if number < 19:
                domain.write(Number, number, body)

    class Writes(PairRecord):
        code, name = 0x120, "LATER"

        def load(self, domain: Any, context: LoadContext) -> None:
            context.read(self)
            domain.write(Number, 19, Number(number=1, mode=Mode.ON))

    known = registry(LeavesTheLast, Writes)
    domain = Picky(known)
    domain.refused = 19
    later = struct.pack("<IIQBB6x", 0x120, 0, 2, 1, 2)
    data = image_of(20)[:-16] + later + bytes(16)
    with pytest.raises(DomainError) as caught:
        load_domain(domain, MemoryLoadOps(data), known)
    assert (caught.value.type, caught.value.offset) == (0x120, len(data) - 40)


@pytest.mark.parametrize(
    ("way", "message"),
    [
        (lambda c: c.begin(0x110), "did not end its record"),
        (lambda c: (c.begin(0x110), c.begin(0x110)), "begins its record twice"),
        (lambda c: (c.begin(0x110), c.data(7)), "shorter than its record type needs"),
        (lambda c: (c.begin(0x110), c.data(-1)), "negative number"),
        (lambda c: (c.begin(0x110), c.data(5), c.end()), "1 bytes of the body are left over"),
        (lambda c: c.data(1), "outside of its record"),
        (lambda c: c.end(), "did not begin"),
        (lambda c: None, "did not begin its record"),
        (lambda c: (c.begin(0x110), c.rest(), c.end(), c.data(1)), "outside of its record"),
        (lambda c: (c.begin(0x110), c.rest(), c.end(), c.end()), "did not begin"),
    ],
)
@pytest.mark.parametrize("at", [0, 15])
def test_bytes_taken_wrongly(way: Any, message: str, at: int) -> None:
    class Wrong(NumberRecord):
        def load(self, domain: Any, context: LoadContext) -> None:
            if context.instance != at:
                context.begin(self.code)
                context.rest()
                context.end()
            else:
                way(context)

    known = registry(Wrong)
    with pytest.raises(DomctxError, match=message) as caught:
        load_domain(SimDomain(known), MemoryLoadOps(image_of(30)), known)
    assert caught.value.instance == at


def test_types_that_take_turns_are_all_loaded() -> None:
    known = registry(PairRecord, NumberRecord)
    rows = []
    for n in range(500):
        rows.append(struct.pack("<IIQIxBxx", 0x110, n, 6, n, 1))
        rows += [struct.pack("<IIQBB6x", 0x100, n, 2, n % 200, 255)] * (n % 3 == 0)
    tail = [struct.pack("<IIQIxBxx", 0x110, 500 + n, 6, n, 1) for n in range(900)]
    data = image_of(0)[:24] + b"".join(rows + tail) + bytes(16)
    domain = SimDomain(known)
    assert load_domain(domain, MemoryLoadOps(data), known).records == len(rows) + 900
    assert len(list(domain.instances(Number))) == 1400
    assert domain.read(Number, 1399).number == 899


# -------------------------------------------------------------------------------------------- pipes


def through_a_pipe(data: bytes, known: Registry, **options: Any) -> tuple[Any, bytes]:
    """The domain or the error, and what is left in the pipe."""
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    domain = SimDomain(known)
    with open(reading, "rb", buffering=0) as file:
        try:
            load_domain(domain, FileLoadOps(file), known, **options)
        except DomctxError as error:
            told = type(error), error.message, error.errno, error.offset, error.instance
            return (*told, error.expected, error.actual), b""
        return domain, file.read()


class Raw(Takes):
    ways = ("parts",)


@pytest.mark.parametrize("kind", [NumberRecord, Takes, Raw])
@pytest.mark.parametrize("validate", [True, False])
def test_a_pipe_is_read_to_the_image_s_end_and_no_further(kind: Any, validate: bool) -> None:
    known = registry(kind)
    domain, rest = through_a_pipe(image_of(50) + b"after", known, validate=validate)
    assert rest == b"after"
    assert len(list(domain.instances(Number))) == 50


@pytest.mark.parametrize("kind", [NumberRecord, Raw])
def test_a_cut_pipe_is_told_of_as_a_cut_file_is(kind: Any) -> None:
    known = registry(kind)
    data = image_of(3)
    for end in range(24, len(data)):
        told = through_a_pipe(data[:end], known)[0]
        with pytest.raises(ImageError) as caught:
            load_domain(SimDomain(known), MemoryLoadOps(data[:end]), known)
        error = caught.value
        assert told[:5] == (
            type(error), error.message, error.errno, error.offset, error.instance,
        ), end  # fmt: skip


@pytest.mark.parametrize("kind", [NumberRecord, Takes, Raw])
def test_faults_in_a_pipe_are_those_of_a_file(kind: Any) -> None:
    known = registry(kind)
    data = image_of(12)
    for at in range(24, len(data)):
        bad = data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :]
        told, _ = through_a_pipe(bad, known)
        domain = SimDomain(known)
        try:
            load_domain(domain, MemoryLoadOps(bad), known)
            expected: Any = domain.to_json()
        except DomctxError as error:
            expected = type(error), error.message, error.errno, error.offset, error.instance
        assert (told[:5] if isinstance(told, tuple) else told.to_json()) == expected, at


def test_a_load_that_acts_at_once_waits_for_no_later_record() -> None:
    """Records come one by one, and each is applied before the next one is there."""
    data, taken = image_of(5), []

    class Notes(SimDomain):
        def write(self, body: Any, instance: int, value: Any) -> None:
            taken.append(instance)
            super().write(body, instance, value)

    class Slow:
        def __init__(self) -> None:
            self.at = 0

        def read(self, size: int) -> bytes:
            done = (self.at + size - 24 - 16) // 24
            assert len(taken) >= min(done, 5), "a record is read before the one before is applied"
            chunk = data[self.at : self.at + size]
            self.at += len(chunk)
            return chunk

    known = registry(NumberRecord)
    load_domain(Notes(known), FileLoadOps(Slow()), known, validate=False)
    assert taken == list(range(5))


# -------------------------------------------------------------------------------------- conformance


def subject(kind: type[RecordType[Any]]) -> Subject:
    return Subject(kind(), registry(kind))


class TestConformance:
    def test_what_agrees_conforms(self) -> None:
        for kind in (NumberRecord, PairRecord, EverythingRecord, OddRecord):
            runs(subject(kind))

    def test_a_run_that_is_loaded_otherwise(self) -> None:
        class Lax(NumberRecord):
            def load(self, domain: Any, context: LoadContext) -> None:
                number, body = context.read(self)
                domain.write(Number, number, body.replace(number=0))

            def load_run(self, domain: Any, context: LoadContext, run: Any) -> bool:
                domain.write_run(Number, run)
                return True

        with pytest.raises(Nonconformity, match="taken as a run come to something else"):
            runs(subject(Lax))

    def test_a_run_that_is_not_refused(self) -> None:
        class Lax(NumberRecord):
            def load(self, domain: Any, context: LoadContext) -> None:
                number, body = context.read(self)
                if number >= (domain.guest.vcpus or 99):
                    raise DomainError("no such vCPU")
                domain.write(Number, number, body)

            def load_run(self, domain: Any, context: LoadContext, run: Any) -> bool:
                domain.write_run(Number, run)
                return True

        with pytest.raises(Nonconformity, match="'no error' and 'no such vCPU'"):
            runs(subject(Lax))

    def test_a_run_that_is_saved_otherwise(self) -> None:
        class Lax(NumberRecord):
            def save(self, domain: Any, context: SaveContext) -> None:
                run = context.run_of(domain, Number)
                if run is not None:
                    context.write_run(run)
                    return
                for number in domain.instances(Number):
                    body = domain.read(Number, number)
                    context.write(number, body.replace(number=0))

        with pytest.raises(Nonconformity, match="one by one"):
            runs(subject(Lax))
