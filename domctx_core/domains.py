"""Domains: what gives and takes state, whatever hypervisor or file is behind it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from domctx_core.errors import DomainError, MisuseError, NoState, UsageError
from domctx_core.layout import Body

__all__ = ["Domain", "Guest", "StagedDomain", "XenVersion"]

B = TypeVar("B", bound=Body)


class XenVersion(NamedTuple):
    """A Xen release, compared as people expect: 4.9 is older than 4.15."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> XenVersion:
        """The version written as `4.17`; raises `UsageError` for anything else."""
        match = re.fullmatch(r"(\d{1,9})\.(\d{1,9})", text, re.ASCII)
        if match is None:
            raise UsageError(f"{text!r} is not a Xen version", expected="MAJOR.MINOR, as in 4.17")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True, slots=True)
class Guest:
    """What kind of guest a domain is, as far as it says.

    `kind` is `pv` or `hvm` (PVH counts as hvm), `width` the bytes of a guest word (4 or 8),
    `arch` is `x86` or `arm`, `vcpus` the number of vCPUs. None means that the domain does not say.
    `channels` is how many event channels a made-up guest is to have; real ones do not say.
    """

    kind: str | None = None
    width: int | None = None
    arch: str | None = None
    vcpus: int | None = None
    channels: int | None = None


class Domain(ABC):
    """One domain's state, by body class and instance.

    `domid` is its number, `xen_version` the version of its hypervisor (None: it has none of its
    own), `guest` what kind of guest it is. `is_current` is true for the domain that this program
    runs in, which is never its own subject.

    The base class keeps nothing, offers nothing and takes nothing.
    """

    domid: int = 0
    xen_version: XenVersion | None = None
    guest: Guest = Guest()
    is_current: bool = False

    def offers(self) -> frozenset[int] | None:
        """The type codes that there is state for; None where any type may be asked."""
        return frozenset()

    def instances(self, body: type[Body]) -> Iterable[int]:
        """The instances of a body class that there is state for, ascending."""
        return ()

    def read(self, body: type[B], instance: int = 0) -> B:
        """The state of that body class and instance; raises `NoState` where there is none."""
        raise NoState(f"the domain has no {body.__name__}[{instance}]", instance=instance)

    def accepts(self, body: type[B], instance: int, value: B) -> None:
        """Raise `DomainError` for state that `write` would refuse, as far as that can be told.

        A load of two phases asks before anything is written, so that a refusal costs nothing.
        """

    def write(self, body: type[B], instance: int, value: B) -> None:
        """Take state over; raises `DomainError` where the domain refuses."""
        raise DomainError(f"the domain takes no {body.__name__}", instance=instance)

    def update(self, body: type[B], instance: int, change: Callable[[B | None], B]) -> None:
        """Replace state by `change` of what is there now (None where there is none).

        In a load of two phases the change is queued and happens while the domain is paused.
        """
        try:
            current: B | None = self.read(body, instance)
        except NoState:
            current = None
        self.write(body, instance, change(current))

    @abstractmethod
    def pause(self) -> None:
        """Stop the domain's vCPUs. Pauses count: each needs its unpause."""

    @abstractmethod
    def unpause(self) -> None:
        """Undo one pause."""

    def close(self) -> None:  # most domains have nothing to let go of
        """Let go of the domain; what was written is kept from then on, wherever it is kept."""

    def abandon(self) -> None:
        """Let go of the domain after an operation that failed: nothing is kept that need not be."""


class StagedDomain(Domain):
    """A view of a domain that queues what is written, for the plan phase of a load.

    Reading gives what was queued, or else the domain's present state.
    """

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self.domid = domain.domid
        self.xen_version = domain.xen_version
        self.guest = domain.guest
        self._queue: list[tuple[str, Callable[[], None]]] = []
        self._state: dict[tuple[type[Body], int], Any] = {}

    def offers(self) -> frozenset[int] | None:
        return self.domain.offers()

    def instances(self, body: type[Body]) -> Iterable[int]:
        staged = {instance for kind, instance in self._state if kind is body}
        return sorted(staged.union(self.domain.instances(body)))

    def read(self, body: type[B], instance: int = 0) -> B:
        staged: B | None = self._state.get((body, instance))
        return self.domain.read(body, instance) if staged is None else staged

    def write(self, body: type[B], instance: int, value: B) -> None:
        domain = self.domain
        domain.accepts(body, instance, value)
        self._state[body, instance] = value
        self._queue.append(
            (f"{body.__name__}[{instance}]", lambda: domain.write(body, instance, value))
        )

    def update(self, body: type[B], instance: int, change: Callable[[B | None], B]) -> None:
        domain = self.domain
        self._queue.append(
            (f"{body.__name__}[{instance}]", lambda: domain.update(body, instance, change))
        )

    def pause(self) -> None:
        raise MisuseError("a handler pauses no domain: the engine has done so where it must")

    def unpause(self) -> None:
        raise MisuseError("a handler unpauses no domain: the engine does so when all is done")

    def __len__(self) -> int:
        """How many changes are queued."""
        return len(self._queue)

    def replay(self, first: int, last: int, applied: list[str]) -> None:
        """Make the queued changes `first` to `last`, noting each in `applied` as it is done."""
        for what, change in self._queue[first:last]:
            change()
            applied.append(what)
