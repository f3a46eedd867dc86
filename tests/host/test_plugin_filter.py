"""The plugins that the user turned off, by the command line and by the environment."""

from __future__ import annotations

import pytest
from record_modules import point

from domctx_core import UsageError, save_image
from domctx_core.host.plugin import Status
from domctx_core.host.plugin_filter import PluginFilter
from domctx_core.testing import FakeDists


class TestPluginFilter:
    @pytest.mark.parametrize("name", ["my-plugin", "My_Plugin", "300.three", "plugin_mod"])
    def test_each_name_of_a_plugin_disables_it(self, domctx_dists: FakeDists, name: str) -> None:
        domctx_dists.add("my-plugin", entry_points=point(300, "THREE", "plugin_mod"))
        chosen = PluginFilter.from_environment({}, disable=[name])
        host = domctx_dists.host(disabled=chosen.disabled)
        plugin = domctx_dists.plugin(host, "my-plugin")
        assert plugin.status is Status.DISABLED
        assert plugin.reason == f"by -p no:{name}"

    def test_no_plugins_leaves_the_core(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("my-plugin", entry_points=point(300, "THREE", "plugin_mod"))
        host = domctx_dists.host(no_plugins="--no-plugins")
        assert domctx_dists.plugin(host, "my-plugin").status is Status.DISABLED
        assert len(save_image(host.open_domain("sim:", "save"), host.registry)) == 40

    def test_an_allow_list(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("one", entry_points=point(300, "ONE", "one_mod"))
        domctx_dists.add("two", entry_points=point(301, "TWO", "two_mod"))
        host = domctx_dists.host(only=frozenset({"two"}))
        assert domctx_dists.plugin(host, "one").status is Status.DISABLED
        assert domctx_dists.plugin(host, "two").status is Status.LAZY

    def test_a_name_that_matches_nothing_is_an_error_with_near_names(
        self, domctx_dists: FakeDists
    ) -> None:
        domctx_dists.add("my-plugin", entry_points=point(300, "THREE", "plugin_mod"))
        with pytest.raises(UsageError) as caught:
            domctx_dists.host(disabled={"my-plugn": "-p no:my-plugn"})
        assert caught.value.hint == "similar names: my-plugin"

    def test_near_names_are_as_they_are_listed(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("my-plugin", entry_points=point(300, "THREE_AAA", "plugin_mod"))
        with pytest.raises(UsageError) as caught:
            domctx_dists.host(disabled={"300-three-aab": "-p no:300.three_aab"})
        assert caught.value.hint == "similar names: 300.THREE_AAA"

    def test_blanks_around_a_name_are_nothing(self, domctx_dists: FakeDists) -> None:
        domctx_dists.add("my-plugin", entry_points=point(300, "THREE", "plugin_mod"))
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
