"""The host: what it finds, what it keeps apart, and what it says of each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from record_modules import TYPES, odd_module, point, record_module

from domctx_core import ConflictError, DeclarationError, Domain, PluginError, UsageError, save_image
from domctx_core.host.plugin import Status
from domctx_core.testing import CommandRunner, FakeDists


class TestStatus:
    def test_the_core_is_built_in_and_comes_first(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("aaa", entry_points=point(300, "THREE", "aaa_mod"))
        host = domctx_dists.host()
        assert [p.entry_point.dist for p in host.plugins][-1] == "aaa"
        assert {p.status for p in host.plugins if p.entry_point.dist == "domctx-core"} == {
            Status.BUILT_IN
        }
        assert [entry.name for entry in host.registry][:2] == ["END", "START"]

    def test_order_is_by_normalised_name_wherever_they_lie(self, domctx_dists: FakeDists) -> None:
        for number, name in enumerate(["Zeta", "alpha_b", "alpha-a"]):
            module = f"order_mod_{number}"
            domctx_dists.add(name, entry_points=point(300 + number, f"T{number}", module))
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
            "lazy",
            "2.1",
            point(300, "THREE", "lazy_mod"),
            {"lazy_mod": record_module(300, "THREE")},
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
            "bad", entry_points=point(300, "BAD", "bad_mod"), modules={"bad_mod": source}
        )
        domctx_dists.add(
            "good", entry_points=point(301, "GOOD", "good_mod"),
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
            "loud", entry_points=point(300, "LOUD", "loud_mod"), modules={"loud_mod": source}
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
            "slow", entry_points=point(300, "SLOW", "slow_mod"),
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
            "liar", entry_points=point(300, "SAID", "liar_mod"),
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
            "future", entry_points=point(300, "NEXT", "future_mod"),
            modules={"future_mod": record_module(300, "NEXT")}, requires=["Domctx_Core>=99"],
        )  # fmt: skip
        host = domctx_dists.host()
        plugin = domctx_dists.plugin(host, "future")
        assert plugin.status is Status.INCOMPATIBLE
        assert "requires domctx-core>=99" in plugin.reason
        entry = host.registry.get(300)
        assert entry is not None
        with pytest.raises(PluginError, match="incompatible"):
            entry.record_type  # noqa: B018
        assert "future_mod" not in sys.modules

    def test_a_second_copy_on_the_path_is_shadowed(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("twice", "1.0", point(300, "TWICE", "twice_mod"), folder="site")
        domctx_dists.add("twice", "2.0", point(300, "TWICE", "twice_mod"), folder="later")
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
        domctx_dists.add("long", entry_points=point(300, "A234567890123456", "long_mod"))
        host = domctx_dists.host()
        assert domctx_dists.plugin(host, "long").status is Status.FAILED
        assert host.registry.get(300) is None

    def test_codes_are_numbers_whatever_their_spelling(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("hex", entry_points={TYPES: {"0x12c.HEX": "hex_mod:MyRecord"}})
        domctx_dists.add("dec", entry_points=point(300, "DEC", "dec_mod"))
        with pytest.raises(ConflictError):
            domctx_dists.host().registry.get(300)


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


@pytest.mark.parametrize("gives", ["None", "5"])
def test_a_scheme_that_opens_no_domain(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, tmp_path: Path, gives: str
) -> None:
    declared = f"[DomainDeclaration('odd', lambda request: {gives})]"
    odd_module(domctx_dists, f"@hookimpl\ndef domctx_domains(): return {declared}\n")
    done = domctx_cli("save", "odd:1", "-o", tmp_path / "x")
    assert done.status == 4
    assert f"expected a Domain, got {gives}" in done.err
    assert "provider: odd 1.5" in done.err


def test_an_observer_that_is_none(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, image: Path
) -> None:
    odd_module(
        domctx_dists, "@hookimpl\ndef domctx_observers(): return [ObserverDeclaration(dict)]\n"
    )
    done = domctx_cli("verify", image)
    assert done.status == 0
    assert (
        "odd 1.5: is failed: its observer raised TypeError: expected an Observer, got {}"
        in done.err
    )
    checked = domctx_cli("plugins", "check", "odd")
    assert checked.status == 1
    assert "its observer raised" in checked.out


def test_an_observer_that_raises_is_named_with_its_plugin(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, image: Path
) -> None:
    source = "class Odd(Observer):\n    def records(self, batch): raise ValueError('deaf')\n"
    odd_module(
        domctx_dists,
        source + "@hookimpl\ndef domctx_observers(): return [ObserverDeclaration(Odd)]\n",
    )
    said = "warning: plugin odd 1.5: its observer odd_hooks.Odd raised ValueError: deaf\n"
    assert said in domctx_cli("verify", image).err
