"""The fixtures that pytest has where domctx-core is installed."""

from __future__ import annotations

import subprocess
import sys

from domctx_core.host.host import Host
from domctx_core.testing import CommandRunner, FakeDists, HookRecorder, ImageBuilder


def test_a_pytest_run_that_does_not_use_the_kit_imports_none_of_it() -> None:
    code = "import sys, domctx_core.testing.plugin; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )  # fmt: skip
    ours = {name for name in done.stdout.split() if name.partition(".")[0] == "domctx_core"}
    assert ours == {"domctx_core", "domctx_core.testing", "domctx_core.testing.plugin"}


def test_the_fixtures_are_new_and_know_of_each_other(
    domctx_dists: FakeDists, domctx_host: Host, domctx_image: ImageBuilder,
    domctx_cli: CommandRunner, domctx_hooks: HookRecorder,
) -> None:  # fmt: skip
    assert {plugin.entry_point.dist for plugin in domctx_host.plugins} == {"domctx-core"}
    assert domctx_image.byteorder == "little"
    assert domctx_image.build() == b""
    assert domctx_hooks.traced == []
    domctx_dists.add("made", "1.5", {"domctx.domains": {"made": "nowhere:made"}})
    assert domctx_cli("plugins", "freeze").out == "made==1.5\n"


def test_without_made_up_distributions_the_command_sees_what_is_installed(
    domctx_cli: CommandRunner,
) -> None:
    listed = domctx_cli("plugins", "list", "--json").json["plugins"]
    assert {plugin["dist"] for plugin in listed} == {p.entry_point.dist for p in Host().plugins}
