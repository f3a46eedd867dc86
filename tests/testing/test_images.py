"""Images built record by record, right or wrong on purpose."""

from __future__ import annotations

import pytest
from support import end, image, rec, start, to_big_endian, tsc

from domctx_core import Body, BodyError, u32
from domctx_core.testing import ImageBuilder


class Small(Body):
    """A number."""

    value: int = u32(doc="the number", maximum=9)


def test_an_image_has_its_records_in_order() -> None:
    built = ImageBuilder().start().record(3, 0, tsc()).record(0x100, 2, Small(value=7)).end()
    expected = image(rec(3, 0, tsc()), rec(0x100, 2, b"\7\0\0\0"))
    assert built.build() == start(4, 17) + expected[len(start()) :]


def test_the_version_is_that_of_the_caller() -> None:
    assert ImageBuilder().start(4, 15).end().build() == start(4, 15) + end()


def test_a_big_endian_image() -> None:
    little = ImageBuilder().start().record(3, 0, tsc()).end().build()
    big = ImageBuilder("big").start().record(3, 0, to_big_endian(little)[40:60]).end().build()
    assert big == to_big_endian(little)
    assert ImageBuilder("big").record(0x100, 0, Small(value=7)).build()[16:20] == b"\0\0\0\7"


def test_length_and_padding_may_be_wrong() -> None:
    built = ImageBuilder().record(0x100, 0, b"abc", length=99, pad=b"x").build()
    assert built == rec(0x100, 0, b"")[:8] + (99).to_bytes(8, "little") + b"abcx"


def test_a_body_that_breaks_a_rule_is_built_all_the_same() -> None:
    body = Small(value=10)
    with pytest.raises(BodyError):
        body.to_bytes()
    assert ImageBuilder().record(0x100, 0, body).build()[16:20] == b"\n\0\0\0"


def test_bytes_are_appended_as_they_are() -> None:
    assert ImageBuilder().raw(b"one").raw(b"two").build() == b"onetwo"
