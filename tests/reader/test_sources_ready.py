"""Bytes of a source that are there without waiting."""

from __future__ import annotations

import io
import os
import random

from hypothesis import given
from hypothesis import strategies as st
from support import Drip

from domctx_core import (
    BufferSource,
    FileSource,
)


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 2000), st.booleans()), max_size=20))
def test_a_file_gives_what_a_buffer_gives(steps: list[tuple[int, int, bool]]) -> None:
    data = random.Random(5).randbytes(2500)
    file, buffer = FileSource(io.BytesIO(data)), BufferSource(data)
    for offset, size, ahead in steps:
        if ahead:
            assert file.ready(offset, size) == buffer.ready(offset, size)
        else:
            assert file.at(offset, size) == buffer.at(offset, size)


def test_what_a_file_gave_stays_as_it_is() -> None:
    data = random.Random(6).randbytes(1 << 20)
    source = FileSource(io.BytesIO(data))
    kept = [(at, source.at(at, 1000)) for at in range(0, len(data), 5000)]
    assert all(view == data[at : at + 1000] for at, view in kept)


def test_a_pipe_is_not_waited_for() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as file:
        source = FileSource(file)
        os.write(writing, b"abcdef")
        assert bytes(source.at(0, 2)) == b"ab"
        assert source.ready(2, 100) == b"cdef"
        assert source.ready(6, 100) == b""
        os.write(writing, b"gh")
        assert source.ready(6, 100) == b"gh"
        assert source.ready(2, 100) == b""  # that has passed by
        os.close(writing)
        assert source.ready(8, 100) == b""
        assert source.end() == 8
    assert FileSource(Drip(b"abc")).ready(0, 2) == b""
