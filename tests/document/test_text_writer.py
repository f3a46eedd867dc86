"""Documents and lines of pipes, written part by part."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from documents import CAPTURES, QUICK, SMALL, formats, mutated, small, written
from hypothesis import given, settings
from support import Drip, image, port, rec

from domctx_core import (
    BufferSource,
    PassingSource,
    decode_image,
    decode_lines,
    decode_text,
    encode_lines,
    parse_lines,
)


@pytest.mark.parametrize("path", [CAPTURES[0], SMALL[3]], ids=lambda path: path.name)
def test_a_pipe_gives_the_same_lines(path: Path) -> None:
    data = path.read_bytes() + b"more"
    lines = list(decode_lines(BufferSource(data), formats()))
    assert lines[0].pop("size") == len(data)
    assert list(decode_lines(PassingSource(Drip(data)), formats())) == lines


@settings(QUICK, max_examples=150)
@given(mutated(small))
def test_a_pipe_gives_the_same_document(data: bytes) -> None:
    document = decode_image(BufferSource(data), formats())
    assert decode_image(PassingSource(Drip(data)), formats()) == document
    text = "".join(decode_text(PassingSource(Drip(data)), formats()))
    assert json.loads(text) == document


def test_lines_of_a_pipe_come_as_its_bytes_do() -> None:
    class Watched(Drip):
        def read(self, size: int = -1) -> bytes:
            chunk = super().read(size)
            taken.append(len(chunk))
            return chunk

    taken: list[int] = []
    data = image(*(port(number) for number in range(1, 2000)))
    lines = decode_lines(PassingSource(Watched(data)), formats())
    for _ in range(100):
        next(lines)
    assert sum(taken) < 100 * 40


def test_a_long_stream_takes_little_memory() -> None:
    source = PassingSource(Drip(image(*(port(number) for number in range(1, 3000)))))
    most = 0
    for _ in decode_lines(source, formats()):
        most = max(most, len(source._passed_by))
    assert most < 4096


def test_a_stream_that_breaks_far_in_comes_back() -> None:
    data = image(port(1), port(2))[:-16] + rec(3, 0, b"", length=1 << 40)[:16] + bytes(700_000)
    lines = list(decode_lines(PassingSource(io.BytesIO(data)), formats()))
    assert sum("unframed" in line for line in lines) > 1
    text = [json.dumps(line) for line in lines]
    assert written(encode_lines(parse_lines(text), formats()), None) == data
    document = decode_image(PassingSource(io.BytesIO(data)), formats())
    assert document == decode_image(BufferSource(data), formats())
