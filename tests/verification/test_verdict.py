"""Verdicts: valid or not, however many findings there are."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from support import (
    formats,
    image,
    port,
)
from verdict_records import Chatty

from domctx_core import (
    BufferSource,
    Problem,
    RecordView,
    Severity,
    verify,
)
from domctx_core.verification.verifier import MAX_FINDINGS


@pytest.mark.parametrize("grave", [None, 3, MAX_FINDINGS, MAX_FINDINGS + 700])
def test_the_limit_does_not_change_the_verdict(grave: int | None) -> None:
    """Many notes make no image invalid, and hide no error that comes after them."""

    class Now(Chatty):
        pass

    Now.grave = grave
    data = image(*(port(n) for n in range(MAX_FINDINGS + 1000)))
    verdict = verify(BufferSource(data), formats(), checks=[Now])
    assert len(verdict.findings) <= MAX_FINDINGS + 1
    assert any(f.rule == "limit" for f in verdict.findings)
    assert verdict.valid == (grave is None)
    if grave is not None:
        (first, *_) = [f for f in verdict.findings if f.severity is Severity.ERROR]
        assert (first.rule, first.instance) == ("chatty/port", grave)


def test_checks_start_anew_for_each_image() -> None:
    class Once(Chatty):
        def __init__(self) -> None:
            self.count = 0

        def record(self, seen: RecordView) -> Iterable[Problem]:
            self.count += 1
            if self.count > 1:
                yield Problem("chatty/port", "again", severity=Severity.ERROR)

    for _ in range(3):
        assert verify(BufferSource(image(port(1))), formats(), checks=[Once]).valid
    assert not verify(BufferSource(image(port(1), port(2))), formats(), checks=[Once]).valid
