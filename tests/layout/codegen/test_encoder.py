"""Generated encoders write or refuse what the interpreted code does."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_bodies import Everything, Marks, Mode, Odd, Pair, everything

from domctx_core import Body, BodyError, Problem, Severity, u8
from domctx_core.layout.kinds.bits import Bits


class Warned(Body, trusted_values={"kind": range(3)}):
    """`check` warns of what is not trusted, and refuses 9."""

    kind: int = u8()
    asked = 0

    def check(self) -> Iterable[Problem]:
        type(self).asked += 1
        if self.kind == 9:
            yield Problem("field-out-of-range", "nine", 0, "kind")
        elif self.kind > 2:
            yield Problem("field-out-of-range", "odd", 0, "kind", severity=Severity.WARNING)


def explained(body: Body, byteorder: Any) -> Any:
    """What `to_bytes` has to give: problems found by the thorough way, bytes written field by field."""
    from domctx_core.layout.kinds.base import ORDERS, Checker

    layout, checker, out = type(body).__layout__, Checker(), bytearray()
    layout.check(body, checker)
    errors = [p for p in checker.problems if p.severity in (None, Severity.ERROR)]
    if errors:
        first = min(errors, key=lambda p: (p.offset is None, p.offset or 0))
        return first.message, first.offset, first.field
    try:
        layout.encode(body, out, ORDERS[byteorder])
    except (struct.error, OverflowError, TypeError, AttributeError, ValueError):
        return "does not fit"
    return bytes(out)


def written(body: Body, byteorder: Any) -> Any:
    try:
        return body.to_bytes(byteorder)
    except BodyError as error:
        if isinstance(error.__cause__, Exception):
            return "does not fit"
        return error.message, error.offset, error.field


ODDITIES: dict[str, list[Any]] = {
    "mode": [0, 1, 7, 2, True, 1.0, Mode.OFF, Mode.AUTO, Marks.A],
    "marks": [Marks(11), 0, 4, Marks(4), 256, -1, None],
    "level": [-5, 1000, -6, 1001, True, "4", 70000],
    "wide": [0, 2**64 - 1, 2**64, -1, True, Mode.ON, 1.5, None],
    "raw": [b"", b"abcd", bytearray(b"xyz"), memoryview(b"xyz"), "abc", 3],
    "name": ["", "vier", "vier!", "über", "\ud800abc", b"four", None],
    "bits": [Bits(64), Bits(32), 5],
    "pair": [Pair(low=7, high=7), Pair(low=256), Odd(number=1), None],
    "odd": [Odd(number=0x102), Odd(number=-1), Pair(low=1)],
    "numbers": [[], [1, 2], (1, 2, 3), [1, 2, 65536], [1, 2, "3"], [True, 2, 3], None],
    "pairs": [[], [Pair(low=1)], [Pair(low=1), Odd(number=1)], [Pair(low=2, high=2)] * 2, None],
    "union": [None, b"sixsix", b"six", Odd(number=4), Pair(low=8, high=8), Pair(low=-4)],
}


@pytest.mark.parametrize("byteorder", ["little", "big"])
def test_each_value_is_written_or_refused_as_the_explaining_way_says(byteorder: Any) -> None:
    cases = [(name, value) for name, values in ODDITIES.items() for value in values]
    found = []
    for name, value in cases:
        body = everything(**{name: value})
        found.append(written(body, byteorder))
        assert found[-1] == explained(body, byteorder), (name, value)
    assert sum(isinstance(each, bytes) for each in found) > 15
    assert sum(isinstance(each, tuple) for each in found) > 20


@given(st.data())
def test_odd_values_together(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(ODDITIES)), max_size=3, unique=True))
    changes = {name: data.draw(st.sampled_from(ODDITIES[name])) for name in names}
    body = everything(**changes)
    for byteorder in ("little", "big"):
        assert written(body, byteorder) == explained(body, byteorder)


def test_examples_are_read_back() -> None:
    for seed in range(60):
        body = Everything.example(random.Random(seed))
        if body.problems():
            continue
        for byteorder in ("little", "big"):
            raw = body.to_bytes(byteorder)
            assert Everything.from_bytes(raw, byteorder) == body


def test_a_missing_attribute_is_told() -> None:
    body = everything()
    del body.wide
    with pytest.raises((BodyError, AttributeError)):
        body.to_bytes()


def test_check_is_asked_but_for_ordinary_values() -> None:
    Warned.asked = 0
    assert Warned(kind=2).to_bytes() == b"\2"
    assert Warned.asked == 0
    assert Warned(kind=3).to_bytes() == b"\3"  # a warning stands in no one's way
    assert Warned.asked > 0
    with pytest.raises(BodyError, match="nine"):
        Warned(kind=9).to_bytes()
