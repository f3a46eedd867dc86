"""Distributions that exist for one test: metadata, entry points and modules in a folder."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import importlib_metadata
import pytest

from domctx_core.host.host import Host
from domctx_core.host.plugin import Plugin
from domctx_core.host.plugin_filter import VARIABLES, PluginFilter

__all__ = ["FakeDists"]


class FakeDists:
    """A folder of made-up distributions that a host can search.

    The core is always among them, with its real entry points. Their modules can be imported until
    the test is over.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self._monkeypatch = monkeypatch
        self._folders: list[Path] = []
        self._tops: set[str] = set()
        for name in VARIABLES:  # plugins that the developer turned off must not affect the test
            monkeypatch.delenv(name, raising=False)
        core = importlib_metadata.distribution("domctx-core")
        points: dict[str, dict[str, str]] = {}
        for point in core.entry_points:
            points.setdefault(point.group, {})[point.name] = point.value
        self.add("domctx-core", core.version, points)

    def add(
        self,
        name: str,
        version: str = "1.0",
        entry_points: Mapping[str, Mapping[str, str]] | None = None,
        modules: Mapping[str, str] | None = None,
        requires: Sequence[str] = (),
        folder: str = "site",
        metadata: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> Path:
        """Add a distribution; return its `.dist-info`, for further files.

        `entry_points` maps groups to names to values; `modules` maps the names of modules to
        their source (dedented); `files` maps paths to text, for packages; `metadata` has further
        fields of the metadata. All of it goes into `folder`, which is put on the path.
        """
        where = self.root / folder
        if where not in self._folders:
            where.mkdir(parents=True, exist_ok=True)
            self._folders.append(where)
            others = [place for place in sys.path if place not in self.path]
            self._monkeypatch.setattr(sys, "path", [*self.path, *others])
        info = where / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {requirement}" for requirement in requires]
        lines += [f"{key}: {value}" for key, value in (metadata or {}).items()]
        (info / "METADATA").write_text("\n".join(lines) + "\n")
        text = ""
        for group, points in (entry_points or {}).items():
            text += f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in points.items())
        (info / "entry_points.txt").write_text(text)
        written = {
            f"{module}.py": textwrap.dedent(text) for module, text in (modules or {}).items()
        }
        for name, text in {**written, **(files or {})}.items():
            (where / name).parent.mkdir(parents=True, exist_ok=True)
            (where / name).write_text(text)
            top = name.partition("/")[0].removesuffix(".py")
            self._tops.add(top)
            _forget({top})
        importlib.invalidate_caches()
        return info

    def forget(self) -> None:
        """Remove the modules imported from here from `sys.modules`."""
        _forget(self._tops)

    @property
    def path(self) -> list[str]:
        """The folders, in the order in which they are searched."""
        return [str(folder) for folder in self._folders]

    def host(self, **options: Any) -> Host:
        """Return a host that sees these distributions only; `options` are those of `PluginFilter`."""
        return Host(PluginFilter(**options), path=self.path)

    @staticmethod
    def plugin(host: Host, dist: str) -> Plugin:
        """Return the first entry point of a distribution; raise `LookupError` if it has none."""
        for plugin in host.plugins:
            if plugin.entry_point.dist == dist:
                return plugin
        raise LookupError(dist)


def _forget(tops: set[str]) -> None:
    for module in [each for each in sys.modules if each.partition(".")[0] in tops]:
        del sys.modules[module]
