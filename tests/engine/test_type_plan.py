"""Records are taken one by one if a domain or a handler needs to see each."""

from __future__ import annotations

from typing import Any, ClassVar

from reading_records import RUN_TYPES, EachType, readings, tails
from support import LoggedDomain, end, registry, start

from domctx_core import (
    MemoryLoadOps,
    load_domain,
)
from domctx_core.engine.sim_domain import SimDomain


def test_a_domain_or_a_handler_that_needs_each_record_gets_each() -> None:
    data = b"".join([start(), *readings(50), *tails(0x103, 50), end()])
    known = registry([*RUN_TYPES, EachType])
    logged = LoggedDomain(known)
    load_domain(logged, MemoryLoadOps(data), known)
    assert logged.log[1:51] == [f"write Reading[{i}]" for i in range(50)]

    class Watching(SimDomain):
        seen: ClassVar[list[tuple[int, int]]] = []

        def write(self, body: Any, instance: int, value: Any) -> None:
            self.seen.append((instance, value.value))
            super().write(body, instance, value)

    load_domain(Watching(known), MemoryLoadOps(data), known)
    assert Watching.seen == [(i, i * 7) for i in range(50)] + [(i, 101 + i) for i in range(50)]
