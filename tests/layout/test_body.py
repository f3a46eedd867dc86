"""Bodies: every kind of field, in both byte orders, against bytes packed by hand."""

import enum
import json
import random
import struct
import sys
import types
from collections.abc import Iterable
from enum import Enum, IntEnum, IntFlag, StrEnum
from typing import Any

import pytest

from domctx_core import (
    Bits,
    Body,
    BodyError,
    DeclarationError,
    Empty,
    Errno,
    Problem,
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

ORDERS = [("little", "<"), ("big", ">")]
both_orders = pytest.mark.parametrize(("order", "prefix"), ORDERS, ids=["little", "big"])


class Mode(IntEnum):
    DEFAULT = 0
    ALWAYS = 1
    NEVER = 2


class Flags(IntFlag):
    COMPAT = 1
    DYING = 4


class Numbers(Body):
    """Every integer there is."""

    a: int = u8()
    b: int = i8()
    c: int = u16()
    d: int = i16()
    e: int = u32()
    f: int = i32()
    g: int = u64()
    h: int = i64()


class Point(Body):
    x: int = u16()
    y: int = i16()


class Moded(Body):
    mode: Mode = u32(errno=Errno.EOPNOTSUPP)


class Flagged(Body):
    flags: Flags = u32()


class Ranged(Body):
    low: int = u32(minimum=3)
    both: int = i16(minimum=-5, maximum=5, errno=Errno.ENXIO)


class Padded(Body):
    x: int = u32()
    pad = reserved(4)
    y: int = u8()


class Counted(Body):
    n: int = count_of("data", size=2)
    m: int = count_of("points", size=1, maximum=3)
    data: bytes = blob(count="n")
    points: list[Point] = array(Point, "m")


class Row(Body):
    fixed: list[int] = array(u16(), 3)
    rest: list[int] = array(u32())


class Outer(Body):
    point: Point = nested(Point)
    row: list[Point] = array(Point, 2)
    inner: Padded = nested(Padded)


class Tail(Body):
    x: int = u32()
    more: int | None = optional(u16())


class ByLength(Body):
    """A reserved word that some writers have, told by the whole length."""

    x: int = u32()
    has_word: bool = optional(reserved(4), lengths=[9, 14], default=False)
    y: int = u8()
    tail: bytes = blob()


class Small(Body):
    a: int = u32()


class Large(Body):
    a: int = u64()
    b: Mode = u32()


class Either(Body):
    x: int = u8()
    info: Small | Large = by_size(narrow=Small, wide=Large)


class Union(Body):
    state: int = u8(maximum=3)
    binding: Small | Point | bytes | None = switch("state", {0: None, 1: Small, 2: Point}, size=6)


class Network(Body, byteorder="big"):
    port: int = u16()
    row: list[int] = array(u16(), 2)


def make(name: str, namespace: dict[str, Any]) -> type[Body]:
    """A body class made at run time."""
    made: type[Body] = types.new_class(name, (Body,), {}, lambda space: space.update(namespace))
    return made


def only(body: type[Body], data: bytes, order: str = "little") -> Problem:
    """The one problem that some bytes have."""
    problems = body.inspect(data, order).problems
    assert len(problems) == 1, problems
    return problems[0]


def check_codec(body: Body, data: bytes, order: str, as_json: Any) -> None:
    """Bytes both ways, JSON both ways, and the size."""
    cls = type(body)
    assert body.to_bytes(order) == data
    assert body.size() == len(data)
    decoded = cls.inspect(data, order)
    assert (decoded.body, decoded.problems, decoded.consumed) == (body, (), len(data))
    assert cls.from_bytes(bytearray(data), order) == body
    assert cls.from_bytes(memoryview(data), order) == body
    assert body.to_json() == as_json
    assert cls.from_json(json.loads(json.dumps(as_json))) == body


# ------------------------------------------------------------------------------------- integers


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


# ------------------------------------------------------------------------- enumerations and flags


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


def test_annotations_name_enumerations_as_objects_and_as_strings() -> None:
    class AsString(Body):
        mode: "Mode" = u8()
        plain: "int" = u8()
        either: "Mode | int" = u8()
        listed: "list[int]" = array(u8(), 1)

    body = AsString.from_bytes(b"\2\2\2\2")
    assert body.mode is Mode.NEVER
    assert body.to_json() == {"mode": "NEVER", "plain": 2, "either": 2, "listed": [2]}

    class AsObject(Body):
        mode: Mode = u8()

    assert AsObject.from_bytes(b"\2").mode is Mode.NEVER

    class Explicit(Body):
        mode: int = u8(enum=Mode)

    assert Explicit.from_bytes(b"\2").mode is Mode.NEVER


FUTURE = """
from __future__ import annotations
import enum
from domctx_core import Body, u32

class Known(enum.IntEnum):
    ONE = 1

class Space:
    Inside = Known

class Good(Body):
    x: Known = u32()
    y: Space.Inside = u32()

def local() -> type[Body]:
    class Hidden(enum.IntEnum):
        TWO = 2

    class Bad(Body):
        a: int = u32()
        y: Hidden = u32()

    return Bad
"""


def test_future_annotations(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("module_of_the_future")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(FUTURE, module.__dict__)
    body = module.Good.from_bytes(struct.pack("<II", 1, 1))
    assert body.to_json() == {"x": "ONE", "y": "ONE"}
    with pytest.raises(
        DeclarationError, match=r"Bad: .*`y` names something that module_of_the_future does not"
    ):
        module.local().fixed_size()


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


# ------------------------------------------------------------------- reserved, blob, text, bitmap


@both_orders
def test_reserved_bytes_are_written_as_zero_and_read_with_suspicion(
    order: str, prefix: str
) -> None:
    check_codec(Padded(x=1, y=2), struct.pack(prefix + "I4xB", 1, 2), order, {"x": 1, "y": 2})
    data = struct.pack(prefix + "I4sB", 1, b"\0\0\x99\x01", 2)
    decoded = Padded.inspect(data, order)
    assert decoded.body == Padded(x=1, y=2)
    assert decoded.problems == (
        Problem(
            "reserved-not-zero", "reserved bytes are not zero", 6, "pad", "00000000", "00009901"
        ),
    )
    assert not hasattr(decoded.body, "pad")


def test_reserved_inside_others_is_named_by_its_path() -> None:
    class Deep(Body):
        rows: list[Padded] = array(Padded, 2)

    data = bytearray(18)
    data[9 + 7] = 1
    problem = only(Deep, bytes(data))
    assert (problem.rule, problem.offset, problem.field) == ("reserved-not-zero", 16, "rows[1].pad")


@both_orders
def test_blobs_fixed_counted_and_tail(order: str, prefix: str) -> None:
    class Fixed(Body):
        magic: bytes = blob(4)
        tail: bytes = blob()

    check_codec(
        Fixed(magic=b"xen3", tail=b"\0\xff"),
        b"xen3\0\xff",
        order,
        {"magic": "78656e33", "tail": "00ff"},
    )
    check_codec(Fixed(magic=bytes(4), tail=b""), bytes(4), order, {"magic": "0" * 8, "tail": ""})
    check_codec(
        Counted(data=b"abc", points=[Point(x=1, y=-1), Point(x=2, y=-2)]),
        struct.pack(prefix + "HB3sHhHh", 3, 2, b"abc", 1, -1, 2, -2),
        order,
        {"n": 3, "m": 2, "data": "616263", "points": [{"x": 1, "y": -1}, {"x": 2, "y": -2}]},
    )
    with pytest.raises(BodyError, match="wrong number of bytes") as raised:
        Fixed(magic=b"xen", tail=b"").to_bytes()
    assert (raised.value.expected, raised.value.actual) == ("4 bytes", "3 bytes")
    for wrong in ["0", "zz", 5, None, ["00"]]:
        with pytest.raises(BodyError, match=r"^tail: expected a string of hex digits"):
            Fixed.from_json({"magic": "00000000", "tail": wrong})


def test_text_is_utf8_and_keeps_what_is_not() -> None:
    class Texts(Body):
        n: int = count_of("name", size=1)
        tag: str = text(4)
        name: str = text(count="n")
        rest: str = text()

    check_codec(
        Texts(tag="ab\0\0", name="ä", rest="€x"),
        b"\2ab\0\0\xc3\xa4\xe2\x82\xacx",
        "little",
        {"n": 2, "tag": "ab\0\0", "name": "ä", "rest": "€x"},
    )
    bad = b"\1\xff\xfe\0\0\x80\xed\xb2\x80"
    body = Texts.from_bytes(bad)
    assert body.to_bytes() == bad
    assert Texts.from_json(json.loads(json.dumps(body.to_json()))).to_bytes() == bad
    with pytest.raises(BodyError, match="wrong number of bytes") as raised:
        Texts(tag="äää", name="", rest="").to_bytes()
    assert (raised.value.field, raised.value.actual) == ("tag", "6 bytes")
    with pytest.raises(BodyError, match="UTF-8 cannot hold"):
        Texts(tag="abcd", name="", rest="\ud800").to_bytes()
    with pytest.raises(BodyError, match=r"^rest: the text has characters that UTF-8 cannot hold"):
        Texts.from_json({"tag": "abcd", "name": "", "rest": "\ud800"})
    with pytest.raises(BodyError, match=r"^rest: expected text, found 5"):
        Texts.from_json({"tag": "abcd", "name": "", "rest": 5})


@both_orders
@pytest.mark.parametrize("word", [4, 8])
def test_bitmaps(word: int, order: str, prefix: str) -> None:
    class Map(Body):
        head: int = u8()
        pending: Bits = bitmap(16, word=word)

    positions = [0, 7, 8, 31, 32, 63, 64, 127]
    words = [0] * (16 // word)
    for position in positions:
        words[position // (8 * word)] |= 1 << position % (8 * word)
    data = struct.pack(f"{prefix}B{len(words)}{'I' if word == 4 else 'Q'}", 9, *words)
    check_codec(
        Map(head=9, pending=Bits(128, positions)), data, order, {"head": 9, "pending": positions}
    )
    with pytest.raises(
        BodyError, match=r"pending\[0\]: position 128 is outside a bitmap of 128 bits"
    ):
        Map.from_json({"head": 0, "pending": [128]})
    for wrong in [[-1], ["1"], [True], 5, None]:
        with pytest.raises(BodyError, match=r"^pending(\[0\])?: "):
            Map.from_json({"head": 0, "pending": wrong})
    for value in [Bits(64, [1]), Bits(256, [200]), [1, 2], None]:
        with pytest.raises(BodyError) as raised:
            Map(head=0, pending=value).to_bytes()  # type: ignore[arg-type]
        assert (raised.value.field, raised.value.offset) == ("pending", 1)


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


# ------------------------------------------------------------------------------------- aggregates


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


def test_a_byte_order_of_its_own() -> None:
    data = struct.pack(">HHH", 1, 2, 3)
    for order in "little", "big":
        check_codec(Network(port=1, row=[2, 3]), data, order, {"port": 1, "row": [2, 3]})

    class Mixed(Body):
        before: int = u16()
        net: Network = nested(Network)
        after: list[int] = array(u16(), 1)

    check_codec(
        Mixed(before=1, net=Network(port=2, row=[3, 4]), after=[5]),
        struct.pack("<H", 1) + struct.pack(">HHH", 2, 3, 4) + struct.pack("<H", 5),
        "little",
        {"before": 1, "net": {"port": 2, "row": [3, 4]}, "after": [5]},
    )


# ----------------------------------------------------------------------------- lengths and counts


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


# ------------------------------------------------------------------------------ as Python objects


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


def test_a_subclass_adds_fields_after_those_it_inherits() -> None:
    class Point3(Point):
        z: int = u8()

    assert Point3(x=1, y=2, z=3).to_bytes() == b"\1\0\2\0\3"
    assert Point3.fixed_size() == 5


# ------------------------------------------------------------------------------------------- JSON


@pytest.mark.parametrize("value", [None, 5, "x", [], True])
def test_json_that_is_no_object(value: Any) -> None:
    with pytest.raises(BodyError, match=r"^Point: expected an object with fields"):
        Point.from_json(value)
    with pytest.raises(BodyError, match=r"^row\[1\]: expected an object"):
        Outer.from_json({
            "point": {"x": 1, "y": 1}, "row": [{"x": 1, "y": 1}, value],
            "inner": {"x": 1, "y": 1},
        })  # fmt: skip


def test_json_faults_name_the_whole_path() -> None:
    good = Outer.example(random.Random(1)).to_json()
    bad = json.loads(json.dumps(good))
    bad["row"][1]["y"] = "?"
    with pytest.raises(BodyError, match=r"^row\[1\]\.y: expected a number") as raised:
        Outer.from_json(bad)
    assert (raised.value.field, raised.value.rule) == ("row[1].y", "field-out-of-range")
    bad = json.loads(json.dumps(good))
    bad["inner"]["z"] = 1
    with pytest.raises(BodyError, match=r"^inner: unknown field 'z'; known are x, y"):
        Outer.from_json(bad)
    bad = json.loads(json.dumps(good))
    bad["inner"]["pad"] = 1
    bad["inner"].pop("x")
    with pytest.raises(BodyError, match=r"^inner\.x: the field is missing"):
        Outer.from_json(bad)
    with pytest.raises(BodyError, match="unknown field 'row2'; known are point, row, inner"):
        Outer.from_json(good | {"row2": []})


def test_the_layout_is_data() -> None:
    rows = json.loads(json.dumps(Counted.layout()))
    assert [(r["offset"], r["name"], r["kind"], r["size"]) for r in rows] == [
        (0, "n", "u16", 2),
        (2, "m", "u8", 1),
        (3, "data", "bytes", None),
        (None, "points", "Point[m]", None),
    ]
    for body in Numbers, Moded, Flagged, Row, Outer, Tail, ByLength, Either, Union, Network:
        json.dumps(body.layout())
    assert Moded.layout()[0]["enum"] == {"DEFAULT": 0, "ALWAYS": 1, "NEVER": 2}
    assert Flagged.layout()[0]["flags"] == {"COMPAT": 1, "DYING": 4}


# ----------------------------------------------------------------------------- wrong declarations


def declare(**fields: Any) -> type[Body]:
    return make("Wrong", fields)


class Open(Body):
    raw: bytes = blob()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"a": blob(count="n"), "n": count_of("a")}, "`a` is counted by `n`, which must be"),
        ({"a": blob(count="n")}, "`a` is counted by `n`, which must be"),
        ({"n": u32(), "a": array(u8(), "n")}, "`a` is counted by `n`, which must be"),
        ({"n": count_of("b"), "a": u32()}, "`n` counts `b`, which is no field"),
        ({"n": count_of("a"), "a": blob(4)}, "`n` counts `a`, which must name"),
        (
            {"n": count_of("b"), "b": blob(count="n"), "a": optional(blob(count="n"))},
            "inside `a` cannot be counted by `n`",
        ),
        ({"a": blob(), "b": u8()}, "`a` takes all bytes that are left"),
        ({"a": array(u8()), "b": u8()}, "`a` takes all bytes that are left"),
        ({"a": text(), "b": u8()}, "`a` takes all bytes that are left"),
        ({"a": optional(u8()), "b": u8()}, "`a` takes all bytes that are left"),
        ({"a": by_size(s=Small), "b": u8()}, "`a` takes all bytes that are left"),
        ({"a": nested(Open), "b": u8()}, "`a` takes all bytes that are left"),
        ({"a": optional(blob(), lengths=[3]), "b": u8()}, "`a` takes all bytes that are left"),
        ({"a": array(Open, 2)}, "an element of `a` takes all bytes that are left"),
        ({"a": switch("s", {}, size=4), "s": u8()}, "`a` is chosen by `s`, which must be"),
        ({"a": switch("s", {}, size=4)}, "`a` is chosen by `s`, which must be"),
    ],
)  # fmt: skip
def test_declarations_that_cannot_work(fields: dict[str, Any], message: str) -> None:
    body = declare(**fields)
    for _ in range(2):
        with pytest.raises(DeclarationError, match=f"^Wrong: .*{message}"):
            body.fixed_size()


