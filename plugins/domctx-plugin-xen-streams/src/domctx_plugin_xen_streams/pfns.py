"""Rows of PFNs with their page types, kept packed: a guest has a million of them in each 4 GiB.

An entry is 64 bits: the PFN in bits 51 to 0, the page type in bits 63 to 60, and zeros between. What
is asked of all entries at once is asked of columns of their bytes, which costs a few nanoseconds an
entry, and less where all are the pages of an HVM guest: those columns are zeros.
"""

from __future__ import annotations

import random
import sys
from array import array
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any

from domctx_core import (
    ByteOrder,
    Checker,
    Field,
    JsonError,
    Kind,
    Problem,
    Reader,
    parse_integer,
    suggestion,
)

__all__ = [
    "PFN_MASK",
    "TYPE_SHIFT",
    "PageType",
    "Pfns",
    "count_pages",
    "count_types",
    "entry",
    "faultless",
    "faultless_pages",
    "first_reserved",
    "first_unknown",
    "has_page",
    "label",
    "page_type",
    "pfn_list",
    "runs",
    "span",
]

PFN_MASK = (1 << 52) - 1
TYPE_SHIFT = 60
_MIDDLE = ((1 << TYPE_SHIFT) - 1) & ~PFN_MASK
_HIGHEST_BYTE = slice(7 if sys.byteorder == "little" else 0, None, 8)
_OF_TYPE = [bytes(range(16 * kind, 16 * kind + 16)) for kind in range(16)]


class PageType(IntEnum):
    """What a page is; 5 to 8 mean nothing. Those from `BROKEN` on come without a page of data."""

    NORMAL = 0
    L1 = 1
    L2 = 2
    L3 = 3
    L4 = 4
    L1_PINNED = 9
    L2_PINNED = 10
    L3_PINNED = 11
    L4_PINNED = 12
    BROKEN = 13
    ALLOCATE_ONLY = 14
    INVALID = 15


_WITH_PAGE = frozenset(PageType) - {PageType.BROKEN, PageType.ALLOCATE_ONLY, PageType.INVALID}
_PAGE_BYTES = b"".join(_OF_TYPE[kind] for kind in _WITH_PAGE)
_GOOD_BYTES = bytes(16 * kind for kind in PageType)
_GOOD_SECOND_BYTES = bytes(range(16))


def page_type(entry: int) -> int:
    """Return the type of an entry: bits 63 to 60; see `PageType`."""
    return entry >> TYPE_SHIFT


def has_page(entry: int) -> bool:
    """Return True if a page of data stands in the record for this entry."""
    return page_type(entry) in _WITH_PAGE


def label(number: int) -> str:
    """Return a page type in words, such as `L1 pinned`; `type N` for a number that means nothing."""
    try:
        name = PageType(number).name
    except ValueError:
        return f"type {number}"
    if name[0] == "L" and name[1:2].isdigit():
        return name.replace("_PINNED", " pinned")
    return name.lower().replace("_", "-")


def entry(pfn: int, type: int = PageType.NORMAL) -> int:
    """Return the entry of a PFN of this page type."""
    return type << TYPE_SHIFT | pfn


def count_types(entries: array[int]) -> dict[int, int]:
    """Return how many entries there are of each page type, ascending; types without any are left out."""
    left = bytearray(entries)[_HIGHEST_BYTE]  # of `bytes`, a slice with steps costs more
    counts: dict[int, int] = {}
    while left:
        kind = left[0] >> 4
        others = left.translate(None, _OF_TYPE[kind])
        counts[kind] = len(left) - len(others)
        left = others
    return dict(sorted(counts.items()))


def count_pages(entries: array[int]) -> int:
    """Return how many of the entries have a page of data."""
    return len(entries) - _others(bytearray(entries)[_HIGHEST_BYTE], _PAGE_BYTES)


def faultless(entries: array[int]) -> bool:
    """Return True if no entry has a reserved bit or a type that means nothing."""
    return faultless_pages(bytearray(entries), sys.byteorder) is not None


def faultless_pages(raw: bytearray, byteorder: ByteOrder, start: int = 0) -> int | None:
    """Return how many of the entries in `raw`, from the byte `start` on, have a page of data.

    None where one has a reserved bit or a type that means nothing.
    """
    high, low = (7, 6) if byteorder == "little" else (0, 1)
    highest, second = raw[start + high :: 8], raw[start + low :: 8]
    zeros = bytes(len(second))
    if highest == zeros:  # as in all of an HVM guest
        pages = len(highest)
    elif _others(highest, _GOOD_BYTES):
        return None
    else:
        pages = len(highest) - _others(highest, _PAGE_BYTES)
    return None if second != zeros and _others(second, _GOOD_SECOND_BYTES) else pages


