"""Compiled layouts: byte orders, paths of faults in JSON, and the layout as data."""

import json
import random
import struct
from typing import Any

import pytest
from codec_bodies import (
    ByLength,
    Counted,
    Either,
    Flagged,
    Moded,
    Network,
    Numbers,
    Outer,
    Point,
    Row,
    Tail,
    Union,
    check_codec,
)

from domctx_core import Body, BodyError, array, nested, u16


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
