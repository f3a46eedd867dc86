"""Fields by their path: where they are, what they hold, and how they are set."""

from __future__ import annotations

import pytest
from codec_bodies import Counted, Flagged, Flags, Mode, Moded, Outer, Padded, Point, Tail

from domctx_core import BodyError, UsageError
from domctx_core.layout.field_path import resolve


def outer() -> Outer:
    return Outer(
        point=Point(x=1, y=2), row=[Point(x=3, y=4), Point(x=5, y=6)], inner=Padded(x=7, y=8)
    )


@pytest.mark.parametrize(
    ("path", "offset", "size", "value"),
    [
        ("point", 0, 4, {"x": 1, "y": 2}),
        ("point.y", 2, 2, 2),
        ("row[1]", 8, 4, {"x": 5, "y": 6}),
        ("row[1].x", 8, 2, 5),
        ("inner.y", 20, 1, 8),
    ],
)
def test_a_path_names_a_field(path: str, offset: int, size: int, value: object) -> None:
    found = resolve(outer(), path)
    assert (found.path, found.offset, found.size) == (path, offset, size)
    assert found.to_json() == value


def test_a_field_is_set_in_its_body_only() -> None:
    body = outer()
    resolve(body, "row[0].y").set("-0x10")
    assert body.row == [Point(x=3, y=-16), Point(x=5, y=6)]
    resolve(body, "point").set('{"x": 9, "y": "8"}')
    assert body == outer().replace(point=Point(x=9, y=8), row=body.row)


def test_names_of_values_are_taken() -> None:
    moded, flagged = Moded(mode=Mode.DEFAULT), Flagged(flags=Flags(0))
    resolve(moded, "mode").set("NEVER")
    assert moded.mode is Mode.NEVER
    for text in "COMPAT,DYING", "COMPAT | DYING", '["COMPAT", "DYING"]':
        resolve(flagged, "flags").set(text)
        assert flagged.flags == Flags.COMPAT | Flags.DYING
    resolve(flagged, "flags").set("")
    assert flagged.flags == Flags(0)


def test_an_optional_field_comes_and_goes() -> None:
    body = Tail(x=1, more=None)
    resolve(body, "more").set("5")
    assert body.more == 5
    resolve(body, "more").set("null")
    assert body.more is None


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "not the path of a field"),
        ("row[x]", "not the path of a field"),
        ("rows", "has no field `rows`"),
        ("point.z", r"has no field `point\.z`"),
        ("inner.pad", r"has no field `inner\.pad`"),
        ("point[0]", "`point`, which is no list"),
    ],
)
def test_paths_that_the_class_does_not_have(path: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve(outer(), path)


def test_what_this_body_does_not_have() -> None:
    with pytest.raises(BodyError, match="has no element 2 in `row`") as raised:
        resolve(outer(), "row[2]")
    assert (raised.value.expected, raised.value.actual) == ("0 to 1", 2)
    with pytest.raises(BodyError, match="has no `more` here"):
        resolve(Tail(x=1, more=None), "more.x")


def test_a_count_is_not_set_but_computed() -> None:
    with pytest.raises(UsageError, match="has `n` computed: it counts `data`"):
        resolve(Counted(data=b"", points=[]), "n")


def test_a_value_that_does_not_fit_changes_nothing() -> None:
    body = outer()
    for path, text in (("point.x", "65536"), ("row[0].y", "much"), ("point", '{"x": 1}')):
        with pytest.raises(UsageError) as raised:
            resolve(body, path).set(text)
        assert raised.value.field == path
    assert body == outer()
