"""Deprecation: the plugin is named, and nothing stays deprecated beyond its time."""

from __future__ import annotations

import pytest
from packaging.version import Version

from domctx_core._version import __version__
from domctx_core.host.deprecation import DEPRECATED, Deprecation, DomctxDeprecationWarning
from domctx_core.host.host import Host
from domctx_core.host.pluggy_modules import HOOKS
from domctx_core.testing import FakeDists

SOON = Deprecation("domctx_checks", "0.1", "0.3", "domctx_record_types")


def overdue(deprecations: tuple[Deprecation, ...], version: str) -> list[str]:
    return [each.name for each in deprecations if Version(version) >= Version(each.removed_in)]


def test_nothing_is_overdue() -> None:
    assert overdue(DEPRECATED, __version__) == []
    assert all(each.name.partition(".")[0] in HOOKS for each in DEPRECATED)


def test_what_is_overdue_is_noticed() -> None:
    assert overdue((SOON,), "0.2.9") == []
    assert overdue((SOON,), "0.3") == ["domctx_checks"]


def test_the_warning_names_the_plugin_and_what_to_use(domctx_dists: FakeDists) -> None:
    source = """
    from domctx_core import hookimpl
    @hookimpl
    def domctx_checks(): return []
    """
    domctx_dists.add("old", "1.5", {"domctx.plugins": {"old": "old_hooks"}}, {"old_hooks": source})
    host = Host(path=domctx_dists.path, deprecated=[SOON])
    with pytest.warns(DomctxDeprecationWarning, match="old 1.5 implements domctx_checks"):
        host.load_run_time()
    (warning,) = domctx_dists.plugin(host, "old").warnings
    assert warning.endswith("goes away in 0.3; use domctx_record_types")
