"""Requirements of bodies: a body that meets them passes, one that breaks one is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

import pytest
from gauge_records import Gauge, GaugeRecord, sample_subject

from domctx_core import Body, Decoded, Guest, Problem, RecordType
from domctx_core.authoring import body_requirements as requirements
from domctx_core.authoring.subject import Nonconformity, Subject

ALL = [getattr(requirements, name) for name in requirements.__all__]


def of(kind: type[Body]) -> Subject:
    """Return a subject whose record type has this body."""
    return sample_subject(
        type("Broken", (RecordType,), {"code": 300, "name": "BROKEN", "body": kind})
    )


@pytest.mark.parametrize("requirement", ALL)
def test_a_body_that_conforms(requirement: Callable[[Subject], None]) -> None:
    requirement(sample_subject(GaugeRecord))


class Never(Gauge):
    def check(self) -> Iterator[Problem]:
        yield Problem("field-out-of-range", "never right", 0)


class Forgets(Gauge):
    def to_bytes(self, *given: Any, **options: Any) -> bytes:
        return bytes(8)


class Miscounts(Gauge):
    def size(self) -> int:
        return 9


class ForgetsInJson(Gauge):
    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "value": 0}


class Raises(Gauge):
    @classmethod
    def inspect(cls, *given: Any, **options: Any) -> Decoded[Any]:
        raise ZeroDivisionError("mine")


class Exits(Gauge):
    @classmethod
    def inspect(cls, *given: Any, **options: Any) -> Decoded[Any]:
        raise SystemExit(3)


class Outside(Gauge):
    @classmethod
    def inspect(cls, data: Any, *given: Any, **options: Any) -> Decoded[Any]:
        decoded = super().inspect(data, *given, **options)
        return decoded._replace(problems=[Problem("limit", "far away", len(data) + 1)])


class Silent(Gauge):
    @classmethod
    def inspect(cls, data: Any, *given: Any, **options: Any) -> Decoded[Any]:
        decoded = super().inspect(data, *given, **options)
        return decoded._replace(problems=[])


class Lenient(Gauge):
    """Accepts bodies that are too short or too long."""

    @classmethod
    def inspect(cls, data: Any, *given: Any, **options: Any) -> Decoded[Any]:
        return super().inspect(bytes(data)[:8].ljust(8, b"\0"), *given, **options)


class Blind(Gauge):
    """Does not look at reserved bytes."""

    @classmethod
    def inspect(cls, data: Any, *given: Any, **options: Any) -> Decoded[Any]:
        decoded = super().inspect(data, *given, **options)
        problems = [p for p in decoded.problems if p.rule != "reserved-not-zero"]
        return decoded._replace(problems=problems)


def test_a_body_without_an_example() -> None:
    class Simulates(RecordType[Never]):
        code, name, body = 300, "BROKEN", Never

        def simulate(self, guest: Guest, rng: Random) -> Mapping[int, Never]:
            return {}

    with pytest.raises(Nonconformity, match="BROKEN: there is no valid example of Never"):
        requirements.examples_exist(sample_subject(Simulates))


@pytest.mark.parametrize(
    ("requirement", "kind", "message"),
    [
        (requirements.bytes_round_trip, Forgets, "changes when written little-endian"),
        (requirements.bytes_round_trip, Miscounts, "returns 9, but 8 bytes are written"),
        (requirements.json_round_trip, ForgetsInJson, "changes when written as JSON"),
        (requirements.short_bodies, Raises, "0 bytes.* raises ZeroDivisionError: mine"),
        (requirements.short_bodies, Exits, "raises SystemExit: 3"),
        (requirements.short_bodies, Outside, "the offset 1 of a problem is outside the body"),
        (requirements.short_bodies, Silent, "reports no problem"),
        (requirements.short_bodies, Lenient, "a body of 0 instead of 8 bytes is accepted"),
        (requirements.long_bodies, Lenient, "a byte after the end of a fixed body is accepted"),
        (requirements.random_bodies, Raises, "raises ZeroDivisionError"),
        (requirements.reserved_fields, Blind, "reserved `rest` at 4 is not checked"),
    ],
)
def test_a_body_that_does_not(
    requirement: Callable[[Subject], None], kind: type[Body], message: str
) -> None:
    with pytest.raises(Nonconformity, match=f"^BROKEN: .*{message}"):
        requirement(of(kind))
