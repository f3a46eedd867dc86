"""Dumps have each byte once, in order, and shorten rows of zeros."""

from __future__ import annotations

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from domctx_core.report.dump import make_dump


def test_a_dump_has_each_byte_once_and_counts_rows_of_zeros() -> None:
    raw = bytes(range(40)) + bytes(100) + b"\1\2\3"
    dump = make_dump(raw, 0x1008, [(0, 0, 3), (1, 3, 40), (2, 40, 143)], 7)
    text = "".join(piece.text + piece.gap for piece in dump.pieces)
    rows = text.rstrip("\n").split("\n")
    assert len(rows) == len(dump.offsets.split("\n")) == len(dump.ascii.split("\n"))
    assert rows[0] == raw[:16].hex(" ").strip()
    assert rows[3] == "··  80 bytes of zeros"
    assert dump.offsets.split("\n")[3:5] == ["00001038", "00001088"]
    assert dump.places.split("\n")[-1] == "0080"
    again = re.sub(r"··  (\d+) bytes of zeros", lambda m: "00" * int(m[1]), text)
    assert bytes.fromhex(again) == raw
    assert [piece.owner for piece in dump.pieces] == [0, 1, 2]
    assert dump.left_out == 7


@given(st.binary(max_size=300), st.lists(st.integers(0, 320), max_size=8))
def test_a_dump_of_anything_has_its_bytes_in_order(raw: bytes, cuts: list[int]) -> None:
    ends = sorted(cuts)
    owners = [(n, a, b) for n, (a, b) in enumerate(itertools.pairwise(ends))]
    dump = make_dump(raw, 0, owners, 0)
    text = "".join(piece.text + piece.gap for piece in dump.pieces)
    again = re.sub(r"··  (\d+) bytes of zeros", lambda m: "00" * int(m[1]), text)
    assert bytes.fromhex(again) == raw
    rows = len(text.rstrip("\n").split("\n")) if raw else 0
    assert all(
        len(column.split("\n")) == rows or not raw
        for column in (dump.offsets, dump.places, dump.ascii)
    )
