"""Pause Python's garbage collector while many objects without cycles are created."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["gc_paused"]


@contextmanager
def gc_paused() -> Iterator[None]:
    """Disable the search for cycles inside the block."""
    # A big document is one tree without cycles, and the bodies of a large load all stay alive:
    # searching them again and again while they grow takes longer than creating them.
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
