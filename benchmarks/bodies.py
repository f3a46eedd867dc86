"""Contestants that decode and encode one body, by the library that describes its layout.

Two made-up bodies, little-endian: 20 bytes of plain numbers as in TSC_INFO, and 32 bytes with
flags, reserved bytes and a union that a field selects, as in EVENT_CHANNEL. Each contestant decodes
the same bytes into an object, is asked for every field, and encodes the object again; one that
disagrees with plain `struct` about a value or a byte ends the run.
"""

import ctypes
import platform
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Annotated, Any

from benchmarks.child import Run
from domctx_core import Body, reserved, switch, u8, u16, u32, u64

TSC_BYTES = struct.pack("<IIQI", 1, 2_400_000, 123_456_789_012, 3)
TSC_FIELDS = (1, 2_400_000, 123_456_789_012, 3)

EVENT_BYTES = struct.pack("<IIIBB2xHxxI8x", 2, 1, 3, 7, 0, 5, 42)
EVENT_FIELDS = (2, 1, 3, 7, 0, 5, 42)
"""state, vcpu, flags, priority, kind, and of the union's case INTERDOMAIN: domid, port."""

INTERDOMAIN = 2


@dataclass(frozen=True)
class Contestant:
    """One way to describe a body.

    `decode` takes bytes and gives an object, `fields` all numbers of it, `encode` its bytes.
    """

    name: str
    version: str
    body: str
    decode: Callable[[bytes], Any]
    fields: Callable[[Any], tuple[int, ...]]
    encode: Callable[[Any], bytes]


def plain_struct() -> Iterator[Contestant]:
    """The yardstick: a format string and a tuple, no names, no rules."""
    tsc = struct.Struct("<IIQI")
    head = struct.Struct("<IIIBB2x16x")
    cases = {INTERDOMAIN: struct.Struct("<Hxx I 8x")}

    def decode(data: bytes) -> tuple[int, ...]:
        row: tuple[int, ...] = head.unpack(data)
        row += cases[row[0]].unpack_from(data, 16)
        return row

    def encode(row: tuple[int, ...]) -> bytes:
        out = bytearray(head.pack(*row[:5]))
        cases[row[0]].pack_into(out, 16, *row[5:])
        return bytes(out)

    version = platform.python_version()
    yield Contestant("struct", version, "TSC", tsc.unpack, tuple, lambda row: tsc.pack(*row))
    yield Contestant("struct", version, "EVENT", decode, tuple, encode)


class DomctxTsc(Body):
    """The plain numbers."""

    mode: int = u32(maximum=2)
    khz: int = u32()
    nsec: int = u64()
    incarnation: int = u32()


class DomctxInterdomain(Body):
    """The union's case."""

    domid: int = u16()
    pad = reserved(2)
    port: int = u32()


class DomctxEvent(Body):
    """The union and its selector."""

    state: int = u32(minimum=1, maximum=5)
    vcpu: int = u32()
    flags: int = u32(maximum=7)
    priority: int = u8(maximum=15)
    kind: int = u8()
    pad = reserved(2)
    binding: Any = switch("state", {INTERDOMAIN: DomctxInterdomain}, size=16)


def domctx() -> Iterator[Contestant]:
    """Ours: ranges, reserved bytes and left-over bytes are checked both ways, the others do not."""
    version = metadata.version("domctx-core")
    yield Contestant(
        "domctx Body", version, "TSC", DomctxTsc.from_bytes,
        lambda b: (b.mode, b.khz, b.nsec, b.incarnation), DomctxTsc.to_bytes,
    )  # fmt: skip
    yield Contestant(
        "domctx Body", version, "EVENT", DomctxEvent.from_bytes,
        lambda b: (b.state, b.vcpu, b.flags, b.priority, b.kind, b.binding.domid, b.binding.port),
        DomctxEvent.to_bytes,
    )  # fmt: skip


