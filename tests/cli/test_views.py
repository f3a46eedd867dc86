"""The views of `show`, the pager that a long answer goes through, and the line of progress."""

from __future__ import annotations

import os
import pty
import re
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from environments import ROOT
from support import pipe_from, short_lapic

from domctx_core.testing import CommandRunner, ImageBuilder

PV1 = ROOT / "examples/xen-4.17/pv1/pv1.save.no-pages"
TSC = struct.pack("<IIQI", 1, 2596126, 11_607_329_277, 7)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """START, TSC_INFO, 40 EVENT_CHANNELs, two of an unknown type, END."""
    builder = ImageBuilder().start(4, 17).record(3, 0, TSC)
    for port in (*range(1, 31), *range(50, 60)):
        builder.record(5, port, struct.pack("<IIIBB2x16x", 5, 0, 0, 7, 0))
    builder.record(0x80000001, 7, b"some bytes").record(0x80000001, 9, b"")
    path = tmp_path / "a.img"
    path.write_bytes(builder.end().build())
    return path


# ----------------------------------------------------------------------------------------- views


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


def shown(text: str, name: str) -> list[str]:
    """What is shown, less the input's name and the bytes that only a file can be asked for again."""
    lines = text.replace(name, "-").splitlines()
    return [line for line in lines if " | " not in line and not line.endswith(" |")]


# ------------------------------------------------------------------------------------- terminals


class Terminal:
    """Runs the command with a terminal of 20 lines as its output, and as its errors if wanted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "pager.log"
        self.pager = self.script("pager", f'cat >> "{self.log}"; echo "LESS=$LESS" >> "{self.log}"')

    def script(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    def paged(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def run(
        self, *arguments: object, out: bool = True, feed: Callable[[int], None] | None = None,
        code: str = "from domctx_core.cli import main; sys.exit(main(sys.argv[1:]))",
        **environment: str,
    ) -> tuple[int, str, str]:  # fmt: skip
        """The status, what the terminal got, and what went to the pipe in the other's place.

        With `out` standard output is the terminal, else standard error.
        """
        ours, theirs = pty.openpty()
        feeding, fed = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-c", f"import sys; {code}", *map(str, arguments)],
            stdin=feeding,
            stdout=theirs if out else subprocess.PIPE,
            stderr=subprocess.PIPE if out else theirs,
            env={
                "PATH": os.environ["PATH"], "LINES": "20", "COLUMNS": "80", "TERM": "xterm",
                "NO_COLOR": "1", "LANG": "C.UTF-8", **environment,
            },
        )  # fmt: skip
        os.close(theirs)
        os.close(feeding)
        if feed is not None:
            feed(fed)
        os.close(fed)
        shown = b""
        while True:
            ready, _, _ = select.select([ours], [], [], 30)
            try:
                chunk = os.read(ours, 65536) if ready else b""
            except OSError:
                break
            if not chunk:
                break
            shown += chunk
        os.close(ours)
        other = process.stderr if out else process.stdout
        assert other is not None
        with other:
            rest = other.read()
        return process.wait(30), shown.decode().replace("\r\n", "\n"), rest.decode()


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def test_what_is_longer_than_the_screen_goes_through_the_pager(
    terminal: Terminal, image: Path
) -> None:
    status, shown, _ = terminal.run("show", image, DOMCTX_PAGER=terminal.pager, PAGER="false")
    assert (status, shown) == (1, "")
    paged = terminal.paged()
    assert "#41 EVENT_CHANNEL[59]" in paged
    assert "error[unknown-type]" in paged
    assert paged.endswith("LESS=FRX\n")
    assert "\x1b" not in paged
    terminal.log.unlink()
    terminal.run("--color", "always", "show", image, PAGER=terminal.pager, LESS="-S")
    assert "\x1b[" in terminal.paged()
    assert terminal.paged().endswith("LESS=-S\n")


def test_what_fits_the_screen_needs_no_pager(terminal: Terminal, image: Path) -> None:
    _, shown, _ = terminal.run(
        "show", "--type", "TSC_INFO", "--type", "END", image, DOMCTX_PAGER=terminal.pager,
        LINES="60",
    )  # fmt: skip
    assert "TSC_INFO[0]" in shown
    assert terminal.paged() == ""


@pytest.mark.parametrize("pager", ["", "cat", "no-such-pager-anywhere", "'"])
def test_the_pager_can_be_turned_off(terminal: Terminal, image: Path, pager: str) -> None:
    status, shown, _ = terminal.run(
        "show", image, DOMCTX_PAGER=pager, PAGER=terminal.pager
    )  # fmt: skip
    assert status == 1
    assert "EVENT_CHANNEL[59]" in shown
    assert terminal.paged() == ""


def test_leaving_the_pager_early_is_no_error(terminal: Terminal, tmp_path: Path) -> None:
    builder = ImageBuilder().start(4, 17)
    for port in range(1, 4000):
        builder.record(5, port, struct.pack("<IIIBB2x16x", 5, 0, 0, 7, 0))
    path = tmp_path / "long.img"
    path.write_bytes(builder.end().build())
    status, shown, errors = terminal.run(
        "show", path, DOMCTX_PAGER=terminal.script("quits", "exec head -n 2")
    )
    assert (status, errors) == (0, "")
    assert len(shown.splitlines()) == 2


def test_a_pipe_is_never_paged(image: Path, terminal: Terminal) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "domctx_core", "show", image],
        capture_output=True, text=True, check=False,
        env={**os.environ, "DOMCTX_PAGER": terminal.pager},
    )  # fmt: skip
    assert "EVENT_CHANNEL[59]" in done.stdout
    assert terminal.paged() == ""


def slowly(image: Path, seconds: float) -> Callable[[int], None]:
    """Feeds an image in two halves, with a pause between them."""

    def feed(to: int) -> None:
        data = image.read_bytes()
        os.write(to, data[:1024])
        time.sleep(seconds)
        os.write(to, data[1024:])

    return feed


SOON = (
    "import domctx_core.cli.progress as p; p.PATIENCE = 0.2;"
    "from domctx_core.cli import main; sys.exit(main(sys.argv[1:]))"
)


def test_progress_is_shown_after_a_while(terminal: Terminal, image: Path) -> None:
    status, shown, answer = terminal.run(
        "verify", "-", out=False, feed=slowly(image, 1.2), code=SOON
    )
    assert status == 1
    assert "reading standard input" in shown
    assert re.search(r"\d+ bytes|\d+(\.\d)?/\?|KiB", shown)
    assert "standard input: not valid" in answer
    assert "reading" not in answer


def test_progress_is_not_shown_where_nobody_looks(terminal: Terminal, image: Path) -> None:
    _, shown, _ = terminal.run("-q", "verify", "-", out=False, feed=slowly(image, 1.2), code=SOON)
    assert shown == ""


def test_progress_is_not_shown_at_once_nor_in_a_pipe(terminal: Terminal, image: Path) -> None:
    _, shown, _ = terminal.run("verify", "-", out=False, feed=slowly(image, 0.1))
    assert "reading" not in shown
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {SOON}", "verify", "-"],
        input=image.read_bytes(), capture_output=True, check=False,
    )  # fmt: skip
    assert done.stderr == b""
