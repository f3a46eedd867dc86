"""The host: finds plugins, keeps them apart, gives each a status and builds the registries.

The only module that knows pluggy. A host is an object; there is no global one.
"""

from __future__ import annotations

import contextlib
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, BinaryIO, Literal, TypeVar

from domctx_core.checks import Check
from domctx_core.declarations import (
    CheckDeclaration,
    DomainDeclaration,
    DomainRequest,
    FormatDeclaration,
    RecordTypeDeclaration,
)
from domctx_core.discovery import CORE, Found, discover, normalise
from domctx_core.domains import Domain
from domctx_core.errors import ConflictError, DeclarationError, DomctxError, PluginError, UsageError
from domctx_core.formats import Format, Formats
from domctx_core.records import RecordType, validate_record_type
from domctx_core.registry import DOMAIN_CONTEXT, Entry, Provider, Registry

__all__ = ["Host", "Plugin", "Status", "Switches"]

T = TypeVar("T")

_RECORD_NAME = re.compile(r"(?:(?P<format>[^/]+)/)?(?P<code>0[xX][0-9a-fA-F]+|\d+)\.(?P<name>.+)")


class Status(StrEnum):
    """What became of an entry point."""

    BUILT_IN = "built-in"
    LAZY = "lazy"
    LOADED = "loaded"
    DISABLED = "disabled"
    FAILED = "failed"
    INCOMPATIBLE = "incompatible"
    SHADOWED = "shadowed"
    CONFLICT = "conflict"


@dataclass(eq=False)
class Plugin:
    """One entry point: where it comes from, what became of it, and why.

    `record_types` are the `CODE.NAME` that it declares; `hooks` those that it implements, None
    until it is imported. `trace` is the traceback of a failure.
    """

    found: Found
    status: Status = Status.LAZY
    reason: str = ""
    record_types: list[str] = field(default_factory=list)
    hooks: list[str] | None = None
    trace: str = ""

    @property
    def provider(self) -> Provider:
        """The distribution and version."""
        return Provider(self.found.dist, self.found.version)

    @property
    def usable(self) -> bool:
        """Whether nothing is known that speaks against it."""
        return self.status in (Status.BUILT_IN, Status.LAZY, Status.LOADED)

    def error(self) -> PluginError:
        """Why it cannot be used."""
        hint = "`domctx plugins list` shows the state of every plugin"
        return PluginError(
            f"{self.provider} is {self.status}: {self.reason}", provider=self.provider, hint=hint
        )

    def to_json(self) -> dict[str, Any]:
        """As `plugins list --json` prints it."""
        return {
            "dist": self.found.dist,
            "version": self.found.version,
            "group": self.found.group,
            "entry_point": self.found.name,
            "status": str(self.status),
            "reason": self.reason,
            "record_types": self.record_types,
            "hooks": self.hooks,
            "value": self.found.value,
            "location": self.found.location,
        }


@dataclass(frozen=True)
class Switches:
    """What the user turned off, before any plugin is imported.

    `no_plugins` turns off all but the core's own; `disabled` maps a name (of a distribution, an
    entry point or a module) to the switch that said so; of `only`, where given, nothing else is
    used.
    """

    no_plugins: str = ""
    disabled: Mapping[str, str] = field(default_factory=dict)
    only: frozenset[str] | None = None

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], *, no_plugins: bool = False, disable: Iterable[str] = ()
    ) -> Switches:
        """The switches of the command line joined with those of the environment.

        `DOMCTX_NO_PLUGINS` is a boolean, `DOMCTX_DISABLE_PLUGINS` and `DOMCTX_LOAD_PLUGINS` are
        lists separated by commas (an empty list of the latter loads none).
        """
        off = "--no-plugins" if no_plugins else ""
        if not off and _boolean("DOMCTX_NO_PLUGINS", environ.get("DOMCTX_NO_PLUGINS", "")):
            off = "DOMCTX_NO_PLUGINS"
        disabled = dict.fromkeys(_names(environ.get("DOMCTX_DISABLE_PLUGINS", "")), "")
        disabled = dict.fromkeys(disabled, "DOMCTX_DISABLE_PLUGINS")
        disabled |= {normalise(name): f"-p no:{name}" for name in disable}
        only = environ.get("DOMCTX_LOAD_PLUGINS")
        return cls(off, disabled, None if only is None else frozenset(_names(only)))

    def reason(self, found: Found) -> str:
        """Why an entry point is off; empty where it is not."""
        if found.dist == CORE:
            return ""
        if self.no_plugins:
            return f"by {self.no_plugins}"
        names = {found.dist, normalise(found.name), normalise(found.module)}
        for name in names & self.disabled.keys():
            return f"by {self.disabled[name]}"
        if self.only is not None and not names & self.only:
            return "not in DOMCTX_LOAD_PLUGINS"
        return ""

    def check(self, found: Iterable[Found]) -> None:
        """Raise `UsageError` for a name that matches no plugin."""
        known: set[str] = set()
        for each in found:
            known |= {each.dist, normalise(each.name), normalise(each.module)}
        for name in [*self.disabled, *sorted(self.only or ())]:
            if name not in known:
                import difflib

                near = difflib.get_close_matches(name, sorted(known - {CORE}), 3)
                raise UsageError(
                    f"no plugin is called {name}",
                    hint=f"near names: {', '.join(near)}" if near else "see `domctx plugins list`",
                )


