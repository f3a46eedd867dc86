"""`domctx edit`: its output, what it writes and what it refuses."""

from __future__ import annotations

import json
import os
import pty
import resource
import signal
import stat
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from environments import ROOT
from support import end, rec, start

from domctx_core.cli import main

PV1 = ROOT / "examples/xen-4.17/pv1/pv1.save.no-pages"


TSC = struct.pack("<IIQI", 0, 2400000, 5, 1)


IMAGE = start() + rec(3, 0, TSC) + end()


BAD = start() + rec(3, 0, TSC) + rec(0x500, 1, b"x") + end()
"""Verify finds an error in it: nobody knows type 0x500."""


class Run:
    def __init__(self, status: int, captured: Any) -> None:
        self.status, self.out, self.err = status, captured.out, captured.err


class Verb:
    """Runs `domctx edit` in a folder of its own, where `a.img` is a small valid image."""

    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self.capsys, self.folder = capsys, folder
        self.image = self.file("a.img", IMAGE)
        self.out = folder / "out.img"

    def file(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def __call__(self, *arguments: str | Path) -> Run:
        self.capsys.readouterr()
        status = main(["edit", *map(str, arguments)])
        return Run(status, self.capsys.readouterr())

    def written(self) -> list[str]:
        """What was put into the folder beside `a.img`."""
        return sorted(path.name for path in self.folder.iterdir() if path.name != "a.img")


@pytest.fixture
def edit(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Verb:
    return Verb(capsys, tmp_path)


def process(
    *arguments: str | Path, stdout: Any = subprocess.PIPE, **options: Any
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "domctx_core", *map(str, arguments)]
    return subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, timeout=60, check=False, **options
    )


def test_it_says_what_changed(edit: Verb) -> None:
    run = edit(edit.image, "-o", edit.out, "--set", "TSC_INFO.khz=0x10")
    assert (run.status, run.out) == (0, "")
    assert run.err == (
        f"TSC_INFO[0].khz: 2400000 -> 16 (at 0x2c)\nwrote {edit.out}: {len(IMAGE)} bytes\n"
    )
    assert edit.out.read_bytes() == IMAGE.replace(struct.pack("<I", 2400000), struct.pack("<I", 16))


def test_records_in_a_row_share_a_line(edit: Verb) -> None:
    channels = [rec(0x500, n, b"x") for n in range(9)]
    image = edit.file("many.img", start() + b"".join(channels) + end())
    run = edit(image, "-n", "--force", "--drop", "0x500[2-4,7]", "--reorder", "ascending")
    assert run.err.splitlines()[0] == "dropped type 0x500[2-4,7] (at 0x48 on)"
    descending = edit.file("down.img", start() + channels[2] + channels[1] + end())
    run = edit(descending, "-n", "--force", "--reorder", "ascending")
    assert run.err.splitlines()[0] == "moved type 0x500[1] (from 0x30 to 0x18)"


def test_nothing_changes(edit: Verb) -> None:
    run = edit(edit.image, "-o", edit.out)
    assert run.err == f"nothing changes\nwrote {edit.out}: {len(IMAGE)} bytes\n"
    assert edit.out.read_bytes() == IMAGE


def test_quiet(edit: Verb, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-q", "edit", str(edit.image), "-o", str(edit.out), "--drop", "TSC_INFO"]) == 0
    assert capsys.readouterr() == ("", "")


def test_json(edit: Verb) -> None:
    run = edit(PV1, "-o", edit.out, "--json", "--set", "X86_TSC_INFO.incarnation=7")
    document = json.loads(run.out)
    (change,) = document.pop("changes")
    (finding,) = document.pop("findings")
    size = PV1.stat().st_size
    assert document == {
        "schema": "domctx.edit/1",
        "path": str(PV1),
        "output": str(edit.out),
        "written": True,
        "size": size,
        "valid": True,
    }
    assert change == {
        "action": "set",
        "container": ["xl", "libxl", "libxc"],
        "type": 8,
        "name": "X86_TSC_INFO",
        "instance": None,
        "record": 5,
        "field": "incarnation",
        "old": 1,
        "new": 7,
        "offset": 0xAE1,
        "new_offset": 0xAE1,
    }
    assert finding["before"] is True
    assert finding["severity"] == "note"


def test_json_of_what_is_refused(edit: Verb) -> None:
    run = edit(edit.image, "-o", edit.out, "--json", "--set", "TSC_INFO.mode=9")
    document = json.loads(run.out)
    assert (run.status, run.err) == (1, "")
    assert (document["written"], document["valid"]) == (False, False)
    assert [(each["rule"], each["before"]) for each in document["findings"]] == [
        ("field-out-of-range", False)
    ]
    assert edit.written() == []


def test_what_verify_would_refuse_is_not_written(edit: Verb) -> None:
    run = edit(edit.image, "-o", edit.out, "--set", "TSC_INFO.mode=9")
    assert run.status == 1
    assert "error[field-out-of-range]: `mode` is not a known value" in run.err
    assert run.err.endswith(
        "nothing is written: verify finds errors in the outcome; --force writes it all the same\n"
    )
    assert edit.written() == []
    run = edit(edit.image, "-o", edit.out, "--set", "TSC_INFO.mode=9", "--force")
    assert run.status == 0
    assert edit.out.read_bytes()[40:44] == b"\x09\0\0\0"


def test_an_error_that_was_there_before_is_told_apart(edit: Verb) -> None:
    bad = edit.file("bad.img", BAD)
    run = edit(bad, "-o", edit.out, "--set", "TSC_INFO.mode=9")
    assert run.status == 1
    new, old = run.err.split("error[unknown-type]")
    assert "this already" not in new
    assert f"= note: {bad} has this already" in old
    run = edit(bad, "-o", edit.out, "--drop", "0x500")
    assert (run.status, edit.out.read_bytes()) == (0, IMAGE)


def test_checks_across_records_count_too(edit: Verb) -> None:
    run = edit(PV1, "-n", "--drop", "X86_PV_INFO")
    assert run.status == 1
    assert "xen-streams/missing-record" in run.err
    assert run.err.splitlines()[-1].startswith("refused: verify finds errors")


def test_a_plugin_that_is_missing_is_not_an_image_s_fault(
    edit: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["-p", "no:domctx-plugin-tsc-info", "edit", str(edit.image), "-o", str(edit.out)]
    assert main(arguments) == 4
    assert "needs-plugin" in capsys.readouterr().err
    assert main([*arguments, "--set", "TSC_INFO.khz=1"]) == 4
    assert edit.written() == []
    assert main([*arguments, "--drop", "TSC_INFO"]) == 0


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "say where the outcome goes"),
        (["-o", "OUT", "--in-place"], 2, "-o and --in-place exclude each other"),
        (["-o", "IMAGE"], 2, "would take the place of"),
        (["-n", "--set", "khz=1"], 2, "'khz=1' does not say what to set"),
        (["-n", "--set", "TSC_INF.khz=1"], 2, "did you mean TSC_INFO?"),
        (["-n", "--set", "TSC_INFO.kz=1"], 2, "did you mean khz?"),
        (["-n", "--set", "TSC_INFO.khz=-1"], 2, "TSC_INFO[0].khz: -1 does not fit a u32"),
        (["-n", "--set", f"TSC_INFO.khz=0x{'f' * 5000}"], 2, "expected a number, found '0xfff"),
        (["-n", "--set", f"TSC_INFO.khz=[{'9' * 5000}]"], 2, "more digits than any field can hold"),
        (
            ["-n", "--drop", f"0x{'f' * 5000}"],
            2,
            "no record type of domain-context is called 0XFFF",
        ),
        (["-n", "--set", "TSC_INFO[2].khz=1"], 1, "the image has no TSC_INFO[2]"),
        (["-n", "--drop", "SHARED_INFO"], 1, "the image has no SHARED_INFO"),
        (["-n", "--drop", "TSC_INFO", "--set", "TSC_INFO.khz=1"], 2, "to be set and to be dropped"),
        (["-n", "--insert", "IMAGE"], 1, "--replace lets it take the other's place"),
        (["-n", "--replace"], 2, "nothing is"),
        (["-n", "--insert", "no.img"], 3, "cannot read no.img"),
        (["-o", "no/out.img"], 3, "cannot write no/out.img"),
    ],
)
def test_messages_and_statuses(
    edit: Verb, arguments: list[str], status: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(edit.folder)
    names = {"IMAGE": str(edit.image), "OUT": str(edit.out)}
    run = edit(edit.image, *(names.get(each, each) for each in arguments))
    assert run.status == status
    assert message in run.err
    assert len(run.err) < 1000
    assert edit.written() == []
    assert edit.image.read_bytes() == IMAGE


def test_in_place_is_a_new_file_with_the_old_mode(edit: Verb) -> None:
    edit.image.chmod(0o640)
    other = edit.folder / "link.img"
    os.link(edit.image, other)
    run = edit(edit.image, "--in-place", "--drop", "TSC_INFO")
    assert run.status == 0
    assert edit.image.read_bytes() == start() + end()
    assert stat.S_IMODE(edit.image.stat().st_mode) == 0o640
    assert other.read_bytes() == IMAGE


def test_in_place_dry_run_and_refusal_leave_it_alone(edit: Verb) -> None:
    assert edit(edit.image, "--in-place", "-n", "--drop", "TSC_INFO").status == 0
    assert edit(edit.image, "--in-place", "--drop", "END").status == 1
    assert edit.image.read_bytes() == IMAGE


def test_what_is_no_file_is_not_replaced(edit: Verb) -> None:
    fifo = edit.folder / "fifo"
    os.mkfifo(fifo)
    for image in ("-", fifo):
        run = edit(image, "--in-place")
        assert (run.status, "could replace" in run.err) == (2, True)


def test_from_a_pipe_to_a_pipe() -> None:
    done = process("edit", "-", "-o", "-", "--drop", "TSC_INFO", input=IMAGE)
    assert (done.returncode, done.stdout) == (0, start() + end())
    assert done.stderr.startswith(b"dropped TSC_INFO[0] (at 0x18)\nwrote standard output")
    done = process("edit", "-", "-o", "-", "--json", "--drop", "TSC_INFO", input=IMAGE)
    assert done.stdout == start() + end()
    assert json.loads(done.stderr)["output"] == "-"


def test_an_image_is_not_written_to_a_terminal(edit: Verb) -> None:
    leader, terminal = pty.openpty()
    done = process("edit", edit.image, "-o", "-", stdout=terminal)
    os.close(terminal)
    os.close(leader)
    assert done.returncode == 2
    assert b"standard output is a terminal" in done.stderr


def test_a_file_is_whole_or_absent(edit: Verb) -> None:
    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    out = edit.file("out.img", b"as it was")
    done = process("edit", PV1, "-o", out, "--drop", "X86_TSC_INFO", preexec_fn=little_room)
    assert done.returncode == 3
    assert b"cannot write" in done.stderr
    assert edit.written() == ["out.img"]
    assert out.read_bytes() == b"as it was"
    done = process("edit", "-", "-n", input=PV1.read_bytes(), preexec_fn=little_room)
    assert done.returncode == 3
    assert b"cannot spool the input to a temporary file" in done.stderr
    assert b"TMPDIR" in done.stderr


def test_a_device_without_room(edit: Verb) -> None:
    run = edit(edit.image, "-o", "/dev/full")
    assert (run.status, "cannot write /dev/full" in run.err) == (3, True)
