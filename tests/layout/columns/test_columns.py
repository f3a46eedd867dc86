"""`Columns`: the same records as bytes, as columns and as bodies, whatever lies between them."""

from __future__ import annotations

import random
from array import array
from itertools import pairwise
from typing import Any

import pytest
from column_bodies import BODIES, Checked, Colour, Marks, Mixed, Named, Point, Swapped
from hypothesis import given, settings
from hypothesis import strategies as st

from domctx_core import Bits, Body, BodyError, Columns, Empty, blob, nested, switch, u16, u32
from domctx_core.layout.columns.arrays import is_ascending
from domctx_core.layout.columns.fixed_layout import FixedLayout, Frame


def example(body: type[Body], rng: random.Random) -> Body:
    while True:
        made = body.example(rng)
        if not made.problems():
            return made


@settings(max_examples=50, deadline=None)
@given(
    body=st.sampled_from(BODIES),
    seed=st.integers(0, 2**32),
    count=st.integers(0, 20),
    order=st.sampled_from(["little", "big"]),
    target=st.sampled_from(["little", "big"]),
    header=st.sampled_from([16, 8, 5]),
    gap=st.integers(0, 9),
)
def test_bytes_columns_and_bodies_are_the_same(
    body: type[Body], seed: int, count: int, order: Any, target: Any, header: int, gap: int
) -> None:
    rng = random.Random(seed)
    bodies = [example(body, rng) for _ in range(count)]
    instances = rng.sample(range(2**32), count)
    size = body.fixed_size()
    assert size is not None
    frame = Frame(header + size + gap, header, 1)

    def records(byteorder: Any, template: bytes) -> bytes:
        out = b""
        for instance, each in zip(instances, bodies, strict=True):
            head = template[:1] + instance.to_bytes(4, byteorder) + template[5:header]
            out += head + each.to_bytes(byteorder) + template[header + size :]
        return out

    blank = bytes(range(200, 200 + header)) + bytes(size) + bytes(range(1, 1 + gap))
    run = Columns.of_records(FixedLayout(body), records(order, blank), frame, order)
    assert len(run) == count
    assert list(run.instances) == instances
    assert list(run) == run.bodies() == bodies
    assert [run[i] for i in range(count)] == bodies
    for name in body.__layout__.stored:
        assert list(run.column(name)) == [getattr(each, name) for each in bodies]
    assert run.sound == (body is not Checked)
    assert run.records(blank, frame, target) == records(target, blank)
    if order == target:
        run.known_as(blank)
        assert run.records(blank, frame, target) == records(target, blank)
        assert (
            run[1:4].records(blank, frame, target)
            == records(target, blank)[frame.stride : 4 * frame.stride]
        )
    other_blank = bytes(255 - byte for byte in blank[:header]) + blank[header:]
    assert run.records(other_blank, frame, target) == records(target, other_blank)

    again = Columns(body, instances, {n: run.column(n) for n in body.__layout__.stored})
    assert again == run
    assert again.records(blank, frame, target) == records(target, blank)
    other = Columns.of_bodies(body, dict(zip(instances, bodies, strict=True)))
    assert other == run
    assert list(other.items()) == list(zip(instances, bodies, strict=True))
    assert run.to_json() == [each.to_json() for each in bodies]
    written = dict(zip(instances, run.to_json(), strict=True))
    assert not count or Columns.from_json(body, written) == run
    half = count // 2
    if half:
        assert Columns.joined([run[:half], run[half:]]) == run
        assert Columns.joined([run[:half], again[half:]]) == run
        assert run[::2] == Columns.joined([run[i : i + 1] for i in range(0, count, 2)])


