"""`domctx diff`: what it says of the ways in which two images can differ, and its exit status."""

from __future__ import annotations

import json
import re
import statistics
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from environments import ROOT

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
from domctx_core.host.host import Host
from domctx_core.testing import CommandResult, CommandRunner, FakeDists, ImageBuilder

CAPTURES = ROOT / "examples/xen-4.17"
PV1 = CAPTURES / "pv1/pv1.save.no-pages"
UNKNOWN = 0x80000001


class Head(Body):
    """What comes before the bulk."""

    kind: int = u32(doc="kind of bulk")


class Bulk(RecordType[Head]):
    """A bulk record type that does not say what its parts are."""

    code, name, body = UNKNOWN, "BULK", Head
    bulk: ClassVar[bool | str] = True

    def prefix(self, first: bytes, byteorder: ByteOrder) -> int:
        return 4


def tsc(nsec: int = 5, incarnation: int = 1, khz: int = 2_400_000) -> bytes:
    return struct.pack("<IIQI", 0, khz, nsec, incarnation)


def channel(state: int, binding: bytes = b"", flags: int = 0) -> bytes:
    return struct.pack("<IIIBB2x16s", state, 0, flags, 7, 0, binding)


Make = Callable[[str, bytes | ImageBuilder], Path]


@pytest.fixture
def file(tmp_path: Path) -> Make:
    def make(name: str, content: bytes | ImageBuilder) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.end().build())
        return path

    return make


@pytest.fixture
def compare(
    domctx_cli: CommandRunner, file: Make
) -> Callable[..., tuple[CommandResult, list[dict[str, Any]]]]:
    """The answer for people, and the records of the first container of the one in JSON."""

    def run(
        a: bytes | ImageBuilder, b: bytes | ImageBuilder, *options: str
    ) -> tuple[CommandResult, list[dict[str, Any]]]:
        paths = file("a.img", a), file("b.img", b)
        document = domctx_cli("diff", "--json", *options, *paths).json
        assert document["schema"] == "domctx.diff/1"
        records = document["containers"][0]["records"] if document["containers"] else []
        return domctx_cli("diff", *options, *paths), records

    return run


def without_vcpu(domctx_cli: CommandRunner, folder: Path) -> Path:
    """pv1 without a record of its first vCPU."""
    path = folder / "without"
    drop = ("--force", "--drop", "X86_PV_VCPU_EXTENDED[0]")
    assert domctx_cli("edit", PV1, "-o", path, *drop).status == 0
    return path


def image() -> ImageBuilder:
    return ImageBuilder().start(4, 17)


class TestARealGuest:
    """pv1 before it was saved and after it was restored, as the hypervisor had it."""

    @staticmethod
    def context(state: str) -> ImageBuilder:
        facts = json.loads((CAPTURES / "pv1" / state / "facts.json").read_text())["tsc"]
        page = (CAPTURES / "pv1" / state / "shared_info.bin").read_bytes()[:3136]
        body = tsc(facts["elapsed_nsec"], facts["incarnation"], facts["khz"])
        return image().record(2, 0, bytes(8) + page).record(3, 0, body)

    def test_the_incarnation_is_told_and_the_times_are_folded(self, compare: Any) -> None:
        run, records = compare(self.context("live"), self.context("live-after-restore"))
        assert run.status == 1
        fields = [line for line in run.out.splitlines() if line.startswith("    ")]
        assert [line.split()[2] for line in fields] == [
            "info.evtchn_mask", "info.arch.pfn_to_mfn_frame_list_list", "info.arch.p2m_cr3",
        ]  # fmt: skip
        assert "set 0-4095" in fields[0]
        assert "10 fields that move by themselves differ; --all shows them:" in run.out
        assert "  TSC_INFO[0]  nsec 11.607329277 s -> 20.163622961 s, incarnation 1 -> 2" in run.out
        assert run.out.endswith("\n3 differences\n")
        changes = {change["field"]: change for change in records[1]["changes"]}
        assert changes["incarnation"] == {
            "where": "body", "field": "incarnation", "a": 1, "a_offset": 0xC90, "b": 2,
            "b_offset": 0xC90, "volatile": True,
        }  # fmt: skip

    def test_with_all_they_count(self, compare: Any) -> None:
        run, _ = compare(self.context("live"), self.context("live-after-restore"), "--all")
        assert "incarnation  1 -> 2  (moves by itself)" in run.out
        assert run.out.endswith("\n13 differences\n")

    def test_only_what_moves_by_itself_is_no_difference(
        self, compare: Any, domctx_cli: CommandRunner
    ) -> None:
        pair = [self.context(state) for state in ("live", "live-after-restore")]
        run, _ = compare(*pair, "--type", "tsc_info")
        assert run.status == 0
        assert "difference" not in run.out
        pair = [self.context(state) for state in ("live", "live-after-restore")]
        run, _ = compare(*pair, "--type", "tsc_info", "--all")
        assert run.status == 1


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


