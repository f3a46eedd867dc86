"""Runs of the command line: streams, terminals, signals, and plugins that cannot be used."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_runs import IMAGE, Domctx, process

from domctx_core.testing import CommandRunner, FakeDists, ImageBuilder


class TestUsage:
    def test_the_library_imports_neither_click_nor_rich(self) -> None:
        code = (
            "import sys, domctx_core; [getattr(domctx_core, n) for n in domctx_core.__all__];"
            "from domctx_core import Host; Host().checks();"
            "print(sorted(m for m in sys.modules if m.split('.')[0] in ('click', 'rich')))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        assert done.stdout == b"[]\n"


class TestInputOutput:
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
