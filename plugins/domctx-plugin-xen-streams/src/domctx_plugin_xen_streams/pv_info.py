"""X86_PV_INFO of the libxc stream: what a PV guest is, on which other records depend."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import ClassVar, Self

from domctx_core import Body, Problem, RecordType, reserved, u8

__all__ = ["X86PvInfo", "X86PvInfoRecord"]


class X86PvInfo(Body):
    """What a PV guest is, needed to understand all that follows."""

    guest_width: int = u8(doc="size of a guest word, 4 or 8", unit="bytes")
    pt_levels: int = u8(doc="levels of the page tables, 3 or 4")
    pad = reserved(6)

    def check(self) -> Iterable[Problem]:
        """Check that words have 4 or 8 bytes, and page tables 3 or 4 levels."""
        for name, value, known in (
            ("guest_width", self.guest_width, (4, 8)),
            ("pt_levels", self.pt_levels, (3, 4)),
        ):
            if value not in known:
                yield Problem(
                    "field-out-of-range",
                    f"`{name}` is outside its range",
                    field=name,
                    expected=f"{known[0]} or {known[1]}",
                    actual=value,
                )

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a 32-bit or a 64-bit guest."""
        width = rng.choice([4, 8])
        return cls(guest_width=width, pt_levels=4 if width == 8 else 3)


class X86PvInfoRecord(RecordType[X86PvInfo]):
    """Word size and page tables of a PV guest; SHARED_INFO is laid out by it."""

    code, name, body = 0x02, "X86_PV_INFO", X86PvInfo
    remembered: ClassVar[bool] = True
