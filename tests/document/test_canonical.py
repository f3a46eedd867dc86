"""What fields do not hold is kept beside them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from documents import END, libxc, there_and_back, written
from support import image, rec, tsc

from domctx_core import (
    Body,
    BufferSource,
    DocumentError,
    DomainContext,
    Format,
    Formats,
    Framing,
    Provider,
    RecordType,
    decode_image,
    encode_image,
    reserved,
    u16,
    u32,
)


def test_what_fields_do_not_hold_is_kept_in_hex() -> None:
    body = struct.pack("<IIIBB2xQQ", 6, 0, 0, 7, 0, 0, 0)
    body = body[:14] + b"\7\0" + body[16:]
    data = image(rec(5, 1, body), rec(3, 0, tsc())[:-1] + b"\1")
    document = there_and_back(data[:-15])
    channel, clock = document["records"][1:3]
    assert channel["body"]["notify_vcpu"] == 0
    assert channel["raw"] == body.hex()
    assert (clock["padding"], clock["padding_raw"]) == (4, "00000001")
    assert "raw" not in clock
    assert document["unframed"] == {"offset": len(data) - 16, "length": 1, "raw": "00"}


def test_a_header_that_its_fields_do_not_give_back_is_kept() -> None:
    data = bytearray(libxc(END))
    data[20] = 1
    document = there_and_back(bytes(data))
    assert document["header_raw"] == bytes(data[:40]).hex()


class OddHeader(Body):
    type: int = u16(doc="type code")
    pad = reserved(2)
    more: int = u32(doc="of no use", default=0)
    length: int = u32(doc="of the body")


class Odd(Format):
    """A format whose record headers say more than a document does."""

    name = "odd"
    header: ClassVar[type[Body] | None] = OddHeader
    alignment = 4
    last = 9

    def recognises(self, head: bytes) -> bool:
        return head.startswith(b"\5\0")

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        return Framing("little", 1)


class Liar(Body):
    number: int = u32(doc="one more in JSON than it is")

    def to_json(self) -> dict[str, Any]:
        return {"number": self.number + 1}


class Broken(Body):
    number: int = u32(doc="no JSON")

    def to_json(self) -> dict[str, Any]:
        return {"number": {1, 2}}


class LiarRecord(RecordType[Liar]):
    code, name, body = 5, "LIAR", Liar


class BrokenRecord(RecordType[Broken]):
    code, name, body = 6, "BROKEN", Broken


def odd_formats() -> Formats:
    made = Formats()
    provider = Provider("odd", "1")
    made.add("domain-context", provider, DomainContext)
    made.add("odd", provider, Odd)
    for record_type in (LiarRecord, BrokenRecord):
        made.registry("odd").register(record_type, provider)
    return made


def test_headers_and_bodies_that_say_more_than_json_does() -> None:
    parts = [(5, 0, 0), (5, 7, 0), (5, 0, 8), (6, 0, 0), (7, 1, 1), (9, 0, 0)]
    data = b"".join(
        struct.pack("<HHII", code, pad, more, 4) + b"\1\2\3\4" for code, pad, more in parts
    )
    document = decode_image(BufferSource(data), odd_formats())
    assert document["format"] == "odd"
    heads = [record.get("header_raw") for record in document["records"]]
    assert [head is not None for head in heads] == [False, True, True, False, True, False]
    assert all(record["raw"] == "01020304" for record in document["records"])
    target = document["records"][0]["body"]
    assert target == {"number": 0x04030201 + 1}
    assert written(encode_image(document, odd_formats()), None) == data
    document["records"][1] |= {"type": 6, "name": "BROKEN", "body": None}
    with pytest.raises(DocumentError, match=r"records\[1\]\.header_raw: does not say"):
        encode_image(document, odd_formats())
