"""Opening what the user names on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from domctx_core.cli.app import App
from domctx_core.errors import UsageError
from domctx_core.sources import FileSource, Source, open_source

__all__ = ["open_input", "parse_size"]


@contextmanager
def open_input(app: App, path: str) -> Iterator[Source]:
    """The image at `path`, or standard input for `-`."""
    if path == "-":
        yield FileSource(app.standard_input())
        return
    with open_source(path) as source:
        yield source


def parse_size(text: str) -> int:
    """A number of bytes such as 4096, 64K, 128M or 2G (of 1024); for click's `type`."""
    factor = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1:].upper(), 1)
    digits = text[:-1] if factor > 1 else text
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise UsageError(f"{text!r} is not a size", expected="4096, 64K, 128M or 2G")
    return int(digits) * factor
