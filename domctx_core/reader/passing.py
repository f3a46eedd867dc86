"""A source over a pipe that can give its latest bytes again."""

from __future__ import annotations

from typing import Any

from domctx_core.base.io import CHUNK, DEFAULT_CAP
from domctx_core.reader.sources import FileSource

__all__ = ["PassingSource"]


class PassingSource(FileSource):
    """Read a pipe, and keep its latest bytes so that they can be read again.

    Bytes before the offset last given to `forget` are dropped, and so are more than `cap` of them;
    reading what was dropped raises `InputOutputError`.
    """

    def __init__(self, file: Any, *, cap: int = DEFAULT_CAP) -> None:
        super().__init__(file, stream=True)
        self._cap = cap
        self._passed_by = bytearray()
        self._floor = 0

    def at(self, offset: int, size: int) -> memoryview:
        if not self._floor <= offset < self._base:
            return super().at(offset, size)
        start = offset - self._floor
        data = bytes(self._passed_by[start : start + size])
        if len(data) < size:
            data += super().at(self._base, size - len(data))
        return memoryview(data)

    def forget(self, offset: int) -> None:
        """Drop the bytes before `offset`."""
        size = min(offset - self._floor, len(self._passed_by))
        if size > 0:
            del self._passed_by[:size]
            self._floor += size

    def _passed(self, data: memoryview) -> None:
        self._keep(data)

    def _skipped(self, data: memoryview) -> None:
        self._keep(data)

    def _keep(self, data: memoryview) -> None:
        if len(self._passed_by) + len(data) > self._cap + CHUNK:
            self._floor += len(self._passed_by) + len(data)
            self._passed_by.clear()
        else:
            self._passed_by += data
