"""Each field lies where a C compiler puts it (`data/offsets.txt`, made as its README says)."""

from __future__ import annotations

import random
from typing import Any

import pytest
from domctx_plugin_hvm_context.fpu import Fxsave
from hvm_context_support import DATA, TYPES, body_of, leaves

RECORDS = [name for name in TYPES if name != "END"]


def _table() -> tuple[dict[str, dict[str, tuple[int, int]]], dict[str, int]]:
    """Offset and size of each field of each record, and the size of each structure."""
    places: dict[str, dict[str, tuple[int, int]]] = {}
    sizes: dict[str, int] = {}
    for line in (DATA / "offsets.txt").read_text().splitlines()[1:]:
        record, path, *numbers = line.split()
        offset, size, count, stride = map(int, numbers)
        if path == "-":
            sizes[record] = size
            continue
        for index in range(count):
            name = path.replace("[]", f"[{index}]")
            places.setdefault(record, {})[name] = (offset + index * stride, size)
    fxsave = places.pop("FXSAVE")
    for record, prefix, start in (
        ("CPU", "fpu", 0),
        ("CPU-1016", "fpu", 0),
        ("CPU_XSAVE", "legacy", 24),
    ):
        for name, (offset, size) in fxsave.items():
            places[record][f"{prefix}.{name}"] = (start + offset, size)
    return places, sizes


PLACES, SIZES = _table()


def _filled(record: str) -> bytes:
    """A body without two alike places; of CPU_MSR, one of two registers."""
    raw = bytearray(random.Random(record).randbytes(SIZES[record]))
    if record == "CPU_MSR":
        raw[:4] = (2).to_bytes(4, "little")
        raw += random.Random(1).randbytes(32)
    return bytes(raw)


@pytest.mark.parametrize("record", [*RECORDS, "CPU-1016"])
def test_every_field_lies_where_the_compiler_puts_it(record: str) -> None:
    raw = _filled(record)
    decoded = body_of(record.removesuffix("-1016")).inspect(raw)
    assert decoded.body is not None
    assert decoded.consumed == len(raw)
    found: dict[str, Any] = dict(leaves(decoded.body))
    expected: dict[str, Any] = {}
    for name, (offset, size) in PLACES[record].items():
        chunk = raw[offset : offset + size]
        signed = name == "rtc_offset"
        is_bytes = isinstance(found.get(name), bytes)
        expected[name] = chunk if is_bytes else int.from_bytes(chunk, "little", signed=signed)
    assert found == expected


@pytest.mark.parametrize("record", RECORDS)
def test_the_size_is_that_of_the_structure(record: str) -> None:
    raw = _filled(record)
    body = body_of(record).inspect(raw).body
    assert body.size() == len(raw)
    assert len(body.to_bytes(check=False)) == len(raw)
    fixed = body_of(record).fixed_size()
    assert fixed is None or fixed == SIZES[record]


def test_the_fxsave_area_has_the_size_of_the_processors() -> None:
    assert Fxsave.fixed_size() == SIZES["FXSAVE"]


def test_bit_fields_of_the_pic() -> None:
    pic = body_of("PIC").from_bytes(bytes([0, 0, 0, 0, 0x50 | 3, 0b01000010, 0, 0]))
    assert (pic.init_state, pic.priority_add) == (3, 5)
    assert pic.to_json()["modes"] == ["POLL", "MASTER"]


def test_bit_fields_of_a_redirection_entry() -> None:
    raw = bytearray(400)
    raw[16:24] = bytes([0x31, 0b10101100, 1, 0, 0, 0, 0, 7])
    entry = body_of("IOAPIC").from_bytes(bytes(raw)).redirtbl[0]
    assert entry.delivery_mode.name == "NMI"
    assert entry.to_json() == {
        "vector": "0x31", "control": ["MODE_4", "LOGICAL", "ACTIVE_LOW", "LEVEL"], "mask": 1,
        "dest_id": "0x7",
    }  # fmt: skip


def test_a_newer_lapic_has_its_x2apic_id_at_24() -> None:
    raw = bytes(24) + (0x1234).to_bytes(4, "little") + bytes(4)
    assert body_of("LAPIC").from_bytes(raw).x2apic.id == 0x1234
