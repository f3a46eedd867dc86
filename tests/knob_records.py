"""Two record types, and a domain with state of both, for saves."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from support import (
    LoggedDomain,
    LoggedOps,
    Trap,
    end,
    rec,
    registry,
    start,
)

from domctx_core import (
    ANY,
    SINGLE,
    Body,
    Domain,
    RecordType,
    Registry,
    SaveContext,
    blob,
    save_domain,
    u32,
)


class Knob(Body):
    """One word."""

    value: int = u32(maximum=1000)


class Page(Body):
    """Bytes of any number."""

    data: bytes = blob()


class KnobType(RecordType[Knob]):
    code, name, body = 0x100, "KNOB", Knob
    instances = SINGLE


class PageType(RecordType[Page]):
    """Writes each page in two pieces, with begin, data and end."""

    code, name, body = 0x200, "PAGE", Page

    def save(self, domain: Domain, context: SaveContext) -> None:
        for instance in domain.instances(Page):
            data = domain.read(Page, instance).data
            context.begin(self.code, instance)
            context.data(data[:3])
            context.data(data[3:])
            context.end()


def knob_registry() -> Registry:
    # registered in descending order on purpose: a save goes by code
    return registry([PageType, KnobType])


def knob_domain(log: list[str] | None = None, trap: Trap | None = None) -> LoggedDomain:
    made = LoggedDomain(knob_registry(), log=log, trap=trap)
    made.state = {
        Page: {2: Page(data=b"abcdefgh"), 9: Page(data=b"x" * 11)},
        Knob: {0: Knob(value=5)},
    }
    return made


KNOB_IMAGE = (
    start()
    + rec(0x100, 0, struct.pack("<I", 5))
    + rec(0x200, 2, b"abcdefgh")
    + rec(0x200, 9, b"x" * 11)
    + end()
)


def save_with(
    handler: Callable[[Domain, SaveContext], None], *, ops: Any = None
) -> tuple[LoggedDomain, Any]:
    """Save a domain whose KNOB is saved by `handler`."""

    class Odd(KnobType):
        instances = ANY

        def save(self, domain: Domain, context: SaveContext) -> None:
            handler(domain, context)

    made = LoggedDomain(registry([Odd]))
    made.state = {Knob: {0: Knob(value=1)}}
    ops = LoggedOps(made.log) if ops is None else ops
    save_domain(made, ops, made.registry)
    return made, ops
