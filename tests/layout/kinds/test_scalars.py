"""Integers, enumerations, flags and counts, against bytes packed by hand."""

import enum
import struct
from enum import Enum, IntEnum, StrEnum
from typing import Any

import pytest
from codec_bodies import (
    Counted,
    Flagged,
    Flags,
    Mode,
    Moded,
    Numbers,
    Point,
    Ranged,
    both_orders,
    check_codec,
    make,
    only,
)

from domctx_core import (
    Body,
    BodyError,
    DeclarationError,
    Errno,
    Problem,
    i8,
    u8,
    u64,
)


@both_orders
@pytest.mark.parametrize(
    "values",
    [
        (0, 0, 0, 0, 0, 0, 0, 0),
        (255, 127, 65535, 32767, 2**32 - 1, 2**31 - 1, 2**64 - 1, 2**63 - 1),
        (1, -128, 2, -32768, 3, -(2**31), 4, -(2**63)),
        (0x12, 0x23, 0x1234, 0x2345, 0x12345678, 0x23456789, 0x123456789ABCDEF0, -2),
    ],
)
def test_integers(values: tuple[int, ...], order: str, prefix: str) -> None:
    body = Numbers(**dict(zip("abcdefgh", values, strict=True)))
    as_json = dict(zip("abcdef", values[:6], strict=True))
    as_json |= {"g": str(values[6]), "h": str(values[7])}  # type: ignore[dict-item]
    check_codec(body, struct.pack(prefix + "BbHhIiQq", *values), order, as_json)


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("a", 256, "u8"),
        ("a", -1, "u8"),
        ("b", 128, "i8"),
        ("c", 65536, "u16"),
        ("f", -(2**31) - 1, "i32"),
        ("g", 2**64, "u64"),
        ("h", 2**63, "i64"),
        ("c", "7", "u16"),
        ("c", None, "u16"),
        ("c", 1.0, "u16"),
    ],
)
def test_an_integer_that_does_not_fit_names_field_offset_and_range(
    name: str, value: Any, kind: str
) -> None:
    body = Numbers(**(dict.fromkeys("abcdefgh", 0) | {name: value}))
    offset = {"a": 0, "b": 1, "c": 2, "d": 4, "e": 6, "f": 10, "g": 14, "h": 22}[name]
    for check in True, False:
        with pytest.raises(BodyError) as raised:
            body.to_bytes(check=check)
        error = raised.value
        assert (error.rule, error.errno) == ("field-out-of-range", Errno.EINVAL)
        assert (error.field, error.offset, error.actual) == (name, offset, value)
        assert kind in error.message
    assert [p.field for p in body.problems()] == [name]


@pytest.mark.parametrize("value", ["2**8", "", "0x", "12a", None, True, 1.5, [], {}])
def test_json_that_is_no_number(value: Any) -> None:
    with pytest.raises(BodyError, match=r"^x: expected a number, found") as raised:
        Point.from_json({"x": value, "y": 0})
    assert raised.value.field == "x"


def test_json_numbers_may_be_strings_and_must_fit() -> None:
    assert Point.from_json({"x": "0xffff", "y": "-7"}) == Point(x=65535, y=-7)
    with pytest.raises(BodyError, match=r"^x: 65536 does not fit a u16"):
        Point.from_json({"x": 65536, "y": 0})
    with pytest.raises(BodyError, match=r"^y: -32769 does not fit a i16"):
        Point.from_json({"x": 0, "y": "-32769"})


def test_show_hex_is_hex_in_json_and_comes_back() -> None:
    class Hex(Body):
        gfn: int = u64(show="hex")

    check_codec(Hex(gfn=0xABC), struct.pack("<Q", 0xABC), "little", {"gfn": "0xabc"})


@both_orders
def test_ranges(order: str, prefix: str) -> None:
    check_codec(
        Ranged(low=3, both=-5), struct.pack(prefix + "Ih", 3, -5), order, {"low": 3, "both": -5}
    )
    problem = only(Ranged, struct.pack(prefix + "Ih", 2, 5), order)
    assert problem == Problem(
        "field-out-of-range", "`low` is outside its range", 0, "low", "3 to 4294967295", 2, None
    )
    for wrong in -6, 6:
        problem = only(Ranged, struct.pack(prefix + "Ih", 3, wrong), order)
        assert (problem.offset, problem.field) == (4, "both")
        assert (problem.expected, problem.actual) == ("-5 to 5", wrong)
        assert problem.errno is Errno.ENXIO
        with pytest.raises(BodyError) as raised:
            Ranged(low=3, both=wrong).to_bytes()
        assert raised.value.errno is Errno.ENXIO
        unchecked = Ranged(low=3, both=wrong).to_bytes(order, check=False)
        assert unchecked == struct.pack(prefix + "Ih", 3, wrong)


@both_orders
def test_an_enumeration_has_names(order: str, prefix: str) -> None:
    check_codec(Moded(mode=Mode.NEVER), struct.pack(prefix + "I", 2), order, {"mode": "NEVER"})
    assert isinstance(Moded.from_bytes(struct.pack(prefix + "I", 1), order).mode, Mode)


def test_an_unknown_value_is_kept_and_reported() -> None:
    decoded = Moded.inspect(struct.pack("<I", 7))
    assert decoded.body == Moded(mode=7)  # type: ignore[arg-type]
    assert decoded.problems == (
        Problem(
            "field-out-of-range",
            "`mode` is not a known value",
            0,
            "mode",
            "0 DEFAULT, 1 ALWAYS, 2 NEVER",
            7,
            Errno.EOPNOTSUPP,
        ),
    )
    assert decoded.body.to_json() == {"mode": 7}
    assert Moded.from_json({"mode": 7}) == decoded.body
    assert decoded.body.to_bytes(check=False) == struct.pack("<I", 7)
    with pytest.raises(BodyError) as raised:
        Moded.from_bytes(struct.pack("<I", 7))
    assert raised.value.errno is Errno.EOPNOTSUPP


