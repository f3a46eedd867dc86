"""Framing: prologues, headers, limits, and input that is cut short."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from box_records import Number, box, brec, closings, known, outline, outline_with_cap, rules
from support import (
    Drip,
    image,
    rec,
    start,
)

from domctx_core import (
    BufferSource,
    FileSource,
    Framing,
    Opened,
    Record,
    Severity,
    verify,
    walk,
)


def test_prologue_header_and_padding_of_another_format(tmp_path: Path) -> None:
    data = box(brec(1, b"\0\0\0\5"), brec(99, b"12345"))
    assert outline(data, tmp_path) == [
        "open box", "13 NUMBER[None] 4", "25 None[None] 5", "41 LAST[None] 0", "close box 49",
    ]  # fmt: skip
    opened, number = list(walk(BufferSource(data), known()))[:2]
    assert isinstance(opened, Opened)
    assert opened.level.framing == Framing("big", 3)
    assert [type(body).__name__ for _, body in opened.level.prologue] == ["BoxPrologue", "Label"]
    assert [offset for offset, _ in opened.level.prologue] == [0, 8]
    assert isinstance(number, Record)
    assert number.decoded is not None
    assert number.decoded.body == Number(value=5)


def test_the_prologue_sets_the_byte_order_of_the_bodies() -> None:
    data = box(brec(1, b"\5\0\0\0"), little=1)
    (number,) = [e for e in walk(BufferSource(data), known()) if isinstance(e, Record)][:1]
    assert number.decoded is not None
    assert number.decoded.body == Number(value=5)
    assert rules(box(brec(1, b"\5\0\0\0"))) == [("field-out-of-range", 21)]


@pytest.mark.parametrize(
    "inner", [start() + rec(3, 0, b"", length=10**9) + bytes(9), b"", b"short"]
)
def test_what_cannot_be_framed_is_the_innermost_containers(inner: bytes) -> None:
    data = box(brec(3), inner, tail=b"")
    offset = 21 + 24 * bool(inner.startswith(start()))
    rest = len(data) - offset
    assert closings(BufferSource(data)) == [
        ("domain-context", offset, rest, True), ("box", offset, 0, True)
    ]  # fmt: skip
    if inner[24:]:  # then the end was met when the record was looked at
        assert closings(FileSource(Drip(data))) == closings(BufferSource(data))
    else:
        assert closings(FileSource(Drip(data))) == [
            ("domain-context", offset, None, True), ("box", offset, 0, True)
        ]  # fmt: skip


def test_limits_of_a_format() -> None:
    data = box(brec(1, bytes(1 << 20) + b"!"), brec(0x80000063, b"1234"), brec(0x63))
    assert rules(data) == [
        ("length-over-cap", 13),
        ("unknown-type", 13 + 8 + (1 << 20) + 4),
        ("unknown-type", 13 + 8 + (1 << 20) + 4 + 12),
    ]
    severities = [f.severity for f in verify(BufferSource(data), known()).findings]
    assert severities == [Severity.ERROR, Severity.NOTE, Severity.ERROR]


@pytest.mark.parametrize("cut", range(1, 60))
def test_any_cut_is_one_fault(cut: int, tmp_path: Path) -> None:
    data = box(brec(2, image()), brec(1, bytes(4)))[:cut]
    lines = outline(data, tmp_path)
    assert sum(line.startswith("fault") for line in lines) == 1
    if cut >= 4:
        verdict = verify(BufferSource(data), known())
        assert not verdict.valid
        assert verdict.findings[-1].rule in ("truncated-header", "truncated-body", "end-missing")


def test_a_prologue_that_claims_too_much() -> None:
    data = struct.pack(">4sHH", b"BOX!", 0, 0xFFFF) + b"short"
    assert outline(data) == ["fault truncated-header 8", "drop box 0"]
    assert outline_with_cap(box(label=bytes(200)), 100) == ["length-over-cap"]


def test_bad_padding_after_a_body_that_streams_by() -> None:
    data = box(brec(6, bytes(5001))[:-1] + b"x")
    assert (
        [(f.rule, f.offset) for f in verify(FileSource(Drip(data)), known()).findings]
        == rules(data)
        == [("padding-not-zero", 13 + 8 + 5001 + 2)]
    )