@settings(max_examples=80, deadline=None)
@given(
    data=st.binary(max_size=8 * 30),
    body=st.sampled_from(BODIES),
    order=st.sampled_from(["little", "big"]),
)
def test_what_is_sound_has_no_problem(data: bytes, body: type[Body], order: Any) -> None:
    size = body.fixed_size()
    assert size is not None
    frame = Frame(size + 4, 4, 0)
    data = data[: len(data) // frame.stride * frame.stride]
    run = Columns.of_records(FixedLayout(body), data, frame, order)
    raws = [data[at + 4 : at + frame.stride] for at in range(0, len(data), frame.stride)]
    problems = [body.inspect(raw, order).problems for raw in raws]
    if run.sound:
        assert not any(problems)
    elif body is not Checked and raws:
        assert any(problems)


def test_what_is_not_just_the_fields_is_left_to_single_bodies() -> None:
    good = {"colour": "RED", "marks": ["A"]}
    assert Columns.from_json(Named, {7: good, 8: {"colour": 200, "marks": 0x81}}) == Columns(
        Named, [7, 8], {"colour": [1, 200], "marks": [1, 0x81]}
    )
    bad: list[Any] = [
        {"colour": "RED"}, {**good, "x": 1}, {"colour": "GREEN", "marks": []}, 5, None,
        {"colour": 2**32, "marks": []}, {"colour": -1, "marks": []}, {"colour": True, "marks": []},
        {"colour": "RED", "mark": []}, {"colour": "1.5", "marks": []},
    ]  # fmt: skip
    for each in bad:
        assert Columns.from_json(Named, {1: good, 2: each}) is None


def test_a_column_is_an_array_of_numbers() -> None:
    run = Columns(Named, [4, 9], {"colour": [1, 200], "marks": [0x81, 0]})
    assert run.column("colour") == array("I", [1, 200])
    assert run.column("marks") == array("B", [0x81, 0])
    assert run[0] == Named(colour=Colour.RED, marks=Marks.A | Marks.B)
    assert isinstance(run.bodies()[1].colour, Colour)
    assert run.instances == array("I", [4, 9])
    assert repr(run) == "<run of 2 Named>"
    assert Columns(Named, [1]).bodies() == [Named()]


class Wide(Body):
    """A number before another one, as in no other case."""

    before: int = u16()
    y: int = u16()
    x: int = u32()


class Deep(Body):
    """Bodies in bodies, of which one fixes its byte order."""

    key: int = u32(maximum=2)
    at: Point = nested(Point)
    other: Swapped = nested(Swapped)
    what: Point | Wide | None = switch("key", {0: None, 1: Point, 2: Wide}, size=8)
    inner: Mixed = nested(Mixed)


@pytest.mark.parametrize("order", ["little", "big"])
def test_a_column_of_an_integer_inside_a_body(order: Any) -> None:
    rng = random.Random(7)
    bodies = [Deep.example(rng) for _ in range(5)]
    for body, key in zip(bodies, (0, 1, 2, 2, 1), strict=True):
        body.key = key
        body.what = (None, Point(x=3, y=4), Wide(before=8, y=9, x=10))[key]
    raw = b"".join(body.to_bytes(order) for body in bodies)
    layout = FixedLayout(Deep)
    run = Columns.of_records(layout, raw, Frame(layout.size, 0), order)
    assert list(run.column("at.y")) == [body.at.y for body in bodies]
    assert list(run.column("other.b")) == [body.other.b for body in bodies]
    assert list(run.column("inner.at.x")) == [body.inner.at.x for body in bodies]
    assert list(run.column("what.before"))[2:4] == [8, 8]
    assert list(run.column("what.y")) == [0, 4, 9, 9, 4]
    for name in ("at.z", "key.x", "no.x", "inner.name", "inner.at", "what.x", "what.", "at..x"):
        with pytest.raises(BodyError):
            run.column(name)
    with pytest.raises(BodyError):
        run.replace({"at.y": [0] * 5})


def test_bodies_are_made_anew() -> None:
    run = Columns(Mixed, [1], {
        "key": [1], "raw": [b"12345"], "name": ["abcd"], "bits": [Bits(64)],
        "at": [Point(x=1, y=2)], "row": [[1, 2, 3]], "what": [Point(x=3, y=4)],
    })  # fmt: skip
    one, two = run[0], run.bodies()[0]
    one.at.x = 9
    one.row[0] = 9
    assert two == run[0] == Mixed(
        key=1, raw=b"12345", name="abcd", bits=Bits(64), at=Point(x=1, y=2), row=[1, 2, 3],
        what=Point(x=3, y=4),
    )  # fmt: skip


def test_replace_leaves_the_old_run_alone() -> None:
    run = Columns(Point, [1, 2, 3], {"x": [7, 8, 9], "y": [1, 2, 3]})
    other = run.replace({"x": [0, 0, 0]})
    assert (list(run.column("x")), list(other.column("x"))) == ([7, 8, 9], [0, 0, 0])
    assert other.instances == run.instances
    assert not run.replace({"y": [1, 2, 101]}).sound
    assert run.sound


@pytest.mark.parametrize(
    ("body", "instances", "columns", "said"),
    [
        (Point, [1], {"x": [1]}, "needs a column `y`"),
        (Point, [1], {"x": [1], "y": [1], "z": [1]}, "has no field `z`"),
        (Point, [1], {"x": [1, 2], "y": [1]}, "`x` is not as long"),
        (Point, [1], {"x": [2**16], "y": [1]}, "`x`"),
        (Point, [1], {"x": ["1"], "y": [1]}, "`x`"),
        (Point, [2**32], {"x": [1], "y": [1]}, "the instances"),
        (Point, [-1], {"x": [1], "y": [1]}, "the instances"),
    ],
)
def test_columns_that_do_not_fit(body: Any, instances: Any, columns: Any, said: str) -> None:
    with pytest.raises(BodyError, match=said):
        Columns(body, instances, columns)


def test_a_body_that_does_not_fit() -> None:
    good = {
        "key": 0, "raw": b"12345", "name": "abcd", "bits": Bits(64), "at": Point(x=1, y=2),
        "row": [1, 2, 3], "what": None,
    }  # fmt: skip
    for name, value in (("raw", b"1"), ("name", "abcde"), ("bits", Bits(8)), ("row", [1])):
        with pytest.raises(BodyError, match=name):
            Columns(Mixed, [1], {key: [value if key == name else good[key]] for key in good})


class Open(Body):
    """Of no fixed size."""

    rest: bytes = blob()


def test_a_body_of_no_fixed_size_has_no_columns() -> None:
    with pytest.raises(BodyError, match="no fixed size"):
        Columns(Open, [], {})
    with pytest.raises(BodyError, match="no field `z`"):
        Columns(Point, [1], {"x": [1], "y": [1]}).column("z")


@given(
    st.lists(st.integers(0, 2**32 - 1), max_size=40), st.integers(0, 2**32 - 1), st.integers(0, 40)
)
def test_consecutive_and_ascending(numbers: list[int], first: int, count: int) -> None:
    stretch = list(range(first, min(first + count, 2**32)))
    for each in (numbers, sorted(set(numbers)), stretch, stretch[:-1] + numbers[:1]):
        steps = [b - a for a, b in pairwise(each)]
        run = Columns(Empty, each)
        assert run.consecutive == all(step == 1 for step in steps)
        assert run.ascending == is_ascending(array("I", each)) == all(step > 0 for step in steps)


@pytest.mark.parametrize(
    "numbers", [[2**32 - 2, 2**32 - 1, 0, 2, 3], [2**32 - 1, 0], [1, 0], [5, 5]]
)
def test_numbers_that_wrap_do_not_follow_on(numbers: list[int]) -> None:
    assert not Columns(Empty, numbers).consecutive


def test_where_an_instance_is() -> None:
    points = {"x": [1, 2, 3], "y": [0, 0, 0]}
    for instances in ([4, 5, 6], [9, 2, 2**32 - 1]):
        run = Columns(Point, instances, points)
        assert [run.place_of(each) for each in instances] == [0, 1, 2]
        assert run.place_of(7) is run.place_of(0) is None
        assert run.index(run[1]) == 1
        with pytest.raises(IndexError):
            run[3]
    assert Columns(Point, [], {"x": [], "y": []}).place_of(1) is None
