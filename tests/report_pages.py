"""Reports as tests read them: the page parsed strictly, and what is in it."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from html import unescape

from environments import ROOT

from domctx_core import (
    Body,
    BufferSource,
    Check,
    DomainContext,
    EndRecord,
    Formats,
    Image,
    Link,
    Provider,
    Record,
    RecordType,
    Report,
    Source,
    StartRecord,
    Verifier,
    blob,
    diff_images,
    read_image,
    render_report,
    u32,
)
from domctx_core.host.host import Host
from domctx_core.report.model import LIMIT
from domctx_core.testing import ImageBuilder

VOID = {"meta", "input", "br", "link", "img", "hr"}


@cache
def known() -> tuple[Formats, tuple[type[Check], ...]]:
    """The formats and checks of all that is installed."""
    host = Host()
    return host.formats, tuple(host.checks())


def read(data: bytes | Source, *, judged: bool = True) -> Image:
    formats, checks = known()
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
    return Report(image, name, rules=known()[0].rules, keep=keep, limit=limit, against=other)


class Element:
    """An element of a page."""

    def __init__(self, tag: str, attributes: dict[str, str], parent: Element | None) -> None:
        self.tag = tag
        self.attributes = attributes
        self.parent = parent
        self.children: list[Element | str] = []

    def __iter__(self) -> Iterator[Element]:
        """The element and all inside it, in order."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting += [c for c in reversed(element.children) if isinstance(c, Element)]

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


_TOKEN = re.compile(
    r"""<(?P<tag>[a-z][a-z0-9]*)(?P<attributes>(?:\s+[-\w:]+(?:="[^"<>]*")?)*)\s*(?P<closed>/?)>
    |</(?P<end>[a-z][a-z0-9]*)>|(?P<text>[^<]+)|<!doctype\ html>""",
    re.VERBOSE,
)
_RAW = {tag: re.compile(rf"(?P<text>[^<]*(?:<(?!/{tag}>)[^<]*)*)") for tag in ("style", "script")}
_ATTRIBUTE = re.compile(r'([-\w:]+)(?:="([^"]*)")?')


class Page:
    """A page that is well formed, or an `AssertionError`.

    More is demanded than a browser does: quotes around every value, and no `<` or `>` in any.
    """

    def __init__(self, text: str) -> None:
        self.html = text
        self.root = self.at = Element("", {}, None)
        self.elements: list[Element] = []
        self.by_id: dict[str, Element] = {}
        place = 0
        while place < len(text):
            token = _RAW.get(self.at.tag, _TOKEN).match(text, place)
            if token is None or token.end() == place:  # an empty script
                token = _TOKEN.match(text, place)
            assert token is not None, f"no HTML: {text[place : place + 60]!r}"
            self.take(token, raw=self.at.tag in _RAW)
            place = token.end()
        assert self.at is self.root, f"<{self.at.tag}> is not closed"

    def take(self, token: re.Match[str], raw: bool) -> None:
        kind = token.lastgroup
        if kind == "text":
            said = token["text"]
            self.at.children.append(said if raw else unescape(said))
        elif kind == "end":
            assert token["end"] == self.at.tag, f"</{token['end']}> closes <{self.at.tag}>"
            assert self.at.parent is not None
            self.at = self.at.parent
        elif kind is not None:
            self.begin(token["tag"], _ATTRIBUTE.findall(token["attributes"]), token["closed"])

    def begin(self, tag: str, pairs: list[tuple[str, str]], closed: str) -> None:
        attributes = {name: unescape(value) if "&" in value else value for name, value in pairs}
        assert len(attributes) == len(pairs), pairs
        element = Element(tag, attributes, self.at)
        self.at.children.append(element)
        self.elements.append(element)
        if tag not in VOID and not closed:
            self.at = element
        id = attributes.get("id")
        if id is not None:
            assert id not in self.by_id, f"two elements have the id {id}"
            self.by_id[id] = element

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


PV1 = ROOT / "examples/xen-4.17/pv1/pv1.save.no-pages"


HOSTILE = "\"'><img src=x onerror=alert(1)></script><script>alert(2)</script>{{ 7 * 7 }}\x00\u202e"


def channel_image(count: int, code: int = 5) -> bytes:
    """START, that many event channels, or records like them, and END."""
    record = struct.Struct("<IIQIIIBBHIIII")
    builder = ImageBuilder().start()
    rows = (record.pack(code, n, 32, 2, n % 4, 0, 7, 0, 0, 0, n, 0, 0) for n in range(1, count + 1))
    return builder.raw(b"".join(rows)).end().build()


@cache
def crowded_page() -> str:
    """The page of 131,072 records."""
    return "".join(render_report(make_report(channel_image(131_070, 0x5005), judged=False)))


class Nasty(Body):
    value: int = u32(doc=HOSTILE)
    text: bytes = blob(4)

    def summary(self) -> Mapping[str, str]:
        return {HOSTILE: HOSTILE + "\ud800"}


class NastyRecord(RecordType[Nasty]):
    code, name, body = 0x666, "<img/src=x>\"'", Nasty

    def links(self, instance: int | None, body: Nasty) -> Iterable[Link]:
        yield Link(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)


def nasty_image() -> Image:
    provider = Provider(HOSTILE, HOSTILE)
    formats = Formats()
    formats.add("domain-context", provider, DomainContext)
    for each in (StartRecord, EndRecord, NastyRecord):
        formats.registry("domain-context").register(each, provider)
    image = ImageBuilder().start().record(0x666, 1, Nasty(value=1, text=b"<b>&")).end().build()
    return read_image(BufferSource(image + HOSTILE.encode()), formats, verifier=Verifier())
