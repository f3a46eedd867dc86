"""Optional fields, bodies chosen by size and unions, against bytes packed by hand."""

import random
import struct
from typing import Any

import pytest
from codec_bodies import (
    ByLength,
    Either,
    Large,
    Mode,
    Point,
    Small,
    Tail,
    Union,
    both_orders,
    check_codec,
    only,
)

from domctx_core import Body, BodyError, switch, u8


def test_an_optional_tail() -> None:
    check_codec(Tail(x=1, more=2), struct.pack("<IH", 1, 2), "little", {"x": 1, "more": 2})
    check_codec(Tail(x=1, more=None), struct.pack("<I", 1), "little", {"x": 1, "more": None})
    assert Tail(x=1) == Tail(x=1, more=None)  # type: ignore[call-arg]
    problem = only(Tail, struct.pack("<IB", 1, 2))
    assert (problem.rule, problem.offset, problem.field) == ("body-too-short", 4, "more")
    with pytest.raises(BodyError, match=r"^more: 65536 does not fit a u16"):
        Tail.from_json({"x": 1, "more": 65536})


def test_an_optional_part_by_length() -> None:
    check_codec(
        ByLength(x=1, has_word=True, y=2, tail=b""),
        b"\1\0\0\0\0\0\0\0\2",
        "little",
        {"x": 1, "has_word": True, "y": 2, "tail": ""},
    )
    check_codec(
        ByLength(x=1, has_word=False, y=2, tail=b"abc"),
        b"\1\0\0\0\2abc",
        "little",
        {"x": 1, "has_word": False, "y": 2, "tail": "616263"},
    )
    assert ByLength.from_bytes(bytes(14)).has_word
    problem = only(ByLength, b"\1\0\0\0\0\0\3\0\2")
    assert (problem.rule, problem.offset, problem.field) == ("reserved-not-zero", 6, "has_word")
    with pytest.raises(BodyError, match=r"^has_word: expected true or false"):
        ByLength.from_json({"x": 1, "has_word": 1, "y": 2, "tail": ""})


@both_orders
def test_by_size(order: str, prefix: str) -> None:
    check_codec(
        Either(x=1, info=Small(a=2)),
        struct.pack(prefix + "BI", 1, 2),
        order,
        {"x": 1, "info": {"layout": "narrow", "a": 2}},
    )
    check_codec(
        Either(x=1, info=Large(a=2, b=Mode.ALWAYS)),
        struct.pack(prefix + "BQI", 1, 2, 1),
        order,
        {"x": 1, "info": {"layout": "wide", "a": "2", "b": "ALWAYS"}},
    )
    short = only(Either, bytes(4), order)
    assert (short.rule, short.offset, short.field) == ("body-too-short", 1, "info")
    assert (short.expected, short.actual) == ("4 bytes", "3 bytes")
    between = Either.inspect(bytes(12), order)
    assert between.body == Either(x=0, info=Small(a=0))
    assert [(p.rule, p.offset) for p in between.problems] == [("body-not-consumed", 5)]
    inner = only(Either, struct.pack(prefix + "BQI", 1, 2, 9), order)
    assert (inner.offset, inner.field, inner.actual) == (9, "info.b", 9)


def test_by_size_refuses_other_bodies() -> None:
    with pytest.raises(BodyError, match="not one of the possible bodies") as raised:
        Either(x=1, info=Point(x=1, y=2)).to_bytes()  # type: ignore[arg-type]
    assert (raised.value.expected, raised.value.actual) == ("narrow or wide", "Point")
    wrongs: list[Any] = [None, {}, {"layout": "huge"}, {"layout": []}, []]
    for wrong in wrongs:
        with pytest.raises(BodyError, match=r"^info(\.layout)?: .*narrow, wide"):
            Either.from_json({"x": 1, "info": wrong})
    with pytest.raises(BodyError, match=r"^info.a: the field is missing"):
        Either.from_json({"x": 1, "info": {"layout": "narrow"}})


@both_orders
def test_switch(order: str, prefix: str) -> None:
    check_codec(
        Union(state=0, binding=None), struct.pack(prefix + "B6x", 0), order,
        {"state": 0, "binding": None},
    )  # fmt: skip
    check_codec(
        Union(state=1, binding=Small(a=7)), struct.pack(prefix + "BI2x", 1, 7), order,
        {"state": 1, "binding": {"a": 7}},
    )  # fmt: skip
    check_codec(
        Union(state=3, binding=b"abcdef"), b"\3abcdef", order,
        {"state": 3, "binding": "616263646566"},
    )  # fmt: skip
    unused = only(Union, struct.pack(prefix + "BIBB", 1, 7, 0, 9), order)
    assert (unused.rule, unused.offset, unused.field) == (
        "reserved-not-zero", 6, "binding.unused",
    )  # fmt: skip
    empty = only(Union, b"\0\0\1\0\0\0\0", order)
    assert (empty.rule, empty.offset) == ("reserved-not-zero", 2)


@pytest.mark.parametrize(
    ("state", "binding", "expected"),
    [
        (0, Small(a=1), "nothing"),
        (1, None, "Small"),
        (1, Point(x=1, y=1), "Small"),
        (3, None, "6 raw bytes"),
        (3, b"short", "6 raw bytes"),
        (3, b"too long", "6 raw bytes"),
    ],
)
def test_switch_holds_what_the_selector_says(state: int, binding: Any, expected: str) -> None:
    with pytest.raises(BodyError, match="does not hold what `state` says") as raised:
        Union(state=state, binding=binding).to_bytes()
    assert (raised.value.field, raised.value.offset) == ("binding", 1)
    assert raised.value.expected == expected


@pytest.mark.parametrize("state", ["one", None, 1.5, [1]])
def test_a_selector_of_the_wrong_type_is_told_once(state: Any) -> None:
    [problem] = Union(state=state, binding=None).problems()
    assert (problem.field, problem.actual) == ("state", state)
    with pytest.raises(BodyError, match="`state`"):
        Union(state=state, binding=None).to_bytes()


def test_switch_in_json() -> None:
    with pytest.raises(BodyError, match=r"^binding: expected null"):
        Union.from_json({"state": 0, "binding": {}})
    with pytest.raises(BodyError, match=r"^binding.a: the field is missing"):
        Union.from_json({"state": 1, "binding": {}})
    with pytest.raises(BodyError):
        Union(state=3, binding=b"too long").to_bytes(check=False)


def test_examples_of_a_switch_are_valid_whatever_the_selector() -> None:
    class Wide(Body):
        state: int = u8()
        binding: Any = switch("state", {0: None, 1: Small}, size=4)

    states = set()
    for seed in range(50):
        body = Wide.example(random.Random(seed))
        states.add(body.state)
        assert body.problems() == []
        assert Wide.from_bytes(body.to_bytes()) == body
    assert states - {0, 1}
