"""Edits of images as a library makes them: what changes, and that nothing else does."""

from __future__ import annotations

import io
import json
import random
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from environments import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from support import formats as own_formats
from support import rec, short_lapic, start, to_big_endian

from domctx_core import (
    Body,
    BufferSource,
    DomctxError,
    Formats,
    Image,
    ImageError,
    RecordType,
    UsageError,
    count_of,
    read_image,
    reserved,
    text,
    u32,
    verify,
    write_chunks,
)
from domctx_core.host.host import Host
from domctx_core.images.edit.editor import edit_image
from domctx_core.images.edit.operations import (
    Drop,
    EditOperation,
    Insert,
    Keep,
    Reorder,
    Selector,
    SetField,
    parse_set,
)
from domctx_core.images.edit.outcome import Edit
from domctx_core.images.tree import RecordNode
from domctx_core.layout.field_path import resolve
from domctx_core.layout.kinds.aggregates import Array, Nested
from domctx_core.layout.kinds.base import Kind
from domctx_core.layout.kinds.binary import Reserved
from domctx_core.layout.kinds.scalars import Count
from domctx_core.layout.kinds.variants import BySize, Optional, Switch
from domctx_core.reader.splice import ByteRange

CORPUS = sorted((ROOT / "tests/data/corpus").rglob("*.img"))
CAPTURES = sorted(
    [*(ROOT / "examples").rglob("*.no-pages"), *(ROOT / "plugins").glob("*/tests/data/*.no-pages")]
)
SMALL = [path for path in CORPUS if path.stat().st_size < 100_000]
INPUTS = [*CORPUS, *CAPTURES]
PV1 = next(path for path in CAPTURES if path.name == "pv1.save.no-pages")
PVH1 = next(path for path in CAPTURES if path.name == "pvh1.save.no-pages")

TSC = struct.pack("<IIQI", 0, 2400000, 5, 1)
END = rec(0, 0, b"")


@cache
def formats() -> Formats:
    return Host().formats


def tree(data: bytes) -> Image:
    return read_image(BufferSource(data), formats())


def change(data: bytes, *operations: EditOperation | str) -> Edit:
    made = [parse_set(each) if isinstance(each, str) else each for each in operations]
    return edit_image(tree(data), made, formats())


def written(edit: Edit) -> bytes:
    """The outcome's bytes, which are the same read without writing."""
    target = io.BytesIO()
    assert write_chunks(edit.chunks, edit.source, target) == edit.size
    data = target.getvalue()
    assert bytes(edit.outcome().at(0, edit.size + 9)) == data
    return data


def edited(data: bytes, *operations: EditOperation | str) -> bytes:
    return written(change(data, *operations))


def drop(records: str) -> Drop:
    return Drop(Selector.parse(records))


def keep(records: str) -> Keep:
    return Keep(Selector.parse(records))


def shape(image: Image) -> list[tuple[Any, ...]]:
    """Each record that holds no other, with all its bytes but the lengths around it."""
    found = []
    for container, node in image.nodes():
        record = node.record
        body = None if node.content and not node.inline else bytes(record.raw())
        path = container.level.path
        found.append((path, record.type, record.instance, body, record.padding_raw))
    return found


def hvm_context() -> bytes:
    """The HVM context in the PVH guest's stream."""
    nodes = (node for _, node in tree(PVH1.read_bytes()).nodes())
    return bytes(next(n.record for n in nodes if n.record.name == "HVM_CONTEXT").raw())


# ------------------------------------------------------------------------------- nothing else


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_an_edit_that_changes_nothing_gives_the_same_file(path: Path) -> None:
    data = path.read_bytes()
    edit = change(data)
    assert written(edit) == data
    assert edit.chunks == ((ByteRange(0, len(data)),) if data else ())
    assert edit.changes == ()


