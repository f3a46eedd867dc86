"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from domctx_core.base.errors import InputOutputError, io_error, one_line

__all__ = [
    "CHUNK",
    "DEFAULT_CAP",
    "path_text",
    "positional_reader",
    "wait_ready",
    "whole_file",
    "write_all",
]


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A binary file that appears at `path` when the block ends well, and not at all otherwise.

    It is written beside `path` under another name, synced, and renamed over it; the mode of a
    file that was there is kept. What is no regular file (a pipe, a device) is written in place.
    Raises `InputOutputError` where the system refuses.
    """
    target = Path(path)
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        mode = 0
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        if mode and not stat.S_ISREG(mode):
            with open(target, "wb", buffering=0) as special:
                yield cast(BinaryIO, special)
            return
        with _renamed(target.resolve(), stat.S_IMODE(mode)) as file:
            yield file
    except OSError as error:
        raise cannot_write(path, error) from error


@contextlib.contextmanager
def _renamed(target: Path, mode: int) -> Iterator[BinaryIO]:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(handle, "w+b", buffering=0) as file:
            yield cast(BinaryIO, file)
            os.fchmod(handle, mode or 0o666 & ~_umask())
            os.fsync(handle)
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    with contextlib.suppress(OSError):  # some file systems cannot sync a directory
        directory = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def path_text(path: str | os.PathLike[str]) -> str:
    """A path as messages show it: on one line, whatever characters somebody gave it."""
    return one_line(os.fspath(path))


def cannot_write(path: str | os.PathLike[str], error: OSError) -> InputOutputError:
    """The error for an output that the system will not take."""
    return io_error(f"write {path_text(path)}", error)


CHUNK = 256 * 1024
"""Bytes that are read, written or skipped at a time where a body is not held as a whole."""


DEFAULT_CAP = 128 * 1024 * 1024
"""Bytes of one body that are held in memory unless told otherwise: libxc's own record limit."""


def wait_ready(file: Any, *, writing: bool) -> None:
    """Wait until a file that is not blocking can be read or written."""
    import select

    poll = select.poll()  # `select` itself takes no descriptor above 1023
    poll.register(file, select.POLLOUT if writing else select.POLLIN)
    poll.poll()


def write_all(target: Any, data: bytes | bytearray | memoryview) -> None:
    """Write everything to something that may take less at a time, or be busy."""
    view = memoryview(data)
    send = getattr(target, "send", None) or target.write  # a socket's `makefile` could not wait
    while view:
        try:
            count = send(view)
        except BlockingIOError as error:
            count = getattr(error, "characters_written", 0)
            wait_ready(target, writing=True)
        if count is None:  # a raw stream that would block
            wait_ready(target, writing=True)
            count = 0
        view = view[count:]


def positional_reader(file: Any) -> Callable[[int, int], bytes]:
    """Reads from a file by offset, and puts the file back to where it stood."""

    def read_at(offset: int, size: int) -> bytes:
        try:
            stands = file.tell()
            file.seek(offset)
            chunk: bytes = file.read(size)
            file.seek(stands)
        except OSError as error:
            raise io_error("read the image again", error) from error
        return chunk

    return read_at
