"""Records that are shorter than their layout, compared with others: what they lack is zero."""

from __future__ import annotations

from typing import Any

import pytest
from hvm_context_support import capture, context, make_formats, parts, record

from domctx_core import BufferSource, Diff, diff_images, read_image

FORMATS = make_formats()
LAPIC = 5
RECORDS = parts(capture("pvh1.hvmctx"))


def diff(a: bytes, b: bytes) -> Diff:
    return diff_images(*(read_image(BufferSource(each), FORMATS) for each in (a, b)))


def with_lapic(size: int, filler: bytes = b"") -> bytes:
    """The captured guest with the first LAPIC record cut to `size` bytes, `filler` behind them."""
    return context(
        *(
            record(code, body[:size] + filler if (code, instance) == (LAPIC, 0) else body, instance)
            for code, instance, body in RECORDS
        )
    )


WHOLE = with_lapic(24)
AT = WHOLE.index(record(LAPIC, length=24)) + 8
"""Where the body of the first LAPIC record lies."""


def changes(a: bytes, b: bytes) -> list[Any]:
    (found,) = diff(a, b).records()
    return list(found[1].changes)


def test_a_short_record_differs_in_what_is_not_zero() -> None:
    (change,) = changes(WHOLE, with_lapic(4))
    assert (change.field, change.a and change.a.json, change.b and change.b.json) == (
        "timer_divisor", 2, 0,
    )  # fmt: skip
    assert change.a is not None
    assert change.b is not None
    # no byte of the shorter one is this field: what lies there is the next record
    assert (change.a.offset, change.b.offset) == (AT + 12, None)


def test_a_field_that_is_partly_there_has_its_place() -> None:
    other = bytearray(with_lapic(4))
    other[AT + 3] = 0x7F
    (change, _) = changes(WHOLE, bytes(other))
    assert change.field == "apic_base_msr"
    assert change.b is not None
    assert (change.b.json, change.b.offset) == ("0x7fe00d00", AT)


def test_zeros_that_one_side_lacks_are_told_as_bytes() -> None:
    (change,) = changes(WHOLE, with_lapic(20))
    assert (change.field, change.first, change.count) == (None, 20, 4)


@pytest.mark.parametrize("size", range(24))
@pytest.mark.parametrize("filler", [b"", b"\0", b"\1\2\3"])
def test_both_directions_say_the_same(size: int, filler: bytes) -> None:
    other = with_lapic(size, filler)
    there, back = diff(WHOLE, other), diff(other, WHOLE)
    assert there.swapped() == back
    assert (there.differences > 0) == (other != WHOLE)
    for _, changed in there.records():
        for change in changed.changes:
            # absent on both sides is no difference
            assert [change.a and change.a.text, change.b and change.b.text] != ["absent"] * 2
