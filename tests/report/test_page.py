"""Reports: what the page says of any image, and that it says no more than it should."""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
import re
import struct
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from environments import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import INPUTS
from report_pages import (
    HOSTILE,
    PV1,
    Element,
    Page,
    channel_image,
    crowded_page,
    make_report,
    nasty_image,
    page_of,
    read,
)
from support import short_lapic

from domctx_core import (
    Amount,
    FileSource,
    Image,
    Link,
    spans,
)
from domctx_core.images.tree import RecordNode
from domctx_core.report.bands import MAX_BANDS
from domctx_core.report.dump import make_dump
from domctx_core.report.graphs import MANY, LinkCounter, make_chart
from domctx_core.testing import CommandRunner, FakeDists, ImageBuilder

PV2 = ROOT / "examples/xen-4.17/pv2l/pv2l.save.no-pages"


def cards(page: Page) -> list[Element]:
    return page.find("details", "card")


def card(page: Page, name: str) -> Element:
    return next(each for each in cards(page) if each.find("h4")[0].text == name)


# ------------------------------------------------------------------------------------ all images


@pytest.mark.parametrize(
    "path", [path for path in INPUTS if path.stat().st_size < 20_000], ids=lambda path: path.name
)
def test_every_image_has_a_page_with_each_record_and_each_finding(path: Path) -> None:
    image = read(path.read_bytes())
    page = page_of(make_report(image, path.name))
    nodes = list(image.nodes())
    assert mapped(page) == len(nodes)
    titles = Counter(each.find("h4")[0].text for each in cards(page))
    assert sum(titles.values()) == min(len(nodes), 200)
    assert titles <= Counter(title(node) for _, node in nodes)
    assert_findings(page, image)
    verdict = page.find("p", "verdict")[0].words
    assert verdict.startswith("not valid" if errors(image) else "valid")


def title(node: RecordNode) -> str:
    record = node.record
    name = record.name or f"type {record.type:#x}"
    return name if record.instance is None else f"{name}[{record.instance}]"


def errors(image: Image) -> int:
    return sum(finding.severity == "error" for finding in image.findings)


def mapped(page: Page) -> int:
    """How many records the map has."""
    return sum(int(each.attributes["data-count"]) for each in page.find("a", "band"))


def assert_findings(page: Page, image: Image) -> None:
    """Each finding is in the list, and once more at its place."""
    listed = [page.by_id[f"f{number}"] for number in range(len(image.findings))]
    at_place = Counter(
        link.attributes["href"][1:]
        for notes in page.find("ul", "found")
        for link in notes.find("a")
    )
    assert at_place == Counter(each.attributes["id"] for each in listed)
    for finding, element in zip(image.findings, listed, strict=True):
        assert finding.message.replace("`", "") in element.words
        assert f"{finding.offset:#010x}" in element.words
        (link, *_) = element.find("a")
        place = page.by_id[link.attributes["href"][1:]]
        here = [
            a for a in place.find("a") if a.attributes["href"] == f"#{element.attributes['id']}"
        ]
        assert here, f"{finding} is not at {link.attributes['href']}"


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


def name_of(row: Element) -> str:
    (head,) = row.find("th")
    return head.text


def test_a_dump_has_each_byte_once_and_counts_rows_of_zeros() -> None:
    raw = bytes(range(40)) + bytes(100) + b"\1\2\3"
    dump = make_dump(raw, 0x1008, [(0, 0, 3), (1, 3, 40), (2, 40, 143)], 7)
    text = "".join(piece.text + piece.gap for piece in dump.pieces)
    rows = text.rstrip("\n").split("\n")
    assert len(rows) == len(dump.offsets.split("\n")) == len(dump.ascii.split("\n"))
    assert rows[0] == raw[:16].hex(" ").strip()
    assert rows[3] == "··  80 bytes of zeros"
    assert dump.offsets.split("\n")[3:5] == ["00001038", "00001088"]
    assert dump.places.split("\n")[-1] == "0080"
    again = re.sub(r"··  (\d+) bytes of zeros", lambda m: "00" * int(m[1]), text)
    assert bytes.fromhex(again) == raw
    assert [piece.owner for piece in dump.pieces] == [0, 1, 2]
    assert dump.left_out == 7


@given(st.binary(max_size=300), st.lists(st.integers(0, 320), max_size=8))
def test_a_dump_of_anything_has_its_bytes_in_order(raw: bytes, cuts: list[int]) -> None:
    ends = sorted(cuts)
    owners = [(n, a, b) for n, (a, b) in enumerate(itertools.pairwise(ends))]
    dump = make_dump(raw, 0, owners, 0)
    text = "".join(piece.text + piece.gap for piece in dump.pieces)
    again = re.sub(r"··  (\d+) bytes of zeros", lambda m: "00" * int(m[1]), text)
    assert bytes.fromhex(again) == raw
    rows = len(text.rstrip("\n").split("\n")) if raw else 0
    assert all(
        len(column.split("\n")) == rows or not raw
        for column in (dump.offsets, dump.places, dump.ascii)
    )


