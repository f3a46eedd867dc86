"""A record type of one number, and loads of images with it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from support import (
    LoggedDomain,
    Trap,
    rec,
    registry,
)

from domctx_core import (
    Body,
    Domain,
    ImageError,
    LoadContext,
    LoadOps,
    MemoryLoadOps,
    RecordType,
    Registry,
    load_domain,
    u32,
)


class Word(Body):
    """One word."""

    value: int = u32(maximum=100)


class WordType(RecordType[Word]):
    code, name, body = 0x100, "WORD", Word


def word(instance: int, value: int) -> bytes:
    return rec(0x100, instance, struct.pack("<I", value))


def fresh(
    *types: type[RecordType[Any]], trap: Trap | None = None, known: Registry | None = None
) -> LoggedDomain:
    return LoggedDomain(registry(types or [WordType]) if known is None else known, trap=trap)


def load(domain: LoggedDomain, data: bytes, **options: Any) -> Any:
    return load_domain(domain, MemoryLoadOps(data), domain.registry, **options)


def refused(domain: LoggedDomain, data: bytes, **options: Any) -> ImageError:
    with pytest.raises(ImageError) as caught:
        load(domain, data, **options)
    assert domain.log == []
    assert domain.state == {}
    assert domain.pauses == domain.unpauses == 0
    return caught.value


Handler = Callable[[Domain, LoadContext], None]


def with_handler(handler: Handler) -> type[RecordType[Any]]:
    class Handled(WordType):
        def load(self, domain: Domain, context: LoadContext) -> None:
            handler(domain, context)

    return Handled


class Noting(LoadOps):
    """Reads of the image, in the same log as what happens to the domain."""

    def __init__(self, data: bytes, log: list[str]) -> None:
        self.inner = MemoryLoadOps(data)
        self.log = log

    def read(self, size: int) -> bytes:
        self.log.append(f"read {size}")
        return self.inner.read(size)


class Counted(WordType):
    """Counts loads, as incarnation does: computed from what the domain has."""

    def load(self, domain: Domain, context: LoadContext) -> None:
        instance, body = context.read(self)
        domain.update(
            Word, instance, lambda now: Word(value=(now.value if now else 0) + body.value)
        )
