"""The walker: containers in containers, suspended ones, limits, offsets, bounded memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from box_records import LAST, Box, Wrap, box, box_type, brec, closings, known, outline, rules
from support import (
    CORE,
    THIRD,
    formats,
    image,
    port,
    rec,
    start,
    tsc,
)

from domctx_core import (
    BufferSource,
    Check,
    Closed,
    Content,
    DeclarationError,
    Empty,
    Fault,
    Format,
    Formats,
    Opened,
    PluginError,
    Problem,
    Record,
    RecordView,
    Rule,
    Severity,
    verify,
    walk,
)
from domctx_core.reader.walker import MAX_DEPTH

# ------------------------------------------------------------------------------------ made-up formats


def test_a_domain_context(tmp_path: Path) -> None:
    assert outline(image(port(3), rec(3, 0, tsc())) + b"tail", tmp_path) == [
        "open domain-context",
        "0 START[0] 8", "24 EVTCHN[3] 16", "56 TSC_INFO[0] 20", "96 END[0] 0",
        "trailing domain-context 112+4 7461696c",
        "close domain-context 112",
    ]  # fmt: skip


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


def test_a_fault_in_a_body_does_not_stop_what_holds_it(tmp_path: Path) -> None:
    cut = image(port(1))[:40]
    lines = outline(box(brec(2, cut), brec(1, bytes(4))), tmp_path)
    assert lines[3:] == [
        "21 START[0] 8", "45 EVTCHN[1] 16", "fault truncated-body 61", "drop domain-context 45",
        "61 NUMBER[None] 4", "73 LAST[None] 0", "close box 81",
    ]  # fmt: skip
    assert outline(box(brec(2, start()), brec(1, bytes(4))))[4] == "fault end-missing 45"
    assert closings(BufferSource(box(brec(2, cut), LAST)))[0] == ("domain-context", 45, 16, True)


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


def test_the_names_of_functions_and_modules_do_not_get_mixed_up() -> None:
    program = (
        "import domctx_core.cli.verify, domctx_core.reader.walker, domctx_core.verification.verifier\n"
        "from domctx_core import verify, walk\n"
        "assert callable(walk) and callable(verify)\n"
    )
    for lines in (program, "\n".join(reversed(program.splitlines()[:2])) + "\n" + program):
        subprocess.run([sys.executable, "-c", lines], check=True)
