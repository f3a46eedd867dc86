"""The host: finds plugins, isolates each from the others, and offers what they contribute.

A host is an object; there is no global one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, BinaryIO, Literal

from domctx_core.base.errors import PLUGIN_ERRORS, DomctxError, PluginError, UsageError, describe
from domctx_core.base.text import did_you_mean
from domctx_core.host.claims import Claim
from domctx_core.host.contributions import Contributions
from domctx_core.host.discovery import discover, normalise
from domctx_core.host.plugin import Plugin, Traced, initial_status
from domctx_core.host.plugin_filter import PluginFilter, entry_point_names, no_such_plugin
from domctx_core.model.registry import CORE, Entry, Provider, Registry
from domctx_core.model.wire import DOMAIN_CONTEXT

if TYPE_CHECKING:
    import click

    from domctx_core.model.check import Check
    from domctx_core.model.declarations import DomainRequest
    from domctx_core.model.domain import Domain
    from domctx_core.model.observer import Observer

__all__ = ["Host"]


class Host:
    """Everything that plugins contribute, found without importing them, imported when needed.

    `formats` has the formats and their registries; `plugins` one entry for each entry point. A
    host reads the installed distributions once, when it is created (those on `path`, if given).
    `reserved_verbs` are names that no plugin's command may have. `trace` is called with each
    import and each call of a hook.

    Raise `UsageError` if the filter names a plugin that does not exist.
    """

    def __init__(
        self,
        plugin_filter: PluginFilter | None = None,
        *,
        path: Iterable[str] | None = None,
        reserved_verbs: Iterable[str] = (),
        trace: Callable[[Traced], None] | None = None,
    ) -> None:
        self.plugins: list[Plugin] = []
        self._observed: dict[type[Observer], Plugin] = {}
        self._modules_loaded = False
        plugin_filter = plugin_filter or PluginFilter()
        points = discover(path)
        plugin_filter.check(points)
        core = next((point.version for point in points if point.dist == CORE), None)
        for point in points:
            status, reason = initial_status(point, plugin_filter, core)
            self.plugins.append(Plugin(point, status, reason, on_trace=trace))
        self._contributions = Contributions(self.load_run_time, reserved_verbs)
        self._contributions.index(self.plugins)
        self.formats = self._contributions.formats

    @property
    def registry(self) -> Registry:
        """The registry of the domain context."""
        return self.formats.registry(DOMAIN_CONTEXT)

    # ------------------------------------------------------------------------------ its plugins

    def named(self, name: str) -> list[Plugin]:
        """Return the plugins that a distribution, entry point or module of that name brings.

        Raise `UsageError`, with near names, if there is none.
        """
        wanted = normalise(name)
        plugins = [
            plugin for plugin in self.plugins if wanted in entry_point_names(plugin.entry_point)
        ]
        if not plugins:
            known: dict[str, str] = {}
            for plugin in self.plugins:
                known |= entry_point_names(plugin.entry_point)
            raise no_such_plugin(name, known)
        return plugins

    def failures(self) -> list[Plugin]:
        """Return the plugins that cannot be used although the user did not turn them off."""
        return [plugin for plugin in self.plugins if plugin.broken]

    def load_run_time(self) -> None:
        """Import the pluggy modules, once, so that what their hooks declare is known."""
        if self._modules_loaded:
            return
        self._modules_loaded = True
        modules = [p for p in self.plugins if p.entry_point.group == "domctx.plugins"]
        if not modules:
            return
        from domctx_core.host.pluggy_modules import collect, load_modules

        for plugin, callers in load_modules(modules):
            for hook, accept in self._contributions.acceptors().items():
                collect(plugin, callers, hook, accept)

    def examine(self, plugins: Iterable[Plugin] | None = None) -> None:
        """Import what plugins (all by default) declare, so that each has its final status."""
        self.load_run_time()
        for plugin in self.plugins if plugins is None else plugins:
            if plugin.usable:
                with contextlib.suppress(PluginError):  # its status has the reason
                    self._examine(plugin)

    def _examine(self, plugin: Plugin) -> None:
        group, name = plugin.entry_point.group, plugin.entry_point.name
        if group == "domctx.record_types":
            for _, entry in self.declared(plugin):
                entry.record_type  # noqa: B018  # the import is what is wanted
        elif group == "domctx.formats":
            self.formats.get(name)
        elif group == "domctx.domains":
            self._scheme(name).get()
        elif group == "domctx.commands":
            self.command(name)

    def declared(self, plugin: Plugin) -> list[tuple[str, Entry]]:
        """Return the registry entries of a plugin, each with the name of its format."""
        formats = {
            id(entry): registry.format
            for registry in self.formats.registries()
            for entry in registry
        }
        entries = self._contributions.entries
        return [(formats[id(entry)], entry) for entry, of in entries if of is plugin]

    # ------------------------------------------------------------------------- checks, observers

    def checks(self) -> list[type[Check]]:
        """Return the checks across records; import the pluggy modules the first time."""
        self.load_run_time()
        return [check for _, check in self._contributions.checks]

    def checks_of(self, plugin: Plugin) -> list[type[Check]]:
        """Return the checks of one plugin, which must have been loaded."""
        return [check for of, check in self._contributions.checks if of is plugin]

    def observers(self) -> list[Observer]:
        """Create an observer of each kind that plugins bring; import the pluggy modules.

        A plugin whose observer cannot be created is failed; the others are not affected.
        """
        self.load_run_time()
        from domctx_core.model.observer import Observer

        observers = []
        for plugin, make in self._contributions.observers:
            try:
                observer = make()
                if not isinstance(observer, Observer):
                    raise TypeError(f"expected an Observer, got {observer!r:.80}")
                self._observed[type(observer)] = plugin
                observers.append(observer)
            except PLUGIN_ERRORS as error:
                plugin.fail(f"its observer raised {describe(error)}")
        return observers

    def observer_provider(self, observer: Observer) -> Provider | None:
        """Return who brings an observer; None if no plugin does."""
        plugin = self._observed.get(type(observer))
        return None if plugin is None else plugin.provider

    # ------------------------------------------------------------------------------------ verbs

    def commands(self) -> dict[str, Plugin]:
        """Return the verbs that plugins bring by entry point, without importing any.

        A verb that several claim is listed with the first of them; using it is an error.
        """
        return self._contributions.commands.indexed()

    def command(self, name: str) -> click.Command | None:
        """Return the command of a verb, imported; None if no plugin brings it.

        Raise `PluginError` if the plugin cannot be used, or several claim the verb.
        """
        claim = self._contributions.claim(self._contributions.commands, name)
        return None if claim is None else claim.get()

    def verb_provider(self, name: str) -> Provider | None:
        """Return who brings a verb; None if no plugin does."""
        plugin = self._contributions.commands.plugin(name)
        return None if plugin is None else plugin.provider

    # ---------------------------------------------------------------------------------- domains

    def schemes(self) -> list[str]:
        """Return the known schemes of domains."""
        return self._contributions.domains.names()

    def open_domain(
        self,
        name: str,
        purpose: Literal["save", "load"],
        *,
        standard_input: BinaryIO | None = None,
    ) -> Domain:
        """Open the domain called `scheme:rest` to save it, or to load an image into it.

        Raise `UsageError` for an unknown scheme, and whatever the scheme's opener raises.
        """
        scheme, colon, rest = name.partition(":")
        if not colon:
            raise UsageError(
                f"{name!r} does not name a domain",
                expected="SCHEME:REST",
                hint=f"known schemes: {', '.join(self.schemes())}",
            )
        from domctx_core.model.declarations import DomainRequest
        from domctx_core.model.domain import Domain

        claim = self._scheme(scheme)
        opener = claim.get()
        try:
            request = DomainRequest(rest, purpose, self.formats, standard_input, self.checks)
            domain = opener(request)
            if not isinstance(domain, Domain):
                raise TypeError(f"expected a Domain, got {domain!r:.80}")
        except DomctxError:
            raise
        except PLUGIN_ERRORS as error:
            raise PluginError(
                f"opening {name} raised {describe(error)}", provider=claim.plugin.provider
            ) from error
        return domain

    def _scheme(self, scheme: str) -> Claim[Callable[[DomainRequest], Domain]]:
        claim = self._contributions.claim(self._contributions.domains, scheme)
        if claim is None:
            raise UsageError(
                f"no plugin provides the scheme {scheme!r}",
                hint=did_you_mean(scheme, self.schemes())
                or f"known schemes: {', '.join(self.schemes())}",
            )
        return claim
