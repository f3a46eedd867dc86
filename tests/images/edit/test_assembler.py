"""The bytes of an edited image: copied ranges, lengths, padding and byte order."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import pytest
from edited_images import (
    CAPTURES,
    END,
    PV1,
    PVH1,
    TSC,
    NamedRecord,
    as_written,
    change,
    drop,
    edited,
    formats,
    named,
    selector,
    settable_of,
    shape,
    tree,
    written,
)
from support import formats as own_formats
from support import rec, start, to_big_endian

from domctx_core import (
    BufferSource,
    ImageError,
    read_image,
)
from domctx_core.images.edit.editor import edit_image
from domctx_core.images.edit.operations import (
    SetField,
    parse_set,
)
from domctx_core.layout.kinds.aggregates import Nested
from domctx_core.layout.kinds.variants import BySize, Switch


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_what_is_set_in_a_nested_container_leaves_all_else(path: Path) -> None:
    image, places = settable_of(path)
    data = path.read_bytes()
    rng = random.Random(7)
    plain = [place for place in places if place[2].size in (1, 2, 4, 8)]
    for node, where, kind, value in rng.sample(plain, 10):
        new = as_written(kind, kind.example(rng, {}))
        if isinstance(kind, (Switch, BySize, Nested)) or new == as_written(kind, value):
            continue
        edit = edit_image(image, [SetField(selector(node), where, new)], formats())
        (told,) = edit.changes
        assert told.offset is not None
        raw = written(edit)
        assert told.offset == told.new_offset
        assert kind.size is not None
        assert raw[: told.offset] == data[: told.offset]
        assert raw[told.offset + kind.size :] == data[told.offset + kind.size :]
        assert raw != data


def test_a_length_that_changes_goes_up_through_the_containers() -> None:
    data = PVH1.read_bytes()
    before = tree(data)
    (holder,) = [n for _, n in before.nodes() if n.record.name == "HVM_CONTEXT"]
    assert holder.content is not None
    (cpu, *_) = [n for n in holder.content.nodes if n.record.name == "CPU"]
    edit = change(data, drop("hvm-context/CPU[0]"))
    after = tree(written(edit))
    (again,) = [n for _, n in after.nodes() if n.record.name == "HVM_CONTEXT"]
    assert again.record.length == holder.record.length - (cpu.record.end - cpu.record.offset)
    assert again.record.padding == -again.record.length % 8
    assert not again.record.padding_raw.strip(b"\0")
    gone = shape(before)
    gone.remove(next(s for s in gone if s[:3] == (cpu.record.level.path, cpu.record.type, 0)))
    assert [s[:4] for s in shape(after)] == [s[:4] for s in gone]
    assert [c.unframed for c in after.root.walk()] == [c.unframed for c in before.root.walk()]
    (told,) = edit.changes
    assert (told.action, told.name, told.offset) == ("dropped", "CPU", cpu.record.offset)


def test_inline_content_changes_no_header_around_it() -> None:
    data = PV1.read_bytes()
    edit = change(data, drop("X86_TSC_INFO"))
    raw = written(edit)
    at = edit.changes[0].offset
    assert at is not None
    assert raw == data[:at] + data[at + 8 + 24 :]


@pytest.mark.parametrize(
    ("name", "value", "filling", "outcome"),
    [
        (b"abcd", "abc", b"", bytes(1)),
        (b"abc", "abcde", b"\x07", bytes(7)),
        (b"abc", "x" * 11, b"\x07", b"\x07"),
        (b"abc", "xyz", b"\x07", b"\x07"),
        (b"abc", "", b"\x07", bytes(4)),
    ],
)
def test_padding_follows_the_length_and_stays_where_it_fits(
    name: bytes, value: str, filling: bytes, outcome: bytes
) -> None:
    known = own_formats([NamedRecord])
    image = read_image(BufferSource(start() + named(name, filling) + END + b"tail"), known)
    edit = edit_image(image, [parse_set(f"NAMED.name={value}")], known)
    assert written(edit) == start() + named(value.encode(), outcome) + END + b"tail"


def test_the_byte_order_of_the_container_is_kept() -> None:
    small = start() + rec(3, 0, TSC) + END
    big = to_big_endian(small)
    raw = edited(big, "TSC_INFO.khz=0x01020304")
    assert raw == big.replace(struct.pack(">I", 2400000), bytes([1, 2, 3, 4]))


def with_pages(pfns: list[int]) -> bytes:
    """pv1 with a PAGE_DATA record of one page for each PFN, in front of its vCPUs."""
    data = PV1.read_bytes()
    (first, *_) = [n for _, n in tree(data).nodes() if n.record.name == "X86_TSC_INFO"]
    head = struct.pack(f"<II{len(pfns)}Q", len(pfns), 0, *pfns)
    body = head + b"".join(bytes([n]) * 4096 for n in range(1, len(pfns) + 1))
    at = first.record.offset
    return data[:at] + struct.pack("<II", 1, len(body)) + body + data[at:]


def pfns(*first: int) -> str:
    rows = [{"first": hex(pfn), "count": 1, "type": "NORMAL"} for pfn in first]
    return f"PAGE_DATA.pfns={json.dumps(rows)}"


def test_the_head_of_guest_memory_is_set_and_the_pages_are_spans() -> None:
    data = with_pages([5, 9])
    edit = change(data, pfns(5, 8))
    assert written(edit) == data.replace(struct.pack("<QQ", 5, 9), struct.pack("<QQ", 5, 8))
    assert max(len(chunk) for chunk in edit.chunks if isinstance(chunk, bytes)) < 64
    with pytest.raises(ImageError, match="the pages after it stay"):
        change(data, pfns(5))
