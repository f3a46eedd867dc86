"""The standard tests that an author inherits."""

from __future__ import annotations

import pytest
from gauge_records import Gauge, GaugeRecord

from domctx_core import RecordType
from domctx_core.authoring.subject import Nonconformity
from domctx_core.testing import RecordTypeConformance, Subject, subject_of


class TestGauge(RecordTypeConformance):
    record_type = GaugeRecord


class Silent(RecordType[Gauge]):
    code, name, body = 0x1234, "SILENT", Gauge


class TestSilent(RecordTypeConformance):
    record_type = Silent

    @pytest.mark.xfail(reason="the record type has no docstring", raises=Nonconformity)
    def test_documentation(self, subject: Subject) -> None:
        RecordTypeConformance.test_documentation(self, subject)


def test_a_standard_test_cannot_be_dropped() -> None:
    def overridden(self: object, subject: Subject) -> None:
        pass

    with pytest.raises(TypeError, match=r"^Dropped\.test_runs replaces a standard test"):
        type("Dropped", (RecordTypeConformance,), {"test_runs": overridden})
    unexplained = pytest.mark.xfail(overridden)
    with pytest.raises(TypeError, match=r"mark it with pytest\.mark\.xfail\(reason="):
        type("Dropped", (RecordTypeConformance,), {"test_runs": unexplained})
    with pytest.raises(TypeError, match="replaces a standard test"):
        type("Dropped", (RecordTypeConformance,), {"test_runs": None})


def test_a_test_of_another_name_may_be_added() -> None:
    added = type("More", (RecordTypeConformance,), {"test_more": lambda self: None})
    assert hasattr(added, "test_more")


def test_a_subject_has_its_type_in_a_registry() -> None:
    subject = subject_of(GaugeRecord, dist="acme")
    entry = subject.registry.get(0x1234)
    assert entry is not None
    assert (entry.record_type, str(entry.provider)) == (subject.record_type, "acme 0")
    assert (subject.dist, subject.format) == ("acme", "domain-context")
    assert subject.registry.find("START") is not None


def test_a_code_of_another_type_is_refused() -> None:
    class Start(GaugeRecord):
        """Takes the code of START."""

        code, name = 1, "MINE"

    with pytest.raises(TypeError, match=r"type code 1 belongs to .* of domctx-core"):
        subject_of(Start)