@pytest.mark.parametrize("name", ["size", "check", "to_bytes", "layout", "problems", "__x"])
def test_a_field_cannot_take_the_name_of_something_else(name: str) -> None:
    with pytest.raises(DeclarationError, match=f"`{name}` cannot be the name of a field"):
        declare(**{name: u8()})


def test_a_field_cannot_be_declared_twice() -> None:
    with pytest.raises(DeclarationError, match="Twice: `x` cannot be the name of a field"):

        class Twice(Point):
            x: int = u8()


def test_specifiers_refuse_what_cannot_work() -> None:
    with pytest.raises(DeclarationError, match="at least one byte"):
        array(Empty, 3)
    with pytest.raises(DeclarationError, match="at least one byte"):
        array(blob(0), 3)
    with pytest.raises(DeclarationError, match="found 5"):
        array(5)
    with pytest.raises(DeclarationError, match="found <class 'int'>"):
        optional(int)
    with pytest.raises(DeclarationError, match="12 bytes does not divide into 8-byte words"):
        bitmap(12)
    with pytest.raises(
        DeclarationError, match=r"by_size: b \(Point\) needs a fixed size of its own"
    ):
        by_size(a=Small, b=Point)
    with pytest.raises(DeclarationError, match=r"by_size: a \(Open\) needs a fixed size"):
        by_size(a=Open)
    with pytest.raises(DeclarationError, match="case 1 does not fit into 3 bytes"):
        switch("s", {1: Small}, size=3)
    with pytest.raises(DeclarationError, match="byteorder is 'little' or 'big', not 'middle'"):

        class Wrong(Body, byteorder="middle"):
            pass


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
