"""decode, encode, schema, diff, edit, report and show at their edges: what all of them keep to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import end, image, rec, start, tsc

from domctx_core import encode_image, parse_document
from domctx_core.base.errors import DocumentError
from domctx_core.host.host import Host
from domctx_core.layout.kinds.base import parse_integer
from domctx_core.testing import CommandRunner, FakeDists

PV1 = Path(__file__).parent.parent / "examples/xen-4.17/pv1/pv1.save.no-pages"
IMAGE = image(rec(3, 0, tsc()))
NO_TSC = ("-p", "no:domctx-plugin-tsc-info")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, domctx_cli: CommandRunner) -> Path:
    """Where `a.img`, `b.img` and the document of the former, `a.json`, are; and we."""
    monkeypatch.chdir(tmp_path)
    Path("a.img").write_bytes(IMAGE)
    Path("b.img").write_bytes(image(rec(3, 0, tsc(khz=1))))
    assert domctx_cli("decode", "a.img", "-o", "a.json").status == 0
    os.symlink("a.img", "link.img")
    return tmp_path


# ----------------------------------------------------------------------------------------- outputs


@pytest.mark.parametrize(
    ("arguments", "lost"),
    [
        (["decode", "a.img", "-o", "a.img"], "a.img"),
        (["decode", "a.img", "--jsonl", "-o", "link.img"], "a.img"),
        (["encode", "a.json", "-o", "a.json"], "a.json"),
        (["encode", "a.json", "--source", "a.img", "-o", "./a.img"], "a.img"),
        (["edit", "a.img", "--drop", "3", "-o", "link.img"], "a.img"),
        (["report", "a.img", "-o", "a.img"], "a.img"),
        (["report", "a.img", "--against", "b.img", "-o", "b.img"], "b.img"),
        (["verify", "b.img", "a.img", "--report", "a.img"], "a.img"),
    ],
)
def test_no_output_takes_the_place_of_an_input(
    domctx_cli: CommandRunner, folder: Path, arguments: list[str], lost: str
) -> None:
    before = (folder / lost).read_bytes()
    run = domctx_cli(*arguments)
    assert run.status == 2
    assert f"the output would take the place of {lost}" in run.err
    assert "= help: " in run.err
    assert (folder / lost).read_bytes() == before


@pytest.mark.parametrize("arguments", [["encode", "a.json"], ["report", "a.img"]])
def test_a_standard_output_that_is_full_is_no_bug_of_ours(
    folder: Path, arguments: list[str]
) -> None:
    command = [sys.executable, "-m", "domctx_core", *arguments, "-o", "-"]
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 3
    assert "cannot write the output: No space left on device" in ran.stderr
    assert "bug" not in ran.stderr


# ------------------------------------------------------------------------------------ record types


@pytest.mark.parametrize("verb", ["show", "diff", "report"])
@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("domain-context/TSC_INFO", 0, ""),
        ("domain-context/0x3", 0, ""),
        ("libxc/99", 0, ""),
        ("libxc/TSC_INFO", 2, "no record type of libxc is called 'TSC_INFO'"),
        ("libcx/TSC_INFO", 2, "no format is called 'libcx'"),
        ("SHARED", 2, "did you mean SHARED_INFO"),
    ],
)
def test_types_are_named_alike_everywhere(
    domctx_cli: CommandRunner, folder: Path, verb: str, name: str, status: int, message: str
) -> None:
    more = {"show": [], "diff": ["a.img"], "report": ["-o", "page.html"]}[verb]
    run = domctx_cli(verb, "a.img", "--type", name, *more)
    assert run.status == status
    assert message in run.err


def test_a_format_tells_types_of_one_name_apart(domctx_cli: CommandRunner) -> None:
    def found(name: str) -> list[tuple[str, int]]:
        lines = domctx_cli("show", "--jsonl", "--type", name, PV1).jsonl
        return [(line["container"][-1], line["offset"]) for line in lines if "type" in line]

    both = found("END")
    assert found("libxc/END") == [each for each in both if each[0] == "libxc"] != []
    assert found("libxl/0") == [each for each in both if each[0] == "libxl"] != []


def test_the_name_of_a_type_may_be_in_small_letters(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, tmp_path: Path
) -> None:
    domctx_dists.add(
        "small", entry_points={"domctx.record_types": {"0x300.foo_bar": "small_mod:Foo"}},
        modules={"small_mod": FOO.format(own="")},
    )  # fmt: skip
    (tmp_path / "x.img").write_bytes(FOO_IMAGE)
    run = domctx_cli("show", "--type", "Foo_Bar", tmp_path / "x.img")
    assert (run.status, "foo_bar[0]" in run.out) == (0, True)


# ----------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("010", 10), ("-1", -1), ("0xfF", 255), ("0X10", 16), ("-0x10", -16)],
)
def test_integers_in_text(text: str, number: int) -> None:
    assert parse_integer(text) == number


@pytest.mark.parametrize(
    "text", ["", "-", "1_000", "0b1", "0o7", " 5", "5\n", "+5", "0x", "٣", "1e3"]
)
def test_what_the_schema_does_not_allow_is_no_integer(folder: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_integer(text)
    for key in ("khz", "nsec"):  # the one is a number in JSON, the other text
        document = json.loads(Path("a.json").read_bytes())
        document["records"][1]["body"][key] = text
        with pytest.raises(DocumentError, match=rf"records\[1\]\.body\.{key}: expected a number"):
            encode_image(document, Host().formats)
    document = json.loads(Path("a.json").read_bytes())
    document["records"][1]["instance"] = text
    with pytest.raises(DocumentError, match=r"records\[1\]\.instance: not an unsigned number"):
        encode_image(document, Host().formats)


# ------------------------------------------------------------------------------------ bad documents


def test_a_key_that_stands_twice_among_very_many_is_found_at_once() -> None:
    keys = [f'"k{number}": 1' for number in range(60_000)]
    text = "{" + ", ".join([*keys, '"k59999": 2']) + "}"
    began = time.process_time()
    with pytest.raises(DocumentError, match="k59999: the key stands twice"):
        parse_document(text)
    assert time.process_time() - began < 3  # a minute, where each key is looked for in all


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a.img"], ["byte ", "no UTF-8", "`domctx decode` makes a document of an image"]),
        (["a.json", "--jsonl"], ["line 1", "encoded without --jsonl"]),
        (["a.jsonl"], ["line 2, column 1", "encoded with --jsonl"]),
    ],
)
def test_a_document_of_another_kind_is_told(
    domctx_cli: CommandRunner, folder: Path, arguments: list[str], told: list[str]
) -> None:
    Path("a.img").write_bytes(image(rec(3, 0, b"\xff" * 20)))
    domctx_cli("decode", "b.img", "--jsonl", "-o", "a.jsonl")
    run = domctx_cli("encode", *arguments, "-o", "new.img")
    assert run.status == 1
    for each in told:
        assert each in run.err
    assert not Path("new.img").exists()


# ----------------------------------------------------------------------------------------- plugins

FOO = """
    from domctx_core import Body, RecordType, u32

    class FooBody(Body):
        one: int = u32()
        two: int = u32()
    {own}

    class Foo(RecordType[FooBody]):
        code, name, body = 0x300, "foo_bar", FooBody
