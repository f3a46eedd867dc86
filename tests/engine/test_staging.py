"""What load handlers write is queued, can be read back, and is written in order."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from number_records import Number, PairRecord, Takes, numbers_image, registry_of
from reading_records import (
    RUN_TYPES,
    Reading,
    ReadingType,
    TailType,
    both_ways,
    readings,
    tails,
    wides,
)
from sample_bodies import Mode, Pair
from support import (
    THIRD,
    end,
    image,
    registry,
    start,
)
from word_records import Counted, Word, WordType, fresh, load, word

from domctx_core import (
    Columns,
    Domain,
    DomainError,
    Errno,
    LoadContext,
    MemoryLoadOps,
    PluginError,
    XenVersion,
    load_domain,
)
from domctx_core.engine.sim_domain import SimDomain


@pytest.mark.parametrize("validate", [True, False])
def test_updates_see_the_state_at_apply_time(validate: bool) -> None:
    domain = fresh(Counted)
    domain.state[Word] = {0: Word(value=1)}

    def settle(what: str) -> None:
        if what == "pause":  # the last moment at which a running domain changes by itself
            domain.state[Word] = {0: Word(value=50)}

    domain.trap = settle
    result = load(domain, image(word(0, 7), word(1, 3)), validate=validate)
    assert domain.state[Word] == {0: Word(value=57), 1: Word(value=3)}
    assert result.changes == ("Word[0]", "Word[1]")


def test_a_staged_domain_shows_what_is_queued() -> None:
    views: list[Any] = []

    class Looking(WordType):
        def load(self, domain: Domain, context: LoadContext) -> None:
            super().load(domain, context)
            views.append((list(domain.instances(Word)), domain.read(Word, 5), domain.domid))
            views.append((domain.offers(), domain.guest.kind, domain.xen_version))

    domain = fresh(Looking)
    domain.state[Word] = {5: Word(value=5), 2: Word(value=2)}
    load(domain, image(word(9, 1), word(5, 6)))
    assert views[0] == ([2, 5, 9], Word(value=5), 7)
    assert views[2] == ([2, 5, 9], Word(value=6), 7)
    assert views[1] == (frozenset({0x100}), "pv", XenVersion(4, 15))


def test_a_bug_in_an_update_names_its_record() -> None:
    class Odd(WordType):
        def load(self, domain: Domain, context: LoadContext) -> None:
            instance, body = context.read(self)
            domain.update(Word, instance, lambda now: Word(value=body.value // (instance - 1)))

    domain = fresh(Odd)
    with pytest.raises(PluginError, match=r"applying WORD\[1\] raised ZeroDivisionError") as caught:
        load(domain, image(word(0, 1), word(1, 1)))
    assert (caught.value.instance, caught.value.provider) == (1, THIRD)
    assert any("before the error: Word[0]" in note for note in caught.value.__notes__)
    assert domain.pauses == domain.unpauses == 1


class Misbehaves(Takes):
    def act(self, domain: Any, number: int, body: Number) -> None:
        if number == 20:
            self.misbehave(domain, number, body)
        else:
            domain.write(Number, number, body)

    def misbehave(self, domain: Any, number: int, body: Number) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("does", "changes"),
    [
        ("nothing", ["Number[19]", "Number[21]"]),
        ("twice", ["Number[19]", "Number[20]", "Number[20]", "Number[21]"]),
        ("elsewhere", ["Number[19]", "Number[7]", "Number[21]"]),
        ("update", ["Number[19]", "Number[20]", "Number[21]"]),
        ("read", ["Number[19]", "Number[20]", "Number[21]"]),
        ("other body", ["Number[19]", "Pair[20]", "Number[21]"]),
    ],
)
def test_changes_keep_their_order(does: str, changes: list[str]) -> None:
    class Here(Misbehaves):
        def misbehave(self, domain: Any, number: int, body: Number) -> None:
            if does == "twice":
                domain.write(Number, number, Number(number=1, mode=Mode.ON))
            if does == "elsewhere":
                domain.write(Number, 7, body)
            if does == "update":
                domain.update(Number, number, lambda now: body)
            if does == "other body":
                domain.write(Pair, number, Pair(low=1))
            if does == "read":
                assert domain.read(Number, 19).number == 19
                assert domain.read(Number, 3).number == 3
                assert list(domain.instances(Number)) == list(range(20))
            if does in ("twice", "read"):
                domain.write(Number, number, body)

    known = registry_of(Here, PairRecord)
    domain = SimDomain(known)
    found = list(load_domain(domain, MemoryLoadOps(numbers_image(30)), known).changes)
    at = found.index("Number[19]")
    assert found[at : at + len(changes)] == changes
    if does not in ("nothing", "elsewhere", "other body"):
        assert domain.read(Number, 20).number == 20
    if does == "elsewhere":
        assert domain.read(Number, 7).number == 20


class Picky(SimDomain):
    """Refuses one instance, when it is written and no sooner."""

    refused = 17
    calls = 0

    def write(self, body: Any, instance: int, value: Any) -> None:
        if instance == self.refused:
            raise DomainError("not this one")
        super().write(body, instance, value)


@pytest.mark.parametrize("refused", [0, 1, 17, 29])
def test_what_a_domain_refuses_at_last_is_located(refused: int) -> None:
    class Plainly(Takes):
        pass

    known = registry_of(Plainly)
    domain = Picky(known)
    domain.refused = refused
    with pytest.raises(DomainError) as caught:
        load_domain(domain, MemoryLoadOps(numbers_image(30)), known)
    error = caught.value
    assert (error.instance, error.offset, error.record) == (refused, 24 + 24 * refused, refused + 1)
    assert (domain.pauses, domain.unpauses) == (1, 1)
    taken = ", ".join(f"Number[{n}]" for n in range(refused)) or "nothing"
    assert error.__notes__ == [
        f"the image is valid; written to the domain before the error: {taken}"
    ]


def test_what_another_type_writes_after_a_run_is_not_of_the_run() -> None:
    class LeavesTheLast(Takes):
        def act(self, domain: Any, number: int, body: Number) -> None:
            if number < 19:
                domain.write(Number, number, body)

    class Writes(PairRecord):
        code, name = 0x120, "LATER"

        def load(self, domain: Any, context: LoadContext) -> None:
            context.read(self)
            domain.write(Number, 19, Number(number=1, mode=Mode.ON))

    known = registry_of(LeavesTheLast, Writes)
    domain = Picky(known)
    domain.refused = 19
    later = struct.pack("<IIQBB6x", 0x120, 0, 2, 1, 2)
    data = numbers_image(20)[:-16] + later + bytes(16)
    with pytest.raises(DomainError) as caught:
        load_domain(domain, MemoryLoadOps(data), known)
    assert (caught.value.type, caught.value.offset) == (0x120, len(data) - 40)


class Whole(SimDomain):
    """Fails on one instance of a run as a whole."""

    def write_run(self, body: Any, run: Columns[Any]) -> None:
        if run.place_of(11) is not None:
            raise DomainError("full", errno=Errno.ENOSPC, instance=11)
        super().write_run(body, run)


def test_what_a_domain_takes_as_a_whole_it_refuses_as_a_whole() -> None:
    known = registry(RUN_TYPES)
    data = b"".join([start(), *wides(10), *readings(20), end()])
    with pytest.raises(DomainError) as caught:
        load_domain(Whole(known), MemoryLoadOps(data), known)
    error = caught.value
    assert error.__notes__ == [
        "the image is valid; written to the domain before the error: "
        + ", ".join(f"Wide[{i}]" for i in range(10))
    ]
    assert (error.record, error.offset, error.instance) == (22, 24 + 10 * 32 + 11 * 24, 11)
    assert error.type_name == "READING"


def test_what_was_read_back_while_planning_is_what_is_written() -> None:
    class Reads(TailType):
        def load(self, domain: Domain, context: LoadContext) -> None:
            instance, _ = context.read(self)
            body = domain.read(Reading, instance + 5)
            body.kind = 9
            assert domain.read(Reading, instance + 5) is body
            assert list(domain.instances(Reading)) == list(range(30))

    known = registry([ReadingType, Reads])
    data = b"".join([start(), *readings(30), *tails(0x102, 2), end()])
    _, domain = both_ways(data, known)
    assert domain.read(Reading, 5).kind == domain.read(Reading, 6).kind == 9
    assert domain.read(Reading, 7).kind == 7
