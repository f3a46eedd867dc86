"""Plugins that are wrong in every way that a plugin can be, each beside one that is right.

For each: its status and the reason, what the command says of it, and its exit status on an image
that does not need the plugin and on one that does; and that everything else still works.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from record_modules import record_module

from domctx_core.testing import CommandRunner, FakeDists, ImageBuilder

TYPES = "domctx.record_types"
HOOKS = "domctx.plugins"
GOOD, NEEDED = 300, 400


def point(code: int, name: str, module: str) -> dict[str, dict[str, str]]:
    """The entry point of a record type `MyRecord`."""
    return {TYPES: {f"{code}.{name}": f"{module}:MyRecord"}}


def bad(dists: FakeDists, source: str, requires: tuple[str, ...] = ()) -> None:
    """A distribution `bad` that declares the type code that is needed."""
    dists.add("bad", "1.0", point(NEEDED, "BAD", "bad_mod"), {"bad_mod": source}, requires)


def two_of_one_code(dists: FakeDists) -> None:
    bad(dists, record_module(NEEDED, "BAD"))
    dists.add("other", "2.0", point(NEEDED, "OTHER", "other_mod"))


def two_of_one_name(dists: FakeDists) -> None:
    bad(dists, record_module(NEEDED, "BAD"))
    dists.add("other", "2.0", point(NEEDED + 1, "BAD", "other_mod"))


def two_of_one_entry_point(dists: FakeDists) -> None:
    bad(dists, record_module(NEEDED, "BAD"))
    dists.add("other", "2.0", point(NEEDED, "BAD", "other_mod"))


def of_a_name_that_says_nothing(dists: FakeDists) -> None:
    points = {TYPES: {"bad": "bad_mod:MyRecord"}}
    dists.add("bad", "1.0", points, {"bad_mod": record_module(NEEDED, "BAD")})


def with_a_hook_that_fails(dists: FakeDists) -> None:
    source = (
        "from domctx_core import hookimpl\n"
        "@hookimpl\ndef domctx_record_types(): raise ValueError('no table')\n"
    )
    dists.add("bad", "1.0", {HOOKS: {"bad": "bad_mod"}}, {"bad_mod": source})


@dataclass(frozen=True)
class Case:
    """A plugin of type code `NEEDED` that cannot be used.

    `known` says whether that is seen in its metadata, or only when it is imported; `status` is
    that of the whole exit with the image that needs it.
    """

    add: Callable[[FakeDists], object]
    status: str
    said: str
    known: bool
    needed: int = 4


CASES = {
    "raises": Case(
        lambda d: bad(d, "raise RuntimeError('on purpose')"),
        "failed",
        "its import raised RuntimeError: on purpose",
        False,
    ),
    "exits": Case(lambda d: bad(d, "import sys\nsys.exit(77)"), "failed", "SystemExit: 77", False),
    "recurses": Case(lambda d: bad(d, "def f(): f()\nf()"), "failed", "RecursionError", False),
    "is no Python": Case(lambda d: bad(d, "this is no python"), "failed", "SyntaxError", False),
    "is not there": Case(
        lambda d: d.add("bad", "1.0", point(NEEDED, "BAD", "bad_not_there")),
        "failed",
        "ModuleNotFoundError",
        False,
    ),
    "gives no record type": Case(
        lambda d: bad(d, "MyRecord = []"), "failed", "[] is not a record type", False
    ),
    "declares another code": Case(
        lambda d: bad(d, record_module(NEEDED + 1, "BAD")),
        "failed",
        "declares 400.BAD, and MyRecord says 401.BAD",
        False,
    ),
    "wants a newer core": Case(
        lambda d: bad(d, record_module(NEEDED, "BAD"), requires=("domctx-core>=99",)),
        "incompatible",
        "it needs domctx-core>=99, and this is",
        True,
    ),
    "conflicting code": Case(
        two_of_one_code, "conflict", "bad 1.0 (400.BAD) and other 2.0 (400.OTHER)", True
    ),
    "conflicting name": Case(
        two_of_one_name, "conflict", "bad 1.0 (400.BAD) and other 2.0 (401.BAD)", True
    ),
    "the same entry point": Case(
        two_of_one_entry_point, "conflict", "bad 1.0 (400.BAD) and other 2.0 (400.BAD)", True
    ),
    "wrong name of an entry point": Case(
        of_a_name_that_says_nothing, "failed", "'bad', not [FORMAT/]CODE.NAME", True, needed=1
    ),
    "hook fails": Case(
        with_a_hook_that_fails,
        "failed",
        "domctx_record_types failed with ValueError: no table",
        False,
        needed=1,
    ),
}


@pytest.fixture
def images(tmp_path: Path) -> tuple[Path, Path]:
    """An image with a record of the good plugin only, and one that needs the bad one too."""
    made = []
    for name, codes in (("good.img", [GOOD]), ("needs.img", [GOOD, NEEDED])):
        builder = ImageBuilder().start()
        for code in codes:
            builder.record(code, 0, b"\7\0\0\0")
        path = tmp_path / name
        path.write_bytes(builder.end().build())
        made.append(path)
    return made[0], made[1]


@pytest.fixture
def dists(domctx_dists: FakeDists) -> FakeDists:
    """Distributions with one that is right, `good`."""
    module = {"good_mod": record_module(GOOD, "GOOD")}
    domctx_dists.add("good", "1.0", point(GOOD, "GOOD", "good_mod"), module)
    return domctx_dists


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
class TestPluginsThatCannotBeUsed:
    def test_an_image_that_does_not_need_it(
        self, case: Case, dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
    ) -> None:
        case.add(dists)
        shown = domctx_cli("show", "--json", images[0])
        assert shown.status == 0
        assert shown.json["records"][1]["body"] == {"value": 7}
        assert shown.json["findings"] == []
        warnings = shown.err.splitlines()
        if case.known:
            assert warnings
            assert all(line.startswith("warning: plugin ") for line in warnings)
            assert f"warning: plugin bad 1.0: is {case.status}: " in shown.err
            assert case.said in shown.err
        else:
            assert warnings == []
            assert "bad_mod" not in sys.modules

    def test_strict(
        self, case: Case, dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
    ) -> None:
        case.add(dists)
        shown = domctx_cli("--strict", "show", "--json", images[0])
        assert shown.status == 4
        assert shown.json["records"][1]["body"] == {"value": 7}
        assert f"warning: plugin bad 1.0: is {case.status}: " in shown.err
        assert case.said in shown.err

    def test_an_image_that_needs_it(
        self, case: Case, dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
    ) -> None:
        case.add(dists)
        shown = domctx_cli("show", "--json", images[1])
        assert shown.status == case.needed
        good, needed, end = shown.json["records"][1:]
        assert good["body"] == {"value": 7}
        assert (needed["body"], needed["raw"]) == (None, "07000000")
        assert end["name"] == "END"
        (finding,) = shown.json["findings"]
        assert finding["rule"] == ("needs-plugin" if case.needed == 4 else "unknown-type")
        assert case.said in shown.err

    def test_its_status(self, case: Case, dists: FakeDists, domctx_cli: CommandRunner) -> None:
        case.add(dists)
        document = domctx_cli("plugins", "info", "bad", "--json").json
        (about,) = document["distributions"]
        (entry_point,) = about["entry_points"]
        assert entry_point["status"] == case.status
        assert case.said in entry_point["reason"]

    def test_turned_off_it_does_no_harm(
        self, case: Case, dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
    ) -> None:
        case.add(dists)
        shown = domctx_cli("--strict", "-p", "no:bad", "show", images[0])
        others = "other_mod" if "other" in case.said else ""
        assert shown.status == (4 if others else 0)
        assert "plugin bad" not in shown.err

    def test_everything_else_works(
        self,
        case: Case,
        dists: FakeDists,
        domctx_cli: CommandRunner,
        images: tuple[Path, Path],
        tmp_path: Path,
    ) -> None:
        case.add(dists)
        assert domctx_cli("verify", images[0]).status == 0
        state = tmp_path / "state.json"
        assert domctx_cli("load", images[0], f"sim:{state}").status == 0
        assert domctx_cli("save", f"sim:{state}", "-o", tmp_path / "again.img").status == 0
        assert domctx_cli("types").status == 0
        listed = domctx_cli("plugins", "list")
        assert listed.status == 0
        assert "bad" in listed.out
        assert domctx_cli("plugins", "check", "bad").status == 1


class TestWorksInSpite:
    def test_of_two_versions_on_the_path_the_first_is_used(
        self, dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
    ) -> None:
        points = point(NEEDED, "TWICE", "twice_mod")
        module = {"twice_mod": record_module(NEEDED, "TWICE")}
        dists.add("twice", "1.0", points, module)
        dists.add("twice", "2.0", points, {"twice_mod": "raise ValueError"}, folder="later")
        shown = domctx_cli("--strict", "show", "--json", images[1])
        assert (shown.status, shown.err) == (0, "")
        assert shown.json["records"][2]["provider"] == {"dist": "twice", "version": "1.0"}
        listed = domctx_cli("plugins", "list", "--json").json["plugins"]
        found = {each["version"]: each for each in listed if each["dist"] == "twice"}
        assert found["2.0"]["status"] == "shadowed"
        assert "by twice 1.0 in " in found["2.0"]["reason"]

    def test_what_an_import_prints_is_not_the_answer(
        self, dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
    ) -> None:
        bad(dists, "print('hello')\n" + record_module(NEEDED, "BAD"))
        shown = domctx_cli("show", "--json", images[1])
        assert shown.status == 0
        assert shown.json["records"][2]["body"] == {"value": 7}
        assert shown.err == "hello\n"

    def test_an_import_that_is_slow_is_traced(
        self, dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
    ) -> None:
        bad(dists, "import time\ntime.sleep(0.3)\n" + record_module(NEEDED, "BAD"))
        shown = domctx_cli("--trace-plugins", "show", images[1])
        assert shown.status == 0
        lines = [line for line in shown.err.splitlines() if "bad_mod" in line]
        (line,) = lines
        match = re.fullmatch(r"trace: bad 1\.0: import bad_mod:MyRecord: ([\d.]+) ms", line)
        assert match
        assert float(match[1]) >= 300
        assert any("good_mod:MyRecord" in line for line in shown.err.splitlines())

    def test_a_record_type_made_at_run_time(
        self, dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
    ) -> None:
        source = (
            "from domctx_core import Body, RecordType, RecordTypeDeclaration, hookimpl, u32\n"
            "class Value(Body):\n    value: int = u32()\n"
            "@hookimpl\ndef domctx_record_types():\n"
            f"    members = dict(code={NEEDED}, name='MADE', body=Value)\n"
            "    return [RecordTypeDeclaration(type('Made', (RecordType,), members)())]\n"
        )
        dists.add("made", "1.0", {HOOKS: {"made": "made_mod"}}, {"made_mod": source})
        assert domctx_cli("show", images[0]).status == 0
        assert "made_mod" not in sys.modules
        shown = domctx_cli("--strict", "show", "--json", images[1])
        assert (shown.status, shown.err) == (0, "")
        assert shown.json["records"][2]["name"] == "MADE"
        assert shown.json["records"][2]["body"] == {"value": 7}
        types = domctx_cli("types", "--json").json["types"]
        assert any(each["name"] == "MADE" for each in types)

    def test_a_record_type_made_at_run_time_that_conflicts(
        self, dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
    ) -> None:
        source = (
            "from domctx_core import Body, RecordType, RecordTypeDeclaration, hookimpl, u32\n"
            "class Value(Body):\n    value: int = u32()\n"
            "@hookimpl\ndef domctx_record_types():\n"
            f"    members = dict(code={GOOD}, name='MADE', body=Value)\n"
            "    return [RecordTypeDeclaration(type('Made', (RecordType,), members)())]\n"
        )
        dists.add("made", "1.0", {HOOKS: {"made": "made_mod"}}, {"made_mod": source})
        listed = domctx_cli("plugins", "list", "--json").json["plugins"]
        statuses = {each["dist"]: each["status"] for each in listed}
        assert (statuses["good"], statuses["made"]) == ("conflict", "conflict")
        assert domctx_cli("--strict", "show", images[0]).status == 4
        assert domctx_cli("-p", "no:made", "--strict", "show", images[0]).status == 0


class TestHooks:
    """Modules of hooks; `verify` needs what they may bring."""

    def verify(
        self, dists: FakeDists, domctx_cli: CommandRunner, image: Path, source: str
    ) -> list[str]:
        """What is said of a module, with all else in order: 0, and 4 when strict."""
        head = "from domctx_core import hookimpl\n"
        dists.add("hooks", "1.0", {HOOKS: {"hooks": "hooks_mod"}}, {"hooks_mod": head + source})
        result = domctx_cli("verify", image)
        assert result.status == 0
        assert domctx_cli("--strict", "verify", image).status == 4
        lines = result.err.splitlines()
        prefix = "warning: plugin hooks 1.0: "
        assert all(line.startswith(prefix) for line in lines)
        return [line.removeprefix(prefix) for line in lines]

    def test_misspelt_ones_are_told_all_at_once(
        self, dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
    ) -> None:
        source = "".join(
            f"@hookimpl\ndef {name}(): return []\n"
            for name in ("domctx_chekcs", "domctx_recordtypes", "domctx_quite_other")
        )
        first, second, third = self.verify(dists, domctx_cli, images[0], source)
        assert first == "there is no hook domctx_chekcs; did you mean domctx_checks?"
        assert second.startswith("there is no hook domctx_quite_other")
        assert third == "there is no hook domctx_recordtypes; did you mean domctx_record_types?"

    def test_one_that_is_not_marked(
        self, dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
    ) -> None:
        source = "def domctx_checks(): return []\n"
        said = self.verify(dists, domctx_cli, images[0], source)
        assert said == ["domctx_checks is not marked with @hookimpl, so it is not called"]

    def test_one_with_an_argument_that_does_not_exist(
        self, dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
    ) -> None:
        source = "@hookimpl\ndef domctx_checks(registry): return []\n"
        (said,) = self.verify(dists, domctx_cli, images[0], source)
        assert said.startswith("is failed: PluginValidationError")
        assert "registry" in said

    @pytest.mark.parametrize("hook", ["checks", "commands", "domains", "formats", "observers",
                                      "record_types"])  # fmt: skip
    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            ("7", "is failed: domctx_{} failed with DeclarationError: it returned int, and a list"),
            ("'text'", "is failed: domctx_{} failed with DeclarationError: it returned str, and "),
            ("[object()]", "is failed: domctx_{} failed with DeclarationError: it returned object"),
            ("None", "domctx_{} returned None; a hook with nothing to declare returns an empty"),
            ("1 / 0", "is failed: domctx_{} failed with ZeroDivisionError: division by zero"),
            ("exit(3)", "is failed: domctx_{} failed with SystemExit: 3"),
        ],
    )
    def test_one_that_returns_what_it_should_not(
        self,
        dists: FakeDists,
        domctx_cli: CommandRunner,
        images: tuple[Path, Path],
        hook: str,
        answer: str,
        said: str,
    ) -> None:
        source = f"@hookimpl\ndef domctx_{hook}(): return {answer}\n"
        (line,) = self.verify(dists, domctx_cli, images[0], source)
        assert line.startswith(said.format(hook))

    @pytest.mark.parametrize(
        ("hook", "declaration", "said"),
        [
            ("checks", "CheckDeclaration(7)", "holds a Check subclass"),
            ("commands", "CommandDeclaration('v', 7)", "holds a click command"),
            ("domains", "DomainDeclaration('s', 7)", "holds a callable"),
            ("formats", "FormatDeclaration(7)", "holds a Format subclass"),
            ("observers", "ObserverDeclaration(7)", "holds a callable"),
            ("record_types", "RecordTypeDeclaration(7)", "7 is not a record type"),
        ],
    )
    def test_a_declaration_that_holds_what_it_should_not(
        self,
        dists: FakeDists,
        domctx_cli: CommandRunner,
        images: tuple[Path, Path],
        hook: str,
        declaration: str,
        said: str,
    ) -> None:
        source = (
            "from domctx_core.model.declarations import *\n"
            f"@hookimpl\ndef domctx_{hook}(): return [{declaration}]\n"
        )
        (line,) = self.verify(dists, domctx_cli, images[0], source)
        assert line.startswith(f"is failed: domctx_{hook} failed with DeclarationError: ")
        assert said in line

    @pytest.mark.parametrize(
        ("hook", "declaration", "said"),
        [
            ("commands", "CommandDeclaration('show', click.Command('show'))", "verb show"),
            ("domains", "DomainDeclaration('sim', print)", "the scheme sim"),
            ("formats", "FormatDeclaration(DomainContext)", "the format domain-context"),
        ],
    )
    def test_a_name_that_is_taken_is_a_conflict(
        self,
        dists: FakeDists,
        domctx_cli: CommandRunner,
        images: tuple[Path, Path],
        hook: str,
        declaration: str,
        said: str,
    ) -> None:
        source = (
            "import click\nfrom domctx_core import DomainContext\n"
            "from domctx_core.model.declarations import *\n"
            f"@hookimpl\ndef domctx_{hook}(): return [{declaration}]\n"
        )
        (line,) = self.verify(dists, domctx_cli, images[0], source)
        assert line.startswith(f"is conflict: domctx_{hook}: ")
        assert said in line

    def test_a_hook_that_fails_leaves_the_others_of_its_module(
        self, dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
    ) -> None:
        source = (
            "from domctx_core import Body, RecordType, RecordTypeDeclaration, hookimpl, u32\n"
            "class Value(Body):\n    value: int = u32()\n"
            "class Made(RecordType):\n"
            f"    code, name, body = {NEEDED}, 'MADE', Value\n"
            "@hookimpl\ndef domctx_checks(): raise OSError('disk')\n"
            "@hookimpl\ndef domctx_record_types(): return [RecordTypeDeclaration(Made)]\n"
        )
        dists.add("hooks", "1.0", {HOOKS: {"hooks": "hooks_mod"}}, {"hooks_mod": source})
        result = domctx_cli("show", "--json", images[1])
        assert result.status == 0
        assert result.json["records"][2]["name"] == "MADE"
        assert "domctx_checks failed with OSError: disk" in result.err


COMMAND = """
import click

