"""Layouts of fixed size: where the fields are, which bodies fit."""

from __future__ import annotations

from typing import Any

from column_bodies import Colour, Marks, Named, Point

from domctx_core.layout.columns.fixed_layout import FixedLayout


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
