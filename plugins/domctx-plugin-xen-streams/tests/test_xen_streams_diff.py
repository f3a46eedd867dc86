"""Guest memory compared page by page, whatever records the pages lie in."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from domctx_plugin_xen_streams.page_data import PageDataRecord, PageType
from domctx_plugin_xen_streams.pfns import entry, has_page
from hypothesis import given, settings
from hypothesis import strategies as st
from xen_streams_support import libxc, make_formats, pv_info, record

from domctx_core import (
    BufferSource,
    Diff,
    diff_images,
    read_image,
)

FORMATS = make_formats()

Page = tuple[int, int, int]
"""PFN, type, and what byte fills it."""


def page_data(pages: Iterable[Page], order: str = "<") -> bytes:
    """A PAGE_DATA record of these pages."""
    rows = [(entry(pfn, PageType(kind)), fill) for pfn, kind, fill in pages]
    body = struct.pack(order + "II", len(rows), 0)
    body += struct.pack(f"{order}{len(rows)}Q", *(each for each, _ in rows))
    body += b"".join(bytes([fill]) * 4096 for each, fill in rows if has_page(each))
    return record(1, body, order)


def stream(*records: Sequence[Page], order: str = "<") -> bytes:
    return libxc(pv_info(8, order), *(page_data(each, order) for each in records), order=order)


def diff(a: bytes, b: bytes) -> Diff:
    return diff_images(*(read_image(BufferSource(each), FORMATS) for each in (a, b)))


def memory(found: Diff) -> dict[str, Any]:
    """What is said of pages, those keys that say something."""
    (change,) = (record for _, record in found.records())
    assert change.parts is not None
    assert (change.parts.part, change.changes) == ("page", ())
    shown = change.parts.to_json()
    return {key: shown[key] for key in shown if key != "part" and shown[key]["count"]}


SOME: list[Page] = [(pfn, 0, pfn) for pfn in range(20)]


def test_pages_with_other_content_and_of_another_kind() -> None:
    other = [
        (pfn, 9 if pfn in (7, 9) else 0, 99 if pfn in (3, 4, 5, 12) else pfn) for pfn, *_ in SOME
    ]
    found = diff(stream(SOME), stream(other))
    assert memory(found) == {
        "changed": {"count": 4, "ranges": [[3, 5], [12, 12]]},
        "kinds": {
            "count": 2, "ranges": [[7, 7], [9, 9]],
            "by": [{"a": "normal", "b": "L1 pinned", "count": 2}],
        },
    }  # fmt: skip
    assert (found.differences, found.folded) == (2, 0)


def test_pages_that_one_side_has_alone() -> None:
    a, b = stream(SOME[:10], SOME[12:]), stream(SOME[2:15])
    assert memory(diff(a, b)) == {
        "removed": {"count": 7, "ranges": [[0, 1], [15, 19]]},
        "added": {"count": 2, "ranges": [[10, 11]]},
    }
    nothing = diff(a, libxc(pv_info()))
    assert memory(nothing)["removed"]["count"] == 18
    assert [change.status for _, change in nothing.records()] == ["removed"]


def test_records_may_be_cut_and_ordered_in_other_ways() -> None:
    a = stream(SOME[:7], SOME[7:])
    assert diff(a, stream(SOME)) == Diff()
    assert diff(a, stream(*([page] for page in SOME))) == Diff()
    turned = diff(a, stream(SOME[7:], SOME[:7]))
    assert (turned.differences, turned.folded) == (0, 1)
    assert memory(turned).keys() == {"passing"}


def test_of_pages_that_come_again_the_last_counts() -> None:
    first = [(pfn, 0, 77) for pfn in range(20)]
    found = diff(stream(first, SOME), stream(SOME))
    assert (found.differences, found.folded) == (0, 1)
    found = diff(stream(SOME, [(5, 0, 77)]), stream(SOME))
    assert memory(found)["changed"] == {"count": 1, "ranges": [[5, 5]]}


def test_either_byte_order() -> None:
    big = diff(stream(SOME), stream(SOME, order=">"))
    assert list(big.records()) == []
    assert [change.where for change in big.containers[0].changes] == ["byteorder", "prologue"]


def test_what_no_page_says_is_seen() -> None:
    data = stream(SOME[:3])
    start = len(libxc(pv_info(), end=False)) + 8
    for at, field in ((start + 4, "pad"), (start + 8 + 7, None), (start + 8 + 6, "pfns")):
        other = bytearray(data)
        other[at] ^= 0x20
        found = [change for _, change in diff(data, bytes(other)).records()]
        assert len(found) == 1
        assert [change.field for change in found[0].changes] == ([] if field is None else [field])
    longer = libxc(pv_info(), record(1, data[start : start + 32 + 3 * 4096] + b"rest"))
    other = longer.replace(b"rest", b"test")
    (change,) = (change for _, change in diff(longer, other).records())
    assert [(each.field, each.count) for each in change.changes] == [(None, 1)]


def with_rest(pages: Sequence[Page], rest: bytes, fill: bytes = b"") -> bytes:
    """A PAGE_DATA record with bytes behind its last page, and what its padding is filled with."""
    whole = page_data(pages)
    made = record(1, whole[8:] + rest)
    return made[: len(made) - len(fill)] + fill


@pytest.mark.parametrize("cut", [(SOME[:3],), (SOME[:1], SOME[1:3])])
def test_what_pages_leave_over_is_seen_however_records_are_cut(cut: Sequence[list[Page]]) -> None:
    a = stream(*cut)
    b = libxc(pv_info(), with_rest(SOME[:3], b"rest", b"fill"))
    (there,), (back,) = diff(a, b).records(), diff(b, a).records()
    assert there[1].swapped() == back[1]
    assert [(each.where, each.count, each.a) for each in there[1].changes] == [
        ("body", 4, None), ("padding", 4, None),
    ]  # fmt: skip
    assert there[1].changes[0].b is not None
    assert there[1].changes[0].b.json == b"rest".hex()
    assert there[1].changes[0].b.offset == b.index(b"rest")


@pytest.mark.parametrize("cut", [(SOME[:3],), (SOME[:1], SOME[1:3])])
def test_reserved_bytes_of_a_head_are_seen_however_records_are_cut(
    cut: Sequence[list[Page]],
) -> None:
    odd = bytearray(page_data(SOME[:3]))
    odd[8 + 4] = 5
    a, b = stream(*cut), libxc(pv_info(), bytes(odd))
    (there,), (back,) = diff(a, b).records(), diff(b, a).records()
    assert there[1].swapped() == back[1]
    assert len(there[1].changes) == 1


def test_a_head_that_cannot_be_decoded() -> None:
    bad = record(1, struct.pack("<II", 1 << 30, 0) + b"body")
    a, b = libxc(bad, page_data(SOME)), libxc(bad.replace(b"body", b"bodx"), page_data(SOME))
    (change,) = (change for _, change in diff(a, b).records())
    assert change.parts is None
    assert [(each.where, each.first) for each in change.changes] == [("body", 11)]
    assert diff(a, libxc(page_data(SOME))).differences == 1


PAGES = st.lists(
    st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from([0, 1, 13, 15]), st.integers(0, 2)),
        min_size=1, max_size=6,
    ),
    max_size=4,
)  # fmt: skip


def final(records: Iterable[Iterable[Page]]) -> dict[int, tuple[int, int]]:
    """What the guest's memory is in the end; a page without content is filled with nothing."""
    return {
        pfn: (kind, fill if has_page(entry(pfn, PageType(kind))) else -1)
        for each in records
        for pfn, kind, fill in each
    }


