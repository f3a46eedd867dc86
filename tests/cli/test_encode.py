"""`domctx encode`: an image of a document, and documents that are refused."""

from __future__ import annotations

from pathlib import Path

from cli_runs import IMAGE, Domctx


def document(domctx: Domctx) -> str:
    return domctx("decode", domctx.file("x.img"), "-o", "-").out


def test_a_changed_value_is_encoded(domctx: Domctx, tmp_path: Path) -> None:
    changed = document(domctx).replace("2400000", "2400001")
    out = tmp_path / "out.img"
    assert domctx("encode", domctx.file("x.json", changed), "-o", out).status == 0
    assert out.read_bytes() == IMAGE.replace(
        (2400000).to_bytes(4, "little"), (2400001).to_bytes(4, "little")
    )


def test_a_refused_document_leaves_no_image(domctx: Domctx, tmp_path: Path) -> None:
    changed = document(domctx).replace("2400000", '"lots"')
    out = tmp_path / "out.img"
    run = domctx("encode", domctx.file("x.json", changed), "-o", out)
    assert run.status == 1
    assert "khz" in run.err
    assert not out.exists()


def test_malformed_json_is_refused(domctx: Domctx, tmp_path: Path) -> None:
    run = domctx("encode", domctx.file("x.json", "{"), "-o", tmp_path / "out.img")
    assert run.status == 1
    assert "Traceback" not in run.err
