"""The keys of documents: what is printed, what is described and what is taken are the same keys."""

from __future__ import annotations

import json
import struct
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from environments import ROOT
from support import end, image, rec, start, tsc

from domctx_core import (
    BufferSource,
    DocumentError,
    Formats,
    decode_image,
    decode_lines,
    encode_image,
    encode_lines,
    image_schema,
    line_schema,
)
from domctx_core.document.vocabulary import (
    CONTAINER,
    DOCUMENT,
    FIELDS_ONLY,
    FINDINGS,
    INSIDE,
    LINE,
    LINES,
    RECORD,
    SCHEMA,
    STRETCH,
    STRETCHES,
)
from domctx_core.host.host import Host
from domctx_core.testing import CommandRunner

CAPTURE = ROOT / "examples/xen-4.17/pv1/pv1.save.no-pages"


@cache
def formats() -> Formats:
    return Host().formats


def libxc_record(code: int, body: bytes = b"") -> bytes:
    return struct.pack("<II", code, len(body)) + body + bytes(-len(body) % 8)


def stream() -> bytes:
    """A libxl stream whose libxc stream is suspended, with guest memory and an odd header."""
    libxc = struct.pack(">QIIHHI", 2**64 - 1, 0x58454E46, 3, 0, 0, 1) + struct.pack(
        "<IHHII", 1, 12, 0, 4, 17
    )
    pages = libxc_record(1, struct.pack("<II2Q", 2, 0, 0, 1) + bytes(8192))
    last, checkpoint, checkpoint_end = map(libxc_record, (0, 14, 4))
    return b"".join(
        (b"LibxlFmt", struct.pack(">II", 2, 0), libxc_record(1), libxc, pages, checkpoint,
         checkpoint_end, pages, last, last, b"tail")
    )  # fmt: skip


INPUTS = [
    stream(),
    start() + rec(3, 0, tsc())[:-1] + b"\1" + rec(0x999, 0, bytes(9000)) + end() + b"more",
    image(rec(3, 0, tsc()))[:-5],
]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> CommandRunner:
    return CommandRunner(capsys)


Keys = defaultdict[str, set[str]]


def gather(node: dict[str, Any], keys: Keys, kind: str = "container") -> None:
    """Collect the keys of a container and of what is in it, by the kind of object."""
    keys[kind] |= node.keys()
    for record in node.get("records", ()):
        keys["record"] |= record.keys()
        keys["stretch"] |= record.get("rest", {}).keys()
        if "content" in record:
            gather(record["content"], keys)
    for key in STRETCHES:
        keys["stretch"] |= node.get(key, {}).keys()
    if "content" in node:
        gather(node["content"], keys)


def documents(run: CommandRunner, path: Path) -> Iterator[dict[str, Any]]:
    for data in (*INPUTS, CAPTURE.read_bytes()):
        for pages in ("omit", "inline"):
            yield decode_image(BufferSource(data), formats(), pages=pages)  # type: ignore[arg-type]
        path.write_bytes(data)
        yield json.loads(run("show", "--json", path).out)


def test_every_key_is_printed_and_no_other(run: CommandRunner, tmp_path: Path) -> None:
    keys: Keys = defaultdict(set)
    for document in documents(run, tmp_path / "image"):
        gather(document, keys, "document")
    no_format_here = {"header_raw"}  # has reserved bytes in the header of its records
    assert keys["record"] == RECORD.keys() - no_format_here
    assert keys["stretch"] == STRETCH.keys()
    assert keys["container"] <= CONTAINER.keys() | INSIDE.keys()
    whole = DOCUMENT.keys() | FINDINGS.keys() | CONTAINER.keys() | INSIDE.keys()
    assert keys["document"] | keys["container"] == whole


def test_every_key_is_on_a_line_and_no_other() -> None:
    lines = [line for data in INPUTS for line in decode_lines(BufferSource(data), formats())]
    containers = {key for line in lines if "format" in line for key in line}
    assert containers == LINE.keys() | CONTAINER.keys()
    assert {key for line in lines if "type" in line for key in line} <= {"container", *RECORD}
    assert {key for line in lines for key in line} >= STRETCHES.keys()


def test_the_schema_describes_every_key() -> None:
    whole, lines = image_schema(formats()), line_schema(formats())
    assert whole["properties"].keys() == {*DOCUMENT, *FINDINGS, *CONTAINER, *INSIDE}
    defs = whole["$defs"]
    assert defs["container"]["properties"].keys() == CONTAINER.keys() | INSIDE.keys()
    assert defs["record"]["properties"].keys() == RECORD.keys()
    assert defs["stretch"]["properties"].keys() == STRETCH.keys()
    defs = lines["$defs"]
    assert defs["container"]["properties"].keys() == LINE.keys() | CONTAINER.keys()
    assert defs["record"]["properties"].keys() == {"container", *RECORD} - {"content"}
    assert defs["bytes"]["properties"].keys() == {"container", *STRETCHES}


def unknown(document: dict[str, Any]) -> list[str]:
    """The places of the keys that `encode` does not know."""
    with pytest.raises(DocumentError) as error:
        encode_image(document, formats())
    return [fault.path for fault in error.value.faults if "unknown key" in fault.message]


def test_encode_knows_every_key_and_no_other() -> None:
    stretch = dict.fromkeys((*STRETCH, "more"))
    record = {**dict.fromkeys((*RECORD, "more")), "rest": stretch}
    inside = {**dict.fromkeys((*CONTAINER, *INSIDE, "more")), "records": []}
    document = {
        **dict.fromkeys((*DOCUMENT, *FINDINGS, *CONTAINER, *INSIDE, "more")),
        "schema": SCHEMA,
        "format": "domain-context",
        "records": [{"type": 999, "instance": 0, "rest": stretch}, record],
        "content": inside,
    }
    expected = ["more", "records[0].rest.more", "records[1].more", "content.more"]
    assert sorted(unknown(document)) == sorted(expected)
    line = {**dict.fromkeys((*LINE, *CONTAINER, "more")), "schema": LINES, "container": ["xl"]}
    with pytest.raises(DocumentError) as error:
        list(encode_lines([("", line)], formats()))
    assert [fault.path for fault in error.value.faults if "unknown" in fault.message][:1] == [
        "more"
    ]


def test_records_that_are_decoded_together_have_the_keys_that_are_encoded_quickly() -> None:
    channel = struct.pack("<IIIBB2xQQ", 6, 0, 0, 0, 0, 0, 0)
    data = image(*(rec(5, number, channel) for number in range(1, 9)))
    records = decode_image(BufferSource(data), formats())["records"]
    assert [record["type"] for record in records if record.keys() == FIELDS_ONLY] == [
        1,
        *[5] * 8,
        0,
    ]
    assert RECORD.keys() > FIELDS_ONLY
