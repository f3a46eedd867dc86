"""Find the fewest records whose move turns one order into another."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

__all__ = ["moved_places"]


def moved_places(places: Iterable[int]) -> set[int]:
    """Return the indices of the fewest places that, taken out, leave the others ascending.

    `places` differ. Those that stay are the longest ascending subsequence, found by patience
    sorting: `lows` has the lowest place that ends an ascending subsequence of each length, and the
    last place of a length that precedes the one chosen before it is always lower than that.
    """
    lows: list[int] = []
    lengths: list[int] = []
    for place in places:
        length = bisect_left(lows, place)
        lows[length : length + 1] = [place]
        lengths.append(length)
    moved, wanted = set(), len(lows) - 1
    for index in reversed(range(len(lengths))):
        if lengths[index] == wanted:
            wanted -= 1
        else:
            moved.add(index)
    return moved
