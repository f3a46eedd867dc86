"""Contestants that use nothing but `struct`: loops as good as we can make them, and readers in the
style of the scripts that Xen ships for its streams.

All of them check what `verify` checks: framing, lengths, padding, enumerations, ranges, reserved
bytes; the loops also that no record is there twice, which Xen's scripts do not look for.
"""

from __future__ import annotations

import io
import struct
import sys
from array import array
from collections.abc import Callable
from typing import BinaryIO

from benchmarks.child import Run
from benchmarks.codes import BLOB, CLOCK, FLAGS, SMALL, WIDE
from benchmarks.inputs import END, MASK

__all__ = ["bare_reader", "large_loop", "loop", "save_loop", "stream_reader", "xen_style"]

# ------------------------------------------------------------------------------------ struct loops


def loop(run: Run) -> dict[str, int]:
    """One loop, header and body in one `Struct` for each type, nothing called twice."""
    data = run.data()
    with run.timed():
        return _loop(data)


def _loop(data: bytes) -> dict[str, int]:
    head = struct.Struct("<IIQ").unpack_from
    small = struct.Struct("<IIQIHHQ").unpack_from
    clock = struct.Struct("<IIQIIQII").unpack_from
    flags_ = struct.Struct("<IIQII").unpack_from
    wide = struct.Struct("<IIQQQQQ").unpack_from
    channel = struct.Struct("<IIQIIIBBHHHI8s").unpack_from
    number = struct.Struct("<I").unpack_from
    nothing = bytes(8)
    s_last = c_last = f_last = w_last = e_last = -1
    seen: set[tuple[int, int]] | None = None
    records = instances = fields = 0
    kind, instance, length = head(data, 0)
    if (kind, instance, length) != (1, 0, 8):
        raise ValueError("no START")
    at, end = 24, len(data)
    while at + 16 <= end:
        (kind,) = number(data, at)
        if kind == SMALL:
            _, instance, length, mode, level, zero, ticks = small(data, at)
            if length != 16 or mode > 2 or level > 1000 or zero or instance <= s_last:
                raise ValueError(f"SMALL at {at}")
            s_last = instance
            fields += mode + level + ticks
            at += 32
        elif kind == 5:
            (_, instance, length, state, vcpu, flags, priority, consumer, zero, domid, gap, second,
             tail) = channel(data, at)  # fmt: skip
            if (
                length != 32 or not 0 < state < 6 or flags > 7 or priority > 15 or consumer > 5
                or zero or tail != nothing or instance <= e_last or (consumer and not flags & 4)
            ):  # fmt: skip
                raise ValueError(f"EVENT_CHANNEL at {at}")
            if state == 2:
                if gap or not second:
                    raise ValueError(f"binding at {at}")
                fields += domid + second
            elif state == 1:
                if gap or second:
                    raise ValueError(f"binding at {at}")
                fields += domid
            elif state == 5:
                if domid or gap or second:
                    raise ValueError(f"binding at {at}")
            else:
                if (state == 3 and second > 1) or (state == 4 and (gap or domid > 23 or second)):
                    raise ValueError(f"binding at {at}")
                fields += domid | gap << 16
            e_last = instance
            fields += state + vcpu + flags + priority + consumer
            at += 48
        elif kind == CLOCK:
            _, instance, length, mode, khz, nsec, incarnation, zero = clock(data, at)
            if length != 20 or mode > 2 or zero or instance <= c_last:
                raise ValueError(f"CLOCK at {at}")
            c_last = instance
            fields += mode + khz + nsec + incarnation
            at += 40
        elif kind == FLAGS:
            _, instance, length, flags, value = flags_(data, at)
            if length != 8 or flags > 7 or instance <= f_last:
                raise ValueError(f"FLAGS at {at}")
            f_last = instance
            fields += flags + value
            at += 24
        elif kind == WIDE:
            _, instance, length, a, b, c, d = wide(data, at)
            if length != 32 or instance <= w_last:
                raise ValueError(f"WIDE at {at}")
            w_last = instance
            fields += a + b + c + d
            at += 48
        else:
            _, instance, length = head(data, at)
            if kind == 0:
                if instance or length:
                    raise ValueError("END")
                at += 16
                break
            if seen is None:
                seen = set()
            if (kind, instance) in seen or at + 16 + length > end:
                raise ValueError(f"record at {at}")
            seen.add((kind, instance))
            stop = at + 16 + length
            at = stop + -length % 8
            if any(data[stop:at]):
                raise ValueError(f"padding at {stop}")
        records += 1
        instances += instance
    if at != end:
        raise ValueError("no END")
    return {"records": records, "bytes": at, "instances": instances & MASK, "fields": fields & MASK}


