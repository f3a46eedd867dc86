"""`domctx report`: where the page is written, and that inputs are not overwritten."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import IMAGE, Domctx
from report_pages import (
    PV1,
    Page,
    channel_image,
)
from report_parts import PV2, cards

from domctx_core.testing import CommandRunner, ImageBuilder


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


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    path = tmp_path / "damaged.img"
    path.write_bytes(ImageBuilder().start().build() + b"\0\0\0")
    return path


def test_the_command_writes_a_page_and_tells_of_errors(
    domctx_cli: CommandRunner, tmp_path: Path, damaged: Path
) -> None:
    page = tmp_path / "page.html"
    assert domctx_cli("report", PV1, "-o", page).status == 0
    assert Page(page.read_text()).by_tag("h1") == "pv1.save.no-pages"
    ran = domctx_cli("report", damaged, "-o", page)
    assert (ran.status, ran.out, ran.err) == (1, "", "")
    assert "truncated-header" in Page(page.read_text()).by_id["findings"].text


def test_the_page_on_standard_output(domctx_cli: CommandRunner) -> None:
    ran = domctx_cli("report", PV1, "-o", "-", "--type", "0x8", "--limit", "5")
    page = Page(ran.out)
    assert ran.status == 0
    assert [each.find("h4")[0].text for each in cards(page)] == ["X86_TSC_INFO"]


def test_a_pipe_as_input_and_an_image_to_compare(
    domctx_cli: CommandRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    with open(writer, "wb") as file:
        file.write(PV1.read_bytes())
    with open(reader) as file:
        monkeypatch.setattr(sys, "stdin", file)
        ran = domctx_cli("report", "-", "-o", tmp_path / "page.html", "--against", PV2)
    assert ran.status == 0
    page = Page((tmp_path / "page.html").read_text())
    assert page.by_tag("h1") == "standard input"
    assert "pv2l.save.no-pages" in page.by_id["differences"].text


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["no-such-image", "-o", "page.html"], 3, "No such file"),
        (["IMAGE"], 2, "--output"),
        (["IMAGE", "-o", "IMAGE"], 2, "would take the place of"),
        (["IMAGE", "-o", "page.html", "--type", "TSC_INF"], 2, "did you mean"),
        (["IMAGE", "-o", "no/such/folder.html"], 3, "cannot write"),
        (["IMAGE", "-o", "page.html", "--against", "nothing"], 3, "No such file"),
    ],
)
def test_what_cannot_be_done_leaves_no_page(
    domctx_cli: CommandRunner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    status: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    image = tmp_path / "an.img"
    image.write_bytes(channel_image(1))
    before = image.read_bytes()
    ran = domctx_cli("report", *(str(image) if each == "IMAGE" else each for each in arguments))
    assert ran.status == status
    assert said in ran.err
    assert not (tmp_path / "page.html").exists()
    assert image.read_bytes() == before


def test_nobody_pays_for_templates_who_writes_no_report() -> None:
    code = (
        "import sys; from domctx_core.cli import main; main(['verify', sys.argv[1]]);"
        "from domctx_core import Report;"
        "sys.exit('jinja2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, PV1], capture_output=True)
    assert done.returncode == 0, done.stderr
