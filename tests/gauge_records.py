"""A record type that conforms, for tests of the requirements: each test breaks it in one respect."""

from __future__ import annotations

from typing import Any

from support import registry

from domctx_core import ANY, Body, RecordType, reserved, u32
from domctx_core.authoring.subject import Subject

__all__ = ["Gauge", "GaugeRecord", "sample_subject"]


class Gauge(Body):
    """What a gauge shows."""

    value: int = u32(doc="the value", maximum=1000)
    rest = reserved(4)


class GaugeRecord(RecordType[Gauge]):
    """A gauge of the domain."""

    code, name, body, instances = 0x1234, "GAUGE", Gauge, ANY


def sample_subject(record_type: type[RecordType[Any]], *earlier: type[RecordType[Any]]) -> Subject:
    """Return a record type as a subject, in a registry with START, END and `earlier`."""
    return Subject(record_type(), registry([*earlier, record_type]))
