"""Record types whose layout records before them decide: walker, engine, tools, declarations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from support import THIRD, Drip, formats, image, rec

from domctx_core import (
    Body,
    BufferSource,
    DeclarationError,
    FileSource,
    Guest,
    LoadContext,
    MemoryLoadOps,
    PluginError,
    Record,
    RecordType,
    Registry,
    load_domain,
    u16,
    u32,
    verify,
    walk,
)
from domctx_core.authoring.subject import Nonconformity, Subject
from domctx_core.authoring.type_requirements import dependence
from domctx_core.engine.sim_domain import SimDomain
from domctx_core.model.domain import Domain


class Width(Body):
    """How wide the numbers are."""

    width: int = u32(doc="bytes of a number")


class Raw(Body):
    """Four bytes that nobody can split."""

    both: int = u32(doc="two numbers or one")


class Narrow(Body):
    """Two numbers."""

    low: int = u16(doc="the first")
    high: int = u16(doc="the second")


class WidthRecord(RecordType[Width]):
    """Decides."""

    code, name, body = 0x200, "WIDTH", Width
    remembered: ClassVar[bool] = True


class NumbersRecord(RecordType[Body]):
    """Depends on it."""

    code, name, body = 0x201, "NUMBERS", Raw
    depends: ClassVar[tuple[int, ...]] = (0x200,)
    bodies: ClassVar[tuple[type[Body], ...]] = (Narrow,)

    def body_for(self, earlier: Mapping[int, Body]) -> type[Body]:
        match earlier.get(0x200):
            case Width(width=2):
                return Narrow
            case Width(width=13):
                raise RuntimeError("an unlucky number")
            case Width(width=14):
                return Width
        return Raw


def context(*widths: int) -> bytes:
    """A domain context with WIDTH records, then NUMBERS."""
    records = [rec(0x200, n, width.to_bytes(4, "little")) for n, width in enumerate(widths)]
    return image(*records, rec(0x201, 0, b"\1\0\2\0"))


def numbers(data: bytes, *, pipe: bool = False) -> Record:
    source = FileSource(Drip(data), stream=True) if pipe else BufferSource(data)
    found = None
    for event in walk(source, formats([WidthRecord, NumbersRecord])):
        if isinstance(event, Record) and event.type == 0x201:
            event.decoded  # noqa: B018  # a pipe has it now
            found = event
    assert found is not None
    return found


@pytest.mark.parametrize("pipe", [False, True])
@pytest.mark.parametrize(
    ("widths", "kind"), [((2,), Narrow), ((4,), Raw), ((), Raw), ((2, 4), Raw), ((4, 2), Narrow)]
)
def test_the_latest_body_decides(widths: tuple[int, ...], kind: type[Body], pipe: bool) -> None:
    record = numbers(context(*widths), pipe=pipe)
    assert record.decoded is not None
    assert type(record.decoded.body) is kind
    assert record.body_class is kind


@pytest.mark.parametrize(("width", "what"), [(13, "an unlucky number"), (14, "not declared")])
def test_a_choice_that_fails_is_the_plugins_fault(width: int, what: str) -> None:
    data = context(width)
    record = numbers(context(2))
    assert record.decoded is not None
    verdict = verify(BufferSource(data), formats([WidthRecord, NumbersRecord]))
    (finding,) = [each for each in verdict.findings if each.rule == "needs-plugin"]
    assert what in finding.message
    assert "NUMBERS" in finding.message
    assert verdict.needs_plugin
    records = walk(BufferSource(data), formats([WidthRecord, NumbersRecord]))
    (found,) = [e for e in records if isinstance(e, Record) and e.type == 0x201]
    with pytest.raises(PluginError, match=what):
        found.decoded  # noqa: B018


def test_a_million_of_them_take_no_more_room_than_one() -> None:
    data = context(*[2] * 1000)
    levels = {e.level for e in walk(BufferSource(data), formats([WidthRecord, NumbersRecord]))
              if isinstance(e, Record)}  # fmt: skip
    assert [list(level.remembered) for level in levels] == [[0x200]]


class Kept(NumbersRecord):
    """Takes its body over under one class, as a domain keeps it."""

    def load(self, domain: Domain, context: LoadContext) -> None:
        instance, body = context.read(self)
        both = body.both if isinstance(body, Raw) else body.low + body.high  # type: ignore[attr-defined]
        domain.write(Raw, instance, Raw(both=both))


@pytest.mark.parametrize(("width", "both"), [(2, 3), (4, 0x20001)])
def test_a_load_decodes_it_the_same_way(width: int, both: int) -> None:
    registry = formats([WidthRecord, Kept]).registry("domain-context")
    domain = SimDomain(registry, guest=Guest())
    load_domain(domain, MemoryLoadOps(context(width)), registry)
    assert domain.read(Raw).both == both


def test_the_registry_finds_a_type_by_any_of_its_bodies() -> None:
    registry = formats([WidthRecord, NumbersRecord]).registry("domain-context")
    for body in (Raw, Narrow):
        entry = registry.find_body(body)
        assert entry is not None
        assert entry.name == "NUMBERS"


def test_bodies_that_nothing_chooses_from_are_refused() -> None:
    class Wrong(NumbersRecord):
        depends = ()

    with pytest.raises(DeclarationError, match="`depends` is empty"):
        Registry().register(Wrong, THIRD)


class Forgetful(WidthRecord):
    remembered = False


class Never(NumbersRecord):
    def body_for(self, earlier: Mapping[int, Body]) -> type[Body]:
        return Raw


class Unknown(NumbersRecord):
    depends = (0x999,)


class Unlucky(NumbersRecord):
    def body_for(self, earlier: Mapping[int, Body]) -> type[Body]:
        return earlier[0x200].anything  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize(
    ("decides", "depends", "what"),
    [
        (Forgetful, NumbersRecord, "WIDTH, which is not `remembered`"),
        (WidthRecord, Never, "selects Narrow"),
        (WidthRecord, Unknown, "0x999|2457"),
        (WidthRecord, Unlucky, "raises KeyError"),
    ],
)
def test_conformance_holds_the_two_against_each_other(
    decides: Any, depends: Any, what: str
) -> None:
    registry = formats([decides, depends]).registry("domain-context")
    with pytest.raises(Nonconformity, match=what):
        dependence(Subject(depends(), registry))


def test_types_shows_every_layout(domctx_cli: Any) -> None:
    pytest.importorskip("domctx_plugin_xen_streams")
    document = domctx_cli("types", "--layout", "--json").json
    (row,) = [t for t in document["types"] if (t["format"], t["code"]) == ("libxc", 7)]
    assert [field["name"] for field in row["layout"]] == ["page"]
    assert row["depends"] == ["X86_PV_INFO"]
    assert [(v["name"], v["size"]) for v in row["variants"]] == [
        ("SharedInfoPage64", 4096), ("SharedInfoPage32", 4096),
    ]  # fmt: skip
    assert row["variants"][1]["fields"][1]["offset"] == 2344
    others = [t for t in document["types"] if "variants" in t]
    assert others == [row]
    text = domctx_cli("types", "--layout").out
    assert "SharedInfoPage32, where X86_PV_INFO before it says so:" in text
