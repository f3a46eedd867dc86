"""Records of two streams are paired by what they are about, not by their place."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from xenstore_stream_support import formats, record, ring, stream, watch

from domctx_core import BufferSource, Diff, diff_images, read_image

FORMATS = formats()


def node(path: str, value: bytes = b"value", order: str = "<") -> bytes:
    name = path.encode() + b"\0"
    head = struct.pack(order + "IIHHHHBBH", 0, 0, len(name), len(value), 0, 1, ord("n"), 0, 0)
    return record(5, head + name + value, order)


def diff(a: bytes, b: bytes) -> Diff:
    return diff_images(*(read_image(BufferSource(each), FORMATS) for each in (a, b)))


def told(found: Diff) -> list[tuple[str, str, list[str | None]]]:
    return [
        (record.status, record.place.label, [change.field for change in record.changes])
        for _, record in found.records()
    ]


def rows(found: Diff) -> list[str]:
    """The records that differ, in an order that does not depend on which stream came first."""
    return sorted(repr(record) for _, record in found.records())


NODES = [node(f"/a{number}") for number in range(6)]


def test_a_node_that_was_added_in_front() -> None:
    (container,) = diff(stream(*NODES), stream(node("/new"), *NODES)).containers
    (added,) = container.records
    shown = added.to_json()
    assert (shown["status"], shown["a"], shown["ordinal"]) == ("added", None, 0)
    assert shown["b"]["identity"] == {"path": "/new\0", "conn_id": 0, "tx_id": 0}
    assert added.place.label == "NODE_DATA (path '/new\\x00', conn_id 0, tx_id 0)"


def test_a_node_that_one_side_cannot_decode_is_the_same_node() -> None:
    damaged = bytearray(NODES[2])
    damaged[8 + 10] = 200  # the length of the value
    for a, b in ((NODES[:4], [*NODES[:2], bytes(damaged), NODES[3]]),
                 (NODES[:4], [NODES[3], bytes(damaged), *NODES[:2]])):  # fmt: skip
        there, back = diff(stream(*a), stream(*b)), diff(stream(*b), stream(*a))
        assert sorted(repr(record.swapped()) for _, record in back.records()) == rows(there)
        assert "removed" not in {status for status, *_ in told(there)}


def test_a_node_with_another_value_after_one_that_was_removed() -> None:
    found = diff(stream(*NODES), stream(*NODES[1:4], node("/a4", b"other"), NODES[5]))
    assert sorted(told(found)) == [
        ("changed", "NODE_DATA (path '/a4\\x00', conn_id 0, tx_id 0)", ["value"]),
        ("removed", "NODE_DATA (path '/a0\\x00', conn_id 0, tx_id 0)", []),
    ]


def test_connections_and_watches() -> None:
    found = diff(stream(ring(1), ring(2), watch(1), watch(2)), stream(ring(2), watch(2)))
    assert told(found) == [
        ("removed", "CONNECTION_DATA (conn_id 1)", []),
        ("removed", r"WATCH_DATA (conn_id 1, wpath '@releaseDomain\x00', token 'tok\x00')", []),
    ]


def test_streams_of_either_byte_order_are_paired_alike() -> None:
    big = stream(*(node(f"/a{number}", order=">") for number in (5, *range(5))), order=">")
    assert [(status, fields) for status, _, fields in told(diff(stream(*NODES), big))] == [
        ("moved", [])
    ]


@settings(deadline=None)
@given(*[st.lists(st.tuples(st.sampled_from("abc"), st.binary(max_size=1)), max_size=5)] * 2)
def test_both_directions_say_the_same(
    a: list[tuple[str, bytes]], b: list[tuple[str, bytes]]
) -> None:
    x, y = (stream(*(node(f"/{path}", value) for path, value in each)) for each in (a, b))
    there, back = diff(x, y), diff(y, x)
    assert rows(there.swapped()) == rows(back)
    assert (there == Diff()) == (x == y)
