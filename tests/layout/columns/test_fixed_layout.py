"""Layouts of fixed size: where the fields are, which bodies fit."""

from __future__ import annotations

import re
from array import array
from typing import Any

import pytest
from codec_bodies import Open
from column_bodies import Checked, Colour, Marks, Mixed, Named, Plain, Point, Swapped

from domctx_core import BodyError
from domctx_core.layout.columns.fixed_layout import FixedLayout, Frame


def test_bodies_of_odd_types_do_not_plainly_fit() -> None:
    class Index:
        def __index__(self) -> int:
            return 3

    point: Any = Point
    named_body: Any = Named
    layout = FixedLayout(Point)
    for value, fits in ((3, True), (101, False), (-1, False), (True, False), (Index(), False)):
        assert layout.fits(point(x=1, y=value)) == fits
        assert not fits or not point(x=1, y=value).problems()
    assert not layout.fits(point(x=Index(), y=1))
    assert not layout.fits(point(x=2**16, y=1))
    named = FixedLayout(Named)
    for colour, marks, fits in (
        (Colour.RED, Marks.A, True), (200, 0x81, True), (3, 0, False), (1, 2, False),
        (1.0, 0, False),
    ):  # fmt: skip
        assert named.fits(named_body(colour=colour, marks=marks)) == fits
        assert not fits or not named_body(colour=colour, marks=marks).problems()


def test_where_the_fields_are() -> None:
    layout = FixedLayout(Mixed)
    assert [(slot.name, slot.offset, slot.code) for slot in layout.slots] == [
        ("key", 0, "I"), ("raw", 4, None), ("name", 9, None), ("bits", 13, None), ("at", 21, None),
        ("row", 25, None), ("what", 31, None),
    ]  # fmt: skip
    assert (layout.size, layout.flat, layout.order) == (39, False, None)
    plain = FixedLayout(Plain)
    assert (plain.codes, plain.flat, plain.by_name["d"].offset) == ("BQh3xqbi", True, 14)
    assert FixedLayout(Swapped).order == ">"
    with pytest.raises(BodyError, match="Point has no field `z`"):
        FixedLayout(Point).slot("z")
    with pytest.raises(BodyError, match="Open has no fixed size"):
        FixedLayout(Open)


def test_columns_of_defaults_and_of_values() -> None:
    layout = FixedLayout(Named)
    assert layout.defaults({}, 2) == {"colour": [Colour.RED] * 2, "marks": [Marks(0)] * 2}
    assert layout.defaults({"colour": [1], "marks": [0]}, 1) == {}
    assert layout.columns({"marks": [1, 2]}, 2) == {"marks": array("B", [1, 2])}
    with pytest.raises(BodyError, match="not as long as the run"):
        layout.columns({"marks": [1, 2]}, 3)
    with pytest.raises(BodyError, match="Point needs a column `x`"):
        FixedLayout(Point).defaults({}, 1)


def test_columns_get_into_records() -> None:
    layout, out = FixedLayout(Point), bytearray(b"?" * 12)
    layout.write(out, Frame(6, 1), {"x": array("H", [1, 2]), "y": array("H", [3, 4])}, ">")
    assert out == b"?\0\1\0\3??\0\2\0\4?"


def test_bytes_alone_show_what_is_valid_unless_there_is_a_check() -> None:
    pattern = FixedLayout(Point).pattern("big")
    assert pattern is not None
    assert re.fullmatch(pattern, b"\xff\xff\0\x64", re.DOTALL)
    assert not re.fullmatch(pattern, b"\xff\xff\0\x65", re.DOTALL)
    assert FixedLayout(Checked).pattern("big") is None
