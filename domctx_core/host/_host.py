"""The host: finds plugins, keeps them apart, gives each a status and builds the registries.

A host is an object; there is no global one.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeVar

from domctx_core.errors import (
    PLUGIN_FAULTS,
    ConflictError,
    DeclarationError,
    DomctxError,
    PluginError,
    UsageError,
)
from domctx_core.formats import Format, Formats
from domctx_core.host.discovery import CORE, discover, normalise
from domctx_core.host.plugins import Plugin, Status, Traced, assess
from domctx_core.host.switches import Switches, names_of, no_such_plugin
from domctx_core.records import RecordType, validate_record_type
from domctx_core.registry import DOMAIN_CONTEXT, Entry, Registry
from domctx_core.spelling import did_you_mean

if TYPE_CHECKING:
    import click

    from domctx_core.checks import Check
    from domctx_core.declarations import (
        CheckDeclaration,
        CommandDeclaration,
        DomainDeclaration,
        DomainRequest,
        FormatDeclaration,
        ObserverDeclaration,
        RecordTypeDeclaration,
    )
    from domctx_core.domains import Domain
    from domctx_core.host.deprecation import Deprecation
    from domctx_core.observers import Observer

__all__ = ["Host"]

T = TypeVar("T")

_RECORD_NAME = re.compile(r"(?:(?P<format>[^/]+)/)?(?P<code>0[xX][0-9a-fA-F]+|\d+)\.(?P<name>.+)")


class Host:
    """Everything that plugins contribute, found without importing them, imported when needed.

    `formats` has the formats and their registries; `plugins` one entry for each entry point. A
    host reads the installed distributions once, when it is made (those on `path` where given).
    `reserved_verbs` are names that no plugin's command may have. `trace` is told of each import
    and each call of a hook. `deprecated` is what plugins are warned of,
    `DEPRECATED` by default.

    Raises `UsageError` where a switch names a plugin that does not exist.
    """

    def __init__(
        self,
        switches: Switches | None = None,
        *,
        path: Iterable[str] | None = None,
        reserved_verbs: Iterable[str] = (),
        trace: Callable[[Traced], None] | None = None,
        deprecated: Iterable[Deprecation] | None = None,
    ) -> None:
        self.formats = Formats()
        self.plugins: list[Plugin] = []
        self._reserved_verbs = frozenset(reserved_verbs)
        self._deprecated = deprecated
        self._domains: dict[str, list[Plugin]] = {}
        self._commands: dict[str, list[Plugin]] = {}
        self._run_time_domains: dict[str, DomainDeclaration] = {}
        self._run_time_commands: dict[str, CommandDeclaration] = {}
        self._checks: list[type[Check]] = []
        self._observers: list[tuple[Plugin, Callable[[], Observer]]] = []
        self._modules_loaded = False
        self._entries: list[tuple[Entry, Plugin]] = []
        switches = switches or Switches()
        found = discover(path)
        switches.check(found)
        core = next((each.version for each in found if each.dist == CORE), None)
        for each in found:
            plugin = assess(each, switches, core)
            plugin.tell = trace
            self.plugins.append(plugin)
        self._index()

    # ------------------------------------------------------------------------- what it has to give

    @property
    def registry(self) -> Registry:
        """The registry of the domain context."""
        return self.formats.registry(DOMAIN_CONTEXT)

    def checks(self) -> list[type[Check]]:
        """The checks across records; imports the pluggy modules the first time."""
        self.load_run_time()
        return list(self._checks)

    def observers(self) -> list[Observer]:
        """A new observer of each kind that plugins bring; imports the pluggy modules.

        One that cannot be made costs itself: its plugin is then failed.
        """
        self.load_run_time()
        made = []
        for plugin, make in self._observers:
            try:
                made.append(make())
            except PLUGIN_FAULTS as error:
                plugin.fail(f"its observer raised {type(error).__name__}: {error}")
        return made

    def commands(self) -> dict[str, Plugin]:
        """The verbs that plugins bring by entry point, without importing any.

        A verb that several claim stands for the first of them; using it is an error.
        """
        return {name: _the_one(claimants) for name, claimants in sorted(self._commands.items())}

    def command(self, name: str) -> click.Command | None:
        """The command of a verb, imported; None where no plugin brings it.

        Raises `PluginError` where the plugin cannot be used.
        """
        import click

        claimants = self._commands.get(name)
        if claimants is not None:
            plugin = _the_one(claimants)
            command = plugin.load()
            if not isinstance(command, click.Command):
                raise plugin.refuse(
                    f"the verb {name} of {plugin.provider} is no click command",
                    expected="a click.Command",
                    actual=command,
                )
            return command
        self.load_run_time()
        declaration = self._run_time_commands.get(name)
        return None if declaration is None else declaration.command

    def load_run_time(self) -> None:
        """Import the pluggy modules, so that what they bring is known; once."""
        if self._modules_loaded:
            return
        self._modules_loaded = True
        modules = [plugin for plugin in self.plugins if plugin.found.group == "domctx.plugins"]
        if not modules:
            return
        from domctx_core.host.deprecation import DEPRECATED
        from domctx_core.host.modules import collect, load_modules

        deprecated = DEPRECATED if self._deprecated is None else tuple(self._deprecated)
        for plugin, callers in load_modules(modules, deprecated):
            for hook, accept in self._acceptors().items():
                collect(plugin, callers, hook, accept)

    def named(self, name: str) -> list[Plugin]:
        """The plugins that a user means by the name of a distribution, entry point or module.

        Raises `UsageError`, with near names, where there is none.
        """
        wanted = normalise(name)
        plugins = [plugin for plugin in self.plugins if wanted in names_of(plugin.found)]
        if not plugins:
            known: dict[str, str] = {}
            for plugin in self.plugins:
                known |= names_of(plugin.found)
            raise no_such_plugin(name, known)
        return plugins

    def declared(self, plugin: Plugin) -> list[tuple[str, Entry]]:
        """The registry entries that come from a plugin, each with the name of its format."""
        formats = {
            id(e): registry.format for registry in self.formats.registries() for e in registry
        }
        return [(formats[id(entry)], entry) for entry, of in self._entries if of is plugin]

    def examine(self, plugins: Iterable[Plugin] | None = None) -> None:
        """Import what plugins (all by default) declare, so that each has its true status."""
        self.load_run_time()
        for plugin in self.plugins if plugins is None else plugins:
            if plugin.usable:
                with contextlib.suppress(PluginError):  # its status says what is wrong with it
                    self._examine(plugin)

    def _examine(self, plugin: Plugin) -> None:
        found = plugin.found
        if found.group == "domctx.record_types":
            for _, entry in self.declared(plugin):
                entry.record_type  # noqa: B018  # the import is what is wanted
        elif found.group == "domctx.formats":
            self.formats.get(found.name)
        elif found.group == "domctx.domains":
            self._opener(found.name)
        elif found.group == "domctx.commands":
            self.command(found.name)

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
        from domctx_core.declarations import DomainRequest

        opener = self._opener(scheme)
        try:
            return opener(DomainRequest(rest, purpose, self.formats, standard_input, self.checks))
        except DomctxError:
            raise
        except PLUGIN_FAULTS as error:
            raise PluginError(
                f"opening {name} raised {type(error).__name__}: {error}",
                provider=self._scheme_provider(scheme),
            ) from error

    def failures(self) -> list[Plugin]:
        """The plugins that are of no use though nobody turned them off."""
        return [plugin for plugin in self.plugins if plugin.broken]

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
            elif plugin.found.group == "domctx.commands":
                if plugin.usable and plugin.found.name in self._reserved_verbs:
                    plugin.status = Status.CONFLICT
                    plugin.reason = f"the verb {plugin.found.name} is domctx's own"
                else:
                    self._commands.setdefault(plugin.found.name, []).append(plugin)
        for name, claimants in formats.items():
            self.formats.add(
                name,
                claimants[0].provider,
                lambda c=claimants: self._format(c),  # type: ignore[misc]
            )
        tables = (("format", formats), ("scheme", self._domains), ("verb", self._commands))
        for kind, table in tables:
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
        self.formats.more = self.load_run_time
        for registry in self.formats.registries():
            registry.more = self.load_run_time

    def _index_record_type(self, plugin: Plugin) -> None:
        match = _RECORD_NAME.fullmatch(plugin.found.name)
        if match is None:
            if plugin.usable:
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

    @staticmethod
    def _record_type(plugin: Plugin) -> RecordType[Any]:
        thing = plugin.load()
        try:
            made = validate_record_type(thing)
        except PLUGIN_FAULTS as error:
            raise plugin.fail(str(error)) from error
        declared, is_ = plugin.record_types[0], f"{made.code}.{made.name}"
        if isinstance(made.name, str) and is_ != declared:
            raise plugin.refuse(
                f"the entry point of {plugin.provider} declares {declared}, and"
                f" {type(made).__name__} says {is_}",
                expected=declared,
                actual=is_,
            )
        return made

    @staticmethod
    def _format(claimants: list[Plugin]) -> Format:
        plugin = _the_one(claimants)
        thing, name = plugin.load(), plugin.found.name
        if not (isinstance(thing, type) and issubclass(thing, Format)):
            raise plugin.refuse(
                f"the format {name} of {plugin.provider} is no Format class",
                expected="a subclass of domctx_core.Format",
                actual=thing,
            )
        if getattr(thing, "name", None) != name:
            raise plugin.refuse(
                f"the entry point of {plugin.provider} declares the format {name}, and"
                f" {thing.__name__} is called {getattr(thing, 'name', None)!r}",
                expected=name,
                actual=thing,
            )
        try:
            return thing()
        except PLUGIN_FAULTS as error:
            raise plugin.fail(f"{thing.__name__}() raised {error!r}") from error

    def _scheme_provider(self, scheme: str) -> object:
        claimants = self._domains.get(scheme)
        return None if claimants is None else _the_one(claimants).provider

    def _opener(self, scheme: str) -> Callable[[DomainRequest], Domain]:
        claimants = self._domains.get(scheme)
        if claimants is not None:
            plugin = _the_one(claimants)
            opener: Callable[[DomainRequest], Domain] = plugin.load()
            if not callable(opener):
                raise plugin.refuse(
                    f"the scheme {scheme} of {plugin.provider} cannot be called",
                    expected="a callable that takes a DomainRequest",
                    actual=opener,
                )
            return opener
        self.load_run_time()
        declaration = self._run_time_domains.get(scheme)
        if declaration is None:
            raise UsageError(
                f"no plugin knows domains of the scheme {scheme!r}",
                hint=did_you_mean(scheme, self.schemes())
                or f"known schemes: {', '.join(self.schemes())}",
            )
        return declaration.open

    def _acceptors(self) -> dict[str, Callable[[Plugin, Any], None]]:
        from domctx_core import declarations as kinds

        return {
            "domctx_record_types": _only(kinds.RecordTypeDeclaration, self._accept_record_type),
            "domctx_formats": _only(kinds.FormatDeclaration, self._accept_format),
            "domctx_domains": _only(kinds.DomainDeclaration, self._accept_domain),
            "domctx_checks": _only(kinds.CheckDeclaration, self._accept_check),
            "domctx_commands": _only(kinds.CommandDeclaration, self._accept_command),
            "domctx_observers": _only(kinds.ObserverDeclaration, self._accept_observer),
        }

    def _accept_record_type(self, plugin: Plugin, declared: RecordTypeDeclaration) -> None:
        made = validate_record_type(declared.record_type)
        registry = self.formats.registry(declared.format)
        entry = registry.declare(made.code, made.name, plugin.provider, lambda: made)
        plugin.record_types.append(f"{entry.code}.{entry.name}")
        self._entries.append((entry, plugin))
        self._settle(registry, entry)

    def _settle(self, registry: Registry, entry: Entry) -> None:
        """Give the status of a conflict to all that claim what `entry` claims."""
        try:
            registry.get(entry.code)
        except ConflictError as error:
            ours = {id(each) for each in registry}
            for other, plugin in self._entries:
                same = other.code == entry.code or other.name == entry.name
                if same and id(other) in ours and plugin.usable:
                    plugin.status, plugin.reason = Status.CONFLICT, error.message

    def _accept_format(self, plugin: Plugin, declared: FormatDeclaration) -> None:
        if not (isinstance(declared.format, type) and issubclass(declared.format, Format)):
            raise DeclarationError(
                "a FormatDeclaration holds a Format subclass", actual=repr(declared.format)[:80]
            )
        if declared.format.name in self.formats.names():
            provider = self.formats.provider(declared.format.name)
            raise ConflictError(f"the format {declared.format.name} is {provider}'s")
        self.formats.add(declared.format.name, plugin.provider, declared.format)

    def _accept_domain(self, plugin: Plugin, declared: DomainDeclaration) -> None:
        if not callable(declared.open):
            raise DeclarationError(
                "a DomainDeclaration holds a callable", actual=repr(declared.open)[:80]
            )
        if declared.scheme in self.schemes():
            raise ConflictError(f"the scheme {declared.scheme} is taken")
        self._run_time_domains[declared.scheme] = declared

    def _accept_check(self, plugin: Plugin, declared: CheckDeclaration) -> None:
        from domctx_core.checks import Check

        check = declared.check
        if not (isinstance(check, type) and issubclass(check, Check)):
            raise DeclarationError("a CheckDeclaration holds a Check subclass", actual=repr(check))
        self._checks.append(check)

    def _accept_command(self, plugin: Plugin, declared: CommandDeclaration) -> None:
        import click

        if not isinstance(declared.command, click.Command):
            raise DeclarationError(
                "a CommandDeclaration holds a click command", actual=repr(declared.command)[:80]
            )
        if declared.name in {*self._reserved_verbs, *self._commands, *self._run_time_commands}:
            raise ConflictError(f"the verb {declared.name} is taken")
        self._run_time_commands[declared.name] = declared

    def _accept_observer(self, plugin: Plugin, declared: ObserverDeclaration) -> None:
        make = declared.observer
        if not callable(make):
            raise DeclarationError(
                "an ObserverDeclaration holds a callable", actual=repr(make)[:80]
            )
        self._observers.append((plugin, make))


def _only(kind: type[T], accept: Callable[[Plugin, T], None]) -> Callable[[Plugin, Any], None]:
    """`accept`, for declarations of one kind; `DeclarationError` for anything else."""

    def checked(plugin: Plugin, declaration: Any) -> None:
        if not isinstance(declaration, kind):
            raise DeclarationError(
                f"it returned {type(declaration).__name__}, and {kind.__name__} objects are"
                " expected"
            )
        accept(plugin, declaration)

    return checked


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
