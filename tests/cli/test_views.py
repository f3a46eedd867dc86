"""The views of `show`: tree, fields and hex."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from environments import ROOT
from support import pipe_from, short_lapic
from view_runs import shown

from domctx_core.testing import CommandRunner

PV1 = ROOT / "examples/xen-4.17/pv1/pv1.save.no-pages"


def test_tree(domctx_cli: CommandRunner, image: Path) -> None:
    shown = domctx_cli("show", "--tree", image)
    assert shown.out.split("\n\n")[0].splitlines() == [
        f"0x00000000   2048  {image}: domain context, version 1",
        "0x00000000     24    START[0]",
        "0x00000018     40    TSC_INFO[0]",
        "0x00000040   1920    EVENT_CHANNEL[1-30, 50-59] x 40",
        "0x000007c0     48    type 0x80000001 (unknown)[7, 9] x 2",
        "0x000007f0     16    END[0]",
    ]
    assert shown.status == 1
    assert "error[unknown-type]" in shown.out


def test_the_sizes_of_a_tree_add_up(domctx_cli: CommandRunner) -> None:
    rows = [
        (len(line) - len(line[19:].lstrip()) - 19, int(line[10:18]), line)
        for line in domctx_cli("show", "--tree", PV1).out.split("\n\n")[0].splitlines()
    ]
    assert rows[0][1] == PV1.stat().st_size
    libxc = next(index for index, row in enumerate(rows) if "libxc" in row[2])
    inside = []
    for depth, size, _ in rows[libxc + 1 :]:
        if depth <= rows[libxc][0]:
            break
        inside.append(size)
    assert sum(inside) + 40 == rows[libxc][1]


def test_a_tree_ends_in_what_cannot_be_framed(
    domctx_cli: CommandRunner, image: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.img"
    cut.write_bytes(image.read_bytes()[:70])
    assert "0x00000040      6    not framed\n" in domctx_cli("show", "--tree", cut).out
    longer = tmp_path / "longer.img"
    longer.write_bytes(image.read_bytes() + b"more")
    assert "      4    after the last record\n" in domctx_cli("show", "--tree", longer).out


def test_fields(domctx_cli: CommandRunner, image: Path) -> None:
    shown = domctx_cli("show", "--fields", "--type", "TSC_INFO", image).out
    lines = [re.split(r" {2,}", line.strip()) for line in shown.splitlines()]
    assert lines[1] == ["0x00000018", "#1 TSC_INFO[0]", "20 bytes"]
    assert lines[3][:5] == ["0x0000002c", "4", "khz", "1e 9d 27 00", "2596126 kHz"]
    nsec = ["0x00000030", "8", "nsec", "fd c9 d9 b3 02 00 00 00", "11.607329277 s"]
    assert lines[4][:5] == nsec
    assert lines[4][5].endswith("[ns] (moves by itself)")
    assert lines[5][:5] == ["0x00000038", "4", "incarnation", "07 00 00 00", "7"]


def test_fields_of_what_stands_before_the_records(domctx_cli: CommandRunner) -> None:
    shown = domctx_cli("show", "--fields", PV1).out
    assert re.search(r"0x000003bd +4 +version +00 00 00 03 +3 +version of the stream\n", shown)
    assert re.search(r"0x00000034 +869 +config +7b 0a 20 20 20 20 22 63 \.\. ", shown)


def test_the_same_elements_are_one_field(domctx_cli: CommandRunner) -> None:
    shown = domctx_cli("show", "--fields", "--type", "SHARED_INFO", PV1).out
    (line,) = (line for line in shown.splitlines() if "info.vcpu_info[2-31]" in line)
    assert re.search(r" 1920 +info\.vcpu_info\[2-31\] .* the same 30 more times$", line)


def test_hex_names_the_fields_of_each_row(domctx_cli: CommandRunner, image: Path) -> None:
    shown = domctx_cli("show", "--hex", "--type", "TSC_INFO", image).out
    rows = [line.strip() for line in shown.splitlines() if line.startswith("    0x")]
    assert rows[0].startswith("0x00000028  01 00 00 00 1e 9d 27 00  fd c9 d9 b3 02 00 00 00")
    assert rows[0].endswith("  mode, khz, nsec")
    assert rows[1].startswith("0x00000038  07 00 00 00   ")
    assert rows[1].endswith("  incarnation")


def test_fields_that_a_short_record_lacks_lie_nowhere(
    domctx_cli: CommandRunner, tmp_path: Path
) -> None:
    path = tmp_path / "short.bin"
    path.write_bytes(short_lapic(4))
    options = ("--type", "LAPIC", "--instance", "0", path)
    lines = domctx_cli("show", "--fields", *options).out.splitlines()[2:]
    assert re.match(r" {4}0x00000848 +8  apic_base_msr +00 0d e0 fe +0xfee00d00 ", lines[0])
    assert re.match(r" {14} +4  disabled +beyond the record +0x0 ", lines[1])
    assert not any("0x00000854" in line for line in lines)
    rows = domctx_cli("show", "--hex", *options).out.splitlines()
    (row,) = (row for row in rows if row.startswith("    0x"))
    assert row.endswith("  apic_base_msr")


def test_there_is_one_view_at_a_time(domctx_cli: CommandRunner, image: Path) -> None:
    refused = domctx_cli("show", "--tree", "--json", image)
    assert (refused.status, refused.out) == (2, "")
    assert "one of --tree, --fields, --hex, --json and --jsonl" in refused.err


def test_a_pipe_has_a_tree_too(image: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "domctx_core", "show", "--tree", "-"],
        input=image.read_bytes(), capture_output=True, check=False,
    )  # fmt: skip
    assert done.stdout.decode().startswith("0x00000000   2048  standard input: domain context")


@pytest.mark.parametrize("name", ["pv1", "pv2l", "pvh1", "hvm1"])
def test_a_stream_in_a_pipe_is_shown_as_the_file_is(
    domctx_cli: CommandRunner, tmp_path: Path, name: str
) -> None:
    third = ROOT / f"plugins/domctx-plugin-xen-streams/tests/data/{name}.save.no-pages"
    fourth = tmp_path / "fourth"
    assert domctx_cli("convert", third, "--to", "4", "-o", fourth).status == 0
    for path in (third, fourth):
        for views in ([], ["--json"], ["--jsonl"], ["--hex"], ["--tree"], ["--fields"]):
            expected = domctx_cli("show", *views, path)
            with pipe_from([path.read_bytes()]) as file:
                named = f"/dev/fd/{file.fileno()}"
                piped = domctx_cli("show", *views, named)
            assert (piped.status, piped.err) == (0, "")
            assert shown(piped.out, named) == shown(expected.out, str(path)), views
