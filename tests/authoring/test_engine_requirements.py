"""Requirements of saving and loading: exact sizes, equal images, runs equal to single records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest
from gauge_records import Gauge, GaugeRecord, sample_subject
from number_records import (
    EverythingRecord,
    Number,
    NumberRecord,
    OddRecord,
    PairRecord,
    registry_of,
)

from domctx_core import SINGLE, Domain, DomainError, Guest, LoadContext, RecordType, SaveContext
from domctx_core.authoring import engine_requirements as requirements
from domctx_core.authoring.subject import Nonconformity, Subject

ALL = [getattr(requirements, name) for name in requirements.__all__]


class Measured(GaugeRecord):
    """A gauge with state in simulated domains."""

    def simulate(self, guest: Guest, rng: Random) -> Mapping[int, Gauge]:
        return {number: Gauge(value=number + 1) for number in range(guest.channels)}


@pytest.mark.parametrize("requirement", ALL)
@pytest.mark.parametrize("kind", [GaugeRecord, Measured])
def test_a_type_that_conforms(
    requirement: Callable[[Subject], None], kind: type[RecordType[Any]]
) -> None:
    requirement(sample_subject(kind))


class Shrinks(Measured):
    """Saves fewer records than a dry run counts."""

    def save(self, domain: Domain, context: SaveContext) -> None:
        for number in domain.instances(Gauge):
            if number or context.dry_run:
                context.write(number, domain.read(Gauge, number))


class Drops(Measured):
    """Does not load instance 0."""

    def load(self, domain: Domain, context: LoadContext) -> None:
        number, body = context.read(self)
        if number:
            domain.write(Gauge, number, body)


class Changes(Measured):
    """Loads single records otherwise than runs."""

    def load(self, domain: Domain, context: LoadContext) -> None:
        number, body = context.read(self)
        domain.write(Gauge, number, body.replace(value=0))

    def load_run(self, domain: Domain, context: LoadContext, run: Any) -> bool:
        domain.write_run(Gauge, run)
        return True


class Open(Measured):
    """Is declared for instance 0 alone, and loads any."""

    instances = SINGLE

    def simulate(self, guest: Guest, rng: Random) -> Mapping[int, Gauge]:
        return {0: Gauge(value=1)}


@pytest.mark.parametrize(
    ("requirement", "kind", "message"),
    [
        (requirements.dry_run_size, Shrinks, "GAUGE: a dry run.* 184 .*160"),
        (requirements.save_and_load, Drops, "GAUGE: an image of 184 bytes.* 160"),
        (requirements.instances, Drops, "GAUGE: not every instance is loaded"),
        (requirements.runs, Changes, "GAUGE: records loaded as a run"),
    ],
)
def test_a_type_that_does_not(
    requirement: Callable[[Subject], None], kind: type[RecordType[Any]], message: str
) -> None:
    with pytest.raises(Nonconformity, match=message):
        requirement(sample_subject(kind))


def test_an_instance_beyond_the_limit_is_refused_by_the_engine() -> None:
    requirements.instances(sample_subject(Open))


def subject(kind: type[RecordType[Any]]) -> Subject:
    return Subject(kind(), registry_of(kind))


class TestConformance:
    def test_what_agrees_conforms(self) -> None:
        for kind in (NumberRecord, PairRecord, EverythingRecord, OddRecord):
            requirements.runs(subject(kind))

    def test_a_run_that_is_loaded_otherwise(self) -> None:
        class Lax(NumberRecord):
            def load(self, domain: Any, context: LoadContext) -> None:
                number, body = context.read(self)
                domain.write(Number, number, body.replace(number=0))

            def load_run(self, domain: Any, context: LoadContext, run: Any) -> bool:
                domain.write_run(Number, run)
                return True

        with pytest.raises(Nonconformity, match="loaded as a run give another result"):
            requirements.runs(subject(Lax))

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
            requirements.runs(subject(Lax))

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
            requirements.runs(subject(Lax))
