"""Images of different formats that hold the same state."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from compared_images import CAPTURES, PV1, Make, channel, image, without_vcpu

from domctx_core.testing import CommandRunner, ImageBuilder


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