def large_loop(run: Run) -> dict[str, int]:
    """Large records from a file or a pipe, through one buffer that is used again."""
    with run.timed(), _unbuffered(run) as file:
        return _large(file)


def _unbuffered(run: Run) -> io.FileIO:
    return open(0 if run.path == "-" else run.path, "rb", buffering=0)


def _large(raw: io.RawIOBase) -> dict[str, int]:
    head = struct.Struct("<IIQ").unpack
    buffer = memoryview(bytearray(1 << 20))
    records = instances = at = 0

    def fill(size: int) -> memoryview:
        view, got = buffer[:size], 0
        while got < size:
            count = raw.readinto(view[got:])
            if not count:
                raise ValueError(f"ends at {at + got}")
            got += count
        return view

    while True:
        kind, instance, length = head(fill(16))
        at += 16
        left = length
        while left:
            size = min(left, len(buffer))
            fill(size)
            left -= size
        at += length
        if length % 8:
            if any(fill(-length % 8)):
                raise ValueError(f"padding at {at}")
            at += -length % 8
        if kind == 0:
            return {"records": records, "bytes": at, "instances": instances & MASK}
        if kind != 1:
            records += 1
            instances += instance


def bare_reader(run: Run) -> dict[str, int]:
    """Reads a pipe to its end and looks at nothing: what a pipe costs by itself."""
    import os

    with run.timed():
        descriptor = 0 if run.path == "-" else os.open(run.path, os.O_RDONLY)
        buffer = bytearray(1 << 20)
        total = 0
        while count := os.readv(descriptor, [buffer]):
            total += count
    return {"bytes": total}


def save_loop(run: Run) -> dict[str, int]:
    """`pack_into` a buffer of the right size, from columns."""
    count = run.arguments["records"]
    modes = array("I", (n % 3 for n in range(count)))
    levels = array("H", (n % 1001 for n in range(count)))
    ticks = array("Q", (n * 1000003 & MASK for n in range(count)))
    with run.timed():
        out = bytearray(24 + 32 * count + len(END))
        struct.pack_into("<IIQII", out, 0, 1, 0, 8, 4, 17)
        pack = struct.Struct("<IIQIHHQ").pack_into
        at = 24
        for n, mode, level, tick in zip(range(count), modes, levels, ticks, strict=True):
            pack(out, at, SMALL, n, 16, mode, level, 0, tick)
            at += 32
    return _loop(bytes(out))


# --------------------------------------------------------------------------- in the style of Xen's


class StreamError(Exception):
    """The input is not what it should be."""


