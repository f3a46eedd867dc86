"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from domctx_core.base.errors import InputOutputError, one_line, refused

__all__ = ["path_text", "whole_file"]


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
    return refused(f"write {path_text(path)}", error)
