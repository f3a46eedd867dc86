"""The JSON of `domctx show`: lines of events, and raw bytes where a body would lose them."""

from __future__ import annotations

import json
from typing import Any

from edited_images import END, TSC, formats
from support import rec, start

from domctx_core import BufferSource, Verifier, walk
from domctx_core.document.view import view_lines, view_text


def lines(data: bytes, keep: Any = lambda record: True) -> list[dict[str, Any]]:
    events = walk(BufferSource(data), formats())
    return [line for event in events for line in view_lines(event, keep, ())]


def test_a_line_for_the_container_and_for_each_record() -> None:
    found = lines(start() + rec(3, 0, TSC) + END)
    assert [line.get("type") for line in found] == [None, 1, 3, 0]
    assert found[2]["body"]["khz"] == 2400000
    assert "raw" not in found[2]


def test_raw_bytes_are_kept_where_the_body_would_lose_them() -> None:
    found = lines(start() + rec(3, 0, TSC + b"more") + rec(0x500, 0, b"x") + END)
    assert bytes.fromhex(found[2]["raw"]) == TSC + b"more"
    assert (found[3]["body"], found[3]["raw"]) == (None, b"x".hex())


def test_the_text_has_the_records_that_are_kept() -> None:
    source = BufferSource(start() + rec(3, 0, TSC) + END)
    events = walk(source, formats())
    parts = view_text(source, events, Verifier(), [], path="x", keep=lambda r: r.type == 3)
    (record,) = json.loads("".join(parts))["records"]
    assert record["name"] == "TSC_INFO"