def leaves(kind: Kind, value: Any, path: str) -> Iterator[tuple[str, Kind, Any]]:
    """Every place in a value that can be set, those of its parts included."""
    yield path, kind, value
    if isinstance(kind, Optional) and kind.present(value) and not isinstance(kind.inner, Reserved):
        kind = kind.inner
    if isinstance(value, Body):
        for name, inner, item in fields(value):
            yield from leaves(inner, item, f"{path}.{name}")
    elif isinstance(kind, Array):
        for number in {0, len(value) // 2, len(value) - 1} if value else ():
            yield from leaves(kind.element, value[number], f"{path}[{number}]")


def fields(body: Body) -> Iterator[tuple[str, Kind, Any]]:
    for field in type(body).__layout__.fields:
        if not isinstance(field.kind, (Reserved, Count)):
            yield field.name, field.kind, getattr(body, field.name)


def as_written(kind: Kind, value: Any) -> str:
    """A value as a user writes it."""
    plain = kind.to_json(value)
    return plain if isinstance(plain, str) else json.dumps(plain)


def settable(image: Image) -> list[tuple[RecordNode, str, Kind, Any]]:
    found = []
    for container, node in image.nodes():
        record = node.record
        if (node.content and not node.inline) or not container.recognised:
            continue
        decoded = record.decoded
        if decoded is not None and decoded.body is not None:
            for name, kind, value in fields(decoded.body):
                found += [(node, *leaf) for leaf in leaves(kind, value, name)]
    return found


@cache
def settable_of(path: Path) -> tuple[Image, list[tuple[RecordNode, str, Kind, Any]]]:
    image = tree(path.read_bytes())
    return image, settable(image)


def selector(node: RecordNode) -> Selector:
    record = node.record
    return Selector(record.type, None, record.index, record.level.path)


@pytest.mark.parametrize("path", [*CAPTURES, *CORPUS[::9]], ids=lambda path: path.name)
def test_a_field_set_to_what_it_is_changes_nothing(path: Path) -> None:
    image, places = settable_of(path)
    rng = random.Random(1)
    chosen = rng.sample(places, min(25, len(places)))
    operations = [SetField(selector(n), where, as_written(k, v)) for n, where, k, v in chosen]
    once = list({(str(each.records), each.field): each for each in operations}.values())
    edit = edit_image(image, once, formats())
    assert edit.changes == ()
    assert written(edit) == path.read_bytes()


@settings(deadline=None)
@given(st.data())
def test_set_and_set_back_is_the_identity(data: st.DataObject) -> None:
    """Unless the field decides how others lie, and they cannot be read any more."""
    path = data.draw(st.sampled_from([*SMALL, *CAPTURES]))
    image, places = settable_of(path)
    if not places:
        return
    node, where, kind, value = places[data.draw(st.integers(0, len(places) - 1))]
    rng = random.Random(data.draw(st.integers(0, 99)))
    if node.record.bulk or isinstance(kind, (Array, Nested, BySize, Switch, Optional)):
        new = as_written(kind, value)
    else:
        new = as_written(kind, kind.example(rng, {}))
    try:
        there = edit_image(image, [SetField(selector(node), where, new)], formats())
    except ImageError:
        return  # reserved bytes that would have to move
    raw = written(there)
    again = tree(raw)
    try:
        back = edit_image(
            again, [SetField(selector(node), where, as_written(kind, value))], formats()
        )
    except ImageError:
        return  # a field that decides how others lie: the body cannot be read any more
    if len(raw) == image.size and len(there.changes) == len(back.changes):
        assert written(back) == path.read_bytes()


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


def test_what_no_field_says_stays() -> None:
    """Padding and reserved bytes that are not zero, bytes left over, and what comes after END."""
    evtchn = struct.pack("<IIQ", 5, 3, 20)  # UNBOUND to domain 9
    body = bytes.fromhex("01 00 00 07") + bytes(4) + struct.pack("<II", 0, 0) + bytes(4)
    fixed = rec(3, 0, TSC + b"more") + evtchn + body + b"\x01\x02\x03\x04"
    data = start() + fixed + END + b"tail"
    raw = edited(data, "TSC_INFO.khz=1")
    at = data.index(TSC) + 4
    assert raw == data[:at] + struct.pack("<I", 1) + data[at + 4 :]


class Named(Body):
    """A number, reserved bytes and a name of any length."""

    number: int = u32()
    count: int = count_of("name", init=False)
    pad = reserved(4)
    name: str = text(count="count")


class NamedRecord(RecordType[Named]):
    code, name, body = 0x700, "NAMED", Named


def named(name: bytes, filling: bytes, *, number: int = 1, pad: bytes = bytes(4)) -> bytes:
    body = struct.pack("<II", number, len(name)) + pad + name
    return struct.pack("<IIQ", 0x700, 0, len(body)) + body + filling


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


def test_reserved_bytes_that_would_have_to_move_are_not_lost() -> None:
    known = own_formats([NamedRecord])
    data = start() + named(b"abcd", b"", pad=b"\1\2\3\4") + END
    image = read_image(BufferSource(data), known)
    edit = edit_image(image, [parse_set("NAMED.number=2"), parse_set("NAMED.name=ABCD")], known)
    assert written(edit) == start() + named(b"ABCD", b"", number=2, pad=b"\1\2\3\4") + END
    with pytest.raises(ImageError, match="reserved bytes that are not zero, and the change"):
        edit_image(image, [parse_set("NAMED.name=A")], known)
    with pytest.raises(UsageError, match="`count` computed: it counts `name`"):
        edit_image(image, [parse_set("NAMED.count=1")], known)


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


def test_the_byte_order_of_the_container_is_kept() -> None:
    small = start() + rec(3, 0, TSC) + END
    big = to_big_endian(small)
    raw = edited(big, "TSC_INFO.khz=0x01020304")
    assert raw == big.replace(struct.pack(">I", 2400000), bytes([1, 2, 3, 4]))


# ------------------------------------------------------------------------------------ records


@pytest.mark.parametrize("path", SMALL[::4], ids=lambda path: path.name)
def test_any_record_can_be_dropped(path: Path) -> None:
    data = path.read_bytes()
    image = tree(data)
    for number, node in enumerate(image.root.nodes[:12]):
        record = node.record
        raw = edited(data, Drop(selector(node)))
        assert raw == data[: record.offset] + data[record.end :]
        assert number == record.index


def test_all_instances_a_range_and_a_duplicate() -> None:
    def channel(port: int, domid: int) -> bytes:
        return rec(0x500, port, bytes([domid]))

    channels = [channel(port, 1) for port in range(6)]
    data = start() + b"".join(channels) + channel(3, 2) + END
    assert edited(data, drop("0x500")) == start() + END
    assert edited(data, drop("0x500[1-3,5]")) == start() + channels[0] + channels[4] + END
    again = edited(data, drop("0x500#7"))
    assert again == start() + b"".join(channels) + END
    assert edited(data, drop("domain-context/1280[*]")) == start() + END


def test_keep_leaves_what_the_format_asks_for() -> None:
    data = start() + rec(3, 0, TSC) + rec(0x500, 1, b"x") + rec(0x600, 1, b"y") + END
    assert edited(data, keep("TSC_INFO")) == start() + rec(3, 0, TSC) + END
    assert edited(data, keep("0x500"), keep("0x600")) == (
        start() + rec(0x500, 1, b"x") + rec(0x600, 1, b"y") + END
    )


def test_keep_in_a_nested_container_leaves_the_others_alone() -> None:
    data = PVH1.read_bytes()
    after = tree(edited(data, keep("hvm-context/CPU")))
    names = {c.level.format.name: [n.record.name for n in c.nodes] for c in after.root.walk()}
    before = {c.level.format.name: [n.record.name for n in c.nodes] for c in tree(data).root.walk()}
    assert set(names.pop("hvm-context")) == {"HEADER", "CPU", "END"}
    before.pop("hvm-context")
    assert names == before


@settings(deadline=None)
@given(st.data())
def test_reorder_is_a_permutation_that_ascends(data: st.DataObject) -> None:
    codes = st.tuples(st.sampled_from([0x500, 0x600, 0x700, 3]), st.integers(0, 9))
    keys = data.draw(st.lists(codes, max_size=12))
    records = [rec(code, instance, bytes([n])) for n, (code, instance) in enumerate(keys)]
    raw = edited(start() + b"".join(records) + END, Reorder("ascending"))
    ordered = sorted(zip(keys, records, strict=True), key=lambda pair: pair[0])
    assert raw == start() + b"".join(record for _, record in ordered) + END
    assert edited(raw, Reorder("ascending")) == raw


@pytest.mark.parametrize("path", [*SMALL, *CAPTURES], ids=lambda path: path.name)
def test_reorder_by_dependencies_is_a_permutation(path: Path) -> None:
    data = path.read_bytes()
    raw = edited(data, Reorder("dependencies"))
    assert sorted(map(str, shape(tree(raw)))) == sorted(map(str, shape(tree(data))))
    assert len(raw) == len(data)


def test_reorder_moves_a_record_behind_those_that_it_needs() -> None:
    port, tsc = rec(5, 3, bytes(20)), rec(3, 0, TSC)
    abi, later, last = rec(4, 0, bytes(16)), rec(0x500, 0, b"x"), rec(0x500, 1, b"x")
    data = start() + port + later + tsc + abi + last + END
    edit = change(data, Reorder("dependencies"))
    assert written(edit) == start() + later + tsc + abi + port + last + END
    (told,) = edit.changes
    assert (told.action, told.name, told.record) == ("moved", "EVENT_CHANNEL", 1)
    assert (told.offset, told.new_offset) == (24, data.index(last) - len(port))


def test_dropped_and_inserted_again_is_the_identity() -> None:
    for path in [path for path in SMALL if path.name.startswith("v")]:
        data = path.read_bytes()
        image = tree(data)
        keys = [(n.record.type, n.record.instance or 0) for n in image.root.nodes[:-1]]
        if keys != sorted(keys) or len(keys) < 3:
            continue
        part = keep(str(Selector(keys[1][0])))
        one = edited(data, part)
        rest = edited(data, Drop(part.records))
        assert edited(rest, Insert(tree(one))) == data


def test_inserted_records_find_their_place() -> None:
    a, b, c = (rec(0x500, n, bytes([n])) for n in (1, 2, 3))
    other = start() + b + rec(0x400, 9, b"z") + END
    data = start() + a + c + END
    edit = change(data, Insert(tree(other)))
    assert written(edit) == start() + rec(0x400, 9, b"z") + a + b + c + END
    assert [(told.action, told.type) for told in edit.changes] == [
        ("inserted", 0x400),
        ("inserted", 0x500),
    ]
    assert [told.new_offset for told in edit.changes] == [24, 24 + 24 + 24]


def test_a_record_that_is_there_is_replaced_when_asked() -> None:
    data = start() + rec(0x500, 1, b"old") + rec(0x500, 2, b"two") + END
    other = tree(start() + rec(0x500, 1, b"a longer one") + END)
    with pytest.raises(ImageError, match=r"type 0x500\[1\] of it is there already"):
        change(data, Insert(other, "it"))
    edit = change(data, Insert(other, "it", replaces=True))
    assert written(edit) == (start() + rec(0x500, 1, b"a longer one") + rec(0x500, 2, b"two") + END)
    assert [told.action for told in edit.changes] == ["replaced"]
    twice = tree(start() + 2 * rec(0x500, 7, b"x") + END)
    with pytest.raises(ImageError, match=r"type 0x500\[7\] of it is there already"):
        change(data, Insert(twice, "it", replaces=True))


def test_records_of_a_context_go_into_the_one_inside_a_stream() -> None:
    data = PVH1.read_bytes()
    rest = edited(data, drop("hvm-context/CPU"))
    alone = edited(hvm_context(), keep("CPU"))
    raw = edited(rest, Insert(tree(alone)))
    before, after = shape(tree(data)), shape(tree(raw))
    assert sorted(map(str, before)) == sorted(map(str, after))


def test_another_layout_is_not_inserted() -> None:
    data = start() + rec(3, 0, TSC) + END
    with pytest.raises(ImageError, match="laid out in another way") as caught:
        change(data, Insert(tree(to_big_endian(data)), "big"))
    assert caught.value.expected == "domain-context version 1, little-endian"
    with pytest.raises(ImageError, match="no records to insert"):
        change(data, Insert(tree(data[:-3])))
    with pytest.raises(UsageError, match="the image has no hvm-context"):
        change(data, Insert(tree(hvm_context())))


# ------------------------------------------------------------------------------- guest memory


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


# ------------------------------------------------------------------------------------- headers


def test_a_header_and_the_length_that_follows_from_it() -> None:
    data = PV1.read_bytes()
    config = json.loads(tree(data).root.level.prologue[1][1].config.rstrip("\0"))  # type: ignore[attr-defined]
    config["c_info"]["name"] = "a much longer name than before"
    new = json.dumps(config)
    edit = change(data, f"xl:config={new}")
    after = tree(written(edit))
    (header, optional) = [body for _, body in after.root.level.prologue]
    assert optional.config == f"{new}\0"  # type: ignore[attr-defined]
    assert header.optional_data_len == 5 + len(new)  # type: ignore[attr-defined]
    assert [told.field for told in edit.changes] == ["config", "optional_data_len"]
    assert shape(after) == shape(tree(data))


def test_a_header_that_would_contradict_itself_is_refused() -> None:
    with pytest.raises(ImageError, match="the header of xl would not agree with itself"):
        change(PV1.read_bytes(), "xl:optional_data_len=10")


# ------------------------------------------------------- texts that end, and parts of JSON alone


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


# ---------------------------------------------------------------- records shorter than they decode


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


# ----------------------------------------------------------------------------------- refusals


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
    ("text", "message"),
    [
        ("SHARED_INFO.flags=0", "the image has no SHARED_INFO"),
        ("TSC_INFO[1].khz=0", r"the image has no TSC_INFO\[1\]"),
        ("0x500.x=0", "no plugin knows type 0x500"),
        ("EVENT_CHANNEL.state=1", r"EVENT_CHANNEL\[7\] cannot be decoded"),
    ],
)
def test_what_this_image_has_not_got_is_refused(text: str, message: str) -> None:
    data = start() + rec(3, 0, TSC) + rec(5, 7, b"x") + rec(0x500, 0, b"x") + END
    with pytest.raises(ImageError, match=message):
        change(data, text)


