"""`domctx types`: tables and JSON."""

from __future__ import annotations

from cli_runs import Domctx


def test_types_json(domctx: Domctx) -> None:
    document = domctx("types", "--json").json
    assert document["schema"] == "domctx.types/1"
    start = next(t for t in document["types"] if t["name"] == "START")
    assert start == {
        "format": "domain-context",
        "code": 1,
        "name": "START",
        "name_buffer": b"START".ljust(16, b"\0").hex(),
        "dist": "domctx-core",
        "version": "0.1.0",
        "loaded": False,
        "layout": None,
    }
    with_layout = domctx("types", "--json", "--layout").json["types"]
    start = next(t for t in with_layout if t["name"] == "START")
    assert [field["name"] for field in start["layout"]] == ["xen_major", "xen_minor"]
    assert all(t["layout"] is not None for t in with_layout)


def test_types_and_plugins_as_tables(domctx: Domctx) -> None:
    types = domctx("types").out
    assert "domain-context  0x3   TSC_INFO" in types
    assert "cannot be used" not in types
    off = domctx("-p", "no:domctx-plugin-tsc-info", "types").out
    assert off.count("domctx-plugin-tsc-info 0.1.0, cannot be used") == 1
    assert "`domctx plugins list` says why" in off
    plugins = domctx("plugins", "list").out
    assert "domctx-plugin-tsc-info" in plugins
    layout = domctx("types", "--layout").out
    assert "frequency" in layout or "kHz" in layout
