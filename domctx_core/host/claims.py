"""Claims: which plugins bring a format, a scheme or a verb of some name, and which of them counts.

Two that claim one name are in conflict, and neither is used, whichever way they came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from domctx_core.base.errors import ConflictError
from domctx_core.host.plugin import Plugin, Status

__all__ = ["Claim", "Claims"]

T = TypeVar("T")


class Claim(NamedTuple, Generic[T]):
    """What one plugin brings under a name: `get` gives it; `run_time` says that a hook declared it."""

    plugin: Plugin
    get: Callable[[], T]
    run_time: bool = False

    @property
    def stands(self) -> bool:
        """Whether it counts: not where its entry point is disabled, or known to be of no use."""
        # an entry point is in conflict over this very name; a pluggy module may be over another
        return self.run_time or self.plugin.usable or self.plugin.status is Status.CONFLICT


class Claims(Generic[T]):
    """All claims to names of one `kind`; `reserved` are those that no plugin may have."""

    def __init__(self, kind: str, reserved: Iterable[str] = ()) -> None:
        self.kind = kind
        self._reserved = frozenset(reserved)
        self._by_name: dict[str, list[Claim[T]]] = {}

    def add(self, name: str, claim: Claim[T]) -> None:
        """Note a claim; those that conflict get that status.

        Raises `ConflictError` where the name is the core's own.
        """
        claims = self._by_name.get(name, [])
        own = any(other.plugin.status is Status.BUILT_IN for other in claims)
        if own or name in self._reserved:
            if claim.stands:
                raise ConflictError(f"the {self.kind} {name} is domctx's own")
            return
        self._by_name[name] = [*claims, claim]
        rivals = self._standing(name)
        if claim.stands and len(rivals) > 1:
            error = self._conflict(name, rivals)
            for plugin in dict.fromkeys(rival.plugin for rival in rivals):
                plugin.mark_conflict(error.message, error.hint)

    def names(self) -> list[str]:
        """All names that are claimed, usable or not."""
        return sorted(self._by_name)

    def one(self, name: str) -> Claim[T] | None:
        """The claim to a name; None where there is none.

        Where there is only one of no use, it is that, and its `get` says why. Raises `ConflictError`
        where several stand.
        """
        standing = self._standing(name)
        if len(standing) > 1:
            raise self._conflict(name, standing)
        return next(iter(standing or self._by_name.get(name, [])), None)

    def plugin(self, name: str) -> Plugin | None:
        """Whose name it is, the first of several."""
        return next((claim.plugin for claim in self._standing(name)), None)

    def indexed(self) -> dict[str, Plugin]:
        """The names that entry points claim, each with the plugin to speak of."""
        found = {}
        for name in self.names():
            claims = [claim.plugin for claim in self._by_name[name] if not claim.run_time]
            if claims:
                found[name] = next((plugin for plugin in claims if plugin.usable), claims[0])
        return found

    def _standing(self, name: str) -> list[Claim[T]]:
        return [claim for claim in self._by_name.get(name, ()) if claim.stands]

    def _conflict(self, name: str, rivals: list[Claim[T]]) -> ConflictError:
        plugins = [rival.plugin for rival in rivals]
        names = " and ".join(str(plugin.provider) for plugin in plugins)
        last = plugins[-1].entry_point
        again = any(plugin.entry_point.dist == last.dist for plugin in plugins[:-1])
        return ConflictError(
            f"the {self.kind} {name} is claimed by {names}",
            hint=f"disable one of them, such as with `-p no:{last.name if again else last.dist}`",
        )
