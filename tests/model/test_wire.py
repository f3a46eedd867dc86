"""The record header, padding and byte order of a domain context image."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domctx_core.model.wire import (
    ALIGNMENT,
    HEADER_SIZE,
    MAX_LENGTH,
    RecordHeader,
    byteorder_of,
    pack_header,
    padding,
    unpack_header,
)

words = st.integers(0, 2**32 - 1)


@given(words, words, st.integers(0, 2**64 - 1))
def test_headers_in_both_orders(type: int, instance: int, length: int) -> None:
    for order, prefix in ("little", "<"), ("big", ">"):
        raw = struct.pack(prefix + "IIQ", type, instance, length)
        assert pack_header(type, instance, length, order) == raw
        assert unpack_header(raw, order) == (type, instance, length)
        assert unpack_header(memoryview(raw), order) == (type, instance, length)
        header = RecordHeader(type=type, instance=instance, length=length)
        assert header.to_bytes(order) == raw
        assert RecordHeader.from_bytes(raw, order) == header
    assert pack_header(type, instance, length) == pack_header(type, instance, length, "little")


def test_sizes() -> None:
    assert (HEADER_SIZE, ALIGNMENT, MAX_LENGTH) == (16, 8, 2**64 - 1)
    assert RecordHeader.fixed_size() == 16


@pytest.mark.parametrize("numbers", [(-1, 0, 0), (2**32, 0, 0), (0, 2**32, 0), (0, 0, 2**64)])
def test_numbers_that_do_not_fit_a_header(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(struct.error):
        pack_header(*numbers)


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        *zip(range(18), [0, 7, 6, 5, 4, 3, 2, 1] * 2 + [0, 7], strict=True),
        *[(2**64 - 1, 1), (2**64 - 7, 7), (2**64 - 8, 0), (2**64 - 9, 1), (2**63 + 1, 7)],
    ],
)
def test_padding(length: int, expected: int) -> None:
    assert padding(length) == expected


@given(st.integers(0, 2**70), st.integers(1, 64))
def test_padding_is_the_least_that_aligns(length: int, alignment: int) -> None:
    assert (length + padding(length, alignment)) % alignment == 0
    assert 0 <= padding(length, alignment) < alignment


@pytest.mark.parametrize(
    ("head", "order"),
    [
        (b"\1\0\0\0", "little"),
        (b"\0\0\0\1", "big"),
        (b"\1\0\0\0\xff\xff", "little"),
        (b"", None),
        (b"\1\0\0", None),
        (b"\0\0\0\0", None),
        (b"\2\0\0\0", None),
        (b"\1\0\0\1", None),
        (b"\0\1\0\0", None),
    ],
)
def test_the_byte_order_shows_in_the_first_type_code(head: bytes, order: str | None) -> None:
    assert byteorder_of(head) == order
    assert byteorder_of(memoryview(head)) == order
