"""Columns of numbers in records of equal length."""

from __future__ import annotations

from array import array

import pytest

from domctx_core.layout.columns.arrays import LANES, is_ascending


@pytest.mark.parametrize("count", [LANES - 1, LANES, LANES + 1, 2 * LANES - 1, 2 * LANES, 70_000])
@pytest.mark.parametrize("step", [1, 3])
def test_long_columns_ascend_across_their_parts(count: int, step: int) -> None:
    numbers = array("I", range(5, 5 + step * count, step))
    assert is_ascending(numbers)
    for place in {0, LANES - 2, LANES - 1, LANES, count - 2} & set(range(count - 1)):
        spoilt = numbers[:]
        spoilt[place + 1] = spoilt[place]
        assert not is_ascending(spoilt)
