"""What a check may answer of a record, and what becomes of an answer that is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import pytest
from support import formats, image, port, start

from domctx_core import BufferSource, Check, Errno, ImageError, Problem, RecordView, verify
from domctx_core.base.errors import PluginError

IMAGE = image(port(1), port(2))
FOUND = Problem("field-out-of-range", "odd", 4, "field")


def of(answer: Callable[[RecordView], Any]) -> type[Check]:
    class Answering(Check):
        codes: ClassVar[frozenset[int]] = frozenset({4})

        def record(self, seen: RecordView) -> Iterable[Problem]:
            made: Iterable[Problem] = answer(seen)
            return made

    return Answering


def told(*checks: type[Check]) -> list[tuple[str, int | None]]:
    verdict = verify(BufferSource(IMAGE), formats(), checks=checks)
    return [
        (each.rule, each.offset)
        for each in verdict.findings
        if each.rule in ("field-out-of-range", "needs-plugin")
    ]


def one_by_one(seen: RecordView) -> Iterator[Problem]:
    yield FOUND
    yield FOUND


@pytest.mark.parametrize("answer", [lambda seen: (), lambda seen: [], lambda seen: iter(())])
def test_nothing_in_any_form_is_nothing(answer: Callable[[RecordView], Any]) -> None:
    assert told(of(answer)) == []


@pytest.mark.parametrize(
    "answer", [one_by_one, lambda seen: [FOUND, FOUND], lambda seen: (FOUND, FOUND)]
)
def test_problems_in_any_form_are_told(answer: Callable[[RecordView], Any]) -> None:
    first = len(start()) + 16 + 4
    second = first + len(port(1))
    assert told(of(answer)) == [("field-out-of-range", at) for at in (first, first, second, second)]


def fails(seen: RecordView) -> Iterator[Problem]:
    yield FOUND
    raise ValueError("oh")


def blames(seen: RecordView) -> Iterable[Problem]:
    raise PluginError("it is not there", errno=Errno.EIO)


@pytest.mark.parametrize("answer", [fails, blames, lambda seen: None, lambda seen: 5])
def test_what_is_no_answer_is_its_plugins_fault(answer: Callable[[RecordView], Any]) -> None:
    checks = of(answer), of(lambda seen: [FOUND])
    assert [rule for rule, _ in told(*checks)] == ["needs-plugin", "field-out-of-range"] * 2
    assert verify(BufferSource(IMAGE), formats(), checks=checks).needs_plugin


def test_an_error_of_ours_is_nobodys_fault() -> None:
    def refuses(seen: RecordView) -> Iterable[Problem]:
        raise ImageError("stop", errno=Errno.EINVAL)

    with pytest.raises(ImageError, match="stop"):
        told(of(refuses))


def test_a_check_cannot_change_what_the_next_one_sees() -> None:
    def changes(seen: RecordView) -> Iterable[Problem]:
        seen.name = "mine"  # type: ignore[misc]
        return ()

    assert {rule for rule, _ in told(of(changes))} == {"needs-plugin"}
