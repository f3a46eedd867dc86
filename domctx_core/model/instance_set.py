"""The set of (type, instance) pairs met so far, in little memory.

Instances mostly ascend, one by one or with gaps. Consecutive ones are kept as a range, whatever its
length; others that ascend as sorted arrays of 4 bytes a number; late ones, below numbers met before,
in a table of short sorted arrays. So memory is constant where instances are consecutive, and at most
8 bytes a record in any order, of up to 4,096 type codes; a look-up takes as long among ten million
as among a thousand.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import takewhile

__all__ = ["InstanceSet", "OrderState"]

_CODES = 4096
"""Type codes with a set of their own; no format has more, and all codes beyond share one."""

_PART = 512
"""Numbers in one sorted array, where numbers ascend with gaps."""

_BUCKET = 300
"""Numbers in a bucket of the table, about: then the table gets twice as many buckets. Buckets of half
that size would come from Python's allocator of small blocks, which does not give memory back."""

_SHORT = 64
"""Consecutive numbers from which on a range is smaller than an array."""


class InstanceSet:
    """The (type, instance) pairs met in a container; both are unsigned 32-bit numbers."""

    def __init__(self) -> None:
        self._numbers: dict[int, _NumberSet] = {}
        self._others: _NumberSet | None = None

    def add(self, code: int, instance: int) -> bool:
        """Add a pair; return False if it was in the set before."""
        numbers = self._numbers.get(code)
        if numbers is not None:
            if instance == numbers.last + 1:  # by far the most frequent
                numbers.last = instance
                return True
            return numbers.add(instance)
        if len(self._numbers) < _CODES:
            self._numbers[code] = _NumberSet(instance, "I")
            return True
        key = code << 32 | instance
        if self._others is None:
            self._others = _NumberSet(key, "Q")
            return True
        return self._others.add(key)

    def add_until_duplicate(self, code: int, instances: array[int]) -> int:
        """Add instances up to the first that was in the set before; return how many were added."""
        if not instances or not self.add(code, instances[0]):
            return 0
        known = self._numbers.get(code)
        if known is not None:
            return 1 + known.add_until_duplicate(instances[1:])
        return 1 + sum(1 for _ in takewhile(lambda number: self.add(code, number), instances[1:]))

    def add_ascending(self, columns: Iterable[tuple[int, range | array[int] | None]]) -> bool:
        """Add ascending instances of some type codes if each is above all of its code before.

        Return False, and add none, where that does not hold (None: they do not ascend): then each
        instance has to be added by itself.
        """
        known = []
        for code, numbers in columns:
            row = self._numbers.get(code)
            if numbers is None or (row is not None and numbers[0] <= row.last):
                return False
            known.append((code, row, numbers))
        if len(self._numbers) + len(known) > _CODES:
            return False
        for code, row, numbers in known:
            if row is None:
                row = self._numbers[code] = _NumberSet(numbers[0], "I")
            row.add_ascending(numbers)
        return True


class OrderState:
    """What the rules between records of one container depend on.

    `instances` are the pairs met, `previous` is the last type code, `descended` is true once a code
    was lower than the one before it.
    """

    __slots__ = ("descended", "instances", "previous")

    def __init__(self) -> None:
        self.instances = InstanceSet()
        self.previous = -1
        self.descended = False


