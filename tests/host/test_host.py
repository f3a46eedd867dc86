"""The host: what it finds, what it keeps apart, and what it says of each."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import suppress

import pytest
from record_modules import record_module

from domctx_core import (
    BufferSource,
    ConflictError,
    DeclarationError,
    Domain,
    PluginError,
    UsageError,
    save_image,
    verify,
)
from domctx_core.host.discovery import normalise
from domctx_core.host.host import Host
from domctx_core.host.plugin import Status
from domctx_core.host.plugin_filter import PluginFilter
from domctx_core.testing import FakeDists

TYPES = "domctx.record_types"


def one(code: int, name: str, module: str) -> dict[str, dict[str, str]]:
    return {TYPES: {f"{code}.{name}": f"{module}:MyRecord"}}


class TestStatus:
    def test_the_core_is_built_in_and_comes_first(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("aaa", entry_points=one(300, "THREE", "aaa_mod"))
        host = domctx_dists.host()
        assert [p.entry_point.dist for p in host.plugins][-1] == "aaa"
        assert {p.status for p in host.plugins if p.entry_point.dist == "domctx-core"} == {
            Status.BUILT_IN
        }
        assert [entry.name for entry in host.registry][:2] == ["END", "START"]

    def test_order_is_by_normalised_name_wherever_they_lie(self, domctx_dists: FakeDists) -> None:
        for number, name in enumerate(["Zeta", "alpha_b", "alpha-a"]):
            module = f"order_mod_{number}"
            domctx_dists.add(name, entry_points=one(300 + number, f"T{number}", module))
        dists = [
            p.entry_point.dist
            for p in domctx_dists.host().plugins
            if p.entry_point.dist != "domctx-core"
        ]
        assert dists == ["alpha-a", "alpha-b", "zeta"]

    def test_a_record_type_is_indexed_and_imported_only_when_met(
        self, domctx_dists: FakeDists
    ) -> None:
        domctx_dists.add(
            "lazy", "2.1", one(300, "THREE", "lazy_mod"), {"lazy_mod": record_module(300, "THREE")}
        )
        host = domctx_dists.host()
        entry = host.registry.get(300)
        assert entry is not None
        assert str(entry.provider) == "lazy 2.1"
        assert not entry.loaded
        assert "lazy_mod" not in sys.modules
        assert domctx_dists.plugin(host, "lazy").status is Status.LAZY
        assert entry.record_type.name == "THREE"
        assert domctx_dists.plugin(host, "lazy").status is Status.LOADED
        assert domctx_dists.plugin(host, "lazy").record_types == ["300.THREE"]

    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("raise RuntimeError('broken on purpose')", "RuntimeError: broken on purpose"),
            ("import sys; sys.exit('gone')", "SystemExit: gone"),
            ("def f(): f()\nf()", "RecursionError"),
            ("import no_such_module_anywhere", "ModuleNotFoundError"),
            ("this is no python", "SyntaxError"),
            ("x = 1", "AttributeError"),
        ],
    )
    def test_an_import_that_fails_costs_only_itself(
        self, domctx_dists: FakeDists, source: str, said: str
    ) -> None:
        domctx_dists.add(
            "bad", entry_points=one(300, "BAD", "bad_mod"), modules={"bad_mod": source}
        )
        domctx_dists.add(
            "good", entry_points=one(301, "GOOD", "good_mod"),
            modules={"good_mod": record_module(301, "GOOD")},
        )  # fmt: skip
        host = domctx_dists.host()
        entry = host.registry.get(300)
        assert entry is not None
        for _ in range(2):
            with pytest.raises(PluginError) as caught:
                entry.record_type  # noqa: B018
            assert said in str(caught.value)
            assert "bad 1.0" in str(caught.value)
        plugin = domctx_dists.plugin(host, "bad")
        assert plugin.status is Status.FAILED
        assert said.split(":")[0] in plugin.trace
        good = host.registry.get(301)
        assert good is not None
        assert good.record_type.code == 301

    def test_what_an_import_prints_does_not_go_to_standard_output(
        self, domctx_dists: FakeDists, capsys: pytest.CaptureFixture[str]
    ) -> None:
        source = "print('hello')\n" + record_module(300, "LOUD")
        domctx_dists.add(
            "loud", entry_points=one(300, "LOUD", "loud_mod"), modules={"loud_mod": source}
        )
        entry = domctx_dists.host().registry.get(300)
        assert entry is not None
        assert entry.record_type.name == "LOUD"
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err == "hello\n"

    def test_ctrl_c_during_an_import_is_not_the_plugins_failure(
        self, domctx_dists: FakeDists
    ) -> None:
        domctx_dists.add(
            "slow", entry_points=one(300, "SLOW", "slow_mod"),
            modules={"slow_mod": "raise KeyboardInterrupt"},
        )  # fmt: skip
        entry = domctx_dists.host().registry.get(300)
        assert entry is not None
        with pytest.raises(KeyboardInterrupt):
            entry.record_type  # noqa: B018

    def test_a_declaration_that_disagrees_with_the_object_names_both(
        self, domctx_dists: FakeDists
    ) -> None:
        domctx_dists.add(
            "liar", entry_points=one(300, "SAID", "liar_mod"),
            modules={"liar_mod": record_module(301, "IS")},
        )  # fmt: skip
        entry = domctx_dists.host().registry.get(300)
        assert entry is not None
        with pytest.raises(DeclarationError, match=r"300\.SAID.*301\.IS"):
            entry.record_type  # noqa: B018

    def test_a_plugin_for_a_newer_core_is_incompatible_and_not_imported(
        self, domctx_dists: FakeDists
    ) -> None:
        domctx_dists.add(
            "future", entry_points=one(300, "NEXT", "future_mod"),
            modules={"future_mod": record_module(300, "NEXT")}, requires=["Domctx_Core>=99"],
        )  # fmt: skip
        host = domctx_dists.host()
        plugin = domctx_dists.plugin(host, "future")
        assert plugin.status is Status.INCOMPATIBLE
        assert "needs domctx-core>=99" in plugin.reason
        entry = host.registry.get(300)
        assert entry is not None
        with pytest.raises(PluginError, match="incompatible"):
            entry.record_type  # noqa: B018
        assert "future_mod" not in sys.modules

    def test_a_second_copy_on_the_path_is_shadowed(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("twice", "1.0", one(300, "TWICE", "twice_mod"), folder="site")
        domctx_dists.add("twice", "2.0", one(300, "TWICE", "twice_mod"), folder="later")
        host = domctx_dists.host()
        found = {p.entry_point.version: p for p in host.plugins if p.entry_point.dist == "twice"}
        assert found["1.0"].status is Status.LAZY
        assert found["2.0"].status is Status.SHADOWED
        assert "twice 1.0" in found["2.0"].reason
        assert host.registry.get(300) is not None

    def test_an_entry_point_with_a_wrong_name_fails(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("odd", entry_points={TYPES: {"three": "odd_mod:MyRecord"}})
        plugin = domctx_dists.plugin(domctx_dists.host(), "odd")
        assert plugin.status is Status.FAILED
        assert "[FORMAT/]CODE.NAME" in plugin.reason

    def test_a_name_of_sixteen_characters_is_refused_in_the_index(
        self, domctx_dists: FakeDists
    ) -> None:
        domctx_dists.add("long", entry_points=one(300, "A234567890123456", "long_mod"))
        host = domctx_dists.host()
        assert domctx_dists.plugin(host, "long").status is Status.FAILED
        assert host.registry.get(300) is None

    def test_codes_are_numbers_whatever_their_spelling(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("hex", entry_points={TYPES: {"0x12c.HEX": "hex_mod:MyRecord"}})
        domctx_dists.add("dec", entry_points=one(300, "DEC", "dec_mod"))
        with pytest.raises(ConflictError):
            domctx_dists.host().registry.get(300)


class TestConflict:
    def test_of_codes_names_both_and_uses_neither(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("first", "1.1", one(300, "ONE", "first_mod"))
        domctx_dists.add("second", "2.2", one(300, "TWO", "second_mod"))
        host = domctx_dists.host()
        with pytest.raises(ConflictError) as caught:
            host.registry.get(300)
        assert "first 1.1" in str(caught.value)
        assert "second 2.2" in str(caught.value)
        assert caught.value.hint is not None
        assert "-p no:" in caught.value.hint
        for dist in ("first", "second"):
            assert domctx_dists.plugin(host, dist).status is Status.CONFLICT
        assert "first_mod" not in sys.modules
        assert "second_mod" not in sys.modules

    def test_of_names_of_different_codes(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("first", entry_points=one(300, "SAME", "first_mod"))
        domctx_dists.add("second", entry_points=one(301, "SAME", "second_mod"))
        host = domctx_dists.host()
        for code in (300, 301):
            with pytest.raises(ConflictError, match="the name SAME"):
                host.registry.get(code)

    def test_is_gone_when_one_is_disabled(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("first", entry_points=one(300, "ONE", "first_mod"))
        domctx_dists.add(
            "second", entry_points=one(300, "TWO", "second_mod"),
            modules={"second_mod": record_module(300, "TWO")},
        )  # fmt: skip
        host = domctx_dists.host(disabled={"first": "-p no:first"})
        entry = host.registry.get(300)
        assert entry is not None
        assert entry.record_type.name == "TWO"
        assert domctx_dists.plugin(host, "first").reason == "by -p no:first"

    def test_with_the_core_does_not_take_start_away_silently(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("thief", entry_points=one(1, "MINE", "thief_mod"))
        with pytest.raises(ConflictError, match="thief"):
            domctx_dists.host().registry.get(1)

    def test_of_schemes(self, domctx_dists: FakeDists) -> None:
        for dist in ("a-zed", "b-zed"):
            domctx_dists.add(dist, entry_points={"domctx.domains": {"zed": "nowhere:open"}})
        host = domctx_dists.host()
        with pytest.raises(
            ConflictError, match=r"the scheme zed is claimed by a-zed 1\.0 and b-zed 1\.0"
        ):
            host.open_domain("zed:", "save")

    def test_of_two_of_one_distribution_one_alone_can_be_disabled(
        self, domctx_dists: FakeDists
    ) -> None:
        points = {"0x12C.ONE": "one_mod:MyRecord", "300.TWO": "two_mod:MyRecord"}
        domctx_dists.add(
            "both", entry_points={"domctx.record_types": points},
            modules={"one_mod": record_module(300, "ONE")},
        )  # fmt: skip
        with pytest.raises(ConflictError) as caught:
            domctx_dists.host().registry.get(300)
        assert caught.value.hint is not None
        switch = re.search(r"-p no:([^`]*)", caught.value.hint)
        assert switch
        host = domctx_dists.host(disabled={normalise(switch[1]): "-p"})
        entry = host.registry.get(300)
        assert entry is not None
        assert entry.record_type.name == "ONE"

    @pytest.mark.parametrize("at_run_time", [False, True])
    def test_with_the_cores_own_scheme_leaves_that_as_it_is(
        self, domctx_dists: FakeDists, at_run_time: bool
    ) -> None:
        if at_run_time:
            source = HOOK_MODULE.format("domains", "DomainDeclaration('sim', print)")
            domctx_dists.add("a-sim", entry_points=HOOKS, modules={"hooks_mod": source})
        else:
            domctx_dists.add("a-sim", entry_points={"domctx.domains": {"sim": "nowhere:open"}})
        host = domctx_dists.host()
        host.load_run_time()
        assert len(save_image(host.open_domain("sim:", "save"), host.registry)) == 40
        plugin = domctx_dists.plugin(host, "a-sim")
        assert plugin.status is Status.CONFLICT
        assert "the scheme sim is domctx's own" in plugin.reason


HOOKS = {"domctx.plugins": {"hooks": "hooks_mod"}}
HOOK_MODULE = """
import click
from domctx_core import *
from domctx_core.model.declarations import *
@hookimpl
def domctx_{}():
    return [{}]
