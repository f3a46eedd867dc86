"""Outputs described as chunks, written or read, and ranges that the input does not have."""

from __future__ import annotations

import io

import pytest

from domctx_core import BufferSource, InputOutputError, MisuseError
from domctx_core.reader.splice import ByteRange, Chunk, SplicedSource, size_of, write_chunks

DATA = bytes(range(256))
OTHER = BufferSource(b"another input")
CHUNKS: list[Chunk] = [
    b"head", ByteRange(10, 20), ByteRange(30, 5), b"", ByteRange(8, 5, OTHER), ByteRange(0, 0), b"end",
]  # fmt: skip
EXPECTED = b"head" + DATA[10:35] + b"input" + b"end"


def test_chunks_are_written_in_order() -> None:
    target = io.BytesIO()
    assert write_chunks(CHUNKS, BufferSource(DATA), target) == len(EXPECTED) == size_of(CHUNKS)
    assert target.getvalue() == EXPECTED


def test_a_spliced_source_reads_what_would_be_written() -> None:
    source = SplicedSource(CHUNKS, BufferSource(DATA))
    assert source.end() == source.size == len(EXPECTED)
    for at in range(len(EXPECTED) + 1):
        for size in (1, 7, 100):
            assert source.at(at, size) == EXPECTED[at : at + size]
    assert source.reaches(len(EXPECTED))
    assert not source.reaches(len(EXPECTED) + 1)


def test_a_range_beyond_the_input_is_an_error() -> None:
    with pytest.raises(InputOutputError) as caught:
        write_chunks([ByteRange(250, 10)], BufferSource(DATA), io.BytesIO())
    assert (caught.value.offset, caught.value.expected) == (256, "4 more bytes")


def test_a_range_needs_an_input() -> None:
    with pytest.raises(MisuseError):
        write_chunks([ByteRange(0, 1)], None, io.BytesIO())


def test_only_adjacent_ranges_of_one_input_precede_each_other() -> None:
    assert ByteRange(0, 4).precedes(ByteRange(4, 1))
    assert not ByteRange(0, 4).precedes(ByteRange(5, 1))
    assert not ByteRange(0, 4).precedes(ByteRange(4, 1, OTHER))