class Reader:
    """A record at a time from a file object, each to a function by its type."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.at = 0
        self.records = self.instances = self.fields = 0
        self.functions: dict[int, Callable[[bytes], int]] = {
            SMALL: self.small, CLOCK: self.clock, FLAGS: self.flags, WIDE: self.wide,
            5: self.channel, 4: lambda body: 0, BLOB: lambda body: 0,
        }  # fmt: skip

    def exactly(self, size: int) -> bytes:
        """That many bytes, or the stream is at fault."""
        data = self.file.read(size)
        if len(data) != size:
            raise StreamError(f"{size} bytes wanted at {self.at}, and {len(data)} are there")
        self.at += size
        return data

    def unpack(self, form: str) -> tuple[int, ...]:
        """Numbers, by a format string."""
        return struct.unpack(form, self.exactly(struct.calcsize(form)))

    def run(self) -> dict[str, int]:
        """All records to END."""
        while self.record() != 0:
            pass
        return {
            "records": self.records, "bytes": self.at,
            "instances": self.instances & MASK, "fields": self.fields & MASK,
        }  # fmt: skip

    def record(self) -> int:
        """One record."""
        kind, instance, length = self.unpack("<IIQ")
        body = self.exactly(length)
        padding = self.exactly(-length % 8)
        if padding != bytes(len(padding)):
            raise StreamError("padding is not zero")
        if kind == 0:
            if length:
                raise StreamError("END has a body")
        elif kind == 1:
            if length != 8:
                raise StreamError("START has another length")
        else:
            if kind not in self.functions:
                raise StreamError(f"type {kind} is not known")
            self.fields += self.functions[kind](body)
            self.records += 1
            self.instances += instance
        return int(kind)

    def small(self, body: bytes) -> int:
        """SMALL."""
        if len(body) != 16:
            raise StreamError("length")
        mode, level, zero, ticks = struct.unpack("<IHHQ", body)
        if mode not in (0, 1, 2):
            raise StreamError(f"mode {mode}")
        if level > 1000:
            raise StreamError(f"level {level}")
        if zero:
            raise StreamError("reserved bytes are not zero")
        return int(mode + level + ticks)

    def clock(self, body: bytes) -> int:
        """CLOCK."""
        if len(body) != 20:
            raise StreamError("length")
        mode, khz, nsec, incarnation = struct.unpack("<IIQI", body)
        if mode not in (0, 1, 2):
            raise StreamError(f"mode {mode}")
        return int(mode + khz + nsec + incarnation)

    def flags(self, body: bytes) -> int:
        """FLAGS."""
        if len(body) != 8:
            raise StreamError("length")
        flags, value = struct.unpack("<II", body)
        if flags > 7:
            raise StreamError(f"flags {flags}")
        return int(flags + value)

    def wide(self, body: bytes) -> int:
        """WIDE."""
        if len(body) != 32:
            raise StreamError("length")
        return sum(struct.unpack("<QQQQ", body))

    def channel(self, body: bytes) -> int:
        """EVENT_CHANNEL."""
        if len(body) != 32:
            raise StreamError("length")
        state, vcpu, flags, priority, consumer, zero = struct.unpack("<IIIBBH", body[:16])
        if state not in (1, 2, 3, 4, 5) or flags > 7 or priority > 15 or consumer > 5 or zero:
            raise StreamError("EVENT_CHANNEL")
        if consumer and not flags & 4:
            raise StreamError("consumer")
        total = state + vcpu + flags + priority + consumer
        used = 0
        if state == 1:
            (domid,) = struct.unpack("<H", body[16:18])
            total, used = total + domid, 2
        elif state == 2:
            domid, zero, port = struct.unpack("<HHI", body[16:24])
            if zero or not port:
                raise StreamError("remote end")
            total, used = total + domid + port, 8
        elif state == 3:
            pirq, share = struct.unpack("<II", body[16:24])
            if share > 1:
                raise StreamError("flags of the interrupt")
            total, used = total + pirq + share, 8
        elif state == 4:
            (virq,) = struct.unpack("<I", body[16:20])
            if virq > 23:
                raise StreamError("virtual interrupt")
            total, used = total + virq, 4
        if any(body[16 + used :]):
            raise StreamError("reserved bytes are not zero")
        return int(total)


def xen_style(run: Run) -> dict[str, int]:
    """The reader above, over bytes in memory."""
    data = run.data()
    with run.timed():
        return Reader(io.BytesIO(data)).run()


def xen_style_large(run: Run) -> dict[str, int]:
    """The reader above, from a file or a pipe."""
    with run.timed(), sys.stdin.buffer if run.path == "-" else open(run.path, "rb") as file:
        totals = Reader(file).run()
    del totals["fields"]
    return totals


def stream_reader(run: Run) -> dict[str, int]:
    """A libxc stream as one would read it at first: body after body, PFN after PFN."""
    with run.timed(), sys.stdin.buffer if run.path == "-" else open(run.path, "rb") as file:
        total, pages = _stream(file)
    return {"bytes": total, "records": pages}


def _stream(file: BinaryIO) -> tuple[int, int]:
    total = pages = 0

    def exactly(size: int) -> bytes:
        nonlocal total
        data = file.read(size)
        if len(data) != size:
            raise StreamError(f"the stream ends at {total + len(data)}")
        total += size
        return data

    marker, ident, version, _ = struct.unpack(">QIIH6x", exactly(24))
    if (marker, ident, version) != (2**64 - 1, 0x58454E46, 3):
        raise StreamError("no stream")
    exactly(16)
    while True:
        kind, length = struct.unpack("<II", exactly(8))
        body = exactly(length)
        if any(exactly(-length % 8)):
            raise StreamError("padding")
        if kind == 1:
            pages += _page_data(body)
        elif kind == 0:
            return total, pages


def _page_data(body: bytes) -> int:
    count, reserved = struct.unpack_from("<II", body)
    if reserved or not count:
        raise StreamError("PAGE_DATA")
    pages = 0
    for entry in struct.unpack_from(f"<{count}Q", body, 8):
        if entry & 0x0FF0_0000_0000_0000:
            raise StreamError("reserved bits")
        kind = entry >> 60
        if 5 <= kind <= 8:
            raise StreamError("page type")
        if kind < 13:
            pages += 1
    if len(body) != 8 + 8 * count + 4096 * pages:
        raise StreamError("length")
    return pages
