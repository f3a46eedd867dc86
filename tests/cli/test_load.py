"""`domctx load`: state files, and images that are refused."""

from __future__ import annotations

import json
from pathlib import Path

from cli_runs import IMAGE, Domctx


def test_load_makes_a_state_file_that_saves_again(domctx: Domctx, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    run = domctx("load", domctx.file("x.img"), f"sim:{state},vcpus=2")
    assert run.status == 0
    assert "1 record, 80 bytes, 1 change" in run.err
    kept = json.loads(state.read_bytes())
    assert kept["schema"] == "domctx.sim/1"
    assert (kept["pauses"], kept["unpauses"]) == (1, 1)
    out = tmp_path / "again.img"
    assert domctx("save", f"sim:{state}", "-o", out).status == 0
    expected = bytearray(IMAGE)
    expected[56] = 2  # the incarnation is one more
    assert out.read_bytes() == bytes(expected)


def test_a_refused_image_leaves_the_state_file_as_it_was(domctx: Domctx, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    assert domctx("load", domctx.file("x.img"), f"sim:{state}").status == 0
    before = state.read_bytes()
    run = domctx("load", domctx.file("bad.img", IMAGE[:64]), f"sim:{state}")
    assert run.status == 1
    assert "error[end-missing]" in run.err
    assert "ENODATA (61)" in run.err
    assert state.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_newer_image_is_refused_unless_allowed(domctx: Domctx, tmp_path: Path) -> None:
    target = f"sim:{tmp_path / 'old.json'},xen=4.15"
    run = domctx("load", domctx.file("x.img"), target)
    assert run.status == 1
    assert "EOPNOTSUPP (95)" in run.err
    assert domctx("load", "--allow-newer", domctx.file("x.img"), target).status == 0
