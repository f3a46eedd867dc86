"""Loading: the protocol of handlers, every row of the errno table, two phases, balance."""

from __future__ import annotations

import os
import signal
import struct
import threading
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import pytest
from support import (
    CORE,
    THIRD,
    LoggedDomain,
    Trap,
    end,
    fail_at,
    formats,
    image,
    port,
    rec,
    registry,
    sample,
    start,
    tsc,
)

from domctx_core import (
    SINGLE,
    Body,
    BufferSource,
    Check,
    Domain,
    DomainError,
    DomctxError,
    EndRecord,
    Errno,
    Extent,
    ImageError,
    Instances,
    LoadContext,
    LoadOps,
    MemoryLoadOps,
    MisuseError,
    PluginError,
    Problem,
    RecordType,
    RecordView,
    Registry,
    Rule,
    Severity,
    StartRecord,
    XenVersion,
    array,
    load_domain,
    u8,
    u32,
    verify,
)


class Word(Body):
    """One word."""

    value: int = u32(maximum=100)


class WordType(RecordType[Word]):
    code, name, body = 0x100, "WORD", Word


def word(instance: int, value: int) -> bytes:
    return rec(0x100, instance, struct.pack("<I", value))


def fresh(
    *types: type[RecordType[Any]], trap: Trap | None = None, known: Registry | None = None
) -> LoggedDomain:
    return LoggedDomain(registry(types or [WordType]) if known is None else known, trap=trap)


def load(domain: LoggedDomain, data: bytes, **options: Any) -> Any:
    return load_domain(domain, MemoryLoadOps(data), domain.registry, **options)


def refused(domain: LoggedDomain, data: bytes, **options: Any) -> ImageError:
    with pytest.raises(ImageError) as caught:
        load(domain, data, **options)
    assert domain.log == []
    assert domain.state == {}
    assert domain.pauses == domain.unpauses == 0
    return caught.value


Handler = Callable[[Domain, LoadContext], None]


def with_handler(handler: Handler) -> type[RecordType[Any]]:
    class Handled(WordType):
        def load(self, domain: Domain, context: LoadContext) -> None:
            handler(domain, context)

    return Handled


# ---------------------------------------------------------------------------------- order of things


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


class Noting(LoadOps):
    """Reads of the image, in the same log as what happens to the domain."""

    def __init__(self, data: bytes, log: list[str]) -> None:
        self.inner = MemoryLoadOps(data)
        self.log = log

    def read(self, size: int) -> bytes:
        self.log.append(f"read {size}")
        return self.inner.read(size)


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


# -------------------------------------------------------------------------------------- errno table

