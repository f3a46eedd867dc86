"""`Bits`: an immutable set of small numbers kept as a bitmap, such as event-channel ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domctx_core.base.errors import BodyError
from domctx_core.base.text import ranges_text

__all__ = ["Bits"]


class Bits:
    """A bitmap of `size` bits, read as the set of the positions that are one.

    It tests, iterates (ascending) and counts like a set, and makes changed copies with `set` and
    `clear`. It costs one bit a position, whatever is in it.
    """

    __slots__ = ("_value", "size")

    def __init__(self, size: int, ones: Iterable[int] = ()) -> None:
        """Make a bitmap of `size` bits with the positions `ones` set.

        Raises `BodyError` for a position outside the bitmap.
        """
        self.size = size
        self._value = 0
        for position in ones:
            self._value |= self._bit(position)

    @classmethod
    def from_int(cls, size: int, value: int) -> Bits:
        """Return the bitmap whose position p is bit p of `value`."""
        bits = cls(size)
        bits._value = value & ((1 << size) - 1)
        return bits

    @classmethod
    def full(cls, size: int) -> Bits:
        """Return the bitmap with every one of `size` positions set."""
        return cls.from_int(size, -1)

    def to_int(self) -> int:
        """Return the integer whose bit p is position p."""
        return self._value

    def _bit(self, position: int) -> int:
        if not 0 <= position < self.size:
            raise BodyError(
                f"position {position} is outside a bitmap of {self.size} bits",
                expected=f"0 to {self.size - 1}",
                actual=position,
            )
        return 1 << position

    def set(self, position: int, on: bool = True) -> Bits:
        """Return a copy with `position` set, or cleared where `on` is false."""
        bit = self._bit(position)
        return Bits.from_int(self.size, self._value | bit if on else self._value & ~bit)

    def clear(self, position: int) -> Bits:
        """Return a copy with `position` cleared."""
        return self.set(position, False)

    def __contains__(self, position: object) -> bool:
        return isinstance(position, int) and position >= 0 and bool(self._value >> position & 1)

    def __iter__(self) -> Iterator[int]:
        for first, last in self.ranges():
            yield from range(first, last + 1)

    def __len__(self) -> int:
        return self._value.bit_count()

    def __bool__(self) -> bool:
        return self._value != 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Bits):
            return NotImplemented
        return (self.size, self._value) == (other.size, other._value)

    def __hash__(self) -> int:
        return hash((self.size, self._value))

    def __repr__(self) -> str:
        return f"Bits({self.size}, [{self.text()}])"

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Yield the stretches of ones as (first, last), ascending."""
        value, base = self._value, 0
        while value:
            zeros = (value & -value).bit_length() - 1
            value >>= zeros
            ones = (~value & (value + 1)).bit_length() - 1
            yield base + zeros, base + zeros + ones - 1
            value >>= ones
            base += zeros + ones

    def text(self) -> str:
        """Return the positions as people write them: `0, 7, 14-4095`; `none` if there are none."""
        return ranges_text(self.ranges()) or "none"
