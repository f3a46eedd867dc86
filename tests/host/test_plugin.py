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
from record_modules import GOOD, HOOKS, NEEDED, TYPES, point, record_module

from domctx_core.testing import CommandRunner, FakeDists, ImageBuilder


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
        "declares 400.BAD, but MyRecord is 401.BAD",
        False,
    ),
    "wants a newer core": Case(
        lambda d: bad(d, record_module(NEEDED, "BAD"), requires=("domctx-core>=99",)),
        "incompatible",
        "it requires domctx-core>=99, but this is",
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
        of_a_name_that_says_nothing, "failed", "'bad'; expected [FORMAT/]CODE.NAME", True, needed=1
    ),
    "hook fails": Case(
        with_a_hook_that_fails,
        "failed",
        "domctx_record_types failed with ValueError: no table",
        False,
        needed=1,
    ),
}


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
