"""The command line: what goes to which stream, exit statuses, messages, JSON."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from domctx_core.cli import main
from domctx_core.testing import CommandRunner, FakeDists, ImageBuilder

IMAGE = bytes.fromhex(
    "0100000000000000 0800000000000000 0400000011000000"
    "0300000000000000 1400000000000000 0000000000 9f2400 15cd5b0700000000 0100000000000000"
    "0000000000000000 0000000000000000".replace(" ", "")
)
"""START of Xen 4.17, a TSC_INFO and END: 80 bytes."""

PADDING = 24 + 16 + 20
"""Offset of the TSC_INFO's padding."""


class Run:
    """What one run of `domctx` in this process gave."""

    def __init__(self, status: int, captured: pytest.CaptureResult[str]) -> None:
        self.status = status
        self.out = captured.out
        self.err = captured.err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Domctx:
    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self.capsys = capsys
        self.folder = folder

    def __call__(self, *arguments: str | Path) -> Run:
        self.capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return Run(status, self.capsys.readouterr())

    def file(self, name: str, content: bytes | str = IMAGE) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


@pytest.fixture
def domctx(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Domctx:
    return Domctx(capsys, tmp_path)


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "domctx_core", *arguments]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, **options)


class TestUsage:
    def test_version_needs_nothing_but_the_interpreter(self) -> None:
        code = (
            "import sys; from domctx_core.cli import main; main(['--version']);"
            "print(sorted(m for m in sys.modules if m.split('.')[0] in"
            " ('click', 'rich', 'pluggy', 'importlib_metadata')))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        assert done.stdout.splitlines() == [b"domctx 0.1.0", b"[]"]

    def test_the_library_imports_neither_click_nor_rich(self) -> None:
        code = (
            "import sys, domctx_core; [getattr(domctx_core, n) for n in domctx_core.__all__];"
            "from domctx_core import Host; Host().checks();"
            "print(sorted(m for m in sys.modules if m.split('.')[0] in ('click', 'rich')))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        assert done.stdout == b"[]\n"

    def test_show_imports_neither_rich_nor_pluggy(self, tmp_path: Path) -> None:
        path = tmp_path / "x.img"
        path.write_bytes(IMAGE)
        code = (
            "import sys; from domctx_core.cli import main; main(['show', sys.argv[1]]);"
            "print(sorted(m for m in sys.modules if m.split('.')[0] in ('rich', 'pluggy')),"
            " file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True)
        assert done.stderr == b"[]\n"

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["verfy", "x"], "did you mean verify"),
            (["show"], "Missing argument 'IMAGE'"),
            (["show", "--jsn", "x"], "--json"),
            (["save", "simm:", "-o", "x"], "did you mean sim?"),
            (["save", "sim:vcpu=3", "-o", "x"], "did you mean vcpus"),
            (["save", "sim:", "-o", "x", "--xen", "four"], "MAJOR.MINOR"),
            (["-p", "no:domctx-plugin-tsc-inf", "types"], "domctx-plugin-tsc-info"),
            (["-p", "yes", "types"], "-p takes no:NAME"),
            (["-p", "no: ", "types"], "-p takes no:NAME"),
            (["explain", "padding-not-zer"], "padding-not-zero"),
            (["show", "--cap", "much", "x"], "4096, 64K"),
        ],
    )
    def test_what_does_not_exist_is_2_with_near_names(
        self, domctx: Domctx, arguments: list[str], said: str
    ) -> None:
        run = domctx(*arguments)
        assert run.status == 2
        assert said in run.err
        assert run.out == ""

    @pytest.mark.parametrize("verb", ["show", "verify", "save", "load", "size", "types", "plugins"])
    def test_help_of_every_verb(self, domctx: Domctx, verb: str) -> None:
        run = domctx(verb, "--help")
        assert run.status == 0
        assert run.out.startswith(f"Usage: domctx {verb}")

    def test_explain(self, domctx: Domctx) -> None:
        page = domctx("explain", "padding-not-zero").out
        assert "EINVAL (22)" in page
        assert "What to do:" in page
        listed = domctx("explain").out
        assert "truncated-header" in listed
        assert "event-channel/" in listed

    @pytest.mark.parametrize("errno", ["61", "-61", "ENODATA", "enodata", "-ENODATA"])
    def test_explain_lists_the_rules_of_an_errno(self, domctx: Domctx, errno: str) -> None:
        result = domctx("explain", errno)
        assert result.status == 0
        ids = [line.split()[0] for line in result.out.splitlines()]
        assert {"truncated-body", "body-too-short"} <= set(ids)
        assert "padding-not-zero" not in ids

    def test_an_errno_of_no_rule_is_said_to_come_from_elsewhere(self, domctx: Domctx) -> None:
        result = domctx("explain", "EBUSY")
        assert result.status == 2
        assert "no rule has errno 16 (EBUSY)" in result.err


