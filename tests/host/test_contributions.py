"""Plugins that misbehave where their code is asked something: each time its fault, and told as that."""

from __future__ import annotations

from pathlib import Path

import pytest
from record_modules import HEAD, odd_check, odd_module

from domctx_core.testing import CommandRunner, FakeDists

CHECKS = {
    "cannot be made": ("def __init__(self): raise ValueError('no')", "ValueError: no"),
    "exits when made": ("def __init__(self): sys.exit(7)", "SystemExit: 7"),
    "begins with nonsense": (
        "def begin(self, container): return [5]",
        "expected a Problem, found 5",
    ),
    "exits in begin": ("def begin(self, container): sys.exit(0)", "SystemExit: 0"),
    "answers nonsense": ("def record(self, seen): yield 'bad'", "expected a Problem, found 'bad'"),
    "answers no list": ("def record(self, seen): return 5", "TypeError"),
    "raises what cannot be said": ("def record(self, seen): raise Mute", "raised Mute"),
    "ends with nonsense": ("def end(self): return [(7, 8)]", "and a Problem, found (7, 8)"),
    "ends with problems alone": (
        "def end(self): return [Problem('limit', 'x')]",
        "expected a tuple of a place and a Problem",
    ),
}


@pytest.mark.parametrize(("source", "said"), CHECKS.values(), ids=CHECKS)
def test_a_check_is_its_plugins_fault(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, image: Path, source: str, said: str
) -> None:
    odd_check(domctx_dists, source)
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
        ("5", "", "`codes` of the check odd_hooks.Odd is not a set of type codes"),
        ("('X',)", "", "is not a set of type codes"),
        (
            "frozenset()",
            "rules = 'abc'",
            "`rules` of the check odd_hooks.Odd is not a tuple of rules",
        ),
        ("frozenset()", "format = 7", "`format` of the check odd_hooks.Odd is not a name"),
    ],
)
def test_what_a_check_says_of_itself_is_looked_at(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, image: Path,
    codes: str, source: str, said: str,
) -> None:  # fmt: skip
    odd_check(domctx_dists, source or "pass", codes)
    verified = domctx_cli("verify", image)
    assert verified.status == 0
    assert verified.err.startswith("warning: plugin odd 1.5: is failed: domctx_checks failed with ")
    assert said in verified.err


def test_a_reason_is_one_line_whatever_was_raised(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, image: Path
) -> None:
    odd_module(domctx_dists, "raise ImportError('a\\nb\\x1b[31mRED\\r' + 'z' * 3000)")
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
        odd_module(domctx_dists, source + declared)
    else:
        points = {"domctx.commands": {"odd": "odd_verb:odd"}}
        domctx_dists.add("odd", "1.5", points, {"odd_verb": HEAD + source})
    done = domctx_cli("odd")
    assert done.status == 4
    assert done.err.startswith(f"error: the verb odd raised {said}\n")
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
    odd_module(domctx_dists, f"@hookimpl\ndef domctx_{hook}(): return [{declared.format(name)}]\n")
    done = domctx_cli("verify", image)
    assert done.status == 0
    assert f"domctx_{hook} failed with DeclarationError: invalid name for a" in done.err


FORMATS = {
    "no alignment": ("alignment = 0", "`alignment` of the format odd is not valid"),
    "no header": ("header = 7", "`header` of the format odd is not valid"),
    "no length": ("max_length = '9'", "`max_length` of the format odd is not valid"),
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
    odd_module(
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


def test_a_format_that_raises_at_recognising_is_passed_over_and_named(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, tmp_path: Path
) -> None:
    source = """
    from domctx_core import Format
    class Bad(Format):
        name = "bad"
        def recognises(self, head): raise ValueError("on purpose")
    """
    domctx_dists.add("bad", entry_points={"domctx.formats": {"bad": "bad_format:Bad"}},
                     modules={"bad_format": source})  # fmt: skip
    path = tmp_path / "x"
    path.write_bytes(b"no format that anybody knows")
    shown = domctx_cli("verify", path)
    assert shown.status == 1
    assert "warning: plugin bad 1.0: `recognises` of the format bad raised ValueError" in shown.err
    assert domctx_cli("--strict", "verify", path).status == 4
