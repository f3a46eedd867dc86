"""`domctx report`: where the page is written, and that inputs are not overwritten."""

from __future__ import annotations

from pathlib import Path

from cli_runs import IMAGE, Domctx


def test_the_page_is_written_to_a_file(domctx: Domctx, tmp_path: Path) -> None:
    out = tmp_path / "x.html"
    assert domctx("report", domctx.file("x.img"), "-o", out).status == 0
    page = out.read_text()
    assert page.lower().startswith("<!doctype html>")
    assert "TSC_INFO" in page


def test_the_image_is_not_overwritten(domctx: Domctx) -> None:
    path = domctx.file("x.img")
    assert domctx("report", path, "-o", path).status == 2
    assert path.read_bytes() == IMAGE
