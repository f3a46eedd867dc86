"""State of containers: order across batches, and the runs that checks are given."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from batch_records import SLOW, TYPES, Batched, constants, plain, rows, same_both_ways
from support import end, formats, start

from domctx_core import (
    BufferSource,
    Check,
    Problem,
    RecordView,
    Run,
    verify,
)


def test_order_is_judged_between_runs() -> None:
    data = start() + rows(300, 0x11) + rows(300, 0x10) + rows(300, 0x12) + end()
    found = same_both_ways(data, lambda: formats(TYPES))[0]
    assert [(f.rule, f.record) for f in found] == [("order-not-ascending", 301)]


def test_a_check_that_raises_for_a_run_is_its_plugins_fault() -> None:
    class Broken(Batched):
        def records(self, run: Run) -> Iterable[tuple[int, Problem]]:
            raise KeyError("no")

    verdict = verify(BufferSource(plain(500)), formats(TYPES), checks=[Broken])
    assert verdict.needs_plugin
    assert {f.rule for f in verdict.findings} == {"needs-plugin", "runs/rise"}


@pytest.mark.parametrize("order", "<>")
def test_a_run_gives_columns_and_records(order: str) -> None:
    kept: list[Run] = []

    class Keep(Batched):
        def records(self, run: Run) -> Iterable[tuple[int, Problem]]:
            kept.append(run)
            return ()

    seen: list[RecordView] = []

    class Note(Batched):
        def record(self, each: RecordView) -> Iterable[Problem]:
            seen.append(each)
            return ()

        records = Check.records

    data = plain(700, order)
    verify(BufferSource(data), formats(TYPES))
    with constants(FIRST_BLOCK=4096, BLOCK=4096):
        verify(BufferSource(data), formats(TYPES), checks=[Keep])
    with constants(**SLOW):
        verify(BufferSource(data), formats(TYPES), checks=[Note])
    assert len(kept) > 3
    assert sum(map(len, kept)) == 699
    for run in kept:
        expected = seen[run.index - 1 : run.index - 1 + len(run)]
        assert list(run) == expected
        assert list(run.instances) == [each.instance for each in expected]
        assert list(run.column("a")) == [each.body.a for each in expected]  # type: ignore[union-attr]
        assert list(run.column("b")) == [each.body.b for each in expected]  # type: ignore[union-attr]
        assert run.outline(1).body is None
        with pytest.raises(IndexError):
            run[len(run)]
