"""Columns of numbers in records of equal length."""

from __future__ import annotations

import random
import struct
from array import array
from typing import Any

import pytest

from domctx_core.base.errors import BodyError
from domctx_core.layout.columns.arrays import (
    LANES,
    ascending,
    fill_bytes,
    from_planes,
    is_ascending,
    read_column,
    to_array,
    write_column,
)


@pytest.mark.parametrize("count", [LANES - 1, LANES, LANES + 1, 2 * LANES - 1, 2 * LANES, 70_000])
@pytest.mark.parametrize("step", [1, 3])
def test_long_columns_ascend_across_their_parts(count: int, step: int) -> None:
    numbers = array("I", range(5, 5 + step * count, step))
    assert is_ascending(numbers)
    for place in {0, LANES - 2, LANES - 1, LANES, count - 2} & set(range(count - 1)):
        spoilt = numbers[:]
        spoilt[place + 1] = spoilt[place]
        assert not is_ascending(spoilt)


@pytest.mark.parametrize("code", ["B", "b", "H", "I", "i", "Q"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("offset", "stride"), [(0, 8), (3, 16), (5, 13)])
def test_a_column_is_read_and_written_record_by_record(
    code: str, order: str, offset: int, stride: int
) -> None:
    raw = random.Random(stride).randbytes(9 * stride)
    numbers = [struct.unpack_from(order + code, raw, n * stride + offset)[0] for n in range(9)]
    column = read_column(raw, offset, stride, 9, code, order)
    assert column == array(code, numbers)
    assert read_column(raw, offset, stride, 0, code, order) == array(code)
    out = bytearray(9 * stride)
    write_column(out, offset, stride, column, order)
    size = column.itemsize
    for start in range(0, len(raw), stride):
        record = bytearray(stride)
        record[offset : offset + size] = raw[start + offset : start + offset + size]
        assert out[start : start + stride] == record
    assert column == array(code, numbers)  # not swapped where it is


@pytest.mark.parametrize(("start", "end"), [(0, 11), (3, 3), (2, 9), (10, 11)])
def test_the_same_bytes_go_into_each_record(start: int, end: int) -> None:
    template, out = bytes(range(1, 12)), bytearray(4 * 11)
    fill_bytes(out, 11, template, start, end)
    assert out == (bytes(start) + template[start:end] + bytes(11 - end)) * 4


def test_values_that_are_no_such_numbers() -> None:
    assert to_array("B", range(3), "`x`") == array("B", [0, 1, 2])
    for values in [256], [-1], ["1"], [1.5], [None]:
        with pytest.raises(BodyError, match=r"^`x`: "):
            to_array("B", values, "`x`")


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_numbers_of_their_bytes(size: int, order: Any) -> None:
    numbers = [n * 0x01030507 % 256**size for n in range(50)]
    raw = b"".join(number.to_bytes(size, order) for number in numbers)
    planes = [raw[byte::size] for byte in range(size)]
    assert from_planes(planes, order) == array("I", numbers)
    assert (ascending(planes, order) is None) == (sorted(set(numbers)) != numbers)
