"""Changes of values as data: swapped, and as JSON."""

from __future__ import annotations

from domctx_core.images.diff.changes import Value, ValueChange

CHANGE = ValueChange("body", "khz", Value(1, "1 kHz", 28), Value(2, "2 kHz", 30))


def test_a_change_swapped_twice_is_the_same() -> None:
    assert (CHANGE.swapped().a, CHANGE.swapped().b) == (CHANGE.b, CHANGE.a)
    assert CHANGE.swapped().swapped() == CHANGE


def test_json_has_both_values_and_their_offsets() -> None:
    shown = CHANGE.to_json()
    assert (shown["where"], shown["field"]) == ("body", "khz")
    assert (shown["a"], shown["a_offset"], shown["b"], shown["b_offset"]) == (1, 28, 2, 30)
