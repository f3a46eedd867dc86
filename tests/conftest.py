"""Fixtures that more than one module of tests uses."""

from __future__ import annotations

from fake_dists import fake_dists

__all__ = ["fake_dists"]
