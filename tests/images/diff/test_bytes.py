"""Bytes of two inputs are compared by stretches that are read ahead."""

from __future__ import annotations

from itertools import product

import pytest

from domctx_core import BufferSource
from domctx_core.images.diff.bytes import Comparer


def test_every_stretch_is_compared_as_its_bytes_are() -> None:
    a, b = b"abcdefabcdef", b"abcdeFabcdefx"
    comparer = Comparer(BufferSource(a), BufferSource(b))
    for i, j, size in product(range(12), range(12), range(1, 6)):
        if i + size <= len(a) and j + size <= len(b):
            expected = a[i : i + size] == b[j : j + size]
            assert comparer.same(i, j, size) is expected, (i, j, size)


@pytest.mark.parametrize("place", [0, 1 << 20, (3 << 20) - 1])
def test_long_stretches_are_compared_to_their_end(place: int) -> None:
    a = bytes(3 << 20)
    b = bytearray(a)
    b[place] = 1
    assert Comparer(BufferSource(a), BufferSource(a)).same(0, 0, len(a))
    assert not Comparer(BufferSource(a), BufferSource(bytes(b))).same(0, 0, len(a))
