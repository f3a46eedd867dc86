"""The map of an image: to scale, and legible."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path

import pytest
from report_pages import (
    PV1,
    make_report,
    page_of,
)
from report_parts import mapped

from domctx_core import (
    FileSource,
)
from domctx_core.report.bands import MAX_BANDS
from domctx_core.testing import ImageBuilder


def test_the_map_is_to_scale_and_every_band_can_be_read() -> None:
    report = make_report(PV1.read_bytes())
    bands = report.map.bands
    assert all(band.height >= 20 for band in bands)
    assert all(a.top + a.height <= b.top for a, b in itertools.pairwise(bands))
    for band in bands:
        assert band.strip_top * report.map.scale == pytest.approx(band.offset, abs=1)
        assert band.strip_height * report.map.scale == pytest.approx(band.size, abs=1)
    shared = next(band for band in bands if band.label == "SHARED_INFO")
    assert sum(part.size for part in shared.parts) == shared.size
    tsc = next(band for band in bands if band.label.startswith("X86_TSC_INFO"))
    assert [(part.kind, part.size) for part in tsc.parts] == [("header", 8), ("body", 24)]


def test_a_record_of_4_gib_and_one_of_8_bytes_can_both_be_seen(tmp_path: Path) -> None:
    stream = PV1.read_bytes()
    at = stream.index(struct.pack("<II", 8, 24), 0x800)  # X86_TSC_INFO of the libxc stream
    head = struct.pack("<II", 1, 8) + struct.pack("<Q", 3)
    length = 2**32 - 16
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.write(stream[:at] + struct.pack("<II", 1, length) + head)
        file.seek(at + 8 + length)
        file.write(stream[at:])
    with open(path, "rb") as file:
        report = make_report(FileSource(file))
        page = page_of(report)
    large = next(band for band in report.map.bands if band.label == "PAGE_DATA")
    end = report.map.bands[-1]
    assert large.size == 2**32 - 8
    assert end.label == "END"
    assert end.height >= 20
    assert large.height > 3 * end.height
    assert large.strip_height > 0.99 * report.map.height
    assert [part.kind for part in large.parts] == ["header", "body", "pages"]
    assert len(page.html) < 1_000_000
    assert "bytes of pages are not in this report" in page.html


def test_more_bands_than_fit_share_them() -> None:
    builder = ImageBuilder().start()
    for number in range(2000):
        builder.record(3 if number % 2 else 2, number, b"12345678")
    report = make_report(builder.end().build(), judged=False)
    assert report.map.merged
    assert len(report.map.bands) <= MAX_BANDS
    assert sum(band.count for band in report.map.bands) == 2002
    assert mapped(page_of(report)) == 2002
