"""The data of a report: findings by severity, and whether records are shortened."""

from __future__ import annotations

import pytest
from report_pages import make_report
from support import end, rec, start

DATA = start() + b"".join(rec(0x500, n, b"x") for n in range(4)) + end()


def test_findings_are_counted_by_severity() -> None:
    report = make_report(DATA)
    assert sum(count for _, count in report.counts) == len(report.image.findings) > 0
    assert all(count for _, count in report.counts)


@pytest.mark.parametrize(("limit", "shortened"), [(0, True), (100, False)])
def test_records_beyond_the_limit_are_shortened(limit: int, shortened: bool) -> None:
    data = start() + end()
    assert make_report(data, limit=limit).shortened is shortened
