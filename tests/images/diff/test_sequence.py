"""The fewest records move, and the same ones in the other direction."""

from __future__ import annotations

from itertools import combinations, pairwise

from compared_images import diff, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from domctx_core.testing import ImageBuilder


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
