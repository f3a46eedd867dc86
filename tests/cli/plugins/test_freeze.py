"""`domctx plugins freeze`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sample_plugin import TYPES

from domctx_core.testing import CommandRunner, FakeDists


class TestFreeze:
    def test_names_and_versions_sorted(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        for name, version in (("zeta", "2.0"), ("Alpha_One", "1.5"), ("broken", "0.1")):
            domctx_dists.add(name, version, {TYPES: {"x": "y:z"}, "domctx.domains": {name: "y:z"}})
        domctx_dists.add("zeta", "1.0", {"domctx.domains": {"zeta": "y:z"}}, folder="later")
        result = domctx_cli("plugins", "freeze")
        assert result.status == 0
        assert result.out == "alpha-one==1.5\nbroken==0.1\nzeta==2.0\n"

    @pytest.mark.parametrize("folder", ["tree", "a tree"])
    def test_an_editable_one_is_where_it_is(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists, tmp_path: Path, folder: str
    ) -> None:
        tree = tmp_path / folder
        info = domctx_dists.add("mine", "1.0", {"domctx.domains": {"mine": "y:z"}})
        direct = {"url": tree.as_uri(), "dir_info": {"editable": True}}
        (info / "direct_url.json").write_text(json.dumps(direct))
        shown = f"'{tree}'" if " " in folder else str(tree)
        assert domctx_cli("plugins", "freeze").out == f"# editable: mine==1.0\n-e {shown}\n"

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"url": "file:///x", "dir_info": {}}'])
    def test_what_is_not_editable(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists, text: str
    ) -> None:
        info = domctx_dists.add("mine", "1.0", {"domctx.domains": {"mine": "y:z"}})
        (info / "direct_url.json").write_text(text)
        assert domctx_cli("plugins", "freeze").out == "mine==1.0\n"
