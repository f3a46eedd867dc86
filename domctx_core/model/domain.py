"""Domains: what gives and takes state, whatever hypervisor or file is behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from domctx_core.base.errors import DomainError, DomctxError, NoState
from domctx_core.base.xen_version import XenVersion
from domctx_core.layout.body import Body
from domctx_core.layout.columns.columns import Columns

__all__ = ["Domain", "Guest"]

B = TypeVar("B", bound=Body)


class Guest(NamedTuple):
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

    `read_run`, `accepts_run` and `write_run` are the batch forms of `read`, `accepts` and `write`:
    override them for a domain that keeps columns. A subclass that overrides one of the three and
    not its batch form sees each record.
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

    def read_run(self, body: type[B]) -> Columns[B] | None:
        """All state of a body class as one run, instances ascending; None where it is not kept so."""
        return None

    def accepts_run(self, body: type[B], run: Columns[B]) -> None:
        """As `accepts`, for each record of a run; the error says which `instance` it is about."""
        for instance, value in run.items():
            try:
                self.accepts(body, instance, value)
            except DomctxError as error:
                error.locate(instance=instance)
                raise

    def write_run(self, body: type[B], run: Columns[B]) -> None:
        """As `write`, for each record of a run: takes all of them or, where it raises, none.

        The error says which `instance` it is about.
        """
        for instance, value in run.items():
            try:
                self.write(body, instance, value)
            except DomctxError as error:
                error.locate(instance=instance)
                raise

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