def test_what_could_mean_several_is_refused() -> None:
    data = PV1.read_bytes()
    with pytest.raises(UsageError, match="END is in more than one format") as caught:
        change(data, drop("END"))
    assert caught.value.expected == "libxc/END or libxl/END"
    with pytest.raises(UsageError, match="X86_PV_VCPU_BASIC means 2 records") as caught:
        change(data, "X86_PV_VCPU_BASIC.vcpu_id=1")
    assert "X86_PV_VCPU_BASIC[0], X86_PV_VCPU_BASIC[1]" in str(caught.value.expected)
    twice = start() + rec(3, 0, TSC) + rec(3, 0, TSC) + END
    with pytest.raises(UsageError, match=r"TSC_INFO\[0\] means 2 records") as caught:
        change(twice, "TSC_INFO[0].khz=1")
    assert caught.value.expected == "TSC_INFO[0]#1, TSC_INFO[0]#2"
    assert edited(twice, "TSC_INFO[*].khz=2400000") == twice


def test_a_body_that_is_a_container_is_edited_by_its_records() -> None:
    with pytest.raises(ImageError, match="the body of HVM_CONTEXT is a HVM context") as caught:
        change(PVH1.read_bytes(), "HVM_CONTEXT.data=00")
    assert caught.value.hint == "set fields of its records, such as hvm-context/TYPE.field=value"


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