class TestInputOutput:
    def test_a_file_that_is_not_there_is_3(self, domctx: Domctx) -> None:
        for arguments in (
            ["show", "/no/such"], ["verify", "/no/such"], ["load", "/no/such", "sim:"],
            ["save", "sim:/no/such", "-o", "x"], ["save", "sim:", "-o", "/no/such/x"],
        ):  # fmt: skip
            run = domctx(*arguments)
            assert run.status == 3, arguments
            assert "No such file" in run.err
            assert run.out == ""

    def test_a_folder_is_3(self, domctx: Domctx, tmp_path: Path) -> None:
        assert domctx("show", tmp_path).status == 3

    def test_the_gravest_of_several_inputs_wins(self, domctx: Domctx) -> None:
        good, bad = domctx.file("good"), domctx.file("bad", IMAGE[:70])
        assert domctx("verify", good).status == 0
        assert domctx("verify", good, bad).status == 1
        run = domctx("verify", bad, "/no/such", good)
        assert run.status == 3
        assert f"{good}: valid" in run.out

    def test_a_pipe_in_and_a_pipe_out(self) -> None:
        saved = process("save", "sim:vcpus=2,channels=9,seed=4", "-o", "-")
        assert saved.returncode == 0
        assert b"saved" in saved.stderr
        for verb in ("show", "verify"):
            done = process(verb, "-", input=saved.stdout)
            assert (done.returncode, done.stderr) == (0, b"")
        done = process("load", "-", "sim:vcpus=2", input=saved.stdout)
        assert done.returncode == 0
        assert done.stdout == b""

    def test_binary_to_a_terminal_is_refused(self) -> None:
        master, slave = pty.openpty()
        command = [sys.executable, "-m", "domctx_core", "save", "sim:", "-o", "-"]
        done = subprocess.run(command, stdout=slave, stderr=subprocess.PIPE, check=False)
        os.close(slave)
        os.close(master)
        assert done.returncode == 2
        assert b"standard output is a terminal" in done.stderr

    def test_colours_on_a_terminal_only(self, tmp_path: Path) -> None:
        path = tmp_path / "x.img"
        path.write_bytes(IMAGE)
        assert b"\x1b[" not in process("show", str(path)).stdout
        assert b"\x1b[" in process("--color", "always", "show", str(path)).stdout

        def on_terminal(**environment: str) -> bytes:
            master, slave = pty.openpty()
            command = [sys.executable, "-m", "domctx_core", "show", str(path)]
            clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
            subprocess.run(command, stdout=slave, env=clean | environment, check=True)
            os.close(slave)
            text = b""
            while True:
                try:
                    text += os.read(master, 65536)
                except OSError:  # the other side is closed and all is read
                    os.close(master)
                    return text

        assert b"\x1b[" in on_terminal(TERM="xterm")
        assert b"\x1b[" not in on_terminal(TERM="xterm", NO_COLOR="1")
        assert b"\x1b[" not in on_terminal(TERM="dumb")

    def test_a_reader_that_goes_away_gets_no_traceback(self, tmp_path: Path) -> None:
        path = tmp_path / "x.img"
        assert process("save", "sim:vcpus=2,channels=4000", "-o", str(path)).returncode == 0
        command = f"{sys.executable} -m domctx_core show {path} | head -1"
        done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
        assert done.stderr == b""

    def test_ctrl_c_while_it_starts_is_130_and_nothing_else(self) -> None:
        code = (
            "import sys\n"
            "class Key:\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            "        if name == 'click': raise KeyboardInterrupt\n"
            "sys.meta_path.insert(0, Key())\n"
            "from domctx_core.cli import main\n"
            "sys.exit(main(['types']))\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")

    def test_ctrl_c_is_130(self) -> None:
        command = [sys.executable, "-m", "domctx_core", "verify", "-"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as running:
            assert running.stdin is not None
            assert running.stderr is not None
            running.stdin.write(IMAGE[:30])
            running.stdin.flush()
            time.sleep(1.5)
            running.send_signal(signal.SIGINT)
            assert running.wait(20) == 130
            assert running.stderr.read().strip() == b""


class TestShow:
    def test_text(self, domctx: Domctx) -> None:
        run = domctx("show", domctx.file("x.img"))
        assert run.status == 0
        assert run.err == ""
        lines = run.out.splitlines()
        assert lines[0].endswith("x.img: domain context, version 1, little-endian")
        assert "0x00000018  #1 TSC_INFO[0]  20 bytes" in lines
        assert "    nsec         0.123456789 s" in lines
        assert "    khz          2400000 kHz" in lines

    def test_json_has_the_keys_that_others_build_on(self, domctx: Domctx) -> None:
        document = domctx("show", "--json", domctx.file("x.img")).json
        assert next(iter(document)) == "schema"
        assert document["schema"] == "domctx.image/1"
        assert document["format"] == "domain-context"
        assert document["format_version"] == 1
        assert document["byteorder"] == "little"
        assert document["size"] == 80
        assert document["findings"] == []
        assert "header" not in document
        assert "trailing" not in document
        record = document["records"][1]
        assert record == {
            "index": 1,
            "offset": 24,
            "type": 3,
            "name": "TSC_INFO",
            "instance": 0,
            "length": 20,
            "padding": 4,
            "body": {
                "mode": "DEFAULT",
                "khz": 2400000,
                "nsec": "123456789",
                "incarnation": 1,
                "padded": False,
            },
            "provider": {"dist": "domctx-plugin-tsc-info", "version": "0.1.0"},
        }

    def test_an_unknown_type_is_raw_and_cut_at_4_kib(self, domctx: Domctx) -> None:
        long = bytes.fromhex("40000000 00000000 8813000000000000") + bytes(range(250)) * 20
        path = domctx.file("x.img", IMAGE[:24] + long + IMAGE[-16:])
        run = domctx("show", "--json", path)
        record = run.json["records"][1]
        assert record["body"] is None
        assert record["provider"] is None
        assert record["raw_truncated"] is True
        assert bytes.fromhex(record["raw"]) == (bytes(range(250)) * 20)[:4096]
        assert run.status == 1
        text = domctx("show", path)
        assert "type 0x40 (unknown)[0]  5000 bytes" in text.out
        assert "... 4744 more bytes" in text.out

    def test_what_encoding_would_lose_is_kept_raw(self, domctx: Domctx) -> None:
        odd = bytearray(IMAGE)
        odd[PADDING] = 7
        document = domctx("show", "--json", domctx.file("x.img", bytes(odd))).json
        assert document["records"][1]["padding_raw"] == "07000000"
        assert "raw" not in document["records"][1]
        longer = (
            IMAGE[:32] + (32).to_bytes(8, "little") + IMAGE[40:60] + bytes(11) + b"x" + IMAGE[64:]
        )
        record = domctx("show", "--json", domctx.file("y.img", longer)).json["records"][1]
        assert record["body"]["khz"] == 2400000
        assert bytes.fromhex(record["raw"]).endswith(b"x")

    def test_trailing_bytes(self, domctx: Domctx) -> None:
        run = domctx("show", "--json", domctx.file("x.img", IMAGE + b"ready\n"))
        assert run.json["trailing"] == {"offset": 80, "length": 6, "raw": b"ready\n".hex()}
        assert [f["rule"] for f in run.json["findings"]] == ["trailing-bytes"]
        assert run.status == 0

    @pytest.mark.parametrize(
        ("options", "names"),
        [
            (["--type", "TSC_INFO"], ["TSC_INFO"]),
            (["--type", "tsc_info", "--type", "1"], ["START", "TSC_INFO"]),
            (["--type", "0x3"], ["TSC_INFO"]),
            (["--instance", "1"], []),
        ],
    )
    def test_filters(self, domctx: Domctx, options: list[str], names: list[str]) -> None:
        document = domctx("show", "--json", *options, domctx.file("x.img")).json
        assert [record["name"] for record in document["records"]] == names

    def test_jsonl(self, domctx: Domctx) -> None:
        run = domctx("show", "--jsonl", domctx.file("x.img"))
        lines = [json.loads(line) for line in run.out.splitlines()]
        assert lines[0]["format"] == "domain-context"
        assert [line["name"] for line in lines[1:]] == ["START", "TSC_INFO", "END"]
        assert lines[2]["container"] == ["domain-context"]

    def test_hex(self, domctx: Domctx) -> None:
        run = domctx("show", "--hex", domctx.file("x.img"))
        assert "0x00000028  00 00 00 00 00 9f 24 00  15 cd 5b 07 00 00 00 00" in run.out

    def test_a_cut_image_is_shown_as_far_as_it_goes(self, domctx: Domctx) -> None:
        run = domctx("show", domctx.file("x.img", IMAGE[:50]))
        assert run.status == 1
        assert "#1 TSC_INFO[0]" in run.out
        assert "error[truncated-body]" in run.out
        assert "Traceback" not in run.out + run.err

    def test_a_text_in_the_image_cannot_drive_the_terminal(self, domctx: Domctx) -> None:
        evil = b"\x1b[31m\x07" * 3
        header = bytes.fromhex("40000000 00000000") + len(evil).to_bytes(8, "little")
        path = domctx.file("x.img", IMAGE[:24] + header + evil + b"\0" * 6 + IMAGE[-16:])
        assert "\x1b" not in domctx("show", path).out


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


class TestEngine:
    def test_size_is_what_save_writes(self, domctx: Domctx, tmp_path: Path) -> None:
        for domain in ("sim:", "sim:vcpus=3,channels=77,seed=5", "sim:seed=1,kind=hvm"):
            size = int(domctx("size", domain).out)
            out = tmp_path / "out.img"
            assert domctx("save", domain, "-o", out).status == 0
            assert out.stat().st_size == size
            assert domctx("size", "--json", domain).json["size"] == size
            assert domctx("verify", out).status == 0

    def test_big_endian(self, domctx: Domctx, tmp_path: Path) -> None:
        out = tmp_path / "out.img"
        domctx("save", "--byteorder", "big", "sim:vcpus=2,channels=5", "-o", out)
        assert out.read_bytes()[:4] == b"\0\0\0\1"
        assert domctx("verify", out).status == 0
        assert domctx("load", out, "sim:vcpus=2").status == 0

    def test_load_makes_a_state_file_that_saves_again(self, domctx: Domctx, tmp_path: Path) -> None:
        state = tmp_path / "state.json"
        run = domctx("load", domctx.file("x.img"), f"sim:{state},vcpus=2")
        assert run.status == 0
        assert "1 record, 80 bytes, 1 change" in run.err
        kept = json.loads(state.read_bytes())
        assert kept["schema"] == "domctx.sim/1"
        assert (kept["pauses"], kept["unpauses"]) == (1, 1)
        out = tmp_path / "again.img"
        assert domctx("save", f"sim:{state}", "-o", out).status == 0
        expected = bytearray(IMAGE)
        expected[56] = 2  # the incarnation is one more
        assert out.read_bytes() == bytes(expected)

    def test_a_refused_image_leaves_the_state_file_as_it_was(
        self, domctx: Domctx, tmp_path: Path
    ) -> None:
        state = tmp_path / "state.json"
        assert domctx("load", domctx.file("x.img"), f"sim:{state}").status == 0
        before = state.read_bytes()
        run = domctx("load", domctx.file("bad.img", IMAGE[:64]), f"sim:{state}")
        assert run.status == 1
        assert "error[end-missing]" in run.err
        assert "ENODATA (61)" in run.err
        assert state.read_bytes() == before
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    def test_a_newer_image_is_refused_unless_allowed(self, domctx: Domctx, tmp_path: Path) -> None:
        target = f"sim:{tmp_path / 'old.json'},xen=4.15"
        run = domctx("load", domctx.file("x.img"), target)
        assert run.status == 1
        assert "EOPNOTSUPP (95)" in run.err
        assert domctx("load", "--allow-newer", domctx.file("x.img"), target).status == 0

    def test_a_save_that_fails_leaves_what_was_there(self, domctx: Domctx, tmp_path: Path) -> None:
        state = {
            "schema": "domctx.sim/1", "domid": 1, "xen_version": "4.17",
            "guest": {"kind": "pv", "vcpus": 1},
            "records": [{"type": 3, "instance": 0, "body": {"mode": "DEFAULT", "khz": "lots"}}],
        }  # fmt: skip
        source = domctx.file("state.json", json.dumps(state))
        out = domctx.file("out.img", b"precious")
        run = domctx("save", f"sim:{source}", "-o", out)
        assert run.status == 1
        assert "khz" in run.err
        assert "TSC_INFO[0]" in run.err
        assert out.read_bytes() == b"precious"

    def test_state_of_a_type_that_nobody_knows_is_4(self, domctx: Domctx, tmp_path: Path) -> None:
        state = {"schema": "domctx.sim/1", "records": [{"type": 999, "body": {}}]}
        source = domctx.file("state.json", json.dumps(state))
        run = domctx("save", f"sim:{source}", "-o", tmp_path / "out.img")
        assert run.status == 4
        assert "999" in run.err
        assert not (tmp_path / "out.img").exists()


class TestLists:
    def test_types_json(self, domctx: Domctx) -> None:
        document = domctx("types", "--json").json
        assert document["schema"] == "domctx.types/1"
        start = next(t for t in document["types"] if t["name"] == "START")
        assert start == {
            "format": "domain-context",
            "code": 1,
            "name": "START",
            "name_buffer": b"START".ljust(16, b"\0").hex(),
            "dist": "domctx-core",
            "version": "0.1.0",
            "loaded": False,
            "layout": None,
        }
        with_layout = domctx("types", "--json", "--layout").json["types"]
        start = next(t for t in with_layout if t["name"] == "START")
        assert [field["name"] for field in start["layout"]] == ["xen_major", "xen_minor"]
        assert all(t["layout"] is not None for t in with_layout)

    def test_types_and_plugins_as_tables(self, domctx: Domctx) -> None:
        types = domctx("types").out
        assert "domain-context  0x3   TSC_INFO" in types
        assert "cannot be used" not in types
        off = domctx("-p", "no:domctx-plugin-tsc-info", "types").out
        assert off.count("domctx-plugin-tsc-info 0.1.0, cannot be used") == 1
        assert "`domctx plugins list` says why" in off
        plugins = domctx("plugins", "list").out
        assert "domctx-plugin-tsc-info" in plugins
        layout = domctx("types", "--layout").out
        assert "frequency" in layout or "kHz" in layout

    def test_plugins_json(self, domctx: Domctx) -> None:
        document = domctx("-p", "no:domctx-plugin-tsc-info", "plugins", "list", "--json").json
        assert document["schema"] == "domctx.plugins/1"
        tsc = next(p for p in document["plugins"] if p["dist"] == "domctx-plugin-tsc-info")
        assert tsc["status"] == "disabled"
        assert tsc["reason"] == "by -p no:domctx-plugin-tsc-info"
        assert tsc["record_types"] == ["3.TSC_INFO"]
        assert tsc["hooks"] is None


def test_a_bug_of_ours_is_5_and_told_apart(domctx: Domctx, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("domctx_core.cli.verify.judge", broken)
    run = domctx("verify", domctx.file("x.img"))
    assert run.status == 5
    assert "bug in domctx" in run.err
    assert "Traceback" not in run.err
    assert "Traceback" in domctx("-v", "verify", domctx.file("x.img")).err


def test_standard_input_may_be_a_buffer(domctx: Domctx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(IMAGE)))
    assert domctx("verify", "-").status == 0


def test_no_plugin_comes_from_the_folder_of_the_data(tmp_path: Path) -> None:
    info = tmp_path / "evil-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[domctx.plugins]\nevil = evil_module\n")
    (tmp_path / "evil_module.py").write_text("open('was-here', 'w')\n")
    (tmp_path / "x.img").write_bytes(IMAGE)
    assert process("verify", "x.img", cwd=tmp_path).returncode == 0
    assert not (tmp_path / "was-here").exists()


