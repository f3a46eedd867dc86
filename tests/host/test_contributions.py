"""Plugins that misbehave where their code is asked something: each time its fault, and told as that."""

from __future__ import annotations

from pathlib import Path

import pytest

from domctx_core.testing import CommandRunner, FakeDists, ImageBuilder

HEAD = """
import sys
import click
from domctx_core import *
from domctx_core.model.declarations import *
class Mute(Exception):
    def __str__(self): raise RuntimeError("no words")
"""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "a.img"
    path.write_bytes(ImageBuilder().start().end().build())
    return path


def module(dists: FakeDists, source: str) -> None:
    dists.add("odd", "1.5", {"domctx.plugins": {"odd": "odd_hooks"}}, {"odd_hooks": HEAD + source})


def check(dists: FakeDists, source: str, codes: str = "frozenset({1})") -> None:
    module(
        dists,
        f"class Odd(Check):\n    codes = {codes}\n    {source}\n"
        "@hookimpl\ndef domctx_checks(): return [CheckDeclaration(Odd)]\n",
    )


CHECKS = {
    "cannot be made": ("def __init__(self): raise ValueError('no')", "ValueError: no"),
    "exits when made": ("def __init__(self): sys.exit(7)", "SystemExit: 7"),
    "begins with nonsense": ("def begin(self, container): return [5]", "it gave 5, which is no"),
    "exits in begin": ("def begin(self, container): sys.exit(0)", "SystemExit: 0"),
    "answers nonsense": ("def record(self, seen): yield 'bad'", "it gave 'bad', which is no"),
    "answers no list": ("def record(self, seen): return 5", "TypeError"),
    "raises what cannot be said": ("def record(self, seen): raise Mute", "raised Mute"),
    "ends with nonsense": ("def end(self): return [(7, 8)]", "it gave (7, 8), which is no"),
    "ends with problems alone": ("def end(self): return [Problem('limit', 'x')]", "which is no"),
}


@pytest.mark.parametrize(("source", "said"), CHECKS.values(), ids=CHECKS)
def test_a_check_is_its_plugins_fault(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, image: Path, source: str, said: str
) -> None:
    check(domctx_dists, source)
    verified = domctx_cli("verify", "--json", image)
    assert verified.status == 4
    findings = [f for f in verified.json["images"][0]["findings"] if f["rule"] == "needs-plugin"]
    assert all("the check odd_hooks.Odd raised " in f["message"] for f in findings)
    assert said in findings[0]["message"]
    loaded = domctx_cli("load", image, "sim:")
    assert loaded.status == 4
    assert said in loaded.err
    assert "bug" not in loaded.err + verified.err
    page = image.with_suffix(".html")
    assert domctx_cli("report", image, "-o", page).status == 4
    assert page.exists()


@pytest.mark.parametrize(
    ("codes", "source", "said"),
    [
        ("5", "", "`codes` of the check odd_hooks.Odd is no set of type codes"),
        ("('X',)", "", "is no set of type codes"),
        ("frozenset()", "rules = 'abc'", "the rules of the check odd_hooks.Odd are no rules"),
        ("frozenset()", "format = 7", "the format of the check odd_hooks.Odd is no name"),
    ],
)
def test_what_a_check_says_of_itself_is_looked_at(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, image: Path,
    codes: str, source: str, said: str,
) -> None:  # fmt: skip
    check(domctx_dists, source or "pass", codes)
    verified = domctx_cli("verify", image)
    assert verified.status == 0
    assert verified.err.startswith("warning: plugin odd 1.5: is failed: domctx_checks failed with ")
    assert said in verified.err


def test_a_reason_is_one_line_whatever_was_raised(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, image: Path
) -> None:
    module(domctx_dists, "raise ImportError('a\\nb\\x1b[31mRED\\r' + 'z' * 3000)")
    (line,) = domctx_cli("verify", image).err.splitlines()
    assert "ImportError: a b\\x1b[31mRED zzz" in line
    assert len(line) < 700


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('boom')", "ValueError: boom"),
        ("sys.exit(7)", "SystemExit: 7"),
        ("raise BaseException('all')", "BaseException: all"),
        ("raise Mute", "Mute"),
    ],
)
@pytest.mark.parametrize("at_run_time", [False, True])
def test_a_verb_that_raises(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, at_run_time: bool, body: str, said: str
) -> None:
    source = f"@click.command()\ndef odd():\n    {body}\n"
    if at_run_time:
        declared = "@hookimpl\ndef domctx_commands(): return [CommandDeclaration('odd', odd)]\n"
        module(domctx_dists, source + declared)
    else:
        points = {"domctx.commands": {"odd": "odd_verb:odd"}}
        domctx_dists.add("odd", "1.5", points, {"odd_verb": HEAD + source})
    done = domctx_cli("odd")
    assert done.status == 4
    assert done.err.startswith(f"error: the verb odd raised {said}\n")
    assert "provider: odd 1.5" in done.err