def _names(text: str) -> list[str]:
    return [normalise(part.strip()) for part in text.split(",") if part.strip()]


def _boolean(name: str, text: str) -> bool:
    folded = text.strip().lower()
    if folded in ("", "0", "no", "off", "false"):
        return False
    if folded in ("1", "yes", "on", "true"):
        return True
    raise UsageError(
        f"{name} is neither true nor false", expected="1, yes, true, on, or 0, no, false, off",
        actual=text,
    )  # fmt: skip


class Host:
    """Everything that plugins contribute, found without importing them, imported when needed.

    `formats` has the formats and their registries; `plugins` one entry for each entry point. A
    host reads the installed distributions once, when it is made (those on `path` where given).
    """

    def __init__(self, switches: Switches | None = None, *, path: Iterable[str] | None = None):
        self.formats = Formats()
        self.plugins: list[Plugin] = []
        self._domains: dict[str, list[Plugin]] = {}
        self._run_time_domains: dict[str, DomainDeclaration] = {}
        self._checks: list[type[Check]] | None = None
        self._entries: list[tuple[Entry, Plugin]] = []
        switches = switches or Switches()
        found = discover(path)
        switches.check(found)
        core = next((each.version for each in found if each.dist == CORE), None)
        for each in found:
            self.plugins.append(_assess(each, switches, core))
        self._index()

    # ------------------------------------------------------------------------- what it has to give

    @property
    def registry(self) -> Registry:
        """The registry of the domain context."""
        return self.formats.registry(DOMAIN_CONTEXT)

    def checks(self) -> list[type[Check]]:
        """The checks across records; imports the pluggy modules the first time."""
        self._load_modules()
        return list(self._checks or ())

    def load_run_time(self) -> None:
        """Import the pluggy modules, so that what they make at run time is in the registries."""
        self._load_modules()

    def schemes(self) -> list[str]:
        """The schemes of domains that are known."""
        return sorted({*self._domains, *self._run_time_domains})

    def open_domain(
        self,
        name: str,
        purpose: Literal["save", "load"],
        *,
        standard_input: BinaryIO | None = None,
    ) -> Domain:
        """The domain called `scheme:rest`; `purpose` says what is to be done with it.

        Raises `UsageError` for an unknown scheme, and whatever the scheme's opener raises.
        """
        scheme, colon, rest = name.partition(":")
        if not colon:
            raise UsageError(
                f"{name!r} does not name a domain",
                expected="SCHEME:REST",
                hint=f"known schemes: {', '.join(self.schemes())}",
            )
        opener = self._opener(scheme)
        return opener(DomainRequest(rest, purpose, self.formats, standard_input))

    def failures(self) -> list[Plugin]:
        """The plugins that are of no use though nobody turned them off."""
        bad = (Status.FAILED, Status.INCOMPATIBLE, Status.CONFLICT)
        return [plugin for plugin in self.plugins if plugin.status in bad]

    # ------------------------------------------------------------------------------------- indexing

    def _index(self) -> None:
        formats: dict[str, list[Plugin]] = {}
        for plugin in self.plugins:
            if plugin.found.group == "domctx.record_types":
                self._index_record_type(plugin)
            elif plugin.status is Status.SHADOWED:
                continue
            elif plugin.found.group == "domctx.formats":
                formats.setdefault(plugin.found.name, []).append(plugin)
            elif plugin.found.group == "domctx.domains":
                self._domains.setdefault(plugin.found.name, []).append(plugin)
        for name, claimants in formats.items():
            self.formats.add(
                name,
                claimants[0].provider,
                lambda c=claimants: self._format(c),  # type: ignore[misc]
            )
        for kind, table in (("format", formats), ("scheme", self._domains)):
            for name, claimants in table.items():
                rivals = [plugin for plugin in claimants if plugin.usable]
                if len(rivals) > 1:
                    _set_conflict(rivals, f"the {kind} {name}")
        for entry, plugin in self._entries:
            if plugin.usable:
                try:
                    self.formats.registry(_format_of(plugin)).get(entry.code)
                except ConflictError as error:
                    plugin.status, plugin.reason = Status.CONFLICT, error.message
        self.formats.more = self._load_modules
        for registry in self.formats.registries():
            registry.more = self._load_modules

    def _index_record_type(self, plugin: Plugin) -> None:
        match = _RECORD_NAME.fullmatch(plugin.found.name)
        if match is None:
            plugin.status = Status.FAILED
            plugin.reason = (
                f"the entry point is called {plugin.found.name!r}, not [FORMAT/]CODE.NAME"
            )
            return
        code = int(match["code"], 0) if match["code"][:2] in ("0x", "0X") else int(match["code"])
        plugin.record_types = [f"{code}.{match['name']}"]
        if plugin.status is Status.SHADOWED:
            return
        registry = self.formats.registry(match["format"] or DOMAIN_CONTEXT)
        try:
            entry = registry.declare(
                code,
                match["name"],
                plugin.provider,
                lambda: self._record_type(plugin),
                withdrawn=None if plugin.usable else plugin.error(),
            )
        except DomctxError as error:
            plugin.status, plugin.reason = Status.FAILED, error.message
            return
        self._entries.append((entry, plugin))

    # -------------------------------------------------------------------------------------- loading

    def _import(self, plugin: Plugin) -> Any:
        """What an entry point names. Whatever goes wrong is the plugin's failure, not ours."""
        if not plugin.usable:
            raise plugin.error()
        try:
            # stdout is for the answer; what a plugin prints while it is imported is not it
            with contextlib.redirect_stdout(sys.stderr):
                thing = plugin.found.entry_point.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            plugin.status = Status.FAILED
            plugin.reason = f"its import raised {type(error).__name__}: {error}"
            plugin.trace = traceback.format_exc()
            raise plugin.error() from error
        if plugin.status is Status.LAZY:
            plugin.status = Status.LOADED
        return thing

    def _record_type(self, plugin: Plugin) -> RecordType[Any]:
        thing = self._import(plugin)
        try:
            return validate_record_type(thing)
        except Exception as error:
            plugin.status = Status.FAILED
            plugin.reason = str(error)
            plugin.trace = traceback.format_exc()
            raise plugin.error() from error

    def _format(self, claimants: list[Plugin]) -> Format:
        thing = self._import(_the_one(claimants))
        if not (isinstance(thing, type) and issubclass(thing, Format)):
            raise DeclarationError(
                f"the format {claimants[0].found.name} of {claimants[0].provider} is no Format class",
                actual=repr(thing)[:80],
            )
        return thing()

    def _opener(self, scheme: str) -> Callable[[DomainRequest], Domain]:
        claimants = self._domains.get(scheme)
        if claimants is not None:
            opener: Callable[[DomainRequest], Domain] = self._import(_the_one(claimants))
            return opener
        self._load_modules()
        declaration = self._run_time_domains.get(scheme)
        if declaration is None:
            import difflib

            near = difflib.get_close_matches(scheme, self.schemes(), 3)
            raise UsageError(
                f"no plugin knows domains of the scheme {scheme!r}",
                hint=f"did you mean {', '.join(near)}?" if near
                else f"known schemes: {', '.join(self.schemes())}",
            )  # fmt: skip
        return declaration.open

    def _load_modules(self) -> None:
        """Import the pluggy modules and collect what their hooks return, once."""
        if self._checks is not None:
            return
        self._checks = []
        modules = [p for p in self.plugins if p.found.group == "domctx.plugins"]
        if not modules:
            return
        import pluggy

        from domctx_core import hookspecs

        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        loaded: list[tuple[Plugin, Any]] = []
        for plugin in modules:
            try:
                module = self._import(plugin)
                manager.register(module, f"{plugin.found.dist}:{plugin.found.name}")
            except Exception as error:
                if plugin.usable:
                    plugin.status, plugin.reason = Status.FAILED, str(error)
                continue
            plugin.hooks = sorted(caller.name for caller in manager.get_hookcallers(module) or ())
            loaded.append((plugin, module))
        for plugin, module in loaded:
            others = [other for _, other in loaded if other is not module]
            for hook, accept in self._acceptors().items():
                if hook in (plugin.hooks or ()):
                    self._collect(plugin, hook, manager.subset_hook_caller(hook, others), accept)

    def _acceptors(self) -> dict[str, Callable[[Plugin, Any], None]]:
        return {
            "domctx_record_types": self._accept_record_type,
            "domctx_formats": self._accept_format,
            "domctx_domains": self._accept_domain,
            "domctx_checks": self._accept_check,
        }

    @staticmethod
    def _collect(
        plugin: Plugin, hook: str, call: Callable[[], Any], accept: Callable[[Plugin, Any], None]
    ) -> None:
        """Call one hook of one module; its failure costs its own contribution only."""
        try:
            with contextlib.redirect_stdout(sys.stderr):
                for declarations in call():
                    for declaration in declarations:
                        accept(plugin, declaration)
        except Exception as error:
            plugin.status = Status.FAILED
            plugin.reason = f"{hook} failed with {type(error).__name__}: {error}"
            plugin.trace = traceback.format_exc()

    def _accept_record_type(self, plugin: Plugin, declaration: Any) -> None:
        declared = _expect(declaration, RecordTypeDeclaration)
        made = validate_record_type(declared.record_type)
        registry = self.formats.registry(declared.format)
        registry.declare(made.code, made.name, plugin.provider, lambda: made)
        plugin.record_types.append(f"{made.code}.{made.name}")

    def _accept_format(self, plugin: Plugin, declaration: Any) -> None:
        declared = _expect(declaration, FormatDeclaration)
        self.formats.add(declared.format.name, plugin.provider, declared.format)

    def _accept_domain(self, plugin: Plugin, declaration: Any) -> None:
        declared = _expect(declaration, DomainDeclaration)
        if declared.scheme in self.schemes():
            raise ConflictError(f"the scheme {declared.scheme} is taken")
        self._run_time_domains[declared.scheme] = declared

    def _accept_check(self, plugin: Plugin, declaration: Any) -> None:
        check = _expect(declaration, CheckDeclaration).check
        if not (isinstance(check, type) and issubclass(check, Check)):
            raise DeclarationError("a CheckDeclaration holds a Check subclass", actual=repr(check))
        assert self._checks is not None
        self._checks.append(check)


