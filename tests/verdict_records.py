"""Findings of images by every kind of source, and a check that reports each port."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from support import (
    Drip,
    formats,
)

from domctx_core import (
    BufferSource,
    Check,
    Errno,
    FileSource,
    Finding,
    Problem,
    RecordView,
    Rule,
    Severity,
    verify,
)


def findings(data: bytes, **options: Any) -> list[Finding]:
    found = verify(BufferSource(data), formats(), **options).findings
    assert found == verify(FileSource(Drip(data)), formats(), **options).findings
    return list(found)


class Chatty(Check):
    """Has a note on every port, and may make one of them an error."""

    codes: ClassVar[frozenset[int]] = frozenset({4})
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("chatty/port", Severity.NOTE, Errno.EBUSY, "s", "m", "a", "e"),
    )
    grave: ClassVar[int | None] = None

    def record(self, seen: RecordView) -> Iterable[Problem]:
        severity = Severity.ERROR if seen.instance == self.grave else None
        yield Problem("chatty/port", "a port", severity=severity)
