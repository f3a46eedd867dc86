"""`domctx plugins list`."""

from __future__ import annotations

from cli_runs import Domctx


def test_plugins_json(domctx: Domctx) -> None:
    document = domctx("-p", "no:domctx-plugin-tsc-info", "plugins", "list", "--json").json
    assert document["schema"] == "domctx.plugins/1"
    tsc = next(p for p in document["plugins"] if p["dist"] == "domctx-plugin-tsc-info")
    assert tsc["status"] == "disabled"
    assert tsc["reason"] == "by -p no:domctx-plugin-tsc-info"
    assert tsc["record_types"] == ["3.TSC_INFO"]
    assert tsc["hooks"] is None
