"""The walker: containers in containers, suspended ones, limits, offsets, bounded memory."""

from __future__ import annotations

import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from support import (
    CORE,
    THIRD,
    Drip,
    end,
    formats,
    image,
    pipe_from,
    port,
    rec,
    sources,
    start,
    tsc,
)

from domctx_core import (
    Body,
    BufferSource,
    Check,
    Closed,
    Content,
    DeclarationError,
    Empty,
    Fault,
    FileSource,
    Format,
    Formats,
    Framing,
    InputOutputError,
    Opened,
    PluginError,
    Problem,
    Record,
    RecordType,
    RecordView,
    Rule,
    Severity,
    Source,
    Trailing,
    blob,
    u16,
    u32,
    verify,
    walk,
)
from domctx_core.reader.record import KEPT
from domctx_core.reader.walker import MAX_DEPTH


class BoxPrologue(Body, byteorder="big"):
    """Magic, then the byte order of the records."""

    magic: int = u32()
    little: int = u16(maximum=1)
    label_size: int = u16()


class BoxHeader(Body, byteorder="big"):
    """A big-endian header in an order of its own, without instance."""

    length: int = u32()
    type: int = u32()


class Box(Format):
    """Made up: a prologue of two bodies, records padded to 4, the last has type 0xFF."""

    name = "box"
    title = "box"
    header = BoxHeader
    alignment = 4
    last = 0xFF
    optional = 0x8000_0000
    max_length = 1 << 20

    def recognises(self, head: bytes) -> bool:
        return head[:4] == b"BOX!"

    def byteorder(self, head: bytes) -> str:
        return "big"

    def prologue(self, bodies: Sequence[Body]) -> tuple[type[Body], int] | None:
        if not bodies:
            return BoxPrologue, 8
        if len(bodies) == 1:
            first = bodies[0]
            assert isinstance(first, BoxPrologue)
            return Label, first.label_size
        return None

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        first = bodies[0]
        assert isinstance(first, BoxPrologue)
        return Framing("little" if first.little else "big", 3)


class Label(Body):
    """The rest of the prologue."""

    text: bytes = blob()


class Wrap(Format):
    """A prologue of 4 bytes and nothing but a box after it."""

    name = "wrap"

    def recognises(self, head: bytes) -> bool:
        return head[:4] == b"WRAP"

    def prologue(self, bodies: Sequence[Body]) -> tuple[type[Body], int] | None:
        return None if bodies else (Label, 4)

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        return Framing("little", 1, follows="box")


class Number(Body):
    """Shows the byte order of the framing."""

    value: int = u32(maximum=1000)


def box_type(code: int, name: str, body: type[Body] = Label, **extra: Any) -> RecordType[Any]:
    made: RecordType[Any] = type(
        name, (RecordType,), {"code": code, "name": name, "body": body, **extra}
    )()
    return made


TYPES = [
    box_type(0xFF, "LAST", Empty),
    box_type(1, "NUMBER", Number),
    box_type(2, "BLOB", content=Content("domain-context")),
    box_type(3, "INLINE", Empty, content=Content("domain-context", inline=True)),
    box_type(4, "SELF", content=Content("box")),
    box_type(5, "ANYTHING", content=Content(None)),
    box_type(6, "PAGES", bulk=True),
    box_type(7, "PAUSE", Empty, suspends=True),
    box_type(8, "INNER", Empty, content=Content("inner", inline=True)),
    box_type(9, "AGAIN", Empty, content=Content("inner", inline=True, resumes=True)),
    box_type(10, "MISSING", content=Content("libnone")),
    box_type(11, "ANYLINE", Empty, content=Content(None, inline=True)),
    box_type(12, "BULKCTX", bulk=True, content=Content("domain-context")),
]


class Inner(Box):
    """A box that can be suspended."""

    name = "inner"


INNER_TYPES = [
    box_type(0xFF, "LAST", Empty),
    box_type(1, "NUMBER", Number),
    box_type(7, "PAUSE", Empty, suspends=True),
]


def known() -> Formats:
    made = formats()
    made.add("wrap", THIRD, Wrap)
    made.add("box", THIRD, Box)
    made.add("inner", THIRD, Inner)
    for each in TYPES:
        made.registry("box").register(each, THIRD)
    for each in INNER_TYPES:
        made.registry("inner").register(each, THIRD)
    return made


