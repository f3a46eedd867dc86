"""Discovery: every entry point of domctx's groups, in a fixed order, without importing any.

The only module that knows importlib-metadata.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import importlib_metadata

__all__ = ["CORE", "GROUPS", "Found", "discover", "normalise"]

CORE = "domctx-core"
"""The distribution whose entry points are built in."""

GROUPS = (
    "domctx.record_types",
    "domctx.formats",
    "domctx.domains",
    "domctx.commands",
    "domctx.plugins",
)
"""The groups of entry points, in the order in which they are listed."""


@dataclass(frozen=True)
class Found:
    """One entry point and the distribution that it comes from.

    `shadowed_by` says which other copy of the same distribution comes first on the path.
    `requires` is what the distribution's metadata asks for.
    """

    dist: str
    version: str
    location: str
    group: str
    name: str
    value: str
    requires: tuple[str, ...]
    shadowed_by: str | None
    entry_point: importlib_metadata.EntryPoint

    @property
    def editable(self) -> bool:
        """Whether the distribution is installed as a link to somebody's working tree."""
        dist = self.entry_point.dist
        text = None if dist is None else dist.read_text("direct_url.json")
        try:
            return bool(json.loads(text or "{}").get("dir_info", {}).get("editable"))
        except (ValueError, AttributeError):
            return False

    @property
    def summary(self) -> str:
        """The one line that the distribution's metadata says of itself."""
        dist = self.entry_point.dist
        return "" if dist is None else dist.metadata["Summary"] or ""

    @property
    def module(self) -> str:
        """The module that the entry point names."""
        return self.value.partition(":")[0].strip()


def normalise(name: str) -> str:
    """A distribution's name in the form that compares (lower case, single hyphens)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def discover(path: Iterable[str] | None = None) -> list[Found]:
    """All entry points of `GROUPS`: the core's first, then by distribution, group and name.

    `path` is searched instead of `sys.path` where it is given.
    """
    found: list[Found] = []
    first: dict[str, str] = {}
    for dist in _distributions(path):
        name = dist.metadata["Name"] or ""
        version = dist.version or "?"
        location = str(dist.locate_file(""))
        key = normalise(name)
        shadowed_by = first.get(key)
        first.setdefault(key, f"{version} in {location}")
        requires = tuple(dist.requires or ())
        for point in dist.entry_points:
            if point.group in GROUPS:
                found.append(
                    Found(
                        key,
                        version,
                        location,
                        point.group,
                        point.name,
                        point.value,
                        requires,
                        shadowed_by,
                        point,
                    )  # fmt: skip
                )
    return sorted(
        found, key=lambda f: (f.dist != CORE, f.dist, GROUPS.index(f.group), f.name, f.location)
    )


def _distributions(path: Iterable[str] | None) -> Iterator[importlib_metadata.Distribution]:
    """Those that name any of our groups: looking into a file is cheaper than parsing it."""
    if path is None:
        every = importlib_metadata.Distribution.discover()
    else:
        every = importlib_metadata.Distribution.discover(path=list(path))
    for dist in every:
        text = dist.read_text("entry_points.txt")
        if text and "domctx." in text:
            yield dist