class TestStreams:
    """What the shell does to standard streams."""

    @pytest.fixture
    def image(self, tmp_path: Path) -> Path:
        path = tmp_path / "x.img"
        path.write_bytes(IMAGE[:24] + b"\x40" + IMAGE[25:])  # a type that nobody knows
        return path

    @pytest.mark.parametrize("options", [[], ["--json"], ["--jsonl"], ["--hex"]])
    def test_a_pipe_shows_what_the_file_shows(self, image: Path, options: list[str]) -> None:
        from_file = process("show", *options, str(image))
        from_pipe = process("show", *options, "-", input=image.read_bytes())
        assert from_file.returncode == from_pipe.returncode == 1
        assert from_pipe.stderr == b""

        def body(text: bytes) -> bytes:
            """Without what names the file, and the bytes that only a file can be asked for again."""
            lines = text.replace(str(image).encode(), b"-").splitlines()
            lines = [line for line in lines if b" | " not in line and not line.endswith(b" |")]
            return b"\n".join(lines).replace(b"standard input", b"-").replace(b"--> -: ", b"--> ")

        assert body(from_pipe.stdout) == body(from_file.stdout)

    def test_closed_standard_streams_are_no_bug(self, tmp_path: Path) -> None:
        domctx = f"{sys.executable} -m domctx_core"
        for command, status in (
            (f"{domctx} size sim:vcpus=2 <&-", 0),
            (f"{domctx} show - <&-", 3),
            (f"{domctx} types >&-", 3),
            (f"{domctx} types >/dev/full", 3),
            (f"{domctx} --version >/dev/full", 3),
            (f"{domctx} show nosuch 2>/dev/full", 3),
        ):
            done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
            assert done.returncode == status, (command, done)
            assert b"Traceback" not in done.stderr
            assert b"bug" not in done.stderr

    def test_a_reader_that_goes_away_is_told_as_a_shell_would(self, tmp_path: Path) -> None:
        path = tmp_path / "x.img"
        assert process("save", "sim:vcpus=2,channels=4000", "-o", str(path)).returncode == 0
        command = f"{sys.executable} -m domctx_core show {path} | head -1; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (141, b"")

    def test_a_bad_image_in_a_named_pipe_does_not_hang(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        command = f"(printf abcdefgh > {tmp_path}/pipe &); {sys.executable} -m domctx_core verify {tmp_path}/pipe"
        done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=30, check=False)
        assert done.returncode == 1
        assert b"truncated-header" in done.stdout

    def test_a_name_that_is_no_utf_8(self, tmp_path: Path) -> None:
        path = os.fsencode(tmp_path) + b"/bad\xff.img"
        Path(os.fsdecode(path)).write_bytes(IMAGE)
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
        command = [sys.executable, "-m", "domctx_core", "show", os.fsdecode(path)]
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
        assert done.returncode == 0
        assert b"bad\\udcff.img" in done.stdout


