"""`domctx save`: byte order, and saves that fail."""

from __future__ import annotations

import json
from pathlib import Path

from cli_runs import Domctx


def test_big_endian(domctx: Domctx, tmp_path: Path) -> None:
    out = tmp_path / "out.img"
    domctx("save", "--byteorder", "big", "sim:vcpus=2,channels=5", "-o", out)
    assert out.read_bytes()[:4] == b"\0\0\0\1"
    assert domctx("verify", out).status == 0
    assert domctx("load", out, "sim:vcpus=2").status == 0


def test_a_save_that_fails_leaves_what_was_there(domctx: Domctx, tmp_path: Path) -> None:
    state = {
        "schema": "domctx.sim/1", "domid": 1, "xen_version": "4.17",
        "guest": {"kind": "pv", "vcpus": 1},
        "records": [{"type": 3, "instance": 0, "body": {"mode": "DEFAULT", "khz": "lots"}}],
    }  # fmt: skip
    source = domctx.file("state.json", json.dumps(state))
    out = domctx.file("out.img", b"precious")
    run = domctx("save", f"sim:{source}", "-o", out)
    assert run.status == 1
    assert "khz" in run.err
    assert "TSC_INFO[0]" in run.err
    assert out.read_bytes() == b"precious"


def test_state_of_a_type_that_nobody_knows_is_4(domctx: Domctx, tmp_path: Path) -> None:
    state = {"schema": "domctx.sim/1", "records": [{"type": 999, "body": {}}]}
    source = domctx.file("state.json", json.dumps(state))
    run = domctx("save", f"sim:{source}", "-o", tmp_path / "out.img")
    assert run.status == 4
    assert "999" in run.err
    assert not (tmp_path / "out.img").exists()
