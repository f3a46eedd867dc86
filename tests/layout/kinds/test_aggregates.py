"""Bodies in bodies and arrays, against bytes packed by hand."""

import struct
from typing import Any

import pytest
from codec_bodies import Mode, Outer, Padded, Point, Row, both_orders, check_codec, only

from domctx_core import Body, BodyError, Problem, array, blob, count_of, optional, u8, u64


@both_orders
def test_nested_bodies_and_arrays_of_bodies(order: str, prefix: str) -> None:
    body = Outer(
        point=Point(x=1, y=-1), row=[Point(x=2, y=3), Point(x=4, y=5)], inner=Padded(x=6, y=7)
    )
    data = struct.pack(prefix + "HhHhHhI4xB", 1, -1, 2, 3, 4, 5, 6, 7)
    as_json = {
        "point": {"x": 1, "y": -1},
        "row": [{"x": 2, "y": 3}, {"x": 4, "y": 5}],
        "inner": {"x": 6, "y": 7},
    }
    check_codec(body, data, order, as_json)
    assert Outer.fixed_size() == 21


@both_orders
def test_arrays_of_integers_fixed_and_rest(order: str, prefix: str) -> None:
    check_codec(
        Row(fixed=[1, 2, 3], rest=[4, 5]),
        struct.pack(prefix + "HHHII", 1, 2, 3, 4, 5),
        order,
        {"fixed": [1, 2, 3], "rest": [4, 5]},
    )
    check_codec(
        Row(fixed=[1, 2, 3], rest=[]),
        struct.pack(prefix + "HHH", 1, 2, 3),
        order,
        {"fixed": [1, 2, 3], "rest": []},
    )
    problem = only(Row, struct.pack(prefix + "HHHI3x", 1, 2, 3, 4), order)
    assert problem == Problem(
        "body-not-consumed", "3 bytes of the body are left over", 10, None, "10 bytes", "13 bytes"
    )
    with pytest.raises(BodyError, match="wrong number of elements") as raised:
        Row(fixed=[1, 2], rest=[]).to_bytes()
    assert (raised.value.field, raised.value.expected, raised.value.actual) == ("fixed", 3, 2)
    with pytest.raises(BodyError, match=r"^fixed: expected 3 elements, found 4"):
        Row.from_json({"fixed": [1, 2, 3, 4], "rest": []})
    with pytest.raises(BodyError, match=r"^rest: expected a list"):
        Row.from_json({"fixed": [1, 2, 3], "rest": "1"})


def test_an_array_of_64_bit_numbers_is_an_array_of_strings() -> None:
    class Frames(Body):
        gfns: list[int] = array(u64())

    check_codec(
        Frames(gfns=[2**63, 1]), struct.pack("<QQ", 2**63, 1), "little", {"gfns": [str(2**63), "1"]}
    )


def test_an_array_of_enumerations_wraps_its_elements() -> None:
    class Modes(Body):
        modes: list[Mode] = array(u8(enum=Mode))

    body = Modes.from_bytes(b"\0\2")
    assert body.modes == [Mode.DEFAULT, Mode.NEVER]
    assert isinstance(body.modes[1], Mode)
    problem = only(Modes, b"\0\2\3")
    assert (problem.offset, problem.field, problem.actual) == (2, "modes[2]", 3)


def test_arrays_of_elements_without_a_fixed_size() -> None:
    class Item(Body):
        n: int = count_of("raw", size=1)
        raw: bytes = blob(count="n")
        mode: Mode = u8()

    class Items(Body):
        count: int = count_of("items", size=1)
        items: list[Item] = array(Item, "count")
        rest: list[Item] = array(Item)

    data = b"\2" + b"\1a\0" + b"\0\1" + b"\3xyz\2"
    body = Items.from_bytes(data)
    assert [item.raw for item in body.items + body.rest] == [b"a", b"", b"xyz"]
    assert body.to_bytes() == data
    assert body.size() == len(data)
    problem = only(Items, b"\2" + b"\1a\0" + b"\0\7")
    assert (problem.offset, problem.field) == (5, "items[1].mode")
    problem = only(Items, b"\2" + b"\1a\0" + b"\5\7")
    assert (problem.rule, problem.offset, problem.field) == (
        "body-too-short", 5, "items[1].raw",
    )  # fmt: skip
    assert (problem.expected, problem.actual) == ("5 bytes", "1 bytes")
    with pytest.raises(BodyError, match=r"^items\[0\].raw: expected a string of hex"):
        Items.from_json({"items": [{"raw": 5, "mode": 0}], "rest": []})


def test_an_element_that_may_be_empty_never_loops() -> None:
    class Maybe(Body):
        n: int = count_of("raw", size=1)
        raw: bytes = blob(count="n")

    class Nothing(Body):
        part: Any = optional(u8(), lengths=[1000])

    class Many(Body):
        n: int = count_of("items", size=4)
        items: list[Nothing] = array(Nothing, "n")

    assert Maybe.from_bytes(b"\0").raw == b""
    problem = only(Many, struct.pack("<I", 2**32 - 1) + b"x")
    assert (problem.rule, problem.field) == ("body-too-short", "items[0]")