GOOD = tsc()
ROWS: dict[str, tuple[bytes, str, Errno, int]] = {
    "input ends in a header": (start() + b"\3", "truncated-header", Errno.ENODATA, 24),
    "input ends in a body": (start() + rec(3, 0, GOOD)[:30], "truncated-body", Errno.ENODATA, 40),
    "input ends in padding": (
        start() + rec(3, 0, GOOD)[:-1], "truncated-padding", Errno.ENODATA, 60,
    ),
    "first is not START": (rec(3, 0, GOOD) + end(), "first-not-start", Errno.EINVAL, 0),
    "first is END": (end(), "first-not-start", Errno.EINVAL, 0),
    "START instance": (
        rec(1, 1, start()[16:]) + end(), "start-instance", Errno.EINVAL, 4,
    ),
    "END instance": (start() + rec(0, 1, b""), "end-instance", Errno.EINVAL, 28),
    "START too short": (rec(1, 0, start()[16:], length=7) + end(), "body-too-short", Errno.ENODATA, 20),
    "START too long": (rec(1, 0, start()[16:] + b"\0") + end(), "body-not-consumed", Errno.EINVAL, 24),
    "newer major": (start(5, 0) + end(), "newer-version", Errno.EOPNOTSUPP, 16),
    "newer minor": (start(4, 16) + end(), "newer-version", Errno.EOPNOTSUPP, 20),
    "type unknown": (image(rec(77, 0, b"")), "unknown-type", Errno.EINVAL, 24),
    "type beyond any table": (image(rec(2**32 - 1, 0, b"")), "unknown-type", Errno.EINVAL, 24),
    "body too short": (image(rec(3, 0, GOOD[:19])), "body-too-short", Errno.ENODATA, 56),
    "body empty": (image(rec(3, 0, b"")), "body-too-short", Errno.ENODATA, 40),
    "body not consumed": (image(rec(3, 0, GOOD + bytes(4))), "body-not-consumed", Errno.EINVAL, 60),
    "padding": (
        start() + rec(3, 0, GOOD)[:-2] + b"\1\0" + end(), "padding-not-zero", Errno.EINVAL, 62,
    ),
    "TSC_INFO instance": (image(rec(3, 1, GOOD)), "instance-not-allowed", Errno.ENXIO, 28),
    "SHARED_INFO instance": (
        image(rec(2, 5, bytes(4100))), "instance-not-allowed", Errno.ENXIO, 28,
    ),
    "VCPU instance": (image(rec(5, 128, bytes(8))), "instance-not-allowed", Errno.EINVAL, 28),
    "second START": (start() + start() + end(), "start-repeated", Errno.EINVAL, 24),
    "duplicate": (image(port(3), port(4), port(3)), "duplicate-record", Errno.EEXIST, 88),
    "END length": (start() + rec(0, 0, bytes(8)), "end-length", Errno.EINVAL, 40),
    "no END": (start() + rec(3, 0, GOOD), "end-missing", Errno.ENODATA, 64),
    "nothing at all": (b"", "end-missing", Errno.ENODATA, 0),
    "unknown flag bits": (image(rec(2, 0, b"\2" + bytes(4099))), "reserved-not-zero", Errno.EINVAL, 40),
    "value out of range": (image(rec(3, 0, tsc(mode=3))), "field-out-of-range", Errno.EINVAL, 40),
    "length near 2**64": (
        start() + rec(3, 0, b"", length=2**64 - 8), "length-overflow", Errno.ENODATA, 32,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_errno_table(name: str) -> None:
    data, rule, errno, offset = ROWS[name]
    error = refused(LoggedDomain(registry()), data)
    assert (error.rule, error.errno, error.offset) == (rule, errno, offset)
    assert error.message
    # verify says the same
    verdict = verify(BufferSource(data), formats(), receiver=XenVersion(4, 15))
    assert (rule, errno) in {
        (f.rule, f.errno) for f in verdict.findings if f.severity is Severity.ERROR
    }


def test_errors_of_a_record_say_which_one() -> None:
    error = refused(LoggedDomain(registry()), image(port(1), port(2, state=7), port(3)))
    assert (error.record, error.type, error.type_name, error.instance) == (2, 4, "EVTCHN", 2)
    assert (error.field, error.actual) == ("state", 7)
    assert error.provider is THIRD


@pytest.mark.parametrize(
    ("data", "consumed"),
    [
        (image() + b"after", 40),
        (start(4, 15) + end(), 40),
        (start(4, 14) + end(), 40),
        (start(3, 99) + end(), 40),
        (image(port(9), port(3)), 104),
        (image(port(2**32 - 1)), 72),
        (image(rec(5, 127, bytes(8)), rec(3, 0, GOOD)), 104),
    ],
)
def test_what_is_not_refused(data: bytes, consumed: int) -> None:
    domain = LoggedDomain(registry())
    assert load(domain, data).consumed == consumed


def test_no_handler() -> None:
    class Looked(WordType):
        loadable = False

    error = refused(fresh(Looked), image(word(0, 1)))
    assert (error.rule, error.errno, error.type_name) == ("no-handler", Errno.EINVAL, "WORD")
    assert error.provider is THIRD


def test_a_plugin_that_cannot_be_used() -> None:
    known = registry([])

    def import_it() -> RecordType[Any]:
        raise PluginError("needs libxl")

    known.declare(0x100, "WORD", THIRD, import_it)
    domain = LoggedDomain(known)
    with pytest.raises(PluginError, match="needs libxl") as caught:
        load(domain, image(word(0, 1)))
    assert (caught.value.type, caught.value.provider) == (0x100, THIRD)
    assert domain.log == []
    load(domain, image())


def test_duplicates_in_any_order_and_without_cost() -> None:
    """A million scattered instances neither slip through nor take quadratic time."""
    from domctx_core.model.instance_set import InstanceSet

    met = InstanceSet()
    assert all(met.add(4, n) for n in range(400_000, 0, -2))
    assert all(met.add(5, n) for n in range(1000))
    assert all(met.add(4, n) for n in range(1, 2000, 2))
    assert met.add(4, 2**32 - 1)
    for instance in (2, 400_000, 1, 1999, 2**32 - 1):
        assert not met.add(4, instance)
    assert met.add(4, 2001)
    assert met.add(6, 2)


# ------------------------------------------------------------------------------------------ version


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


# ----------------------------------------------------------------------------------------- protocol


def test_a_handler_may_take_its_record_in_pieces() -> None:
    taken: list[Any] = []

    def handler(domain: Domain, context: LoadContext) -> None:
        taken.append(context.begin(0x100))
        taken.append(context.data(2))
        taken.append(context.data(0))
        context.sink(3)
        taken.append(context.extent(4))
        taken.append(context.rest())
        taken.append(context.rest())
        context.end()

    load(fresh(with_handler(handler)), image(rec(0x100, 8, b"ab---wordrest!")))
    extent = taken.pop(3)
    assert isinstance(extent, Extent)
    assert (extent.offset, extent.read()) == (24 + 16 + 5, b"word")
    assert taken == [8, b"ab", b"", b"rest!", b""]


def misuse(handler: Handler) -> MisuseError:
    domain = fresh(with_handler(handler))
    with pytest.raises(MisuseError) as caught:
        load(domain, image(word(5, 1)))
    assert domain.log == []
    error = caught.value
    assert (error.type, error.instance, error.provider) == (0x100, 5, THIRD)
    assert error.errno is Errno.EINVAL
    return error


def _begin_twice(domain: Domain, context: LoadContext) -> None:
    context.begin(0x100)
    context.begin(0x100)


def _negative(domain: Domain, context: LoadContext) -> None:
    context.begin(0x100)
    context.data(-1)


def _end_twice(domain: Domain, context: LoadContext) -> None:
    context.begin(0x100)
    context.rest()
    context.end()
    context.end()


def _pause(domain: Domain, context: LoadContext) -> None:
    domain.pause()


def _unpause(domain: Domain, context: LoadContext) -> None:
    domain.unpause()


MISUSES: dict[str, tuple[Handler, str]] = {
    "another type": (lambda d, c: c.begin(0x101), "another type"),  # type: ignore[dict-item]
    "begin twice": (_begin_twice, "begins its record twice"),
    "data before begin": (lambda d, c: c.data(1), "outside of its record"),  # type: ignore[dict-item]
    "sink before begin": (lambda d, c: c.sink(1), "outside of its record"),
    "end before begin": (lambda d, c: c.end(), "did not begin"),
    "end twice": (_end_twice, "did not begin"),
    "nothing at all": (lambda d, c: None, "did not begin its record"),
    "no end": (lambda d, c: c.begin(0x100), "did not end its record"),  # type: ignore[dict-item]
    "negative size": (_negative, "negative"),
    "pause": (_pause, "pauses no domain"),
    "unpause": (_unpause, "unpauses no domain"),
}


@pytest.mark.parametrize("name", MISUSES)
def test_misuse(name: str) -> None:
    handler, message = MISUSES[name]
    assert message in str(misuse(handler))


@pytest.mark.parametrize("action", ["data", "sink", "extent"])
def test_past_the_length_nothing_is_read(action: str) -> None:
    def handler(domain: Domain, context: LoadContext) -> None:
        context.begin(0x100)
        context.data(3)
        log.append("now")
        getattr(context, action)(2)

    log: list[str] = []
    domain = fresh(with_handler(handler))
    with pytest.raises(ImageError) as caught:
        load_domain(domain, Noting(image(word(0, 1)), log), domain.registry)
    assert log[-1] == "now"
    error = caught.value
    assert (error.rule, error.errno, error.offset) == ("body-too-short", Errno.ENODATA, 43)
    assert (error.expected, error.actual) == ("2 bytes", "1 bytes")


def test_what_is_left_of_a_body() -> None:
    def some(ignore: bool) -> Handler:
        def handler(domain: Domain, context: LoadContext) -> None:
            context.begin(0x100)
            context.data(1)
            context.end(ignore_rest=ignore)

        return handler

    error = refused(fresh(with_handler(some(False))), image(word(0, 1)))
    assert (error.rule, error.errno, error.offset) == ("body-not-consumed", Errno.EINVAL, 41)
    assert load(fresh(with_handler(some(True))), image(word(0, 1), word(1, 1))).records == 2


def test_ignored_rests_are_still_framed() -> None:
    class Lax(WordType):
        ignore_rest = True

    domain = fresh(Lax)
    load(domain, image(rec(0x100, 0, b"\5\0\0\0and more"), word(1, 6)))
    assert domain.state[Word] == {0: Word(value=5), 1: Word(value=6)}
    refused(fresh(Lax), start() + rec(0x100, 0, b"\5\0\0\0and more")[:-4])
    assert refused(fresh(Lax), image(rec(0x100, 0, b"\5\0\0"))).rule == "body-too-short"
    bad = start() + rec(0x100, 0, b"\5\0\0\0!")[:-1] + b"x" + end()
    assert refused(fresh(Lax), bad).rule == "padding-not-zero"


def test_a_body_decoded_by_hand_is_located_in_the_file() -> None:
    def handler(domain: Domain, context: LoadContext) -> None:
        context.begin(0x100)
        Word.from_bytes(context.rest(), context.byteorder)
        context.end()

    error = refused(fresh(with_handler(handler)), image(word(0, 1), word(1, 101)))
    assert (error.rule, error.offset, error.record) == ("field-out-of-range", 24 + 24 + 16, 2)


def test_the_cap_limits_what_is_held() -> None:
    class Bytes(Body):
        items: list[int] = array(u8())

    class Held(RecordType[Bytes]):
        code, name, body = 0x100, "HELD", Bytes

    data = image(rec(0x100, 0, bytes(5000)))
    error = refused(fresh(Held), data, cap=4999)
    assert (error.rule, error.errno) == ("length-over-cap", Errno.E2BIG)
    assert load(fresh(Held), data, cap=5000).records == 1


def test_a_handler_with_a_bug() -> None:
    def handler(domain: Domain, context: LoadContext) -> None:
        raise KeyError("state")

    domain = fresh(with_handler(handler))
    with pytest.raises(PluginError, match="load handler of WORD raised KeyError") as caught:
        load(domain, image(word(4, 1)))
    assert (caught.value.instance, caught.value.provider) == (4, THIRD)
    assert isinstance(caught.value.__cause__, KeyError)
    assert domain.log == []


def test_own_instance_limits() -> None:
    class Few(WordType):
        instances = Instances(limit=3, errno=Errno.ENOENT)

    assert load(fresh(Few), image(word(2, 1))).records == 1
    error = refused(fresh(Few), image(word(3, 1)))
    assert (error.errno, error.expected, error.actual) == (Errno.ENOENT, "0 to 2", 3)


# --------------------------------------------------------------------------------------- two phases


class Counted(WordType):
    """Counts loads, as incarnation does: computed from what the domain has."""

    def load(self, domain: Domain, context: LoadContext) -> None:
        instance, body = context.read(self)
        domain.update(
            Word, instance, lambda now: Word(value=(now.value if now else 0) + body.value)
        )


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


def test_a_domain_that_refuses_half_way() -> None:
    def trap(what: str) -> None:
        if what == "write Word[2]":
            raise DomainError("no such port", errno=Errno.ENOENT)

    domain = fresh(trap=trap)
    with pytest.raises(DomainError, match="no such port") as caught:
        load(domain, image(word(0, 1), word(1, 1), word(2, 1), word(3, 1)))
    error = caught.value
    assert any("it took Word[0], Word[1]" in note for note in error.__notes__)
    assert (error.type_name, error.instance, error.record, error.offset) == ("WORD", 2, 3, 72)
    assert error.provider is THIRD
    assert domain.log[-1] == "unpause"
    assert domain.pauses == domain.unpauses == 1


def test_nothing_taken_is_said_too() -> None:
    domain = fresh(trap=fail_at(0, DomainError("cannot pause")))
    with pytest.raises(DomainError) as caught:
        load(domain, image(word(0, 1)))
    assert any("it took nothing" in note for note in caught.value.__notes__)
    assert domain.pauses == domain.unpauses == 0


def test_a_bug_in_an_update_names_its_record() -> None:
    class Odd(WordType):
        def load(self, domain: Domain, context: LoadContext) -> None:
            instance, body = context.read(self)
            domain.update(Word, instance, lambda now: Word(value=body.value // (instance - 1)))

    domain = fresh(Odd)
    with pytest.raises(PluginError, match=r"applying WORD\[1\] raised ZeroDivisionError") as caught:
        load(domain, image(word(0, 1), word(1, 1)))
    assert (caught.value.instance, caught.value.provider) == (1, THIRD)
    assert any("it took Word[0]" in note for note in caught.value.__notes__)
    assert domain.pauses == domain.unpauses == 1


def test_without_validation_the_error_says_what_was_applied() -> None:
    domain = fresh()
    data = image(word(0, 1), word(1, 2), word(2, 101))
    with pytest.raises(ImageError) as caught:
        load(domain, data, validate=False)
    assert caught.value.rule == "field-out-of-range"
    assert any("had taken Word[0], Word[1]" in note for note in caught.value.__notes__)
    assert domain.log == ["pause", "write Word[0]", "write Word[1]", "unpause"]
    domain = fresh()
    with pytest.raises(ImageError) as caught:
        load(domain, image(word(0, 101)), validate=False)
    assert any("had taken nothing" in note for note in caught.value.__notes__)


# ------------------------------------------------------------------------------------------- checks


class Sum(Check):
    """Words must not sum up to more than 10, and there must be one."""

    codes: ClassVar[frozenset[int]] = frozenset({0x100})
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("test/sum", Severity.ERROR, Errno.EBUSY, "s", "m", "a", "e"),
        Rule("test/few", Severity.WARNING, None, "s", "m", "a", "e"),
    )

    def __init__(self) -> None:
        self.sum = 0
        self.last: RecordView | None = None

    def record(self, seen: RecordView) -> Iterable[Problem]:
        assert isinstance(seen.body, Word)
        self.sum += seen.body.value
        self.last = seen
        if self.sum > 10:
            yield Problem("test/sum", "too much", 2, "value", expected="at most 10")

    def end(self) -> Iterable[tuple[RecordView | None, Problem]]:
        if self.last is None:
            yield None, Problem("test/few", "no word")
            yield None, Problem("test/few", "really none", severity=Severity.ERROR)
        elif self.sum == 0:
            yield self.last, Problem("test/sum", "nothing", errno=Errno.ENOENT)


class Elsewhere(Sum):
    """The same, for another format: it must not see these records."""

    format = "libxc"


def both(data: bytes, *checks: type[Check]) -> tuple[ImageError | None, list[Any]]:
    """What load and verify say, which must be the same."""
    domain = fresh()
    error = None
    try:
        load(domain, data, checks=[check() for check in checks])
    except ImageError as caught:
        error = caught
        assert domain.log == []
    verdict = verify(BufferSource(data), formats([WordType]), checks=checks)
    assert verdict.valid == (error is None)
    return error, [f for f in verdict.findings if f.severity is Severity.ERROR]


def test_checks_refuse_an_image_before_any_pause() -> None:
    assert both(image(word(0, 5), word(1, 5)), Sum) == (None, [])
    error, (finding,) = both(image(word(0, 5), word(7, 6)), Sum)
    assert error is not None
    assert (error.rule, error.errno, error.offset) == ("test/sum", Errno.EBUSY, 48 + 16 + 2)
    assert (error.record, error.type, error.type_name, error.instance) == (2, 0x100, "WORD", 7)
    assert (error.field, error.expected) == ("value", "at most 10")
    assert (finding.rule, finding.errno, finding.offset) == (error.rule, error.errno, error.offset)
    assert (finding.record, finding.instance, finding.name) == (2, 7, "WORD")


def test_checks_at_the_end() -> None:
    error, (finding,) = both(image(word(0, 0)), Sum)
    assert error is not None
    assert (error.errno, error.record, error.offset) == (Errno.ENOENT, 1, 24)
    assert (finding.errno, finding.record, finding.offset) == (Errno.ENOENT, 1, 24)
    error, (finding,) = both(image(), Sum)
    assert error is not None
    assert error.message == finding.message == "really none"


def test_checks_of_other_formats_are_not_asked() -> None:
    assert both(image(word(0, 90)), Elsewhere) == (None, [])


def test_checks_without_validation_stop_the_load_and_unpause() -> None:
    domain = fresh()
    with pytest.raises(ImageError):
        load(domain, image(word(0, 5), word(7, 6)), checks=[Sum()], validate=False)
    assert domain.log[0] == "pause"
    assert domain.log[-1] == "unpause"


@pytest.mark.parametrize("where", ["record", "end"])
def test_a_check_with_a_bug(where: str) -> None:
    class Broken(Sum):
        def record(self, seen: RecordView) -> Iterable[Problem]:
            if where == "record":
                raise LookupError("oops")
            return ()

        def end(self) -> Iterable[tuple[RecordView | None, Problem]]:
            raise LookupError("oops")

    domain = fresh()
    with pytest.raises(PluginError, match=r"the check .*test_load.*Broken raised LookupError"):
        load(domain, image(word(0, 1)), checks=[Broken()])
    assert domain.log == []
    verdict = verify(BufferSource(image(word(0, 1))), formats([WordType]), checks=[Broken])
    assert verdict.needs_plugin
    assert not verdict.valid
    assert {f.rule for f in verdict.findings} == {"needs-plugin"}


def test_a_judge_with_a_bug() -> None:
    class Judging(WordType):
        def judge(self, instance: int | None, body: Word, receiver: Any) -> Iterable[Problem]:
            raise LookupError("oops")

    with pytest.raises(PluginError, match="WORD raised LookupError") as caught:
        load(fresh(Judging), image(word(0, 1)))
    assert caught.value.provider is THIRD
    verdict = verify(BufferSource(image(word(0, 1))), formats([Judging]))
    assert verdict.needs_plugin
    assert "third-party 2.5" in verdict.findings[0].message


def test_the_severity_of_a_judged_problem_is_that_of_its_rule() -> None:
    class Judging(WordType):
        def judge(self, instance: int | None, body: Word, receiver: Any) -> Iterable[Problem]:
            yield Problem("test/few", "only a warning")
            if body.value == 66:
                yield Problem("test/sum", "an error", 1)

    for value in (1, 66):
        data = image(word(0, value))
        domain = fresh(Judging)
        error = None
        try:
            load(domain, data, checks=[Elsewhere(), Quiet()])
        except ImageError as caught:
            error = caught
        assert verify(BufferSource(data), formats([Judging]), checks=[Quiet]).valid == (
            error is None
        )
        assert (error is None) == (value == 1)
        assert error is None or (error.errno, error.offset) == (Errno.EBUSY, 41)


class Quiet(Sum):
    """Brings the rules and says nothing."""

    codes = frozenset()

    def end(self) -> Iterable[tuple[RecordView | None, Problem]]:
        return ()


# ------------------------------------------------------------------------------------------ balance

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


def test_single_types_stay_single() -> None:
    class Lone(WordType):
        instances = SINGLE

    assert refused(fresh(Lone), image(word(1, 1))).errno is Errno.ENXIO


def test_ctrl_c_while_the_domain_is_paused_leaves_it_running() -> None:
    class Struck(LoggedDomain):
        def pause(self) -> None:
            super().pause()
            os.kill(os.getpid(), signal.SIGINT)

    made = Struck(registry())
    with pytest.raises(KeyboardInterrupt):
        load_domain(made, MemoryLoadOps(image()), made.registry)
    assert made.log.count("pause") == made.log.count("unpause") == 1
