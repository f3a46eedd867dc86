"""From record to record: handlers that take records one by one or as a run."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from number_records import NumberRecord, Takes, numbers_image, registry_of
from reading_records import Reading, ReadingType, readings
from support import end, registry, start

from domctx_core import (
    Columns,
    Domain,
    DomctxError,
    ImageError,
    LoadContext,
    MemoryLoadOps,
    MisuseError,
    load_domain,
)
from domctx_core.engine.sim_domain import SimDomain


@pytest.mark.parametrize(
    "ways",
    [("read",), ("parts",), ("rest",), ("other",), ("read", "parts"), ("rest", "read", "other")],
)
def test_however_a_record_is_taken(ways: tuple[str, ...]) -> None:
    class Way(Takes):
        places: list[tuple[int, int, int]] = []  # noqa: RUF012

    Way.ways = ways
    known = registry_of(Way)
    domain, plainly = SimDomain(known), SimDomain(registry_of(NumberRecord))
    result = load_domain(domain, MemoryLoadOps(numbers_image(3000)), known)
    load_domain(plainly, MemoryLoadOps(numbers_image(3000)), registry_of(NumberRecord))
    assert result.records == 3000
    assert domain.to_json()["records"] == plainly.to_json()["records"]
    assert result.changes == tuple(f"Number[{n}]" for n in range(3000))
    assert Way.places == [(n, n + 1, 24 + 24 * n) for n in range(3000)]


@pytest.mark.parametrize(
    ("way", "message"),
    [
        (lambda c: c.begin(0x110), "did not end its record"),
        (lambda c: (c.begin(0x110), c.begin(0x110)), "begins its record twice"),
        (lambda c: (c.begin(0x110), c.data(7)), "shorter than its record type needs"),
        (lambda c: (c.begin(0x110), c.data(-1)), "negative number"),
        (lambda c: (c.begin(0x110), c.data(5), c.end()), "1 bytes of the body are left over"),
        (lambda c: c.data(1), "outside of its record"),
        (lambda c: c.end(), "did not begin"),
        (lambda c: None, "did not begin its record"),
        (lambda c: (c.begin(0x110), c.rest(), c.end(), c.data(1)), "outside of its record"),
        (lambda c: (c.begin(0x110), c.rest(), c.end(), c.end()), "did not begin"),
    ],
)
@pytest.mark.parametrize("at", [0, 15])
def test_bytes_taken_wrongly(way: Any, message: str, at: int) -> None:
    class Wrong(NumberRecord):
        def load(self, domain: Any, context: LoadContext) -> None:
            if context.instance != at:
                context.begin(self.code)
                context.rest()
                context.end()
            else:
                way(context)

    known = registry_of(Wrong)
    with pytest.raises(DomctxError, match=message) as caught:
        load_domain(SimDomain(known), MemoryLoadOps(numbers_image(30)), known)
    assert caught.value.instance == at


class Batches(ReadingType):
    """A batch form of its own, which leaves runs with a certain value to `load`."""

    calls: ClassVar[list[int]] = []

    def load(self, domain: Domain, context: LoadContext) -> None:
        instance, body = context.read(self)
        if body.value == 7 * 30:
            raise context.error("field-out-of-range", "not this one")
        domain.write(Reading, instance, body)

    def load_run(self, domain: Domain, context: LoadContext, run: Columns[Reading]) -> bool:
        self.calls.append(len(run))
        if 7 * 30 in run.column("value"):
            return False
        domain.write_run(Reading, run.replace({"kind": [0] * len(run)}))
        return True


def test_a_batch_form_of_the_authors_own() -> None:
    Batches.calls.clear()
    known = registry([Batches])
    domain = SimDomain(known)
    result = load_domain(domain, MemoryLoadOps(b"".join([start(), *readings(25), end()])), known)
    assert (result.records, Batches.calls) == (25, [25])
    assert domain.read(Reading, 8) == Reading(kind=0, value=56)
    with pytest.raises(ImageError, match="not this one") as caught:
        load_domain(
            SimDomain(known), MemoryLoadOps(b"".join([start(), *readings(50), end()])), known
        )
    error = caught.value
    assert (error.record, error.offset, error.instance) == (31, 24 + 24 * 30, 30)

    class Later(Batches):
        """A subclass with a `load` of its own sees each record again."""

        def load(self, domain: Domain, context: LoadContext) -> None:
            domain.write(Reading, *context.read(self))

    Batches.calls.clear()
    known = registry([Later])
    load_domain(SimDomain(known), MemoryLoadOps(b"".join([start(), *readings(50), end()])), known)
    assert Batches.calls == []


def test_an_error_of_a_batch_form_is_about_the_record_that_it_turned_to() -> None:
    class Turns(ReadingType):
        def load_run(self, domain: Domain, context: LoadContext, run: Columns[Reading]) -> bool:
            context.turn_to(7)
            raise context.error("field-out-of-range", "seven")

    class Takes(ReadingType):
        def load_run(self, domain: Domain, context: LoadContext, run: Columns[Reading]) -> bool:
            context.begin(self.code)
            return True

    class Breaks(ReadingType):
        def load_run(self, domain: Domain, context: LoadContext, run: Columns[Reading]) -> bool:
            raise ZeroDivisionError("bug")

    data = b"".join([start(), *readings(20), end()])
    with pytest.raises(ImageError, match="seven") as caught:
        load_domain(SimDomain(registry([Turns])), MemoryLoadOps(data), registry([Turns]))
    assert (caught.value.record, caught.value.instance) == (8, 7)
    assert caught.value.offset == 24 + 7 * 24
    with pytest.raises(MisuseError):
        load_domain(SimDomain(registry([Takes])), MemoryLoadOps(data), registry([Takes]))
    with pytest.raises(DomctxError, match="load handler of READING raised ZeroDivisionError: bug"):
        load_domain(SimDomain(registry([Breaks])), MemoryLoadOps(data), registry([Breaks]))
