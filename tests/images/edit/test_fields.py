"""Setting a field in the bytes of a body: every other byte is kept."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from edited_images import (
    END,
    PVH1,
    TSC,
    change,
    edited,
    formats,
    selector,
    settable_of,
    tree,
    written,
)
from support import rec, short_lapic, start

from domctx_core import (
    Body,
    UsageError,
    text,
    verify,
)
from domctx_core.images.edit.operations import (
    SetField,
)
from domctx_core.layout.field_path import resolve
from domctx_core.layout.kinds.binary import Reserved


def test_what_no_field_says_stays() -> None:
    """Padding and reserved bytes that are not zero, bytes left over, and what comes after END."""
    evtchn = struct.pack("<IIQ", 5, 3, 20)  # UNBOUND to domain 9
    body = bytes.fromhex("01 00 00 07") + bytes(4) + struct.pack("<II", 0, 0) + bytes(4)
    fixed = rec(3, 0, TSC + b"more") + evtchn + body + b"\x01\x02\x03\x04"
    data = start() + fixed + END + b"tail"
    raw = edited(data, "TSC_INFO.khz=1")
    at = data.index(TSC) + 4
    assert raw == data[:at] + struct.pack("<I", 1) + data[at + 4 :]


def test_reserved_bytes_in_a_body_stay() -> None:
    _, places = settable_of(PVH1)
    for node, where, kind, _ in places:
        layout = node.record.body_class.__layout__  # type: ignore[union-attr]
        at = 0
        for field in layout.fields:
            if isinstance(field.kind, Reserved) and layout.size is not None:
                break
            at += field.kind.size or 0
        else:
            continue
        if kind.size != 4 or "." in where or "[" in where or not layout.by_name[where].kind.size:
            continue
        data = bytearray(PVH1.read_bytes())
        data[node.record.body_offset + at] = 0x5A
        operation = SetField(selector(node), where, "1")
        raw = edited(bytes(data), operation)
        assert raw[node.record.body_offset + at] == 0x5A
        assert sum(a != b for a, b in zip(raw, data, strict=True)) <= 4
        return
    pytest.fail("no record with reserved bytes")


def xenstore() -> bytes:
    """A stream with a node and with quotas."""
    path = b"/a\0"
    node = struct.pack("<IIHHHHBBH", 0, 0, len(path), 1, 0, 1, ord("n"), 0, 0) + path + b"v"
    quotas = struct.pack("<HHIII", 2, 1, 100, 0, 7) + b"nodes\0watches\0total\0"
    records = b"".join(
        struct.pack("<II", code, len(body)) + body + bytes(-len(body) % 8)
        for code, body in ((6, quotas), (5, node), (0, b""))
    )
    return struct.pack(">8sII", b"xenstore", 1, 0) + records


def fields_of(data: bytes, name: str) -> Any:
    (record,) = (n.record for _, n in tree(data).nodes() if n.record.name == name)
    assert record.decoded is not None
    return record.decoded.body.to_json()


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("/new", "/new\0"),
        ("", "\0"),
        ("/new\0", "/new\0"),
        (r'"/new\u0000"', "/new\0"),
        ('"/new"', "/new"),
        ("[true]", "[true]\0"),
        ("null", "null\0"),
    ],
)
def test_a_text_keeps_the_nul_at_its_end(typed: str, path: str) -> None:
    assert fields_of(edited(xenstore(), f"NODE_DATA.path={typed}"), "NODE_DATA")["path"] == path


def test_a_text_of_fixed_size_is_filled_up_as_it_was() -> None:
    class Named(Body):
        name: str = text(8)

    for old, new, held in (
        (b"old", "news", b"news\0\0\0\0"),
        (b"eight by", "12345678", b"12345678"),
    ):
        body = Named.from_bytes(old.ljust(8, b"\0"))
        resolve(body, "name").set(new)
        assert body.to_bytes() == held
    with pytest.raises(UsageError, match="expected text of 8 bytes, found 3"):
        resolve(body, "name").set("abc")


def test_elements_that_only_json_has_apart() -> None:
    quotas = fields_of(xenstore(), "GLOBAL_QUOTA_DATA")["quotas"]
    edit = change(xenstore(), "GLOBAL_QUOTA_DATA.quotas[1].value=9")
    (told,) = edit.changes
    assert (told.field, told.old, told.new, told.text) == ("quotas[1].value", 0, 9, "0 -> 9")
    assert told.offset == told.new_offset == 16 + 8 + 4
    quotas[1]["value"] = 9
    assert fields_of(written(edit), "GLOBAL_QUOTA_DATA")["quotas"] == quotas
    edit = change(written(edit), 'GLOBAL_QUOTA_DATA.quotas[0]={"name": "longer", "value": 1}')
    quotas[0] = {"name": "longer", "value": 1}
    assert fields_of(written(edit), "GLOBAL_QUOTA_DATA")["quotas"] == quotas
    edit = change(written(edit), "GLOBAL_QUOTA_DATA.quotas[2].name=null")
    assert fields_of(written(edit), "GLOBAL_QUOTA_DATA")["quotas"][2]["name"] == "null"


def test_a_fault_of_such_an_element_says_which() -> None:
    with pytest.raises(UsageError, match=r"quotas\[0\]\.value: expected a number, found 'abc'"):
        change(xenstore(), "GLOBAL_QUOTA_DATA.quotas[0].value=abc")


def lapic(data: bytes) -> Any:
    return next(n.record for _, n in tree(data).nodes() if n.record.name == "LAPIC")


def test_a_short_record_grows_as_far_as_the_field_that_is_set() -> None:
    edit = change(short_lapic(4), "LAPIC[0].timer_divisor=5")
    record = lapic(written(edit))
    assert (record.length, record.decoded.body.timer_divisor) == (16, 5)
    (told,) = edit.changes
    # there was no byte of the field before
    assert (told.old, told.new, told.offset, told.new_offset) == (0, 5, None, record.offset + 20)
    assert verify(edit.outcome(), formats()).valid


def test_a_field_that_is_there_leaves_a_short_record_short() -> None:
    record = lapic(edited(short_lapic(10), "LAPIC[0].apic_base_msr=0x900"))
    assert (record.length, record.decoded.body.apic_base_msr) == (10, 0x900)
