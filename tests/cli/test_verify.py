"""`domctx verify`: findings, JSON and targets; `--tee` in the middle of a pipe."""

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
from cli_runs import IMAGE, PADDING, Domctx

from domctx_core.cli import main


def test_the_gravest_of_several_inputs_wins(domctx: Domctx) -> None:
    good, bad = domctx.file("good"), domctx.file("bad", IMAGE[:70])
    assert domctx("verify", good).status == 0
    assert domctx("verify", good, bad).status == 1
    run = domctx("verify", bad, "/no/such", good)
    assert run.status == 3
    assert f"{good}: valid" in run.out


class TestVerify:
    def test_a_valid_image(self, domctx: Domctx) -> None:
        run = domctx("verify", domctx.file("x.img"))
        assert (run.status, run.err) == (0, "")
        assert run.out.endswith("x.img: valid domain-context\n")

    def test_a_finding_is_told_as_rustc_would(self, domctx: Domctx) -> None:
        odd = bytearray(IMAGE)
        odd[PADDING + 1] = 0x80
        path = domctx.file("x.img", bytes(odd))
        run = domctx("verify", path)
        assert run.status == 1
        assert run.out.splitlines() == [
            "error[padding-not-zero]: the padding after the body is not zero",
            f"  --> {path}: offset 0x3d (61), record 1, TSC_INFO[0]",
            "           |",
            "0x00000020 | 14 00 00 00 00 00 00 00 00 00 00 00 00 9f 24 00",
            "0x00000030 | 15 cd 5b 07 00 00 00 00 01 00 00 00 00 80 00 00",
            "           |                                        ^^",
            "   = expected: 00000000",
            "   = actual: 00800000",
            "   = errno: EINVAL (22)",
            "",
            f"{path}: not valid domain-context (1 error)",
        ]

    def test_json(self, domctx: Domctx) -> None:
        odd = bytearray(IMAGE)
        odd[40] = 3
        path = domctx.file("x.img", bytes(odd))
        document = domctx("verify", "--json", path).json
        assert document["schema"] == "domctx.verify/1"
        image = document["images"][0]
        assert (image["path"], image["format"], image["valid"]) == (
            str(path), "domain-context", False,
        )  # fmt: skip
        finding = image["findings"][0]
        assert {key: finding[key] for key in list(finding)[:10]} == {
            "rule": "field-out-of-range",
            "severity": "error",
            "errno": "EINVAL",
            "offset": 40,
            "record": 1,
            "type": 3,
            "instance": 0,
            "message": "`mode` is not a known value",
            "expected": "0 DEFAULT, 1 ALWAYS_EMULATE, 2 NEVER_EMULATE",
            "actual": 3,
        }

    def test_the_target_decides_what_is_newer(self, domctx: Domctx) -> None:
        path = domctx.file("x.img")
        assert domctx("verify", "--target-xen", "4.17", path).status == 0
        run = domctx("verify", "--target-xen", "4.15", path)
        assert run.status == 1
        assert "saved by Xen 4.17, newer than 4.15" in run.out

    def test_a_newer_xen_than_any_known_is_a_note(self, domctx: Domctx) -> None:
        image = IMAGE[:16] + (99).to_bytes(4, "little") + IMAGE[20:]
        run = domctx("verify", domctx.file("x.img", image))
        assert run.status == 0
        assert "note[newer-version]" in run.out

    def test_a_plugin_that_is_needed_and_disabled_is_4(self, domctx: Domctx) -> None:
        path = domctx.file("x.img")
        run = domctx("-p", "no:domctx-plugin-tsc-info", "verify", path)
        assert run.status == 4
        assert "error[needs-plugin]" in run.out
        assert "by -p no:domctx-plugin-tsc-info" in run.out

    def test_every_cut_has_one_finding_and_an_offset(self, domctx: Domctx) -> None:
        for size in range(1, len(IMAGE)):
            run = domctx("verify", "--json", domctx.file("x.img", IMAGE[:size]))
            assert run.status == 1, size
            findings = run.json["images"][0]["findings"]
            assert len(findings) == 1, (size, findings)
            assert findings[0]["errno"] == "ENODATA"
            assert findings[0]["rule"].startswith(("truncated-", "end-missing"))
            assert 0 <= findings[0]["offset"] <= size

    def test_an_empty_file(self, domctx: Domctx) -> None:
        run = domctx("verify", domctx.file("x.img", b""))
        assert run.status == 1
        assert "error[" in run.out


def record(type: int, body: bytes = b"", length: int | None = None) -> bytes:
    head = struct.pack("<IIQ", type, 0, len(body) if length is None else length)
    return head + body + bytes(-len(body) % 8)


XEN_START = record(1, struct.pack("<II", 4, 17))


GOOD = XEN_START + record(0)


UNKNOWN = XEN_START + record(0x7FFF0001, bytes(100)) + record(0)


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
        pytest.param(
            XEN_START + record(2, b"", 2**63) + bytes(3000), "truncated-body", id="a fault"
        ),
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
        into.write(UNKNOWN[: len(XEN_START) + 120])
        into.write(UNKNOWN[len(XEN_START) + 120 :][:16])
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
        into.write(XEN_START)
        assert out.read(len(XEN_START)) == XEN_START
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
        process.stdin.write(XEN_START + struct.pack("<IIQ", 0x7FFF0001, 0, size))
        block = bytes(1 << 20)
        for _ in range(size >> 20):
            process.stdin.write(block)
        process.stdin.write(record(0))
        process.stdin.close()
        peak = int(process.stderr.read().split()[-1])
    assert peak < 40 * 1024
