"""What of an image is shown in full, as a row, or only counted."""

from __future__ import annotations

import re

import pytest
from report_pages import (
    PV1,
    Page,
    channel_image,
    crowded_page,
    make_report,
    page_of,
    read,
)
from report_parts import cards, mapped

from domctx_core.testing import ImageBuilder


@pytest.mark.parametrize(("count", "code"), [(131_070, 0x5005), (3_000, 5)])
def test_however_many_records_there_are_the_page_opens(count: int, code: int) -> None:
    if code == 5:
        report = make_report(channel_image(count, code), judged=False)
        page = page_of(report)
    else:
        page = Page(crowded_page())
        page.check()
    assert len(page.html) < 2_500_000
    assert len(page.elements) < 60_000
    assert mapped(page) == count + 2
    assert len(cards(page)) == 200
    rows = [row for table in page.find("table", "rows") for row in table.find("tr")[1:]]
    assert len(rows) == 2000
    assert f"{count - 2198:,} more records are not in this page" in words(page)
    if code == 5:
        (graph,) = report.graphs
        drawn = [int(chip.title.split(" ")[0].replace(",", "")) for chip in graph.chips]
        assert sum(drawn) == graph.count == count
        assert f"{count:,} connections" in words(page)


def test_records_of_very_many_fields_do_not_make_a_page_that_cannot_be_opened() -> None:
    builder = ImageBuilder().start()
    for number in range(20):
        shared = bytearray(3136)
        for place in range(32):  # no two vCPUs are alike
            shared[64 * place + 16] = place
        builder.record(2, number, bytes(8) + bytes(shared))
    page = page_of(make_report(builder.end().build(), limit=20))
    assert len(cards(page)) == 20
    rows = [row for row in page.find("tr") if "id" in row.attributes]
    assert 2900 < len(rows) < 3100
    assert "more fields are not in this report" in words(page)


def test_a_limit_keeps_what_has_findings_and_what_is_rare() -> None:
    builder = ImageBuilder().start()
    for number in range(300):
        builder.record(5, number + 1, bytes([2]).ljust(32, b"\0"), pad=b"")
    builder.record(0xABCD, 7, b"12345678")
    image = read(builder.end().build())
    assert image.findings
    page = page_of(make_report(image, limit=10))
    assert len(cards(page)) == 10
    assert "type 0xabcd[7]" in {each.find("h4")[0].text for each in cards(page)}
    rows = [row for table in page.find("table", "rows") for row in table.find("tr")[1:]]
    assert len(rows) == 100
    counted = re.findall(r"(\d+) more records? (?:are|is) not in this page", words(page))
    assert sum(map(int, counted)) == 303 - 10 - 100


def words(page: Page) -> str:
    """All text of a page."""
    return page.root.words


def test_no_record_at_all_is_a_page_too() -> None:
    page = page_of(make_report(PV1.read_bytes(), limit=0))
    assert not cards(page)
    assert mapped(page) == 16


def test_a_choice_of_records() -> None:
    page = page_of(make_report(PV1.read_bytes(), keep=lambda record: record.name == "SHARED_INFO"))
    assert [each.find("h4")[0].text for each in cards(page)] == ["SHARED_INFO"]
    assert mapped(page) == 16
    assert "1 of 16 records were asked for" in words(page)