class TestAcrossFormats:
    @pytest.fixture
    def bare(self, domctx_cli: CommandRunner, tmp_path: Path) -> Path:
        path = tmp_path / "bare.img"
        assert domctx_cli("save", f"stream:{PV1}", "-o", path).status == 0
        return path

    @pytest.fixture
    def version_4(self, domctx_cli: CommandRunner, tmp_path: Path) -> Path:
        path = tmp_path / "v4"
        assert domctx_cli("convert", "--to", "4", "--lossy", PV1, "-o", path).status == 0
        return path

    def test_a_stream_against_an_image(
        self, domctx_cli: CommandRunner, bare: Path, version_4: Path
    ) -> None:
        for stream in (PV1, version_4):
            run = domctx_cli("diff", stream, bare)
            assert (run.status, run.out.splitlines()) == (
                0,
                [
                    "not compared, since the other has none: xl, libxl, libxc of A",
                    "no differences",
                ],
            )
        data = bytearray(bare.read_bytes())
        at = data.index(struct.pack("<I", 2596126))
        data[at] ^= 1
        bare.write_bytes(data)
        run = domctx_cli("diff", bare, PV1)
        assert run.status == 1
        assert "~ TSC_INFO[0] -> X86_TSC_INFO  0x00000c70  0x00000ac9" in run.out
        assert "khz  2596127 kHz -> 2596126 kHz" in run.out
        assert "khz  2596127 kHz -> 2596126 kHz" in domctx_cli("diff", bare, version_4).out

    def test_what_an_image_has_and_a_stream_of_version_3_has_not(
        self, domctx_cli: CommandRunner, bare: Path
    ) -> None:
        data = bare.read_bytes()
        more = ImageBuilder().record(5, 1, channel(5)).build()
        bare.write_bytes(data[:-16] + more + data[-16:])
        assert "+ EVENT_CHANNEL[1] " in domctx_cli("diff", PV1, bare).out
        assert "- EVENT_CHANNEL[1] " in domctx_cli("diff", bare, PV1).out

    def test_version_3_against_version_4(self, domctx_cli: CommandRunner, version_4: Path) -> None:
        run = domctx_cli("diff", PV1, version_4)
        assert run.status == 1
        assert run.out.splitlines()[1:] == [
            "  0x000003bd  0x000003bd  prologue.version  3 -> 4",
            "1 difference",
        ]
        run = domctx_cli("diff", "--type", "SHARED_INFO", "--all", PV1, version_4)
        assert (run.status, run.out) == (0, "no differences\n")

    def test_records_of_vcpus_are_paired_by_their_number(
        self, domctx_cli: CommandRunner, tmp_path: Path
    ) -> None:
        lines = domctx_cli("diff", PV1, without_vcpu(domctx_cli, tmp_path)).out.splitlines()
        assert lines[1].startswith("- X86_PV_VCPU_EXTENDED (vcpu_id 0)  0x00002f31")
        assert lines[2:] == ["1 difference"]

    def test_nothing_in_common(self, domctx_cli: CommandRunner, file: Make, tmp_path: Path) -> None:
        run = domctx_cli("diff", PV1, file("b.img", image()))
        # what the stream says as records of its own is state that the image has not got
        assert run.status == 1
        hvm = CAPTURES.parent.parent / "plugins/domctx-plugin-hvm-context/tests/data"
        other = tmp_path / "hvm"
        assert domctx_cli("convert", "--extract", "hvm-context", hvm / "hvm1.save.no-pages", "-o",
                          other).status == 0  # fmt: skip
        run = domctx_cli("diff", file("b.img", image()), other)
        assert run.status == 1
        assert "domain-context  A: domain-context at 0x0, not in B" in run.out
        assert "hvm-context  not in A, B: hvm-context at 0x0" in run.out


