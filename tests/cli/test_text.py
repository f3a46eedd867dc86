"""Text output: hex dumps, tables, sizes, and control characters that are escaped."""

from __future__ import annotations

import pytest
from cli_runs import IMAGE, Domctx

from domctx_core.cli.text import hex_dump, size_text


def test_hex(domctx: Domctx) -> None:
    run = domctx("show", "--hex", domctx.file("x.img"))
    assert "0x00000028  00 00 00 00 00 9f 24 00  15 cd 5b 07 00 00 00 00" in run.out


def test_a_text_in_the_image_cannot_drive_the_terminal(domctx: Domctx) -> None:
    evil = b"\x1b[31m\x07" * 3
    header = bytes.fromhex("40000000 00000000") + len(evil).to_bytes(8, "little")
    path = domctx.file("x.img", IMAGE[:24] + header + evil + b"\0" * 6 + IMAGE[-16:])
    assert "\x1b" not in domctx("show", path).out


@pytest.mark.parametrize(("size", "text"), [(0, "0 bytes"), (80, "80 bytes")])
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


def test_a_dump_that_is_cut_ends_in_the_number_of_bytes_left() -> None:
    lines = list(hex_dump(bytes(range(16)), 0x20, 40))
    assert lines[0].strip().startswith("0x00000020  00 01 02")
    assert "24 more bytes" in lines[-1]
