"""`domctx decode`: a document of an image, whole or line by line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_runs import IMAGE, Domctx


def test_a_document_has_every_record(domctx: Domctx) -> None:
    run = domctx("decode", domctx.file("x.img"), "-o", "-")
    assert run.status == 0
    records = run.json["records"]
    assert [record["type"] for record in records] == [1, 3, 0]
    assert records[1]["body"]["khz"] == 2400000


def test_lines_are_the_header_and_the_records(domctx: Domctx) -> None:
    run = domctx("decode", "--jsonl", domctx.file("x.img"), "-o", "-")
    assert run.status == 0
    lines = [json.loads(line) for line in run.out.splitlines()]
    assert [line.get("type") for line in lines[1:]] == [1, 3, 0]


@pytest.mark.parametrize("options", [[], ["--jsonl"]])
def test_what_was_decoded_encodes_to_the_same_image(
    domctx: Domctx, tmp_path: Path, options: list[str]
) -> None:
    document, again = tmp_path / "x.json", tmp_path / "again.img"
    assert domctx("decode", *options, domctx.file("x.img"), "-o", document).status == 0
    assert domctx("encode", *options, document, "-o", again).status == 0
    assert again.read_bytes() == IMAGE


def test_the_image_is_not_overwritten(domctx: Domctx) -> None:
    path = domctx.file("x.img")
    assert domctx("decode", path, "-o", path).status == 2
    assert path.read_bytes() == IMAGE
