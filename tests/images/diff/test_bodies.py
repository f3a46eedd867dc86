"""Fields that differ: bitmaps, unions, arrays and reserved bytes."""

from __future__ import annotations

import struct
from typing import Any

from compared_images import channel, image, tsc


class TestFields:
    def test_a_bitmap_as_ports(self, compare: Any) -> None:
        a, b = bytearray(8 + 3136), bytearray(8 + 3136)
        a[8 + 2048], b[8 + 2048], b[8 + 2049] = 0b0011, 0b0110, 0xFF
        run, records = compare(image().record(2, 0, bytes(a)), image().record(2, 0, bytes(b)))
        (change,) = records[0]["changes"]
        assert change["field"] == "info.evtchn_pending"
        assert (change["set"], change["cleared"]) == ([2, *range(8, 16)], [0])
        assert "info.evtchn_pending  set 2, 8-15; cleared 0" in run.out

    def test_another_arm_of_a_union(self, compare: Any) -> None:
        a = image().record(5, 1, channel(2, struct.pack("<HHI", 3, 0, 8)))
        b = image().record(5, 1, channel(4, struct.pack("<I", 11)))
        run, records = compare(a, b)
        said = {each["field"]: (each.get("a"), each.get("b")) for each in records[0]["changes"]}
        assert said == {
            "state": ("INTERDOMAIN", "VIRQ"),
            "binding.remote_domid": (3, None),
            "binding.remote_port": (8, None),
            "binding.virq": (None, 11),
        }
        assert "binding.remote_port   8 -> absent" in run.out

    def test_an_element_of_an_array(self, compare: Any) -> None:
        a, b = bytearray(8 + 3136), bytearray(8 + 3136)
        b[8 + 64 * 3 + 8] = 5
        _, records = compare(image().record(2, 0, bytes(a)), image().record(2, 0, bytes(b)))
        (change,) = records[0]["changes"]
        assert change["field"] == "info.vcpu_info[3].evtchn_pending_sel"
        assert change["a_offset"] == 0x28 + 8 + 64 * 3 + 8

    def test_reserved_bytes(self, compare: Any) -> None:
        a, b = channel(5), bytearray(channel(5))
        b[14] = 0xAA
        run, records = compare(image().record(5, 1, a), image().record(5, 1, bytes(b)))
        (change,) = records[0]["changes"]
        assert (change["field"], change["first"], change["count"]) == ("pad", 0, 1)
        assert "pad  1 byte from +0x0: 00 00 -> aa 00" in run.out

    def test_a_body_of_another_length(self, compare: Any) -> None:
        run, records = compare(
            image().record(3, 0, tsc()), image().record(3, 0, tsc() + b"\0\0\0\0" + b"rest")
        )
        assert [each.get("field") for each in records[0]["changes"]] == ["padded", None]
        assert "20 -> 28 bytes" in run.out
        assert "4 bytes from +0x0: nothing -> 72 65 73 74" in run.out