@pytest.mark.parametrize("name", ["sim", "domctx-core"])
def test_what_is_built_in_cannot_be_turned_off(domctx: Domctx, name: str) -> None:
    run = domctx("-p", f"no:{name}", "explain", "limit")
    assert run.status == 2
    assert "built in" in run.err


def test_the_size_is_the_inputs_even_after_a_fault(domctx: Domctx) -> None:
    image = IMAGE[:32] + b"\xff" * 8 + IMAGE[40:]
    assert domctx("show", "--json", domctx.file("x.img", image)).json["size"] == len(image)


EXITS = """
from domctx_core import Body, RecordType, SINGLE, u32
class MyBody(Body):
    value: int = u32()
    def summary(self): raise ValueError("on purpose")
class MyRecord(RecordType[MyBody]):
    code, name, body, instances = 0x300, "EXITS", MyBody, SINGLE
    def load(self, domain, context): raise SystemExit(0)
"""


def test_a_plugin_cannot_end_the_run(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, tmp_path: Path
) -> None:
    domctx_dists.add(
        "exits", entry_points={"domctx.record_types": {"0x300.EXITS": "exits_mod:MyRecord"}},
        modules={"exits_mod": EXITS},
    )  # fmt: skip
    path = tmp_path / "x.img"
    path.write_bytes(ImageBuilder().start().record(0x300, 0, bytes(4)).end().build())
    run = domctx_cli("load", path, "sim:")
    assert run.status == 4
    assert "the load handler of EXITS raised SystemExit" in run.err
    shown = domctx_cli("show", path)
    assert shown.status == 4
    assert "END[0]" in shown.out
    assert "the summary of MyBody raised ValueError" in shown.err
