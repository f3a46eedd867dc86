"""The captures, contexts made by hand, and the format as the entry points declare it."""

from __future__ import annotations

import json
import struct
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from domctx_plugin_hvm_context import HvmContext
from domctx_plugin_hvm_context.checks import HvmContextCheck

from domctx_core import (
    Bits,
    Body,
    BufferSource,
    DomainContext,
    Event,
    Finding,
    Formats,
    Provider,
    Record,
    Verifier,
    walk,
)

HERE = Path(__file__).parent
DATA = HERE / "data"
CAPTURES = ("pvh1", "hvm1")
CONTEXTS = tuple(f"{name}.{kind}" for name in CAPTURES for kind in ("hvmctx", "saved-hvmctx"))
PROVIDER = Provider("domctx-plugin-hvm-context", "0.1.0")
CORE = Provider("domctx-core", "0.1.0")
MAGIC = 0x54381286
HEADER = struct.pack("<HHIIIQII", 1, 0, 24, MAGIC, 1, 2**64 - 1, 0x800F12, 2_596_126)
END = bytes(8)


def entry_points(project: Path = HERE.parent) -> dict[str, dict[str, str]]:
    """The entry points that a distribution declares: groups to names to values."""
    declared = tomllib.loads((project / "pyproject.toml").read_text())
    found: dict[str, dict[str, str]] = declared["project"]["entry-points"]
    return found


def record_types() -> list[tuple[int, str, Any]]:
    """Code, name and class of each record type."""
    found = []
    for name, value in entry_points()["domctx.record_types"].items():
        module, _, attribute = value.partition(":")
        format, _, rest = name.partition("/")
        assert format == "hvm-context"
        code, _, title = rest.partition(".")
        found.append((int(code), title, getattr(import_module(module), attribute)))
    return found


TYPES = {name: record_type for _, name, record_type in record_types()}


def body_of(name: str) -> Any:
    """The body class of a record type, by the type's name."""
    return TYPES[name].body


def make_formats() -> Formats:
    """The core's format and this one."""
    formats = Formats()
    formats.add("domain-context", CORE, DomainContext)
    formats.add("hvm-context", PROVIDER, HvmContext)
    for code, name, record_type in record_types():
        formats.registry("hvm-context").declare(code, name, PROVIDER, record_type)
    return formats


def events_of(data: bytes) -> list[Event]:
    """All events of an HVM context in memory, whatever its first bytes are."""
    return list(walk(BufferSource(data), make_formats(), format=HvmContext()))


def records_of(data: bytes) -> list[Record]:
    """All records of an HVM context."""
    return [event for event in events_of(data) if isinstance(event, Record)]


def findings_of(data: bytes) -> list[Finding]:
    """What `verify` says of an HVM context, whatever its first bytes are."""
    verifier = Verifier(checks=[HvmContextCheck])
    return [finding for event in events_of(data) for finding in verifier.see(event)]


def brief(data: bytes) -> list[tuple[str, str, str | None, int]]:
    """Rule, severity, errno and offset of each finding."""
    return [
        (f.rule, str(f.severity), None if f.errno is None else f.errno.name, f.offset)
        for f in findings_of(data)
    ]


def capture(name: str) -> bytes:
    """A captured HVM context."""
    return (DATA / f"{name}.bin").read_bytes()


def facts(name: str) -> Any:
    """What was read of a guest in the same pause as its HVM context."""
    return json.loads((DATA / f"{name}.facts.json").read_text())


def record(code: int, body: bytes = b"", instance: int = 0, length: int | None = None) -> bytes:
    """One record; `length` is what the header claims, if not the truth."""
    return struct.pack("<HHI", code, instance, len(body) if length is None else length) + body


def context(*records: bytes) -> bytes:
    """An HVM context around `records`."""
    return HEADER + b"".join(records) + END


def parts(data: bytes) -> list[tuple[int, int, bytes]]:
    """Type, instance and body of each record but HEADER and END, by hand."""
    found, at = [], 0
    while at < len(data):
        code, instance, length = struct.unpack_from("<HHI", data, at)
        if code > 1:
            found.append((code, instance, data[at + 8 : at + 8 + length]))
        at += 8 + length
    return found


def one_vcpu() -> bytes:
    """The captured PVH guest reduced to its first vCPU."""
    kept = [part for part in parts(capture("pvh1.hvmctx")) if part[1] == 0]
    return context(*(record(code, body, instance) for code, instance, body in kept))


def leaves(body: Body, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a body with its path, arrays element by element."""
    for row in type(body).layout():
        if row["kind"] != "reserved":
            yield from _leaves(getattr(body, row["name"]), prefix + row["name"])


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Body):
        yield from leaves(value, path + ".")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}[{number}]")
    elif isinstance(value, Bits):
        yield path, value.to_int()
    elif value is not None:
        yield path, value
