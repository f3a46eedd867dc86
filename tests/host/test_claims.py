"""Conflicts: two plugins, or a plugin and the core, that claim one code, name, scheme or verb."""

from __future__ import annotations

import re
import sys
from contextlib import suppress

import pytest
from record_modules import HOOKS, point, record_module

from domctx_core import ConflictError, PluginError, save_image
from domctx_core.host.discovery import normalise
from domctx_core.host.host import Host
from domctx_core.host.plugin import Status
from domctx_core.testing import FakeDists


class TestConflict:
    def test_of_codes_names_both_and_uses_neither(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("first", "1.1", point(300, "ONE", "first_mod"))
        domctx_dists.add("second", "2.2", point(300, "TWO", "second_mod"))
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
        domctx_dists.add("first", entry_points=point(300, "SAME", "first_mod"))
        domctx_dists.add("second", entry_points=point(301, "SAME", "second_mod"))
        host = domctx_dists.host()
        for code in (300, 301):
            with pytest.raises(ConflictError, match="the name SAME"):
                host.registry.get(code)

    def test_is_gone_when_one_is_disabled(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("first", entry_points=point(300, "ONE", "first_mod"))
        domctx_dists.add(
            "second", entry_points=point(300, "TWO", "second_mod"),
            modules={"second_mod": record_module(300, "TWO")},
        )  # fmt: skip
        host = domctx_dists.host(disabled={"first": "-p no:first"})
        entry = host.registry.get(300)
        assert entry is not None
        assert entry.record_type.name == "TWO"
        assert domctx_dists.plugin(host, "first").reason == "by -p no:first"

    def test_with_the_core_does_not_take_start_away_silently(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("thief", entry_points=point(1, "MINE", "thief_mod"))
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
            domctx_dists.add("a-sim", entry_points=HOOKED, modules={"hooks_mod": source})
        else:
            domctx_dists.add("a-sim", entry_points={"domctx.domains": {"sim": "nowhere:open"}})
        host = domctx_dists.host()
        host.load_run_time()
        assert len(save_image(host.open_domain("sim:", "save"), host.registry)) == 40
        plugin = domctx_dists.plugin(host, "a-sim")
        assert plugin.status is Status.CONFLICT
        assert "the scheme sim belongs to domctx" in plugin.reason


HOOKED = {HOOKS: {"hooks": "hooks_mod"}}


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
            with pytest.raises(PluginError, match="expected a Domain, got None") as caught:
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
