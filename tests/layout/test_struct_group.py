"""Neighbouring fields that one call of `struct` reads and writes."""

from __future__ import annotations

from typing import Any

import pytest
from codec_bodies import Counted, Flags, Mode, Padded

from domctx_core import Body, BodyError, blob, reserved, u8, u16, u32
from domctx_core.layout.field import Field
from domctx_core.layout.kinds.base import Reader
from domctx_core.layout.struct_group import StructGroup, grouped


class Head(Body):
    mode: Mode = u8()
    flags: Flags = u16()
    pad = reserved(1)
    raw: bytes = blob(2)
    low: int = u32(maximum=5)


def group() -> StructGroup:
    (only,) = grouped(Head.__layout__.fields)
    assert isinstance(only, StructGroup)
    return only


def read(raw: bytes, order: str = "<", pos: int = 0) -> tuple[dict[str, Any], Reader]:
    reader, values = Reader(raw, order, pos), dict[str, Any]()
    group().decode(reader, values)
    return values, reader


def test_fields_are_grouped_up_to_one_of_varying_size() -> None:
    first, data, points = grouped(Counted.__layout__.fields)
    assert isinstance(first, StructGroup)
    assert first.names == ["n", "m"]
    assert isinstance(data, Field)
    assert isinstance(points, Field)
    assert (data.name, points.name) == ("data", "points")
    assert grouped([]) == []


def test_offsets_have_no_gaps() -> None:
    assert group().offsets == [0, 1, 3, 4, 6]
    assert (group().size, Padded.fixed_size()) == (10, 9)


@pytest.mark.parametrize(
    ("order", "raw"), [("<", b"\2\4\0\0ab\5\0\0\0"), (">", b"\2\0\4\0ab\0\0\0\5")]
)
def test_values_are_read_and_written(order: str, raw: bytes) -> None:
    values, reader = read(b"??" + raw, order, 2)
    assert values | {"pad": b"\0"} == {
        "mode": Mode.NEVER, "flags": Flags.DYING, "pad": b"\0", "raw": b"ab", "low": 5,
    }  # fmt: skip
    assert isinstance(values["mode"], Mode)
    assert (reader.pos, reader.suspect, reader.problems) == (12, False, [])
    out = bytearray(b"!")
    group().encode(Head(**{name: values[name] for name in Head.__layout__.stored}), out, order)
    assert out == b"!" + raw


@pytest.mark.parametrize(
    "raw",
    [
        b"\3\4\0\0ab\5\0\0\0",  # no such mode
        b"\2\2\0\0ab\5\0\0\0",  # an unknown flag
        b"\2\4\0\0ab\6\0\0\0",  # beyond the range
    ],
)
def test_values_that_may_break_a_rule_are_suspect(raw: bytes) -> None:
    assert read(raw)[1].suspect
    assert Head.inspect(raw).problems


def test_reserved_bytes_are_reported_where_they_are() -> None:
    _, reader = read(b"?\2\4\0\1ab\5\0\0\0", pos=1)
    assert [(p.rule, p.offset, p.field) for p in reader.problems] == [
        ("reserved-not-zero", 4, "pad")
    ]


@pytest.mark.parametrize(
    ("length", "name", "offset"), [(0, "mode", 0), (2, "flags", 1), (5, "raw", 4), (9, "low", 6)]
)
def test_the_first_field_that_is_cut_off_is_named(length: int, name: str, offset: int) -> None:
    with pytest.raises(BodyError, match=f"ends inside `{name}`") as raised:
        read(bytes(length))
    assert raised.value.offset == offset
