"""Record types for simulated domains, and how tests open and load these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support import formats, image, rec

from domctx_core import (
    PER_VCPU,
    SINGLE,
    Body,
    DomainRequest,
    Formats,
    MemoryLoadOps,
    RecordType,
    load_domain,
    u32,
)
from domctx_core.engine.sim import open_sim
from domctx_core.engine.sim_domain import SimDomain


class Knob(Body):
    value: int = u32(maximum=1000)


class KnobType(RecordType[Knob]):
    code, name, body, instances = 0x100, "KNOB", Knob, SINGLE


class Regs(Body):
    pc: int = u32()
    sp: int = u32()


class RegsType(RecordType[Regs]):
    code, name, body, instances = 0x101, "REGS", Regs, PER_VCPU


class Page(Body):
    number: int = u32()


class PageType(RecordType[Page]):
    code, name, body = 0x102, "PAGE", Page


TYPES = (KnobType, RegsType, PageType)


def opened(rest: str, purpose: Any = "load", known: Formats | None = None) -> SimDomain:
    return open_sim(DomainRequest(rest, purpose, formats(TYPES) if known is None else known))


def loaded(domain: SimDomain, *records: bytes, known: Formats | None = None) -> Any:
    into = (known or formats(TYPES)).registry("domain-context")
    return load_domain(domain, MemoryLoadOps(image(*records)), into)


def knob(value: int) -> bytes:
    return rec(0x100, 0, value.to_bytes(4, "little"))


def regs(vcpu: int) -> bytes:
    return rec(0x101, vcpu, bytes(8))


def saved_state(path: Path, **changes: Any) -> dict[str, Any]:
    domain = opened(f"{path},vcpus=2,kind=hvm,width=8,xen=4.15,domid=3")
    loaded(domain, knob(7), regs(0), rec(0x102, 2**32 - 1, b"\1\2\3\4"))
    domain.close()
    state: dict[str, Any] = json.loads(path.read_bytes())
    return {**state, **changes}


def made_up(rest: str, known: Formats | None = None) -> dict[str, Any]:
    return opened(rest, "save", known).to_json()
