"""Versions of Xen: the one that saved a domain, and the one that is to load it."""

from __future__ import annotations

import re
from typing import NamedTuple

from domctx_core.base.errors import UsageError

__all__ = ["XenVersion"]


class XenVersion(NamedTuple):
    """A Xen release, compared as people expect: 4.9 is older than 4.15."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> XenVersion:
        """Parse a version such as `4.17`; raise `UsageError` for anything else."""
        match = re.fullmatch(r"(\d{1,9})\.(\d{1,9})", text, re.ASCII)
        if match is None:
            raise UsageError(f"{text!r} is not a Xen version", expected="MAJOR.MINOR, as in 4.17")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"
