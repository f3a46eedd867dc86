"""Conformance compares runs with single records."""

from __future__ import annotations

from typing import Any

import pytest
from number_records import (
    EverythingRecord,
    Number,
    NumberRecord,
    OddRecord,
    PairRecord,
    registry_of,
)

from domctx_core import (
    DomainError,
    LoadContext,
    RecordType,
    SaveContext,
)
from domctx_core.authoring.engine_requirements import runs
from domctx_core.authoring.subject import Nonconformity, Subject


def subject(kind: type[RecordType[Any]]) -> Subject:
    return Subject(kind(), registry_of(kind))


class TestConformance:
    def test_what_agrees_conforms(self) -> None:
        for kind in (NumberRecord, PairRecord, EverythingRecord, OddRecord):
            runs(subject(kind))

    def test_a_run_that_is_loaded_otherwise(self) -> None:
        class Lax(NumberRecord):
            def load(self, domain: Any, context: LoadContext) -> None:
                number, body = context.read(self)
                domain.write(Number, number, body.replace(number=0))

            def load_run(self, domain: Any, context: LoadContext, run: Any) -> bool:
                domain.write_run(Number, run)
                return True

        with pytest.raises(Nonconformity, match="taken as a run come to something else"):
            runs(subject(Lax))

    def test_a_run_that_is_not_refused(self) -> None:
        class Lax(NumberRecord):
            def load(self, domain: Any, context: LoadContext) -> None:
                number, body = context.read(self)
                if number >= (domain.guest.vcpus or 99):
                    raise DomainError("no such vCPU")
                domain.write(Number, number, body)

            def load_run(self, domain: Any, context: LoadContext, run: Any) -> bool:
                domain.write_run(Number, run)
                return True

        with pytest.raises(Nonconformity, match="'no error' and 'no such vCPU'"):
            runs(subject(Lax))

    def test_a_run_that_is_saved_otherwise(self) -> None:
        class Lax(NumberRecord):
            def save(self, domain: Any, context: SaveContext) -> None:
                run = context.run_of(domain, Number)
                if run is not None:
                    context.write_run(run)
                    return
                for number in domain.instances(Number):
                    body = domain.read(Number, number)
                    context.write(number, body.replace(number=0))

        with pytest.raises(Nonconformity, match="one by one"):
            runs(subject(Lax))