@pytest.mark.parametrize("gives", ["None", "5"])
def test_a_scheme_that_opens_no_domain(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, tmp_path: Path, gives: str
) -> None:
    declared = f"[DomainDeclaration('odd', lambda request: {gives})]"
    module(domctx_dists, f"@hookimpl\ndef domctx_domains(): return {declared}\n")
    done = domctx_cli("save", "odd:1", "-o", tmp_path / "x")
    assert done.status == 4
    assert f"it gave {gives}, and a Domain is expected" in done.err
    assert "provider: odd 1.5" in done.err


@pytest.mark.parametrize(
    ("hook", "declared"),
    [
        ("domains", "DomainDeclaration({}, print)"),
        ("commands", "CommandDeclaration({}, click.Command('x'))"),
        ("formats", "FormatDeclaration(type('F', (Format,), dict(name={})))"),
    ],
)
@pytest.mark.parametrize("name", ["5", "''", "'two words'", "'a:b'"])
def test_a_name_is_one(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, image: Path,
    hook: str, declared: str, name: str,
) -> None:  # fmt: skip
    module(domctx_dists, f"@hookimpl\ndef domctx_{hook}(): return [{declared.format(name)}]\n")
    done = domctx_cli("verify", image)
    assert done.status == 0
    assert f"domctx_{hook} failed with DeclarationError: that is no name for a" in done.err


def test_an_observer_that_is_none(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, image: Path
) -> None:
    module(domctx_dists, "@hookimpl\ndef domctx_observers(): return [ObserverDeclaration(dict)]\n")
    done = domctx_cli("verify", image)
    assert done.status == 0
    assert "odd 1.5: is failed: its observer raised TypeError: it made {}" in done.err
    checked = domctx_cli("plugins", "check", "odd")
    assert checked.status == 1
    assert "its observer raised" in checked.out


def test_an_observer_that_raises_is_named_with_its_plugin(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, image: Path
) -> None:
    source = "class Odd(Observer):\n    def records(self, batch): raise ValueError('deaf')\n"
    module(
        domctx_dists,
        source + "@hookimpl\ndef domctx_observers(): return [ObserverDeclaration(Odd)]\n",
    )
    said = "warning: plugin odd 1.5: its observer odd_hooks.Odd raised ValueError: deaf\n"
    assert said in domctx_cli("verify", image).err


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def __init__(self): raise ValueError('no')", "raised ValueError: no"),
        ("format = 'nosuch'", "the check Odd is for the format nosuch"),
    ],
)
def test_plugins_check_looks_at_checks(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, source: str, said: str
) -> None:
    check(domctx_dists, source)
    done = domctx_cli("plugins", "check", "odd")
    assert done.status == 1
    assert said in done.out


@pytest.mark.parametrize("where", ["simulate(self, guest, rng)", "judge(self, *_)"])
def test_plugins_check_survives_a_record_type_that_exits(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, where: str
) -> None:
    source = (
        "class Odd(Body):\n    value: int = u32()\n"
        "class MyRecord(RecordType):\n    code, name, body = 300, 'ODD', Odd\n"
        f"    def {where}: sys.exit(0)\n"
    )
    points = {"domctx.record_types": {"300.ODD": "odd_mod:MyRecord"}}
    domctx_dists.add("odd", "1.5", points, {"odd_mod": HEAD + source})
    done = domctx_cli("plugins", "check", "odd")
    assert done.status == 1
    assert "SystemExit: 0" in done.out


