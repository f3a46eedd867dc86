"""Bodies: what a class does with bytes that fit or not, and as Python objects."""

from collections.abc import Iterable
from typing import Any

import pytest
from codec_bodies import Counted, Mode, Numbers, Point, only

from domctx_core import (
    Body,
    BodyError,
    Empty,
    Errno,
    Problem,
    array,
    blob,
    count_of,
    i16,
    nested,
    reserved,
    text,
    u8,
    u16,
    u32,
)


@pytest.mark.parametrize(
    ("name", "value"),
    [("data", None), ("data", "text"), ("data", 5), ("points", None), ("points", 5)],
)
def test_a_value_of_the_wrong_type_is_a_body_error(name: str, value: Any) -> None:
    body = Counted(data=b"", points=[])
    setattr(body, name, value)
    with pytest.raises(BodyError):
        body.to_bytes(check=False)


def test_a_value_of_the_wrong_type_is_named() -> None:
    class Kinds(Body):
        raw: bytes = blob(2)
        word: str = text(2)
        row: list[int] = array(u8(), 2)
        point: Point = nested(Point)
        rest: bytes = blob()

    good: dict[str, Any] = {
        "raw": b"12", "word": "ab", "row": [1, 2], "point": Point(x=1, y=2), "rest": b"",
    }  # fmt: skip
    assert Kinds(**good).to_bytes() == b"12ab\1\2\1\0\2\0"
    for name, offset in [("raw", 0), ("word", 2), ("row", 4), ("point", 6), ("rest", 10)]:
        for value in None, 7, object():
            with pytest.raises(BodyError) as raised:
                Kinds(**(good | {name: value})).to_bytes()
            error = raised.value
            assert (error.rule, error.field, error.offset) == ("field-out-of-range", name, offset)


def test_a_value_of_the_wrong_type_is_not_asked_about() -> None:
    class Asked(Body):
        few: int = u8()

        def check(self) -> Iterable[Problem]:
            if self.few > 9:
                yield Problem("field-out-of-range", "too many", field="few")
            if self.few == 5:
                raise TypeError("a bug")

    [problem] = Asked(few="all").problems()
    assert problem.field == "few"
    assert [each.message for each in Asked(few=10).problems()] == ["too many"]
    with pytest.raises(TypeError, match="a bug"):
        Asked(few=5).problems()


@pytest.mark.parametrize(
    ("length", "field", "offset", "needed"),
    [(0, "a", 0, 1), (1, "b", 1, 1), (3, "c", 2, 2), (9, "e", 6, 4), (21, "g", 14, 8)],
)
def test_a_short_body_says_where_and_how_much(
    length: int, field: str, offset: int, needed: int
) -> None:
    decoded = Numbers.inspect(bytes(length))
    assert decoded.body is None
    assert decoded.problems == (
        Problem(
            "body-too-short",
            f"the body ends inside `{field}`",
            offset,
            field,
            f"{needed} bytes",
            f"{length - offset} bytes",
        ),
    )
    with pytest.raises(BodyError) as raised:
        Numbers.from_bytes(bytes(length))
    assert raised.value.errno is Errno.ENODATA


def test_a_long_body_is_decoded_and_its_rest_reported() -> None:
    decoded = Point.inspect(b"\1\0\2\0\3")
    assert decoded.body == Point(x=1, y=2)
    assert decoded.consumed == 4
    assert decoded.problems == (
        Problem(
            "body-not-consumed", "1 bytes of the body are left over", 4, None, "4 bytes", "5 bytes"
        ),
    )
    with pytest.raises(BodyError) as raised:
        Point.from_bytes(b"\1\0\2\0\3")
    assert raised.value.errno is Errno.EINVAL
    assert Empty.from_bytes(b"") == Empty()
    assert only(Empty, b"\0").rule == "body-not-consumed"


def test_problems_come_in_order_of_offset() -> None:
    class Mix(Body):
        first: Mode = u8()
        pad = reserved(1)
        last: Mode = u8()

    decoded = Mix.inspect(b"\7\7\7\7")
    assert [(p.offset, p.rule) for p in decoded.problems] == [
        (0, "field-out-of-range"),
        (1, "reserved-not-zero"),
        (2, "field-out-of-range"),
        (3, "body-not-consumed"),
    ]
    with pytest.raises(BodyError) as raised:
        Mix.from_bytes(b"\7\7\7\7")
    assert raised.value.field == "first"


def test_a_check_of_ones_own_is_placed_by_its_field() -> None:
    class Pair(Body):
        n: int = count_of("raw", size=1)
        raw: bytes = blob(count="n")
        low: int = u8()
        high: int = u8()

        def check(self) -> Any:
            if self.low > self.high:
                yield Problem("field-out-of-range", "low is above high", field="high")
                yield Problem("limit", "all of it")

    class Pairs(Body):
        head: int = u32()
        pairs: list[Pair] = array(Pair)

    data = bytes(4) + b"\0\1\2" + b"\3abc\2\1"
    decoded = Pairs.inspect(data)
    assert [(p.message, p.offset, p.field) for p in decoded.problems] == [
        ("low is above high", 12, "pairs[1].high"),
        ("all of it", None, None),
    ]
    with pytest.raises(BodyError, match="low is above high") as raised:
        Pair(raw=b"", low=2, high=1).to_bytes()
    assert raised.value.offset == 2
    assert Pair(raw=b"", low=2, high=1).to_bytes(check=False) == b"\0\2\1"


def test_defaults() -> None:
    class Defaults(Body):
        a: int = u8()
        b: int = u8(default=7)
        row: list[int] = array(u8(), default=[1])

    one, two = Defaults(a=1), Defaults(a=1)
    assert (one.b, one.row) == (7, [1])
    one.row.append(2)
    assert two.row == [1]
    assert Defaults.from_json({"a": 1}) == two
    Defaults.from_json({"a": 1}).row.append(3)
    assert Defaults(a=1) == two
    with pytest.raises(TypeError, match="Defaults needs `a`"):
        Defaults()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Defaults has no field c"):
        Defaults(a=1, c=2)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        one.c = 2  # type: ignore[attr-defined]


def test_equality_replace_and_repr() -> None:
    class Other(Body):
        x: int = u16()
        y: int = i16()

    point = Point(x=1, y=2)
    assert point == Point(x=1, y=2)
    assert point != Point(x=1, y=3)
    assert point != Other(x=1, y=2)
    assert point != (1, 2)
    changed = point.replace(y=9)
    assert (point.y, changed) == (2, Point(x=1, y=9))
    with pytest.raises(TypeError, match="no field z"):
        point.replace(z=1)
    assert repr(point) == "Point(x=1, y=2)"
    with pytest.raises(TypeError, match="unhashable"):
        hash(point)