@click.command()
def verb():
    click.echo("it runs")

@click.command()
def wrong():
    raise ZeroDivisionError("mine")
"""


class TestVerbs:
    def add(self, dists: FakeDists, **verbs: str) -> None:
        points = {"domctx.commands": {name: f"verbs_mod:{what}" for name, what in verbs.items()}}
        summary = {"Summary": "brings verbs"}
        dists.add("verbs", "1.5", points, {"verbs_mod": COMMAND}, metadata=summary)

    def test_one_is_in_the_help_without_an_import(
        self, dists: FakeDists, domctx_cli: CommandRunner
    ) -> None:
        self.add(dists, frobnicate="verb")
        result = domctx_cli("--help")
        assert result.status == 0
        line = next(line for line in result.out.splitlines() if "frobnicate" in line)
        assert "brings verbs [verbs 1.5]" in line
        assert "verbs_mod" not in sys.modules

    def test_one_runs(self, dists: FakeDists, domctx_cli: CommandRunner) -> None:
        self.add(dists, frobnicate="verb")
        result = domctx_cli("--strict", "frobnicate")
        assert (result.status, result.out, result.err) == (0, "it runs\n", "")

    def test_one_that_raises_is_the_plugins_failure(
        self, dists: FakeDists, domctx_cli: CommandRunner
    ) -> None:
        self.add(dists, frobnicate="wrong")
        result = domctx_cli("frobnicate")
        assert result.status == 4
        assert "the verb frobnicate raised ZeroDivisionError: mine" in result.err
        assert "verbs 1.5" in result.err
        assert "bug in domctx" not in result.err

    def test_one_that_clashes_with_our_own(
        self, dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
    ) -> None:
        self.add(dists, show="verb", frobnicate="verb")
        shown = domctx_cli("show", "--json", images[0])
        assert shown.status == 0
        assert shown.json["records"][1]["name"] == "GOOD"
        assert "verbs 1.5: is conflict: the verb show is domctx's own" in shown.err
        assert domctx_cli("--strict", "show", images[0]).status == 4
        assert domctx_cli("frobnicate").out == "it runs\n"

    def test_two_of_one_name_are_both_told_and_neither_runs(
        self, dists: FakeDists, domctx_cli: CommandRunner
    ) -> None:
        self.add(dists, frobnicate="verb")
        dists.add("other", "2.0", {"domctx.commands": {"frobnicate": "other_mod:verb"}})
        result = domctx_cli("frobnicate")
        assert result.status == 4
        assert "the verb frobnicate is claimed by other 2.0 and verbs 1.5" in result.err
        assert "verbs_mod" not in sys.modules

    def test_one_that_is_misspelt(self, dists: FakeDists, domctx_cli: CommandRunner) -> None:
        self.add(dists, frobnicate="verb")
        result = domctx_cli("frobincate")
        assert result.status == 2
        assert "did you mean frobnicate?" in result.err


@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        ("raise OSError('no')", 4, "its import raised OSError: no"),
        ("opener = 7", 4, "the scheme mine of dom 1.0 cannot be called"),
        ("def opener(request): raise KeyError('x')", 4, "opening mine:x raised KeyError: 'x'"),
        (
            "from domctx_core import UsageError\ndef opener(request): raise UsageError('mine')",
            2,
            "error: mine",
        ),
    ],
)
def test_a_scheme_that_cannot_be_opened(
    dists: FakeDists,
    domctx_cli: CommandRunner,
    tmp_path: Path,
    source: str,
    status: int,
    said: str,
) -> None:
    points = {"domctx.domains": {"mine": "dom_mod:opener"}}
    dists.add("dom", "1.0", points, {"dom_mod": source})
    result = domctx_cli("save", "mine:x", "-o", tmp_path / "a.img")
    assert result.status == status
    assert said in result.err
    assert "bug in domctx" not in result.err
    assert not (tmp_path / "a.img").exists()
    assert domctx_cli("save", "sim:seed=1", "-o", tmp_path / "a.img").status == 0


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("entry_points.txt", b"[domctx.record_types]\nno equals sign\n"),
        ("METADATA", b""),
        ("METADATA", b"Name: bad\n"),
        ("METADATA", b"garbage"),
        ("METADATA", b"\xff\xfe"),
    ],
)
def test_metadata_that_cannot_be_read(
    dists: FakeDists,
    domctx_cli: CommandRunner,
    images: tuple[Path, Path],
    file: str,
    text: bytes,
) -> None:
    info = dists.add("bad", "1.0", point(NEEDED, "BAD", "bad_mod"))
    (info / file).write_bytes(text)
    shown = domctx_cli("show", "--json", images[0])
    assert shown.status == 0
    assert shown.json["records"][1]["body"] == {"value": 7}
    assert "warning: plugin bad ?: is failed: its metadata cannot be read: " in shown.err
    assert domctx_cli("--strict", "show", images[0]).status == 4
    assert domctx_cli("--strict", "-p", "no:bad", "show", images[0]).status == 0
    assert "status  failed" in domctx_cli("plugins", "info", "bad").out
    checked = domctx_cli("plugins", "check", "bad")
    assert checked.status == 1
    assert checked.out.splitlines()[1].startswith("  status: it is failed: its metadata cannot")
    assert domctx_cli("plugins", "freeze").out == "good==1.0\n"


def test_entry_points_that_are_no_text_are_nobodys(
    dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
) -> None:
    info = dists.add("other", "1.0")
    (info / "entry_points.txt").write_bytes(b"\xff\xfe")
    shown = domctx_cli("--strict", "show", images[0])
    assert (shown.status, shown.err) == (0, "")


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
    assert "warning: plugin bad 1.0: the format bad raised ValueError" in shown.err
    assert domctx_cli("--strict", "verify", path).status == 4
