"""The inputs: made-up images whose totals are known because they were made here."""

from __future__ import annotations

import os
import struct
from array import array
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from benchmarks.codes import BLOB, CLOCK, FLAGS, SMALL, WIDE

__all__ = ["Input", "Totals", "channels", "interleaved", "large", "stream", "uniform"]

MASK = 2**64 - 1
BLOCK = 100_000
"""Records that are made at a time."""

START = struct.pack("<IIQII", 1, 0, 8, 4, 17)
END = bytes(16)


@dataclass
class Totals:
    """What is in an image, START and END not counted; sums are modulo 2**64.

    `fields` adds up every number of every body but reserved ones.
    """

    records: int = 0
    bytes: int = 0
    instances: int = 0
    fields: int = 0

    def disagree(self, other: dict[str, int]) -> str:
        """What a contestant counted and should not have; it need not count everything."""
        ours = asdict(self)
        wrong = [
            f"{key} {value} for {ours[key]}" for key, value in other.items() if ours[key] != value
        ]
        return ", ".join(wrong)


@dataclass
class Input:
    """One file and what is in it."""

    path: Path
    totals: Totals


def _put(
    block: memoryview, kind: Literal["I", "Q"], first: int, step: int, values: array[int]
) -> None:
    block.cast(kind)[first::step] = memoryview(values)


def _u32(values: Iterator[int] | range) -> array[int]:
    return array("I", (value & 0xFFFFFFFF for value in values))


