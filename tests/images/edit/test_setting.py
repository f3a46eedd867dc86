"""Setting fields of bodies and headers by their paths."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import pytest
from edited_images import (
    CAPTURES,
    CORPUS,
    END,
    PV1,
    PVH1,
    SMALL,
    NamedRecord,
    as_written,
    change,
    edited,
    formats,
    named,
    selector,
    settable,
    settable_of,
    shape,
    tree,
    written,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from support import formats as own_formats
from support import rec, start

from domctx_core import (
    BufferSource,
    ImageError,
    UsageError,
    read_image,
)
from domctx_core.images.edit.editor import edit_image
from domctx_core.images.edit.operations import (
    SetField,
    parse_set,
)
from domctx_core.layout.kinds.aggregates import Array, Nested
from domctx_core.layout.kinds.variants import BySize, Optional, Switch


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


def test_a_body_that_is_a_container_is_edited_by_its_records() -> None:
    with pytest.raises(ImageError, match="the body of HVM_CONTEXT is a HVM context") as caught:
        change(PVH1.read_bytes(), "HVM_CONTEXT.data=00")
    assert caught.value.hint == "set fields of its records, such as hvm-context/TYPE.field=value"


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