@settings(deadline=None)
@given(PAGES, PAGES)
def test_what_is_said_of_memory_is_so(a: list[list[Page]], b: list[list[Page]]) -> None:
    records = list(diff(stream(*a), stream(*b)).records())
    x, y = final(a), final(b)
    if not records:
        assert x == y
        return
    found = records[0][1].parts
    assert found is not None
    both = x.keys() & y.keys()
    assert found.removed.count == len(x.keys() - y.keys())
    assert found.added.count == len(y.keys() - x.keys())
    assert found.kinds.count == sum(x[pfn][0] != y[pfn][0] for pfn in both)
    changed = [pfn for pfn in sorted(both) if x[pfn][0] == y[pfn][0] and x[pfn] != y[pfn]]
    listed = [pfn for low, high in found.changed.ranges for pfn in range(low, high + 1)]
    assert (found.changed.count, listed) == (len(changed), changed)


@pytest.mark.parametrize("seed", range(3))
def test_every_byte_of_memory_counts(seed: int) -> None:
    rng = random.Random(seed)
    data = stream(SOME[:4], SOME[2:9])
    for _ in range(60):
        other = bytearray(data)
        other[rng.randrange(len(other))] ^= 1 << rng.randrange(8)
        found = diff(data, bytes(other))
        assert found.differences + found.folded
        back = diff(bytes(other), data)
        assert (back.differences, back.folded) == (found.differences, found.folded)


def test_pages_are_named_for_people() -> None:
    change = next(record for _, record in diff(stream(SOME), stream(SOME[1:])).records())
    assert PageDataRecord.bulk == "page"
    assert change.place.name == "PAGE_DATA"