def _others(column: bytearray, known: bytes) -> int:
    """Return how many bytes of a column are not among those `known`."""
    return len(column.translate(None, known))


def first_reserved(entries: array[int]) -> int | None:
    """Return the index of the first entry with a bit of 59 to 52 set; None where there is none."""
    return next((number for number, each in enumerate(entries) if each & _MIDDLE), None)


def first_unknown(entries: array[int]) -> int | None:
    """Return the index of the first entry whose page type means nothing; None where there is none."""
    known = frozenset(PageType)
    return next((n for n, each in enumerate(entries) if each >> TYPE_SHIFT not in known), None)


def span(entries: array[int]) -> tuple[int, int] | None:
    """Return the lowest and the highest PFN; None where there are no entries."""
    if not entries:
        return None
    if len(count_types(entries)) == 1:
        return min(entries) & PFN_MASK, max(entries) & PFN_MASK
    numbers = [each & PFN_MASK for each in entries]
    return min(numbers), max(numbers)


def runs(entries: array[int]) -> Iterator[tuple[int, int]]:
    """Yield stretches of entries that count up by one, as (first entry, how many), in their order."""
    first = 0
    while first < len(entries):
        count = _stretch(entries, first)
        yield entries[first], count
        first += count


def _stretch(entries: array[int], first: int) -> int:
    start = entries[first]
    if start + len(entries) - first <= 1 << 64:
        ahead = range(start, start + len(entries) - first)
        if entries[-1] == ahead[-1] and entries[first:] == array("Q", ahead):
            return len(ahead)
    count = 1
    while first + count < len(entries) and entries[first + count] == start + count:
        count += 1
    return count


class Pfns(Kind):
    """A row of entries of 8 bytes, counted by another field; the value is an `array` of type Q.

    JSON holds stretches of consecutive PFNs of one type, in order, which is all that there is to
    say: `{"first": "0x100", "count": 512, "type": "NORMAL"}`. Bits of `first` from 52 on are those
    of the entries.
    """

    label = "u64[count] packed"
    checked = True
    judges = True

    def __init__(self, count: str, ahead: int) -> None:
        self.count = count
        self.ahead = ahead

    def decode(self, reader: Reader, values: Mapping[str, Any]) -> array[int]:
        at = reader.advance(8 * int(values[self.count]), "")
        raw = bytearray(reader.data[at : reader.pos])
        if not raw or faultless_pages(raw, _byteorder(reader.order)) is None:
            reader.suspect = True
        return _swapped(array("Q", raw), reader.order)

    def encode(self, value: Any, out: bytearray, order: str) -> None:
        out += _swapped(array("Q", value), order).tobytes()

    def size_of(self, value: Any) -> int:
        return 8 * len(value)

    def check(self, value: Any, checker: Checker, values: Mapping[str, Any]) -> None:
        """Check that there are entries, without reserved bits and unknown types; report the first of each."""
        try:
            entries = array("Q", value)
        except (TypeError, OverflowError, ValueError):
            checker.report(
                "field-out-of-range",
                "not a row of 64-bit entries",
                expected="an array of unsigned 64-bit numbers",
                actual=type(value).__name__,
            )
            return
        if not entries:
            at, path = checker.pos - self.ahead, [*checker.path[:-1], self.count]
            problem = Problem(
                "field-out-of-range", "no PFN is listed", at, ".".join(path), expected="at least 1"
            )
            checker.problems.append(problem)
        elif not faultless(entries):
            self._explain(entries, checker)

    def _explain(self, entries: array[int], checker: Checker) -> None:
        start, name = checker.pos, checker.path[-1]
        reserved, unknown = first_reserved(entries), first_unknown(entries)
        if reserved is not None:
            checker.pos, checker.path[-1] = start + 8 * reserved, f"{name}[{reserved}]"
            checker.report(
                "reserved-not-zero",
                f"`{name}[{reserved}]` has unknown bits",
                expected="bits 59 to 52 zero",
                actual=f"{entries[reserved]:#x}",
            )
        if unknown is not None:
            checker.pos, checker.path[-1] = start + 8 * unknown, f"{name}[{unknown}]"
            checker.report(
                "field-out-of-range",
                f"`{name}[{unknown}]` is of no known page type",
                expected="0 to 4 or 9 to 15",
                actual=page_type(entries[unknown]),
            )
        checker.pos, checker.path[-1] = start, name

    def to_json(self, value: Any) -> Any:
        return [
            {
                "first": hex(start & ~(15 << TYPE_SHIFT)),
                "count": count,
                "type": _type_name(page_type(start)),
            }
            for start, count in runs(array("Q", value))
        ]

    def from_json(self, value: Any, values: Mapping[str, Any]) -> array[int]:
        if not isinstance(value, list):
            raise JsonError(f"expected a list of stretches of PFNs, found {value!r:.60}")
        entries = array("Q")
        for number, item in enumerate(value):
            try:
                entries.extend(_stretch_of(item))
                if len(entries) > _MOST:
                    raise JsonError(f"more PFNs than a record can hold: at most {_MOST}")
            except JsonError as fault:
                raise fault.at(f"[{number}]") from None
        return entries

    def schema(self) -> dict[str, Any]:
        number = {"type": "integer", "minimum": 0, "maximum": 15}
        stretch = {
            "first": {"anyOf": [{"type": "integer", "minimum": 0}, {"$ref": "#/$defs/integer"}]},
            "count": {"type": "integer", "minimum": 1},
            "type": {"anyOf": [{"enum": [each.name for each in PageType]}, number]},
        }
        item = {
            "type": "object",
            "properties": stretch,
            "required": list(stretch),
            "additionalProperties": False,
        }
        return {"type": "array", "items": item}

    def example(self, rng: random.Random, values: Mapping[str, Any]) -> array[int]:
        types = [PageType.BROKEN, PageType.ALLOCATE_ONLY, PageType.INVALID]
        first = rng.randrange(1 << 20)
        return array("Q", (entry(first + n, rng.choice(types)) for n in range(rng.randint(1, 6))))

    def text(self, value: Any) -> str:
        shown: list[str] = []
        for start, count in runs(array("Q", value)):
            if len(shown) == _SHOWN:
                return f"{', '.join(shown)}, ... ({len(value)} in all)"
            low = start & PFN_MASK
            shown.append(hex(low) if count == 1 else f"{low:#x}-{low + count - 1:#x}")
        return ", ".join(shown) or "none"


