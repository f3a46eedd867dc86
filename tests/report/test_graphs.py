"""Graphs of links and amounts."""

from __future__ import annotations

import itertools
import struct

from hypothesis import given
from hypothesis import strategies as st
from report_pages import (
    PV1,
    channel_image,
    make_report,
    page_of,
)

from domctx_core import (
    Amount,
    Link,
)
from domctx_core.report.graphs import MANY, LinkCounter, make_chart


def test_event_channels_are_drawn_one_by_one() -> None:
    page = page_of(make_report(channel_image(15)))
    (graph,) = page.find("figure", "graph")
    assert len(graph.find("path", "edge")) == len(graph.find("g", "chip")) == 15
    names = {text.text for text in graph.find("text", "name")}
    assert names == {"vCPU 0", "vCPU 1", "vCPU 2", "vCPU 3", "domain 0"}
    rows = [[cell.text for cell in row.find("td")] for row in graph.find("tr")[1:]]
    assert rows[0] == ["vCPU 1", "port 1", "INTERDOMAIN", "domain 0", "port 1", ""]
    assert len(rows) == 15


def test_thousands_of_links_are_a_few_lines() -> None:
    counter = LinkCounter()
    for number in range(5000):
        counter.add(Link(f"vCPU {number % 64}", f"domain {number % 100}", "abc"[number % 3]))
    graph = counter.graph("LINKS")
    assert graph.aggregated
    assert len(graph.chips) <= MANY
    assert graph.count == 5000
    assert sum(int(chip.title.split(" ")[0].replace(",", "")) for chip in graph.chips) == 5000
    assert graph.left_out == 5000 - len(graph.links)
    assert {box.title for box in graph.targets} >= {"88 others"}


@given(
    st.lists(
        st.builds(Link, st.text(max_size=3), st.text(max_size=3), st.sampled_from("ab")),
        min_size=1,
        max_size=90,
    )
)
def test_boxes_do_not_overlap_and_lines_end_at_them(links: list[Link]) -> None:
    counter = LinkCounter()
    for link in links:
        counter.add(link)
    graph = counter.graph("LINKS")
    for boxes in (graph.sources, graph.targets):
        for one, next_ in itertools.pairwise(boxes):
            assert one.y + one.height <= next_.y
        assert all(box.y >= -0.01 and box.y + box.height <= graph.height + 0.01 for box in boxes)
    for chip in graph.chips:
        end = float(chip.path.rsplit(" ", 1)[1])
        assert any(box.y < end < box.y + box.height for box in graph.targets)


def test_memory_is_a_bar_for_each_kind() -> None:
    amounts = [Amount("normal", 3, "PFNs", 12288), Amount("broken", 1, "PFNs", 0)]
    (chart,) = make_chart("PAGE_DATA", [*amounts, Amount("normal", 1, "PFNs", 4096)])
    assert [(bar.label, bar.count, bar.size) for bar in chart.bars] == [
        ("normal", 4, 16384),
        ("broken", 1, 0),
    ]
    assert [bar.width for bar in chart.bars] == [100, 25]
    assert (chart.count, chart.size) == (5, 16384)


def test_the_memory_of_a_stream_is_told_by_page_type() -> None:
    stream = PV1.read_bytes()
    at = stream.index(struct.pack("<II", 8, 24), 0x800)
    entries = struct.pack("<3Q", 1, 9 << 60 | 2, 15 << 60 | 3)
    body = struct.pack("<II", 3, 0) + entries + bytes(2 * 4096)
    record = struct.pack("<II", 1, len(body)) + body
    page = page_of(make_report(stream[:at] + 2 * record + stream[at:]))
    (chart,) = page.find("figure", "chart")
    rows = [[cell.words for cell in row.find()[1:4]] for row in chart.find("tr")[1:]]
    assert sorted(rows) == [
        ["L1 pinned", "2", "33.3 %"],
        ["invalid", "2", "33.3 %"],
        ["normal", "2", "33.3 %"],
    ]
