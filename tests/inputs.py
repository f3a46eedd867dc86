"""The images that tests go through: the corpus, examples and the captures of plugins."""

from __future__ import annotations

from environments import ROOT

__all__ = ["INPUTS"]

INPUTS = sorted(
    [
        *(ROOT / "tests/data/corpus").rglob("*.img"),
        *(ROOT / "examples").rglob("*.no-pages"),
        *(ROOT / "plugins").glob("*/tests/data/*.no-pages"),
    ]
)
