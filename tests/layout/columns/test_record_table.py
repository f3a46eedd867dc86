"""Records as bytes, read field by field: columns, bodies and JSON of the same records."""

from __future__ import annotations

import random
from array import array
from typing import Any

import pytest
from column_bodies import Colour, Mixed, Named, Plain, Point, Swapped

from domctx_core import Body, BodyError, Empty
from domctx_core.layout.columns.fixed_layout import FixedLayout, Frame
from domctx_core.layout.columns.record_table import RecordTable


def table(bodies: list[Any], order: Any = "little", head: int = 8, gap: int = 3) -> Any:
    """A table of the bodies, with other bytes around each."""
    body = type(bodies[0])
    raw = b"".join(b"\xaa" * head + each.to_bytes(order) + b"\x55" * gap for each in bodies)
    return RecordTable(FixedLayout(body), raw, Frame(len(raw) // len(bodies), head), order)


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("body", [Plain, Named, Point, Mixed, Swapped])
def test_what_single_bodies_have(body: type[Body], order: Any) -> None:
    rng = random.Random(3)
    bodies = [body.example(rng) for _ in range(12)]
    records = table(bodies, order)
    assert records.bodies() == bodies
    assert records.to_json() == [each.to_json() for each in bodies]
    for name in body.__layout__.stored:
        assert list(records.column(name)) == [getattr(each, name) for each in bodies]


def test_a_column_of_numbers_is_an_array_that_is_kept() -> None:
    records = table([Point(x=1, y=2), Point(x=3, y=4)])
    assert records.column("x") == array("H", [1, 3])
    assert records.column("x") is records.column("x")
    with pytest.raises(BodyError, match="Point has no field `z`"):
        records.column("z")


def test_numbers_with_names_have_them_in_json_only() -> None:
    records = table([Named(colour=Colour.BLUE)])
    assert records.column("colour") == array("I", [200])
    assert records.to_json() == [{"colour": "BLUE", "marks": []}]
    assert records.bodies()[0].colour is Colour.BLUE


def test_a_body_without_fields() -> None:
    records = table([Empty(), Empty()])
    assert records.bodies() == [Empty(), Empty()]
    assert records.to_json() == [{}, {}]


def test_a_body_with_json_of_its_own_is_asked() -> None:
    class Own(Body):
        def to_json(self) -> dict[str, Any]:
            return {"own": True}

    assert table([Own(), Own()]).to_json() == [{"own": True}] * 2
