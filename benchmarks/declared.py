"""The record types of the made-up images, declared to domctx as any plugin would."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, ClassVar

from benchmarks.codes import BLOB, CLOCK, FLAGS, SMALL, WIDE
from domctx_core import (
    Body,
    Domain,
    DomainContext,
    Formats,
    Host,
    LoadContext,
    Provider,
    RecordType,
    SaveContext,
    blob,
    reserved,
    u16,
    u32,
    u64,
)

__all__ = ["Small", "formats", "one_by_one"]


class Mode(IntEnum):
    """Three values and no more."""

    OFF = 0
    ON = 1
    AUTO = 2


class Small(Body):
    """16 bytes with an enumeration, a range and reserved bytes."""

    mode: Mode = u32()
    level: int = u16(maximum=1000)
    pad = reserved(2)
    ticks: int = u64()


class Clock(Body):
    """20 bytes, so that a record has padding."""

    mode: Mode = u32()
    khz: int = u32()
    nsec: int = u64()
    incarnation: int = u32()


class Flags(Body):
    """8 bytes."""

    flags: int = u32(maximum=7)
    value: int = u32()


class Wide(Body):
    """32 bytes without any rule."""

    a: int = u64()
    b: int = u64()
    c: int = u64()
    d: int = u64()


class Blob(Body):
    """Whatever it is."""

    data: bytes = blob()


class SmallRecord(RecordType[Small]):
    """The uniform images' only type."""

    code, name, body = SMALL, "SMALL", Small


class ClockRecord(RecordType[Clock]):
    """The second of the interleaved types."""

    code, name, body = CLOCK, "CLOCK", Clock


class FlagsRecord(RecordType[Flags]):
    """The third."""

    code, name, body = FLAGS, "FLAGS", Flags


class WideRecord(RecordType[Wide]):
    """The fourth."""

    code, name, body = WIDE, "WIDE", Wide


class BlobRecord(RecordType[Blob]):
    """The large records."""

    code, name, body = BLOB, "BLOB", Blob
    bulk: ClassVar[bool | str] = True


class OneByOne(SmallRecord):
    """The uniform type with handlers of its own, written as one does at first."""

    def save(self, domain: Domain, context: SaveContext) -> None:
        """One call a record."""
        for instance in domain.instances(Small):
            context.write(instance, domain.read(Small, instance))

    def load(self, domain: Domain, context: LoadContext) -> None:
        """One call a record."""
        instance, body = context.read(self)
        domain.write(Small, instance, body)


def _with(*types: type[RecordType[Any]]) -> Formats:
    formats = Host().formats
    for each in types:
        formats.registry(DomainContext.name).register(each, Provider("benchmarks", "0"))
    return formats


def formats() -> Formats:
    """All that is installed, and the types above."""
    return _with(SmallRecord, ClockRecord, FlagsRecord, WideRecord, BlobRecord)


def one_by_one() -> Formats:
    """The uniform type with handlers of its own."""
    return _with(OneByOne)
