"""Checks across records during a load: they refuse what `verify` refuses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import pytest
from reading_records import RUN_TYPES, Plain, Reading, outcome, readings
from support import (
    end,
    formats,
    image,
    registry,
    start,
)
from word_records import Word, WordType, fresh, load, word

from domctx_core import (
    BufferSource,
    Check,
    Columns,
    DomainError,
    Errno,
    ImageError,
    MemoryLoadOps,
    PluginError,
    Problem,
    RecordView,
    Rule,
    Severity,
    verify,
)
from domctx_core.engine.sim_domain import SimDomain


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
    with pytest.raises(
        PluginError, match=r"the check .*test_load_checks.*Broken raised LookupError"
    ):
        load(domain, image(word(0, 1)), checks=[Broken()])
    assert domain.log == []
    verdict = verify(BufferSource(image(word(0, 1))), formats([WordType]), checks=[Broken])
    assert verdict.needs_plugin
    assert not verdict.valid
    assert {f.rule for f in verdict.findings} == {"needs-plugin"}


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


class Sums(Check):
    """Refuses where values add up to more than it likes, one by one or at once."""

    codes: ClassVar[frozenset[int]] = frozenset({0x100})
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("t/sum", Severity.ERROR, Errno.EINVAL, "too much", "why", "less", "an image"),
    )
    limit = 10**9

    def __init__(self) -> None:
        self.total = 0

    def record(self, seen: RecordView) -> Iterable[Problem]:
        assert isinstance(seen.body, Reading)
        self.total += seen.body.value
        if self.total > self.limit:
            yield Problem("t/sum", f"{self.total} is too much", 1, "value")


class BatchSums(Sums):
    def records(self, run: Any) -> Iterable[tuple[int, Problem]]:
        for number, value in enumerate(run.column("value")):
            self.total += value
            if self.total > self.limit:
                yield number, Problem("t/sum", f"{self.total} is too much", 1, "value")


@pytest.mark.parametrize("check", [Sums, BatchSums])
@pytest.mark.parametrize("limit", [10**9, 700])
@pytest.mark.parametrize("refused", [-1, 5, 35])
def test_checks_see_the_same(check: type[Sums], limit: int, refused: int) -> None:
    known = registry(RUN_TYPES)
    data = b"".join([start(), *readings(40), end()])

    class Refuses(SimDomain):
        def accepts_run(self, body: Any, run: Columns[Any]) -> None:
            if run.place_of(refused) is not None:
                raise DomainError("no", instance=refused)

        def accepts(self, body: Any, instance: int, value: Any) -> None:
            if instance == refused:
                raise DomainError("no", instance=refused)

    seen = []
    for ops in (MemoryLoadOps(data), Plain(data)):
        one = check()
        one.limit = limit
        seen.append((outcome(Refuses(known), ops, known, checks=[one]), one.total))
    assert seen[0][0][0] == seen[1][0][0]
    if limit == 10**9 and refused < 0:
        assert seen[0] == seen[1]
