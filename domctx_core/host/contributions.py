"""Contributions: what plugins bring, by name, from entry points and from hooks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from domctx_core.base.errors import ConflictError, DeclarationError, DomctxError
from domctx_core.base.rules import Rules
from domctx_core.host.claims import Claim, Claims
from domctx_core.host.discovery import RecordName
from domctx_core.host.entry_values import load_command, load_format, load_opener, load_record_type
from domctx_core.host.plugin import Plugin, Status
from domctx_core.model.format import Format
from domctx_core.model.formats import Formats
from domctx_core.model.registry import Entry, Registry
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

__all__ = ["Contributions"]

T = TypeVar("T")


class Contributions:
    """What plugins contribute: indexed by name from entry points, or accepted from hooks.

    `formats` has the formats and registries, whose `entries` each come from a plugin; `domains` and
    `commands` are the claims to schemes and verbs; `checks` and `observers` are in the order in
    which they were declared. `load_run_time` is called if a name is unknown, and may add it.
    """

    def __init__(self, load_run_time: Callable[[], None], reserved_verbs: Iterable[str]) -> None:
        self.formats = Formats(Rules(beyond=self._rule))
        self.entries: list[tuple[Entry, Plugin]] = []
        self.domains: Claims[Callable[[DomainRequest], Domain]] = Claims("scheme")
        self.commands: Claims[click.Command] = Claims("verb", reserved_verbs)
        self.checks: list[tuple[Plugin, type[Check]]] = []
        self.observers: list[tuple[Plugin, Callable[[], Observer]]] = []
        self._formats = Claims[Format]("format")
        self._load_run_time = load_run_time

    def claim(self, claims: Claims[T], name: str) -> Claim[T] | None:
        """Return the claim to a name; import the pluggy modules if no entry point is usable."""
        if claims.plugin(name) is None:
            self._load_run_time()
        return claims.one(name)

    def _rule(self, id: str) -> Rule | None:
        """Return the rule of that id that a check brings."""
        self._load_run_time()
        rules = (rule for _, check in self.checks for rule in check.rules)
        return next((rule for rule in rules if rule.id == id), None)

    # ------------------------------------------------------------------------ from entry points

    def index(self, plugins: Iterable[Plugin]) -> None:
        """Index entry points by what their names claim, and mark those in conflict."""
        for plugin in plugins:
            if plugin.entry_point.group == "domctx.record_types":
                self._index_record_type(plugin)
            elif plugin.status is not Status.SHADOWED:
                self._index_name(plugin)
        for entry, plugin in self.entries:
            if plugin.usable:
                try:
                    self.formats.registry(_format_of(plugin)).get(entry.code)
                except ConflictError as error:
                    plugin.mark_conflict(error.message, error.hint)
        self.formats.more = self._load_run_time
        for registry in self.formats.registries():
            registry.more = self._load_run_time

    def _index_name(self, plugin: Plugin) -> None:
        name, group = plugin.entry_point.name, plugin.entry_point.group
        try:
            if group == "domctx.formats":
                self._formats.add(name, Claim(plugin, lambda: load_format(plugin)))
                self._know_format(name, plugin)
            elif group == "domctx.domains":
                self.domains.add(name, Claim(plugin, lambda: load_opener(plugin)))
            elif group == "domctx.commands":
                self.commands.add(name, Claim(plugin, lambda: load_command(plugin)))
        except ConflictError as error:
            plugin.mark_conflict(error.message, error.hint)

    def _know_format(self, name: str, plugin: Plugin) -> None:
        """Register a format's name, whatever else may claim it."""
        if name in self.formats.names():
            self.formats.forget(name)
        else:
            self.formats.add(name, plugin.provider, lambda: self._claimed_format(name))

    def _claimed_format(self, name: str) -> Format:
        claim = self.claim(self._formats, name)
        assert claim is not None
        return claim.get()

    def _index_record_type(self, plugin: Plugin) -> None:
        record = RecordName.of(plugin.entry_point.name)
        if record is None:
            if plugin.usable:
                plugin.status = Status.FAILED
            plugin.reason = (
                f"the entry point is named {plugin.entry_point.name!r}; expected [FORMAT/]CODE.NAME"
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
                lambda: load_record_type(plugin),
                withdrawn=None if plugin.usable else plugin.error(),
            )
        except DomctxError as error:
            plugin.status, plugin.reason = Status.FAILED, error.message
            return
        self.entries.append((entry, plugin))

    # ------------------------------------------------------------------------ from hooks

    def acceptors(self) -> dict[str, Callable[[Plugin, Any], None]]:
        """Return for each hook the function that takes one declaration of a plugin."""
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
        record_type = validate_record_type(declared.record_type)
        registry = self.formats.registry(declared.format)
        entry = registry.declare(
            record_type.code, record_type.name, plugin.provider, lambda: record_type
        )
        plugin.record_types.append(f"{entry.code}.{entry.name}")
        self.entries.append((entry, plugin))
        self._settle(registry, entry)

    def _settle(self, registry: Registry, entry: Entry) -> None:
        """Mark all plugins that claim the code or name of `entry`, if there are several."""
        try:
            registry.get(entry.code)
        except ConflictError as error:
            ours = {id(own) for own in registry}
            for other, plugin in self.entries:
                same = other.code == entry.code or other.name == entry.name
                if same and id(other) in ours and plugin.usable:
                    plugin.mark_conflict(error.message, error.hint)

    def _accept_format(self, plugin: Plugin, declared: FormatDeclaration) -> None:
        if not (isinstance(declared.format, type) and issubclass(declared.format, Format)):
            raise DeclarationError(
                "FormatDeclaration requires a Format subclass", actual=repr(declared.format)[:80]
            )
        name = _name("format", getattr(declared.format, "name", None))
        self._formats.add(name, Claim(plugin, declared.format, run_time=True))
        self._know_format(name, plugin)

    def _accept_domain(self, plugin: Plugin, declared: DomainDeclaration) -> None:
        if not callable(declared.open):
            raise DeclarationError(
                "DomainDeclaration requires a callable", actual=repr(declared.open)[:80]
            )
        opener = declared.open
        name = _name("scheme", declared.scheme)
        self.domains.add(name, Claim(plugin, lambda: opener, run_time=True))

    def _accept_check(self, plugin: Plugin, declared: CheckDeclaration) -> None:
        from domctx_core.model.check import Check, validate_check

        check = declared.check
        if not (isinstance(check, type) and issubclass(check, Check)):
            raise DeclarationError("CheckDeclaration requires a Check subclass", actual=repr(check))
        validate_check(check)
        self.checks.append((plugin, check))

    def _accept_command(self, plugin: Plugin, declared: CommandDeclaration) -> None:
        import click

        command = declared.command
        if not isinstance(command, click.Command):
            raise DeclarationError(
                "CommandDeclaration requires a click command", actual=repr(command)[:80]
            )
        name = _name("verb", declared.name)
        self.commands.add(name, Claim(plugin, lambda: command, run_time=True))

    def _accept_observer(self, plugin: Plugin, declared: ObserverDeclaration) -> None:
        make = declared.observer
        if not callable(make):
            raise DeclarationError(
                "ObserverDeclaration requires a callable", actual=repr(make)[:80]
            )
        self.observers.append((plugin, make))


def _only(kind: type[T], accept: Callable[[Plugin, T], None]) -> Callable[[Plugin, Any], None]:
    """Wrap `accept`: raise `DeclarationError` for a declaration that is not of type `kind`."""

    def checked(plugin: Plugin, declaration: Any) -> None:
        if not isinstance(declaration, kind):
            raise DeclarationError(
                f"it returned {type(declaration).__name__}; expected {kind.__name__} objects"
            )
        accept(plugin, declaration)

    return checked


def _name(kind: str, name: object) -> str:
    """Return a name that can be written in a command; raise `DeclarationError` for any other."""
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise DeclarationError(
        f"invalid name for a {kind}",
        expected="letters, digits, `_`, `.`, `+` and `-`, a letter first",
        actual=repr(name)[:80],
    )


_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.+-]*")


def _format_of(plugin: Plugin) -> str:
    record = RecordName.of(plugin.entry_point.name)
    return DOMAIN_CONTEXT if record is None else record.format or DOMAIN_CONTEXT
