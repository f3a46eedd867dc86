"""What it costs to decode and to encode one body, by the library that describes its layout.

    python benchmarks/body_layouts.py [--number N] [--repeat N] [--json]

Two made-up bodies, little-endian: 20 bytes of plain numbers as in TSC_INFO, and 32 bytes with
flags, reserved bytes and a union that a field selects, as in EVENT_CHANNEL. Each contestant
decodes the same bytes into an object, is asked for every field, and encodes the object again; one
that disagrees with plain `struct` about a value or a byte ends the run. Then each is timed in
turn, `--repeat` times over, and the fastest of its times counts. Contestants that are not
installed are left out and named. Nothing is installed, and nothing is written.
"""

import argparse
import ctypes
import json
import platform
import struct
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Annotated, Any

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


FAMILIES = (plain_struct, ctypes_structures, domctx, dataclasses_structs, cstructs, constructs)
BODIES = {"TSC": (TSC_BYTES, TSC_FIELDS), "EVENT": (EVENT_BYTES, EVENT_FIELDS)}


def gather() -> tuple[list[Contestant], list[str]]:
    """The contestants at hand, and the names of the modules that are not installed."""
    present: list[Contestant] = []
    absent: list[str] = []
    for family in FAMILIES:
        try:
            present += family()
        except ModuleNotFoundError as error:
            absent.append(error.name or family.__name__)
    return present, absent


def check(contestant: Contestant) -> None:
    """Stop unless the contestant gives the right values and bytes."""
    data, expected = BODIES[contestant.body]
    made = contestant.decode(data)
    fields, encoded = contestant.fields(made), contestant.encode(made)
    if fields != expected or encoded != data:
        sys.exit(f"{contestant.name} disagrees about {contestant.body}: {fields}, {encoded.hex()}")


def _ns(call: Callable[[Any], Any], argument: Any, number: int) -> float:
    clock = time.perf_counter_ns
    start = clock()
    for _ in range(number):
        call(argument)
    return (clock() - start) / number


def measure(contestants: list[Contestant], number: int, repeat: int) -> list[tuple[float, float]]:
    """Nanoseconds to decode and to encode one body, for each contestant: the best of `repeat`."""
    made = [contestant.decode(BODIES[contestant.body][0]) for contestant in contestants]
    best = [(float("inf"), float("inf"))] * len(contestants)
    for _ in range(repeat):
        for index, contestant in enumerate(contestants):
            read = _ns(contestant.decode, BODIES[contestant.body][0], number)
            write = _ns(contestant.encode, made[index], number)
            best[index] = (min(best[index][0], read), min(best[index][1], write))
    return best


def main() -> None:
    """Check, measure, print."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--number", type=int, default=20_000, help="bodies in one timing")
    parser.add_argument("--repeat", type=int, default=7, help="timings of each contestant")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    contestants, absent = gather()
    for contestant in contestants:
        check(contestant)
    times = measure(contestants, arguments.number, arguments.repeat)
    base = {c.body: t for c, t in zip(contestants, times, strict=True) if c.name == "struct"}
    rows = [
        {
            "body": c.body,
            "name": c.name,
            "version": c.version,
            "decode_ns": round(read),
            "encode_ns": round(write),
            "decode_ratio": round(read / base[c.body][0], 1),
            "encode_ratio": round(write / base[c.body][1], 1),
        }
        for body in BODIES
        for c, (read, write) in zip(contestants, times, strict=True)
        if c.body == body
    ]
    machine = f"{platform.python_implementation()} {platform.python_version()}, {_processor()}"
    out = sys.stdout.write
    if arguments.json:
        out(json.dumps({"machine": machine, "absent": absent, "results": rows}, indent=2) + "\n")
        return
    out("| body | library | version | decode, ns | x struct | encode, ns | x struct |\n")
    out("|---|---|---|---:|---:|---:|---:|\n")
    for row in rows:
        out(
            "| {body} | {name} | {version} | {decode_ns} | {decode_ratio} | {encode_ns} |"
            " {encode_ratio} |\n".format(**row)
        )
    out(f"\n{machine}\n")
    if absent:
        out(f"not installed: {', '.join(absent)}\n")


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.partition(":")[2].strip() for line in file if "model name" in line]
    except OSError:
        names = []
    return f"{len(names)} x {names[0]}" if names else platform.machine()


if __name__ == "__main__":
    main()
