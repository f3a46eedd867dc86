"""Bytes that differ beside fields: unknown types, bulk, padding and what cannot be framed."""

from __future__ import annotations

import struct
from typing import Any, ClassVar

from compared_images import UNKNOWN, image, tsc

from domctx_core import (
    Body,
    BufferSource,
    ByteOrder,
    DomainContext,
    Formats,
    Provider,
    RecordType,
    diff_images,
    read_image,
    u32,
)
from domctx_core.testing import CommandRunner, ImageBuilder


class Head(Body):
    """What comes before the bulk."""

    kind: int = u32(doc="kind of bulk")


class Bulk(RecordType[Head]):
    """A bulk record type that does not say what its parts are."""

    code, name, body = UNKNOWN, "BULK", Head
    bulk: ClassVar[bool | str] = True

    def prefix(self, first: bytes, byteorder: ByteOrder) -> int:
        return 4


class TestBytes:
    def test_what_no_plugin_knows(self, compare: Any) -> None:
        a, b = bytearray(1000), bytearray(1000)
        b[100], b[900] = 1, 1
        run, records = compare(
            image().record(UNKNOWN, 0, bytes(a)), image().record(UNKNOWN, 0, bytes(b))
        )
        (change,) = records[0]["changes"]
        assert (change["first"], change["count"], change["a_offset"]) == (100, 2, 0x28 + 100)
        assert change["b"] == "01" + "00" * 15
        assert "(body)  2 bytes from +0x64: 00 00" in run.out

    def test_a_bulk_record_without_parts_behind_its_head(self) -> None:
        formats = Formats()
        formats.add("domain-context", Provider("test", "0"), DomainContext)
        formats.registry("domain-context").register(Bulk, Provider("test", "0"))
        a, b, c = (
            image().record(UNKNOWN, 0, body).end().build()
            for body in (b"\1\0\0\0rest", b"\1\0\0\0test", b"\2\0\0\0test")
        )

        def told(*sides: bytes) -> list[tuple[str | None, int | None]]:
            found = diff_images(*(read_image(BufferSource(side), formats) for side in sides))
            ((_, record),) = found.records()
            return [(change.field, change.count) for change in record.changes]

        assert told(a, b) == [(None, 1)]
        assert told(a, c) == [("kind", None), (None, 1)]

    def test_padding_and_what_is_behind(self, compare: Any, domctx_cli: CommandRunner) -> None:
        a = image().record(3, 0, tsc())
        b = image().record(3, 0, tsc(), pad=b"\0\0x\0").end().build() + b"behind"
        run, records = compare(a, b)
        (change,) = records[0]["changes"]
        assert (change["where"], change["first"]) == ("padding", 2)
        assert "(after the last record)  6 bytes from +0x0: absent -> 62 65" in run.out

    def test_what_cannot_be_framed(self, compare: Any) -> None:
        whole = image().record(3, 0, tsc()).end().build()
        run, _ = compare(whole, whole[:50])
        assert run.status == 1
        assert "- TSC_INFO[0]  0x00000018" in run.out
        assert "(not framed)" in run.out

    def test_another_byte_order_with_the_same_values(self, compare: Any) -> None:
        big = ImageBuilder("big").start(4, 17).record(3, 0, struct.pack(">IIQI", 0, 7, 5, 1))
        run, records = compare(image().record(3, 0, tsc(khz=7)), big)
        assert records == []
        assert "(byte order)  little -> big" in run.out
        assert run.out.endswith("\n1 difference\n")