"""
FOO_IMAGE = start() + rec(0x300, 0, bytes(8)) + end()


def add_foo(domctx_dists: FakeDists, own: str) -> None:
    """Let there be a record type whose body has a method of its own."""
    body = "\n".join(f"        {line}" for line in own.splitlines())
    domctx_dists.add(
        "foo", entry_points={"domctx.record_types": {"0x300.foo_bar": "foo_mod:Foo"}},
        modules={"foo_mod": FOO.format(own=f"\n{body}")},
    )  # fmt: skip


@pytest.mark.parametrize("given", ["{'x': object()}", "{1: {2}}", "{(1, 2): 3}"])
def test_what_a_plugin_gives_that_is_no_json_is_kept_raw(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, tmp_path: Path, given: str
) -> None:
    add_foo(domctx_dists, f"def to_json(self):\n    return {given}")
    path = tmp_path / "x.img"
    path.write_bytes(FOO_IMAGE)
    for verb in (["show", "--json"], ["decode"]):
        run = domctx_cli(*verb, path)
        record = run.json["records"][1]
        assert (run.status, record["body"], record["raw"]) == (0, None, "00" * 8)
    assert domctx_cli("show", "--jsonl", path).jsonl[2]["raw"] == "00" * 8


@pytest.mark.parametrize("error", ["RecursionError('deep')", "SystemExit(7)"])
def test_a_plugin_that_raises_where_a_field_is_set_is_the_plugins_fault(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, tmp_path: Path, error: str
) -> None:
    add_foo(domctx_dists, f"def to_bytes(self, *a, **k):\n    raise {error}")
    path = tmp_path / "x.img"
    path.write_bytes(FOO_IMAGE)
    run = domctx_cli("edit", path, "-n", "--set", "foo_bar.one=2")
    assert run.status == 4
    assert f"setting `one` of FooBody raised {error.split('(')[0]}" in run.err
    assert "provider: foo 1.0" in run.err


def test_a_report_says_once_that_a_plugin_cannot_be_used(
    domctx_cli: CommandRunner, folder: Path
) -> None:
    run = domctx_cli(*NO_TSC, "report", "a.img", "-o", "page.html")
    assert (run.status, run.err) == (4, "")
    assert "domctx-plugin-tsc-info" in Path("page.html").read_text()


def test_a_diff_in_json_says_that_only_bytes_were_compared(
    domctx_cli: CommandRunner, folder: Path
) -> None:
    for switches, status, needs in ((NO_TSC, 4, True), ((), 1, False)):
        run = domctx_cli(*switches, "diff", "a.img", "b.img", "--json")
        assert (run.status, run.json["needs_plugin"]) == (status, needs)


# -------------------------------------------------------------------------------------------- limits


def test_a_body_over_the_cap_is_refused_alike(domctx_cli: CommandRunner, folder: Path) -> None:
    verbs = (
        ["edit", "a.img", "-n", "--set", "TSC_INFO.khz=1"],
        ["decode", "a.img", "--pages", "inline"],
        ["verify", "a.img"],
    )
    for arguments in verbs:
        run = domctx_cli(*arguments, "--cap", "10")
        assert run.status == 1
        assert "error[length-over-cap]" in run.err + run.out
        assert "E2BIG" in run.err + run.out


def test_records_cannot_be_inserted_from_what_an_image_holds(
    domctx_cli: CommandRunner, folder: Path
) -> None:
    run = domctx_cli("edit", "a.img", "-n", "--insert", PV1)
    assert run.status == 1
    assert "actual: xl" in run.err
    assert "from what FILE itself is, and not from what it holds" in run.err
    assert "verify" not in run.err  # which finds nothing wrong with it
