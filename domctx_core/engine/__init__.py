"""The engine: `save_domain` and `load_domain`, with the semantics of the seed's C engine."""

from __future__ import annotations

from domctx_core.engine.entries import END, START
from domctx_core.engine.load import LoadResult, load_domain
from domctx_core.engine.save import save_domain, save_image, size_domain

__all__ = ["END", "START", "LoadResult", "load_domain", "save_domain", "save_image", "size_domain"]
