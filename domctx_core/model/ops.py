"""Ops: where the engine's bytes go to and come from.

`SaveOps` and `LoadOps` are the seed's two tables of callbacks as classes; a caller may bring its
own. Ready here: memory, anything with `write` or `read` (files, pipes, sockets), and sizing.
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
                hint="TMPDIR says where temporary files go",
            ) from error
        return Extent(self._spooled, start, done)