def brec(type: int, body: bytes = b"") -> bytes:
    return struct.pack(">II", len(body), type) + body + bytes(-len(body) % 4)


LAST = brec(0xFF)


def box(*records: bytes, little: int = 0, label: bytes = b"label", tail: bytes = LAST) -> bytes:
    return struct.pack(">4sHH", b"BOX!", little, len(label)) + label + b"".join(records) + tail


def outline(data: bytes, tmp: Path | None = None) -> list[str]:
    """What the walker says, one line an event; the same for all kinds of source."""
    every: list[list[str]] = []
    for _, source in sources(data, tmp / "input") if tmp else [("memory", BufferSource(data))]:
        lines = []
        for event in walk(source, known()):
            match event:
                case Opened(level, resumed):
                    lines.append(f"{'resume' if resumed else 'open'} {'/'.join(level.path)}")
                case Record():
                    lines.append(f"{event.offset} {event.name}[{event.instance}] {event.length}")
                case Closed(level, offset, _, broken):
                    lines.append(f"{'drop' if broken else 'close'} {level.format.name} {offset}")
                case Trailing(level, offset, length, raw):
                    lines.append(f"trailing {level.format.name} {offset}+{length} {raw[:4].hex()}")
                case Fault(_, finding):
                    lines.append(f"fault {finding.rule} {finding.offset}")
        every.append(lines)
    assert all(lines == every[0] for lines in every)
    return every[0]


def rules(data: bytes, **options: Any) -> list[tuple[str, int]]:
    return [(f.rule, f.offset) for f in verify(BufferSource(data), known(), **options).findings]


# ------------------------------------------------------------------------------------ made-up formats


def test_a_domain_context(tmp_path: Path) -> None:
    assert outline(image(port(3), rec(3, 0, tsc())) + b"tail", tmp_path) == [
        "open domain-context",
        "0 START[0] 8", "24 EVTCHN[3] 16", "56 TSC_INFO[0] 20", "96 END[0] 0",
        "trailing domain-context 112+4 7461696c",
        "close domain-context 112",
    ]  # fmt: skip


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


def test_a_format_without_records(tmp_path: Path) -> None:
    assert outline(b"WRAP" + box() + b"..", tmp_path) == [
        "open wrap", "open wrap/box", "17 LAST[None] 0", "close box 25",
        "trailing wrap 25+2 2e2e", "close wrap 25",
    ]  # fmt: skip


def test_content_in_a_body(tmp_path: Path) -> None:
    inner = image(port(1)) + b"xyz"
    data = box(brec(2, inner), brec(1, bytes(4)))
    at = 13 + 8
    stop = at + len(inner)
    assert outline(data, tmp_path) == [
        "open box", f"13 BLOB[None] {len(inner)}", "open box/domain-context",
        f"{at} START[0] 8", f"{at + 24} EVTCHN[1] 16", f"{at + 56} END[0] 0",
        f"trailing domain-context {stop - 3}+3 78797a", f"close domain-context {stop - 3}",
        f"{stop + 1} NUMBER[None] 4", f"{stop + 13} LAST[None] 0", f"close box {stop + 21}",
    ]  # fmt: skip


def test_an_empty_body_that_should_be_a_container(tmp_path: Path) -> None:
    assert outline(box(brec(2), brec(1, bytes(4))), tmp_path) == [
        "open box", "13 BLOB[None] 0", "open box/domain-context", "fault end-missing 21",
        "drop domain-context 21", "21 NUMBER[None] 4", "33 LAST[None] 0", "close box 41",
    ]  # fmt: skip


def test_inline_content(tmp_path: Path) -> None:
    data = box(brec(3), image(port(1)), brec(1, bytes(4)))
    assert outline(data, tmp_path) == [
        "open box", "13 INLINE[None] 0", "open box/domain-context",
        "21 START[0] 8", "45 EVTCHN[1] 16", "77 END[0] 0", "close domain-context 93",
        "93 NUMBER[None] 4", "105 LAST[None] 0", "close box 113",
    ]  # fmt: skip


