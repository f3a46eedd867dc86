"""`domctx verify --tee`: in the middle of a pipe, as its neighbours see it."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from domctx_core.cli import main


def record(type: int, body: bytes = b"", length: int | None = None) -> bytes:
    head = struct.pack("<IIQ", type, 0, len(body) if length is None else length)
    return head + body + bytes(-len(body) % 8)


START = record(1, struct.pack("<II", 4, 17))
GOOD = START + record(0)
UNKNOWN = START + record(0x7FFF0001, bytes(100)) + record(0)
COMMAND = [sys.executable, "-m", "domctx_core", "verify", "--tee"]


def tee(data: bytes, *options: str) -> tuple[bytes, str, int]:
    done = subprocess.run([*COMMAND, *options, "-"], input=data, capture_output=True, check=False)
    return done.stdout, done.stderr.decode(), done.returncode


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]]:
    with subprocess.Popen(
        [*COMMAND, *options, "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process, process.stdin, process.stdout


def test_a_valid_image() -> None:
    output, said, status = tee(GOOD)
    assert (output, said, status) == (GOOD, "standard input: valid domain-context\n", 0)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        pytest.param(UNKNOWN, "unknown-type", id="a finding in the middle"),
        pytest.param(START + record(2, b"", 2**63) + bytes(3000), "truncated-body", id="a fault"),
        pytest.param(b"garbage " * 100_000, "error[", id="no image at all"),
        pytest.param(GOOD[:30], "truncated-header", id="an end too early"),
        pytest.param(b"", "end-missing", id="nothing"),
    ],
)
def test_every_byte_of_a_bad_stream_is_passed_on(data: bytes, rule: str) -> None:
    output, said, status = tee(data)
    assert output == data
    assert rule in said
    assert status == 1


def test_what_follows_the_last_record_is_passed_on() -> None:
    data = GOOD + bytes(range(256)) * 5000
    output, said, status = tee(data)
    assert output == data
    assert "trailing-bytes" in said
    assert status == 0


def test_each_byte_is_passed_on_before_the_next_one_comes() -> None:
    """The neighbours of a live migration talk to each other: nothing may wait for more."""
    with running() as (process, into, out):
        for at in range(len(UNKNOWN)):
            into.write(UNKNOWN[at : at + 1])
            assert out.read(1) == UNKNOWN[at : at + 1]
        into.close()
        assert out.read() == b""
        assert process.wait(20) == 1


def test_a_finding_is_told_while_the_stream_still_runs() -> None:
    with running() as (process, into, _):
        into.write(UNKNOWN[: len(START) + 120])
        into.write(UNKNOWN[len(START) + 120 :][:16])
        assert process.stderr is not None
        assert b"unknown-type" in process.stderr.readline()
        process.kill()


def test_json_goes_to_standard_error() -> None:
    output, said, status = tee(UNKNOWN, "--json")
    document = json.loads(said)
    assert document["schema"] == "domctx.verify/1"
    assert [f["rule"] for f in document["images"][0]["findings"]] == ["unknown-type"]
    assert (output, status) == (UNKNOWN, 1)


def test_a_report_in_a_file(tmp_path: Path) -> None:
    report = tmp_path / "report"
    output, said, status = tee(UNKNOWN, "--json", "--report", str(report))
    assert (output, said, status) == (UNKNOWN, "", 1)
    assert json.loads(report.read_text())["images"][0]["valid"] is False


def test_a_report_without_tee(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image, report = tmp_path / "image", tmp_path / "report"
    image.write_bytes(UNKNOWN)
    assert main(["--color", "always", "verify", str(image), "--report", str(report)]) == 1
    assert capsys.readouterr() == ("", "")
    text = report.read_text()
    assert text.startswith("error[unknown-type]")
    assert text.endswith("not valid domain-context (1 error)\n")


def test_a_report_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", os.devnull, "--report", "/no/such/folder/report"]) == 3
    assert "cannot write /no/such/folder/report" in capsys.readouterr().err


def test_a_reader_that_goes_away() -> None:
    with running() as (process, into, out):
        into.write(UNKNOWN)
        assert out.read(len(UNKNOWN)) == UNKNOWN
        out.close()
        into.write(b"more")
        into.close()
        assert process.stderr is not None
        said = process.stderr.read().decode()
        assert process.wait(20) == 3
    assert "error[unknown-type]" in said
    assert "whoever read the output has gone" in said
    assert "Traceback" not in said


def test_an_interrupt() -> None:
    with running() as (process, into, out):
        into.write(START)
        assert out.read(len(START)) == START
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_only_standard_input_is_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    for images in (["image"], ["-", "-"]):
        assert main(["verify", "--tee", *images]) == 2
    assert "domctx verify --tee -" in capsys.readouterr().err


def test_a_failure_of_ours_cuts_no_migration() -> None:
    """Whatever judging raises, the rest of the stream is passed on first."""
    script = (
        "import sys, domctx_core.cli.verify as v\n"
        "def boom(source, *rest, **named):\n"
        "    source.at(0, 8)\n"
        "    raise {}\n"
        "v.judge = boom\n"
        "from domctx_core.cli import main\n"
        "sys.exit(main(['verify', '--tee', '-']))\n"
    )
    data = GOOD * 50_000
    for raised, status in (("ZeroDivisionError('x')", 5), ("v.DomctxError('x')", 1)):
        done = subprocess.run(
            [sys.executable, "-c", script.format(raised)],
            input=data,
            capture_output=True,
            check=False,
        )
        assert (done.stdout == data, done.returncode) == (True, status)


def test_memory_stays_small() -> None:
    """A record of 256 MiB goes through; the resident set does not see it."""
    size = 256 << 20
    measure = (
        "import sys; from domctx_core.cli import main; status = main(sys.argv[1:])\n"
        "line = next(x for x in open('/proc/self/status') if x.startswith('VmHWM'))\n"
        "print(line.split()[1], file=sys.stderr)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", measure, "verify", "--tee", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(START + struct.pack("<IIQ", 0x7FFF0001, 0, size))
        block = bytes(1 << 20)
        for _ in range(size >> 20):
            process.stdin.write(block)
        process.stdin.write(record(0))
        process.stdin.close()
        peak = int(process.stderr.read().split()[-1])
    assert peak < 40 * 1024
