"""PAGE_DATA: the PFNs are decoded and judged, the pages are never read."""

from __future__ import annotations

import io
import json
import random
import struct
import sys
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from domctx_plugin_xen_streams.page_data import PAGE_SIZE, PageData, PageDataRecord, PageType
from domctx_plugin_xen_streams.pfns import count_pages, count_types, has_page, runs, span
from hypothesis import given, settings
from hypothesis import strategies as st
from xen_streams_support import libxc, make_formats, pages, pv_info, record, tsc_info

from domctx_core import (
    BodyError,
    BufferSource,
    DomainContext,
    FileSource,
    Formats,
    Provider,
    Record,
    Severity,
    Source,
    verify,
    walk,
)
from domctx_core.testing import CommandRunner

BODY = 40 + 8
"""Where the body of a stream's first record starts."""

PFN = st.one_of(
    st.integers(0, 2**64 - 1),
    st.builds(lambda kind, pfn: kind << 60 | pfn, st.sampled_from(PageType), st.integers(0, 99)),
)


def page_data(*entries: int, order: str = "<", more: int = 0, count: int | None = None) -> bytes:
    """The body of a record with these entries and as many pages as they announce, and `more`."""
    body = struct.pack(order + "II", len(entries) if count is None else count, 0)
    body += struct.pack(f"{order}{len(entries)}Q", *entries)
    return body + bytes(PAGE_SIZE * sum(map(has_page, entries)) + more)


class Pipe(io.RawIOBase):
    """Cannot seek, and remembers the largest read that was asked of it."""

    def __init__(self, data: bytes) -> None:
        self._inner = io.BytesIO(data)
        self.largest = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self.largest = max(self.largest, size)
        return self._inner.read(size)


def sources(data: bytes, folder: Path) -> Iterator[Source]:
    path = folder / "stream"
    path.write_bytes(data)
    yield BufferSource(data)
    with open(path, "rb", buffering=0) as file:
        yield FileSource(file)
    yield FileSource(Pipe(data))


def findings(data: bytes, **options: Any) -> list[tuple[str, int | None]]:
    verdict = verify(BufferSource(data), make_formats(), **options)
    return [(f.rule, f.offset) for f in verdict.findings if f.severity is Severity.ERROR]


# ------------------------------------------------------------------------------------------ bodies


@given(entries=st.lists(PFN, max_size=40), order=st.sampled_from(["little", "big"]))
@settings(max_examples=200, deadline=None)
def test_pfns_survive_bytes_and_json(entries: list[int], order: Any) -> None:
    raw = struct.pack(
        f"{'<' if order == 'little' else '>'}II{len(entries)}Q", len(entries), 0, *entries
    )
    decoded = PageData.inspect(raw, order)
    assert decoded.body is not None
    assert list(decoded.body.pfns) == entries
    assert decoded.body.to_bytes(order, check=False) == raw
    again = PageData.from_json(json.loads(json.dumps(decoded.body.to_json())))
    assert list(again.pfns) == entries


@given(entries=st.lists(PFN, min_size=1, max_size=40))
@settings(max_examples=200, deadline=None)
def test_what_is_asked_of_all_entries_equals_what_each_of_them_says(entries: list[int]) -> None:
    packed = array("Q", entries)
    expected: dict[int, int] = {}
    for each in entries:
        expected[each >> 60] = expected.get(each >> 60, 0) + 1
    assert count_types(packed) == expected
    assert count_pages(packed) == sum(map(has_page, entries))
    pfns = [each & (1 << 52) - 1 for each in entries]
    assert span(packed) == (min(pfns), max(pfns)) or any(each >> 52 & 0xFF for each in entries)
    assert [start + n for start, count in runs(packed) for n in range(count)] == entries
    bad = [
        (rule, 8 + 8 * number)
        for rule, wrong in (
            ("reserved-not-zero", [bool(each >> 52 & 0xFF) for each in entries]),
            ("field-out-of-range", [5 <= each >> 60 <= 8 for each in entries]),
        )
        if any(wrong)
        for number in [wrong.index(True)]
    ]
    found = [(p.rule, p.offset) for p in PageData(pfns=entries).problems()]
    assert sorted(found, key=str) == sorted(bad, key=str)


