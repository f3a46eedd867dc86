"""A pipe whose latest bytes can be read again."""

from __future__ import annotations

import io

import pytest

from domctx_core import InputOutputError
from domctx_core.base.io import CHUNK
from domctx_core.reader.passing import PassingSource

DATA = bytes(range(256)) * 8


def test_bytes_that_passed_by_can_be_read_again() -> None:
    source = PassingSource(io.BytesIO(DATA))
    assert source.at(1000, 50) == DATA[1000:1050]
    assert source.at(10, 20) == DATA[10:30]
    assert source.at(990, 400) == DATA[990:1390]
    assert source.end() == len(DATA)
    assert source.at(0, 5000) == DATA


def test_forgotten_bytes_cannot_be_read_again() -> None:
    source = PassingSource(io.BytesIO(DATA))
    source.at(1000, 50)
    source.forget(600)
    assert source.at(600, 8) == DATA[600:608]
    with pytest.raises(InputOutputError, match="passed by"):
        source.at(599, 1)


def test_no_more_than_the_cap_is_kept() -> None:
    source = PassingSource(io.BytesIO(bytes(4 * CHUNK)), cap=100)
    source.at(3 * CHUNK, 8)
    with pytest.raises(InputOutputError, match="passed by"):
        source.at(0, 1)
