"""Which plugins the user turned off, known before any plugin is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from domctx_core.base.errors import UsageError
from domctx_core.base.text import nearest
from domctx_core.host.discovery import DiscoveredEntryPoint, RecordName, normalise
from domctx_core.model.registry import CORE

__all__ = ["VARIABLES", "PluginFilter", "entry_point_names", "no_such_plugin"]

VARIABLES = ("DOMCTX_NO_PLUGINS", "DOMCTX_DISABLE_PLUGINS", "DOMCTX_LOAD_PLUGINS")
"""The variables of the environment that turn plugins off."""


class PluginFilter(NamedTuple):
    """Which plugins the user turned off.

    `no_plugins` turns off all but the core's own, and is the switch that did; `disabled` maps
    a name (of a distribution, an entry point or a module) to the switch that turned it off; if
    `only` is given, no others are used.
    """

    no_plugins: str = ""
    disabled: Mapping[str, str] = MappingProxyType({})
    only: frozenset[str] | None = None

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], *, no_plugins: bool = False, disable: Iterable[str] = ()
    ) -> PluginFilter:
        """Combine the switches of the command line with those of the environment.

        `DOMCTX_NO_PLUGINS` is a boolean, `DOMCTX_DISABLE_PLUGINS` and `DOMCTX_LOAD_PLUGINS` are
        lists separated by commas (an empty list of the latter loads none). Raise `UsageError` if
        the boolean has another value.
        """
        off = "--no-plugins" if no_plugins else ""
        if not off and _boolean("DOMCTX_NO_PLUGINS", environ.get("DOMCTX_NO_PLUGINS", "")):
            off = "DOMCTX_NO_PLUGINS"
        listed = _names(environ.get("DOMCTX_DISABLE_PLUGINS", ""))
        disabled = dict.fromkeys(listed, "DOMCTX_DISABLE_PLUGINS")
        disabled |= {normalise(name): f"-p no:{name}" for name in disable}
        only = environ.get("DOMCTX_LOAD_PLUGINS")
        return cls(off, disabled, None if only is None else frozenset(_names(only)))

    def reason(self, point: DiscoveredEntryPoint) -> str:
        """Return why an entry point is off; empty if it is not."""
        if point.dist == CORE:
            return ""
        if self.no_plugins:
            return f"by {self.no_plugins}"
        if not self.disabled and self.only is None:
            return ""
        names = entry_point_names(point).keys()
        for name in sorted(names & self.disabled.keys()):
            return f"by {self.disabled[name]}"
        if self.only is not None and not names & self.only:
            return "not in DOMCTX_LOAD_PLUGINS"
        return ""

    def check(self, points: Iterable[DiscoveredEntryPoint]) -> None:
        """Raise `UsageError`, with near names, for a name that matches no plugin."""
        wanted = [*self.disabled, *sorted(self.only or ())]
        if not wanted:
            return
        known: dict[str, str] = {}
        built_in: dict[str, str] = {}
        for point in points:
            (built_in if point.dist == CORE else known).update(entry_point_names(point))
        for name in wanted:
            if name in known:
                continue
            if name in built_in:
                if name not in self.disabled:  # to load what is there anyway asks for nothing
                    continue
                raise UsageError(f"{name} is built in: it cannot be disabled")
            raise no_such_plugin(name, known)


def no_such_plugin(name: str, known: Mapping[str, str]) -> UsageError:
    """Return the error for a name that no plugin has, with the close ones among `known`."""
    near = [known[each] for each in nearest(normalise(name), known)]
    return UsageError(
        f"no plugin is called {name}",
        hint=f"similar names: {', '.join(near)}" if near else "see `domctx plugins list`",
    )


def entry_point_names(point: DiscoveredEntryPoint) -> dict[str, str]:
    """Return the names that a user may give an entry point, keyed by their normalised form."""
    names = [point.module, point.name, point.dist]
    if point.group == "domctx.record_types" and (record := RecordName.of(point.name)) is not None:
        names.insert(0, str(record))
    return {normalise(name): name for name in names if name}


def _names(text: str) -> list[str]:
    return [normalise(part.strip()) for part in text.split(",") if part.strip()]


def _boolean(name: str, text: str) -> bool:
    folded = text.strip().lower()
    if folded in ("", "0", "no", "off", "false"):
        return False
    if folded in ("1", "yes", "on", "true"):
        return True
    raise UsageError(
        f"{name} is not a boolean",
        expected="1, yes, true, on, or 0, no, false, off",
        actual=text,
    )
