"""Ops: where the engine's bytes go to and come from.

`SaveOps` and `LoadOps` are the seed's two tables of callbacks as classes; a caller may bring its
own. Ready here: memory, anything with `write` or `read` (files, pipes, sockets), and sizing.
"""

from __future__ import annotations

import io
import os
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

from domctx_core.base.errors import DomainError, Errno, InputOutputError, refused
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.wire import HEADER_SIZE, pack_header

__all__ = [
    "CHUNK",
    "DEFAULT_CAP",
    "Extent",
    "FileLoadOps",
    "FileSaveOps",
    "LoadOps",
    "MemoryLoadOps",
    "MemorySaveOps",
    "SaveOps",
    "SizingSaveOps",
]

CHUNK = 256 * 1024
"""Bytes that are read, written or skipped at a time where a body is not held as a whole."""

DEFAULT_CAP = 128 * 1024 * 1024
"""Bytes of one body that are held in memory unless told otherwise: libxc's own record limit."""


class SaveOps(ABC):
    """Where a save puts its records: begin, append (any number of times), end.

    `byteorder` is that of the image. `patches` says whether the target takes a record whose
    length is known only at its end; where it is false, `begin` is always given the length.

    Ops may also have `records`, which takes whole records at once. Where they do not, or where a
    subclass overrides one of the three others and not `records`, all goes through those.
    """

    byteorder: ByteOrder = "little"
    patches: bool = True

    @abstractmethod
    def begin(self, type: int, instance: int, length: int | None) -> None:
        """Begin a record. `length` is that of its body where it is known already."""

    @abstractmethod
    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes of body or padding."""

    @abstractmethod
    def end(self, length: int) -> None:
        """End the record: its body had `length` bytes, padding not counted."""

    def records(self, data: bytes | bytearray, times: int = 1) -> None:
        """Append whole records, `times` over: headers and padding are there, lengths are known."""
        raise NotImplementedError

    def flush(self) -> None:  # most ops have no buffer
        """Called once after the last record, so that nothing is left in a buffer."""


class SizingSaveOps(SaveOps):
    """Counts the bytes of an image and keeps none: `size` is its exact size."""

    def __init__(self) -> None:
        self.size = 0

    def begin(self, type: int, instance: int, length: int | None) -> None:
        self.size += HEADER_SIZE

    def append(self, data: bytes | bytearray | memoryview) -> None:
        self.size += len(data)

    def end(self, length: int) -> None:
        pass

    def records(self, data: bytes | bytearray, times: int = 1) -> None:
        self.size += len(data) * times


class MemorySaveOps(SaveOps):
    """Collects an image in memory.

    With a `capacity` (bytes, such as a dry run gave) an image that outgrows it is refused with
    ENOSPC, as the hypervisor does with a buffer that turned out too small, and one that stays
    below it with EIO: the domain changed in between.
    """

    def __init__(self, capacity: int | None = None, byteorder: ByteOrder = "little") -> None:
        self.byteorder = byteorder
        self.capacity = capacity
        self._file = io.BytesIO()  # which gives its bytes without a copy
        self._header: tuple[int, int, int | None, int] = (0, 0, 0, 0)

    @property
    def image(self) -> bytes:
        """The bytes so far."""
        return self._file.getvalue()

    def begin(self, type: int, instance: int, length: int | None) -> None:
        self._header = (type, instance, length, self._file.tell())
        # never zeros, not even for now: those are END, and a save that fails must not have one
        self.append(pack_header(type, instance, length or 0, self.byteorder))

    def append(self, data: bytes | bytearray | memoryview) -> None:
        if self.capacity is not None and self._file.tell() + len(data) > self.capacity:
            raise DomainError(
                "the domain's state does not fit into the size that the dry run gave",
                errno=Errno.ENOSPC,
                expected=f"{self.capacity} bytes",
                actual=f"at least {self._file.tell() + len(data)} bytes",
                hint="the domain changed between sizing and saving: try again",
            )
        self._file.write(data)

    def records(self, data: bytes | bytearray, times: int = 1) -> None:
        if self.capacity is None and times == 1:
            self._file.write(data)
        else:
            self.append(data * times)

    def end(self, length: int) -> None:
        type, instance, announced, at = self._header
        if length != announced:
            with self._file.getbuffer() as image:
                header = pack_header(type, instance, length, self.byteorder)
                image[at : at + HEADER_SIZE] = header

    def flush(self) -> None:
        if self.capacity is not None and self._file.tell() != self.capacity:
            raise DomainError(
                "the domain's state is smaller than the dry run said",
                errno=Errno.EIO,
                expected=f"{self.capacity} bytes",
                actual=f"{self._file.tell()} bytes",
                hint="the domain changed between sizing and saving: try again",
            )


def _wait(file: Any, *, writing: bool) -> None:
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
            _wait(target, writing=True)
        if count is None:  # a raw stream that would block
            _wait(target, writing=True)
            count = 0
        view = view[count:]


class FileSaveOps(SaveOps):
    """Writes an image to a binary file, pipe or socket; short writes are normal.

    A target that can seek gets a record's length patched in; on others each record's length must
    be known when it begins (`patches` is then false, and the engine sees to it).
    """

    def __init__(self, target: Any, byteorder: ByteOrder = "little") -> None:
        self.byteorder = byteorder
        self._target = target
        seekable = getattr(target, "seekable", None)
        self.patches = bool(seekable is not None and seekable())
        self._base = target.tell() if self.patches else 0
        self._flushed = 0
        self._pending = bytearray()
        self._header = (0, 0, 0)

    @property
    def size(self) -> int:
        """Bytes of the image so far."""
        return self._flushed + len(self._pending)

    def begin(self, type: int, instance: int, length: int | None) -> None:
        self._header = (type, instance, self.size)
        self.append(pack_header(type, instance, length or 0, self.byteorder))

    def append(self, data: bytes | bytearray | memoryview) -> None:
        if len(data) >= CHUNK:
            self._drain()
            self._write(data)
            self._flushed += len(data)
        else:
            self._pending += data
            if len(self._pending) >= CHUNK:
                self._drain()

    def records(self, data: bytes | bytearray, times: int = 1) -> None:
        self.append(data if times == 1 else data * times)

    def end(self, length: int) -> None:
        if not self.patches:
            return
        type, instance, at = self._header
        header = pack_header(type, instance, length, self.byteorder)
        if at >= self._flushed:
            at -= self._flushed
            self._pending[at : at + HEADER_SIZE] = header
            return
        self._drain()
        self._target.seek(self._base + at)
        self._write(header)
        self._target.seek(self._base + self._flushed)

    def flush(self) -> None:
        self._drain()
        flush = getattr(self._target, "flush", None)
        while flush is not None:
            try:
                flush()
                return
            except BlockingIOError:  # what is buffered does not fit into the pipe yet
                _wait(self._target, writing=True)
            except OSError as error:
                raise refused("write the image", error) from error

    def _drain(self) -> None:
        self._write(self._pending)
        self._flushed += len(self._pending)
        self._pending = bytearray()

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        try:
            write_all(self._target, data)
        except OSError as error:
            raise refused("write the image", error) from error


class Extent:
    """A run of bytes that is not held: its place in something that gives bytes by offset.

    `read_at(offset, size)` gives those bytes, or fewer where there are no more; it leaves
    whatever else reads from the same place undisturbed.
    """

    def __init__(self, read_at: Callable[[int, int], bytes], offset: int, length: int) -> None:
        self._read_at = read_at
        self.offset = offset
        self.length = length

    def __len__(self) -> int:
        return self.length

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """The bytes, at most `size` at a time."""
        done = 0
        while done < self.length:
            chunk = self._read_at(self.offset + done, min(size, self.length - done))
            if not chunk:
                raise InputOutputError(
                    "the input has become shorter while it was used",
                    offset=self.offset + done,
                    expected=f"{self.length - done} more bytes",
                    actual="none",
                )
            done += len(chunk)
            yield chunk

    def read(self) -> bytes:
        """All the bytes at once."""
        return b"".join(self.chunks())


def _reader(file: Any) -> Callable[[int, int], bytes]:
    """Reads from a file by offset, and puts the file back to where it stood."""

    def read_at(offset: int, size: int) -> bytes:
        try:
            stands = file.tell()
            file.seek(offset)
            chunk: bytes = file.read(size)
            file.seek(stands)
        except OSError as error:
            raise refused("read the image again", error) from error
        return chunk

    return read_at


class LoadOps(ABC):
    """Where a load takes its bytes from.

    Only `read` must be there; the others have defaults built on it. Where a subclass overrides
    `read` or `skip` and not `peek`, nothing is looked at ahead.
    """

    _spool: BinaryIO | None = None
    _spooled: Callable[[int, int], bytes] | None = None

    @abstractmethod
    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer only where the input ends."""

    def peek(self, size: int) -> bytes:
        """Up to `size` of the bytes that come next, without stepping over them.

        There may be fewer, or none, where that cannot be done: a pipe is never read further than
        the image goes.
        """
        return b""

    def remaining(self) -> int | None:
        """Bytes that are left; None where that cannot be known (a pipe)."""
        return None

    def skip(self, size: int) -> int:
        """Step over `size` bytes; gives how many there were."""
        done = 0
        while done < size:
            got = len(self.read(min(CHUNK, size - done)))
            if not got:
                break
            done += got
        return done

    def extent(self, size: int) -> Extent:
        """Step over `size` bytes, keeping their place; what cannot seek is spooled to a file."""
        try:
            if self._spool is None or self._spooled is None:
                import tempfile

                self._spool = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
                self._spooled = _reader(self._spool)
                # extents may outlive these ops: the file goes with the last that can read it
                weakref.finalize(self._spooled, self._spool.close)
            start = self._spool.tell()
            done = 0
            while done < size:
                chunk = self.read(min(CHUNK, size - done))
                if not chunk:
                    break
                self._spool.write(chunk)
                done += len(chunk)
        except OSError as error:
            raise refused(
                "spool the input to a temporary file",
                error,
                hint="TMPDIR says where temporary files go",
            ) from error
        return Extent(self._spooled, start, done)


