"""Discovery: every entry point of domctx's groups, in a fixed order, without importing any.

The only module of the core that knows importlib-metadata.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import importlib_metadata

from domctx_core.base.errors import describe
from domctx_core.model.registry import CORE

__all__ = ["GROUPS", "DiscoveredEntryPoint", "Metadata", "RecordName", "discover", "normalise"]

GROUPS = (
    "domctx.record_types",
    "domctx.formats",
    "domctx.domains",
    "domctx.commands",
    "domctx.plugins",
)
"""The groups of entry points, in the order in which they are listed."""


class Metadata(NamedTuple):
    """Fields of a distribution's metadata; empty if they are missing.

    `license` is the SPDX expression; `license_files` are those that really exist.
    """

    summary: str
    license: str
    license_files: tuple[str, ...]
    requires_python: str
    keywords: frozenset[str]


class DiscoveredEntryPoint(NamedTuple):
    """One entry point and the distribution that it comes from.

    `requires` are the requirements in the distribution's metadata. `shadowed_by` is the version and
    place of another copy of the distribution that comes first on the path. `raw` is
    importlib-metadata's own object. `fault` is why the metadata cannot be read; there is no entry
    point then, and group, name and value are empty.
    """

    dist: str
    version: str
    location: str
    group: str
    name: str
    value: str
    requires: tuple[str, ...]
    shadowed_by: str | None
    raw: importlib_metadata.EntryPoint
    fault: str = ""

    @property
    def working_tree(self) -> str | None:
        """The folder that an editable installation links to; None for other installations."""
        dist = self.raw.dist
        try:
            text = None if dist is None else dist.read_text("direct_url.json")
            if text is None:
                return None
            import json

            direct = json.loads(text)
            url = urlsplit(direct["url"]) if direct["dir_info"]["editable"] else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return None if url is None else unquote(url.path)

    @property
    def editable(self) -> bool:
        """True if the distribution is installed as a link to a working tree."""
        return self.working_tree is not None

    @property
    def summary(self) -> str:
        """The summary line of the distribution's metadata."""
        dist = self.raw.dist
        return "" if dist is None else dist.metadata.get("Summary", "")

    @property
    def metadata(self) -> Metadata:
        """Other fields of the distribution's metadata."""
        dist = self.raw.dist
        if dist is None:
            return Metadata("", "", (), "", frozenset())
        fields = dist.metadata
        named = fields.get_all("License-File") or ()
        # PEP 639 puts them into a folder of their own; older build tools did not
        there = [n for n in named if dist.read_text(f"licenses/{n}") or dist.read_text(n)]
        keywords = re.split(r"[,\s]+", fields.get("Keywords", ""))
        return Metadata(
            self.summary,
            fields.get("License-Expression", ""),
            tuple(there),
            fields.get("Requires-Python", ""),
            frozenset(keyword for keyword in keywords if keyword),
        )

    @property
    def module(self) -> str:
        """The module that the entry point names."""
        return self.value.partition(":")[0].strip()


class RecordName(NamedTuple):
    """The name of an entry point in `domctx.record_types`, parsed: `[FORMAT/]CODE.NAME`."""

    format: str | None
    code: int
    name: str

    @classmethod
    def of(cls, text: str) -> RecordName | None:
        """Parse a name; None if it has another form."""
        match = _RECORD_NAME.fullmatch(text)
        if match is None:
            return None
        code = int(match["code"], 16 if match["code"][:2] in ("0x", "0X") else 10)
        return cls(match["format"], code, match["name"]) if code < 1 << 32 else None

    def __str__(self) -> str:
        """Return the name with its code in decimal, as messages have it."""
        name = f"{self.code}.{self.name}"
        return name if self.format is None else f"{self.format}/{name}"


_RECORD_NAME = re.compile(
    r"(?:(?P<format>[^/]+)/)?(?P<code>0[xX][0-9a-fA-F]+|[0-9]+)\.(?P<name>.+)"
)


def normalise(name: str) -> str:
    """Return a distribution's name for comparison: lower case, single hyphens, no blanks."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def discover(path: Iterable[str] | None = None) -> list[DiscoveredEntryPoint]:
    """Return all entry points of `GROUPS`: the core's first, then by distribution, group and name.

    `path` is searched instead of `sys.path` if it is given. A distribution whose metadata cannot be
    read is listed once, without a group and with its `fault`.
    """
    points: list[DiscoveredEntryPoint] = []
    first: dict[str, str] = {}
    for dist in _distributions(path):
        try:
            own = _points_of(dist)
        except Exception as error:  # whatever parsers of metadata raise on anything else
            own = [_unreadable(dist, error)]
        for point in own:
            shadowed_by = first.get(point.dist)
            points.append(point if shadowed_by is None else point._replace(shadowed_by=shadowed_by))
        if own:
            first.setdefault(own[0].dist, f"{own[0].version} in {own[0].location}")
    return sorted(
        points,
        key=lambda p: (p.dist != CORE, p.dist, (*GROUPS, "").index(p.group), p.name, p.location),
    )


def _points_of(dist: importlib_metadata.Distribution) -> list[DiscoveredEntryPoint]:
    name, version, requires = _simple_metadata(dist.read_text("METADATA") or "") or (
        dist.metadata["Name"], dist.version, tuple(dist.requires or ())
    )  # fmt: skip
    key, location = normalise(name), str(dist.locate_file(""))
    return [
        DiscoveredEntryPoint(
            key, version, location, point.group, point.name, point.value, requires, None, point
        )
        for point in dist.entry_points
        if point.group in GROUPS
    ]


def _simple_metadata(text: str) -> tuple[str, str, tuple[str, ...]] | None:
    """Parse name, version and requirements; None if one of them is folded, missing or repeated."""
    # The library reads any form, with Python's mail parser, which takes longer to import than all
    # else that discovery needs.
    fields: dict[str, list[str]] = {"name": [], "version": [], "requires-dist": []}
    wanted: list[str] | None = None
    for line in text.partition("\n\n")[0].splitlines():
        if not line:
            break
        if line[0] in " \t":
            if wanted is not None:
                return None
            continue
        key, _, value = line.partition(":")
        wanted = fields.get(key.lower())
        if wanted is not None:
            wanted.append(value.strip())
    names, versions, requires = fields.values()
    if len(names) != 1 or len(versions) != 1 or not (names[0] and versions[0]):
        return None
    return names[0], versions[0], tuple(requires)


def _unreadable(dist: importlib_metadata.Distribution, error: Exception) -> DiscoveredEntryPoint:
    # metadata that cannot be read gives no name; its folder is called NAME-VERSION.dist-info
    folder = Path(getattr(dist, "_path", "unknown")).name
    fault = f"its metadata cannot be read: {describe(error)}"
    location, none = str(dist.locate_file("")), importlib_metadata.EntryPoint("", "", "")
    return DiscoveredEntryPoint(
        normalise(folder.partition("-")[0]), "?", location, "", "", "", (), None, none, fault
    )


def _distributions(path: Iterable[str] | None) -> Iterator[importlib_metadata.Distribution]:
    """Yield the distributions with entry points of ours: a search is cheaper than parsing them all."""
    # the library takes a missing folder for an archive, and imports what reads archives
    folders = [each for each in (sys.path if path is None else path) if os.path.exists(each or ".")]
    for dist in importlib_metadata.Distribution.discover(path=folders):
        try:
            text = dist.read_text("entry_points.txt")
        except (OSError, ValueError):  # unreadable, or no text: not known to be ours
            continue
        if text and "domctx." in text:
            yield dist