def test_a_million_pfns_in_a_row_are_one_stretch() -> None:
    entries = array("Q", range(1 << 20))
    assert PageData(pfns=entries).to_json()["pfns"] == [
        {"first": "0x0", "count": 1 << 20, "type": "NORMAL"}
    ]


@pytest.mark.parametrize(
    ("item", "where"),
    [
        (None, ""),
        ({}, ""),
        ({"first": "0x0", "count": 0, "type": "NORMAL"}, ".count"),
        ({"first": "0x0", "count": 1, "type": "WHAT"}, ".type"),
        ({"first": "zero", "count": 1, "type": 0}, ".first"),
        ({"first": "0x" + "f" * 5000, "count": 1, "type": 0}, ".first"),
        ({"first": 0, "count": 1, "type": 16}, ".type"),
        ({"first": 1 << 60, "count": 1, "type": 0}, ".first"),
        ({"first": 0, "count": 1 << 33, "type": 0}, ".count"),
        ({"first": (1 << 60) - 1, "count": 2, "type": 15}, ""),
        ({"first": 0, "count": True, "type": 0}, ".count"),
        ({"first": 0, "count": 1, "type": []}, ".type"),
    ],
)
def test_json_that_is_no_stretch(item: Any, where: str) -> None:
    good = {"first": 0, "count": 1, "type": "NORMAL"}
    with pytest.raises(BodyError) as raised:
        PageData.from_json({"pfns": [good, item]})
    assert raised.value.field == f"pfns[1]{where}"
    assert len(str(raised.value)) < 200


# --------------------------------------------------------------------------------------- the walk


def test_the_head_is_decoded_from_memory_file_and_pipe(tmp_path: Path) -> None:
    data = libxc(pv_info(), pages(600), tsc_info())
    for source in sources(data, tmp_path):
        heads = []
        for event in walk(source, make_formats()):
            if isinstance(event, Record) and event.name == "PAGE_DATA":
                assert (event.head, event.held) == (8 + 600 * 8, False)
                assert event.decoded is not None
                heads.append(event.decoded.body)
        (head,) = heads
        assert isinstance(head, PageData)
        assert list(head.pfns) == list(range(600))


def test_a_big_endian_stream() -> None:
    data = libxc(record(1, page_data(7, 9, order=">"), ">"), order=">")
    (head,) = (
        event.decoded.body
        for event in walk(BufferSource(data), make_formats())
        if isinstance(event, Record) and event.bulk and event.decoded
    )
    assert isinstance(head, PageData)
    assert list(head.pfns) == [7, 9]
    assert findings(data) == []


def test_a_pipe_is_asked_for_no_more_than_the_head() -> None:
    pipe = Pipe(libxc(pages(4000)))
    heads = [
        event.head for event in walk(FileSource(pipe), make_formats()) if isinstance(event, Record)
    ]
    assert heads == [8 + 8 * 4000, 0]
    assert pipe.largest <= 1 << 20


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (page_data(1, 2, 0xD << 60 | 3), []),
        (page_data(), [("field-out-of-range", BODY)]),
        (page_data(1, 1 << 52, 1 << 59), [("reserved-not-zero", BODY + 16)]),
        (page_data(1, 5 << 60, 8 << 60), [("field-out-of-range", BODY + 16)]),
        (page_data(1, more=-1), [("body-too-short", BODY + 16 + 4095)]),
        (page_data(1, more=8), [("body-not-consumed", BODY + 16 + 4096)]),
        (page_data(1, count=3)[:16], [("body-too-short", BODY + 16)]),
        (b"\1\0\0", [("body-too-short", BODY + 3)]),
        (b"", [("field-out-of-range", BODY)]),
        (struct.pack("<IIQ", 1, 7, 13 << 60), [("reserved-not-zero", BODY + 4)]),
        (page_data(1, count=0xFFFFFFFF), [("body-too-short", BODY + 16 + 4096)]),
    ],
    ids=range(11),
)
def test_the_rules_of_a_record(
    body: bytes, expected: list[tuple[str, int]], tmp_path: Path
) -> None:
    data = libxc(pv_info()[:0], record(1, body))
    if body in (b"", b"\1\0\0"):
        expected = [("body-too-short", BODY + len(body))]
    assert findings(data) == expected
    for source in sources(data, tmp_path):
        found = verify(source, make_formats()).findings
        assert [(f.rule, f.offset) for f in found] == expected


