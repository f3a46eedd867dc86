"""The result of an edit: the outcome without writing it, and changes as JSON."""

from __future__ import annotations

from edited_images import END, TSC, change, drop
from support import rec, start

IMAGE = start() + rec(3, 0, TSC) + END


def test_the_outcome_is_read_without_writing() -> None:
    edit = change(IMAGE, drop("TSC_INFO"))
    assert edit.size == len(start() + END)
    assert bytes(edit.outcome().at(0, edit.size)) == start() + END


def test_only_a_field_that_is_set_has_values_in_json() -> None:
    (set_,) = change(IMAGE, "TSC_INFO.khz=7").changes
    shown = set_.to_json()
    assert (shown["action"], shown["field"], shown["old"], shown["new"]) == (
        "set", "khz", 2400000, 7,
    )  # fmt: skip
    (dropped,) = change(IMAGE, drop("TSC_INFO")).changes
    shown = dropped.to_json()
    assert (shown["action"], shown["name"], shown["new_offset"]) == ("dropped", "TSC_INFO", None)
    assert not {"old", "new"} & set(shown)
