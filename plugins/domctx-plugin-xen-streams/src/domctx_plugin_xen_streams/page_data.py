"""PAGE_DATA of the libxc stream: guest memory, by far the largest part of it.

The record type is `bulk`: its head, the list of PFNs, is decoded and judged, and the pages after it
are skipped. Nobody reads them who does not ask for them.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from domctx_core import (
    Amount,
    Body,
    ByteOrder,
    Part,
    RecordType,
    Tally,
    count_of,
    reserved,
)
from domctx_plugin_xen_streams.pfns import (
    PFN_MASK,
    PageType,
    count_pages,
    count_types,
    entry,
    faultless_pages,
    has_page,
    label,
    page_type,
    pfn_list,
    span,
)

__all__ = [
    "PAGE_SIZE",
    "PageData",
    "PageDataRecord",
    "PageTally",
    "PageType",
    "entry",
    "has_page",
    "page_type",
]

PAGE_SIZE = 4096

_HEAD = 8
_KINDS = [(label(kind), PAGE_SIZE if has_page(entry(0, kind)) else 0) for kind in range(16)]


class PageData(Body):
    """The head of a record of guest memory: PFNs with their types.

    The pages follow it in the record, 4096 bytes for each PFN whose type has one, in the order of
    the PFNs, and are no part of this body.
    """

    count: int = count_of("pfns", doc="number of PFNs", init=False)
    pad = reserved(4)
    pfns: array[int] = pfn_list(
        "count", ahead=_HEAD, doc="PFN in bits 51 to 0, page type in bits 63 to 60"
    )

    def __init__(self, *, pfns: Iterable[int]) -> None:
        super().__init__(pfns=array("Q", pfns))

    def types(self) -> dict[int, int]:
        """Return how many PFNs there are of each page type (see `PageType`)."""
        return count_types(self.pfns)

    def pages(self) -> int:
        """Return how many of the PFNs have a page of data after the head."""
        return count_pages(self.pfns)

    def summary(self) -> Mapping[str, str]:
        """Return how many there are of each type."""
        return {"types": _types_text(self.types())}

    @classmethod
    def example(cls, rng: random.Random) -> PageData:
        """Return one to four PFNs without a page, so that the head is the whole record."""
        types = [PageType.BROKEN, PageType.ALLOCATE_ONLY, PageType.INVALID]
        return cls(
            pfns=[
                entry(rng.randrange(1 << 20), rng.choice(types)) for _ in range(rng.randint(1, 4))
            ]
        )


def _types_text(types: Mapping[int, int]) -> str:
    return ", ".join(f"{count} {label(kind)}" for kind, count in types.items()) or "none"


class PageTally(Tally[PageData]):
    """Counts PFNs by type and keeps the lowest and the highest."""

    def __init__(self) -> None:
        self.types: dict[int, int] = {}
        self.low: int | None = None
        self.high = 0

    def add(self, head: PageData) -> None:
        """Count the PFNs of one record."""
        for kind, count in head.types().items():
            self.types[kind] = self.types.get(kind, 0) + count
        ends = span(head.pfns)
        if ends is not None:
            self.low = ends[0] if self.low is None else min(self.low, ends[0])
            self.high = max(self.high, ends[1])

    def text(self) -> str:
        """Return the number of PFNs, where they lie, and how many there are of each type."""
        if self.low is None:
            return "no PFNs"
        total = sum(self.types.values())
        types = _types_text(dict(sorted(self.types.items())))
        return f"{total} PFNs in {self.low:#x}-{self.high:#x}: {types}"

    def amounts(self) -> Iterable[Amount]:
        """Yield PFNs by page type, with the bytes of those that come with a page."""
        for kind, count in sorted(self.types.items()):
            size = PAGE_SIZE * count if has_page(entry(0, kind)) else 0
            yield Amount(label(kind), count, "PFNs", size)


class PageDataRecord(RecordType[PageData]):
    """Some of the guest's memory."""

    code, name, body = 1, "PAGE_DATA", PageData
    bulk: ClassVar[bool | str] = "page"

    def prefix(self, first: bytes, byteorder: ByteOrder) -> int:
        """Return the size of the count, and of 8 bytes for each PFN that it announces."""
        return _HEAD + 8 * int.from_bytes(first[:4], byteorder)

    def extent(self, head: PageData) -> int:
        """Return the size of the head, and of a page for each PFN that has one."""
        return _HEAD + 8 * len(head.pfns) + PAGE_SIZE * count_pages(head.pfns)

    def measure(self, head: bytearray, byteorder: ByteOrder) -> int | None:
        """Return the same for the bytes of a valid head; None for any other."""
        pages = faultless_pages(head, byteorder, _HEAD)
        if pages is None or len(head) == _HEAD or any(head[4:_HEAD]):
            return None
        return len(head) + PAGE_SIZE * pages

    def parts(self, head: PageData) -> Iterable[Part]:
        """Yield a page for each PFN, of the kind that its page type says; some have no content."""
        at = _HEAD + 8 * head.count
        for each in head.pfns:
            kind, size = _KINDS[page_type(each)]
            yield Part(each & PFN_MASK, kind, at, size)
            at += size

    def tally(self) -> Tally[Any]:
        """Return a tally of PFNs by type, and of their range."""
        return PageTally()
