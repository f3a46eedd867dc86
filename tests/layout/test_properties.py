"""Bodies made up by hypothesis: what holds for every declaration and all bytes."""

from __future__ import annotations

import enum
import json
import random
import tracemalloc
import types
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domctx_core import (
    Bits,
    Body,
    BodyError,
    Decoded,
    array,
    bitmap,
    blob,
    by_size,
    count_of,
    i8,
    i16,
    i32,
    i64,
    nested,
    optional,
    reserved,
    switch,
    text,
    u8,
    u16,
    u32,
    u64,
)
from domctx_core.base.rules import CORE_RULES

LIMIT = 1 << 20
quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
orders = st.sampled_from(["little", "big"])


class Colour(enum.IntEnum):
    RED = 0
    GREEN = 7


class Bit(enum.IntFlag):
    A = 1
    B = 8


def make(namespace: dict[str, Any], byteorder: str | None = None) -> type[Body]:
    made: type[Body] = types.new_class(
        "Made", (Body,), {"byteorder": byteorder}, lambda space: space.update(namespace)
    )
    return made


@st.composite
def integers(draw: st.DrawFn) -> Any:
    specifier = draw(st.sampled_from([u8, u16, u32, u64, i8, i16, i32, i64]))
    signed = specifier.__name__.startswith("i")
    extras: list[dict[str, Any]] = [
        {}, {"enum": Colour}, {"minimum": 2, "maximum": 90}, {"show": "hex"}, {"enum": Bit},
    ]  # fmt: skip
    return specifier(**draw(st.sampled_from(extras[:-1] if signed else extras)))


fixed_leaves = st.one_of(
    integers(),
    st.integers(1, 5).map(reserved),
    st.integers(1, 9).map(blob),
    st.integers(1, 9).map(text),
    st.sampled_from([4, 8]).flatmap(
        lambda word: st.integers(1, 3).map(lambda n: bitmap(n * word, word=word))
    ),
)


@st.composite
def fixed_bodies(draw: st.DrawFn, depth: int = 1) -> type[Body]:
    fields = fixed_leaves
    if depth:
        inner = fixed_bodies(depth - 1)
        fields = st.one_of(
            fixed_leaves,
            inner.map(nested),
            st.tuples(inner | integers(), st.integers(1, 3)).map(lambda pair: array(*pair)),
        )
    drawn = draw(st.lists(fields, min_size=1, max_size=4))
    order = draw(st.sampled_from([None, None, "little", "big"]))
    return make({f"f{index}": field for index, field in enumerate(drawn)}, order)


@st.composite
def bodies(draw: st.DrawFn, depth: int = 1, closed: bool = False) -> type[Body]:
    """A body class of everything that can be declared, of any size unless it must be `closed`."""
    fields: dict[str, Any] = {}
    for index in range(draw(st.integers(0, 4))):
        name, style = f"f{index}", draw(st.integers(0, 4))
        if style == 0 and not closed:
            size = draw(st.sampled_from([1, 2, 4]))
            fields[f"n{index}"] = count_of(name, size=size, maximum=draw(st.none() | st.just(9)))
            element = draw(
                integers() | fixed_bodies(0) | (bodies(0, True) if depth else fixed_bodies(0))
            )
            fields[name] = array(element, f"n{index}")
        elif style == 1:
            fields[f"n{index}"] = count_of(name, size=2)
            fields[name] = draw(st.sampled_from([blob, text]))(count=f"n{index}")
        elif style == 2 and not closed:
            fields[f"s{index}"] = u8(maximum=draw(st.sampled_from([2, 3])))
            small, large = draw(fixed_bodies(0)), draw(fixed_bodies(0))
            size = max(small.fixed_size() or 0, large.fixed_size() or 0) + draw(st.integers(0, 3))
            cases = {0: None, 1: small, 2: large}
            fields[name] = switch(f"s{index}", cases, size=size)
        else:
            fields[name] = draw(fixed_leaves)
    if not any(name.startswith("f") for name in fields):
        fields["f9"] = u8()
    if not closed:
        tails: list[Any] = [
            st.none(),
            st.just(blob()),
            st.just(text()),
            integers().map(array),
            fixed_bodies(0).map(array),
            integers().map(optional),
            st.just(optional(reserved(4))),
            fixed_bodies(1).map(optional),
            st.just(
                by_size(one=make({"a": u32()}), two=make({"a": u64(), "b": bitmap(4, word=4)}))
            ),
        ]
        tail = draw(st.one_of(tails))
        if tail is not None:
            fields["tail"] = tail
    return make(fields, draw(st.sampled_from([None, None, "little", "big"])))


