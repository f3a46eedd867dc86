"""Images and distributions for the tests of the host: one plugin that works, and room for others."""

from __future__ import annotations

from pathlib import Path

import pytest
from record_modules import GOOD, NEEDED, point, record_module

from domctx_core.testing import FakeDists, ImageBuilder


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Provide an image of START and END."""
    path = tmp_path / "a.img"
    path.write_bytes(ImageBuilder().start().end().build())
    return path


@pytest.fixture
def images(tmp_path: Path) -> tuple[Path, Path]:
    """Provide an image with a record of the good plugin only, and one that needs the bad one too."""
    made = []
    for name, codes in (("good.img", [GOOD]), ("needs.img", [GOOD, NEEDED])):
        builder = ImageBuilder().start()
        for code in codes:
            builder.record(code, 0, b"\7\0\0\0")
        path = tmp_path / name
        path.write_bytes(builder.end().build())
        made.append(path)
    return made[0], made[1]


@pytest.fixture
def dists(domctx_dists: FakeDists) -> FakeDists:
    """Provide distributions with one that works, `good`."""
    module = {"good_mod": record_module(GOOD, "GOOD")}
    domctx_dists.add("good", "1.0", point(GOOD, "GOOD", "good_mod"), module)
    return domctx_dists
