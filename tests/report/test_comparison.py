"""A second image beside the first."""

from __future__ import annotations

from report_pages import (
    PV1,
    make_report,
    page_of,
)
from report_parts import PV2


def test_two_images_side_by_side() -> None:
    page = page_of(make_report(PV1.read_bytes(), "mine", against=PV2.read_bytes()))
    section = page.by_id["differences"]
    tsc = next(each for each in section.find("article") if "X86_TSC_INFO" in each.text)
    rows = [
        [cell.words for cell in row.find()[1:] if cell.tag in ("th", "td")]
        for row in tsc.find("tr")
    ]
    assert rows[0] == ["Field", "mine", "the other"]
    assert [rows[1][0], rows[1][1].split()[0], rows[1][2].split()[0]] == [
        "khz",
        "2596126",
        "2596125",
    ]
    (link,) = tsc.find("h3")[0].find("a")
    assert page.by_id[link.attributes["href"][1:]].find("h4")[0].text == "X86_TSC_INFO"
    assert "by itself" in tsc.find("details")[0].text


def test_an_image_does_not_differ_from_itself() -> None:
    page = page_of(make_report(PV1.read_bytes(), against=PV1.read_bytes()))
    assert "0 differences" in page.by_id["differences"].words
    assert not page.by_id["differences"].find("article")
