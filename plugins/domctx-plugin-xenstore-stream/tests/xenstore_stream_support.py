"""Streams made by hand, and the format as the entry points declare it."""

from __future__ import annotations

import struct
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

from domctx_plugin_xenstore_stream.format import StreamHeader, Xenstore

from domctx_core import DomainContext, Empty, Formats, Provider

DECLARED = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
POINTS = DECLARED["project"]["entry-points"]["domctx.record_types"]


def load(value: str) -> Any:
    module, _, attribute = value.partition(":")
    return getattr(import_module(module), attribute)


TYPES = {name: load(value) for name, value in POINTS.items()}
BODIES = [t.body for t in TYPES.values() if t.body is not Empty] + [StreamHeader]


def formats() -> Formats:
    made = Formats()
    provider = Provider("test", "0")
    made.add("domain-context", provider, DomainContext)
    made.add("xenstore", provider, Xenstore)
    for record_type in TYPES.values():
        made.registry("xenstore").register(record_type, provider)
    return made


def record(type: int, body: bytes = b"", order: str = "<", *, inside: bool = False) -> bytes:
    """A record; with `inside` its length counts the padding, as xenstored does it."""
    filled = body + bytes(-len(body) % 8)
    return struct.pack(order + "II", type, len(filled if inside else body)) + filled


def stream(*records: bytes, version: int = 1, order: str = "<") -> bytes:
    head = struct.pack(">8sII", b"xenstore", version, order == ">")
    return head + b"".join(records) + record(0, order=order)


def ring(number: int = 1, order: str = "<", unique: int | None = None, data: bytes = b"") -> bytes:
    body = struct.pack(
        order + "IHHHHIHHI", number, 0, unique is not None, 5, 32756, 9, len(data), 0, 0
    )
    body += data
    if unique is not None:
        body += bytes(-len(body) % 8) + struct.pack(order + "Q", unique)
    return record(2, body, order)


def watch(number: int = 1, order: str = "<", inside: bool = False) -> bytes:
    path, token = b"@releaseDomain\0", b"tok\0"
    body = struct.pack(order + "IHH", number, len(path), len(token)) + path + token
    return record(3, body, order, inside=inside)


def extended(number: int = 1) -> bytes:
    return record(8, struct.pack("<IHHHH", number, 3, 2, 0xFFFF, 0) + b"/a\0t\0")


def transaction(number: int = 1, tx: int = 5) -> bytes:
    return record(4, struct.pack("<II", number, tx))


def node(number: int = 0, tx: int = 0, perms: bytes = b"n\0\0\0r\0\5\0", order: str = "<") -> bytes:
    path, value = b"/tool\0", b"v\0w"
    head = struct.pack(
        order + "IIHHHH", number, tx, len(path), len(value), bool(number), len(perms) // 4
    )
    return record(5, head + perms + path + value, order)


def quotas() -> bytes:
    return record(6, struct.pack("<HHIII", 2, 1, 100, 0, 7) + b"nodes\0watches\0total\0")


def domain(number: int = 5, features: int = 0) -> bytes:
    return record(7, struct.pack("<HHII", number, 1, features, 3) + b"nodes\0")
