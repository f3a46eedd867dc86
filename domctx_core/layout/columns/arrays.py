"""Columns of numbers in records of equal length: read, written and compared without a loop.

A number that is always at the same place of its record is the same number of bytes further on in
the next one, so that a column of them is a strided copy, which goes at C's speed. A column is
either an `array` of numbers or a list of `Planes`, one for each byte of the numbers.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from domctx_core.base.errors import BodyError
from domctx_core.layout.kinds.base import ORDERS, ByteOrder

__all__ = [
    "LANES",
    "NATIVE",
    "Planes",
    "ascending",
    "fill_bytes",
    "from_planes",
    "is_ascending",
    "read_column",
    "to_array",
    "write_column",
]

NATIVE = ORDERS[sys.byteorder]
"""The byte order of this machine, as `struct` writes it."""

LANES = 32768
"""Numbers that `ascending` compares at a time at most."""

Planes = Sequence[bytes | bytearray]
"""Numbers as one column for each of their bytes, in the order in which the bytes are stored."""


def to_array(code: str, values: Iterable[Any], what: str) -> array[int]:
    """Return the values as an array; raises `BodyError` for one that is no such number."""
    try:
        return array(code, values)
    except (OverflowError, TypeError, ValueError) as error:
        raise BodyError(f"{what}: {error}") from error


def read_column(
    raw: bytes, offset: int, stride: int, count: int, code: str, order: str
) -> array[int]:
    """Return `count` numbers, the first at `offset` of `raw`, each next one `stride` bytes on.

    `code` is that of `struct` and `array`, `order` the prefix of the byte order.
    """
    column: array[int] = array(code)
    size = column.itemsize
    if count and stride % size == 0:
        end = offset + (count - 1) * stride + size
        words: Any = memoryview(raw)[offset:end]
        column.frombytes(words.cast(code)[:: stride // size].tobytes())
    elif count:  # numbers that lie across the words of such a view: byte by byte
        planes = bytearray(count * size)
        end = offset + count * stride
        for byte in range(size):
            planes[byte::size] = raw[offset + byte : end : stride]
        column.frombytes(planes)
    if order != NATIVE:
        column.byteswap()
    return column


def write_column(out: bytearray, offset: int, stride: int, column: array[int], order: str) -> None:
    """Write numbers into records: the first at `offset`, each next one `stride` bytes on."""
    if order != NATIVE:
        column = array(column.typecode, column)
        column.byteswap()
    size = column.itemsize
    if stride % size == 0:
        end = offset + (len(column) - 1) * stride + size
        words: Any = memoryview(out)[offset:end]
        words.cast(column.typecode)[:: stride // size] = memoryview(column)
        return
    raw = column.tobytes()
    for byte in range(size):
        out[offset + byte :: stride] = raw[byte::size]


def fill_bytes(out: bytearray, stride: int, template: bytes, start: int, end: int) -> None:
    """Write the same bytes, those of `template` from `start` to `end`, into each record."""
    count = len(out) // stride
    while start < end:
        code = next(code for code in "QIHB" if struct.calcsize(code) <= end - start)
        size = struct.calcsize(code)
        column = array(code, template[start : start + size]) * count
        write_column(out, start, stride, column, NATIVE)
        start += size


def from_planes(planes: Planes, byteorder: ByteOrder) -> array[int]:
    """Return the numbers of up to 4 bytes whose bytes are `planes`."""
    little = planes if byteorder == "little" else planes[::-1]
    raw = bytearray(4 * len(little[0]))
    for index, plane in enumerate(little):
        raw[index::4] = plane
    column = array("I", bytes(raw))
    if sys.byteorder == "big":
        column.byteswap()
    return column


def is_ascending(numbers: array[int]) -> bool:
    """Return True if each of an array of unsigned numbers is greater than the one before."""
    raw, size = numbers.tobytes(), numbers.itemsize
    for start in range(0, len(numbers) - 1, LANES - 1):  # the last one of a part begins the next
        end = size * (start + LANES)
        planes = [raw[begin:end:size] for begin in range(size * start, size * (start + 1))]
        if ascending(planes, sys.byteorder) is None:
            return False
    return True


def ascending(planes: Planes, byteorder: ByteOrder) -> range | array[int] | None:
    """Return the numbers whose bytes are `planes` if each is above the one before, else None.

    There are up to `LANES` numbers of 1 to 4 bytes. They are never looked at one by one: all of
    them, a byte of room above each, are one large integer, and that less itself moved by one number
    is all the differences. A range comes back where these are all the same.
    """
    size, count = len(planes), len(planes[0])
    little = planes if byteorder == "little" else planes[::-1]
    start = int.from_bytes(bytes(plane[0] for plane in little), "little")
    if _consecutive(little, start, count):
        return range(start, start + count)
    lanes = bytearray((size + 1) * count)
    for index, plane in enumerate(little):
        lanes[index :: size + 1] = plane
    bits = 8 * (size + 1)
    numbers = int.from_bytes(lanes, "little")
    below = (1 << bits * (count - 1)) - 1
    steps = (numbers >> bits) - (numbers & below)
    ones = _ones(size) >> bits * (LANES - count)
    first, second = numbers & (1 << bits) - 1, numbers >> bits & (1 << bits) - 1
    step = second - first
    if step > 0 and steps == ones * step:
        return range(first, first + step * count, step)
    room = ones << 8 * size
    if steps < 0 or (steps + room - ones) & room != room:
        return None
    return from_planes(little, "little")


@lru_cache(maxsize=4)
def _ones(size: int) -> int:
    """Return a one in each of as many lanes of `size + 1` bytes as there can be differences."""
    return int.from_bytes((b"\1" + bytes(size)) * (LANES - 1), "little")


@lru_cache(maxsize=1)
def _counting() -> tuple[bytes, bytes]:
    """Return the lowest and the next byte of each of the numbers from 0 on."""
    lowest = bytes(range(256))
    return lowest * (LANES // 256 + 1), b"".join(
        bytes([high]) * 256 for high in (*range(256), *range(LANES // 256 + 1))
    )


def _consecutive(little: Planes, start: int, count: int) -> bool:
    """Return True if the numbers are those from `start` on."""
    if start + count > 1 << 8 * len(little):
        return False
    for plane, counting, cycle in zip(little, _counting(), (256, 65536), strict=False):
        first = start % cycle
        if plane != counting[first : first + count]:
            return False
    before = min(count, -start % 65536 or 65536)  # the higher bytes change there
    for index, plane in enumerate(little[2:]):
        high, next_ = ((start + step >> 16 + 8 * index) & 255 for step in (0, 65536))
        if plane != bytes([high]) * before + bytes([next_]) * (count - before):
            return False
    return True
