"""Distributions made for one test: found by hosts, imported, and forgotten afterwards."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

import pytest
from record_modules import point, record_module

from domctx_core.host.plugin import Status
from domctx_core.host.plugin_filter import VARIABLES
from domctx_core.testing import FakeDists


@pytest.fixture
def dists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDists:
    """Provide made-up distributions, apart from those of the fixture."""
    return FakeDists(tmp_path / "made", monkeypatch)


def test_the_core_is_always_there(dists: FakeDists) -> None:
    host = dists.host()
    assert {plugin.entry_point.dist for plugin in host.plugins} == {"domctx-core"}
    assert [entry.name for entry in host.registry] == ["END", "START"]


def test_a_distribution_is_found_with_its_metadata(dists: FakeDists) -> None:
    info = dists.add(
        "Acme_Plugin", "2.1", point(300, "ONE", "acme_mod"), {"acme_mod": record_module(300, "ONE")},
        requires=["domctx-core>=0.1,<1"], metadata={"Summary": "made up"},
    )  # fmt: skip
    assert info.name == "Acme_Plugin-2.1.dist-info"
    host = dists.host()
    plugin = dists.plugin(host, "acme-plugin")
    assert str(plugin.provider) == "acme-plugin 2.1"
    assert plugin.entry_point.summary == "made up"
    assert plugin.entry_point.requires == ("domctx-core>=0.1,<1",)
    assert plugin.status is Status.LAZY
    entry = host.registry.get(300)
    assert entry is not None
    assert entry.record_type.name == "ONE"


def test_modules_are_forgotten(dists: FakeDists) -> None:
    dists.add("made", files={"made_pkg/__init__.py": "", "made_pkg/part.py": "value = 7"})
    assert import_module("made_pkg.part").value == 7
    dists.forget()
    assert not {"made_pkg", "made_pkg.part"} & set(sys.modules)


def test_a_module_that_is_written_again_is_imported_again(dists: FakeDists) -> None:
    dists.add("made", "1", modules={"made_mod": "value = 1"})
    assert import_module("made_mod").value == 1
    dists.add("made", "2", modules={"made_mod": "value = 2"})
    assert import_module("made_mod").value == 2


def test_folders_are_searched_in_the_order_in_which_they_were_added(dists: FakeDists) -> None:
    for version in ("1.0", "2.0"):
        dists.add("twice", version, point(300, "ONE", "nowhere"), folder=f"folder{version}")
    assert [Path(folder).name for folder in dists.path] == ["site", "folder1.0", "folder2.0"]
    found = [p for p in dists.host().plugins if p.entry_point.dist == "twice"]
    assert [(p.entry_point.version, p.status) for p in found] == [
        ("1.0", Status.LAZY), ("2.0", Status.SHADOWED),
    ]  # fmt: skip


def test_the_options_are_those_of_the_filter(dists: FakeDists) -> None:
    dists.add("made", entry_points=point(300, "ONE", "nowhere"))
    host = dists.host(disabled={"made": "by the test"})
    assert dists.plugin(host, "made").status is Status.DISABLED
    with pytest.raises(LookupError, match="other"):
        dists.plugin(host, "other")


def test_the_developer_s_own_switches_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "made")
    FakeDists(tmp_path / "made", monkeypatch)
    assert not set(VARIABLES) & set(os.environ)
