"""What differs between two images, whatever they are: nothing is missed, nothing made up."""

from __future__ import annotations

import json
import struct
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from environments import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from domctx_core import (
    BufferSource,
    Diff,
    Formats,
    Host,
    Image,
    Record,
    diff_images,
    read_image,
    walk,
)
from domctx_core.images.diff.parts import compare_parts
from domctx_core.testing import ImageBuilder

INPUTS = sorted(
    [
        *(ROOT / "tests/data/corpus").rglob("*.img"),
        *(ROOT / "examples").rglob("*.no-pages"),
        *(ROOT / "plugins").glob("*/tests/data/*.no-pages"),
    ]
)

MUTATED = [path for path in INPUTS if 0 < path.stat().st_size < 1 << 16]


@cache
def formats() -> Formats:
    return Host().formats


@cache
def raw(path: Path) -> bytes:
    return path.read_bytes()


def tree(data: bytes) -> Image:
    return read_image(BufferSource(data), formats())


def diff(a: bytes, b: bytes) -> Diff:
    return diff_images(tree(a), tree(b))


def total(found: Diff) -> int:
    return found.differences + found.folded


def rows(found: Diff) -> list[str]:
    """Everything that was found, in an order that does not depend on which image came first."""
    shown = found.to_json()
    for container in shown["containers"]:
        container["records"].sort(key=json.dumps)
        for record in container["records"]:
            record["changes"].sort(key=json.dumps)
        container["changes"].sort(key=json.dumps)
    return sorted(map(json.dumps, shown["containers"]))


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


def unknown_records(order: list[int]) -> bytes:
    builder = ImageBuilder().start()
    for instance in order:
        builder.record(0x80000001, instance)
    return builder.end().build()


@settings(deadline=None)
@given(st.permutations(range(6)), st.permutations(range(6)))
def test_the_fewest_records_move_and_the_same_ones_back(a: list[int], b: list[int]) -> None:
    there, back = (diff(unknown_records(x), unknown_records(y)) for x, y in ((a, b), (b, a)))
    assert rows(there.swapped()) == rows(back)
    longest = max(
        size
        for size in range(7)
        for kept in combinations(a, size)
        if all(b.index(x) < b.index(y) for x, y in pairwise(kept))
    )
    assert there.differences == len(a) - longest
    assert all(record.moved for _, record in there.records())


# ------------------------------------------------------------------------------------------ parts

Page = tuple[int, int, int]
"""PFN, page type, and the byte that fills the page."""

WITHOUT_PAGE = (13, 15)

PAGES = st.lists(
    st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from([0, 1, *WITHOUT_PAGE]), st.integers(0, 2)),
        min_size=1, max_size=6,
    ),
    max_size=4,
)  # fmt: skip


def page_records(records: list[list[Page]]) -> list[Record]:
    """The PAGE_DATA records of a libxc stream with these pages."""
    stream = struct.pack(">QIIH6x", 2**64 - 1, 0x58454E46, 3, 0)
    stream += struct.pack("<IHHII", 1, 12, 0, 4, 17)
    for pages in records:
        body = struct.pack("<II", len(pages), 0)
        body += b"".join(struct.pack("<Q", kind << 60 | pfn) for pfn, kind, _ in pages)
        body += b"".join(
            bytes([fill]) * 4096 for _, kind, fill in pages if kind not in WITHOUT_PAGE
        )
        stream += struct.pack("<II", 1, len(body)) + body
    events = walk(BufferSource(stream + bytes(8)), formats())
    return [event for event in events if isinstance(event, Record) and event.type == 1]


def memory_of(records: list[list[Page]]) -> dict[int, tuple[int, int]]:
    """Page type and content of each page in the end; a page without content has none."""
    return {
        pfn: (kind, -1 if kind in WITHOUT_PAGE else fill)
        for pages in records
        for pfn, kind, fill in pages
    }


@settings(deadline=None)
@given(PAGES, PAGES, st.sampled_from([1, 2, 3, 1000]))
def test_parts_differ_alike_however_few_are_kept_in_mind(
    a: list[list[Page]], b: list[list[Page]], limit: int
) -> None:
    left, right = page_records(a), page_records(b)
    if not left and not right:
        return
    found = compare_parts(left, right, limit)
    x, y = memory_of(a), memory_of(b)
    both = x.keys() & y.keys()
    assert found.removed.count == len(x.keys() - y.keys())
    assert found.added.count == len(y.keys() - x.keys())
    assert found.kinds.count == sum(x[pfn][0] != y[pfn][0] for pfn in both)
    changed = [pfn for pfn in sorted(both) if x[pfn][0] == y[pfn][0] and x[pfn] != y[pfn]]
    listed = [pfn for low, high in found.changed.ranges for pfn in range(low, high + 1)]
    assert (found.changed.count, listed) == (len(changed), changed)
