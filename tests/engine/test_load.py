"""Loading an image: the order of everything, two phases, versions, and pauses that balance."""

from __future__ import annotations

import threading

import pytest
from support import (
    CORE,
    THIRD,
    LoggedDomain,
    end,
    fail_at,
    image,
    port,
    rec,
    registry,
    sample,
    start,
)
from word_records import Counted, Noting, Word, WordType, fresh, load, refused, word

from domctx_core import (
    Domain,
    DomainError,
    DomctxError,
    EndRecord,
    Errno,
    ImageError,
    LoadContext,
    LoadOps,
    MemoryLoadOps,
    PluginError,
    Registry,
    StartRecord,
    XenVersion,
    load_domain,
)


class Marked(StartRecord):
    def load(self, domain: Domain, context: LoadContext) -> None:
        super().load(domain, context)
        domain.write(Word, 1000, Word(value=1))


class MarkedEnd(EndRecord):
    def load(self, domain: Domain, context: LoadContext) -> None:
        super().load(domain, context)
        domain.write(Word, 2000, Word(value=2))


def marked() -> Registry:
    made = Registry()
    for each in (Marked, MarkedEnd):
        made.register(each, CORE)
    made.register(WordType, THIRD)
    return made


@pytest.mark.parametrize("validate", [True, False])
def test_start_before_the_pause_and_end_after_the_unpause(validate: bool) -> None:
    domain = fresh(known=marked())
    result = load(domain, image(word(9, 1), word(3, 2)), validate=validate)
    assert domain.log == [
        "write Word[1000]", "pause", "write Word[9]", "write Word[3]", "unpause",
        "write Word[2000]",
    ]  # fmt: skip
    assert result.changes == ("Word[1000]", "Word[9]", "Word[3]", "Word[2000]")
    assert result.records == 2
    assert result.consumed == len(image(word(9, 1), word(3, 2)))


def test_as_it_comes_reads_and_applies_by_turns() -> None:
    domain = fresh()
    load_domain(domain, Noting(image(word(0, 1)), domain.log), domain.registry, validate=False)
    assert domain.log == [
        "read 16", "read 8", "pause", "read 16", "read 4", "read 4", "write Word[0]", "read 16",
        "unpause",
    ]  # fmt: skip


def test_two_phases_read_everything_first() -> None:
    domain = fresh()
    load_domain(domain, Noting(image(word(0, 1)), domain.log), domain.registry)
    assert domain.log[-3:] == ["pause", "write Word[0]", "unpause"]
    assert all(step.startswith("read") for step in domain.log[:-3])


def test_an_empty_image_still_pauses_once() -> None:
    domain = fresh()
    result = load(domain, start() + end())
    assert (result.records, result.consumed, result.changes) == (0, 40, ())
    assert domain.log == ["pause", "unpause"]


def test_versions() -> None:
    domain = LoggedDomain(registry(), xen_version=None)
    assert load(domain, start(99, 0) + end()).records == 0
    unversioned = LoggedDomain(registry(), xen_version=None)
    error = refused(unversioned, start(4, 9) + end(), xen_version=XenVersion(4, 8))
    assert (error.expected, error.actual) == ("at most 4.8", "4.9")
    domain.xen_version = XenVersion(4, 17)
    assert load(domain, start(4, 17) + end(), xen_version=XenVersion(4, 8)).consumed == 40


def test_allow_newer() -> None:
    domain = LoggedDomain(registry())
    for version in ((4, 16), (5, 0), (2**32 - 1, 0)):
        domain.log.clear()
        assert load(domain, start(*version) + port(1) + end(), allow_newer=True).records == 1


def test_a_domain_that_refuses_half_way() -> None:
    def trap(what: str) -> None:
        if what == "write Word[2]":
            raise DomainError("no such port", errno=Errno.ENOENT)

    domain = fresh(trap=trap)
    with pytest.raises(DomainError, match="no such port") as caught:
        load(domain, image(word(0, 1), word(1, 1), word(2, 1), word(3, 1)))
    error = caught.value
    assert any("before the error: Word[0], Word[1]" in note for note in error.__notes__)
    assert (error.type_name, error.instance, error.record, error.offset) == ("WORD", 2, 3, 72)
    assert error.provider is THIRD
    assert domain.log[-1] == "unpause"
    assert domain.pauses == domain.unpauses == 1


