"""Events of a walk: what follows the last record, and faults."""

from __future__ import annotations

from pathlib import Path

from box_records import box, brec, known, outline
from support import (
    Drip,
    end,
    image,
    port,
    rec,
    start,
)

from domctx_core import (
    BufferSource,
    Fault,
    FileSource,
    Record,
    Severity,
    verify,
    walk,
)


def test_trailing_bytes_in_a_body_and_at_the_top() -> None:
    data = box(brec(2, image() + b"abc")) + b"tail"
    verdict = verify(BufferSource(data), known())
    assert [(f.rule, f.offset, f.severity, f.actual) for f in verdict.findings] == [
        ("trailing-bytes", 61, Severity.WARNING, "3 bytes"),
        ("trailing-bytes", len(data) - 4, Severity.WARNING, "4 bytes"),
    ]
    assert [f.expected for f in verdict.findings] == ["the body's end", "the end of the input"]
    assert verdict.valid


def test_a_fault_inline_stops_everything() -> None:
    lines = outline(box(brec(3), start() + rec(3, 0, b"", length=10**9), tail=b""))
    assert lines[-3:] == ["fault truncated-body 61", "drop domain-context 45", "drop box 45"]


def test_content_that_streamed_by_is_said(tmp_path: Path) -> None:
    inner = image(*map(port, range(40)))
    data = box(brec(12, inner), brec(1, bytes(4)))
    memory = [e for e in walk(BufferSource(data), known()) if isinstance(e, Record)]
    assert len(memory) == 1 + 42 + 2
    events = list(walk(FileSource(Drip(data)), known()))
    (fault,) = [e for e in events if isinstance(e, Fault)]
    assert (fault.finding.rule, fault.finding.offset) == ("length-over-cap", 13)
    assert len([e for e in events if isinstance(e, Record)]) == 3


def test_reading_what_end_is_not() -> None:
    assert outline(start() + end() + end()) == [
        "open domain-context", "0 START[0] 8", "24 END[0] 0",
        f"trailing domain-context 40+16 {bytes(4).hex()}", "close domain-context 40",
    ]  # fmt: skip
