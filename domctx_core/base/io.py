"""Write files whole or not at all; read and write as much as the system takes at a time."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from domctx_core.base.errors import InputOutputError, io_error
from domctx_core.base.text import one_line

__all__ = [
    "CHUNK",
    "DEFAULT_CAP",
    "cannot_read",
    "cannot_write",
    "path_text",
    "positional_reader",
    "wait_ready",
    "whole_file",
    "write_all",
]

CHUNK = 256 * 1024
"""Bytes that are read, written or skipped at a time where a body is not held as a whole."""

DEFAULT_CAP = 128 * 1024 * 1024
"""Default limit of bytes of one body that are held in memory: libxc's own record limit."""


def path_text(path: str | os.PathLike[str]) -> str:
    """Return a path for a message: on one line, whatever characters are in it."""
    return one_line(os.fspath(path))


def cannot_read(path: str | os.PathLike[str], error: OSError) -> InputOutputError:
    """Return the error for an input that cannot be read."""
    return io_error(f"read {path_text(path)}", error)


def cannot_write(path: str | os.PathLike[str], error: OSError) -> InputOutputError:
    """Return the error for an output that cannot be written."""
    return io_error(f"write {path_text(path)}", error)


def wait_ready(file: Any, *, writing: bool) -> None:
    """Wait until a non-blocking file can be read or written."""
    import select

    poll = select.poll()  # `select` itself takes no descriptor above 1023
    poll.register(file, select.POLLOUT if writing else select.POLLIN)
    poll.poll()


def write_all(target: Any, data: bytes | bytearray | memoryview) -> None:
    """Write all of `data` to a file or socket that may take less at a time, or be busy."""
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
    """Return a function that reads at an offset and restores the file's position."""

    def read_at(offset: int, size: int) -> bytes:
        try:
            position = file.tell()
            file.seek(offset)
            chunk: bytes = file.read(size)
            file.seek(position)
        except OSError as error:
            raise io_error("read the image again", error) from error
        return chunk

    return read_at


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a binary file that appears at `path` if the block succeeds, and not at all otherwise.

    It is written beside `path` under another name, synced, and renamed over it; the mode of an
    existing file is kept. A pipe or device is written in place. Raise `InputOutputError` if the
    system refuses.
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
    """Return the process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
