"""Cards of records: findings at their fields, and plugins that raise."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path

import pytest
from report_pages import (
    Page,
    make_report,
    page_of,
)
from report_parts import card, cards, name_of

from domctx_core.testing import CommandRunner, FakeDists, ImageBuilder


@pytest.fixture
def guest(domctx_cli: CommandRunner, tmp_path: Path) -> bytearray:
    """A good image with 300 event channels and a TSC_INFO, whose body is at 0xc80."""
    path = tmp_path / "guest.img"
    assert domctx_cli("save", "sim:seed=1,channels=300", "-o", path).status == 0
    return bytearray(path.read_bytes())


def test_a_record_with_a_finding_is_there_in_full_wherever_it_is(guest: bytearray) -> None:
    at = guest.index(struct.pack("<IIQ", 5, 250, 32))
    guest[at + 16 + 12] = 99  # its priority
    page = page_of(make_report(bytes(guest), limit=6))
    assert len(cards(page)) == 6
    found = card(page, "EVENT_CHANNEL[250]")
    assert "`priority`".replace("`", "") in found.find("tr", "noted")[0].words
    assert "open" in found.attributes


def test_a_finding_about_a_field_stands_under_it(guest: bytearray) -> None:
    guest[0xC80] = 7
    guest[0xC96] = 1
    page = page_of(make_report(bytes(guest)))
    rows = [
        row
        for row in card(page, "TSC_INFO[0]").find("tr")
        if "noted" in row.classes or "id" in row.attributes
    ]
    under = [
        (name_of(field), note.find("code")[0].text)
        for field, note in itertools.pairwise(rows)
        if "noted" in note.classes
    ]
    assert under == [("mode", "field-out-of-range"), ("padding", "padding-not-zero")]


def test_a_plugin_that_raises_costs_only_its_own_words(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, tmp_path: Path
) -> None:
    module = (
        "from domctx_core import Body, RecordType, u32\n"
        "class Raising(Body):\n"
        "    value: int = u32(doc='a number')\n"
        "    def summary(self): raise RuntimeError('no summary')\n"
        "class RaisingRecord(RecordType[Raising]):\n"
        "    code, name, body = 0x777, 'RAISING', Raising\n"
        "    def links(self, instance, body): raise RuntimeError('no links')\n"
    )
    points = {"domctx.record_types": {"0x777.RAISING": "raising_module:RaisingRecord"}}
    domctx_dists.add("raising", "1.0", points, {"raising_module": module})
    image = tmp_path / "raising.img"
    image.write_bytes(ImageBuilder().start().record(0x777, 0, b"\1\0\0\0").end().build())
    ran = domctx_cli("report", image, "-o", tmp_path / "page.html")
    assert ran.status == 4
    assert "no summary" in ran.err
    assert "no links" in ran.err
    page = Page((tmp_path / "page.html").read_text())
    assert "01 00 00 00" in card(page, "RAISING[0]").text
