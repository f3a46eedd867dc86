"""Claims: the plugins that provide a format, a scheme or a verb of some name, and which one is used.

Two that claim the same name are in conflict, and neither is used, whether entry points or hooks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from domctx_core.base.errors import ConflictError
from domctx_core.host.plugin import Plugin, Status

__all__ = ["Claim", "Claims"]

T = TypeVar("T")


class Claim(NamedTuple, Generic[T]):
    """What one plugin brings under a name: `get` returns it; `run_time` if a hook declared it."""

    plugin: Plugin
    get: Callable[[], T]
    run_time: bool = False

    @property
    def valid(self) -> bool:
        """True unless the entry point is disabled or cannot be used."""
        # an entry point is in conflict over this very name; a pluggy module may be over another
        return self.run_time or self.plugin.usable or self.plugin.status is Status.CONFLICT


class Claims(Generic[T]):
    """All claims to names of one kind (format, scheme, verb).

    `reserved` are names that no plugin may claim.
    """

    def __init__(self, kind: str, reserved: Iterable[str] = ()) -> None:
        self.kind = kind
        self._reserved = frozenset(reserved)
        self._by_name: dict[str, list[Claim[T]]] = {}

    def add(self, name: str, claim: Claim[T]) -> None:
        """Add a claim; plugins that conflict with each other get that status.

        Raise `ConflictError` if the name is the core's own.
        """
        claims = self._by_name.get(name, [])
        own = any(other.plugin.status is Status.BUILT_IN for other in claims)
        if own or name in self._reserved:
            if claim.valid:
                raise ConflictError(f"the {self.kind} {name} belongs to domctx")
            return
        self._by_name[name] = [*claims, claim]
        rivals = self._valid(name)
        if claim.valid and len(rivals) > 1:
            error = self._conflict(name, rivals)
            for plugin in dict.fromkeys(rival.plugin for rival in rivals):
                plugin.mark_conflict(error.message, error.hint)

    def names(self) -> list[str]:
        """Return all names that are claimed, usable or not."""
        return sorted(self._by_name)

    def one(self, name: str) -> Claim[T] | None:
        """Return the claim to a name; None if there is none.

        If the only one is not valid, return it all the same: its `get` raises the reason. Raise
        `ConflictError` if several are valid.
        """
        valid = self._valid(name)
        if len(valid) > 1:
            raise self._conflict(name, valid)
        return next(iter(valid or self._by_name.get(name, [])), None)

    def plugin(self, name: str) -> Plugin | None:
        """Return the plugin whose name it is, the first of several."""
        return next((claim.plugin for claim in self._valid(name)), None)

    def indexed(self) -> dict[str, Plugin]:
        """Return the names that entry points claim, each with a plugin, if possible a usable one."""
        indexed = {}
        for name in self.names():
            claims = [claim.plugin for claim in self._by_name[name] if not claim.run_time]
            if claims:
                indexed[name] = next((plugin for plugin in claims if plugin.usable), claims[0])
        return indexed

    def _valid(self, name: str) -> list[Claim[T]]:
        return [claim for claim in self._by_name.get(name, ()) if claim.valid]

    def _conflict(self, name: str, rivals: list[Claim[T]]) -> ConflictError:
        plugins = [rival.plugin for rival in rivals]
        names = " and ".join(str(plugin.provider) for plugin in plugins)
        last = plugins[-1].entry_point
        again = any(plugin.entry_point.dist == last.dist for plugin in plugins[:-1])
        return ConflictError(
            f"the {self.kind} {name} is claimed by {names}",
            hint=f"disable one of them, such as with `-p no:{last.name if again else last.dist}`",
        )
