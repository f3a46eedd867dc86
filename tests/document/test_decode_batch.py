"""Records that are decoded together give the same document as single ones."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from documents import formats, there_and_back, written
from support import formats as corpus_formats
from support import image, port, rec

from domctx_core import (
    Body,
    BufferSource,
    RecordType,
    decode_image,
    encode_image,
    u32,
)
from domctx_core.layout.codegen.json_codec import json_decoder, json_encoder
from domctx_core.layout.codegen.source import NOT_APPLICABLE
from domctx_core.layout.kinds.base import ORDERS


def fixed_types() -> Iterator[Any]:
    for registry in formats().registries():
        for entry in registry:
            yield entry.record_type


@pytest.mark.parametrize("order", ["little", "big"])
def test_the_quick_way_says_what_the_thorough_one_does(order: Any) -> None:
    ways = 0
    for record_type in fixed_types():
        layout = record_type.body.__layout__
        read, write = json_decoder(layout, ORDERS[order]), json_encoder(layout, ORDERS[order])
        if layout.size is None or read is None or write is None:
            continue
        ways += 1
        for seed in range(20):
            rng = random.Random(seed)
            raw = record_type.body.example(rng).to_bytes(order, check=False)
            if seed % 2:
                raw = rng.randbytes(len(raw))
            body = record_type.body.inspect(raw, order).body
            try:
                quick = read(raw)
            except NOT_APPLICABLE:
                assert body.to_bytes(order, check=False) != raw
                continue
            assert quick == body.to_json()
            assert body.to_bytes(order, check=False) == raw
            try:
                assert write(json.loads(json.dumps(quick))) == raw
            except NOT_APPLICABLE:
                assert record_type.body.from_json(quick).to_bytes(order, check=False) == raw
    assert ways >= 5


def test_a_run_ends_where_something_is_unusual() -> None:
    ports = [port(number) for number in range(1, 300)]
    plain = decode_image(BufferSource(image(*ports)), formats())
    for at in (0, 15, 16, 17, 200, 298):
        odd = [*ports]
        odd[at] = odd[at][:16] + b"\xff" * 4 + odd[at][20:]
        document = there_and_back(image(*odd))
        for key in ("index", "offset", "length"):
            said = [record[key] for record in document["records"]]
            assert said == [record[key] for record in plain["records"]]
        assert [record["index"] for record in document["records"]] == list(range(301))
    there_and_back(image(*ports)[:-21])


class Small(Body):
    number: int = u32(doc="four bytes, so that four of padding follow")


class SmallRecord(RecordType[Small]):
    code, name, body = 7, "SMALL", Small


def test_padding_that_is_not_zero_ends_a_run() -> None:
    ours = corpus_formats([SmallRecord])
    records = [bytearray(rec(7, number, struct.pack("<I", number))) for number in range(100)]
    records[50][-1] = 3
    data = image(*map(bytes, records))
    document = decode_image(BufferSource(data), ours)
    odd = [record for record in document["records"] if "padding_raw" in record]
    assert [(record["index"], record["padding_raw"]) for record in odd] == [(51, "00000003")]
    assert written(encode_image(document, ours), None) == data
