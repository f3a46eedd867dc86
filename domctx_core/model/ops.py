"""Ops: where the engine's bytes go to and come from.

`SaveOps` and `LoadOps` are the seed's two tables of callbacks as classes; a caller may bring its
own. `engine/ops.py` has those for memory, files, pipes and sockets, and one that only counts.
"""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from domctx_core.base.errors import InputOutputError, io_error
from domctx_core.base.io import CHUNK, positional_reader
from domctx_core.layout.kinds.base import ByteOrder

__all__ = ["Extent", "LoadOps", "SaveOps"]


class SaveOps(ABC):
    """Where a save puts its records: `begin`, `append` (any number of times), `end`.

    `byteorder` is that of the image. `patches` is True if the target can take a record whose length
    is known only at its end; if not, `begin` always gets the length.

    `records` takes whole records at once. It is not called if it is not overridden, or if a subclass
    overrides one of the other three and not `records`.
    """

    byteorder: ByteOrder = "little"
    patches: bool = True

    @abstractmethod
    def begin(self, type: int, instance: int, length: int | None) -> None:
        """Begin a record; `length` is that of its body in bytes, None if it is not known yet."""

    @abstractmethod
    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes of body or padding."""

    @abstractmethod
    def end(self, length: int) -> None:
        """End the record: its body had `length` bytes, padding not counted."""

    def records(self, data: bytes | bytearray, times: int = 1) -> None:
        """Append whole records, headers and padding included, `times` over."""
        raise NotImplementedError

    def flush(self) -> None:  # most ops have no buffer
        """Write what is left in a buffer; called once, after the last record."""


class Extent:
    """Bytes that are not held in memory, but can be read by their offset in a file.

    `read_at(offset, size)` returns bytes, fewer if there are no more, and does not disturb others
    that read from the same file.
    """

    def __init__(self, read_at: Callable[[int, int], bytes], offset: int, length: int) -> None:
        self._read_at = read_at
        self.offset = offset
        self.length = length

    def __len__(self) -> int:
        return self.length

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """Yield the bytes, at most `size` at a time."""
        done = 0
        while done < self.length:
            chunk = self._read_at(self.offset + done, min(size, self.length - done))
            if not chunk:
                raise InputOutputError(
                    "the input became shorter while it was read",
                    offset=self.offset + done,
                    expected=f"{self.length - done} more bytes",
                    actual="none",
                )
            done += len(chunk)
            yield chunk

    def read(self) -> bytes:
        """Return all the bytes."""
        return b"".join(self.chunks())


class LoadOps(ABC):
    """Where a load takes its bytes from.

    Only `read` must be overridden; the others have defaults built on it. If a subclass overrides
    `read` or `skip` and not `peek`, nothing is looked at ahead.
    """

    _spool: BinaryIO | None = None
    _spooled: Callable[[int, int], bytes] | None = None

    @abstractmethod
    def read(self, size: int) -> bytes:
        """Return the next `size` bytes; fewer only if the input ends."""

    def peek(self, size: int) -> bytes:
        """Return up to `size` of the next bytes, and leave them to be read.

        Fewer, or none, if that cannot be done: a pipe is never read further than the image goes.
        """
        return b""

    def remaining(self) -> int | None:
        """Return how many bytes are left; None if that cannot be known (a pipe)."""
        return None

    def skip(self, size: int) -> int:
        """Skip `size` bytes; return how many there were."""
        done = 0
        while done < size:
            got = len(self.read(min(CHUNK, size - done)))
            if not got:
                break
            done += got
        return done

    def extent(self, size: int) -> Extent:
        """Skip `size` bytes that can be read later; what cannot seek is spooled to a file."""
        try:
            if self._spool is None or self._spooled is None:
                import tempfile

                self._spool = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
                self._spooled = positional_reader(self._spool)
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
            raise io_error(
                "spool the input to a temporary file",
                error,
                hint="set TMPDIR to a directory with enough space",
            ) from error
        return Extent(self._spooled, start, done)
