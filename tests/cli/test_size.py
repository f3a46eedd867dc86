"""`domctx size` is the size of what `domctx save` writes."""

from __future__ import annotations

from pathlib import Path

from cli_runs import Domctx


def test_size_is_what_save_writes(domctx: Domctx, tmp_path: Path) -> None:
    for domain in ("sim:", "sim:vcpus=3,channels=77,seed=5", "sim:seed=1,kind=hvm"):
        size = int(domctx("size", domain).out)
        out = tmp_path / "out.img"
        assert domctx("save", domain, "-o", out).status == 0
        assert out.stat().st_size == size
        assert domctx("size", "--json", domain).json["size"] == size
        assert domctx("verify", out).status == 0
