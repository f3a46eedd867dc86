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
    """Bytes by offset from the start of the input.

    `size` is the number of bytes, None where that is not known before the end is met. `seekable`
    says whether an offset that was passed can be asked for again.
    """

    size: int | None
    seekable: bool = True

    @abstractmethod
    def at(self, offset: int, size: int) -> memoryview:
        """`size` bytes from `offset`; fewer only where the input ends."""

    def ready(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset` that can be had at once, as bytes of their own.

        Of a pipe, those that have arrived; they are not waited for. Perhaps none.
        """
        return bytes(self.at(offset, size)) if self.seekable else b""

    def read_into(self, offset: int, buffers: Sequence[bytearray]) -> int:
        """Fill buffers, one after the other, with what is at `offset`; gives how many bytes came.

        For a look at one place among many that lie far apart: nothing around it is read.
        """
        at = offset
        for buffer in buffers:
            piece = self.at(at, len(buffer))
            buffer[: len(piece)] = piece
            at += len(piece)
            if len(piece) < len(buffer):
                break
        return at - offset

    @property
    def position(self) -> int:
        """About how far into the input it was last read; any thread may ask."""
        return 0

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
    """A binary file, pipe or socket, from where it stands; short reads are normal.

    With `stream` a file that can seek is read like a pipe: once, in ascending order. A pipe is
    never read further than was asked for.
    """

    _greedy = False
    """Whether a stream may be read further than was asked for."""

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
        self._place = self._start
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
        """Hold what is at `offset` of a file; gives where in that, and how much, `size` bytes are.

        What is held is never written over: views of it stay as they are.
        """
        assert self.size is not None
        left = self.size - offset
        if size > left:
            size = left = max(0, left)
        start, have = offset - self._base, len(self._held)
        if 0 <= start <= have:
            if start + size <= have:
                return start, size
        else:  # as much as was of use where the jump before led to
            used = self._furthest - self._landed
            self._ahead = used if used > LEAST_READ else LEAST_READ
            self._landed = self._furthest = offset
        ahead = self._ahead if self._ahead < MOST_READ else MOST_READ
        self._ahead = 2 * ahead
        wanted = size if size > ahead else ahead
        if wanted > left:
            wanted = left
        # what is held of it already is read again, which costs no more than to join the two
        self._held, self._base = b"", offset
        held = self._read(self._start + offset, wanted) if wanted else b""
        if len(held) < wanted:
            held = self._join(held, self._start + offset, wanted)
        self._held = held
        self._view = memoryview(held)
        return 0, size

    def _join(self, piece: bytes, place: int, size: int) -> bytes:
        """What is at `place` of a file after a read that gave only the first piece of it."""
        pieces, have = [piece], len(piece)
        while piece and have < size:
            piece = self._read(place + have, size - have)
            pieces.append(piece)
            have += len(piece)
        return b"".join(pieces)

    def _read(self, place: int, size: int) -> bytes:
        """Up to `size` bytes of a file from `place` on; none at its end."""
        while True:
            try:
                if self._fd is not None:
                    return os.pread(self._fd, size, place)
                if place != self._place:
                    self._file.seek(place)
                    self._place = place
                piece: bytes | None = self._file.read(size)
            except BlockingIOError:
                piece = None
            except OSError as error:
                raise io_error("read the image", error) from error
            if piece is not None:
                self._place += len(piece)
                return piece
            self._wait()

    def _arrived(self) -> bool:
        """Whether a read of a stream gives something, or its end, at once."""
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
        """Wait for a file that is not blocking, and that nothing is there of yet."""
        _poll(self._file).poll()

    def _more(self, missing: int) -> int:
        """Let a stream's window grow by a read; gives by how much, 0 at the end of the input."""
        wanted = CHUNK if self._greedy else missing
        view = self._buffer[:wanted]
        count = self._fill(view)
        self._window += view[:count]
        return count

    def _move(self, offset: int) -> None:
        """Let a stream's window begin at `offset`, which may lie beyond it."""
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
        """Let go of the window's first `size` bytes."""
        if size:
            with memoryview(self._window) as window, window[:size] as passed:
                self._passed(passed)
            del self._window[:size]
            self._base += size

    def _skip(self, size: int) -> int:
        """Read and let go of `size` bytes of a stream whose window is empty; gives how many."""
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
        """Read what is there, at most as much as fits; 0 at the end of the input."""
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
        """Called with what leaves the window, in order."""

    def _skipped(self, data: memoryview) -> None:
        """Called with what was read over and never in the window, in order."""


def _poll(file: Any) -> select.poll:
    """What tells whether something can be read from a file."""
    from select import POLLIN, poll

    ready = poll()
    ready.register(file, POLLIN)
    return ready


def _is_socket(file: Any) -> bool:
    socket = sys.modules.get("socket")  # whoever has one has imported it
    return socket is not None and isinstance(file, socket.socket)


_BUFFERED = (io.BufferedReader, io.BufferedRandom, io.BytesIO)


def _reader(file: Any) -> Callable[[memoryview], int | None]:
    """What fills a buffer with what is there; None where nothing is there yet."""
    if _is_socket(file):
        receive: Callable[[memoryview], int | None] = file.recv_into
        return receive
    if type(file) in _BUFFERED:  # which does not wait for the buffer to be full
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