_SHOWN = 8
"""Stretches that are shown before the rest is only counted."""

_MOST = 1 << 24
"""Entries that a record of 128 MiB, the longest that libxc has, can hold; a few words of JSON can
ask for any number of them."""


def _byteorder(prefix: str) -> ByteOrder:
    """Return the byte order that a struct prefix names."""
    return "little" if prefix == "<" else "big"


def _swapped(entries: array[int], order: str) -> array[int]:
    if _byteorder(order) != sys.byteorder:
        entries.byteswap()
    return entries


def _type_name(number: int) -> str | int:
    return PageType(number).name if number in PageType._value2member_map_ else number


def _stretch_of(item: Any) -> range:
    if not isinstance(item, dict) or set(item) != {"first", "count", "type"}:
        raise JsonError(f"expected an object with first, count and type, found {item!r:.60}")
    first, count, kind = item["first"], item["count"], item["type"]
    try:
        first = parse_integer(first) if isinstance(first, str) else first
    except ValueError:
        raise JsonError(f"expected a number, found {first!r:.60}").at("first") from None
    if isinstance(kind, str) and kind not in PageType.__members__:
        near = suggestion(kind, PageType.__members__)
        raise JsonError(f"expected a page type, found {kind!r:.60}{near}").at("type")
    number = PageType[kind].value if isinstance(kind, str) else kind
    for name, value, low, high in (
        ("first", first, 0, (1 << TYPE_SHIFT) - 1),
        ("count", count, 1, _MOST),
        ("type", number, 0, 15),
    ):
        if type(value) is not int or not low <= value <= high:
            message = f"expected a number from {low} to {high}, found {item[name]!r:.60}"
            raise JsonError(message).at(name)
    start = number << TYPE_SHIFT | first
    if start + count > 1 << 64:
        raise JsonError(f"a stretch that goes beyond 64 bits: {item!r:.80}")
    return range(start, start + count)


def pfn_list(count: str, *, ahead: int, doc: str = "") -> Any:
    """Return a field for PFN entries, as many as the field named `count` says; see `Pfns`.

    The count stands `ahead` bytes before the row.
    """
    return Field(Pfns(count, ahead), "", doc)
