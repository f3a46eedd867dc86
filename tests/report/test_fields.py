"""Fields beside their bytes."""

from __future__ import annotations

import re

from report_pages import (
    PV1,
    make_report,
    page_of,
    read,
)
from report_parts import card, name_of
from support import short_lapic

from domctx_core import (
    spans,
)


def test_fields_stand_beside_their_bytes() -> None:
    data = PV1.read_bytes()
    image = read(data)
    page = page_of(make_report(image))
    seen = 0
    for number, (_, node) in enumerate(sorted(image.nodes(), key=lambda n: n[1].record.offset)):
        record = node.record
        body = record.decoded and record.decoded.body
        if not body:
            continue
        fields = {span.path: span for span in spans(body, fold=True) if span.size}
        rows = [row for row in page.by_id[f"r{number}"].find("tr") if "id" in row.attributes]
        shown = {name_of(row): row for row in rows}
        for path in set(fields) - set(shown):
            assert "[" in path, path
            assert int(re.findall(r"\[(\d+)", path)[0]) >= 16  # the rest of a long array
        for path, span in fields.items():
            if path not in shown:
                continue
            links = [a.attributes["href"] for a in shown[path].find("a")]
            if not links:
                assert span.offset >= 8192  # beyond what is shown of a body
                continue
            piece = page.by_id[links[0][1:]]
            assert piece.attributes["href"] == f"#{shown[path].attributes['id']}"
            start = record.body_offset + span.offset
            raw = data[start : start + span.size]
            text = re.sub(r"··  (\d+) bytes of zeros", lambda m: "00" * int(m[1]), piece.text)
            assert raw.startswith(bytes.fromhex(text))
            assert len(bytes.fromhex(text)) == min(span.size, 8192 - span.offset)
            seen += 1
    assert seen > 500


def test_fields_that_a_short_record_lacks_lie_beyond_it() -> None:
    page = page_of(make_report(read(short_lapic(4))))
    rows = [row for row in card(page, "LAPIC[0]").find("tr") if "id" in row.attributes]
    places = {name_of(row): row.find("td", "at")[0].text for row in rows}
    assert places["apic_base_msr"] == "+0x008"
    assert {name: text for name, text in places.items() if text.startswith("beyond")} == {
        "disabled": "beyond4", "timer_divisor": "beyond4", "tdt_msr": "beyond8",
        "x2apic.id": "beyond4", "x2apic.rsvd_zero": "beyond4",
    }  # fmt: skip
