"""Files: written whole or not at all, whatever the system takes at a time."""

from __future__ import annotations

import io
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from domctx_core import DomctxError, Errno
from domctx_core.base.io import path_text, positional_reader, whole_file, write_all


def test_whole_file_through_a_link_and_to_a_place_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    with whole_file(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    with (
        pytest.raises(DomctxError, match="cannot write") as caught,
        whole_file(tmp_path / "a" / "b"),
    ):
        pass
    assert caught.value.errno is Errno.ENOENT


def test_a_file_appears_only_when_the_block_succeeds(tmp_path: Path) -> None:
    path = tmp_path / "new"

    def fail() -> None:
        with whole_file(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []
    with whole_file(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def test_an_existing_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")
    path.chmod(0o604)
    with whole_file(path) as file:
        file.write(b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o604)


def test_a_device_is_written_in_place(tmp_path: Path) -> None:
    with whole_file("/dev/null") as file:
        file.write(b"gone")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(DomctxError, match="cannot write /dev/full: No space left") as caught:
        write_full()
    assert caught.value.errno is Errno.ENOSPC


def write_full() -> None:
    with whole_file("/dev/full") as file:
        file.write(b"lost")


class Little:
    """A file that takes three bytes at a time."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: Any) -> int:
        self.data += bytes(data[:3])
        return min(3, len(data))


def test_all_is_written_to_a_file_that_takes_little() -> None:
    little = Little()
    write_all(little, b"0123456789")
    assert little.data == b"0123456789"


def test_all_is_written_to_a_socket_that_is_busy() -> None:
    ours, theirs = socket.socketpair()
    data, got = os.urandom(1 << 20), bytearray()

    def receive() -> None:
        while chunk := theirs.recv(1 << 16):
            got.extend(chunk)

    with theirs:
        reader = threading.Thread(target=receive)
        reader.start()
        with ours:
            ours.setblocking(False)
            write_all(ours, data)
        reader.join()
    assert got == data


def test_all_is_written_to_a_pipe_that_is_busy() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    data, got = os.urandom(1 << 20), bytearray()

    def receive() -> None:
        while chunk := os.read(reading, 1 << 16):
            got.extend(chunk)

    reader = threading.Thread(target=receive)
    reader.start()
    with open(writing, "wb", buffering=0) as file:
        write_all(file, data)
    reader.join()
    os.close(reading)
    assert got == data


def test_reading_at_an_offset_restores_the_position() -> None:
    file = io.BytesIO(b"0123456789")
    file.seek(4)
    read_at = positional_reader(file)
    assert (read_at(7, 2), read_at(0, 3), read_at(9, 5)) == (b"78", b"012", b"9")
    assert file.tell() == 4


def test_reading_that_fails_is_an_error_with_its_errno(tmp_path: Path) -> None:
    with (
        open(tmp_path / "x", "wb") as file,
        pytest.raises(DomctxError, match="read the image again"),
    ):
        positional_reader(file)(0, 1)


def test_a_path_in_a_message_is_one_line() -> None:
    assert path_text(Path("a\nb")) == "a\\nb"