class CtypesTsc(ctypes.LittleEndianStructure):
    """The plain numbers."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [
        ("mode", ctypes.c_uint32), ("khz", ctypes.c_uint32), ("nsec", ctypes.c_uint64),
        ("incarnation", ctypes.c_uint32),
    ]  # fmt: skip


class CtypesInterdomain(ctypes.LittleEndianStructure):
    """The union's case."""

    _fields_ = [
        ("domid", ctypes.c_uint16), ("pad", ctypes.c_uint16), ("port", ctypes.c_uint32),
    ]  # fmt: skip


class CtypesBinding(ctypes.LittleEndianUnion):
    """The union; nothing says which case holds."""

    _fields_ = [("interdomain", CtypesInterdomain), ("raw", ctypes.c_uint8 * 16)]


class CtypesEvent(ctypes.LittleEndianStructure):
    """The union and its selector."""

    _fields_ = [
        ("state", ctypes.c_uint32), ("vcpu", ctypes.c_uint32), ("flags", ctypes.c_uint32),
        ("priority", ctypes.c_uint8), ("kind", ctypes.c_uint8), ("pad", ctypes.c_uint16),
        ("binding", CtypesBinding),
    ]  # fmt: skip


def ctypes_structures() -> Iterator[Contestant]:
    """C structures of the standard library."""
    version = platform.python_version()
    yield Contestant(
        "ctypes", version, "TSC", CtypesTsc.from_buffer_copy,
        lambda b: (b.mode, b.khz, b.nsec, b.incarnation), bytes,
    )  # fmt: skip

    def fields(b: Any) -> tuple[int, ...]:
        peer = b.binding.interdomain
        return b.state, b.vcpu, b.flags, b.priority, b.kind, peer.domid, peer.port

    yield Contestant("ctypes", version, "EVENT", CtypesEvent.from_buffer_copy, fields, bytes)


def dataclasses_structs() -> Iterator[Contestant]:
    """dataclasses-struct: typed and compiled to `struct`; the union stays bytes to it."""
    dcs: Any = import_module("dataclasses_struct")

    @dcs.dataclass_struct(size="std", byteorder="little")
    class Tsc:
        mode: dcs.U32
        khz: dcs.U32
        nsec: dcs.U64
        incarnation: dcs.U32

    @dcs.dataclass_struct(size="std", byteorder="little")
    class Interdomain:
        domid: dcs.U16
        port: Annotated[dcs.U32, dcs.PadBefore(2), dcs.PadAfter(8)]

    @dcs.dataclass_struct(size="std", byteorder="little")
    class Event:
        state: dcs.U32
        vcpu: dcs.U32
        flags: dcs.U32
        priority: dcs.U8
        kind: Annotated[dcs.U8, dcs.PadAfter(2)]
        binding: Annotated[bytes, 16]

    version = metadata.version("dataclasses-struct")
    tsc: Any = Tsc
    event: Any = Event
    yield Contestant(
        "dataclasses-struct", version, "TSC", tsc.from_packed,
        lambda b: (b.mode, b.khz, b.nsec, b.incarnation), tsc.pack,
    )  # fmt: skip
    cases: dict[int, Any] = {INTERDOMAIN: Interdomain}

    def decode(data: bytes) -> Any:
        made = event.from_packed(data)
        made.binding = cases[made.state].from_packed(made.binding)
        return made

    def encode(b: Any) -> bytes:
        peer, b.binding = b.binding, b.binding.pack()
        packed: bytes = b.pack()
        b.binding = peer
        return packed

    def fields(b: Any) -> tuple[int, ...]:
        return b.state, b.vcpu, b.flags, b.priority, b.kind, b.binding.domid, b.binding.port

    yield Contestant("dataclasses-struct", version, "EVENT", decode, fields, encode)