@settings(max_examples=40)
@given(st.binary(max_size=400))
def test_any_bytes_have_a_page(data: bytes) -> None:
    page_of(make_report(data))
    page_of(make_report(ImageBuilder().start().raw(data).end().build()))


# ------------------------------------------------------------------------------------------- map


def test_the_map_is_to_scale_and_every_band_can_be_read() -> None:
    report = make_report(PV1.read_bytes())
    bands = report.map.bands
    assert all(band.height >= 20 for band in bands)
    assert all(a.top + a.height <= b.top for a, b in itertools.pairwise(bands))
    for band in bands:
        assert band.strip_top * report.map.scale == pytest.approx(band.offset, abs=1)
        assert band.strip_height * report.map.scale == pytest.approx(band.size, abs=1)
    shared = next(band for band in bands if band.label == "SHARED_INFO")
    assert sum(part.size for part in shared.parts) == shared.size
    tsc = next(band for band in bands if band.label.startswith("X86_TSC_INFO"))
    assert [(part.kind, part.size) for part in tsc.parts] == [("header", 8), ("body", 24)]


def test_a_record_of_4_gib_and_one_of_8_bytes_can_both_be_seen(tmp_path: Path) -> None:
    stream = PV1.read_bytes()
    at = stream.index(struct.pack("<II", 8, 24), 0x800)  # X86_TSC_INFO of the libxc stream
    head = struct.pack("<II", 1, 8) + struct.pack("<Q", 3)
    length = 2**32 - 16
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.write(stream[:at] + struct.pack("<II", 1, length) + head)
        file.seek(at + 8 + length)
        file.write(stream[at:])
    with open(path, "rb") as file:
        report = make_report(FileSource(file))
        page = page_of(report)
    large = next(band for band in report.map.bands if band.label == "PAGE_DATA")
    end = report.map.bands[-1]
    assert large.size == 2**32 - 8
    assert end.label == "END"
    assert end.height >= 20
    assert large.height > 3 * end.height
    assert large.strip_height > 0.99 * report.map.height
    assert [part.kind for part in large.parts] == ["header", "body", "pages"]
    assert len(page.html) < 1_000_000
    assert "bytes of pages are not in this report" in page.html


def test_more_bands_than_fit_share_them() -> None:
    builder = ImageBuilder().start()
    for number in range(2000):
        builder.record(3 if number % 2 else 2, number, b"12345678")
    report = make_report(builder.end().build(), judged=False)
    assert report.map.merged
    assert len(report.map.bands) <= MAX_BANDS
    assert sum(band.count for band in report.map.bands) == 2002
    assert mapped(page_of(report)) == 2002


# -------------------------------------------------------------------------------- graphs, charts


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


# ----------------------------------------------------------------------------------------- limits


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


def test_no_record_at_all_is_a_page_too() -> None:
    page = page_of(make_report(PV1.read_bytes(), limit=0))
    assert not cards(page)
    assert mapped(page) == 16


def test_a_choice_of_records() -> None:
    page = page_of(make_report(PV1.read_bytes(), keep=lambda record: record.name == "SHARED_INFO"))
    assert [each.find("h4")[0].text for each in cards(page)] == ["SHARED_INFO"]
    assert mapped(page) == 16
    assert "1 of 16 records were asked for" in words(page)


# ------------------------------------------------------------------------------------- the hostile


def test_what_is_hostile_stays_text() -> None:
    page = page_of(make_report(nasty_image(), HOSTILE))
    assert len(page.find("script")) == 1
    assert not page.find("img")
    assert "alert(" not in page.by_tag("script")
    assert "{{ 7 * 7 }}" in page.by_tag("h1")
    assert "49" not in page.by_tag("h1")
    for unseen in ("\x00", "\u202e", "\ud800"):
        assert unseen not in page.html
    texts = page.by_tag("h1"), card(page, "<img/src=x>\"'[1]").text
    for text in texts:
        assert HOSTILE.replace("\x00", "\ufffd").replace("\u202e", "\ufffd") in text
    page.html.encode()


