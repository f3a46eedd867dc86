"""Records that are paired: added, removed, moved and changed."""

from __future__ import annotations

from typing import Any

from compared_images import channel, image, tsc

from domctx_core.testing import ImageBuilder


class TestRecords:
    def test_added_removed_and_changed(self, compare: Any) -> None:
        a = image().record(3, 0, tsc()).record(5, 1, channel(5)).record(5, 2, channel(5))
        b = image().record(3, 0, tsc(khz=7)).record(5, 2, channel(5)).record(5, 9, channel(5))
        run, records = compare(a, b)
        assert run.status == 1
        assert run.out.splitlines()[1:] == [
            "~ TSC_INFO[0]  0x00000018  0x00000018",
            "    0x0000002c  0x0000002c  khz  2400000 kHz -> 7 kHz",
            "- EVENT_CHANNEL[1]  0x00000040              32 bytes",
            "+ EVENT_CHANNEL[9]              0x00000070  32 bytes",
            "3 differences",
        ]
        assert [each["status"] for each in records] == ["changed", "removed", "added"]
        assert records[1]["b"] is None
        assert records[1]["a"] == {
            "type": 5, "name": "EVENT_CHANNEL", "instance": 1, "index": 2, "offset": 0x40,
            "length": 32,
        }  # fmt: skip

    def test_the_fewest_records_that_moved(self, compare: Any) -> None:
        def ports(*numbers: int) -> ImageBuilder:
            made = image()
            for number in numbers:
                made.record(5, number, channel(5, flags=number == 7))
            return made

        run, records = compare(ports(1, 2, 3, 4, 5), ports(2, 3, 4, 1, 5))
        assert [(each["status"], each["a"]["instance"]) for each in records] == [("moved", 1)]
        assert "> EVENT_CHANNEL[1]  0x00000018  0x000000a8  moved: record 1 -> 4" in run.out
        b = image().record(5, 3, channel(5)).record(5, 1, channel(5))
        b.record(5, 2, channel(5, flags=1))
        _, records = compare(ports(1, 2, 3), b)
        said = [(each["a"]["instance"], each["status"], each["moved"]) for each in records]
        assert said == [(2, "changed", False), (3, "moved", True)]

    def test_duplicates_are_paired_by_their_order(self, compare: Any) -> None:
        a = image().record(3, 0, tsc()).record(3, 0, tsc(khz=1)).record(3, 0, tsc(khz=2))
        b = image().record(3, 0, tsc()).record(3, 0, tsc(khz=9))
        run, records = compare(a, b)
        assert [(each["status"], each["ordinal"]) for each in records] == [
            ("changed", 1), ("removed", 2),
        ]  # fmt: skip
        assert "TSC_INFO[0] (number 2 of these)" in run.out

    def test_only_some(self, compare: Any) -> None:
        a = image().record(3, 0, tsc()).record(5, 1, channel(5)).record(5, 2, channel(5))
        b = image().record(3, 0, tsc(khz=7)).record(5, 1, channel(1)).record(5, 2, channel(1))
        _, records = compare(a, b, "--type", "5", "--instance", "2")
        assert [each["a"]["offset"] for each in records] == [0x70]
