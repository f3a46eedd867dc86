"""Everyday mishaps: a full disk, closed streams, an output that is an input, an image of many records."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import image, port, rec, tsc

from domctx_core import BufferSource, decode_image
from domctx_core.cli import main
from domctx_core.host.host import Host
from domctx_core.testing import CommandRunner

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")

CAPTURES = Path(__file__).parent.parent / "examples" / "xen-4.17"
PV = (CAPTURES / "pv1" / "pv1.save.no-pages").read_bytes()

IMAGE = image(rec(3, 0, tsc()))


def domctx(*arguments: str, **streams: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "domctx_core", *arguments], check=False, **streams)


def shell(line: str, *arguments: str, **streams: Any) -> subprocess.CompletedProcess[bytes]:
    """Run a line of sh in which `"$@"` is domctx with these arguments."""
    command = [sys.executable, "-m", "domctx_core", *arguments]
    return subprocess.run(
        ["sh", "-c", line, "sh", *command], check=False, stderr=subprocess.PIPE, **streams
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "guest.img"
    path.write_bytes(IMAGE)
    return path


@needs_full
@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "IMAGE"],
        ["show", "--json", "IMAGE"],
        ["verify", "IMAGE"],
        ["verify", "--json", "IMAGE"],
        ["explain", "limit"],
        ["--help"],
        ["verify", "--help"],
        ["save", "sim:seed=1", "-o", "-"],
        ["save", "sim:seed=1", "-o", "/dev/full"],
    ],
    ids=" ".join,
)
def test_a_full_disk_is_a_failed_output_and_no_bug(arguments: list[str], saved: Path) -> None:
    given = [str(saved) if each == "IMAGE" else each for each in arguments]
    with FULL.open("wb") as full:
        run = domctx(*given, stdout=full, stderr=subprocess.PIPE)
    assert run.returncode == 3
    assert b"No space left on device" in run.stderr
    assert b"Errno" not in run.stderr
    assert b"EIO" not in run.stderr


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_verify_tells_of_a_closed_standard_output(options: list[str], saved: Path) -> None:
    run = shell('"$@" >&-', "verify", *options, str(saved))
    assert run.returncode == 3
    assert b"standard output is closed" in run.stderr


def test_a_report_needs_no_standard_output(saved: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    run = shell('"$@" >&-', "verify", "--report", str(told), str(saved))
    assert (run.returncode, run.stderr) == (0, b"")
    assert told.read_text().endswith(": valid domain-context\n")


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_what_tee_finds_never_gets_into_the_stream(options: list[str]) -> None:
    """Not even where standard error is closed, and findings have nowhere to go."""
    broken = IMAGE[:-4]
    line = '"$@" 2>&-'
    run = shell(line, "verify", "--tee", *options, "-", input=broken, stdout=subprocess.PIPE)
    assert run.stdout == broken
    assert run.returncode == 1


# ------------------------------------------------------------- an output that is an input


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> bool:
    status = main(list(arguments))
    return status == 2 and "would take the place of" in capsys.readouterr().err


def test_a_save_does_not_take_the_place_of_its_domain(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stream = tmp_path / "guest.save"
    stream.write_bytes(PV)
    assert refused(capsys, "save", f"stream:{stream}", "-o", str(stream))
    assert stream.read_bytes() == PV

    state = tmp_path / "state.json"
    image_ = tmp_path / "guest.img"
    image_.write_bytes(IMAGE)
    assert main(["load", str(image_), f"sim:{state}"]) == 0
    before = state.read_bytes()
    assert refused(capsys, "save", f"sim:{state},domid=1", "-o", str(state))
    assert state.read_bytes() == before


def test_a_load_does_not_take_the_place_of_its_image(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stream, inner = tmp_path / "guest.save", tmp_path / "guest.img"
    stream.write_bytes(PV)
    inner.write_bytes(IMAGE)
    assert refused(capsys, "load", str(inner), f"stream:{stream},out={inner}")
    assert refused(capsys, "load", str(inner), f"sim:{inner},domid=3")
    assert inner.read_bytes() == IMAGE


def test_a_conversion_does_not_take_the_place_of_its_inputs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stream, inner = tmp_path / "guest.save", tmp_path / "guest.img"
    stream.write_bytes(PV)
    inner.write_bytes(IMAGE)
    link = tmp_path / "link"
    link.symlink_to(stream)
    assert refused(capsys, "convert", "--to", "4", str(stream), "-o", str(link))
    given = ["convert", "--insert", str(inner), str(stream), "-o"]
    assert refused(capsys, *given, str(inner))
    assert refused(capsys, *given, str(stream))
    assert (stream.read_bytes(), inner.read_bytes()) == (PV, IMAGE)


# ---------------------------------------------------------------------- the document of show


def flat(container: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    """The records of a document and of what is in it, each as a line has it."""
    path = *path, container["format"]
    for record in container["records"]:
        content = record.pop("content", None)
        yield {"container": list(path), **record}
        if content is not None:
            yield from flat(content, path)
    if "content" in container:
        yield from flat(container["content"], path)


@pytest.mark.parametrize(
    "make",
    [
        lambda: PV,
        lambda: PV[:9000],
        lambda: PV[:970],
        lambda: PV[:990],
        lambda: PV[:40],
        lambda: PV + b"more",
        lambda: IMAGE + bytes(5000),
        lambda: IMAGE[:30],
        lambda: b"",
        lambda: b"no image at all",
    ],
    ids=["pv", "cut", "cut-inner-header", "cut-inner-domain-header", "cut-header", "trailing", "long-trailing", "short",
         "empty", "none"],
)  # fmt: skip
def test_what_show_writes_as_it_comes_is_the_document(
    make: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, data = tmp_path / "input", make()
    path.write_bytes(data)
    main(["show", "--json", str(path)])
    document = json.loads(capsys.readouterr().out)
    main(["show", "--jsonl", str(path)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert document["path"] == str(path)
    assert document["size"] == len(data)
    assert document["findings"] == [line["finding"] for line in lines if "finding" in line]
    exact = decode_image(BufferSource(data), Host().formats)
    trailing = exact.get("trailing")
    if trailing is not None:
        trailing["raw"] = trailing["raw"][: 2 * 4096]
    assert document.get("trailing") == trailing
    assert list(flat(document)) == [line for line in lines if "type" in line]


def test_show_holds_no_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty thousand records more take no memory worth speaking of."""
    most = []
    for count in (2_000, 30_000):
        path = tmp_path / "guest.img"
        path.write_bytes(image(*(port(n) for n in range(1, count))))
        with monkeypatch.context() as patched, open("/dev/null", "w") as nowhere:
            patched.setattr(sys, "stdout", nowhere)
            tracemalloc.start()
            try:
                main(["show", "--json", str(path)])
                most.append(tracemalloc.get_traced_memory()[1])
            finally:
                tracemalloc.stop()
    assert most[1] < most[0] + 4_000_000