def test_a_container_is_suspended_and_resumed(tmp_path: Path) -> None:
    inner = box(tail=b"")
    data = box(
        brec(8), inner, brec(1, bytes(4)), brec(7),
        brec(1, bytes(4)),
        brec(9), brec(1, bytes(4)), brec(7),
        brec(9), LAST,
    )  # fmt: skip
    assert outline(data, tmp_path) == [
        "open box", "13 INNER[None] 0",
        "open box/inner", "34 NUMBER[None] 4", "46 PAUSE[None] 0", "close inner 54",
        "54 NUMBER[None] 4",
        "66 AGAIN[None] 0", "resume box/inner", "74 NUMBER[None] 4", "86 PAUSE[None] 0",
        "close inner 94",
        "94 AGAIN[None] 0", "resume box/inner", "102 LAST[None] 0", "close inner 110",
        "110 LAST[None] 0", "close box 118",
    ]  # fmt: skip
    indexes = [
        (e.level.format.name, e.index)
        for e in walk(BufferSource(data), known())
        if isinstance(e, Record)
    ]
    assert [index for name, index in indexes if name == "inner"] == [0, 1, 2, 3, 4]


def test_a_suspended_container_is_judged_as_a_whole() -> None:
    class Total(Check):
        """One for all the pieces of a container that was suspended."""

        format = "inner"
        codes = frozenset({1})
        rules = (Rule("test/count", Severity.NOTE, None, "s", "m", "a", "e"),)

        def __init__(self) -> None:
            self.count = 0

        def record(self, seen: RecordView) -> Iterator[Problem]:
            self.count += 1
            yield from ()

        def end(self) -> Iterator[tuple[RecordView | None, Problem]]:
            yield None, Problem("test/count", f"{self.count} numbers")

    number = brec(1, bytes(4))
    data = box(brec(8), box(number, brec(7), tail=b""), number, brec(9), number, LAST)
    found = verify(BufferSource(data), known(), checks=[Total]).findings
    assert [(f.message, f.offset) for f in found] == [("2 numbers", 21)]


def test_content_of_whatever_format_the_bytes_show() -> None:
    assert outline(box(brec(5, image())))[2] == "open box/domain-context"
    assert outline(box(brec(5, box())))[2] == "open box/box"
    assert outline(box(brec(5, b"nothing that anybody knows")))[2] == "49 LAST[None] 0"
    assert outline(box(brec(11), image()))[2] == "open box/domain-context"
    assert outline(box(brec(11)))[2] == "21 LAST[None] 0"
    assert outline(box(brec(5)))[2] == "21 LAST[None] 0"


def test_what_is_recognised_in_a_body_is_in_the_body() -> None:
    """The bytes after a short body do not make it another format."""
    assert outline(box(brec(5, b"BO"), tail=b"X!aa"))[2].startswith("fault")
    assert "open box/box" not in outline(box(brec(5, b"BOX"), b"!" * 40))


# --------------------------------------------------------------------------------------- findings


def test_offsets_from_the_start_of_the_file_and_of_the_container() -> None:
    inner = image(rec(3, 0, tsc(mode=9)))
    data = b"WRAP" + box(brec(1, b"\0\0\xff\0"), brec(2, inner))
    verdict = verify(BufferSource(data), known())
    first, second = verdict.findings
    assert verdict.format == "wrap"
    assert (first.rule, first.offset, first.container) == (
        "field-out-of-range",
        25,
        ("wrap", "box"),
    )
    assert (first.container_offset, first.record, first.type) == (21, 0, 1)
    assert second.container == ("wrap", "box", "domain-context")
    assert (second.offset, second.container_offset) == (37 + 40, 40)
    assert (second.record, second.name, second.field) == (1, "TSC_INFO", "mode")


def test_trailing_bytes_in_a_body_and_at_the_top() -> None:
    data = box(brec(2, image() + b"abc")) + b"tail"
    verdict = verify(BufferSource(data), known())
    assert [(f.rule, f.offset, f.severity, f.actual) for f in verdict.findings] == [
        ("trailing-bytes", 61, Severity.WARNING, "3 bytes"),
        ("trailing-bytes", len(data) - 4, Severity.WARNING, "4 bytes"),
    ]
    assert [f.expected for f in verdict.findings] == ["the body's end", "the end of the input"]
    assert verdict.valid


