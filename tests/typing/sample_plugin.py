"""A plugin as a third party writes it; checked by `mypy --strict`, and imported by a test."""

from collections.abc import Iterable
from enum import IntEnum, IntFlag
from typing import ClassVar

from domctx_core import (
    ANY,
    Bits,
    Body,
    Check,
    CheckDeclaration,
    Domain,
    Instances,
    LoadContext,
    Observer,
    ObserverDeclaration,
    Problem,
    RecordType,
    RecordTypeDeclaration,
    RecordView,
    Rule,
    SaveContext,
    Severity,
    array,
    bitmap,
    blob,
    count_of,
    hookimpl,
    optional,
    reserved,
    u16,
    u32,
    u64,
)


class Mode(IntEnum):
    """How it is."""

    OFF = 0
    ON = 1


class Flags(IntFlag):
    """What it has."""

    LARGE = 1


class Sample(Body):
    """Fields of every kind that an author is likely to want."""

    mode: Mode = u32(doc="how it is")
    flags: Flags = u16(doc="what it has")
    _pad = reserved(2)
    count: int = count_of("frames", doc="number of frames")
    ports: Bits = bitmap(8, doc="ports in use")
    frames: list[int] = array(u64(), "count", default=[], doc="guest frames")
    note: bytes | None = optional(blob(4), default=None, doc="a note")

    def check(self) -> Iterable[Problem]:
        if self.mode is Mode.OFF and self.frames:
            yield Problem("field-out-of-range", "frames without the mode", field="frames")


class SampleRecord(RecordType[Sample]):
    """A record type with handlers of its own."""

    code = 0x4711
    name = "SAMPLE"
    body = Sample
    instances: ClassVar[Instances] = ANY

    def save(self, domain: Domain, context: SaveContext) -> None:
        for instance in domain.instances(Sample):
            context.write(instance, domain.read(Sample, instance))

    def load(self, domain: Domain, context: LoadContext) -> None:
        instance, sample = context.read(self)
        mode: Mode = sample.mode
        ports: Bits = sample.ports
        domain.write(Sample, instance, sample.replace(mode=mode, ports=ports.clear(0)))


class SampleCheck(Check):
    """A check with a rule of its own."""

    codes: ClassVar[frozenset[int]] = frozenset({0x4711})
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("sample/odd", Severity.WARNING, None, "odd", "It is odd.", "Even it.", "1"),
    )

    def record(self, seen: RecordView) -> Iterable[Problem]:
        if isinstance(seen.body, Sample) and seen.body.count % 2:
            yield Problem("sample/odd", "an odd number of frames", field="count")


@hookimpl
def domctx_record_types() -> list[RecordTypeDeclaration]:
    return [RecordTypeDeclaration(SampleRecord)]


@hookimpl
def domctx_checks() -> list[CheckDeclaration]:
    return [CheckDeclaration(SampleCheck)]


@hookimpl
def domctx_observers() -> list[ObserverDeclaration]:
    return [ObserverDeclaration(Observer)]
