"""The base classes of ops: extents, spooling, and what a subclass must override."""

from __future__ import annotations

import io
import os
import tracemalloc
from pathlib import Path

import pytest
from support import (
    Drip,
    LoggedDomain,
    formats,
    image,
    port,
    registry,
)

from domctx_core import (
    FileLoadOps,
    FileSource,
    InputOutputError,
    LoadOps,
    MemoryLoadOps,
    load_domain,
    save_domain,
    verify,
)
from domctx_core.engine.ops import SizingSaveOps


def test_extents_of_a_pipe_share_one_file_and_outlive_the_ops() -> None:
    before = len(os.listdir("/proc/self/fd"))
    ops: LoadOps | None = FileLoadOps(Drip(bytes(range(250)) * 4))
    assert ops is not None
    extents = [ops.extent(10) for _ in range(100)]
    assert len(os.listdir("/proc/self/fd")) == before + 1
    del ops
    assert extents[3].read() == bytes(range(30, 40))
    extents.clear()
    assert len(os.listdir("/proc/self/fd")) == before


def test_extents_of_memory_are_not_copies() -> None:
    data = bytes(1 << 20)
    ops = MemoryLoadOps(data)
    tracemalloc.start()
    extents = [ops.extent(1 << 10) for _ in range(1 << 10)]
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert sum(map(len, extents)) == len(data)


def test_an_input_that_shrinks_under_us(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(bytes(100))
    with open(path, "rb") as file:
        extent = FileLoadOps(file).extent(100)
        os.truncate(path, 10)
        with pytest.raises(InputOutputError, match="became shorter") as caught:
            extent.read()
    assert caught.value.offset == 10


def test_an_input_that_fails() -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    made = LoggedDomain(registry())
    with pytest.raises(InputOutputError, match="Input/output error"):
        load_domain(made, FileLoadOps(Broken()), made.registry)
    with pytest.raises(InputOutputError):
        verify(FileSource(Broken()), formats())


def test_a_spool_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(InputOutputError, match="temporary file"):
        FileLoadOps(Drip(b"1234")).extent(4)


def test_own_save_ops_need_three_methods() -> None:
    class Calls(SizingSaveOps):
        def flush(self) -> None:
            flushed.append(self.size)

    flushed: list[int] = []
    made = LoggedDomain(registry())
    load_domain(made, MemoryLoadOps(image(port(1))), made.registry)
    save_domain(made, Calls(), made.registry)
    assert flushed == [72]