def check_decoded(decoded: Decoded[Any], data: bytes) -> None:
    """What holds of any bytes: known rules, offsets inside, something said where nothing decodes."""
    for problem in decoded.problems:
        assert problem.rule in CORE_RULES
        assert problem.message
        assert problem.offset is not None
        assert 0 <= problem.offset <= len(data)
    assert [p.offset for p in decoded.problems] == sorted(p.offset or 0 for p in decoded.problems)
    assert 0 <= decoded.consumed <= len(data)
    if decoded.body is None:
        assert decoded.problems
    elif decoded.consumed < len(data):
        assert decoded.problems[-1].rule == "body-not-consumed"


@quick
@given(bodies(), st.integers(0, 2**32), orders)
def test_examples_survive_bytes_and_json(cls: type[Body], seed: int, order: str) -> None:
    body = cls.example(random.Random(seed))
    assert body.problems() == []
    data = body.to_bytes(order)
    assert len(data) == body.size()
    assert cls.fixed_size() in (None, len(data))
    assert cls.from_bytes(data, order) == body
    as_json = json.loads(json.dumps(body.to_json()))
    back = cls.from_json(as_json)
    assert back == body
    assert back.to_bytes(order) == data
    assert body.replace() == body
    json.dumps(cls.layout())


@quick
@given(bodies(), st.binary(max_size=120), orders)
def test_any_bytes_are_decoded_or_explained(cls: type[Body], data: bytes, order: str) -> None:
    decoded = cls.inspect(data, order)
    check_decoded(decoded, data)
    if decoded.body is not None:
        as_json = json.loads(json.dumps(decoded.body.to_json()))
        assert cls.from_json(as_json) == decoded.body
    if decoded.problems:
        with pytest.raises(BodyError) as raised:
            cls.from_bytes(data, order)
        first = decoded.problems[0]
        assert (raised.value.rule, raised.value.offset) == (first.rule, first.offset)
        assert raised.value.errno is not None
    else:
        assert decoded.body is not None
        assert decoded.body.to_bytes(order) == data


@settings(quick, max_examples=500)
@given(
    bodies(), st.integers(0, 2**32),
    st.sampled_from([b"\xff", b"\xff" * 8, b"\x80", bytes(8)]) | st.binary(max_size=8),
    st.integers(0, 60), orders,
)  # fmt: skip
def test_decoding_misses_no_problem_that_the_values_have(
    cls: type[Body], seed: int, junk: bytes, at: int, order: Any
) -> None:
    """Decoding looks at a body's values again only where something may be wrong with them."""
    raw = cls.example(random.Random(seed)).to_bytes(order, check=False)
    damaged = (raw[:at] + junk + raw[at + len(junk) :])[: len(raw)]
    decoded = cls.inspect(damaged, order)
    if decoded.body is not None:
        told = {(problem.rule, problem.field) for problem in decoded.problems}
        assert {(problem.rule, problem.field) for problem in decoded.body.problems()} <= told


