"""PAGE_DATA of the libxc stream: guest memory, by far the largest part of it.

The record type is `bulk`: tools pass over such a record without reading it, and it is decoded only
where somebody asks for it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import ClassVar

from domctx_core import Body, Problem, RecordType, array, blob, count_of, reserved, u64

__all__ = ["PAGE_SIZE", "PageData", "PageDataRecord", "has_page", "page_type"]

PAGE_SIZE = 4096

_TYPE_SHIFT = 60
_PFN_MASK = (1 << 52) - 1
_RESERVED_TYPES = range(5, 9)
_WITHOUT_PAGE = range(13, 16)


def page_type(entry: int) -> int:
    """The type of a PFN's entry: bits 63 to 60.

    0 normal, 1 to 4 page table of level 1 to 4, 9 to 12 the same pinned, 13 broken, 14 allocated
    but not sent, 15 not there.
    """
    return entry >> _TYPE_SHIFT


def has_page(entry: int) -> bool:
    """Whether a page of data stands in the record for this entry."""
    return page_type(entry) not in _WITHOUT_PAGE and page_type(entry) not in _RESERVED_TYPES


class PageData(Body):
    """PFNs with their types, and then the pages of those that have data."""

    count: int = count_of("pfns", doc="number of PFNs", init=False)
    pad = reserved(4)
    pfns: list[int] = array(
        u64(show="hex"), "count", doc="PFN in bits 51 to 0, type in bits 63 to 60"
    )
    pages: bytes = blob(doc="pages of 4096 bytes, in the order of the PFNs that have one")

    def check(self) -> Iterable[Problem]:
        """At least one PFN, no reserved bits or types, and exactly the pages announced."""
        if not self.pfns:
            yield Problem(
                "field-out-of-range", "no PFN is listed", 0, "count", expected="at least 1"
            )
        for number, entry in enumerate(self.pfns):
            name, at = f"pfns[{number}]", 8 + 8 * number
            if entry & ~_PFN_MASK & ((1 << _TYPE_SHIFT) - 1):
                yield Problem(
                    "reserved-not-zero", f"`{name}` has unknown bits", at, name,
                    expected="bits 59 to 52 zero", actual=f"{entry:#x}",
                )  # fmt: skip
            if page_type(entry) in _RESERVED_TYPES:
                yield Problem(
                    "field-out-of-range", f"`{name}` is of no known page type", at, name,
                    expected="0 to 4 or 9 to 15", actual=page_type(entry),
                )  # fmt: skip
        wanted = PAGE_SIZE * sum(map(has_page, self.pfns))
        if len(self.pages) != wanted:
            short = len(self.pages) < wanted
            yield Problem(
                "body-too-short" if short else "body-not-consumed",
                "the pages are not those that the PFNs announce",
                8 + 8 * len(self.pfns) + min(wanted, len(self.pages)),
                "pages",
                expected=f"{wanted} bytes",
                actual=f"{len(self.pages)} bytes",
            )

    @classmethod
    def example(cls, rng: random.Random) -> PageData:
        """One to four PFNs, with and without a page."""
        pfns = [
            rng.choice([0, 1, 4, 9, 12, 13, 15]) << _TYPE_SHIFT | rng.randrange(1 << 20)
            for _ in range(rng.randint(1, 4))
        ]
        return cls(pfns=pfns, pages=rng.randbytes(PAGE_SIZE * sum(map(has_page, pfns))))


class PageDataRecord(RecordType[PageData]):
    """Some of the guest's memory."""

    code, name, body = 1, "PAGE_DATA", PageData
    bulk: ClassVar[bool] = True
