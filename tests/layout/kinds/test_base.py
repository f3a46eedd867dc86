"""What all kinds share: the reader, the checker, errors in JSON, and integers as text."""

from __future__ import annotations

import pytest

from domctx_core import BodyError, Errno, array, u8
from domctx_core.layout.kinds.base import (
    BYTE_ORDERS,
    LONGEST_INTEGER,
    ORDERS,
    Checker,
    JsonError,
    Reader,
    describe,
    leaves,
    parse_integer,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("-7", -7), ("007", 7), ("0x1F", 31), ("0Xff", 255), ("-0x10", -16)],
)
def test_integers_as_text(text: str, number: int) -> None:
    assert parse_integer(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "-", "0x", "--1", "+1", " 1", "1 ", "1_000", "0b1", "1.5", "\u0661", "9" * 101],
)
def test_text_that_is_no_integer(text: str) -> None:
    with pytest.raises(ValueError, match=r"integer|invalid literal"):
        parse_integer(text)


def test_the_longest_integer_is_one() -> None:
    assert parse_integer("1" * LONGEST_INTEGER) == int("1" * LONGEST_INTEGER)


def test_byte_orders_have_two_names() -> None:
    assert {BYTE_ORDERS[code]: code for code in BYTE_ORDERS} == ORDERS


def test_a_reader_steps_over_what_is_there() -> None:
    reader = Reader(b"abcdef", "<", 1, "outer")
    assert (reader.advance(2, "x"), reader.pos) == (1, 3)
    assert reader.advance(3, "x") == 3
    assert reader.advance(0, "x") == 6
    with pytest.raises(BodyError, match=r"the body ends inside `outer\.y`") as raised:
        reader.advance(1, "y")
    error = raised.value
    assert (error.rule, error.errno, error.offset) == ("body-too-short", Errno.ENODATA, 6)
    assert (error.expected, error.actual) == ("1 bytes", "0 bytes")
    assert (reader.pos, reader.name("")) == (6, "outer")


def test_a_checker_places_problems_where_it_is() -> None:
    checker = Checker()
    checker.pos, checker.path = 4, ["row[1]", "x"]
    checker.report("limit", "too many", expected=1, actual=2, errno=Errno.ENXIO)
    checker.wrong_type("a number", "7")
    one, two = checker.problems
    assert (one.rule, one.message, one.offset, one.field) == ("limit", "too many", 4, "row[1].x")
    assert (one.expected, one.actual, one.errno) == (1, 2, Errno.ENXIO)
    assert (two.rule, two.expected, two.actual) == ("field-out-of-range", "a number", "str")


def test_errors_in_json_have_their_paths() -> None:
    single = JsonError("bad").at("x").at("[1]").at("row")
    assert list(single.faults()) == [("row[1].x", "bad")]
    assert JsonError.of([single]) is single
    several = JsonError.of([JsonError("one").at("a"), JsonError("two").at("b")]).at("[0]").at("row")
    assert list(several.faults()) == [("row[0].a", "one"), ("row[0].b", "two")]
    assert str(several) == "one"


def test_leaves_and_description_of_a_kind() -> None:
    kind = array(u8(maximum=3), 2).kind
    assert list(leaves(kind)) == [kind, kind.element]
    assert describe(kind.element) == {"kind": "u8", "size": 1, "maximum": 3}