def test_a_count_that_nothing_could_hold_costs_nothing() -> None:
    body = struct.pack("<II", 0xFFFFFFFF, 0) + bytes(1 << 20)
    for source in (BufferSource(libxc(record(1, body))), FileSource(Pipe(libxc(record(1, body))))):
        (finding,) = verify(source, make_formats()).findings
        assert (finding.rule, finding.expected) == ("body-too-short", f"{8 + 8 * 0xFFFFFFFF} bytes")


def test_a_head_over_the_cap_is_not_held() -> None:
    data = libxc(pages(600))
    assert findings(data, cap=4807) == [("length-over-cap", 40)]
    assert findings(data, cap=4808) == []


def test_a_record_type_that_raises_where_it_measures_is_to_blame() -> None:
    class Broken(PageDataRecord):
        def prefix(self, first: bytes, byteorder: Any) -> int:
            raise ZeroDivisionError("oops")

    full = make_formats()
    formats = Formats()
    formats.add("domain-context", Provider("test", "1"), DomainContext)
    formats.add("libxc", Provider("test", "1"), lambda: full.get("libxc"))
    formats.registry("libxc").register(Broken, Provider("broken-plugin", "1"))
    for source in (BufferSource(libxc(pages(2))), FileSource(Pipe(libxc(pages(2))))):
        verdict = verify(source, formats)
        assert verdict.needs_plugin
        assert "ZeroDivisionError: oops" in verdict.findings[0].message


# --------------------------------------------------------------------------------------- the verbs


Show = Callable[..., str]


@pytest.fixture
def show(tmp_path: Path, domctx_cli: CommandRunner) -> Show:
    """Runs `show` on a stream; gives what it prints."""

    def run(data: bytes, *options: str) -> str:
        path = tmp_path / "stream"
        path.write_bytes(data)
        done = domctx_cli("show", *options, path)
        assert done.status == 0
        return done.out

    return run


def test_records_in_a_row_are_one_line_with_their_totals(show: Show) -> None:
    mixed = record(1, page_data(0x500, 1 << 60 | 0x501, 12 << 60 | 0x502, 15 << 60 | 0x10))
    text = show(libxc(pages(600), pages(300), mixed))
    (line,) = (line for line in text.splitlines() if "PAGE_DATA" in line)
    assert "PAGE_DATA x 3" in line
    assert line.endswith("904 PFNs in 0x0-0x502: 901 normal, 1 L1, 1 L4 pinned, 1 invalid")


def test_json_has_the_pfns_and_not_the_pages(show: Show) -> None:
    lines = show(libxc(pages(600)), "--jsonl").splitlines()
    (shown,) = (each for each in map(json.loads, lines) if each.get("name") == "PAGE_DATA")
    assert shown["body"]["pfns"] == [{"first": "0x0", "count": 600, "type": "NORMAL"}]
    assert shown["length"] == 8 + 600 * (8 + 4096)
    assert "raw" not in shown


def test_the_types_are_shown_where_a_record_is_asked_for(show: Show) -> None:
    text = show(libxc(record(1, page_data(5, 6, 13 << 60 | 9))), "--hex")
    assert "0x5-0x6, 0x9" in text
    assert "2 normal, 1 broken" in text


def test_examples_are_whole_records() -> None:
    for seed in range(20):
        body = PageData.example(random.Random(seed))
        assert PageDataRecord().extent(body) == body.size()
        assert findings(libxc(record(1, body.to_bytes()))) == []


def test_this_machine_stores_pfns_in_either_order() -> None:
    assert sys.byteorder in ("little", "big")
    assert PageData(pfns=[1]).to_bytes("big")[8:] == (1).to_bytes(8, "big")
    assert PageData(pfns=[1]).to_bytes("little")[8:] == (1).to_bytes(8, "little")