class MemoryLoadOps(LoadOps):
    """Loads from bytes in memory."""

    def __init__(self, image: bytes | bytearray | memoryview) -> None:
        self._image = memoryview(image).cast("B")
        self._at = 0

    def read(self, size: int) -> bytes:
        chunk = bytes(self._image[self._at : self._at + size])
        self._at += len(chunk)
        return chunk

    def peek(self, size: int) -> bytes:
        return bytes(self._image[self._at : self._at + size])

    def remaining(self) -> int:
        return len(self._image) - self._at

    def skip(self, size: int) -> int:
        size = min(size, self.remaining())
        self._at += size
        return size

    def extent(self, size: int) -> Extent:
        start = self._at
        return Extent(self._read_at, start, self.skip(size))

    def _read_at(self, offset: int, size: int) -> bytes:
        return bytes(self._image[offset : offset + size])


class FileLoadOps(LoadOps):
    """Loads from a binary file, pipe or socket, from where it stands; short reads are normal."""

    def __init__(self, source: Any) -> None:
        self._source = source
        # a socket's `makefile` would read ahead, into what follows the image
        self._receive = getattr(source, "recv", None) or source.read
        seekable = getattr(source, "seekable", None)
        self._end: int | None = None
        self._at = 0
        if seekable is not None and seekable():
            self._at = source.tell()
            self._end = max(self._at, source.seek(0, os.SEEK_END))
            source.seek(self._at)

    def read(self, size: int) -> bytes:
        parts = []
        while size > 0:
            try:
                chunk = self._receive(min(size, 16 * CHUNK))
            except BlockingIOError:
                chunk = None
            except OSError as error:
                raise refused("read the image", error) from error
            if chunk is None:  # nothing there yet
                _wait(self._source, writing=False)
                continue
            if not chunk:
                break
            parts.append(chunk)
            size -= len(chunk)
            self._at += len(chunk)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def peek(self, size: int) -> bytes:
        if self._end is None:
            return b""
        try:
            chunk: bytes = self._source.read(size)
            self._source.seek(self._at)
        except OSError as error:
            raise refused("read the image", error) from error
        return chunk

    def remaining(self) -> int | None:
        return None if self._end is None else self._end - self._at

    def skip(self, size: int) -> int:
        if self._end is None:
            return super().skip(size)
        size = min(size, self._end - self._at)
        self._at += size
        self._source.seek(self._at)
        return size

    def extent(self, size: int) -> Extent:
        if self._end is None:
            return super().extent(size)
        start = self._at
        return Extent(_reader(self._source), start, self.skip(size))
