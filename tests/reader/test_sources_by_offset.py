"""Sources are read by offset; streams only forward."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import (
    Drip,
)

from domctx_core import (
    BufferSource,
    Errno,
    FileSource,
    InputOutputError,
    Source,
    open_source,
)


def test_a_source_by_offset(tmp_path: Path) -> None:
    data = bytes(range(256)) * 10
    (tmp_path / "file").write_bytes(b"skipped" + data)
    with open(tmp_path / "file", "rb", buffering=0) as file:
        file.seek(7)
        every: list[Source] = [BufferSource(data), FileSource(file)]
        for source in every:
            assert source.seekable
            assert source.size == len(data)
            for offset, size in ((0, 4), (2000, 100), (5, 9), (2559, 9), (2560, 1), (9999, 1)):
                assert bytes(source.at(offset, size)) == data[offset : offset + size]
            assert source.reaches(2560)
            assert not source.reaches(2561)
            assert source.end() == 2560


def test_a_stream_by_ascending_offset() -> None:
    data = bytes(range(256)) * 10
    source = FileSource(Drip(data))
    assert source.size is None
    assert not source.seekable
    assert bytes(source.at(0, 8)) == data[:8]
    assert bytes(source.at(4, 8)) == data[4:12]
    assert bytes(source.at(1000, 3)) == data[1000:1003]
    with pytest.raises(InputOutputError, match="passed by") as caught:
        source.at(999, 1)
    assert caught.value.offset == 999
    assert "file first" in str(caught.value.hint)
    assert source.reaches(2000)
    assert not source.reaches(3000)
    assert source.end() == source.size == 2560
    assert bytes(source.at(2560, 5)) == b""
    source = FileSource(Drip(data))
    assert bytes(source.at(0, 8)) == data[:8]
    assert source.end() == 2560
    with pytest.raises(InputOutputError, match="passed by"):
        source.at(8, 1)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InputOutputError, match="cannot read") as caught, open_source(path):
            pass
        assert str(path) in str(caught.value)
    with pytest.raises(InputOutputError) as caught, open_source(tmp_path / "none"):
        pass
    assert caught.value.errno is Errno.ENOENT
