"""Spans: which bytes of a body each field is, without gaps."""

from __future__ import annotations

import random
from typing import Any

import pytest
from report_pages import known

from domctx_core import Bits, Body, bitmap, blob, spans, switch, u8, u16, u32
from domctx_core.layout.specifiers import array, count_of, nested, optional, reserved


class Inner(Body):
    one: int = u16(doc="a number", unit="ms")
    two: int = u8(default=0)
    pad = reserved(1)


class Outer(Body):
    count: int = count_of("items", size=2)
    items: list[Inner] = array(Inner, "count")
    bits: Any = bitmap(8)
    which: int = u32()
    arm: Inner | bytes | None = switch("which", {1: Inner, 2: None}, size=8)
    inside: Inner = nested(Inner)
    numbers: list[int] = array(u16(), 3)
    rest: bytes | None = optional(blob(), doc="whatever follows")


def outer(which: int, arm: Any, rest: bytes | None = None) -> Outer:
    same = Inner(one=5)
    return Outer(
        items=[Inner(one=1), same, same, same], bits=Bits(64, [3]), which=which, arm=arm,
        inside=Inner(one=9), numbers=[1, 2, 3], rest=rest,
    )  # fmt: skip


def test_spans_say_which_bytes_a_field_is() -> None:
    body = outer(1, Inner(one=7), b"xyz")
    raw = body.to_bytes()
    found = {span.path: span for span in spans(body)}
    assert list(found)[:4] == ["count", "items[0].one", "items[0].two", "items[0].pad"]
    one = found["items[2].one"]
    assert (one.offset, one.size, one.value, one.text, one.doc) == (10, 2, 5, "5 ms", "a number")
    assert found["arm.one"].value == 7
    assert (found["arm.unused"].size, found["arm.unused"].reserved) == (4, True)
    assert found["numbers"].text == "1, 2, 3"
    assert raw[found["rest"].offset : found["rest"].end] == b"xyz"
    assert found["rest"].end == len(raw)


def test_spans_fold_what_repeats() -> None:
    folded = {span.path: span for span in spans(outer(2, None), fold=True)}
    again = folded["items[2-3]"]
    assert (again.offset, again.size, again.repeats) == (10, 8, 2)
    assert again.text == "the same 2 more times"
    assert "items[2].one" not in folded
    assert (folded["arm"].text, folded["arm"].size) == ("nothing", 8)
    assert (folded["rest"].size, folded["rest"].text) == (0, "absent")
    assert next(s for s in spans(outer(9, b"\1" * 8)) if s.path == "arm").text.startswith("8 bytes")


@pytest.mark.parametrize("fold", [False, True])
def test_the_spans_of_every_record_type_have_no_gap(fold: bool) -> None:
    formats = known()[0]
    formats.recognise(b"")  # asks for all that can be added
    count = 0
    for registry in formats.registries():
        for entry in registry:
            for seed in range(8):
                body = entry.record_type.body.example(random.Random(seed))
                at = 0
                for span in spans(body, fold=fold):
                    assert span.offset == at, (entry.name, span.path)
                    assert isinstance(span.text, str)
                    at = span.end
                assert at == len(body.to_bytes(check=False)), entry.name
            count += 1
    assert count > 50
