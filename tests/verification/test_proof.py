"""Proofs: which types have a pattern, and that it matches valid records only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import pytest
from batch_records import (
    BODIES,
    CODES,
    SETTINGS,
    TYPES,
    Batched,
    Counted,
    Even,
    EvenRecord,
    Plain,
    Single,
    Union,
    examples,
    plain,
    rows,
    same_both_ways,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from support import end, formats, start

from domctx_core import (
    ANY,
    Body,
    BufferSource,
    DeclarationError,
    Problem,
    RecordType,
    RecordView,
    Run,
    reserved,
    u8,
    verify,
)
from domctx_core.authoring.subject import Nonconformity, Subject
from domctx_core.authoring.type_requirements import trusted_values
from domctx_core.layout.codegen.regex import body_pattern
from domctx_core.layout.codegen.source import NotApplicable


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    "codes", [(0x10,), (0x11,), (0x12,), (0x13,), (0x14,), (0x10, 0x11), (0x14, 0x12, 0x11)]
)
@pytest.mark.parametrize("jumble", [False, True])
def test_runs_cycles_and_any_order_are_proved(
    order: str, codes: tuple[int, ...], jumble: bool
) -> None:
    source = Counted(
        start(order=order) + rows(5000, *codes, order=order, jumble=jumble) + end(order=order)
    )
    found = verify(source, formats(TYPES)).findings
    assert [f.rule for f in found] == ["order-not-ascending"] * (len(codes) > 1)
    assert source.slow < 900
    assert source.looks < 400


def test_one_that_is_judged_or_checked_singly_goes_the_slow_way() -> None:
    for code, checks in ((0x15, ()), (0x14, (Single,))):
        source = Counted(start() + rows(500, code) + end())
        verify(source, formats(TYPES), checks=checks)
        assert source.slow > 500


FAULTS = {
    "padding-not-zero": (39, b"\1"),
    "reserved-not-zero": (16 + 4, b"\2"),
    "field-out-of-range": (16, b"\5"),
    "instance-not-allowed": (6, b"\2"),
    "body-too-short": (8, b"\x13"),
    "body-not-consumed": (8, b"\x15"),
    "unknown-type": (1, b"\x77"),
}


@pytest.mark.parametrize("rule", FAULTS)
def test_each_fault_in_a_run_is_told(rule: str) -> None:
    at, new = FAULTS[rule]
    at += 24 + 700 * 40
    data = bytearray(start() + rows(1000, 0x11) + end())
    data[at : at + len(new)] = new
    found = same_both_ways(bytes(data), lambda: formats(TYPES))[0]
    assert [f.rule for f in found][:1] == [rule]
    assert found[0].record == 701


@pytest.mark.parametrize("order", "<>")
def test_a_pattern_is_made_for_many_records_and_used_for_few(order: str) -> None:
    class Fresh(Plain):
        pass

    class FreshRecord(RecordType[Fresh]):
        code, name, body, instances = 0x10, "FRESH", Fresh, ANY

    kept: list[int] = []

    class Keep(Batched):
        def record(self, seen: RecordView) -> Iterable[Problem]:
            return ()

        def records(self, run: Run) -> Iterable[tuple[int, Problem]]:
            kept.append(len(run))
            return ()

    for count, told in ((50, 0), (300, 200), (50, 49)):
        kept.clear()
        verify(BufferSource(plain(count, order)), formats([FreshRecord]), checks=[Keep])
        assert sum(kept) == told


@settings(SETTINGS, max_examples=300)
@given(st.sampled_from(CODES), st.integers(0, 5), st.sampled_from("<>"), st.data())
def test_a_pattern_matches_good_bodies_only(
    code: int, number: int, order: str, data: st.DataObject
) -> None:
    import re

    name: Any = "little" if order == "<" else "big"
    body = BODIES[code]
    match = re.compile(body_pattern(body, name), re.DOTALL).fullmatch
    for raw in examples(code, number, order):
        assert match(raw)
        changed = bytearray(raw)
        for _ in range(data.draw(st.integers(1, 3))):
            changed[data.draw(st.integers(0, len(raw) - 1))] = data.draw(
                st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 255]))
            )
        problems = body.inspect(bytes(changed), name).problems
        if match(changed):
            assert not problems
        elif not body.__layout__.own_check and body is not Union:
            assert problems


def test_a_check_that_is_not_ordinary_has_no_pattern() -> None:
    class Asked(Even):
        def check(self) -> Iterable[Problem]:
            return ()

    class Heir(Even):
        more: int = u8()

    with pytest.raises(NotApplicable):
        body_pattern(Asked, "little")
    assert body_pattern(Heir, "little")
    with pytest.raises(DeclarationError, match="pad"):
        type("Odd", (Body,), {"pad": reserved(2)}, trusted_values={"pad": [0]})


def test_conformance_asks_whether_what_is_ordinary_is() -> None:
    class Liar(Even, trusted_values={"value": range(1 << 24), "parity": [0]}):
        def check(self) -> Iterable[Problem]:
            return Even.check(self)

    class LiarRecord(RecordType[Liar]):
        code, name, body = 0x17, "LIAR", Liar

    class Partial(EvenRecord):
        trusted_values: ClassVar[range | None] = range(2, 9)

    known = formats(TYPES).registry("domain-context")
    for each in TYPES:
        trusted_values(Subject(each(), known))
    with pytest.raises(Nonconformity, match="the parity is wrong"):
        trusted_values(Subject(LiarRecord(), known))
    with pytest.raises(Nonconformity, match="neither 1 nor 2"):
        trusted_values(Subject(Partial(), known))
