"""Reports as tests read them: the page parsed strictly, and what is in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from html.parser import HTMLParser

from domctx_core import (
    BufferSource,
    Check,
    Formats,
    Image,
    Record,
    Report,
    Rule,
    Source,
    Verifier,
    diff_images,
    read_image,
    render_report,
)
from domctx_core.host import Host
from domctx_core.report.model import LIMIT

VOID = {"meta", "input", "br", "link", "img", "hr"}


@cache
def known() -> tuple[Formats, tuple[type[Check], ...], tuple[Rule, ...]]:
    """The formats and checks of all that is installed, with the checks' rules."""
    host = Host()
    checks = tuple(host.checks())
    return host.formats, checks, tuple(rule for check in checks for rule in check.rules)


def read(data: bytes | Source, *, judged: bool = True) -> Image:
    formats, checks, _ = known()
    source = data if isinstance(data, Source) else BufferSource(data)
    return read_image(source, formats, verifier=Verifier(checks=checks) if judged else None)


def make_report(
    data: bytes | Source | Image,
    name: str = "an image",
    *,
    keep: Callable[[Record], bool] | None = None,
    limit: int = LIMIT,
    against: bytes | None = None,
    judged: bool = True,
) -> Report:
    image = data if isinstance(data, Image) else read(data, judged=judged)
    other = None if against is None else ("the other", diff_images(image, read(against)))
    return Report(image, name, rules=known()[2], keep=keep, limit=limit, against=other)


class Element:
    """An element of a page."""

    def __init__(self, tag: str, attributes: dict[str, str], parent: Element | None) -> None:
        self.tag = tag
        self.attributes = attributes
        self.parent = parent
        self.children: list[Element | str] = []

    def __iter__(self) -> Iterator[Element]:
        """The element and all inside it, in order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child

    @property
    def text(self) -> str:
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    @property
    def words(self) -> str:
        """The text with blanks as a reader sees them."""
        return " ".join(self.text.split())

    @property
    def classes(self) -> set[str]:
        return set(self.attributes.get("class", "").split())

    def find(self, tag: str | None = None, cls: str | None = None) -> list[Element]:
        return chosen(self, tag, cls)

    def inside(self, other: Element) -> bool:
        at: Element | None = self
        while at is not None and at is not other:
            at = at.parent
        return at is other


def chosen(elements: Iterable[Element], tag: str | None, cls: str | None) -> list[Element]:
    """The elements with this tag and class."""
    return [
        each
        for each in elements
        if (tag is None or each.tag == tag) and (cls is None or cls in each.classes)
    ]


class Page(HTMLParser):
    """A page that is well formed, or an `AssertionError`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.html = text
        self.root = self.at = Element("", {}, None)
        self.elements: list[Element] = []
        self.feed(text)
        self.close()
        assert self.at is self.root, f"<{self.at.tag}> is not closed"
        self.by_id: dict[str, Element] = {}
        for element in self.elements:
            id = element.attributes.get("id")
            if id is not None:
                assert id not in self.by_id, f"two elements have the id {id}"
                self.by_id[id] = element

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), attrs
        element = Element(tag, {name: value or "" for name, value in attrs}, self.at)
        self.at.children.append(element)
        self.elements.append(element)
        if tag not in VOID:
            self.at = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.at.tag, f"</{tag}> closes <{self.at.tag}>"
        assert self.at.parent is not None
        self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        self.at.children.append(data)

    def find(self, tag: str | None = None, cls: str | None = None) -> list[Element]:
        return chosen(self.elements, tag, cls)

    def bytes_of(self, id: str) -> bytes:
        """The bytes that a piece of a dump shows."""
        return bytes.fromhex(self.by_id[id].text)

    def check(self) -> None:
        """What holds of every report: links that lead somewhere, and nothing from elsewhere."""
        for element in self.elements:
            for name, value in element.attributes.items():
                assert not name.startswith("on"), f"<{element.tag} {name}>"
                assert name not in ("src", "style", "action", "srcset", "data", "poster"), name
                if name == "href":
                    assert value.startswith("#"), value
                    assert value[1:] in self.by_id, f"{value} leads nowhere"
                if name == "aria-labelledby":
                    assert value in self.by_id
            assert element.tag not in ("iframe", "object", "embed", "link", "base", "form", "img")
        for text in re.findall(r"url\(|@import", self.by_tag("style")):
            raise AssertionError(text)

    def by_tag(self, tag: str) -> str:
        (only,) = self.find(tag)
        return only.text


def page_of(report: Report) -> Page:
    page = Page("".join(render_report(report)))
    page.check()
    return page
