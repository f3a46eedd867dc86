"""Modules of hooks: imported together, called one by one, with their faults reported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from record_modules import HOOKS, NEEDED

from domctx_core import BufferSource, save_image, verify
from domctx_core.host.plugin import Status
from domctx_core.testing import CommandRunner, FakeDists

CHECK = """
from domctx_core import Check, CheckDeclaration, Problem, Rule, Severity, hookimpl

class Odd(Check):
    codes = frozenset({1})
    rules = (Rule("mod/odd", Severity.ERROR, None, "s", "m", "a", "e"),)

    def record(self, seen):
        yield Problem("mod/odd", "it is odd", 0)

@hookimpl
def domctx_checks():
    return [CheckDeclaration(Odd)]
"""


RUN_TIME = """
from domctx_core import ANY, Body, RecordType, RecordTypeDeclaration, hookimpl, u32

class Value(Body):
    value: int = u32()

@hookimpl
def domctx_record_types():
    for code in (400, 401):
        made = type("Made", (RecordType,), {"code": code, "name": f"MADE_{code}", "body": Value})
        yield RecordTypeDeclaration(made())
"""


class TestModules:
    def add(self, domctx_dists: FakeDists, source: str, dist: str = "mod") -> None:
        module = f"{dist}_hooks"
        domctx_dists.add(
            dist, entry_points={"domctx.plugins": {dist: module}}, modules={module: source}
        )

    def test_a_check_is_imported_when_checks_are_asked_for(self, domctx_dists: FakeDists) -> None:
        self.add(domctx_dists, CHECK)
        host = domctx_dists.host()
        assert "mod_hooks" not in sys.modules
        image = save_image(host.open_domain("sim:", "save"), host.registry)
        verdict = verify(BufferSource(image), host.formats, checks=host.checks())
        assert [finding.rule for finding in verdict.findings] == ["mod/odd"]
        assert domctx_dists.plugin(host, "mod").hooks == ["domctx_checks"]

    def test_a_record_type_made_at_run_time_is_found_by_its_code(
        self, domctx_dists: FakeDists
    ) -> None:
        self.add(domctx_dists, RUN_TIME)
        host = domctx_dists.host()
        entry = host.registry.get(401)
        assert entry is not None
        assert entry.name == "MADE_401"
        assert domctx_dists.plugin(host, "mod").record_types == ["400.MADE_400", "401.MADE_401"]

    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("raise ValueError('no')", "ValueError: no"),
            (CHECK.replace("return [CheckDeclaration(Odd)]", "raise OSError('disk')"), "disk"),
            (CHECK.replace("CheckDeclaration(Odd)", "Odd"), "CheckDeclaration objects"),
            (CHECK.replace("return [", "return 7 #["), "it returned int"),
        ],
    )
    def test_one_that_fails_costs_its_own_contribution(
        self, domctx_dists: FakeDists, source: str, said: str
    ) -> None:
        self.add(domctx_dists, source, "bad")
        self.add(domctx_dists, CHECK, "mod")
        host = domctx_dists.host()
        assert [check.__name__ for check in host.checks()] == ["Odd"]
        plugin = domctx_dists.plugin(host, "bad")
        assert plugin.status is Status.FAILED
        assert said in plugin.reason + plugin.trace


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
            (
                "7",
                "is failed: domctx_{} failed with DeclarationError: it returned int; expected a list",
            ),
            (
                "'text'",
                "is failed: domctx_{} failed with DeclarationError: it returned str; expected ",
            ),
            ("[object()]", "is failed: domctx_{} failed with DeclarationError: it returned object"),
            ("None", "domctx_{} returned None; return an empty list to declare"),
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
            ("checks", "CheckDeclaration(7)", "requires a Check subclass"),
            ("commands", "CommandDeclaration('v', 7)", "requires a click command"),
            ("domains", "DomainDeclaration('s', 7)", "requires a callable"),
            ("formats", "FormatDeclaration(7)", "requires a Format subclass"),
            ("observers", "ObserverDeclaration(7)", "requires a callable"),
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