def test_json_enumerations_take_names_and_numbers_only() -> None:
    assert Moded.from_json({"mode": 1}).mode is Mode.ALWAYS
    assert Moded.from_json({"mode": "0x2"}).mode is Mode.NEVER
    with pytest.raises(BodyError, match="mode: expected a number or one of DEFAULT, ALWAYS, NEVER"):
        Moded.from_json({"mode": "SOMETIMES"})


@both_orders
def test_flags(order: str, prefix: str) -> None:
    check_codec(
        Flagged(flags=Flags.COMPAT | Flags.DYING),
        struct.pack(prefix + "I", 5),
        order,
        {"flags": ["COMPAT", "DYING"]},
    )
    check_codec(Flagged(flags=Flags(0)), bytes(4), order, {"flags": []})
    problem = only(Flagged, struct.pack(prefix + "I", 0x8B), order)
    assert problem == Problem(
        "reserved-not-zero",
        "`flags` has unknown bits",
        0,
        "flags",
        "no bits but 0x5",
        "0x8b (unknown: 0x8a)",
    )
    body = Flagged.inspect(struct.pack(prefix + "I", 0x8B), order).body
    assert body is not None
    assert body.to_json() == {"flags": ["COMPAT", "0x8a"]}
    assert Flagged.from_json(body.to_json()) == body
    assert body.to_bytes(order, check=False) == struct.pack(prefix + "I", 0x8B)
    assert Flagged.from_json({"flags": 5}) == Flagged(flags=Flags.COMPAT | Flags.DYING)


@pytest.mark.parametrize("boundary", ["STRICT", "CONFORM", "EJECT", "KEEP"])
def test_unknown_bits_survive_whatever_the_boundary_of_the_flags(boundary: str) -> None:
    make_flags: Any = enum.IntFlag
    bound = make_flags("bound", {"A": 1}, boundary=getattr(enum.FlagBoundary, boundary))

    class Bound(Body):
        flags: int = u8(enum=bound)

    decoded = Bound.inspect(b"\x81")
    assert [p.rule for p in decoded.problems] == ["reserved-not-zero"]
    assert decoded.body is not None
    assert decoded.body.to_bytes(check=False) == b"\x81"
    assert Bound.from_json(decoded.body.to_json()) == decoded.body


def test_unknown_bits_have_the_errno_that_the_field_says() -> None:
    class Strict(Body):
        flags: Flags = u8(errno=Errno.EOPNOTSUPP)

    with pytest.raises(BodyError) as raised:
        Strict.from_bytes(b"\x80")
    assert (raised.value.rule, raised.value.errno) == ("reserved-not-zero", Errno.EOPNOTSUPP)
    with pytest.raises(BodyError) as raised:
        Flagged.from_bytes(b"\x80\0\0\0")
    assert raised.value.errno is Errno.EINVAL


def test_enumerations_that_cannot_name_integers() -> None:
    class Coloured(Enum):
        RED = 1

    class Worded(StrEnum):
        RED = "red"

    class Big(IntEnum):
        HUGE = 256

    def of(kind: Any, **declared: Any) -> type[Body]:
        return make("Of", {"__annotations__": {"x": kind}, **declared})

    for kind, field, message in [
        (Coloured, u8(), "Coloured cannot name the values of a u8"),
        (Worded, u8(), "Worded cannot name the values of a u8"),
        (Big, u8(), "Big.HUGE does not fit a u8"),
        (Flags, i8(), "Flags need an unsigned integer, not i8"),
    ]:
        with pytest.raises(DeclarationError, match=message):
            of(kind, x=field).fixed_size()


def test_counts_are_read_and_computed_and_bounded() -> None:
    body = Counted(data=b"abc", points=[])
    assert (body.n, body.m) == (3, 0)
    body.data += b"d"
    assert body.n == 4
    with pytest.raises(AttributeError):
        body.n = 5
    short = only(Counted, struct.pack("<HB", 5, 0) + b"abc")
    assert (short.rule, short.offset, short.field) == ("body-too-short", 3, "data")
    many = Counted.inspect(struct.pack("<HB", 0, 4) + bytes(16))
    assert [(p.rule, p.offset, p.field, p.expected, p.actual) for p in many.problems] == [
        ("field-out-of-range", 2, "m", "0 to 3", 4)
    ]
    claimed = Counted.inspect(struct.pack("<HB", 0, 9) + bytes(16))
    assert [(p.rule, p.field) for p in claimed.problems] == [
        ("field-out-of-range", "m"), ("body-too-short", "points"),
    ]  # fmt: skip
    with pytest.raises(BodyError, match="`m` is outside its range"):
        Counted(data=b"", points=[Point(x=0, y=0)] * 4).to_bytes()
    with pytest.raises(BodyError) as raised:
        Counted(data=bytes(65536), points=[]).to_bytes()
    assert (raised.value.field, raised.value.actual) == ("n", 65536)


def test_counts_in_json_may_be_left_out_and_must_agree() -> None:
    expected = Counted(data=b"\1", points=[])
    assert Counted.from_json({"data": "01", "points": []}) == expected
    with pytest.raises(BodyError, match=r"^n: says 2, and `data` has 1"):
        Counted.from_json({"n": 2, "data": "01", "points": []})
