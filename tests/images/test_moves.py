"""The fewest records whose move turns one order into another."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest

from domctx_core.images.moves import moved_places


@pytest.mark.parametrize(
    ("places", "moved"),
    [([], set()), ([0, 1, 2], set()), ([1, 2, 3, 0], {3}), ([3, 0, 1, 2], {0})],
)
def test_what_moved(places: list[int], moved: set[int]) -> None:
    assert moved_places(places) == moved


def test_no_fewer_would_do() -> None:
    for places in permutations(range(6)):
        moved = moved_places(places)
        rest = [place for index, place in enumerate(places) if index not in moved]
        assert rest == sorted(rest)
        fewer = combinations(places, len(rest) + 1)
        assert not any(list(chosen) == sorted(chosen) for chosen in fewer)
