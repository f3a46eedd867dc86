"""Pages as a whole: every image has one, hostile content stays text, and it is accessible."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import INPUTS
from report_pages import (
    HOSTILE,
    PV1,
    Page,
    channel_image,
    make_report,
    nasty_image,
    page_of,
    read,
)
from report_parts import card, cards, errors, mapped

from domctx_core import (
    Image,
)
from domctx_core.images.tree import RecordNode
from domctx_core.testing import ImageBuilder


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


@settings(max_examples=40)
@given(st.binary(max_size=400))
def test_any_bytes_have_a_page(data: bytes) -> None:
    page_of(make_report(data))
    page_of(make_report(ImageBuilder().start().raw(data).end().build()))


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