def _expect(declaration: Any, kind: type[T]) -> T:
    if not isinstance(declaration, kind):
        raise DeclarationError(
            f"it returned {type(declaration).__name__}, and {kind.__name__} objects are expected"
        )
    return declaration


def _assess(found: Found, switches: Switches, core: str | None) -> Plugin:
    """The status of an entry point before anything is imported."""
    plugin = Plugin(found)
    if found.shadowed_by is not None:
        plugin.status, plugin.reason = Status.SHADOWED, f"by {found.dist} {found.shadowed_by}"
    elif found.dist == CORE:
        plugin.status = Status.BUILT_IN
    elif reason := switches.reason(found):
        plugin.status, plugin.reason = Status.DISABLED, reason
    elif reason := _incompatible(found, core):
        plugin.status, plugin.reason = Status.INCOMPATIBLE, reason
    return plugin


def _incompatible(found: Found, core: str | None) -> str:
    """Why a plugin does not fit this core, by its own metadata; pip can be bypassed."""
    if core is None or not any("domctx" in text.lower() for text in found.requires):
        return ""
    from packaging.requirements import InvalidRequirement, Requirement

    for text in found.requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            return f"its metadata has a requirement that cannot be read: {text!r}"
        if normalise(requirement.name) != CORE:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        if not requirement.specifier.contains(core, prereleases=True):
            return f"it needs {CORE}{requirement.specifier}, and this is {core}"
    return ""


def _format_of(plugin: Plugin) -> str:
    match = _RECORD_NAME.fullmatch(plugin.found.name)
    return DOMAIN_CONTEXT if match is None else match["format"] or DOMAIN_CONTEXT


def _set_conflict(rivals: list[Plugin], what: str) -> None:
    names = " and ".join(str(plugin.provider) for plugin in rivals)
    for plugin in rivals:
        plugin.status, plugin.reason = Status.CONFLICT, f"{what} is claimed by {names}"


def _the_one(claimants: list[Plugin]) -> Plugin:
    """The claimant that can be used; where there is none, the first, whose error is raised."""
    return next((plugin for plugin in claimants if plugin.usable), claimants[0])
