"""Runs of records load to the same state, errors and events as single records."""

from __future__ import annotations

import struct
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_records import (
    RUN_TYPES,
    EachType,
    Reading,
    Tail,
    Wide,
    both_ways,
    readings,
    tails,
    wides,
)
from support import LoggedDomain, end, fail_at, registry, samples, start

from domctx_core import (
    DomainError,
    Errno,
    Guest,
    ImageError,
    Instances,
    MemoryLoadOps,
    RecordType,
    Registry,
    load_domain,
)
from domctx_core.engine.sim_domain import SimDomain


class Picky(SimDomain):
    """Refuses one instance before anything is written, and another when it is written."""

    def __init__(self, known: Registry, refused: int, failing: int) -> None:
        super().__init__(known, guest=Guest(vcpus=2))
        self.refused, self.failing = refused, failing

    def accepts(self, body: Any, instance: int, value: Any) -> None:
        super().accepts(body, instance, value)
        if instance == self.refused:
            raise DomainError(f"no {instance}", errno=Errno.EFAULT)

    def write(self, body: Any, instance: int, value: Any) -> None:
        if instance == self.failing:
            raise DomainError(f"not {instance}", errno=Errno.EBUSY)
        super().write(body, instance, value)


@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_run_is_taken_as_a_whole_and_comes_to_the_same(order: str, validate: bool) -> None:
    known = registry([*RUN_TYPES, EachType])
    data = b"".join(
        [start(order=order), *readings(40, 3, order), *wides(300, 0, order), *readings(20, 100, order),
         *tails(0x102, 20, 0, order), *tails(0x103, 30, 0, order), end(order=order)]
    )  # fmt: skip
    seen, domain = both_ways(data, known, validate=validate)
    assert seen[0] == 410
    assert domain.read(Reading, 5) == Reading(kind=2, value=14)
    assert domain.read(Wide, 299) == Wide(state=5, low=299, a=299, b=2**32 - 1)
    assert list(domain.instances(Reading)) == [*range(3, 43), *range(100, 120)]


@pytest.mark.parametrize("one", samples(), ids=lambda one: one.name)
def test_corpus_both_ways(one: Any) -> None:
    both_ways(one.data, registry(options=one.options), xen_version=None)


IMAGE = b"".join(
    [
        start(),
        *readings(30),
        *wides(30),
        *tails(0x102, 4),
        *tails(0x103, 20),
        *readings(12, 50),
        end(),
    ]
)


@settings(max_examples=120, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(24, len(IMAGE) - 1), st.integers(0, 255)), max_size=3),
    cut=st.one_of(st.none(), st.integers(24, len(IMAGE))),
    validate=st.booleans(),
    domain=st.sampled_from(["sim", "picky"]),
    refused=st.integers(0, 70),
    failing=st.integers(0, 70),
)
def test_mutations_both_ways(
    changes: list[tuple[int, int]], cut: int | None, validate: bool, domain: str, refused: int,
    failing: int,
) -> None:  # fmt: skip
    data = bytearray(IMAGE)
    for at, value in changes:
        data[at] = value
    known = registry([*RUN_TYPES, EachType])
    make = SimDomain if domain == "sim" else lambda each: Picky(each, refused, failing)
    both_ways(bytes(data[:cut]), known, make, validate=validate)


FAULTS: dict[str, tuple[int, bytes, str]] = {
    "padding": (22, b"\1", "padding-not-zero"),
    "range": (16, b"\x0a", "field-out-of-range"),
    "duplicate": (4, struct.pack("<I", 3), "duplicate-record"),
    "length": (8, b"\6", "body-not-consumed"),
    "short": (8, b"\4", "body-too-short"),
    "type": (0, b"\xff\xff", "unknown-type"),
    "start": (0, b"\1\0", "start-repeated"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_long_run_is_told_as_ever(fault: str) -> None:
    at, value, rule = FAULTS[fault]
    records = readings(2000)
    bad = bytearray(records[1500])
    bad[at : at + len(value)] = value
    records[1500] = bytes(bad)
    seen, domain = both_ways(b"".join([start(), *records, end()]), registry(RUN_TYPES))
    assert (seen[0], seen[2], seen[5]) == (ImageError, rule, 1501)
    assert 24 + 1500 * 24 <= seen[4] < 24 + 1501 * 24 + 8
    assert not domain.instances(Reading)


def test_instances_in_any_order() -> None:
    data = b"".join(
        [start(), *reversed(readings(50)), *readings(20, 200, step=3), *readings(9, 60), end()]
    )
    seen, _ = both_ways(data, registry(RUN_TYPES))
    assert seen[0] == 79
    again = b"".join([start(), *readings(50), *readings(10, 45), end()])
    seen, _ = both_ways(again, registry(RUN_TYPES))
    assert (seen[2], seen[8]) == ("duplicate-record", 45)


def test_an_instance_beyond_the_limit() -> None:
    seen, _ = both_ways(b"".join([start(), *wides(30, 4990), end()]), registry(RUN_TYPES))
    assert (seen[2], seen[3], seen[8]) == ("instance-not-allowed", Errno.ENOSPC, 5000)


def test_a_run_of_bodies_longer_than_what_is_held() -> None:
    data = b"".join([start(), *wides(30), end()])
    seen, _ = both_ways(data, registry(RUN_TYPES), cap=15)
    assert (seen[2], seen[8]) == ("length-over-cap", 0)


class VcpuType(RecordType[Tail]):
    code, name, body = 0x104, "VCPU", Tail
    instances: ClassVar[Instances] = Instances(per_vcpu=True)


def test_a_run_with_one_vcpu_too_many() -> None:
    known = registry([VcpuType])
    data = b"".join([start(), *tails(0x104, 30), end()])
    make = lambda each: SimDomain(each, guest=Guest(vcpus=20))  # noqa: E731
    seen, _ = both_ways(data, known, make)
    assert seen[1] == "the domain has no vCPU 20"
    assert (seen[5], seen[8]) == (21, 20)


def test_fail_anywhere_in_a_run_and_the_domain_is_unpaused() -> None:
    known = registry(RUN_TYPES)
    data = b"".join([start(), *readings(12), end()])
    for number in range(14):
        domain = LoggedDomain(known, trap=fail_at(number, KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            load_domain(domain, MemoryLoadOps(data), known)
        assert domain.pauses == domain.unpauses
