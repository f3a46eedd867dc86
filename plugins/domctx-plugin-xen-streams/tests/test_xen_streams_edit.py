"""Values that only JSON has apart, set one by one: keys of an emulator, stretches of PFNs."""

from __future__ import annotations

import re
import struct
from typing import Any

import pytest
from domctx_plugin_xen_streams.pfns import PageType, entry
from xen_streams_support import libxc, libxl, make_formats, pv_info, record

from domctx_core import (
    BufferSource,
    DomctxError,
    Edit,
    Selector,
    SetField,
    edit_image,
    read_image,
)

FORMATS = make_formats()
KEYS = libxl(record(2, struct.pack("<II", 2, 0) + b"a\0one\0b\0two\0"))
PAGES = [entry(pfn, PageType.BROKEN) for pfn in (4, 5, 8, 9)]
MEMORY = libxc(pv_info(), record(1, struct.pack("<II4Q", 4, 0, *PAGES)))


def edit(data: bytes, text: str) -> Edit:
    """The stream with one field of the records of a type set, as `TYPE.field=value` says."""
    match = re.fullmatch(r"(\w+)\.([^=]*)=(.*)", text)
    assert match is not None
    records, field, value = match.groups()
    setting = SetField(Selector(records), field, value)
    return edit_image(read_image(BufferSource(data), FORMATS), [setting], FORMATS)


def body(edited: Edit, name: str) -> Any:
    """The only record with this name in the outcome, as JSON has it."""
    nodes = read_image(edited.outcome(), FORMATS).nodes()
    (found,) = (node.record for _, node in nodes if node.record.name == name)
    assert found.decoded is not None
    return found.decoded.body.to_json()


@pytest.mark.parametrize(
    ("setting", "pairs"),
    [
        ('data=[{"path": "c", "value": ""}]', [("c", "")]),
        ("data=[]", []),
        ("data[1].value=longer", [("a", "one"), ("b", "longer")]),
        ('data[0]={"path": "c", "value": "x"}', [("c", "x"), ("b", "two")]),
    ],
)
def test_keys_of_an_emulator(setting: str, pairs: list[tuple[str, str]]) -> None:
    edited = edit(KEYS, f"EMULATOR_XENSTORE_DATA.{setting}")
    rows = [{"path": path, "value": value} for path, value in pairs]
    assert body(edited, "EMULATOR_XENSTORE_DATA")["data"] == rows


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("data[2].value=x", "has no element 2 in `data`"),
        ("data[0].valu=x", r"has no field `data\[0\].valu`"),
        ("data[0][1]=x", r"has `data\[0\]`, which is no list"),
        ("data[0]=x", "expected JSON, found 'x'"),
        (r'data[0].value="\u0000"', "a path or a value has a NUL inside"),
    ],
)
def test_what_the_keys_of_an_emulator_have_not(setting: str, message: str) -> None:
    with pytest.raises(DomctxError, match=message):
        edit(KEYS, f"EMULATOR_XENSTORE_DATA.{setting}")


def test_a_stretch_of_pfns() -> None:
    edited = edit(MEMORY, "PAGE_DATA.pfns[1].type=INVALID")
    rows = body(edited, "PAGE_DATA")["pfns"]
    assert [(row["first"], row["type"]) for row in rows] == [("0x4", "BROKEN"), ("0x8", "INVALID")]
    # where the stretches become one there is no second, and nothing is wrong with that
    edited = edit(MEMORY, "PAGE_DATA.pfns[1].first=6")
    assert body(edited, "PAGE_DATA")["pfns"] == [{"first": "0x4", "count": 4, "type": "BROKEN"}]