def test_a_parser_that_forgives_reads_the_same_elements() -> None:
    class Forgiving(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append((tag, {name: value or "" for name, value in attrs}))

    for report in (make_report(PV1.read_bytes()), make_report(nasty_image(), HOSTILE)):
        seen: list[tuple[str, dict[str, str]]] = []
        page = page_of(report)
        Forgiving().feed(page.html)
        assert seen == [
            (each.tag, {name.lower(): value for name, value in each.attributes.items()})
            for each in page.elements
        ]


def test_only_the_pages_own_style_and_script_may_run() -> None:
    page = page_of(make_report(PV1.read_bytes()))
    (policy,) = (
        each.attributes["content"]
        for each in page.find("meta")
        if each.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none';")
    for tag in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.by_tag(tag).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


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


# ------------------------------------------------------------------------------------- two images


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


# ------------------------------------------------------------------------------------ the command


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    path = tmp_path / "damaged.img"
    path.write_bytes(ImageBuilder().start().build() + b"\0\0\0")
    return path


def test_the_command_writes_a_page_and_tells_of_errors(
    domctx_cli: CommandRunner, tmp_path: Path, damaged: Path
) -> None:
    page = tmp_path / "page.html"
    assert domctx_cli("report", PV1, "-o", page).status == 0
    assert Page(page.read_text()).by_tag("h1") == "pv1.save.no-pages"
    ran = domctx_cli("report", damaged, "-o", page)
    assert (ran.status, ran.out, ran.err) == (1, "", "")
    assert "truncated-header" in Page(page.read_text()).by_id["findings"].text


def test_the_page_on_standard_output(domctx_cli: CommandRunner) -> None:
    ran = domctx_cli("report", PV1, "-o", "-", "--type", "0x8", "--limit", "5")
    page = Page(ran.out)
    assert ran.status == 0
    assert [each.find("h4")[0].text for each in cards(page)] == ["X86_TSC_INFO"]


def test_a_pipe_as_input_and_an_image_to_compare(
    domctx_cli: CommandRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    with open(writer, "wb") as file:
        file.write(PV1.read_bytes())
    with open(reader) as file:
        monkeypatch.setattr(sys, "stdin", file)
        ran = domctx_cli("report", "-", "-o", tmp_path / "page.html", "--against", PV2)
    assert ran.status == 0
    page = Page((tmp_path / "page.html").read_text())
    assert page.by_tag("h1") == "standard input"
    assert "pv2l.save.no-pages" in page.by_id["differences"].text


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["no-such-image", "-o", "page.html"], 3, "No such file"),
        (["IMAGE"], 2, "--output"),
        (["IMAGE", "-o", "IMAGE"], 2, "would take the place of"),
        (["IMAGE", "-o", "page.html", "--type", "TSC_INF"], 2, "did you mean"),
        (["IMAGE", "-o", "no/such/folder.html"], 3, "cannot write"),
        (["IMAGE", "-o", "page.html", "--against", "nothing"], 3, "No such file"),
    ],
)
def test_what_cannot_be_done_leaves_no_page(
    domctx_cli: CommandRunner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    status: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    image = tmp_path / "an.img"
    image.write_bytes(channel_image(1))
    before = image.read_bytes()
    ran = domctx_cli("report", *(str(image) if each == "IMAGE" else each for each in arguments))
    assert ran.status == status
    assert said in ran.err
    assert not (tmp_path / "page.html").exists()
    assert image.read_bytes() == before


def test_nobody_pays_for_templates_who_writes_no_report() -> None:
    code = (
        "import sys; from domctx_core.cli import main; main(['verify', sys.argv[1]]);"
        "from domctx_core import Report;"
        "sys.exit('jinja2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, PV1], capture_output=True)
    assert done.returncode == 0, done.stderr


# ----------------------------------------------------------------------------------- how it looks

READ = [
    *(
        (ink, paper)
        for ink in ("ink", "dim", "accent")
        for paper in ("page", "panel", "accent-soft")
    ),
    *((ink, paper) for ink in ("ink", "dim") for paper in ("band", "band-unknown", "error-soft")),
    *((kind, f"{kind}-soft") for kind in ("error", "warning", "note", "good")),
    *(("page", kind) for kind in ("error", "warning", "note")),
    ("mark-ink", "mark"),
    ("band-container-ink", "band-container"),
    ("warning", "panel"),
]


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "paper"])
def test_text_can_be_read_on_what_is_behind_it(theme: int) -> None:
    style = page_of(make_report(b"")).by_tag("style")
    themes = [dict(re.findall(r"--([\w-]+): (#\w+)", each)) for each in style.split(":root {")[1:]]
    assert len(themes) == 3
    colors = themes[0] | themes[theme]
    for ink, paper in READ:
        light, dark = sorted((luminance(colors[ink]), luminance(colors[paper])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, paper)


def luminance(color: str) -> float:
    """The relative luminance of a colour, as the guidelines for accessible pages define it."""
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_reader_without_eyes_finds_the_way() -> None:
    page = page_of(make_report(channel_image(3), against=channel_image(4)))
    levels = [int(each.tag[1]) for each in page.elements if re.fullmatch(r"h[1-6]", each.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert {"header", "nav", "main", "footer"} <= {each.tag for each in page.elements}
    for each in page.elements:
        if each.tag == "th":
            assert each.attributes["scope"] in ("col", "row", "colgroup")
        if each.tag == "svg":
            assert "aria-hidden" in each.attributes or each.attributes["aria-label"]
        if "tabindex" in each.attributes:
            assert each.attributes["aria-label"]
            assert each.attributes["role"] in ("region", "group")
        if each.tag == "a":
            assert each.words or each.inside(page.find("main")[0])