class TestTheCommand:
    def test_the_status_alone(self, domctx_cli: CommandRunner, file: Make) -> None:
        a, b = file("a", image().record(3, 0, tsc())), file("b", image().record(3, 0, tsc(khz=1)))
        for pair, status in (((a, a), 0), ((a, b), 1)):
            run = domctx_cli("diff", "-q", *pair)
            assert (run.status, run.out, run.err) == (status, "", "")

    def test_usage_and_input(self, domctx_cli: CommandRunner, file: Make, tmp_path: Path) -> None:
        a = file("a", image())
        assert domctx_cli("diff", a).status == 2
        assert domctx_cli("diff", "-", "-").status == 2
        assert domctx_cli("diff", "--type", "TSC_INF", a, a).status == 2
        run = domctx_cli("diff", a, tmp_path / "none")
        assert run.status == 3
        assert "cannot read" in run.err

    def test_a_broken_plugin_matters_where_its_records_differ(
        self, domctx_dists: FakeDists, domctx_cli: CommandRunner, file: Make
    ) -> None:
        domctx_dists.add(
            "broken", "1.0", {"domctx.record_types": {"0x100.BROKEN": "broken_mod:X"}},
            {"broken_mod": "raise RuntimeError('no')"},
        )  # fmt: skip
        a = file("a", image().record(0x100, 0, b"one").record(0x100, 1, b"x"))
        b = file("b", image().record(0x100, 0, b"two").record(0x100, 1, b"x"))
        c = file("c", image().record(0x100, 0, b"one").record(0x100, 1, b"x").record(0x101, 0))
        run = domctx_cli("diff", a, b)
        assert run.status == 4
        assert "(body)  3 bytes from +0x0: 6f 6e 65 -> 74 77 6f" in run.out
        assert "a plugin cannot be used" in run.out
        assert domctx_cli("diff", a, c).status == 1

    def test_colours(self, domctx_cli: CommandRunner, file: Make) -> None:
        a, b = file("a", image().record(3, 0, tsc())), file("b", image().record(3, 0, tsc(khz=1)))
        assert "\x1b[31m2400000 kHz\x1b[0m -> \x1b[32m1 kHz" in domctx_cli(
            "--color", "always", "diff", a, b
        ).out  # fmt: skip


def test_equal_records_cost_less_than_to_read_them() -> None:
    builder = image()
    for port in range(1, 6000):
        builder.record(5, port, channel(5))
    data = builder.end().build()
    other = bytearray(data)
    other[20] ^= 1
    formats = Host().formats
    ratios = []
    for _ in range(5):
        start = time.perf_counter()
        a, b = (read_image(BufferSource(each), formats) for each in (data, bytes(other)))
        read = time.perf_counter()
        assert diff_images(a, b).differences == 1
        ratios.append((time.perf_counter() - read) / (read - start))
    assert statistics.median(ratios) < 1


def test_the_keys_of_the_document_are_documented(
    domctx_cli: CommandRunner, file: Make, tmp_path: Path
) -> None:
    page = (ROOT / "docs/reference/json.md").read_text()
    section = next(part for part in page.split("\n## ") if part.startswith("`domctx.diff/1`"))
    named = set(re.findall(r"`(\w+)`", section))
    bits = bytearray(8 + 3136)
    bits[8 + 2048] = 1
    a = image().record(2, 0, bytes(8 + 3136)).record(3, 0, tsc()).record(UNKNOWN, 1, b"x")
    b = image().record(3, 0, tsc(1)).record(2, 0, bytes(bits)).record(UNKNOWN, 1, b"y")
    used: set[str] = set()

    def look(value: object) -> None:
        if isinstance(value, dict):
            used.update(value)
            for each in value.values():
                look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    look(domctx_cli("diff", "--json", file("a", a), file("b", b)).json)
    look(domctx_cli("diff", "--json", PV1, file("b", image())).json)
    look(domctx_cli("diff", "--json", PV1, without_vcpu(domctx_cli, tmp_path)).json)
    assert used - {"schema"} <= named
    rows = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*)\|", section, re.M))))
    assert rows - used <= {"parts"}
