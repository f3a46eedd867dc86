"""Duplicates: instances in any order, and what it costs to remember them."""

from __future__ import annotations

import random
import tracemalloc
from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from batch_records import SETTINGS, TYPES, examples, record, rows
from hypothesis import given, settings
from hypothesis import strategies as st
from support import end, formats, start

from domctx_core import (
    BufferSource,
    verify,
)
from domctx_core.layout.columns.arrays import LANES, ascending
from domctx_core.model.instance_set import InstanceSet


def test_a_duplicate_far_apart_is_told() -> None:
    data = start() + rows(3000, 0x10) + record(0x10, 1234, examples(0x10, 0, "<")[0]) + end()
    (finding,) = verify(BufferSource(data), formats(TYPES)).findings
    assert (finding.rule, finding.record, finding.instance) == ("duplicate-record", 3001, 1234)


@pytest.mark.parametrize("order", "<>")
def test_instances_in_any_order_are_unique_or_told(order: str) -> None:
    body = examples(0x10, 0, order)[0]
    numbers = list(range(4000))
    random.Random(1).shuffle(numbers)
    numbers[3900] = numbers[17]
    data = b"".join(record(0x10, number, body, order) for number in numbers)
    found = verify(
        BufferSource(start(order=order) + data + end(order=order)), formats(TYPES)
    ).findings
    assert [(f.rule, f.record) for f in found] == [("duplicate-record", 3901)]


@settings(SETTINGS, max_examples=200)
@given(
    st.lists(
        st.one_of(
            st.integers(0, 400).map(lambda n: range(n, n + 1)),
            st.builds(
                lambda a, n, s: range(a, a + n, s),
                st.integers(0, 400), st.integers(1, 200), st.integers(1, 5),
            ),
            st.lists(st.integers(0, 500), min_size=1).map(lambda n: array("I", sorted(set(n)))),
        ),
        max_size=30,
    ),
    st.lists(st.integers(0, 1), min_size=30, max_size=30),
)  # fmt: skip
def test_duplicates_are_told_as_a_set_would(columns: list[Any], codes: list[int]) -> None:
    known, expected = InstanceSet(), set[tuple[int, int]]()
    for code, column in zip(codes, columns, strict=False):
        above = max((n for c, n in expected if c == code), default=-1)
        if len(column) > 1:
            assert known.add_ascending([(code, column)]) == (column[0] > above)
            if column[0] <= above:
                continue
        else:
            assert known.add(code, column[0]) == ((code, column[0]) not in expected)
        expected |= {(code, number) for number in column}
    for code in (0, 1):
        for number in range(600):
            assert known.add(code, number) == ((code, number) not in expected)


@settings(SETTINGS, max_examples=150)
@given(
    st.lists(
        st.one_of(
            st.lists(st.integers(0, 3000), max_size=40).map(lambda n: array("I", n)),
            st.builds(
                lambda first, count, seed: array(
                    "I", random.Random(seed).sample(range(first, first + 3 * count), count)
                ),
                st.integers(0, 5000), st.integers(1, 2000), st.integers(0, 9),
            ),
            st.builds(
                lambda first, count: array("I", range(first, first + count)),
                st.integers(0, 5000), st.integers(1, 2000),
            ),
        ),
        max_size=8,
    ),
    st.integers(0, 1),
)  # fmt: skip
def test_a_row_in_any_order_is_new_up_to_the_first_that_was_there(
    rows: list[Any], before: int
) -> None:
    known, expected = InstanceSet(), set[int]()
    if before:
        known.add(7, 2500)
        expected.add(2500)
    for row in rows:
        new = 0
        while new < len(row) and row[new] not in expected:
            expected.add(row[new])
            new += 1
        assert known.add_until_duplicate(7, row) == new
    for number in (*range(0, 12_000, 7), *expected):
        assert known.add(7, number) == (number not in expected)
        expected.add(number)


def test_type_codes_without_end_share_what_is_kept() -> None:
    known = InstanceSet()
    pairs = [(code, code % 7) for code in range(10_000)]
    assert all(known.add(*pair) for pair in pairs)
    assert not any(known.add(*pair) for pair in pairs)
    assert all(known.add(code, number + 1) for code, number in pairs)
    assert not known.add_ascending([(70_000, range(5))])


@pytest.mark.parametrize(
    ("numbers", "most"),
    [
        (range(50_000), 0.1),
        (range(0, 100_000, 2), 5),
        (range(50_000, 0, -1), 8),
        (random.Random(2).sample(range(1 << 32), 50_000), 8),
        (random.Random(2).sample(range(90_000), 50_000), 8),
        ([n ^ 1 for n in range(50_000)], 8),
    ],
)
def test_duplicates_take_little_memory(numbers: Sequence[int], most: float) -> None:
    known = InstanceSet()
    tracemalloc.start()
    for number in numbers:
        known.add(3, number)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held <= most * len(numbers)


@settings(SETTINGS, max_examples=300)
@given(
    st.one_of(
        st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=50),
        st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=50).map(sorted),
        st.builds(
            lambda a, n, s: list(range(a, min(a + n * s, 1 << 32), s)),
            st.sampled_from([0, 1, 200, 65_000, 65_536, 2**24 - 9, 2**32 - 300]),
            st.integers(1, 700), st.sampled_from([1, 1, 2, 300]),
        ),
    ),
    st.integers(-1, 800),
    st.sampled_from(["little", "big"]),
)  # fmt: skip
def test_ascending_columns(numbers: list[int], spoil: int, order: Any) -> None:
    if 0 <= spoil < len(numbers):
        numbers[spoil] ^= 1
    for size in (4, 2, 1):
        cut = [number % 256**size for number in numbers]
        raw = b"".join(number.to_bytes(size, order) for number in cut)
        found = ascending([raw[at::size] for at in range(size)], order)
        if all(a < b for a, b in pairwise(cut)):
            assert found is not None
            assert list(found) == cut
        else:
            assert found is None


def test_as_many_as_there_may_be_ascend() -> None:
    raw = array("I", range(60_000, 60_000 + LANES)).tobytes()
    little = raw if array("I", [1]).tobytes()[0] else bytes(reversed(raw))
    columns = [little[at::4] for at in range(4)]
    assert ascending(columns, "little") == range(60_000, 60_000 + LANES)
    columns[0] = columns[0][:-1] + b"\0"
    assert ascending(columns, "little") is None