class _NumberSet:
    """A set of numbers: the range that still grows, what ascended before it, and what came late.

    The range is `start` to `last`, above all others. `parts` are sorted and each above the one
    before; `firsts` are their first numbers.
    """

    __slots__ = ("firsts", "last", "late", "parts", "start", "typecode")

    def __init__(self, number: int, typecode: str) -> None:
        self.start = self.last = number
        self.typecode = typecode
        self.firsts: list[int] = []
        self.parts: list[range | array[int]] = []
        self.late: _Table | None = None

    def add(self, number: int) -> bool:
        """Add a number; return False if it was in the set before."""
        if number >= self.start:
            if number <= self.last:
                return False
            if number > self.last + 1:
                self._close()
                self.start = number
            self.last = number
            return True
        if self.parts and self._in_parts(number):
            return False
        return self._table().add((number,)) == 1

    def add_until_duplicate(self, numbers: array[int]) -> int:
        """Add numbers up to the first that was in the set before; return how many were added."""
        done, highest = 0, max(numbers, default=0)
        while done < len(numbers):
            late = numbers[done:]
            if highest >= self.start:  # mostly it is not, where numbers are in no order
                late = array(self.typecode, takewhile(self.start.__gt__, late))
            if not late:
                if not self.add(numbers[done]):
                    return done
                done += 1
                continue
            new = len(late)
            if self.parts:
                new = next((n for n, number in enumerate(late) if self._in_parts(number)), new)
            added = self._table().add(late[:new])
            done += added
            if added < len(late):
                break
        return done

    def add_ascending(self, numbers: range | array[int]) -> None:
        """Add ascending numbers of which the first is at least as high as all that were added."""
        first, last = numbers[0], numbers[-1]
        if isinstance(numbers, range) and numbers.step == 1 and first <= self.last + 1:
            self.last = last
            return
        self._close()
        if first == self.last:
            numbers = numbers[1:]
        if isinstance(numbers, range) and numbers.step == 1:
            self.start, self.last = first, last
            return
        for start in range(0, len(numbers) - 1, _PART):
            self._add(numbers[start : min(start + _PART, len(numbers) - 1)])
        self.start = self.last = last

    def _close(self) -> None:
        self._add(range(self.start, self.last + 1))

    def _add(self, part: range | array[int]) -> None:
        """Add a part above all others, joined with the last one where that can be."""
        tail = self.parts[-1] if self.parts else None
        if isinstance(tail, range) and isinstance(part, range):
            joined = range(tail[0], part[-1] + 1, tail.step)
            if tail.step == part.step and len(joined) == len(tail) + len(part):
                self.parts[-1] = joined
                return
        if isinstance(part, range) and len(part) >= _SHORT:
            self.firsts.append(part[0])
            self.parts.append(part)
        elif self.late is not None and len(part) < _SHORT:  # cheaper than one more part to look in
            self.late.add(part)
        elif isinstance(tail, array) and len(tail) + len(part) <= _PART:
            tail.extend(part)
        elif part:
            self.firsts.append(part[0])
            self.parts.append(part if isinstance(part, array) else array(self.typecode, part))

    def _in_parts(self, number: int) -> bool:
        """Return True if a number is in one of the parts."""
        index = bisect_right(self.firsts, number) - 1
        if index < 0:
            return False
        part = self.parts[index]
        if isinstance(part, range):
            return number in part
        place = bisect_left(part, number)
        return place < len(part) and part[place] == number

    def _table(self) -> _Table:
        """Return the table of late numbers; a short part before the first of them moves into it."""
        if self.late is None:
            self.late = _Table(self.typecode)
            if len(self.parts) == 1 and isinstance(self.parts[0], array):
                self.late.add(self.parts.pop())
                self.firsts.clear()
        return self.late


class _Table:
    """A set of numbers in no order, in buckets that are short sorted arrays.

    Each number is kept as its product with a random odd one, whose highest bits choose the bucket:
    so an image cannot choose numbers that all fall into one.
    """

    __slots__ = ("_buckets", "_count", "_factor", "_mask", "_shift")

    def __init__(self, typecode: str) -> None:
        bits = 8 * array(typecode).itemsize
        self._mask = (1 << bits) - 1
        self._factor = int.from_bytes(os.urandom(8), "little") & self._mask | 1
        self._shift = bits
        self._buckets = [array(typecode)]
        self._count = 0

    def add(self, numbers: Iterable[int]) -> int:
        """Add numbers up to the first that was in the table before; return how many were added."""
        buckets, shift, factor, mask = self._buckets, self._shift, self._factor, self._mask
        count = -1
        for count, number in enumerate(numbers):
            key = number * factor & mask
            bucket = buckets[key >> shift]
            place, size = bisect_left(bucket, key), len(bucket)
            if place < size and bucket[place] == key:
                break
            bucket.insert(place, key)
            if size >= _BUCKET and self._grow(self._count + count):
                buckets, shift = self._buckets, self._shift
        else:
            count += 1
        self._count += count
        return count

    def _grow(self, count: int) -> bool:
        """Split all buckets if they are full on average; return whether they were."""
        old = self._buckets
        if 2 * count < _BUCKET * len(old):  # a bucket may be long by chance
            return False
        self._shift -= 1
        self._buckets = []
        for index, bucket in enumerate(old):
            middle = bisect_left(bucket, 2 * index + 1 << self._shift)
            self._buckets += bucket[:middle], bucket[middle:]
            old[index] = bucket[:0]  # freed one by one, so that the table is never there twice
        return True
