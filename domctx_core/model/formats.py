"""The available formats, each loaded when it is needed, and the registry of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from domctx_core.base.errors import PLUGIN_ERRORS, DeclarationError, PluginError, describe
from domctx_core.base.rules import CORE_ONLY, Rules
from domctx_core.model.format import Format
from domctx_core.model.registry import Provider, Registry
from domctx_core.model.validation import validate_format
from domctx_core.model.wire import DOMAIN_CONTEXT

__all__ = ["Formats"]


class _Declared:
    def __init__(self, provider: Provider, load: Callable[[], Format]) -> None:
        self.provider = provider
        self.load = load
        self.format: Format | None = None


class Formats:
    """The available formats and the registry of each; formats are loaded when they are needed.

    `rules` has those that records of any format may break.
    """

    def __init__(self, rules: Rules = CORE_ONLY) -> None:
        self.rules = rules
        self._known: dict[str, _Declared] = {}
        #: Formats that raised where they were to recognise an input, and are passed over.
        self.failures: dict[str, PluginError] = {}
        #: Formats that an input was not tried against, since their plugins cannot be used.
        self.untried: dict[str, PluginError] = {}
        #: Called once when a format is looked up that is not there, and may add it.
        self.more: Callable[[], None] | None = None
        self._registries: dict[str, Registry] = {}

    def add(self, name: str, provider: Provider, load: Callable[[], Format]) -> None:
        """Add a format that `load` returns when it is needed."""
        if name in self._known:
            raise DeclarationError(
                f"the format {name} is declared twice, by {self._known[name].provider} and"
                f" {provider}"
            )
        self._known[name] = _Declared(provider, load)

    def forget(self, name: str) -> None:
        """Drop a format that was loaded, so that it is loaded again."""
        self._known[name].format = None

    def registry(self, name: str) -> Registry:
        """Return the registry of a format, which need not be known."""
        if name not in self._registries:
            self._registries[name] = Registry(name, self.rules)
            self._registries[name].more = self.more
        return self._registries[name]

    def registries(self) -> Iterator[Registry]:
        """Yield all registries: that of the domain context, then the others by name."""
        for name in sorted(self._registries, key=lambda n: (n != DOMAIN_CONTEXT, n)):
            yield self._registries[name]

    def names(self) -> Iterable[str]:
        """Return the names of all formats, in the order in which they are tried."""
        return tuple(self._known)

    def knows(self, name: str) -> bool:
        """Return whether a plugin declares a format of that name, usable or not."""
        return name in self._known or (self._ask_for_more() and name in self._known)

    def get(self, name: str) -> Format:
        """Return the format of that name; raise `PluginError` if there is none."""
        known = self._known.get(name)
        if known is None and self._ask_for_more():
            known = self._known.get(name)
        if known is None:
            raise PluginError(
                f"no installed plugin defines the format {name}",
                hint="install the plugin that declares it, such as domctx-plugin-xen-streams",
            )
        if known.format is None:
            made = known.load()
            if not isinstance(made, Format) or made.name != name:
                raise DeclarationError(
                    f"the entry point {name} of {known.provider} does not load a format of that name",
                    expected=f"a Format named {name}",
                    actual=repr(getattr(made, "name", made)),
                    provider=known.provider,
                )
            try:
                validate_format(made)
            except DeclarationError as error:
                error.locate(provider=known.provider)
                raise
            except PLUGIN_ERRORS as error:
                raise DeclarationError(
                    f"an attribute of the format {name} raised {describe(error)}",
                    provider=known.provider,
                ) from error
            known.format = made
        return known.format

    def provider(self, name: str) -> Provider:
        """Return the provider that declares a format."""
        return self._known[name].provider

    def recognise(self, head: bytes) -> Format | None:
        """Return the format of an input that begins with `head`; None if no known one fits.

        The core's own formats are tried first; others are imported only if those do not fit.
        """
        found = self._recognise(head, tuple(self._known))
        if found is None:
            before = set(self._known)
            if self._ask_for_more():
                found = self._recognise(head, [n for n in self._known if n not in before])
        return found

    def _recognise(self, head: bytes, names: Iterable[str]) -> Format | None:
        for name in names:
            try:
                format = self.get(name)
            except PluginError as error:  # one that is broken is not needed unless it is named
                self.untried[name] = error
                continue
            try:
                if format.recognises(head):
                    return format
            except PLUGIN_ERRORS as error:
                self.failures[name] = PluginError(
                    f"`recognises` of the format {name} raised {describe(error)}",
                    provider=self.provider(name),
                )
        return None

    def _ask_for_more(self) -> bool:
        more, self.more = self.more, None
        if more is not None:
            more()
        return more is not None
