"""Edits as a whole: without changes, contradictory, and any edit of any input."""

from __future__ import annotations

from pathlib import Path

import pytest
from edited_images import END, INPUTS, TSC, change, drop, formats, keep, written
from hypothesis import given, settings
from hypothesis import strategies as st
from support import rec, start

from domctx_core import (
    DomctxError,
    UsageError,
    verify,
)
from domctx_core.images.edit.operations import (
    EditOperation,
    Reorder,
)
from domctx_core.reader.splice import ByteRange


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_an_edit_that_changes_nothing_gives_the_same_file(path: Path) -> None:
    data = path.read_bytes()
    edit = change(data)
    assert written(edit) == data
    assert edit.chunks == ((ByteRange(0, len(data)),) if data else ())
    assert edit.changes == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TSC_INFO", "does not say what to set"),
        ("TSC_INFO.khz", "does not say what to set"),
        ("TSC_INFO[x].khz=1", r"'TSC_INFO\[x\]' does not say a record"),
        ("TSC_INFO[7-3].khz=1", "does not say a record"),
        ("TSC_INF.khz=1", "no record type of domain-context is called TSC_INF"),
        ("libxc/TSC_INFO.khz=1", "the image has no libxc"),
        ("TSC_INFO.kz=1", r"TSC_INFO\[0\] has no field `kz`"),
        ("TSC_INFO.khz.x=1", r"TSC_INFO\[0\] has no field `khz.x`"),
        ("TSC_INFO.khz[0]=1", "has `khz`, which is no list"),
        ("TSC_INFO.khz..x=1", "is not the path of a field"),
        ("TSC_INFO.khz=4294967296", r"TSC_INFO\[0\].khz: 4294967296 does not fit a u32"),
        ("TSC_INFO.khz=", r"TSC_INFO\[0\].khz: expected a number"),
        ("TSC_INFO.mode=NEVER", r"TSC_INFO\[0\].mode: expected a number or one of DEFAULT"),
        ("domain-context:version=2", "the header of domain-context has no field `version`"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        change(start() + rec(3, 0, TSC) + END, text)


@pytest.mark.parametrize(
    "operations",
    [
        ["TSC_INFO.khz=1", drop("TSC_INFO")],
        ["TSC_INFO.khz=1", keep("0x500")],
        ["TSC_INFO.khz=1", "TSC_INFO.khz=2"],
        [drop("TSC_INFO"), keep("TSC_INFO")],
    ],
)
def test_operations_that_contradict_each_other(operations: list[EditOperation | str]) -> None:
    with pytest.raises(UsageError, match=r"to be set and|set twice|to be kept and"):
        change(start() + rec(3, 0, TSC) + rec(0x500, 0, b"x") + END, *operations)


OPERATIONS: list[EditOperation | str] = [
    "TSC_INFO.khz=1",
    "TSC_INFO.mode=1",
    "START.xen_major=5",
    "libxc:version=4",
    "libxc:xen_minor=3",
    "X86_PV_INFO.guest_width=4",
    "hvm-context/CPU[0].rip=1",
    "xl:config={}",
    "2.flags=1",
    drop("END"),
    drop("3"),
    drop("START"),
    drop("libxl/0[*]"),
    keep("TSC_INFO"),
    keep("libxc/END"),
    Reorder("ascending"),
    Reorder("dependencies"),
]


@settings(deadline=None)
@given(st.data())
def test_any_edit_of_any_input_works_or_says_why(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(INPUTS)).read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(raw)), st.integers(0, len(raw))))
    given_ = bytes(raw[:cut])
    operations = data.draw(st.lists(st.sampled_from(OPERATIONS), min_size=1, max_size=3))
    try:
        edit = change(given_, *operations)
    except DomctxError as error:
        assert str(error)  # noqa: PT017  # any of them will do
        return
    out = written(edit)
    assert (out == given_) == (not edit.changes)
    verify(edit.outcome(), formats())
