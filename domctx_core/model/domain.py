"""Domains: the state of a guest, held by a hypervisor or a file."""

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
    """The kind of guest in a domain; None for an attribute that is not known.

    * `kind`: `pv` or `hvm` (PVH counts as hvm);
    * `width`: bytes of a guest word, 4 or 8;
    * `arch`: `x86` or `arm`;
    * `vcpus`: number of vCPUs;
    * `channels`: number of event channels of a simulated guest; real ones do not have it.
    """

    kind: str | None = None
    width: int | None = None
    arch: str | None = None
    vcpus: int | None = None
    channels: int | None = None


class Domain(ABC):
    """The state of one domain, by body class and instance. Subclass it for a hypervisor or a file.

    * `domid`: the number of the domain;
    * `xen_version`: the version of its hypervisor, None if it has none;
    * `guest`: what kind of guest it is;
    * `is_current`: True for the domain that this program runs in, which is neither saved nor loaded.

    `pause` and `unpause` must be overridden; apart from them, the base class has no state, and
    refuses to take any. `read_run`, `accepts_run` and `write_run` are the batch forms of `read`,
    `accepts` and `write`: override them if the domain keeps columns. A subclass that overrides one
    of the three and not its batch form is called for each record.
    """

    domid: int = 0
    xen_version: XenVersion | None = None
    guest: Guest = Guest()
    is_current: bool = False

    def offers(self) -> frozenset[int] | None:
        """Return the type codes that there is state of; None: each type has to be asked."""
        return frozenset()

    def instances(self, body: type[Body]) -> Iterable[int]:
        """Return the instances of a body class that there is state of, ascending."""
        return ()

    def read(self, body: type[B], instance: int = 0) -> B:
        """Return the state of a body class and instance; raise `NoState` if there is none."""
        raise NoState(f"the domain has no {body.__name__}[{instance}]", instance=instance)

    def accepts(self, body: type[B], instance: int, value: B) -> None:
        """Raise `DomainError` for state that `write` is known to refuse.

        A load of two phases calls this for all state before anything is written.
        """

    def write(self, body: type[B], instance: int, value: B) -> None:
        """Set the state of a body class and instance; raise `DomainError` if it is refused."""
        raise DomainError(f"the domain does not accept {body.__name__}", instance=instance)

    def update(self, body: type[B], instance: int, change: Callable[[B | None], B]) -> None:
        """Set the state to what `change` returns for the present state (None if there is none).

        In a load of two phases, `change` is called later, while the domain is paused.
        """
        try:
            current: B | None = self.read(body, instance)
        except NoState:
            current = None
        self.write(body, instance, change(current))

    def read_run(self, body: type[B]) -> Columns[B] | None:
        """Return all state of a body class as columns, instances ascending; None if it is not kept so."""
        return None

    def accepts_run(self, body: type[B], run: Columns[B]) -> None:
        """Do what `accepts` does, for each row of `run`; an error has the `instance`."""
        for instance, value in run.items():
            try:
                self.accepts(body, instance, value)
            except DomctxError as error:
                error.locate(instance=instance)
                raise

    def write_run(self, body: type[B], run: Columns[B]) -> None:
        """Do what `write` does, for each row of `run`, or for none if it raises.

        An error has the `instance`.
        """
        for instance, value in run.items():
            try:
                self.write(body, instance, value)
            except DomctxError as error:
                error.locate(instance=instance)
                raise

    @abstractmethod
    def pause(self) -> None:
        """Stop the vCPUs. Pauses are counted: each needs its `unpause`."""

    @abstractmethod
    def unpause(self) -> None:
        """Undo one pause."""

    def close(self) -> None:  # most domains have nothing to release
        """Release the domain, and make what was written permanent."""

    def abandon(self) -> None:
        """Release the domain after an operation that failed; what was written may be dropped."""
