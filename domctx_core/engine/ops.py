"""Ops over memory, files, pipes and sockets, and one that only counts."""

from __future__ import annotations

import io
import os
from typing import Any

from domctx_core.base.errors import DomainError, Errno, io_error
from domctx_core.base.io import CHUNK, positional_reader, wait_ready, write_all
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.ops import Extent, LoadOps, SaveOps
from domctx_core.model.wire import HEADER_SIZE, pack_header

__all__ = ["FileLoadOps", "FileSaveOps", "MemoryLoadOps", "MemorySaveOps", "SizingSaveOps"]


class SizingSaveOps(SaveOps):
    """Counts the bytes of an image and keeps none: `size` is its size in bytes."""

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

    With a `capacity` (bytes, from a dry run) a larger image raises ENOSPC, as the hypervisor does
    for a buffer that is too small, and a smaller one EIO: the domain changed in between.
    """

    def __init__(self, capacity: int | None = None, byteorder: ByteOrder = "little") -> None:
        self.byteorder = byteorder
        self.capacity = capacity
        self._file = io.BytesIO()  # which gives its bytes without a copy
        self._header: tuple[int, int, int | None, int] = (0, 0, 0, 0)

    @property
    def image(self) -> bytes:
        """The bytes of the image so far."""
        return self._file.getvalue()

    def begin(self, type: int, instance: int, length: int | None) -> None:
        self._header = (type, instance, length, self._file.tell())
        # never zeros, not even for now: those are END, and a save that fails must not have one
        self.append(pack_header(type, instance, length or 0, self.byteorder))

    def append(self, data: bytes | bytearray | memoryview) -> None:
        if self.capacity is not None and self._file.tell() + len(data) > self.capacity:
            raise DomainError(
                "the domain's state is larger than the size from the dry run",
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
                "the domain's state is smaller than the size from the dry run",
                errno=Errno.EIO,
                expected=f"{self.capacity} bytes",
                actual=f"{self._file.tell()} bytes",
                hint="the domain changed between sizing and saving: try again",
            )


class FileSaveOps(SaveOps):
    """Writes an image to a binary file, pipe or socket; short writes are normal.

    On a target that can seek, the length of a record is set when the record ends; on others it must
    be known when the record begins (`patches` is False then, and the engine sees to it).
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
        """How many bytes of the image were written so far."""
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
                wait_ready(self._target, writing=True)
            except OSError as error:
                raise io_error("write the image", error) from error

    def _drain(self) -> None:
        self._write(self._pending)
        self._flushed += len(self._pending)
        self._pending = bytearray()

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        try:
            write_all(self._target, data)
        except OSError as error:
            raise io_error("write the image", error) from error


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
    """Loads from a binary file, pipe or socket, from its present position; short reads are normal."""

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
                raise io_error("read the image", error) from error
            if chunk is None:  # nothing there yet
                wait_ready(self._source, writing=False)
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
            raise io_error("read the image", error) from error
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
        return Extent(positional_reader(self._source), start, self.skip(size))
