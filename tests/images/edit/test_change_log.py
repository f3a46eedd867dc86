"""The changes of an edit, with their offsets in the input and in the outcome."""

from __future__ import annotations

from edited_images import END, TSC, change, drop
from support import rec, start

FIRST, SECOND = rec(0x500, 1, b"x"), rec(3, 0, TSC)


def test_places_in_the_outcome_follow_from_all_changes() -> None:
    data = start() + FIRST + SECOND + END
    edit = change(data, "TSC_INFO.khz=1", drop("0x500"))
    by_action = {told.action: told for told in edit.changes}
    field, dropped = by_action["set"], by_action["dropped"]
    assert field.offset == data.index(TSC) + 4
    assert field.new_offset == field.offset - len(FIRST)
    assert (dropped.offset, dropped.new_offset) == (len(start()), None)


def test_changes_name_their_record_by_its_index_in_the_input() -> None:
    (told,) = change(start() + FIRST + SECOND + END, "TSC_INFO.khz=1").changes
    assert (told.container, told.record, told.instance) == (("domain-context",), 2, 0)
