"""Streams that write what they read to a target.

`TeeSource` does so at once and without changes, `CopySource` when the bytes have passed by, and with
replacements.
"""

from __future__ import annotations

from typing import Any

from domctx_core.base.errors import (
    Errno,
    ImageError,
    InputOutputError,
    MisuseError,
    as_errno,
    io_error,
)
from domctx_core.base.io import DEFAULT_CAP, write_all
from domctx_core.reader.sources import FileSource

__all__ = ["CopySource", "TeeSource"]


class TeeSource(FileSource):
    """A stream whose bytes are all written to `target`, unchanged.

    The bytes of each read are written before the next one; `passed` counts them. `end` reads and
    writes the rest. Reading raises `InputOutputError` where the target cannot be written.
    """

    _greedy = True

    def __init__(self, file: Any, target: Any) -> None:
        super().__init__(file, stream=True)
        self._target = target
        self.passed = 0

    def _fill(self, view: memoryview) -> int:
        count = super()._fill(view)
        _write(self._target, view[:count], self.passed)
        self.passed += count
        return count


class CopySource(FileSource):
    """A stream whose bytes are written to `target` after they were read, with replacements.

    Bytes that were read are written by `release` and `finish`, or when bytes after them are skipped;
    until then they can be replaced. `hold` keeps everything from an offset on.
    """

    def __init__(self, file: Any, target: Any) -> None:
        super().__init__(file, stream=True)
        self._target = target
        self._kept = bytearray()
        self._offset = 0
        self._hold: int | None = None
        self._edits: list[tuple[int, int, bytes]] = []
        self.written = 0

    def replace(self, start: int, end: int, data: bytes = b"") -> None:
        """Write `data` in place of the bytes from `start` up to `end` of the input.

        Where both are the same offset, `data` is inserted. Raises `MisuseError` where that offset
        has been written.
        """
        if start < self._offset:
            raise MisuseError(f"offset {start} is to be replaced and has been written")
        self._edits.append((start, end, data))
        self._edits.sort(key=lambda edit: edit[0])

    def hold(self, offset: int | None) -> None:
        """Write nothing from `offset` on, until another offset or None is given.

        Bytes that are held are in memory: reading raises `ImageError` for more than 128 MiB, and
        where bytes would be skipped meanwhile.
        """
        self._hold = offset

    def release(self, offset: int) -> None:
        """Write the bytes before `offset` that were read and are not held."""
        if self._hold is not None:
            offset = min(offset, self._hold)
        size = min(offset - self._offset, len(self._kept))
        if size > 0:
            with memoryview(self._kept) as kept, kept[:size] as ready:
                self._emit(ready)
            del self._kept[:size]

    def finish(self) -> int:
        """Copy the rest of the input; return the number of bytes written in all."""
        self.hold(None)
        self.release(self.end())
        for _, _, data in self._edits:
            self._write(data)
        self._edits.clear()
        return self.written

    def _passed(self, data: memoryview) -> None:
        if self._hold is not None and len(self._kept) + len(data) > DEFAULT_CAP:
            raise self._too_much()
        self._kept += data

    def _skipped(self, data: memoryview) -> None:
        if self._hold is not None:
            raise self._too_much()
        self.release(self._base)
        self._emit(data)

    def _too_much(self) -> ImageError:
        return ImageError(
            "more would have to be held back, until its place is known, than is held in memory",
            errno=Errno.EOPNOTSUPP,
            offset=self._base,
            expected=f"at most {DEFAULT_CAP} bytes, and no guest memory",
            hint="the records are in an order that cannot be rewritten in one pass",
        )

    def _emit(self, data: memoryview) -> None:
        """Write the next bytes of the input, with replacements."""
        while data:
            start, end, new = self._edits[0] if self._edits else (self._offset + len(data), 0, b"")
            if start >= self._offset + len(data):
                self._write(data)
                self._offset += len(data)
                return
            if start > self._offset:
                before = start - self._offset
                self._write(data[:before])
                data = data[before:]
                self._offset = start
            self._write(new)
            gone = min(end - self._offset, len(data))
            data = data[gone:]
            self._offset += gone
            if self._offset < end:
                self._edits[0] = (self._offset, end, b"")
            else:
                del self._edits[0]

    def _write(self, data: bytes | memoryview) -> None:
        _write(self._target, data, self.written)
        self.written += len(data)


def _write(target: Any, data: bytes | memoryview, passed: int) -> None:
    try:
        write_all(target, data)
    except BrokenPipeError as error:
        raise InputOutputError(
            f"whoever read the output has gone, after {passed} bytes or a little more",
            errno=as_errno(error),
            hint="what reads it says why",
        ) from error
    except OSError as error:
        raise io_error("write the output", error) from error
