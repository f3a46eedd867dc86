"""Bytes to JSON and back without a body: what bodies give, or not applicable."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from codec_bodies import Flagged, Moded, Network, Numbers, Padded, Row, Union
from sample_bodies import Everything, everything

from domctx_core import Body
from domctx_core.layout.codegen.json_codec import json_decoder, json_encoder
from domctx_core.layout.codegen.source import NOT_APPLICABLE
from domctx_core.layout.kinds.base import ORDERS, ByteOrder


def codec(body: type[Body], order: ByteOrder = "little", tail: int = 0) -> tuple[Any, Any]:
    layout = body.__layout__
    return json_decoder(layout, ORDERS[order], tail), json_encoder(layout, ORDERS[order], tail)


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("body", [Numbers, Moded, Flagged, Padded, Union, Network])
def test_the_json_is_that_of_the_body(body: type[Body], order: ByteOrder) -> None:
    decode, encode = codec(body, order)
    for seed in range(30):
        example = body.example(random.Random(seed))
        raw = example.to_bytes(order)
        assert decode(raw) == example.to_json()
        assert encode(json.loads(json.dumps(example.to_json()))) == raw


def test_zeros_after_the_body_are_read_and_written() -> None:
    decode, encode = codec(Moded, tail=4)
    raw = b"\2\0\0\0" + bytes(4)
    assert decode(raw) == {"mode": "NEVER"}
    assert encode({"mode": "NEVER"}) == raw
    with pytest.raises(NOT_APPLICABLE):
        decode(raw[:-1] + b"\1")


@pytest.mark.parametrize(
    ("body", "raw"),
    [
        (Padded, bytes(6) + b"\1" + bytes(2)),  # reserved bytes that are not zero
        (Union, b"\0" + bytes(5) + b"\1"),  # bytes where the union has nothing
        (Union, b"\1" + bytes(5) + b"\1"),  # bytes that the case leaves unused
        (Moded, bytes(3)),
        (Moded, bytes(5)),
    ],
)
def test_bytes_that_json_cannot_keep_are_not_applicable(body: type[Body], raw: bytes) -> None:
    with pytest.raises(NOT_APPLICABLE):
        codec(body)[0](raw)


@pytest.mark.parametrize(
    "value",
    [
        None, [], {}, {"x": 1}, {"y": 1, "x": 1}, {"x": 1, "y": 2, "z": 3}, {"x": 2**32, "y": 0},
        {"x": "?", "y": 0}, {"x": 1.5, "y": 0}, {"x": None, "y": 0},
    ],
)  # fmt: skip
def test_json_that_is_not_just_the_fields_is_not_applicable(value: Any) -> None:
    with pytest.raises(NOT_APPLICABLE):
        codec(Padded)[1](value)


def test_not_every_layout_has_a_codec() -> None:
    assert codec(Row) == (None, None)
    for converter in codec(Everything):  # text and bitmaps
        assert converter is None
    assert everything().to_json()["name"] == "four"
