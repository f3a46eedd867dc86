"""Parts of report pages that several tests look at."""

from __future__ import annotations

from environments import ROOT
from report_pages import (
    Element,
    Page,
)

from domctx_core import (
    Image,
)

PV2 = ROOT / "examples/xen-4.17/pv2l/pv2l.save.no-pages"


def cards(page: Page) -> list[Element]:
    return page.find("details", "card")


def card(page: Page, name: str) -> Element:
    return next(each for each in cards(page) if each.find("h4")[0].text == name)


def errors(image: Image) -> int:
    return sum(finding.severity == "error" for finding in image.findings)


def mapped(page: Page) -> int:
    """How many records the map has."""
    return sum(int(each.attributes["data-count"]) for each in page.find("a", "band"))


def name_of(row: Element) -> str:
    (head,) = row.find("th")
    return head.text
