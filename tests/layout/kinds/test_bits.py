"""`Bits` behaves like the set of its positions."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domctx_core import Bits, BodyError

sizes_and_ones = st.integers(1, 200).flatmap(
    lambda size: st.tuples(st.just(size), st.sets(st.integers(0, size - 1)))
)


@given(sizes_and_ones)
def test_it_is_the_set_of_its_positions(case: tuple[int, set[int]]) -> None:
    size, ones = case
    bits = Bits(size, ones)
    assert list(bits) == sorted(ones)
    assert len(bits) == len(ones)
    assert bool(bits) == bool(ones)
    assert all((position in bits) == (position in ones) for position in range(-3, size + 3))
    assert bits.to_int() == sum(1 << position for position in ones)
    assert Bits.from_int(size, bits.to_int()) == bits
    covered = [p for first, last in bits.ranges() for p in range(first, last + 1)]
    assert covered == sorted(ones)
    runs = list(bits.ranges())
    assert all(before[1] + 1 < after[0] for before, after in pairwise(runs))


@given(sizes_and_ones, st.data())
def test_set_and_clear_give_changed_copies(case: tuple[int, set[int]], data: st.DataObject) -> None:
    size, ones = case
    position = data.draw(st.integers(0, size - 1))
    bits = Bits(size, ones)
    assert set(bits.set(position)) == ones | {position}
    assert set(bits.clear(position)) == ones - {position}
    assert set(bits.set(position, False)) == ones - {position}
    assert set(bits) == ones
    assert bits.set(position).size == size


@pytest.mark.parametrize("position", [-1, 8, 9])
def test_positions_outside_are_refused(position: int) -> None:
    for change in Bits(8).set, Bits(8).clear, lambda p: Bits(8, [p]):
        with pytest.raises(BodyError, match=f"position {position} is outside a bitmap of 8 bits"):
            change(position)
    assert position not in Bits.full(8)


def test_text_and_repr() -> None:
    assert Bits(16, [0, 7, 9, 10, 11]).text() == "0, 7, 9-11"
    assert Bits(4096).text() == "none"
    assert Bits.full(4096).text() == "0-4095"
    assert repr(Bits(8, [1])) == "Bits(8, [1])"


def test_equality_is_of_size_and_positions() -> None:
    assert Bits(8, [1]) == Bits(8, [1])
    assert Bits(8, [1]) != Bits(9, [1])
    assert Bits(8, [1]) != Bits(8, [2])
    assert Bits(8, [1]) != {1}
    assert len({Bits(8, [1]), Bits(8, [1]), Bits(9, [1])}) == 2


def test_full_and_from_int_stay_within_their_size() -> None:
    assert len(Bits.full(13)) == 13
    assert Bits.from_int(4, 0xFF).to_int() == 0xF
    assert "1" not in Bits.full(8)
