"""Record types that are registered in tests."""

from __future__ import annotations

from typing import Any

from domctx_core import (
    Body,
    Provider,
    RecordType,
    Registry,
    u8,
    u32,
)

ACME = Provider("acme-records", "1.2")


class Word(Body):
    x: int = u32()


class Byte(Body):
    x: int = u8()


def record_type(code: Any, name: Any, body: Any = Word, **more: Any) -> RecordType[Any]:
    attributes = {"code": code, "name": name, "body": body, **more}
    made: RecordType[Any] = type("Made", (RecordType,), attributes)()
    return made


def snapshot(registry: Registry) -> list[tuple[int, str, bytes | None, Provider]]:
    return [(e.code, e.name, e.buffer, e.provider) for e in registry]


def filled() -> Registry:
    registry = Registry()
    registry.register(record_type(7, "SEVEN"), ACME)
    registry.register(record_type(3, "THREE", Byte), ACME)
    return registry