def test_nothing_taken_is_said_too() -> None:
    domain = fresh(trap=fail_at(0, DomainError("cannot pause")))
    with pytest.raises(DomainError) as caught:
        load(domain, image(word(0, 1)))
    assert any("before the error: nothing" in note for note in caught.value.__notes__)
    assert domain.pauses == domain.unpauses == 0


def test_without_validation_the_error_says_what_was_applied() -> None:
    domain = fresh()
    data = image(word(0, 1), word(1, 2), word(2, 101))
    with pytest.raises(ImageError) as caught:
        load(domain, data, validate=False)
    assert caught.value.rule == "field-out-of-range"
    assert any("before the error: Word[0], Word[1]" in note for note in caught.value.__notes__)
    assert domain.log == ["pause", "write Word[0]", "write Word[1]", "unpause"]
    domain = fresh()
    with pytest.raises(ImageError) as caught:
        load(domain, image(word(0, 101)), validate=False)
    assert any("before the error: nothing" in note for note in caught.value.__notes__)


LONG = image(word(0, 1), word(1, 2), word(2, 3))


def count_steps(validate: bool) -> int:
    """How many times the domain is asked for something during a load."""
    domain = fresh(Counted)
    load(domain, LONG, validate=validate)
    return len(domain.log)


@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize("raised", [KeyboardInterrupt, DomainError, OSError])
def test_interrupted_at_any_step_of_the_domain(raised: type[BaseException], validate: bool) -> None:
    expected = KeyboardInterrupt if raised is KeyboardInterrupt else DomctxError
    for number in range(count_steps(validate)):
        domain = fresh(Counted, trap=fail_at(number, raised("now")))
        with pytest.raises(expected):
            load(domain, LONG, validate=validate)
        assert domain.pauses == domain.unpauses


class Interrupted(LoadOps):
    """Raises at the n-th read."""

    def __init__(self, data: bytes, number: int, raised: type[BaseException]) -> None:
        self.inner = MemoryLoadOps(data)
        self.trap = fail_at(number, raised("now"))

    def read(self, size: int) -> bytes:
        self.trap("")
        return self.inner.read(size)


@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize("raised", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("number", range(12))
def test_interrupted_at_any_read(number: int, raised: type[BaseException], validate: bool) -> None:
    domain = fresh()
    with pytest.raises((raised, PluginError)):
        load_domain(domain, Interrupted(LONG, number, raised), domain.registry, validate=validate)
    assert domain.pauses == domain.unpauses
    if validate:
        assert domain.log == []


def test_two_loads_in_two_threads_do_not_meet() -> None:
    """Both are in the middle of a handler of one record type at the same time."""
    meet = threading.Barrier(2, timeout=10)

    class Meeting(WordType):
        def load(self, domain: Domain, context: LoadContext) -> None:
            instance = context.begin(self.code)
            meet.wait()
            body = Word.from_bytes(context.rest(), context.byteorder)
            meet.wait()
            context.end()
            domain.write(Word, instance, body)

    known = registry([Meeting])
    domains = [LoggedDomain(known), LoggedDomain(known)]
    images = [image(word(0, 1), word(1, 2)), image(word(0, 3), word(7, 4))]
    big = start(order=">") + rec(0x100, 0, b"\0\0\0\3", order=">")
    images[1] = big + rec(0x100, 7, b"\0\0\0\4", order=">") + end(order=">")
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            load(domains[number], images[number])
        except BaseException as error:
            errors.append(error)
            meet.abort()

    threads = [threading.Thread(target=run, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert domains[0].state[Word] == {0: Word(value=1), 1: Word(value=2)}
    assert domains[1].state[Word] == {0: Word(value=3), 7: Word(value=4)}


def test_a_load_changes_only_its_own_domain() -> None:
    one = sample("v10-reserved.img")
    known = registry(options=one.options)
    first, second = LoggedDomain(known), LoggedDomain(known)
    load_domain(first, MemoryLoadOps(one.data), known)
    assert second.state == {}
    assert first.total == one.sum