def test_fields_that_hang_together_are_set_one_after_the_other() -> None:
    def channel(state: int, binding: bytes) -> bytes:
        return rec(5, 3, struct.pack("<IIIBBH16s", state, 1, 0, 7, 0, 0, binding))

    data = start() + channel(1, struct.pack("<H", 9)) + END
    raw = edited(data, "EVENT_CHANNEL.state=INTERDOMAIN", "EVENT_CHANNEL.binding.remote_port=8")
    assert raw == start() + channel(2, struct.pack("<HHI", 9, 0, 8)) + END
    as_one = """EVENT_CHANNEL.binding={"remote_domid": 4, "remote_port": "0x10"}"""
    raw = edited(data, "EVENT_CHANNEL.state=2", as_one)
    assert raw == start() + channel(2, struct.pack("<HHI", 4, 0, 16)) + END
    with pytest.raises(UsageError, match=r"EVENT_CHANNEL\[3\].binding.remote_domid: 70000 does"):
        edited(data, """EVENT_CHANNEL.binding={"remote_domid": 70000}""")
    with pytest.raises(UsageError, match=r"EVENT_CHANNEL\[3\].binding: expected JSON"):
        edited(data, "EVENT_CHANNEL.binding={remote_domid: 7}")


def test_bitmaps_are_set_whole_or_by_port() -> None:
    image, places = settable_of(next(p for p in CORPUS if p.name.startswith("v01")))
    found = [place for place in places if place[2].label == "bitmap"]
    assert found
    node, where, kind, value = found[0]
    data = bytes(image.source.at(0, image.size))

    def ports(text: str, of: bytes = data) -> set[int]:
        raw = edited(of, SetField(selector(node), where, text))
        return next(set(v) for n, w, _, v in settable(tree(raw)) if w == where)

    assert ports("3,8-10") == {3, 8, 9, 10}
    assert ports("[4]") == {4}
    assert ports("none") == set()
    assert ports("+7,-8-9", edited(data, SetField(selector(node), where, "8-11"))) == {7, 10, 11}
    for wrong in ("1,+2", "x", "9-3", "99999"):
        with pytest.raises(UsageError, match=f"{where}: "):
            ports(wrong)
    assert kind.size is not None
    assert len(value) <= 8 * kind.size


# ---------------------------------------------------------------------------------- any input


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
