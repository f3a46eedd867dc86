"""Properties of comparisons: nothing is missed, and both directions agree."""

from __future__ import annotations

import json
import struct
from functools import cache
from pathlib import Path

import pytest
from compared_images import diff, rows, tree
from environments import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from domctx_core import (
    Diff,
    diff_images,
)

INPUTS = sorted(
    [
        *(ROOT / "tests/data/corpus").rglob("*.img"),
        *(ROOT / "examples").rglob("*.no-pages"),
        *(ROOT / "plugins").glob("*/tests/data/*.no-pages"),
    ]
)


MUTATED = [path for path in INPUTS if 0 < path.stat().st_size < 1 << 16]


@cache
def raw(path: Path) -> bytes:
    return path.read_bytes()


def total(found: Diff) -> int:
    return found.differences + found.folded


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_an_image_does_not_differ_from_itself(path: Path) -> None:
    # through another object, and once more with a byte behind it that both have
    image = tree(raw(path))
    assert diff_images(image, tree(raw(path))) == Diff()
    longer = diff(raw(path) + b"x", raw(path))
    assert total(longer) >= 1
    assert len(list(longer.records())) <= 1


Edit = tuple[str, float, int, bytes]


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["set", "cut", "insert", "swap"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 255),
        st.binary(max_size=40),
    ),
    min_size=1,
    max_size=3,
)


def edited(data: bytes, edits: list[Edit]) -> bytes:
    """The same bytes with some changed, left out, put in, or with neighbours swapped."""
    other = bytearray(data)
    for kind, where, number, more in edits:
        at = int(where * len(other))
        match kind:
            case "set":
                other[at : at + 1] = bytes([number])
            case "cut":
                del other[at : at + number % 64 + 1]
            case "insert":
                other[at:at] = more
            case _:
                size = 8 * (number % 6 + 1)
                other[at : at + 2 * size] = other[at + size : at + 2 * size] + other[at : at + size]
    return bytes(other)


@settings(deadline=None)
@given(st.sampled_from(MUTATED), EDITS)
def test_both_directions_say_the_same(path: Path, edits: list[Edit]) -> None:
    a, b = raw(path), edited(raw(path), edits)
    there, back = diff(a, b), diff(b, a)
    assert rows(there.swapped()) == rows(back)
    assert (there.differences, there.folded) == (back.differences, back.folded)
    assert a == b or total(there) or _only_order_or_filling(a, b)


CONTEXTS = sorted((ROOT / "plugins/domctx-plugin-hvm-context/tests/data").glob("*.bin"))


def records_of(path: Path) -> list[tuple[int, bytes]]:
    """Type and instance of each record of an HVM context in one number, and its body."""
    found, at = [], 0
    while at < len(raw(path)):
        head, length = struct.unpack_from("<II", raw(path), at)
        found.append((head, raw(path)[at + 8 : at + 8 + length]))
        at += 8 + length
    return found


@settings(deadline=None)
@given(st.data())
def test_both_directions_say_the_same_of_records_that_are_cut_short(data: st.DataObject) -> None:
    # Xen takes what some records lack for zeros, so that they decode to more than their bytes
    records = records_of(data.draw(st.sampled_from(CONTEXTS)))
    images = []
    for _ in "ab":
        cut = data.draw(st.dictionaries(st.integers(1, len(records) - 2), st.floats(0, 1)))
        bodies = [
            (head, body[: int(len(body) * cut.get(number, 1))])
            for number, (head, body) in enumerate(records)
        ]
        images.append(b"".join(struct.pack("<II", h, len(body)) + body for h, body in bodies))
    a, b = images
    there, back = diff(a, b), diff(b, a)
    assert rows(there.swapped()) == rows(back)
    assert (total(there) > 0) == (a != b)


def _only_order_or_filling(a: bytes, b: bytes) -> bool:
    """Whether two inputs that differ say the same: the length of padding of zeros may."""
    return sorted(a.replace(b"\0", b"")) == sorted(b.replace(b"\0", b""))


@settings(deadline=None)
@given(st.data())
def test_every_change_of_a_byte_is_seen(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(MUTATED))
    changed = bytearray(raw(path))
    at = data.draw(st.integers(0, len(changed) - 1))
    changed[at] ^= data.draw(st.integers(1, 255))
    assert total(diff(raw(path), bytes(changed))), at


@given(st.binary(max_size=120), st.binary(max_size=120))
def test_anything_can_be_compared(a: bytes, b: bytes) -> None:
    assert bool(total(diff(a, b))) == (a != b)


def test_there_are_inputs_of_every_kind() -> None:
    assert len(INPUTS) > 120


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(MUTATED), st.sampled_from(MUTATED))
def test_any_two_images_can_be_compared(a: Path, b: Path) -> None:
    there, back = diff(raw(a), raw(b)), diff(raw(b), raw(a))
    assert rows(there.swapped()) == rows(back)
    assert json.loads(json.dumps(there.to_json()))["differences"] == there.differences
