"""`Subject`: the record type under examination, and what the requirements need around it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, TypeVar

from domctx_core.base.rules import Rules
from domctx_core.base.xen_version import XenVersion
from domctx_core.engine.sim_domain import SimDomain
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.domain import Guest
from domctx_core.model.record_type import RecordType, all_bodies
from domctx_core.model.registry import Registry
from domctx_core.model.wire import DOMAIN_CONTEXT

__all__ = [
    "EXAMPLES",
    "Nonconformity",
    "OneByOne",
    "Subject",
    "large_guest",
    "small_guest",
]

EXAMPLES = 24
"""How many examples of a body class are tried."""

B = TypeVar("B", bound=Body)


class Nonconformity(AssertionError):
    """A record type does not meet a requirement."""


class Subject:
    """A record type under examination, and what is needed around it.

    `registry` has it, START, END, and the types that it requires to come earlier (`after`); `dist`
    is its distribution, if that is known.
    """

    def __init__(
        self,
        record_type: RecordType[Any],
        registry: Registry,
        *,
        format: str = DOMAIN_CONTEXT,
        dist: str | None = None,
    ) -> None:
        self.record_type = record_type
        self.registry = registry
        self.format = format
        self.dist = dist

    @property
    def rules(self) -> Rules:
        """The rules that settle which problems are errors."""
        return self.registry.rules

    def to_bytes(self, body: Body, byteorder: ByteOrder = "little") -> bytes:
        """Return the bytes of a body, which may have warnings."""
        if type(body).to_bytes is not Body.to_bytes:  # an author's own need not take `rules`
            return body.to_bytes(byteorder)
        return body.to_bytes(byteorder, rules=self.rules)

    def from_bytes(self, body: type[Body], raw: bytes, byteorder: ByteOrder) -> Body:
        """Return the body that bytes decode to, which may have warnings."""
        if any("from_bytes" in vars(base) for base in body.__mro__ if base is not Body):
            return body.from_bytes(raw, byteorder)
        return body.from_bytes(raw, byteorder, rules=self.rules)

    @property
    def bodies(self) -> tuple[type[Body], ...]:
        """The body classes: one, or as many as records before it can choose from."""
        return all_bodies(self.record_type)

    def examples(self) -> Iterator[Body]:
        """Yield valid bodies: those that the layouts make up, and those of a simulated domain."""
        for body_class in self.bodies:
            for seed in range(EXAMPLES):
                body = body_class.example(random.Random(seed))
                if all(self.rules.refusal(problem) is None for problem in body.problems()):
                    yield body
        yield from self.simulated().values()

    def simulated(self) -> dict[int, Body]:
        """Return the made-up state of a simulated domain, by instance."""
        return dict(self.record_type.simulate(small_guest(), random.Random(1)))

    def domain(self, guest: Guest | None = None, *, one_by_one: bool = False) -> SimDomain:
        """Return a simulated domain with state of this type and of those before it.

        With `one_by_one` the domain reads and writes single records, and no runs.
        """
        guest = guest or small_guest()
        domain_class = OneByOne if one_by_one else SimDomain
        domain = domain_class(self.registry, xen_version=XenVersion(4, 17), guest=guest)
        for name in (*self.record_type.after, self.record_type.name):
            entry = self.registry.find(name)
            if entry is not None:
                state = entry.record_type.simulate(guest, random.Random(1))
                domain.adopt(entry.code, dict(state))
        return domain

    def fail(self, message: str) -> Nonconformity:
        """Return the error for this record type."""
        return Nonconformity(f"{self.record_type.name}: {message}")


def small_guest() -> Guest:
    """Return a guest with little state."""
    return Guest(kind="pv", width=8, arch="x86", vcpus=2, channels=6)


def large_guest() -> Guest:
    """Return a guest with so much state that its records make runs."""
    return Guest(kind="pv", width=8, arch="x86", vcpus=24, channels=40)


class OneByOne(SimDomain):
    """A domain whose state is read and written record by record.

    It overrides the methods for single records, so those for runs are not used.
    """

    def read(self, body: type[B], instance: int = 0) -> B:
        return super().read(body, instance)

    def write(self, body: type[B], instance: int, value: B) -> None:
        super().write(body, instance, value)
