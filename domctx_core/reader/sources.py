"""Sources: the bytes of an input by offset.

A source in memory or in a file that can seek gives any bytes at any time. One that cannot (a pipe,
a socket) gives them once, in ascending order, and holds only what was asked for last.
"""

from __future__ import annotations

import io
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from domctx_core.base.errors import InputOutputError, io_error
from domctx_core.base.io import CHUNK, cannot_read

if TYPE_CHECKING:
    import select

__all__ = ["BufferSource", "FileSource", "Source", "open_source"]

FIRST_READ = 16 * 1024
"""Bytes that are read ahead at the start of a file; each further read takes twice as many."""

MOST_READ = 96 * 1024
"""Bytes that are read ahead at most; see `domctx_core.verification.batches.BLOCK`."""

LEAST_READ = 4096
"""The same after a jump, where less than that was asked for after the jump before."""


class Source(ABC):
    """Gives the bytes of an input by their offset.

    `size` is the number of bytes, None where that is not known before the end is reached. A source
    that is not `seekable` gives no bytes before those that it has given.
    """

    size: int | None
    seekable: bool = True

    @abstractmethod
    def at(self, offset: int, size: int) -> memoryview:
        """Return `size` bytes from `offset`, fewer only where the input ends."""

    def ready(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes from `offset` as a copy, without waiting for any.

        Of a pipe, that is those which have arrived, perhaps none.
        """
        return bytes(self.at(offset, size)) if self.seekable else b""

    def read_into(self, offset: int, buffers: Sequence[bytearray]) -> int:
        """Fill buffers, one after the other, with the bytes at `offset`; return how many there were.

        Nothing around them is read ahead, since the next bytes to be read may be far away.
        """
        count = 0
        for buffer in buffers:
            data = self.at(offset + count, len(buffer))
            buffer[: len(data)] = data
            count += len(data)
            if len(data) < len(buffer):
                break
        return count

    @property
    def position(self) -> int:
        """Return about where the input was last read; any thread may ask."""
        return 0

    @abstractmethod
    def reaches(self, offset: int) -> bool:
        """Return True if the input has at least `offset` bytes; read a pipe up to there."""

    @abstractmethod
    def end(self) -> int:
        """Return the size of the input; read a pipe to its end."""


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
    """A binary file, pipe or socket, from its current position; short reads are normal.

    With `stream` a file that can seek is read like a pipe: once, in ascending order. A pipe is
    never read further than was asked for.
    """

    _greedy = False
    """True if a stream may be read further than was asked for."""

    def __init__(self, file: Any, *, stream: bool = False) -> None:
        self._file = file
        self._into = _reader(file)
        self._start = 0
        self.size = None
        seekable = getattr(file, "seekable", None)
        if not stream and seekable is not None and seekable():
            self._start = file.tell()
            self.size = max(self._start, file.seek(0, os.SEEK_END)) - self._start
            file.seek(self._start)
        self.seekable = self.size is not None
        self._base = 0
        self._window = bytearray()
        self._ahead = FIRST_READ
        self._buffer = memoryview(bytearray(0 if self.seekable else CHUNK))
        self._held = b""
        self._view = memoryview(b"")
        self._landed = self._furthest = 0
        self._position = self._start
        self._fd = file.fileno() if type(file) is io.FileIO and hasattr(os, "preadv") else None
        self._glanced = 0
        self._poll: Any = None

    @property
    def position(self) -> int:
        return max(self._base, self._glanced)

    def at(self, offset: int, size: int) -> memoryview:
        if self.seekable:
            start = offset - self._base
            if start < 0 or start + size > len(self._held):
                start, size = self._refill(offset, size)
            if offset + size > self._furthest:
                self._furthest = offset + size
            return self._view[start : start + size]
        self._move(offset)
        while len(self._window) < size and self._more(size - len(self._window)):
            pass
        with memoryview(self._window) as window:
            return memoryview(bytes(window[:size]))

    def ready(self, offset: int, size: int) -> bytes:
        if self.seekable:
            start = offset - self._base
            if start < 0 or start + size > len(self._held):
                start, size = self._refill(offset, size)
            return self._held[start : start + size]
        if not 0 <= offset - self._base <= len(self._window):
            return b""
        self._move(offset)
        while len(self._window) < size and self._arrived():
            if not self._more(size - len(self._window)):
                break
        with memoryview(self._window) as window:
            return bytes(window[:size])

    def read_into(self, offset: int, buffers: Sequence[bytearray]) -> int:
        if self._fd is None or not self.seekable:
            return super().read_into(offset, buffers)
        self._glanced = offset
        try:
            return os.preadv(self._fd, buffers, self._start + offset)
        except OSError as error:
            raise io_error("read the image", error) from error

    def reaches(self, offset: int) -> bool:
        if self.size is not None:
            return offset <= self.size
        if offset > self._base + len(self._window):
            self._move(offset)
        return self._base + len(self._window) >= offset

    def end(self) -> int:
        if self.size is None:
            self._drop(len(self._window))
            while self._skip(1 << 30):
                pass
            self.size = self._base
        return self.size

    def _refill(self, offset: int, size: int) -> tuple[int, int]:
        """Read a file at `offset` into memory; return where in it the bytes are and how many.

        What was read before is never written over: views of it keep their contents.
        """
        assert self.size is not None
        left = self.size - offset
        if size > left:
            size = left = max(0, left)
        start, have = offset - self._base, len(self._held)
        if 0 <= start <= have:
            if start + size <= have:
                return start, size
        else:  # a jump: as much as was used after the one before
            used = self._furthest - self._landed
            self._ahead = used if used > LEAST_READ else LEAST_READ
            self._landed = self._furthest = offset
        ahead = self._ahead if self._ahead < MOST_READ else MOST_READ
        self._ahead = 2 * ahead
        wanted = size if size > ahead else ahead
        if wanted > left:
            wanted = left
        # bytes that are in memory already are read again, which costs no more than joining the two
        self._held, self._base = b"", offset
        held = self._read(self._start + offset, wanted) if wanted else b""
        if len(held) < wanted:
            held = self._join(held, self._start + offset, wanted)
        self._held = held
        self._view = memoryview(held)
        return 0, size

    def _join(self, first: bytes, position: int, size: int) -> bytes:
        """Return `size` bytes at a position of the file, of which a read gave only the first."""
        parts, have = [first], len(first)
        while parts[-1] and have < size:
            parts.append(self._read(position + have, size - have))
            have += len(parts[-1])
        return b"".join(parts)

    def _read(self, position: int, size: int) -> bytes:
        """Return up to `size` bytes at a position of the file, none at its end."""
        while True:
            try:
                if self._fd is not None:
                    return os.pread(self._fd, size, position)
                if position != self._position:
                    self._file.seek(position)
                    self._position = position
                data: bytes | None = self._file.read(size)
            except BlockingIOError:
                data = None
            except OSError as error:
                raise io_error("read the image", error) from error
            if data is not None:
                self._position += len(data)
                return data
            self._wait()

    def _arrived(self) -> bool:
        """Return True if a read of the stream would not wait."""
        if self._poll is None:
            if type(self._file) in _BUFFERED and not hasattr(self._file, "raw"):
                return True
            if not (
                isinstance(self._file, (io.FileIO, io.BufferedReader)) or _is_socket(self._file)
            ):
                return False
            self._poll = _poll(self._file)
        return bool(self._poll.poll(0))

    def _wait(self) -> None:
        """Wait until a non-blocking file can be read."""
        _poll(self._file).poll()

    def _more(self, missing: int) -> int:
        """Add a read to the window of a stream; return its size, 0 at the end of the input."""
        wanted = CHUNK if self._greedy else missing
        view = self._buffer[:wanted]
        count = self._fill(view)
        self._window += view[:count]
        return count

    def _move(self, offset: int) -> None:
        """Move the window of a stream to `offset`, which may be beyond the end of the window."""
        ahead = offset - self._base
        if 0 <= ahead <= len(self._window):
            self._drop(ahead)
        elif ahead < 0:
            raise InputOutputError(
                "the input cannot seek, and what is asked for has passed by",
                offset=offset,
                hint="save the stream to a file first",
            )
        else:
            ahead -= len(self._window)
            self._drop(len(self._window))
            self._skip(ahead)

    def _drop(self, size: int) -> None:
        """Drop the first `size` bytes of the window."""
        if size:
            with memoryview(self._window) as window, window[:size] as passed:
                self._passed(passed)
            del self._window[:size]
            self._base += size

    def _skip(self, size: int) -> int:
        """Skip `size` bytes of a stream whose window is empty; return how many there were."""
        done = 0
        while done < size:
            view = self._buffer[: min(size - done, CHUNK)]
            count = self._fill(view)
            if not count:
                break
            self._skipped(view[:count])
            self._base += count
            done += count
        return done

    def _fill(self, view: memoryview) -> int:
        """Read into a buffer what has arrived; return its size, 0 at the end of the input."""
        while True:
            try:
                count = self._into(view)
            except BlockingIOError:
                count = None
            except OSError as error:
                raise io_error("read the image", error) from error
            if count is not None:
                return count
            self._wait()

    def _passed(self, data: memoryview) -> None:
        """Take note of bytes that leave the window, in their order."""

    def _skipped(self, data: memoryview) -> None:
        """Take note of bytes that were skipped, in their order."""


def _poll(file: Any) -> select.poll:
    """Return a poll object for reads of a file."""
    from select import POLLIN, poll

    ready = poll()
    ready.register(file, POLLIN)
    return ready


def _is_socket(file: Any) -> bool:
    socket = sys.modules.get("socket")  # not imported: then the file is no socket
    return socket is not None and isinstance(file, socket.socket)


_BUFFERED = (io.BufferedReader, io.BufferedRandom, io.BytesIO)


def _reader(file: Any) -> Callable[[memoryview], int | None]:
    """Return a function that fills a buffer without waiting for all of it, None where none is there."""
    if _is_socket(file):
        receive: Callable[[memoryview], int | None] = file.recv_into
        return receive
    if type(file) in _BUFFERED:  # readinto1 does not wait for the buffer to be full
        one: Callable[[memoryview], int | None] = file.readinto1
        return one
    if type(file) is io.FileIO:
        return file.readinto

    def read(view: memoryview) -> int | None:
        chunk = file.read(len(view))
        if chunk is None:
            return None
        view[: len(chunk)] = chunk
        return len(chunk)

    return read


@contextmanager
def open_source(path: str | os.PathLike[str]) -> Iterator[Source]:
    """Open the file at `path` as a source; raise `InputOutputError` where that fails."""
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
