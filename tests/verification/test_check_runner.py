"""What a check is told of its container, and that `verify` and `load` tell it the same."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import ClassVar

import pytest
from support import THIRD, LoggedDomain, formats, image, rec, registry, start, tsc

from domctx_core import (
    Body,
    BufferSource,
    ByteOrder,
    Check,
    Container,
    Content,
    Empty,
    Errno,
    Finding,
    Format,
    Formats,
    Framing,
    ImageError,
    LoadContext,
    LoadOps,
    MemoryLoadOps,
    PluginError,
    Problem,
    RecordType,
    RecordView,
    Rule,
    Severity,
    load_domain,
    u16,
    u32,
    verify,
)

RULE = Rule("test/rule", Severity.ERROR, Errno.EBUSY, "s", "m", "a", "e")


class CaseHeader(Body, byteorder="big"):
    """What a case begins with."""

    magic: int = u32()
    version: int = u16()
    width: int = u16()


class CaseRecord(Body, byteorder="big"):
    """A record header."""

    type: int = u32()
    length: int = u32()


class Case(Format):
    """Made up: a header of 8 bytes, then records up to type 0."""

    name = "case"
    header = CaseRecord

    def recognises(self, head: bytes) -> bool:
        return head.startswith(b"CASE")

    def byteorder(self, head: bytes) -> ByteOrder:
        return "big"

    def prologue(self, bodies: Sequence[Body]) -> tuple[type[Body], int] | None:
        return None if bodies else (CaseHeader, 8)

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        first = bodies[0]
        assert isinstance(first, CaseHeader)
        return Framing("big", first.version)


class Number(Body):
    """One number."""

    value: int = u32(maximum=100)


class Last(RecordType[Empty]):
    code, name, body = 0, "LAST", Empty


class Numbered(RecordType[Number]):
    """A number, and right after it a domain context."""

    code, name, body = 1, "NUMBERED", Number
    content = Content("domain-context", inline=True)


class Pages(RecordType[Number]):
    code, name, body = 2, "PAGES", Number
    bulk = True


def known() -> Formats:
    made = formats()
    made.add("case", THIRD, Case)
    for each in (Last, Numbered, Pages):
        made.registry("case").register(each, THIRD)
    return made


def crec(type: int, body: bytes = b"") -> bytes:
    return struct.pack(">II", type, len(body)) + body + bytes(-len(body) % 8)


def case(*records: bytes) -> bytes:
    return struct.pack(">4sHH", b"CASE", 7, 4) + b"".join(records) + crec(0)


class Told(Check):
    """Remembers what it was told."""

    rules: ClassVar[tuple[Rule, ...]] = (RULE,)
    told: ClassVar[list[Container]]

    def begin(self, container: Container) -> Iterable[Problem]:
        self.told.append(container)
        return ()


class Outer(Told):
    """Of a case."""

    format = "case"
    codes: ClassVar[frozenset[int]] = frozenset({0, 1, 2})

    def __init__(self) -> None:
        self.seen: list[RecordView] = []

    def record(self, seen: RecordView) -> Iterable[Problem]:
        self.seen.append(seen)
        return ()


class Inner(Told):
    """Of a domain context, which knows the case around it."""

    codes: ClassVar[frozenset[int]] = frozenset({1})

    def __init__(self) -> None:
        self.around: Outer | None = None

    def begin(self, container: Container) -> Iterable[Problem]:
        super().begin(container)
        self.around = container.outer.find(Outer) if container.outer else None
        return ()

    def record(self, seen: RecordView) -> Iterable[Problem]:
        if self.around is not None:
            yield Problem("test/rule", f"after {len(self.around.seen)} records of the case", 4)


@pytest.fixture(autouse=True)
def _forget() -> None:
    Outer.told, Inner.told = [], []


def judged(data: bytes, *checks: type[Check]) -> list[Finding]:
    return list(verify(BufferSource(data), known(), checks=checks).findings)


def test_a_check_is_told_of_its_container_and_of_those_around() -> None:
    data = case(crec(2, bytes(8)), crec(1, struct.pack(">I", 5)), image(rec(3, 0, tsc())))
    (found,) = judged(data, Outer, Inner)
    (outer,), (inner,) = Outer.told, Inner.told
    assert (outer.path, outer.offset, outer.version, outer.byteorder) == (("case",), 0, 7, "big")
    (header,) = outer.prologue
    assert isinstance(header, CaseHeader)
    assert header.width == 4
    assert (outer.outer, outer.within) == (None, None)
    assert inner.path == ("case", "domain-context")
    assert (inner.offset, inner.version, inner.byteorder) == (8 + 16 + 16, 1, "little")
    assert inner.prologue == ()
    assert inner.outer is outer
    assert inner.within is not None
    assert (inner.within.index, inner.within.name, inner.within.offset) == (1, "NUMBERED", 24)
    assert inner.within.body == Number(value=5)
    assert found.message == "after 2 records of the case"
    assert (found.offset, found.container) == (inner.offset + 16 + 4, inner.path)


def test_a_check_that_is_not_there_is_not_found() -> None:
    data = case(crec(1, struct.pack(">I", 5)), image())
    assert judged(data, Inner) == []
    (inner,) = Inner.told
    assert inner.outer is not None
    assert inner.outer.find(Outer) is None


def test_each_container_has_checks_of_its_own() -> None:
    part = crec(1, bytes(4)) + image()
    messages = [f.message for f in judged(case(part, part), Outer, Inner)]
    assert messages == [f"after {n} records of the case" for n in (1, 2)]
    assert len(Outer.told) == 1
    assert len(Inner.told) == 2


def test_records_without_a_body_are_seen_too() -> None:
    data = case(crec(2, bytes(400)), crec(1, b"\1"), image())
    Outer.told = []
    judged(data, Outer)
    outer = Outer.told[0].find(Outer)
    assert outer is not None
    assert [(s.code, s.length, s.body) for s in outer.seen] == [
        (2, 400, None), (1, 1, None), (0, 0, Empty()),
    ]  # fmt: skip


# ----------------------------------------------------------------------------------- as load does


class Refusing(Check):
    """Has something against every domain context, before its first record."""

    rules: ClassVar[tuple[Rule, ...]] = (RULE,)
    seen: ClassVar[list[Container]] = []

    def begin(self, container: Container) -> Iterable[Problem]:
        self.seen.append(container)
        yield Problem("test/rule", "no such image", 16, expected="another")


def refusal(data: bytes, check: type[Check]) -> ImageError:
    domain = LoggedDomain(registry())
    with pytest.raises(ImageError) as caught:
        load_domain(domain, MemoryLoadOps(data), registry(), checks=[check()])
    assert domain.log == []
    return caught.value


def test_verify_and_load_begin_alike() -> None:
    error = refusal(image(), Refusing)
    (found,) = judged(image(), Refusing)
    for said in (error, found):
        assert (said.rule, said.errno, said.offset, said.record) == (
            "test/rule", Errno.EBUSY, 16, None,
        )  # fmt: skip
        assert (said.message, said.expected) == ("no such image", "another")
    loaded, verified = Refusing.seen
    for name in ("path", "offset", "version", "byteorder", "prologue", "outer", "within"):
        assert getattr(loaded, name) == getattr(verified, name)
    assert loaded.find(Refusing) is not None


def test_a_problem_at_the_end_without_a_record_lies_at_the_container_in_both() -> None:
    class Late(Check):
        rules: ClassVar[tuple[Rule, ...]] = (RULE,)

        def end(self) -> Iterable[tuple[RecordView | None, Problem]]:
            yield None, Problem("test/rule", "something is missing")

    assert refusal(image(), Late).offset == judged(image(), Late)[0].offset == 0


def test_a_check_that_cannot_begin_is_asked_nothing_more() -> None:
    class Broken(Check):
        codes: ClassVar[frozenset[int]] = frozenset({0, 1})

        def begin(self, container: Container) -> Iterable[Problem]:
            raise LookupError("oops")

        def record(self, seen: RecordView) -> Iterable[Problem]:
            raise AssertionError("it did not begin")

    verdict = verify(BufferSource(image()), known(), checks=[Broken])
    (found,) = verdict.findings
    assert verdict.needs_plugin
    assert found.rule == "needs-plugin"
    assert "Broken raised LookupError: oops" in found.message
    with pytest.raises(PluginError, match="Broken raised LookupError"):
        load_domain(LoggedDomain(registry()), MemoryLoadOps(image()), registry(), checks=[Broken()])


def test_a_load_piece_by_piece_is_seen_without_a_body() -> None:
    class Piecewise(RecordType[Number]):
        code, name, body = 0x100, "PIECES", Number

        def load(self, domain: object, context: LoadContext) -> None:
            context.begin(self.code)
            context.data(context.length)
            context.end()

    class Watching(Check):
        codes: ClassVar[frozenset[int]] = frozenset({0x100})
        bodies: ClassVar[list[Body | None]] = []

        def record(self, seen: RecordView) -> Iterable[Problem]:
            self.bodies.append(seen.body)
            return ()

    ops: LoadOps = MemoryLoadOps(start() + rec(0x100, 0, bytes(4)) + rec(0, 0, b""))
    known = registry([Piecewise])
    load_domain(LoggedDomain(known), ops, known, checks=[Watching()])
    assert Watching.bodies == [None]
