"""What a file costs that is looked at here and there: a read for each jump, and no more than is of use."""

from __future__ import annotations

import io
import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domctx_core.reader.sources import FIRST_READ, LEAST_READ, FileSource

DATA = Random(3).randbytes(300_000)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Offset and size of each `pread`."""
    made: list[tuple[int, int]] = []
    pread = os.pread

    def noted(fd: int, size: int, offset: int) -> bytes:
        made.append((offset, size))
        return pread(fd, size, offset)

    monkeypatch.setattr(os, "pread", noted)
    return made


def test_a_jump_reads_as_much_as_the_jump_before_needed(
    tmp_path: Path, reads: list[tuple[int, int]]
) -> None:
    path, each = tmp_path / "data", 40_000
    path.write_bytes(DATA)
    with path.open("rb", buffering=0) as file:
        source = FileSource(file)
        for at in range(0, 5 * each, each):
            for start, size in ((at, 256), (at + 16, 64), (at + 16, 9000)):
                assert source.at(start, size) == DATA[start : start + size]
    assert reads == [(0, FIRST_READ), *((at, 9016) for at in range(each, 5 * each, each))]


def test_a_jump_reads_a_page_where_little_is_looked_at(
    tmp_path: Path, reads: list[tuple[int, int]]
) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    with path.open("rb", buffering=0) as file:
        source = FileSource(file)
        for at in range(20_000, 300_000, 20_000):
            assert source.at(at, 256) == DATA[at : at + 256]
    assert {size for _, size in reads} == {LEAST_READ}


def test_nothing_is_read_beyond_the_end(tmp_path: Path, reads: list[tuple[int, int]]) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    with path.open("rb", buffering=0) as file:
        source = FileSource(file)
        assert not source.at(2**64 - 8, 100)
        assert not source.at(len(DATA), 100)
        assert source.at(len(DATA) - 10, 100) == DATA[-10:]
    assert reads == [(len(DATA) - 10, 10)]


def test_a_file_that_was_cut_meanwhile_has_fewer_bytes(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    with path.open("rb", buffering=0) as file:
        source = FileSource(file)
        os.truncate(path, 1000)
        assert source.at(900, 5000) == DATA[900:1000]
        assert not source.at(2000, 10)


class Slow(io.BytesIO):
    """Gives seven bytes at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(7, size if size is not None and size >= 0 else 7))


STEPS = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 300)), max_size=15)


@given(STEPS)
def test_views_stay_as_they_are(steps: list[tuple[int, int]]) -> None:
    data = DATA[:2500]
    source = FileSource(Slow(data))
    views = [(at, size, source.at(at, size)) for at, size in steps]
    for at, size, view in views:
        assert view == data[at : at + size]
    assert source.end() == len(data)