def test_a_fault_in_a_body_does_not_stop_what_holds_it(tmp_path: Path) -> None:
    cut = image(port(1))[:40]
    lines = outline(box(brec(2, cut), brec(1, bytes(4))), tmp_path)
    assert lines[3:] == [
        "21 START[0] 8", "45 EVTCHN[1] 16", "fault truncated-body 61", "drop domain-context 45",
        "61 NUMBER[None] 4", "73 LAST[None] 0", "close box 81",
    ]  # fmt: skip
    assert outline(box(brec(2, start()), brec(1, bytes(4))))[4] == "fault end-missing 45"
    assert closings(BufferSource(box(brec(2, cut), LAST)))[0] == ("domain-context", 45, 16, True)


def test_a_fault_inline_stops_everything() -> None:
    lines = outline(box(brec(3), start() + rec(3, 0, b"", length=10**9), tail=b""))
    assert lines[-3:] == ["fault truncated-body 61", "drop domain-context 45", "drop box 45"]


def closings(source: Source) -> list[tuple[str, int, int | None, bool]]:
    return [
        (event.level.format.name, event.offset, event.rest, event.broken)
        for event in walk(source, known())
        if isinstance(event, Closed)
    ]


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


def test_what_breaks_before_it_is_opened_is_its_holders() -> None:
    """But for the outermost container, whose bytes are nobody else's."""
    cut = b"BOX!\0\0\0\7lab"
    assert closings(BufferSource(cut)) == [("box", 0, 11, True)]
    assert closings(BufferSource(b"WRAP" + cut)) == [("wrap", 4, 11, True)]
    assert closings(BufferSource(box(brec(8), cut, tail=b""))) == [("box", 21, 11, True)]
    assert closings(BufferSource(box(brec(4, cut)))) == [("box", 13 + 8 + 12 + 8, 0, False)]


def test_a_missing_format_in_a_body_is_said_and_passed_over(tmp_path: Path) -> None:
    data = box(brec(10, b"whatever"), brec(1, bytes(4)))
    assert outline(data, tmp_path) == [
        "open box", "13 MISSING[None] 8", "fault needs-plugin 21", "29 NUMBER[None] 4",
        "41 LAST[None] 0", "close box 49",
    ]  # fmt: skip
    verdict = verify(BufferSource(data), known())
    assert verdict.needs_plugin
    assert [(f.rule, f.expected) for f in verdict.findings] == [
        ("needs-plugin", "the format libnone")
    ]


def test_limits_of_a_format() -> None:
    data = box(brec(1, bytes(1 << 20) + b"!"), brec(0x80000063, b"1234"), brec(0x63))
    assert rules(data) == [
        ("length-over-cap", 13),
        ("unknown-type", 13 + 8 + (1 << 20) + 4),
        ("unknown-type", 13 + 8 + (1 << 20) + 4 + 12),
    ]
    severities = [f.severity for f in verify(BufferSource(data), known()).findings]
    assert severities == [Severity.ERROR, Severity.NOTE, Severity.ERROR]


@pytest.mark.parametrize("code", [0x80000001, 0x80000003, 0x80000007])
def test_the_optional_bit_makes_a_code_of_its_own(code: int) -> None:
    """Not NUMBER, INLINE or PAUSE: a reader that ignores the record must find the next one."""
    data = box(brec(code, b"\xff"), brec(1, b"\0\0\0\7"))
    assert outline(data)[1:3] == ["13 None[None] 1", "25 NUMBER[None] 4"]
    (found,) = verify(BufferSource(data), known()).findings
    assert (found.rule, found.severity) == ("unknown-type", Severity.NOTE)


def test_an_optional_record_that_a_plugin_declares() -> None:
    formats = known()
    formats.registry("box").register(box_type(0x80000042, "EXTRA", Number), THIRD)
    data = box(brec(0x80000042, b"\0\0\xff\0"))
    (found,) = verify(BufferSource(data), formats).findings
    assert (found.rule, found.name) == ("field-out-of-range", "EXTRA")


def test_a_container_that_is_suspended_and_not_resumed() -> None:
    inner = box(brec(7), tail=b"")
    assert outline(box(brec(8), inner))[4:] == [
        "close inner 42", "42 LAST[None] 0", "fault end-missing 42", "close box 50",
    ]  # fmt: skip
    twice = outline(box(brec(8), inner, brec(8), inner, brec(9), LAST))
    assert [line for line in twice if "fault" in line] == ["fault end-missing 42"]