def constructs() -> Iterator[Contestant]:
    """construct, interpreted and compiled."""
    c: Any = import_module("construct")

    tsc = c.Struct(
        "mode" / c.Int32ul, "khz" / c.Int32ul, "nsec" / c.Int64ul, "incarnation" / c.Int32ul
    )
    peer = c.Struct("domid" / c.Int16ul, c.Padding(2), "port" / c.Int32ul, c.Padding(8))
    event = c.Struct(
        "state" / c.Int32ul, "vcpu" / c.Int32ul, "flags" / c.Int32ul, "priority" / c.Int8ul,
        "kind" / c.Int8ul, c.Padding(2),
        "binding" / c.Switch(c.this.state, {INTERDOMAIN: peer}),
    )  # fmt: skip
    version = metadata.version("construct")

    def fields(b: Any) -> tuple[int, ...]:
        return b.state, b.vcpu, b.flags, b.priority, b.kind, b.binding.domid, b.binding.port

    for name, compiled in (("construct", False), ("construct, compiled", True)):
        numbers = tsc.compile() if compiled else tsc
        union = event.compile() if compiled else event
        yield Contestant(
            name, version, "TSC", numbers.parse,
            lambda b: (b.mode, b.khz, b.nsec, b.incarnation), numbers.build,
        )  # fmt: skip
        yield Contestant(name, version, "EVENT", union.parse, fields, union.build)


def cstructs() -> Iterator[Contestant]:
    """dissect.cstruct: the layout is C source."""
    c = import_module("dissect.cstruct").cstruct(endian="<")
    c.load(
        """
        struct tsc { uint32 mode; uint32 khz; uint64 nsec; uint32 incarnation; };
        struct interdomain { uint16 domid; uint16 pad; uint32 port; };
        struct event {
            uint32 state; uint32 vcpu; uint32 flags; uint8 priority; uint8 kind; uint16 pad;
            union { struct interdomain interdomain; uint8 raw[16]; } binding;
        };
        """,
        compiled=True,
    )
    version = metadata.version("dissect.cstruct")

    def fields(b: Any) -> tuple[int, ...]:
        peer = b.binding.interdomain
        return b.state, b.vcpu, b.flags, b.priority, b.kind, peer.domid, peer.port

    yield Contestant(
        "dissect.cstruct", version, "TSC", c.tsc,
        lambda b: (b.mode, b.khz, b.nsec, b.incarnation), lambda b: b.dumps(),
    )  # fmt: skip
    yield Contestant(
        "dissect.cstruct", version, "EVENT", c.event, fields, lambda b: b.dumps()
    )  # fmt: skip


FAMILIES: dict[str, Callable[[], Iterator[Contestant]]] = {
    "struct": plain_struct,
    "ctypes": ctypes_structures,
    "domctx": domctx,
    "dataclasses-struct": dataclasses_structs,
    "cstruct": cstructs,
    "construct": constructs,
    "construct-compiled": constructs,
}
BODIES = {"TSC": (TSC_BYTES, TSC_FIELDS), "EVENT": (EVENT_BYTES, EVENT_FIELDS)}


def one(run: Run) -> dict[str, int]:
    """One body, decoded or encoded again and again; the time is that of all."""
    library, body = run.arguments["library"], run.arguments["body"]
    compiled = library.endswith("-compiled")
    contestant = next(
        each
        for each in FAMILIES[library]()
        if each.body == body and each.name.endswith(", compiled") == compiled
    )
    data, expected = BODIES[body]
    made = contestant.decode(data)
    fields, encoded = contestant.fields(made), contestant.encode(made)
    if fields != expected or encoded != data:
        raise SystemExit(f"{contestant.name} disagrees about {body}: {fields}, {encoded.hex()}")
    call: Callable[[Any], Any] = contestant.decode
    argument: Any = data
    if run.arguments["way"] == "encode":
        call, argument = contestant.encode, contestant.decode(data)
    number = int(run.arguments["records"])
    with run.timed():
        for _ in range(number):
            call(argument)
    return {"records": number}