def _small(block: memoryview, at: int, stride: int, i: range, instances: array[int]) -> int:
    words, quads = stride // 4, stride // 8
    mode = _u32(n % 3 for n in i)
    level = _u32(n % 1001 for n in i)
    ticks = array("Q", (n * 1000003 & MASK for n in i))
    _put(block, "I", at // 4, words, _u32(SMALL for _ in i))
    _put(block, "I", at // 4 + 1, words, instances)
    _put(block, "Q", at // 8 + 1, quads, array("Q", [16] * len(i)))
    _put(block, "I", at // 4 + 4, words, mode)
    _put(block, "I", at // 4 + 5, words, level)
    _put(block, "Q", at // 8 + 3, quads, ticks)
    return sum(mode) + sum(level) + sum(ticks)


def _clock(block: memoryview, at: int, stride: int, i: range, instances: array[int]) -> int:
    words, quads = stride // 4, stride // 8
    columns = [
        _u32(n % 3 for n in i), _u32(2_400_000 for n in i), None, None, _u32(n % 5 for n in i),
    ]  # fmt: skip
    nsec = array("Q", (n * 7919 for n in i))
    _put(block, "I", at // 4, words, _u32(CLOCK for _ in i))
    _put(block, "I", at // 4 + 1, words, instances)
    _put(block, "Q", at // 8 + 1, quads, array("Q", [20] * len(i)))
    for word, column in enumerate(columns):
        if column is not None:
            _put(block, "I", at // 4 + 4 + word, words, column)
    _put(block, "Q", at // 8 + 3, quads, nsec)
    return sum(map(sum, filter(None, columns))) + sum(nsec)


def _flags(block: memoryview, at: int, stride: int, i: range, instances: array[int]) -> int:
    words, quads = stride // 4, stride // 8
    flags, value = _u32(n % 8 for n in i), _u32(iter(i))
    _put(block, "I", at // 4, words, _u32(FLAGS for _ in i))
    _put(block, "I", at // 4 + 1, words, instances)
    _put(block, "Q", at // 8 + 1, quads, array("Q", [8] * len(i)))
    _put(block, "I", at // 4 + 4, words, flags)
    _put(block, "I", at // 4 + 5, words, value)
    return sum(flags) + sum(value)


def _wide(block: memoryview, at: int, stride: int, i: range, instances: array[int]) -> int:
    words, quads = stride // 4, stride // 8
    _put(block, "I", at // 4, words, _u32(WIDE for _ in i))
    _put(block, "I", at // 4 + 1, words, instances)
    _put(block, "Q", at // 8 + 1, quads, array("Q", [32] * len(i)))
    total = 0
    for factor in range(1, 5):
        column = array("Q", (n * factor for n in i))
        _put(block, "Q", at // 8 + 1 + factor, quads, column)
        total += sum(column)
    return total


Column = Callable[[memoryview, int, int, range, "array[int]"], int]


def _image(path: Path, groups: int, kinds: list[tuple[int, Column]], scattered: bool) -> Input:
    """Groups of one record of each kind; each kind has a size in bytes and something to fill it."""
    stride = sum(size for size, _ in kinds)
    totals = Totals()
    with path.open("wb") as file:
        file.write(START)
        for begin in range(0, groups, BLOCK):
            i = range(begin, min(groups, begin + BLOCK))
            # an odd factor is a bijection of 32-bit numbers: no instance twice, and in no order
            instances = _u32(n * 2654435761 if scattered else n for n in i)
            block = memoryview(bytearray(stride * len(i)))
            at = 0
            for size, fill in kinds:
                totals.fields += fill(block, at, stride, i, instances)
                totals.instances += sum(instances)
                totals.records += len(i)
                at += size
            file.write(block)
        file.write(END)
        totals.bytes = file.tell()
    totals.fields &= MASK
    totals.instances &= MASK
    return Input(path, totals)


def uniform(path: Path, records: int, scattered: bool = False) -> Input:
    """One type of record: 16 bytes of header, 16 of body."""
    return _image(path, records, [(32, _small)], scattered)


def interleaved(path: Path, records: int) -> Input:
    """Four types in turn, bodies of 16, 20 (and 4 of padding), 8 and 32 bytes."""
    kinds: list[tuple[int, Column]] = [(32, _small), (40, _clock), (24, _flags), (48, _wide)]
    return _image(path, records // 4, kinds, False)


def channels(path: Path, ports: int) -> Input:
    """The event channels of a FIFO guest: all `ports` but port 0, which cannot be used.

    Four kinds of binding in turn. Of a channel's numbers, those of its binding count as well;
    EVTCHN_ABI counts as a record and not for its fields.
    """
    pages = range(1, 1 + -(-ports // 1024))
    fifo = struct.pack(f"<IIII{len(pages)}Q", 1, ports - 1, 0, len(pages), *pages)
    out = bytearray(START + struct.pack("<IIQ", 4, 0, len(fifo)) + fifo)
    totals = Totals(records=ports)
    pack = struct.Struct("<IIQIIIBBH16s").pack
    unbound, peer, pirq = struct.Struct("<H14x"), struct.Struct("<HHI8x"), struct.Struct("<II8x")
    for port in range(1, ports):
        state = (1, 2, 3, 5)[port % 4]
        vcpu, flags = port % 64, port % 4
        match state:
            case 1:
                binding, numbers = unbound.pack(port % 1000), port % 1000
            case 2:
                binding, numbers = peer.pack(port % 1000, 0, port), port % 1000 + port
            case 3:
                binding, numbers = pirq.pack(port, 0), port
            case _:
                binding, numbers = bytes(16), 0
        out += pack(5, port, 32, state, vcpu, flags, 7, 0, 0, binding)
        totals.instances += port
        totals.fields += state + vcpu + flags + 7 + numbers
    out += END
    totals.bytes = len(out)
    path.write_bytes(out)
    return Input(path, totals)


def small(path: Path) -> Input:
    """What the seed of this project saves of an x86 domain: 3240 bytes in four records."""
    shared = struct.pack("<I3140s4x", 0, bytes(3140))
    tsc = struct.pack("<IIQI4x", 0, 2_400_000, 123_456_789, 1)
    head = struct.Struct("<IIQ").pack
    image = START + head(2, 0, 3144) + shared[:3144] + head(3, 0, 20) + tsc + END
    path.write_bytes(image)
    return Input(path, Totals(2, len(image)))


def large(path: Path, size: int, each: int = 1 << 20) -> Input:
    """About `size` bytes in records of `each`; the bodies are holes of a sparse file."""
    count = max(1, size // each)
    with path.open("wb") as file:
        file.write(START)
        for instance in range(count):
            file.write(struct.pack("<IIQ", BLOB, instance, each))
            file.seek(each, os.SEEK_CUR)
        file.write(END)
        total = file.tell()
    return Input(path, Totals(count, total, count * (count - 1) // 2))


# --------------------------------------------------------------------------------- the libxc stream

CAPTURE = Path(__file__).parent.parent.joinpath(
    "plugins/domctx-plugin-xen-streams/tests/data/pvh1.save.no-pages"
)
STATIC_DATA_END = 16
PAGES, PAGE = 1024, 4096


def stream(path: Path, size: int) -> Input:
    """A captured PVH guest's libxc stream with about `size` bytes of memory, again as holes.

    `records` counts the pages.
    """
    count = max(1, size // (PAGES * PAGE))
    head, tail = _captured()
    with path.open("wb") as file:
        file.write(head)
        for number in range(count):
            first = number * PAGES
            pfns = struct.pack(f"<{PAGES}Q", *range(first, first + PAGES))
            file.write(struct.pack("<IIII", 1, 8 + len(pfns) + PAGES * PAGE, PAGES, 0) + pfns)
            file.seek(PAGES * PAGE, os.SEEK_CUR)
        file.write(tail)
        total = file.tell()
    return Input(path, Totals(count * PAGES, total))


def _captured() -> tuple[bytes, bytes]:
    """What stands before and after the guest memory in the libxc stream of the capture."""
    raw = CAPTURE.read_bytes()
    start = raw.index(b"\xff" * 8 + b"XENF")
    at, middle = start + 40, 0
    while True:
        kind, length = struct.unpack_from("<II", raw, at)
        at += 8 + length + -length % 8
        if kind == STATIC_DATA_END:
            middle = at
        elif kind == 0:
            return raw[start:middle], raw[middle:at]