def test_resuming_what_is_not_suspended_goes_on_after_the_record() -> None:
    assert outline(box(brec(9), brec(1, bytes(4)))) == [
        "open box", "13 AGAIN[None] 0", "fault not-suspended 13", "21 NUMBER[None] 4",
        "33 LAST[None] 0", "close box 41",
    ]  # fmt: skip
    ended = outline(box(brec(8), box(), brec(9)))
    assert [line for line in ended if "fault" in line] == ["fault not-suspended 42"]


def test_what_lies_in_a_body_is_not_suspended() -> None:
    """The record that would suspend it is one like others: the body has its own end."""
    lines = outline(box(brec(4, box(brec(7), brec(1, bytes(4))))))
    assert not [line for line in lines if "fault" in line]
    assert lines[3:6] == ["34 PAUSE[None] 0", "42 NUMBER[None] 4", "54 LAST[None] 0"]


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


def outline_with_cap(data: bytes, cap: int) -> list[str]:
    return [f.rule for f in verify(BufferSource(data), known(), cap=cap).findings]


def test_the_cap_is_about_what_is_held() -> None:
    data = box(brec(99, bytes(500)), brec(6, bytes(500)), brec(2, image(*map(port, range(20)))))
    assert outline_with_cap(data, 400) == ["unknown-type", "length-over-cap"]
    assert outline_with_cap(data, 1000) == ["unknown-type"]
    held = [e.held for e in walk(BufferSource(data), known(), cap=400) if isinstance(e, Record)]
    assert held[:3] == [False, False, False]


# ------------------------------------------------------------------------------------------ depth


def nested(depth: int) -> bytes:
    data = box()
    for _ in range(depth):
        data = box(brec(4, data))
    return data


def test_nesting_up_to_the_limit(tmp_path: Path) -> None:
    lines = outline(nested(MAX_DEPTH - 1), tmp_path)
    assert sum(line.startswith("open") for line in lines) == MAX_DEPTH
    assert not any(line.startswith("fault") for line in lines)


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 300])
def test_nesting_beyond_the_limit(depth: int, tmp_path: Path) -> None:
    lines = outline(nested(depth), tmp_path)
    assert sum(line.startswith("open") for line in lines) == MAX_DEPTH
    assert [line.split()[1] for line in lines if line.startswith("fault")] == ["limit"]
    # every container that was opened still comes to its own end
    assert sum(line.startswith("close") for line in lines) == MAX_DEPTH
    verdict = verify(BufferSource(nested(depth)), known())
    assert [f.rule for f in verdict.findings] == ["limit"]


def test_nesting_inline_ends_the_walk() -> None:
    class Deep(Box):
        name = "deep"

    made = formats()
    made.add("deep", THIRD, Deep)
    made.registry("deep").register(
        box_type(4, "SELF", Empty, content=Content("deep", inline=True)), THIRD
    )
    data = box(brec(4), tail=b"") * 100
    found = verify(BufferSource(data), made).findings
    assert [f.rule for f in found] == ["limit"]


# ------------------------------------------------------------------------------------------ streams


def test_a_stream_keeps_the_first_bytes_of_what_is_not_held() -> None:
    body = bytes(range(256)) * 100
    data = box(brec(6, body), brec(6, b"small"), brec(99, body))
    records = []
    for event in walk(FileSource(Drip(data)), known(), cap=1000):
        if isinstance(event, Record):
            records.append((event.length, bytes(event.raw()), event.complete))
    assert records[0] == (25600, body[:KEPT], True)
    assert records[1] == (5, b"small", True)
    assert records[2] == (25600, body[:KEPT], True)
    late = [e for e in walk(FileSource(Drip(data)), known()) if isinstance(e, Record)]
    with pytest.raises(InputOutputError, match="passed by"):
        late[2].raw()


def test_bad_padding_after_a_body_that_streams_by() -> None:
    data = box(brec(6, bytes(5001))[:-1] + b"x")
    assert (
        [(f.rule, f.offset) for f in verify(FileSource(Drip(data)), known()).findings]
        == rules(data)
        == [("padding-not-zero", 13 + 8 + 5001 + 2)]
    )