def test_colour_is_decided_once_for_a_stream() -> None:
    from domctx_core.cli.app import App

    class Asked(io.StringIO):
        times = 0

        def isatty(self) -> bool:
            self.times += 1
            return False

    app, stream = App(), Asked()
    assert not any(app.colored(stream) for _ in range(100))
    assert stream.times == 1


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (image(rec(1, 0, bytes(8))), "START[0]"),
        (image()[:-16] + rec(0, 0, b"", length=2**64 - 1), "END[0]"),
        (image(rec(3, 0, tsc(), length=2**63)), "TSC_INFO[0]"),
        (rec(0, 0, b""), "END[0]"),
    ],
    ids=["start-again", "end-length", "length", "end-first"],
)
def test_load_names_a_record_as_verify_does(
    data: bytes, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "guest.img"
    path.write_bytes(data)
    for arguments in (["verify", str(path)], ["load", str(path), "sim:"]):
        assert main(arguments) == 1
        captured = capsys.readouterr()
        where = next(x for x in (captured.out + captured.err).split("\n") if "  -->" in x)
        assert where.endswith(name)


# ------------------------------------------------------------------------------------- names of files


@pytest.mark.parametrize(
    ("verb", "named"),
    [("verify", True), ("show", True), ("load", True), ("edit", False), ("decode", False)],
)
def test_a_name_of_a_file_cannot_make_a_line_of_its_own(
    domctx_cli: CommandRunner, tmp_path: Path, verb: str, named: bool
) -> None:
    evil = tmp_path / "a\nb.img: valid\x1b[2J"
    evil.write_bytes(b"x")
    more = {"load": ["sim:"], "edit": ["-n", "--drop", "START"]}
    run = domctx_cli("--color", "always", verb, str(evil), *more.get(verb, []))
    text = run.out + run.err
    assert "\x1b[2J" not in text
    assert not any(line.startswith("b.img: valid") for line in text.splitlines())
    assert (r"a\nb.img: valid\x1b[2J" in text) == named


def test_a_number_is_no_file(domctx_cli: CommandRunner, tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path):
        for _ in range(2):
            assert domctx_cli("save", "sim:seed=7", "-o", "7").status == 0


def test_a_file_of_another_format_is_named_where_it_is_to_be_loaded(
    domctx_cli: CommandRunner, tmp_path: Path
) -> None:
    for path, said in (
        (CAPTURES / "pv1" / "pv1.save.no-pages", "the format of the file is xl save file"),
        (tmp_path / "x", None),
    ):
        if said is None:
            path.write_bytes(b"neither this nor that" * 9)
        done = domctx_cli("load", path, "sim:")
        assert done.status == 1
        assert "first-not-start" in done.err
        assert ("help:" in done.err) == (said is not None)
        assert said is None or said in done.err