@pytest.mark.parametrize("raw", [b"\xff\xfe{", b"{", b"[]", b'{"url": 5, "dir_info": 7}'])
def test_metadata_of_the_installation_that_is_none(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, raw: bytes
) -> None:
    folder = domctx_dists.add("odd", "1.5", {"domctx.commands": {"odd": "odd_verb:odd"}})
    (folder / "direct_url.json").write_bytes(raw)
    for verb in (["list", "--json"], ["freeze"], ["info", "odd"]):
        assert domctx_cli("plugins", *verb).status == 0


def test_a_conflict_says_how_to_end_it_wherever_it_is_met(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, tmp_path: Path
) -> None:
    for dist in ("one", "two"):
        domctx_dists.add(dist, entry_points={"domctx.record_types": {f"300.{dist}": "nowhere:x"}})
    path, document, again = (tmp_path / name for name in ("a.img", "a.json", "b.img"))
    path.write_bytes(ImageBuilder().start().record(300, 0, b"1234").end().build())
    for verb in ("show", "verify"):
        done = domctx_cli(verb, path)
        assert done.status == 4
        assert "disable one of them, such as with `-p no:two`" in done.out + done.err
    assert domctx_cli("decode", path, "-o", document).status == 0
    assert domctx_cli("encode", document, "-o", again).status == 0
    assert again.read_bytes() == path.read_bytes()


def test_each_import_is_traced_once_and_one_that_fails_too(
    domctx_dists: FakeDists, domctx_cli: CommandRunner
) -> None:
    source = "import click\n@click.command()\ndef odd(): pass\n"
    points = {"domctx.commands": {"odd": "odd_verb:odd", "bad": "bad_verb:bad"}}
    domctx_dists.add("odd", "1.5", points, {"odd_verb": source, "bad_verb": "raise ValueError"})
    for verb, status in (("odd", 0), ("bad", 4)):
        done = domctx_cli("--trace-plugins", verb)
        assert done.status == status
        assert done.err.count(f"trace: odd 1.5: import {verb}_verb:{verb}: ") == 1


FORMATS = {
    "no alignment": ("alignment = 0", "`alignment` of the format odd is not what it has to be"),
    "no header": ("header = 7", "`header` of the format odd is not what it has to be"),
    "no length": ("max_length = '9'", "`max_length` of the format odd is not what it has to be"),
    "a title that raises": ("title = property(lambda self: 1 // 0)", "raised ZeroDivisionError"),
    "a header without a type": ("header = Bare", "Bare cannot be a record header"),
    "no framing": ("framing = None", "raised TypeError"),
    "nonsense for framing": ("def framing(self, bodies, head): return 5", "does not say how"),
    "no such byte order": (
        "def framing(self, bodies, head): return Framing('middle', 1)", "does not say how it goes on",
    ),
    "a prologue that raises": ("def prologue(self, bodies): raise Mute", "raised Mute"),
    "a prologue without end": ("def prologue(self, bodies): return Bare, 8", "never comes to its"),
    "a prologue that goes back": ("def prologue(self, bodies): return Bare, -8", "never comes to"),
    "a prologue of nothings": ("def prologue(self, bodies): return Empty, 0", "never comes to its"),
    "nonsense for a prologue": ("def prologue(self, bodies): return 'ab'", "raised TypeError"),
    "exits": ("def byteorder(self, head): sys.exit(3)", "raised SystemExit: 3"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "said"), FORMATS.values(), ids=FORMATS)
def test_a_format_is_its_plugins_fault(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, tmp_path: Path, source: str, said: str
) -> None:
    module(
        domctx_dists,
        "class Bare(Body):\n    number: int = u64()\n"
        "class Empty(Body):\n    pass\n"
        "class Head(Body):\n    type: int = u32()\n    length: int = u32()\n"
        "class Odd(Format):\n    name = 'odd'\n    header = Head\n"
        "    def recognises(self, head): return head[:4] == b'ODD!'\n"
        "    def framing(self, bodies, head): return Framing('little', 1)\n"
        f"    {source}\n"
        "@hookimpl\ndef domctx_formats(): return [FormatDeclaration(Odd)]\n",
    )
    path = tmp_path / "odd"
    path.write_bytes(b"ODD!" * 400)
    told = [domctx_cli(*verb, path) for verb in (["verify"], ["show"], ["decode"])]
    for each in told:
        assert "bug" not in each.err
    assert told[0].status in (1, 4)  # 1 where it is not to be used at all, and no other format fits
    assert told[1].status == told[0].status
    assert said in told[0].out
    assert "odd" in told[0].out
