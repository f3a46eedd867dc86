"""`domctx diff`: statuses, text and JSON."""

from __future__ import annotations

from cli_runs import IMAGE, Domctx

OTHER = IMAGE.replace((2400000).to_bytes(4, "little"), (2400001).to_bytes(4, "little"))


def test_equal_images_are_0_and_without_output(domctx: Domctx) -> None:
    run = domctx("diff", domctx.file("a.img"), domctx.file("b.img"))
    assert run.status == 0
    assert "TSC_INFO" not in run.out


def test_a_field_that_differs_is_printed_with_both_values(domctx: Domctx) -> None:
    run = domctx("diff", domctx.file("a.img"), domctx.file("b.img", OTHER))
    assert run.status == 1
    (line,) = [line for line in run.out.splitlines() if "khz" in line]
    assert "2400000" in line
    assert "2400001" in line


def test_json(domctx: Domctx) -> None:
    run = domctx("diff", "--json", domctx.file("a.img"), domctx.file("b.img", OTHER))
    assert run.status == 1
    assert run.json["schema"].startswith("domctx.diff/")


def test_a_missing_image_is_3(domctx: Domctx) -> None:
    assert domctx("diff", domctx.file("a.img"), "/no/such").status == 3
