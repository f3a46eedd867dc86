"""Sources: where an image is read from when it is looked at, by offset.

A source in memory or in a file that can seek gives any bytes at any time. One that cannot (a pipe,
a socket) gives them once, in ascending order, and holds only what was asked for last.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from domctx_core.errors import InputOutputError, as_errno
from domctx_core.ops import CHUNK, FileLoadOps

__all__ = ["BufferSource", "FileSource", "Source", "open_source"]


class Source(ABC):
    """Bytes by offset from the start of the input.

    `size` is the number of bytes, None where that is not known before the end is met. `seekable`
    says whether an offset that was passed can be asked for again.
    """

    size: int | None
    seekable: bool = True

    @abstractmethod
    def at(self, offset: int, size: int) -> memoryview:
        """`size` bytes from `offset`; fewer only where the input ends."""

    @abstractmethod
    def reaches(self, offset: int) -> bool:
        """Whether the input has at least `offset` bytes; a pipe is read up to there."""

    @abstractmethod
    def end(self) -> int:
        """The size of the input; a pipe is read to its end."""


class BufferSource(Source):
    """Bytes in memory, or a memory map."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data).cast("B")
        self.size: int = len(self._data)

    def at(self, offset: int, size: int) -> memoryview:
        return self._data[offset : offset + size]

    def reaches(self, offset: int) -> bool:
        return offset <= self.size

    def end(self) -> int:
        return self.size


class FileSource(Source):
    """A binary file, pipe or socket, from where it stands; short reads are normal."""

    def __init__(self, file: Any) -> None:
        self._ops = FileLoadOps(file)
        self._file = file
        self.size = self._ops.remaining()
        self.seekable = self.size is not None
        self._start = file.tell() if self.seekable else 0
        self._base = 0
        self._window = bytearray()

    def at(self, offset: int, size: int) -> memoryview:
        self._move(offset)
        missing = size - len(self._window)
        while missing > 0:
            wanted = max(missing, CHUNK) if self.seekable else missing
            chunk = self._ops.read(min(wanted, 16 * CHUNK))
            if not chunk:
                break
            self._window += chunk
            missing -= len(chunk)
        return memoryview(bytes(self._window[:size]))

    def _move(self, offset: int) -> None:
        """Let the window begin at `offset`, which may lie beyond it."""
        ahead = offset - self._base
        if 0 <= ahead <= len(self._window):
            del self._window[:ahead]
        elif self.seekable:
            self._window.clear()
            self._file.seek(self._start + offset)
        elif ahead < 0:
            raise InputOutputError(
                "the input cannot seek, and what is asked for has passed by",
                offset=offset,
                hint="save the stream to a file first",
            )
        else:
            ahead -= len(self._window)
            self._base += len(self._window)
            self._window.clear()
            self._base += self._ops.skip(ahead)
            return
        self._base = offset

    def reaches(self, offset: int) -> bool:
        if self.size is not None:
            return offset <= self.size
        if offset > self._base + len(self._window):
            self._move(offset)
        return self._base + len(self._window) >= offset

    def end(self) -> int:
        if self.size is None:
            self.size = self._base + len(self._window)
            while step := self._ops.skip(1 << 30):
                self.size += step
            self._base = self.size
            self._window.clear()
        return self.size


@contextmanager
def open_source(path: str | os.PathLike[str]) -> Iterator[Source]:
    """The file at `path` as a source. Raises `InputOutputError` where it cannot be opened."""
    try:
        file = open(path, "rb", buffering=0)  # noqa: SIM115  # closed below
    except OSError as error:
        raise cannot_read(path, error) from error
    with file:
        try:
            source = FileSource(file)
        except OSError as error:
            raise cannot_read(path, error) from error
        yield source


def cannot_read(path: str | os.PathLike[str], error: OSError) -> InputOutputError:
    """The error for an input that the system will not give us."""
    return InputOutputError(
        f"cannot read {os.fspath(path)}: {error.strerror or error}", errno=as_errno(error)
    )
