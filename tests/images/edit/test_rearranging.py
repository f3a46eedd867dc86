"""Dropping, keeping, inserting and reordering records."""

from __future__ import annotations

from pathlib import Path

import pytest
from edited_images import (
    CAPTURES,
    END,
    PVH1,
    SMALL,
    TSC,
    change,
    drop,
    edited,
    hvm_context,
    keep,
    selector,
    shape,
    tree,
    written,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from support import rec, start, to_big_endian

from domctx_core import (
    ImageError,
    UsageError,
)
from domctx_core.images.edit.operations import (
    Drop,
    Insert,
    Reorder,
    Selector,
)


@pytest.mark.parametrize("path", SMALL[::4], ids=lambda path: path.name)
def test_any_record_can_be_dropped(path: Path) -> None:
    data = path.read_bytes()
    image = tree(data)
    for number, node in enumerate(image.root.nodes[:12]):
        record = node.record
        raw = edited(data, Drop(selector(node)))
        assert raw == data[: record.offset] + data[record.end :]
        assert number == record.index


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
