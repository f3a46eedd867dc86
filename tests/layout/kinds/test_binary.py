"""Reserved bytes, blobs, text and bitmaps, against bytes packed by hand."""

import json
import struct

import pytest
from codec_bodies import Counted, Padded, Point, both_orders, check_codec, only

from domctx_core import (
    Bits,
    Body,
    BodyError,
    Problem,
    array,
    bitmap,
    blob,
    count_of,
    text,
    u8,
)


@both_orders
def test_reserved_bytes_are_written_as_zero_and_read_with_suspicion(
    order: str, prefix: str
) -> None:
    check_codec(Padded(x=1, y=2), struct.pack(prefix + "I4xB", 1, 2), order, {"x": 1, "y": 2})
    data = struct.pack(prefix + "I4sB", 1, b"\0\0\x99\x01", 2)
    decoded = Padded.inspect(data, order)
    assert decoded.body == Padded(x=1, y=2)
    assert decoded.problems == (
        Problem(
            "reserved-not-zero", "reserved bytes are not zero", 6, "pad", "00000000", "00009901"
        ),
    )
    assert not hasattr(decoded.body, "pad")


def test_reserved_inside_others_is_named_by_its_path() -> None:
    class Deep(Body):
        rows: list[Padded] = array(Padded, 2)

    data = bytearray(18)
    data[9 + 7] = 1
    problem = only(Deep, bytes(data))
    assert (problem.rule, problem.offset, problem.field) == ("reserved-not-zero", 16, "rows[1].pad")


@both_orders
def test_blobs_fixed_counted_and_tail(order: str, prefix: str) -> None:
    class Fixed(Body):
        magic: bytes = blob(4)
        tail: bytes = blob()

    check_codec(
        Fixed(magic=b"xen3", tail=b"\0\xff"),
        b"xen3\0\xff",
        order,
        {"magic": "78656e33", "tail": "00ff"},
    )
    check_codec(Fixed(magic=bytes(4), tail=b""), bytes(4), order, {"magic": "0" * 8, "tail": ""})
    check_codec(
        Counted(data=b"abc", points=[Point(x=1, y=-1), Point(x=2, y=-2)]),
        struct.pack(prefix + "HB3sHhHh", 3, 2, b"abc", 1, -1, 2, -2),
        order,
        {"n": 3, "m": 2, "data": "616263", "points": [{"x": 1, "y": -1}, {"x": 2, "y": -2}]},
    )
    with pytest.raises(BodyError, match="wrong number of bytes") as raised:
        Fixed(magic=b"xen", tail=b"").to_bytes()
    assert (raised.value.expected, raised.value.actual) == ("4 bytes", "3 bytes")
    for wrong in ["0", "zz", 5, None, ["00"]]:
        with pytest.raises(BodyError, match=r"^tail: expected a string of hex digits"):
            Fixed.from_json({"magic": "00000000", "tail": wrong})


def test_text_is_utf8_and_keeps_what_is_not() -> None:
    class Texts(Body):
        n: int = count_of("name", size=1)
        tag: str = text(4)
        name: str = text(count="n")
        rest: str = text()

    check_codec(
        Texts(tag="ab\0\0", name="ä", rest="€x"),
        b"\2ab\0\0\xc3\xa4\xe2\x82\xacx",
        "little",
        {"n": 2, "tag": "ab\0\0", "name": "ä", "rest": "€x"},
    )
    bad = b"\1\xff\xfe\0\0\x80\xed\xb2\x80"
    body = Texts.from_bytes(bad)
    assert body.to_bytes() == bad
    assert Texts.from_json(json.loads(json.dumps(body.to_json()))).to_bytes() == bad
    with pytest.raises(BodyError, match="wrong number of bytes") as raised:
        Texts(tag="äää", name="", rest="").to_bytes()
    assert (raised.value.field, raised.value.actual) == ("tag", "6 bytes")
    with pytest.raises(BodyError, match="UTF-8 cannot hold"):
        Texts(tag="abcd", name="", rest="\ud800").to_bytes()
    with pytest.raises(BodyError, match=r"^rest: the text has characters that UTF-8 cannot hold"):
        Texts.from_json({"tag": "abcd", "name": "", "rest": "\ud800"})
    with pytest.raises(BodyError, match=r"^rest: expected text, found 5"):
        Texts.from_json({"tag": "abcd", "name": "", "rest": 5})


@both_orders
@pytest.mark.parametrize("word", [4, 8])
def test_bitmaps(word: int, order: str, prefix: str) -> None:
    class Map(Body):
        head: int = u8()
        pending: Bits = bitmap(16, word=word)

    positions = [0, 7, 8, 31, 32, 63, 64, 127]
    words = [0] * (16 // word)
    for position in positions:
        words[position // (8 * word)] |= 1 << position % (8 * word)
    data = struct.pack(f"{prefix}B{len(words)}{'I' if word == 4 else 'Q'}", 9, *words)
    check_codec(
        Map(head=9, pending=Bits(128, positions)), data, order, {"head": 9, "pending": positions}
    )
    with pytest.raises(
        BodyError, match=r"pending\[0\]: position 128 is outside a bitmap of 128 bits"
    ):
        Map.from_json({"head": 0, "pending": [128]})
    for wrong in [[-1], ["1"], [True], 5, None]:
        with pytest.raises(BodyError, match=r"^pending(\[0\])?: "):
            Map.from_json({"head": 0, "pending": wrong})
    for value in [Bits(64, [1]), Bits(256, [200]), [1, 2], None]:
        with pytest.raises(BodyError) as raised:
            Map(head=0, pending=value).to_bytes()  # type: ignore[arg-type]
        assert (raised.value.field, raised.value.offset) == ("pending", 1)
