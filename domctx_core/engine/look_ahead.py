"""Take the bytes of an image in order, and look at those that come next."""

from __future__ import annotations

from domctx_core.model.ops import Extent, LoadOps
from domctx_core.model.overrides import prefers_batch

__all__ = ["FARTHEST", "LookAhead"]

_FIRST = 4096
"""Bytes of the first window; each further one is twice as long."""

FARTHEST = 512 * 1024
"""Bytes of the longest window."""


class LookAhead:
    """The bytes that ops return, with a window of those that come next.

    `window` has the bytes of the image from offset `base` on; the first `at` of them are taken.
    `final` is True if the image ends with it. Ops without `peek` are read only as far as the image
    is known to go, so that nothing after it is lost.
    """

    def __init__(self, ops: LoadOps) -> None:
        self.can_peek = prefers_batch(type(ops), "peek", "read", "skip")
        self.window = b""
        self.base = self.at = 0
        self.final = False
        self._ops = ops
        self._size = _FIRST
        #: Whether the window was read, so that the ops are at its end, and not at its start.
        self._read = False

    @property
    def position(self) -> int:
        """How many bytes of the image are taken."""
        return self.base + self.at

    def take(self, size: int, more: int = 0) -> bytes:
        """Return the next `size` bytes; if there are fewer, return those and take none.

        `more` bytes are known to follow, and may be read with them.
        """
        if self.at + size > len(self.window):
            self.sync()
            if self.can_peek and size <= FARTHEST:
                self.refill(max(size, self._size))
                self._size = min(2 * self._size, FARTHEST)
            if size > len(self.window):
                held = self.window if self._read else b""
                raw = held + self._ops.read(size + more - len(held))
                self.window, self._read = raw, True
                if len(raw) < size:
                    return raw
        at = self.at
        self.at = at + size
        return self.window[at : at + size]

    def skip(self, size: int) -> int:
        """Skip `size` bytes and return how many there were; if there were fewer, take none."""
        if self.at + size <= len(self.window):
            self.at += size
            return size
        self.sync()
        held = len(self.window)
        done = held + self._ops.skip(size - held)
        if done == size:
            self.window = b""
            self.base += size
        return done

    def extent(self, size: int) -> Extent:
        """Skip `size` bytes that can be read later; if there are fewer, take none."""
        self.sync()
        extent = self._ops.extent(size)
        if len(extent) == size:
            self.base += size
        return extent

    def missing(self, size: int) -> int | None:
        """Return how many bytes are left if these are known to be fewer than `size`, else None."""
        if self.at + size <= len(self.window):
            return None
        left = self._ops.remaining()
        if left is None:
            return None
        left += len(self.window) - self.at if self._read else -self.at
        return left if left < size else None

    def refill(self, size: int) -> None:
        """Look at the next `size` bytes, from the first that is not taken."""
        self.sync()
        if self.window:
            return
        self.window, self._read = self._ops.peek(size), False
        self.can_peek = bool(self.window)
        self.final = len(self.window) < size

    def sync(self) -> None:
        """Advance the ops to the first byte that is not taken, and drop what was looked at."""
        self.base += self.at
        if self._read:
            self.window = self.window[self.at :]
        else:
            if self.at:
                self._ops.skip(self.at)
            self.window = b""
        self.at = 0