def test_content_that_streamed_by_is_said(tmp_path: Path) -> None:
    inner = image(*map(port, range(40)))
    data = box(brec(12, inner), brec(1, bytes(4)))
    memory = [e for e in walk(BufferSource(data), known()) if isinstance(e, Record)]
    assert len(memory) == 1 + 42 + 2
    events = list(walk(FileSource(Drip(data)), known()))
    (fault,) = [e for e in events if isinstance(e, Fault)]
    assert (fault.finding.rule, fault.finding.offset) == ("length-over-cap", 13)
    assert len([e for e in events if isinstance(e, Record)]) == 3


@pytest.mark.parametrize("code", [6, 99])
def test_memory_is_bounded_on_a_pipe(code: int) -> None:
    mib = bytes(1 << 20)

    def chunks() -> Iterator[bytes]:
        yield box(tail=b"")
        for _ in range(4):
            yield struct.pack(">II", 16 << 20, code)
            yield from [mib] * 16
        yield LAST

    with pipe_from(chunks()) as file:
        tracemalloc.start()
        lengths = [
            e.length for e in walk(FileSource(file), known(), cap=1 << 20) if isinstance(e, Record)
        ]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert lengths == [16 << 20] * 4 + [0]
    assert peak < 6 << 20


# ------------------------------------------------------------------------------------------ formats


def test_what_no_format_fits_is_read_as_a_domain_context() -> None:
    assert rules(b"\x7fELF" + bytes(60))[:2] == [("first-not-start", 0), ("unknown-type", 0)]
    assert outline(b"") == ["open domain-context", "fault end-missing 0", "drop domain-context 0"]


def test_the_format_can_be_said() -> None:
    events = list(walk(BufferSource(image()), known(), format=Box()))
    assert isinstance(events[0], Opened | Fault)
    assert isinstance(events[-2], Fault)
    assert isinstance(events[-1], Closed)


def test_two_formats_of_one_name() -> None:
    made = known()
    with pytest.raises(DeclarationError, match="box is declared twice"):
        made.add("box", CORE, Box)


def test_an_entry_point_that_gives_another_format() -> None:
    made = Formats()
    made.add("box", THIRD, Wrap)
    with pytest.raises(DeclarationError, match="does not load a format of that name"):
        made.get("box")


def test_a_broken_format_harms_nobody_who_does_not_need_it() -> None:
    def load() -> Format:
        raise PluginError("cannot import")

    made = Formats()
    made.add("broken", THIRD, load)
    made.add("box", THIRD, Box)
    assert made.recognise(box()) is made.get("box")
    with pytest.raises(PluginError, match="cannot import"):
        made.get("broken")


@pytest.mark.parametrize("fields", [{}, {"type": u32()}, {"length": u32(), "other": u16()}])
def test_a_header_needs_type_and_length(fields: dict[str, Any]) -> None:
    annotations = dict.fromkeys(fields, int)
    header = type("Odd", (Body,), {**fields, "__annotations__": annotations, "__doc__": "Odd."})

    class OddFormat(Box):
        name: ClassVar[str] = "odd"

    OddFormat.header = header  # type: ignore[assignment]
    made = formats()
    made.add("odd", THIRD, OddFormat)
    fault, _ = walk(BufferSource(box()), made)
    assert isinstance(fault, Fault)
    assert fault.needs_plugin
    assert "Odd cannot be a record header" in fault.finding.message


def test_the_names_of_functions_and_modules_do_not_get_mixed_up() -> None:
    program = (
        "import domctx_core.cli.verify, domctx_core.reader.walker, domctx_core.verification.verifier\n"
        "from domctx_core import verify, walk\n"
        "assert callable(walk) and callable(verify)\n"
    )
    for lines in (program, "\n".join(reversed(program.splitlines()[:2])) + "\n" + program):
        subprocess.run([sys.executable, "-c", lines], check=True)


def test_reading_what_end_is_not() -> None:
    assert outline(start() + end() + end()) == [
        "open domain-context", "0 START[0] 8", "24 END[0] 0",
        f"trailing domain-context 40+16 {bytes(4).hex()}", "close domain-context 40",
    ]  # fmt: skip
