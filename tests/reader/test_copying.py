"""Sources that write on what they read: at once, or with replacements."""

from __future__ import annotations

import io
import os
import random
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domctx_core.base.errors import ImageError, InputOutputError, MisuseError
from domctx_core.base.io import CHUNK
from domctx_core.reader.copying import CopySource, TeeSource
from domctx_core.reader.sources import BufferSource, FileSource


class Journal(io.RawIOBase):
    """A pipe and what became of it: reads and writes in the order in which they happened."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__()
        self.data, self.most = io.BytesIO(data), most
        self.log: list[tuple[str, bytes]] = []

    def read(self, size: int = -1) -> bytes:
        chunk = self.data.read(min(size, self.most))
        self.log.append(("read", chunk))
        return chunk

    def write(self, data: Any) -> int:
        taken = bytes(data[: self.most - 1])
        self.log.append(("write", taken))
        return len(taken)

    @property
    def written(self) -> bytes:
        return b"".join(chunk for what, chunk in self.log if what == "write")


DATA = random.Random(1).randbytes(5000)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 200)), max_size=20))
def test_a_tee_gives_and_passes_on_the_same_bytes(steps: list[tuple[int, int]]) -> None:
    pipe = Journal(DATA, 97)
    source, plain = TeeSource(pipe, pipe), FileSource(io.BytesIO(DATA), stream=True)
    at = 0
    for ahead, size in steps:
        at += ahead
        assert source.reaches(at) == plain.reaches(at)
        assert source.at(at, size) == plain.at(at, size) == DATA[at : at + size]
    assert source.end() == len(DATA) == source.passed
    assert pipe.written == DATA


def test_a_tee_writes_each_chunk_before_the_next_read() -> None:
    pipe = Journal(DATA, 50)
    source = TeeSource(pipe, pipe)
    source.at(10, 300)
    source.reaches(2000)
    source.end()
    owed = b""
    for what, chunk in pipe.log:
        if what == "read":
            assert owed == b""
            owed = chunk
        else:
            assert owed.startswith(chunk)
            owed = owed.removeprefix(chunk)
    assert owed == b""


def test_a_tee_reads_a_file_as_a_stream() -> None:
    target = io.BytesIO()
    source = TeeSource(io.BytesIO(DATA), target)
    assert (source.seekable, source.size) == (False, None)
    assert source.at(4000, 4) == DATA[4000:4004]
    with pytest.raises(InputOutputError, match="has passed by"):
        source.at(3999, 1)


def test_a_tee_whose_reader_has_gone() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb", buffering=0) as target:
        source = TeeSource(io.BytesIO(DATA), target)
        with pytest.raises(InputOutputError, match="whoever read the output has gone"):
            source.at(0, 8)


def test_sockets() -> None:
    ours, theirs = socket.socketpair()
    back, out = socket.socketpair()
    with ours, theirs, back, out:
        source = TeeSource(ours, out)
        theirs.sendall(DATA[:3])
        assert source.at(0, 2) == DATA[:2]
        assert back.recv(100) == DATA[:3]
        theirs.sendall(DATA[3:])
        theirs.shutdown(socket.SHUT_WR)
        assert source.end() == len(DATA)
        out.shutdown(socket.SHUT_WR)
        rest = b""
        while chunk := back.recv(1 << 16):
            rest += chunk
        assert rest == DATA[3:]


def test_a_pipe_is_not_read_further_than_was_asked_for() -> None:
    pipe = Journal(DATA, 5000)
    FileSource(pipe).at(10, 20)
    assert sum(len(chunk) for _, chunk in pipe.log) == 30


def test_a_file_is_read_a_little_after_a_jump_and_more_later() -> None:
    class Count(io.BytesIO):
        total = 0

        def read(self, size: int | None = -1) -> bytes:
            chunk = super().read(size)
            self.total += len(chunk)
            return chunk

    file = Count(bytes(8 * CHUNK))
    source = FileSource(file)
    source.at(CHUNK, 8)
    assert file.total < CHUNK // 8
    source.at(CHUNK + 8, 4 * CHUNK)
    assert file.total >= 4 * CHUNK


# ------------------------------------------------------------------------------------------- copies

edits = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 40), st.binary(max_size=20)), max_size=8
)


@given(edits, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), max_size=12))
def test_a_copy_is_the_input_with_the_replacements(
    gaps: list[tuple[int, int, bytes]], steps: list[tuple[int, int]]
) -> None:
    data, target = DATA[:400], io.BytesIO()
    source = CopySource(Journal(data, 33), target)
    expected, at = b"", 0
    for gap, length, new in gaps:
        start, end = at + gap, at + gap + length
        if end > len(data):
            break
        source.replace(start, end, new)
        expected += data[at:start] + new
        at = end
    expected += data[at:]
    at = 0
    for ahead, size in steps:
        at += ahead
        assert source.at(at, size) == data[at : at + size]
        source.release(at)
    assert source.finish() == len(expected)
    assert target.getvalue() == expected


def test_what_is_held_is_not_written_and_can_still_be_changed() -> None:
    target = io.BytesIO()
    source = CopySource(io.BytesIO(DATA), target)
    source.at(0, 110)
    source.at(100, 110)
    source.hold(100)
    source.at(200, 10)
    source.release(200)
    assert target.getvalue() == DATA[:100]
    source.replace(100, 100, b"new")
    source.hold(None)
    source.release(200)
    assert target.getvalue() == DATA[:100] + b"new" + DATA[100:200]
    with pytest.raises(MisuseError, match="has been written"):
        source.replace(150, 160)


def test_a_body_that_nobody_looks_at_is_never_held() -> None:
    source = CopySource(io.BytesIO(DATA), io.BytesIO())
    source.at(0, 10)
    source.hold(5)
    with pytest.raises(ImageError, match="held back"):
        source.reaches(4000)


def test_what_is_held_back_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domctx_core.reader.copying.DEFAULT_CAP", 1000)
    source = CopySource(io.BytesIO(DATA), io.BytesIO())
    source.hold(0)
    source.at(0, 2000)
    source.at(900, 1100)
    with pytest.raises(ImageError, match="held back"):
        source.at(1100, 900)


def test_memory_that_is_skipped_is_copied_in_chunks() -> None:
    class Most:
        most = total = 0

        def write(self, data: memoryview) -> int:
            self.most, self.total = max(self.most, len(data)), self.total + len(data)
            return len(data)

    reading, writing = os.pipe()
    block = bytes(1 << 20)

    def feed() -> None:
        with open(writing, "wb", buffering=0) as file:
            for _ in range(8):
                rest = memoryview(block)
                while rest:
                    rest = rest[file.write(rest) :]

    thread = threading.Thread(target=feed)
    thread.start()
    target = Most()
    with open(reading, "rb", buffering=0) as file:
        source = CopySource(file, target)
        source.at(0, 8)
        assert source.reaches(7 << 20)
        assert target.total == 7 << 20
        source.finish()
    thread.join()
    assert (target.total, target.most <= CHUNK) == (8 << 20, True)


@pytest.mark.parametrize("kind", ["memory", "buffered", "file", "file from the middle", "pipe"])
def test_a_look_fills_buffers_with_what_is_there(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    with path.open("rb", buffering=0) as file:
        if kind == "file from the middle":
            file.seek(1000)
        data = DATA[file.tell() :]
        source = {
            "memory": lambda: BufferSource(data),
            "buffered": lambda: FileSource(io.BytesIO(data)),
            "pipe": lambda: FileSource(io.BytesIO(data), stream=True),
        }.get(kind, lambda: FileSource(file))()
        for at in (0, 100, 1234, len(data) - 70, len(data)):
            short, long = bytearray(16), bytearray(64)
            count = source.read_into(at, (short, long))
            assert count == min(80, len(data) - at)
            assert (short + long)[:count] == data[at : at + count]
        assert source.position <= len(data)
        if kind != "pipe":
            assert source.at(3, 5) == data[3:8]


def test_a_look_that_fails_is_told_as_any_read(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    with path.open("rb", buffering=0) as file:
        source = FileSource(file)
        folder = os.open(tmp_path, os.O_RDONLY)
        os.dup2(folder, file.fileno())  # of which no byte can be read
        os.close(folder)
        with pytest.raises(InputOutputError, match="read the image"):
            source.read_into(0, (bytearray(8),))
