"""Guest memory is compared page by page."""

from __future__ import annotations

import struct

from compared_images import formats
from hypothesis import given, settings
from hypothesis import strategies as st

from domctx_core import (
    BufferSource,
    Record,
    walk,
)
from domctx_core.images.diff.parts import compare_parts

Page = tuple[int, int, int]
"""PFN, page type, and the byte that fills the page."""


WITHOUT_PAGE = (13, 15)


PAGES = st.lists(
    st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from([0, 1, *WITHOUT_PAGE]), st.integers(0, 2)),
        min_size=1, max_size=6,
    ),
    max_size=4,
)  # fmt: skip


def page_records(records: list[list[Page]]) -> list[Record]:
    """The PAGE_DATA records of a libxc stream with these pages."""
    stream = struct.pack(">QIIH6x", 2**64 - 1, 0x58454E46, 3, 0)
    stream += struct.pack("<IHHII", 1, 12, 0, 4, 17)
    for pages in records:
        body = struct.pack("<II", len(pages), 0)
        body += b"".join(struct.pack("<Q", kind << 60 | pfn) for pfn, kind, _ in pages)
        body += b"".join(
            bytes([fill]) * 4096 for _, kind, fill in pages if kind not in WITHOUT_PAGE
        )
        stream += struct.pack("<II", 1, len(body)) + body
    events = walk(BufferSource(stream + bytes(8)), formats())
    return [event for event in events if isinstance(event, Record) and event.type == 1]


def memory_of(records: list[list[Page]]) -> dict[int, tuple[int, int]]:
    """Page type and content of each page in the end; a page without content has none."""
    return {
        pfn: (kind, -1 if kind in WITHOUT_PAGE else fill)
        for pages in records
        for pfn, kind, fill in pages
    }


@settings(deadline=None)
@given(PAGES, PAGES, st.sampled_from([1, 2, 3, 1000]))
def test_parts_differ_alike_however_few_are_kept_in_mind(
    a: list[list[Page]], b: list[list[Page]], limit: int
) -> None:
    left, right = page_records(a), page_records(b)
    if not left and not right:
        return
    found = compare_parts(left, right, limit)
    x, y = memory_of(a), memory_of(b)
    both = x.keys() & y.keys()
    assert found.removed.count == len(x.keys() - y.keys())
    assert found.added.count == len(y.keys() - x.keys())
    assert found.kinds.count == sum(x[pfn][0] != y[pfn][0] for pfn in both)
    changed = [pfn for pfn in sorted(both) if x[pfn][0] == y[pfn][0] and x[pfn] != y[pfn]]
    listed = [pfn for low, high in found.changed.ranges for pfn in range(low, high + 1)]
    assert (found.changed.count, listed) == (len(changed), changed)
