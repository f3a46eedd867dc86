"""The subject of conformance tests: its examples, its simulated domains, its errors."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

import pytest
from gauge_records import Gauge, GaugeRecord, sample_subject

from domctx_core import Body, BodyError, Guest, Problem, RecordType, u32
from domctx_core.authoring.subject import (
    EXAMPLES,
    Nonconformity,
    OneByOne,
    large_guest,
    small_guest,
)


class Picky(Gauge):
    """A gauge that shows even values."""

    def check(self) -> Iterator[Problem]:
        if self.value % 2:
            yield Problem("field-out-of-range", "it is uneven", 0, "value")


class PickyRecord(RecordType[Picky]):
    """A picky gauge."""

    code, name, body = 0x1235, "PICKY", Picky


class Simulated(GaugeRecord):
    """A gauge with state in simulated domains."""

    def simulate(self, guest: Guest, rng: random.Random) -> Mapping[int, Gauge]:
        return {number: Gauge(value=number) for number in range(guest.vcpus)}


def test_examples_are_those_of_the_layout_and_of_a_simulated_domain() -> None:
    examples = list(sample_subject(Simulated).examples())
    assert len(examples) == EXAMPLES + small_guest().vcpus
    assert examples[-2:] == [Gauge(value=0), Gauge(value=1)]
    assert all(not example.problems() for example in examples)


def test_an_example_that_breaks_a_rule_is_none() -> None:
    examples = list(sample_subject(PickyRecord).examples())
    assert 0 < len(examples) < EXAMPLES
    assert not any(example.value % 2 for example in examples if isinstance(example, Picky))


def test_a_simulated_domain_has_the_state_of_the_types_before_it() -> None:
    class Later(RecordType[Picky]):
        """Comes after the gauge."""

        code, name, body, after = 0x1236, "LATER", Picky, ("GAUGE",)

    domain = sample_subject(Later, Simulated).domain(large_guest())
    assert list(domain.instances(Gauge)) == list(range(24))
    assert list(sample_subject(PickyRecord, Simulated).domain().instances(Gauge)) == []
    assert type(domain) is not OneByOne
    assert type(sample_subject(Simulated).domain(one_by_one=True)) is OneByOne


class Own(Body):
    """A body whose author wrote `to_bytes` and `from_bytes`, without `rules`."""

    value: int = u32(doc="a number")

    def to_bytes(self, byteorder="little", *, check=True):  # type: ignore[no-untyped-def,override]
        return super().to_bytes(byteorder, check=check)

    @classmethod
    def from_bytes(cls, data, byteorder="little"):  # type: ignore[no-untyped-def,override]
        return super().from_bytes(data, byteorder)


class OwnRecord(RecordType[Own]):
    """A record with that body."""

    code, name, body = 0x1237, "OWN", Own


def test_methods_of_the_author_are_called_without_rules() -> None:
    own = sample_subject(OwnRecord)
    raw = own.to_bytes(Own(value=7), "big")
    assert raw == b"\0\0\0\7"
    assert own.from_bytes(Own, raw, "big") == Own(value=7)


def test_the_rules_are_those_of_the_registry() -> None:
    picky = sample_subject(PickyRecord)
    with pytest.raises(BodyError, match="it is uneven"):
        picky.to_bytes(Picky(value=3))
    with pytest.raises(BodyError, match="it is uneven"):
        picky.from_bytes(Picky, bytes([3, *bytes(7)]), "little")


def test_an_error_names_the_record_type() -> None:
    error = sample_subject(GaugeRecord).fail("it is wrong")
    assert type(error) is Nonconformity
    assert str(error) == "GAUGE: it is wrong"
