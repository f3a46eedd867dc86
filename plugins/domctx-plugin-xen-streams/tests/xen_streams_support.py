"""Small streams made by hand, the captures, and the formats as the entry points declare them."""

from __future__ import annotations

import struct
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

from domctx_plugin_shared_info import SharedInfoRecord
from domctx_plugin_tsc_info import TscInfoRecord

from domctx_core import (
    BufferSource,
    Closed,
    DomainContext,
    EndRecord,
    Event,
    Fault,
    Format,
    Formats,
    Opened,
    Provider,
    Record,
    StartRecord,
    Trailing,
    walk,
)

HERE = Path(__file__).parent
DATA = HERE / "data"
CAPTURES = ("pv1", "pv2l", "pvh1", "hvm1")
PROVIDER = Provider("domctx-plugin-xen-streams", "0.1.0")
MAGIC = b"Xen saved domain, xl format\n \0 \r"


def entry_points(group: str) -> dict[str, Any]:
    """What the distribution's metadata declares in a group, loaded."""
    declared = tomllib.loads((HERE.parent / "pyproject.toml").read_text())
    found = {}
    for name, value in declared["project"]["entry-points"][group].items():
        module, _, attribute = value.partition(":")
        found[name] = getattr(import_module(module), attribute)
    return found


def record_types() -> list[tuple[str, int, str, Any]]:
    """Format, code, name and class of each record type."""
    found = []
    for name, record_type in entry_points("domctx.record_types").items():
        format, _, rest = name.partition("/")
        code, _, title = rest.partition(".")
        found.append((format, int(code, 0), title, record_type))
    return found


def make_formats() -> Formats:
    """The core's format and this distribution's, with all record types that the tests need."""
    formats = Formats()
    core = Provider("domctx-core", "0.1.0")
    formats.add("domain-context", core, DomainContext)
    for name, format in entry_points("domctx.formats").items():
        formats.add(name, PROVIDER, format)
    for record_type in (EndRecord, StartRecord, SharedInfoRecord, TscInfoRecord):
        formats.registry("domain-context").register(record_type, core)
    for name, code, title, record_type in record_types():
        formats.registry(name).declare(code, title, PROVIDER, record_type)
    return formats


def events_of(data: bytes, format: Format | None = None) -> list[Event]:
    """All events of an input in memory."""
    return list(walk(BufferSource(data), make_formats(), format=format))


def brief(event: Event) -> tuple[Any, ...]:
    """An event as plain values, so that two runs can be compared."""
    match event:
        case Opened(level, resumed):
            bodies = [(at, body.to_json()) for at, body in level.prologue]
            return ("opened", level.path, resumed, bodies, level.framing)
        case Record():
            body = event.decoded.body if event.decoded else None
            raw = None if event.bulk else bytes(event.raw())
            where = (event.level.path, event.index, event.offset, event.type, event.name)
            return ("record", *where, event.length, raw, body and body.to_json())
        case Closed(level, offset):
            return ("closed", level.path, offset)
        case Trailing(level, offset, length, _):
            return ("trailing", level.path, offset, length)
        case Fault(_, finding):
            return ("fault", finding.rule, finding.offset)


def capture(name: str) -> bytes:
    """A captured xl save file without its PAGE_DATA records."""
    return (DATA / f"{name}.save.no-pages").read_bytes()


# ------------------------------------------------------------------------------------- the builder


def padded(body: bytes) -> bytes:
    return body + bytes(-len(body) % 8)


def record(type: int, body: bytes = b"", order: str = "<", *, length: int | None = None) -> bytes:
    """One libxl or libxc record; `length` is what the header claims, if not the truth."""
    return struct.pack(order + "II", type, len(body) if length is None else length) + padded(body)


def libxc(
    *records: bytes,
    version: int = 3,
    kind: int = 1,
    order: str = "<",
    options: int | None = None,
    xen: tuple[int, int] = (4, 17),
    end: bool = True,
) -> bytes:
    """A libxc stream around `records`."""
    if options is None:
        options = order == ">"
    head = struct.pack(">QIIH6x", 2**64 - 1, 0x58454E46, version, options)
    head += struct.pack(order + "IHHII", kind, 12, 0, *xen)
    return head + b"".join(records) + (record(0, order=order) if end else b"")


def libxl(*parts: bytes, order: str = "<", end: bool = True) -> bytes:
    """A libxl stream of records and what follows them inline."""
    head = struct.pack(">QII", 0x4C6962786C466D74, 2, order == ">")
    return head + b"".join(parts) + (record(0, order=order) if end else b"")


def xl(
    stream: bytes, *, flags: int = 3, config: str | None = '{"c": 1}\0', tail: bytes = b"",
    order: str = "<",
) -> bytes:  # fmt: skip
    """An xl save file around a libxl stream."""
    optional = b""
    if config is not None:
        text = config.encode(errors="surrogateescape")
        optional = struct.pack(order + "I", len(text)) + text + tail
    return (
        MAGIC + struct.pack(order + "4I", 0x01020304, flags, 0, len(optional)) + optional + stream
    )


def pages(count: int, *, order: str = "<") -> bytes:
    """A PAGE_DATA record of `count` normal pages."""
    body = struct.pack(order + "II", count, 0) + b"".join(
        struct.pack(order + "Q", pfn) for pfn in range(count)
    )
    return record(1, body + bytes(4096 * count), order)


def pv_info(width: int = 8, order: str = "<") -> bytes:
    return record(2, bytes([width, 4 if width == 8 else 3]) + bytes(6), order)


def tsc_info(incarnation: int = 1, order: str = "<") -> bytes:
    return record(8, struct.pack(order + "IIQII", 0, 2_400_000, 123_456_789, incarnation, 0), order)


def shared_info() -> bytes:
    """A page with structure and, behind it, bytes without a meaning."""
    page = bytearray(b"\xa5" * 4096)
    page[:3136] = bytes(3136)
    page[2048] = 0x81  # ports 0 and 7 are pending
    return record(7, bytes(page))


def vcpu_basic(number: int, width: int = 8) -> bytes:
    return record(4, struct.pack("<II", number, 0) + bytes(5168 if width == 8 else 2800))


def image(*records: tuple[int, int, bytes], xen: tuple[int, int] = (4, 17)) -> bytes:
    """A domain context image of START, (type, instance, body) and END."""
    everything = [(1, 0, struct.pack("<II", *xen)), *records, (0, 0, b"")]
    return b"".join(struct.pack("<IIQ", t, i, len(b)) + padded(b) for t, i, b in everything)
