"""The legacy stream of Xen before 4.6: recognised and named, and not decoded.

It has neither a magic nor a version. What it begins with depends on the toolstack's word size and
on the kind of guest, so that a mark is made of what is certain: how Xen's own converter reads the
first bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from domctx_core import Body, Errno, Format, Framing, ImageError, u32

__all__ = ["LEGACY_RULE", "LegacyHeader", "LibxcLegacy", "legacy_error"]

LEGACY_RULE = "xen-streams/legacy-stream"

ADVICE = "convert-legacy-stream, a tool of Xen, rewrites it"

_MOST_PAGES = 1 << 28
"""An entry has 28 bits for the PFN."""

_BATCH = 1024
"""Pages that are sent at once; only a guest's last batch is smaller."""

_BLOCKS = (b"vcpu", b"extv", b"xcnt")
"""What the first block of a PV guest's extended information may be called."""


class LegacyHeader(Body, byteorder="little"):
    """The first 8 bytes of a legacy stream, little-endian."""

    p2m_size: int = u32(doc="size of the guest's physical memory", unit="pages")
    upper: int = u32(
        doc="upper half of p2m_size from a 64-bit toolstack; what follows it from a 32-bit one",
        show="hex",
    )

    def summary(self) -> Mapping[str, str]:
        """Return who wrote it, and what to do."""
        return {"toolstack": "32-bit" if self.upper else "64-bit", "not decoded": ADVICE}


class LibxcLegacy(Format):
    """The stream that libxc wrote before Xen 4.6, after its first word kept as bytes."""

    name = "libxc-legacy"
    title = "legacy libxc stream, not decoded"
    opaque: ClassVar[bool] = True

    def recognises(self, head: bytes) -> bool:
        """Recognise the format by p2m_size and what must follow it; a PV guest of Xen 3.0 lacks that."""
        return any(_begins(head, word) for word in (8, 4))

    def prologue(self, bodies: Sequence[Body]) -> tuple[type[Body], int] | None:
        """Return the size of the guest's memory."""
        return None if bodies else (LegacyHeader, 8)

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        """Return the framing; what came before version 2 had no number, and is version 1 here."""
        return Framing("little", 1)


def _begins(head: bytes, word: int) -> bool:
    """Return True if a toolstack of that word size, in bytes, begins a stream like this."""
    size, rest = int.from_bytes(head[:word], "little"), head[word:]
    if not 0 < size <= _MOST_PAGES:
        return False
    if rest[:word] == b"\xff" * word:  # a PV guest: extended information
        return rest[word + 4 : word + 8] in _BLOCKS
    # an HVM guest: the first batch of pages, which begins with the first page
    seen = (64 - word - 4) // word
    pfns = b"".join(pfn.to_bytes(word, "little") for pfn in range(seen))
    return size >= _BATCH and rest.startswith(_BATCH.to_bytes(4, "little") + pfns)


def legacy_error(offset: int) -> ImageError:
    """Return the error for a stream whose records are needed and that has none."""
    return ImageError(
        "this is a legacy stream (of Xen before 4.6), which has no records and is not read",
        errno=Errno.EOPNOTSUPP,
        rule=LEGACY_RULE,
        offset=offset,
        expected="an xl save file, a libxl stream or a libxc stream of version 2 or higher",
        hint=ADVICE,
    )