"""

KINDS = {
    "commands": ("zed", "CommandDeclaration('zed', click.Command('zed'))"),
    "domains": ("zed", "DomainDeclaration('zed', print)"),
    "formats": ("zed", "FormatDeclaration(type('Zed', (Format,), dict(name='zed')))"),
}


def use(host: Host, kind: str) -> object:
    """Whatever of that kind is called `zed`."""
    if kind == "commands":
        return host.command("zed")
    if kind == "formats":
        return host.formats.get("zed")
    return host.open_domain("zed:", "save")


class TestConflictAtRunTime:
    """Names that hooks declare, against those of other hooks and of entry points."""

    @staticmethod
    def add(dists: FakeDists, dist: str, kind: str, declaration: str) -> None:
        module = f"{dist}_hooks"
        source = HOOK_MODULE.format(kind, declaration)
        dists.add(dist, "1.0", {"domctx.plugins": {"hooks": module}}, {module: source})

    @pytest.mark.parametrize("kind", KINDS)
    def test_of_two_hooks(self, domctx_dists: FakeDists, kind: str) -> None:
        for dist in ("one", "two"):
            self.add(domctx_dists, dist, kind, KINDS[kind][1])
        host = domctx_dists.host()
        with pytest.raises(
            ConflictError, match=r"zed is claimed by one 1\.0 and two 1\.0"
        ) as caught:
            use(host, kind)
        assert caught.value.hint == "disable one of them, such as with `-p no:two`"
        statuses = {domctx_dists.plugin(host, dist).status for dist in ("one", "two")}
        assert statuses == {Status.CONFLICT}
        alone = domctx_dists.host(disabled={"two": "-p no:two"})
        with suppress(PluginError):  # `print` makes no domain, and nothing here a real format
            assert use(alone, kind) is not None
        assert domctx_dists.plugin(alone, "one").status is Status.LOADED

    @pytest.mark.parametrize("kind", KINDS)
    def test_of_a_hook_and_an_entry_point(self, domctx_dists: FakeDists, kind: str) -> None:
        domctx_dists.add("one", "1.0", {f"domctx.{kind}": {"zed": "one_nowhere:zed"}})
        self.add(domctx_dists, "two", kind, KINDS[kind][1])
        host = domctx_dists.host()
        host.load_run_time()
        with pytest.raises(ConflictError, match=r"zed is claimed by one 1\.0 and two 1\.0"):
            use(host, kind)

    @pytest.mark.parametrize("kind", KINDS)
    def test_of_a_hook_and_an_entry_point_that_is_disabled(
        self, domctx_dists: FakeDists, kind: str
    ) -> None:
        domctx_dists.add("one", "1.0", {f"domctx.{kind}": {"zed": "one_nowhere:zed"}})
        self.add(domctx_dists, "two", kind, KINDS[kind][1])
        host = domctx_dists.host(disabled={"one": "-p no:one"})
        if kind == "domains":  # `print` is what opens it
            with pytest.raises(PluginError, match="a Domain is expected") as caught:
                use(host, kind)
            assert str(caught.value.provider) == "two 1.0"
        else:
            assert use(host, kind) is not None

    def test_costs_no_other_declaration_of_the_hook(self, domctx_dists: FakeDists) -> None:
        both = "{}, CommandDeclaration('other', click.Command('other'))".format
        for dist in ("one", "two"):
            made = both(KINDS["commands"][1]).replace("other", f"of-{dist}")
            self.add(domctx_dists, dist, "commands", made)
        host = domctx_dists.host()
        with pytest.raises(ConflictError):
            host.command("zed")
        assert host.command("of-one") is not None
        assert host.command("of-two") is not None
        assert str(host.verb_provider("of-two")) == "two 1.0"


class TestPluginFilter:
    @pytest.mark.parametrize("name", ["my-plugin", "My_Plugin", "300.three", "plugin_mod"])
    def test_each_name_of_a_plugin_disables_it(self, domctx_dists: FakeDists, name: str) -> None:
        domctx_dists.add("my-plugin", entry_points=one(300, "THREE", "plugin_mod"))
        chosen = PluginFilter.from_environment({}, disable=[name])
        host = domctx_dists.host(disabled=chosen.disabled)
        plugin = domctx_dists.plugin(host, "my-plugin")
        assert plugin.status is Status.DISABLED
        assert plugin.reason == f"by -p no:{name}"

    def test_no_plugins_leaves_the_core(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("my-plugin", entry_points=one(300, "THREE", "plugin_mod"))
        host = domctx_dists.host(no_plugins="--no-plugins")
        assert domctx_dists.plugin(host, "my-plugin").status is Status.DISABLED
        assert len(save_image(host.open_domain("sim:", "save"), host.registry)) == 40

    def test_an_allow_list(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("one", entry_points=one(300, "ONE", "one_mod"))
        domctx_dists.add("two", entry_points=one(301, "TWO", "two_mod"))
        host = domctx_dists.host(only=frozenset({"two"}))
        assert domctx_dists.plugin(host, "one").status is Status.DISABLED
        assert domctx_dists.plugin(host, "two").status is Status.LAZY

    def test_a_name_that_matches_nothing_is_an_error_with_near_names(
        self, domctx_dists: FakeDists
    ) -> None:
        domctx_dists.add("my-plugin", entry_points=one(300, "THREE", "plugin_mod"))
        with pytest.raises(UsageError) as caught:
            domctx_dists.host(disabled={"my-plugn": "-p no:my-plugn"})
        assert caught.value.hint == "near names: my-plugin"

    def test_near_names_are_as_they_are_listed(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("my-plugin", entry_points=one(300, "THREE_AAA", "plugin_mod"))
        with pytest.raises(UsageError) as caught:
            domctx_dists.host(disabled={"300-three-aab": "-p no:300.three_aab"})
        assert caught.value.hint == "near names: 300.THREE_AAA"

    def test_blanks_around_a_name_are_nothing(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("my-plugin", entry_points=one(300, "THREE", "plugin_mod"))
        chosen = PluginFilter.from_environment({}, disable=[" My_Plugin "])
        host = domctx_dists.host(disabled=chosen.disabled)
        assert domctx_dists.plugin(host, "my-plugin").status is Status.DISABLED
        assert host.named(" my-plugin")

    @pytest.mark.parametrize(
        ("text", "off"), [("1", True), ("yes", True), ("0", False), ("False", False), ("", False)]
    )
    def test_booleans_are_read_as_people_mean_them(self, text: str, off: bool) -> None:
        chosen = PluginFilter.from_environment({"DOMCTX_NO_PLUGINS": text})
        assert bool(chosen.no_plugins) is off

    def test_a_boolean_that_is_none(self) -> None:
        with pytest.raises(UsageError, match="DOMCTX_NO_PLUGINS"):
            PluginFilter.from_environment({"DOMCTX_NO_PLUGINS": "perhaps"})

    def test_lists_of_the_environment(self) -> None:
        chosen = PluginFilter.from_environment(
            {"DOMCTX_DISABLE_PLUGINS": " a_b , c", "DOMCTX_LOAD_PLUGINS": ""}
        )
        assert set(chosen.disabled) == {"a-b", "c"}
        assert chosen.only == frozenset()


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


class TestDomains:
    def test_an_unknown_scheme_names_near_ones(self, domctx_dists: FakeDists) -> None:
        with pytest.raises(UsageError) as caught:
            domctx_dists.host().open_domain("simm:x", "save")
        assert caught.value.hint == "did you mean sim?"

    def test_a_name_without_a_scheme(self, domctx_dists: FakeDists) -> None:
        with pytest.raises(UsageError, match="does not name a domain"):
            domctx_dists.host().open_domain("state.json", "save")

    def test_a_scheme_of_a_plugin(self, domctx_dists: FakeDists) -> None:
        source = """
        from domctx_core import Domain, XenVersion
        class Mine(Domain):
            xen_version = XenVersion(4, 20)
            def __init__(self, request): self.rest = request.rest
            def pause(self): pass
            def unpause(self): pass
        """
        domctx_dists.add(
            "dom", entry_points={"domctx.domains": {"mine": "dom_mod:Mine"}},
            modules={"dom_mod": source},
        )  # fmt: skip
        host = domctx_dists.host()
        domain = host.open_domain("mine:a:b", "save")
        assert isinstance(domain, Domain)
        assert getattr(domain, "rest") == "a:b"  # noqa: B009
        assert save_image(domain, host.registry)[16:24] == bytes([4, 0, 0, 0, 20, 0, 0, 0])


@pytest.mark.parametrize(
    ("requirement", "fits"),
    [
        ("domctx-core", True),
        ("domctx-core>=0.1,<1", True),
        ("domctx-core<1,>=0.1.0", True),
        ("domctx-core>=0.1.1", False),
        ("domctx-core<0.1", False),
        ("domctx-core<0.1.0", False),
        ("domctx-core>=1", False),
        ("domctx-core==0.1.*", True),
        ("domctx-core~=0.2", False),
        ("domctx-core!=0.1.0", False),
        ("Domctx_Core[extra]>=0.1; python_version>'3'", True),
        ("domctx-core>=9; python_version<'3'", True),
        ("domctx-core>=0..1", False),
        ("domctx-plugin-other>=99", True),
    ],
)
def test_what_a_plugin_requires_of_the_core(
    domctx_dists: FakeDists, requirement: str, fits: bool
) -> None:
    domctx_dists.add("asks", entry_points=one(300, "ASKS", "asks_mod"), requires=[requirement])
    plugin = domctx_dists.plugin(domctx_dists.host(), "asks")
    assert plugin.status is (Status.LAZY if fits else Status.INCOMPATIBLE), plugin.reason


def test_the_usual_requirement_is_checked_without_a_library() -> None:
    code = (
        "import sys; from domctx_core import Host; Host();"
        "print('packaging.requirements' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"False\n"
