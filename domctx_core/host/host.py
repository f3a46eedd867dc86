"""The host: finds plugins, keeps them apart, gives each a status and builds the registries.

A host is an object; there is no global one.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeVar

from domctx_core.base.errors import (
    PLUGIN_ERRORS,
    ConflictError,
    DeclarationError,
    DomctxError,
    PluginError,
    UsageError,
    describe,
)
from domctx_core.base.rules import Rules
from domctx_core.base.text import did_you_mean
from domctx_core.host.claims import Claim, Claims
from domctx_core.host.discovery import RecordName, discover, normalise
from domctx_core.host.plugin import Plugin, Status, Traced, initial_status
from domctx_core.host.plugin_filter import PluginFilter, names_of, no_such_plugin
from domctx_core.model.format import Format
from domctx_core.model.formats import Formats
from domctx_core.model.record_type import RecordType
from domctx_core.model.registry import (
    CORE,
    Entry,
    Provider,
    Registry,
)
from domctx_core.model.validation import validate_record_type
from domctx_core.model.wire import DOMAIN_CONTEXT

if TYPE_CHECKING:
    import click

    from domctx_core.base.problems import Rule
    from domctx_core.model.check import Check
    from domctx_core.model.declarations import (
        CheckDeclaration,
        CommandDeclaration,
        DomainDeclaration,
        DomainRequest,
        FormatDeclaration,
        ObserverDeclaration,
        RecordTypeDeclaration,
    )
    from domctx_core.model.domain import Domain
    from domctx_core.model.observer import Observer

__all__ = ["Host"]

T = TypeVar("T")


class Host:
    """Everything that plugins contribute, found without importing them, imported when needed.

    `formats` has the formats and their registries; `plugins` one entry for each entry point. A
    host reads the installed distributions once, when it is made (those on `path` where given).
    `reserved_verbs` are names that no plugin's command may have. `trace` is told of each import
    and each call of a hook.

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
        self.formats = Formats(Rules(beyond=self._rule))
        self.plugins: list[Plugin] = []
        self._formats = Claims[Format]("format")
        self._domains = Claims["Callable[[DomainRequest], Domain]"]("scheme")
        self._commands = Claims["click.Command"]("verb", reserved_verbs)
        self._checks: list[tuple[Plugin, type[Check]]] = []
        self._observed: dict[type[Observer], Plugin] = {}
        self._observers: list[tuple[Plugin, Callable[[], Observer]]] = []
        self._modules_loaded = False
        self._entries: list[tuple[Entry, Plugin]] = []
        plugin_filter = plugin_filter or PluginFilter()
        points = discover(path)
        plugin_filter.check(points)
        core = next((point.version for point in points if point.dist == CORE), None)
        for point in points:
            status, reason = initial_status(point, plugin_filter, core)
            self.plugins.append(Plugin(point, status, reason, on_trace=trace))
        self._index()

    # ------------------------------------------------------------------------- what it has to give

    @property
    def registry(self) -> Registry:
        """The registry of the domain context."""
        return self.formats.registry(DOMAIN_CONTEXT)

    def checks(self) -> list[type[Check]]:
        """The checks across records; imports the pluggy modules the first time."""
        self.load_run_time()
        return [check for _, check in self._checks]

    def _rule(self, id: str) -> Rule | None:
        """Return the rule of that id that a check brings."""
        rules = (rule for check in self.checks() for rule in check.rules)
        return next((rule for rule in rules if rule.id == id), None)

    def checks_of(self, plugin: Plugin) -> list[type[Check]]:
        """The checks that come from one plugin, once it has been loaded."""
        return [check for of, check in self._checks if of is plugin]

    def observers(self) -> list[Observer]:
        """A new observer of each kind that plugins bring; imports the pluggy modules.

        One that cannot be made costs itself: its plugin is then failed.
        """
        self.load_run_time()
        from domctx_core.model.observer import Observer

        made = []
        for plugin, make in self._observers:
            try:
                observer = make()
                if not isinstance(observer, Observer):
                    raise TypeError(f"it made {observer!r:.80}, and an Observer is expected")
                self._observed[type(observer)] = plugin
                made.append(observer)
            except PLUGIN_ERRORS as error:
                plugin.fail(f"its observer raised {describe(error)}")
        return made

    def observer_provider(self, observer: Observer) -> Provider | None:
        """Who brought an observer; None where no plugin did."""
        plugin = self._observed.get(type(observer))
        return None if plugin is None else plugin.provider

    def commands(self) -> dict[str, Plugin]:
        """The verbs that plugins bring by entry point, without importing any.

        A verb that several claim stands for the first of them; using it is an error.
        """
        return self._commands.indexed()

    def command(self, name: str) -> click.Command | None:
        """The command of a verb, imported; None where no plugin brings it.

        Raises `PluginError` where the plugin cannot be used, or several claim the verb.
        """
        claim = self._claim(self._commands, name)
        return None if claim is None else claim.get()

    def verb_provider(self, name: str) -> Provider | None:
        """Who brings a verb; None where no plugin does."""
        plugin = self._commands.plugin(name)
        return None if plugin is None else plugin.provider

    def _claim(self, claims: Claims[T], name: str) -> Claim[T] | None:
        """The claim to a name; pluggy modules are asked where no entry point is of use."""
        if claims.plugin(name) is None:
            self.load_run_time()
        return claims.one(name)

    def load_run_time(self) -> None:
        """Import the pluggy modules, so that what they bring is known; once."""
        if self._modules_loaded:
            return
        self._modules_loaded = True
        modules = [
            plugin for plugin in self.plugins if plugin.entry_point.group == "domctx.plugins"
        ]
        if not modules:
            return
        from domctx_core.host.pluggy_modules import collect, load_modules

        for plugin, callers in load_modules(modules):
            for hook, accept in self._acceptors().items():
                collect(plugin, callers, hook, accept)

    def named(self, name: str) -> list[Plugin]:
        """The plugins that a user means by the name of a distribution, entry point or module.

        Raises `UsageError`, with near names, where there is none.
        """
        wanted = normalise(name)
        plugins = [plugin for plugin in self.plugins if wanted in names_of(plugin.entry_point)]
        if not plugins:
            known: dict[str, str] = {}
            for plugin in self.plugins:
                known |= names_of(plugin.entry_point)
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
        found = plugin.entry_point
        if found.group == "domctx.record_types":
            for _, entry in self.declared(plugin):
                entry.record_type  # noqa: B018  # the import is what is wanted
        elif found.group == "domctx.formats":
            self.formats.get(found.name)
        elif found.group == "domctx.domains":
            self._scheme(found.name).get()
        elif found.group == "domctx.commands":
            self.command(found.name)

    def schemes(self) -> list[str]:
        """The schemes of domains that are known."""
        return self._domains.names()

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
        from domctx_core.model.declarations import DomainRequest
        from domctx_core.model.domain import Domain

        claim = self._scheme(scheme)
        opener = claim.get()
        try:
            request = DomainRequest(rest, purpose, self.formats, standard_input, self.checks)
            domain = opener(request)
            if not isinstance(domain, Domain):
                raise TypeError(f"it gave {domain!r:.80}, and a Domain is expected")
        except DomctxError:
            raise
        except PLUGIN_ERRORS as error:
            raise PluginError(
                f"opening {name} raised {describe(error)}", provider=claim.plugin.provider
            ) from error
        return domain

    def failures(self) -> list[Plugin]:
        """The plugins that are of no use though nobody turned them off."""
        return [plugin for plugin in self.plugins if plugin.broken]

    # ------------------------------------------------------------------------------------- indexing

    def _index(self) -> None:
        for plugin in self.plugins:
            if plugin.entry_point.group == "domctx.record_types":
                self._index_record_type(plugin)
            elif plugin.status is not Status.SHADOWED:
                self._index_name(plugin)
        for entry, plugin in self._entries:
            if plugin.usable:
                try:
                    self.formats.registry(_format_of(plugin)).get(entry.code)
                except ConflictError as error:
                    plugin.mark_conflict(error.message, error.hint)
        self.formats.more = self.load_run_time
        for registry in self.formats.registries():
            registry.more = self.load_run_time

    def _index_name(self, plugin: Plugin) -> None:
        name, group = plugin.entry_point.name, plugin.entry_point.group
        try:
            if group == "domctx.formats":
                self._formats.add(name, Claim(plugin, lambda: self._format(plugin)))
                self._know_format(name, plugin)
            elif group == "domctx.domains":
                self._domains.add(name, Claim(plugin, lambda: self._opener(plugin)))
            elif group == "domctx.commands":
                self._commands.add(name, Claim(plugin, lambda: self._command(plugin)))
        except ConflictError as error:
            plugin.mark_conflict(error.message, error.hint)

    def _know_format(self, name: str, plugin: Plugin) -> None:
        """Let the format be asked for by its name, whoever else may claim that."""
        if name in self.formats.names():
            self.formats.forget(name)
        else:
            self.formats.add(name, plugin.provider, lambda: self._claimed_format(name))

    def _claimed_format(self, name: str) -> Format:
        claim = self._claim(self._formats, name)
        assert claim is not None
        return claim.get()

    def _index_record_type(self, plugin: Plugin) -> None:
        record = RecordName.of(plugin.entry_point.name)
        if record is None:
            if plugin.usable:
                plugin.status = Status.FAILED
            plugin.reason = (
                f"the entry point is called {plugin.entry_point.name!r}, not [FORMAT/]CODE.NAME"
            )
            return
        plugin.record_types = [f"{record.code}.{record.name}"]
        if plugin.status is Status.SHADOWED:
            return
        registry = self.formats.registry(record.format or DOMAIN_CONTEXT)
        try:
            entry = registry.declare(
                record.code,
                record.name,
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
        except DomctxError as error:
            raise plugin.fail(str(error)) from error
        except PLUGIN_ERRORS as error:
            raise plugin.fail(f"its record type raised {describe(error)}") from error
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
    def _format(plugin: Plugin) -> Format:
        thing, name = plugin.load(), plugin.entry_point.name
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
        except PLUGIN_ERRORS as error:
            raise plugin.fail(f"{thing.__name__}() raised {describe(error)}") from error

    @staticmethod
    def _command(plugin: Plugin) -> click.Command:
        import click

        command, name = plugin.load(), plugin.entry_point.name
        if not isinstance(command, click.Command):
            raise plugin.refuse(
                f"the verb {name} of {plugin.provider} is no click command",
                expected="a click.Command",
                actual=command,
            )
        return command

    @staticmethod
    def _opener(plugin: Plugin) -> Callable[[DomainRequest], Domain]:
        opener: Callable[[DomainRequest], Domain] = plugin.load()
        if not callable(opener):
            raise plugin.refuse(
                f"the scheme {plugin.entry_point.name} of {plugin.provider} cannot be called",
                expected="a callable that takes a DomainRequest",
                actual=opener,
            )
        return opener

    def _scheme(self, scheme: str) -> Claim[Callable[[DomainRequest], Domain]]:
        claim = self._claim(self._domains, scheme)
        if claim is None:
            raise UsageError(
                f"no plugin knows domains of the scheme {scheme!r}",
                hint=did_you_mean(scheme, self.schemes())
                or f"known schemes: {', '.join(self.schemes())}",
            )
        return claim

    def _acceptors(self) -> dict[str, Callable[[Plugin, Any], None]]:
        from domctx_core.model import declarations as kinds

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
                    plugin.mark_conflict(error.message, error.hint)

    def _accept_format(self, plugin: Plugin, declared: FormatDeclaration) -> None:
        if not (isinstance(declared.format, type) and issubclass(declared.format, Format)):
            raise DeclarationError(
                "a FormatDeclaration holds a Format subclass", actual=repr(declared.format)[:80]
            )
        name = _name("format", getattr(declared.format, "name", None))
        self._formats.add(name, Claim(plugin, declared.format, run_time=True))
        self._know_format(name, plugin)

    def _accept_domain(self, plugin: Plugin, declared: DomainDeclaration) -> None:
        if not callable(declared.open):
            raise DeclarationError(
                "a DomainDeclaration holds a callable", actual=repr(declared.open)[:80]
            )
        opener = declared.open
        name = _name("scheme", declared.scheme)
        self._domains.add(name, Claim(plugin, lambda: opener, run_time=True))

    def _accept_check(self, plugin: Plugin, declared: CheckDeclaration) -> None:
        from domctx_core.model.check import Check, validate_check

        check = declared.check
        if not (isinstance(check, type) and issubclass(check, Check)):
            raise DeclarationError("a CheckDeclaration holds a Check subclass", actual=repr(check))
        validate_check(check)
        self._checks.append((plugin, check))

    def _accept_command(self, plugin: Plugin, declared: CommandDeclaration) -> None:
        import click

        command = declared.command
        if not isinstance(command, click.Command):
            raise DeclarationError(
                "a CommandDeclaration holds a click command", actual=repr(command)[:80]
            )
        name = _name("verb", declared.name)
        self._commands.add(name, Claim(plugin, lambda: command, run_time=True))

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


def _name(kind: str, name: object) -> str:
    """A name that people can write in a command; raises `DeclarationError` for any other."""
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise DeclarationError(
        f"that is no name for a {kind}",
        expected="letters, digits, `_`, `.`, `+` and `-`, a letter first",
        actual=repr(name)[:80],
    )


_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.+-]*")


def _format_of(plugin: Plugin) -> str:
    record = RecordName.of(plugin.entry_point.name)
    return DOMAIN_CONTEXT if record is None else record.format or DOMAIN_CONTEXT
