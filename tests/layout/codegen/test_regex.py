"""Patterns of valid bodies: they match what has no problem, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from codec_bodies import Flagged, Moded, Network, Padded, Ranged, Row, Union
from hypothesis import given
from hypothesis import strategies as st

from domctx_core import Body, array, u8, u16
from domctx_core.layout.codegen.regex import any_bytes, body_pattern, number_pattern, zeros
from domctx_core.layout.codegen.source import NotApplicable


def matches(pattern: bytes, raw: bytes) -> bool:
    return re.fullmatch(pattern, raw, re.DOTALL) is not None


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("body", [Moded, Flagged, Ranged, Padded, Network])
@given(data=st.data())
def test_a_pattern_matches_bodies_without_problems(
    body: type[Body], order: Any, data: st.DataObject
) -> None:
    size = body.fixed_size()
    assert size is not None
    small = st.integers(0, 8) | st.integers(0, 255)
    raw = bytes(data.draw(st.lists(small, min_size=size, max_size=size)))
    raw = data.draw(st.sampled_from([raw, bytes(size), raw[:1] + bytes(size - 1)]))
    assert matches(body_pattern(body, order), raw) == (not body.inspect(raw, order).problems)


@pytest.mark.parametrize(
    ("raw", "valid"),
    [
        (b"\0" + bytes(6), True),
        (b"\0\1" + bytes(5), False),
        (b"\1abcd\0\0", True),
        (b"\1abcd\0\1", False),  # bytes that the case leaves unused
        (b"\4" + bytes(6), False),  # the selector is beyond its maximum
    ],
)
def test_a_union_is_matched_as_its_selector_says(raw: bytes, valid: bool) -> None:
    assert matches(body_pattern(Union, "little"), raw) == valid
    assert valid == (not Union.inspect(raw).problems)


def test_a_body_of_varying_size_or_with_a_check_has_no_pattern() -> None:
    class Checked(Body):
        a: int = u8()

        def check(self) -> Any:
            return ()

    for body in Row, Checked:
        for _ in range(2):  # the second answer is remembered
            with pytest.raises(NotApplicable):
                body_pattern(body, "little")


def test_a_check_is_replaced_by_its_trusted_values() -> None:
    class Checked(Body, trusted_values={"a": (1, 2, 9)}):
        a: int = u8()
        row: list[int] = array(u16(maximum=3), 2)

        def check(self) -> Any:
            return ()

    pattern = body_pattern(Checked, "big")
    assert [a for a in range(256) if matches(pattern, bytes([a, 0, 3, 0, 0]))] == [1, 2, 9]
    assert not matches(pattern, b"\1\0\4\0\0")


@given(
    st.integers(1, 4), st.sampled_from(["little", "big"]), st.integers(0, 2**32 - 1),
    st.integers(0, 2**20), st.integers(-3, 2**20 + 3),
)  # fmt: skip
def test_a_range_of_numbers(size: int, order: Any, low: int, width: int, step: int) -> None:
    most = 256**size - 1
    low = min(low, most)
    high = min(low + width, most)
    number = min(max(low + step, 0), most)
    raw = number.to_bytes(size, order)
    pattern = number_pattern(size, [(low, high)], order)
    assert matches(pattern, raw) == (low <= number <= high)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 40])
def test_any_bytes_and_zeros(size: int) -> None:
    assert matches(any_bytes(size), b"\n" * size)
    assert not matches(any_bytes(size), b"x" * (size + 1))
    assert matches(zeros(size), bytes(size))
    assert not size or not matches(zeros(size), bytes(size - 1) + b"\1")