@quick
@given(bodies(), st.integers(0, 2**32), orders, st.data())
def test_truncated_extended_and_flipped(
    cls: type[Body], seed: int, order: str, data: st.DataObject
) -> None:
    good = cls.example(random.Random(seed)).to_bytes(order)
    cut = data.draw(st.integers(0, len(good)))
    extra = data.draw(st.binary(max_size=20))
    flipped = bytearray(good)
    if good:
        flipped[data.draw(st.integers(0, len(good) - 1))] ^= data.draw(st.integers(1, 255))
    for changed in good[:cut], good + extra, bytes(flipped):
        decoded = cls.inspect(changed, order)
        check_decoded(decoded, changed)
        if not decoded.problems:
            assert decoded.body is not None
            assert decoded.body.to_bytes(order) == changed
        elif decoded.body is not None and all(
            p.rule in ("field-out-of-range", "body-not-consumed") for p in decoded.problems
        ):
            written = decoded.body.to_bytes(order, check=False)
            assert written == changed[: decoded.consumed]
    if cls.fixed_size() is not None and cut < len(good):
        (short,) = cls.inspect(good[:cut], order).problems
        assert short.rule == "body-too-short"


@quick
@given(bodies(), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["f0", "f1", "n0", "tail", "a", "layout"]), inner, max_size=3),
    max_leaves=8,
), st.integers(0, 2**32), st.randoms(use_true_random=False))  # fmt: skip
def test_any_json_is_taken_or_refused(
    cls: type[Body], junk: Any, seed: int, rng: random.Random
) -> None:
    value = cls.example(random.Random(seed)).to_json()
    if value:
        value[rng.choice(sorted(value))] = junk
    for candidate in junk, value:
        refused = None
        try:
            body = cls.from_json(candidate)
            data = body.to_bytes()
        except BodyError as error:
            refused = error
        if refused is None:
            assert cls.from_bytes(data).to_bytes() == data
        else:
            assert refused.rule in ("field-out-of-range", "reserved-not-zero")
            assert (
                refused.field is not None
                or not isinstance(candidate, dict)
                or any(name not in value for name in candidate)
            )


class Claims(Body):
    n: int = count_of("numbers")
    numbers: list[int] = array(u64(), "n")


class Bytes(Body):
    n: int = count_of("raw", size=8)
    raw: bytes = blob(count="n")


class Item(Body):
    n: int = count_of("raw", size=1)
    raw: bytes = blob(count="n")


class Items(Body):
    n: int = count_of("items")
    items: list[Item] = array(Item, "n")


class Fixed(Body):
    numbers: list[int] = array(u64(), 2**40)
    raw: bytes = blob(2**50)
    pad = reserved(2**50)


def test_a_claimed_count_allocates_nothing() -> None:
    huge = b"\xff" * 4
    claims: list[tuple[type[Body], bytes]] = [
        (Claims, huge + bytes(4)),
        (Items, huge + bytes(4)),
        (Bytes, b"\xff" * 8),
        (Bytes, b"\xff" * 7 + b"\x7f" + bytes(8)),
        (Fixed, bytes(8)),
    ]
    for cls, data in claims:
        cls.inspect(data)
        tracemalloc.start()
        try:
            decoded = cls.inspect(data)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < LIMIT
        assert decoded.body is None
        assert [problem.rule for problem in decoded.problems] == ["body-too-short"]
        assert decoded.consumed <= len(data)


class Cell(Body):
    colour: Colour = u8()
    pad = reserved(1)


class Cells(Body):
    cells: list[Cell] = array(Cell)


def test_many_problems_take_time_in_proportion() -> None:
    decoded = Cells.inspect(b"\x55" * 40_000)
    assert len(decoded.problems) == 40_000
    assert [p.offset for p in decoded.problems] == list(range(40_000))


@quick
@given(st.binary(min_size=16, max_size=16), st.sampled_from([4, 8]), orders)
def test_a_bitmap_has_the_bits_of_its_words(raw: bytes, word: int, order: Any) -> None:
    cls = make({"bits": bitmap(16, word=word)})
    body: Any = cls.from_bytes(raw, order)
    words = [int.from_bytes(raw[at : at + word], order) for at in range(0, 16, word)]
    expected = {p for p in range(128) if words[p // (8 * word)] >> p % (8 * word) & 1}
    assert set(body.bits) == expected
    assert body.bits == Bits(128, expected)
    assert body.to_bytes(order) == raw
