"""Comparisons of whole images, and their cost."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

from compared_images import CAPTURES, Make, channel, image, tsc

from domctx_core import (
    BufferSource,
    diff_images,
    read_image,
)
from domctx_core.host.host import Host
from domctx_core.testing import CommandRunner, FakeDists, ImageBuilder


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
