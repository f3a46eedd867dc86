"""Helpers that the engine's tests share: domains and ops that keep a log and can fail, images."""

from __future__ import annotations

import json
import os
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from corpus_records import record_types

from domctx_core import (
    Body,
    BufferSource,
    Domain,
    DomainContext,
    DomainError,
    EndRecord,
    FileSource,
    Formats,
    Guest,
    MemorySaveOps,
    NoState,
    Provider,
    RecordType,
    Registry,
    SaveOps,
    Source,
    StartRecord,
    XenVersion,
)

B = TypeVar("B", bound=Body)

CORPUS = Path(__file__).parent / "data" / "corpus"
CORE = Provider("domctx-core", "0.1.0")
THIRD = Provider("third-party", "2.5")
LOADER = XenVersion(4, 15)

Trap = Callable[[str], None]


# -------------------------------------------------------------------------------------- corpus


@dataclass(frozen=True)
class Sample:
    """One reference image and what a correct engine makes of it."""

    name: str
    category: str
    options: tuple[str, ...]
    ok: bool
    errno: str
    acceptable: frozenset[str]
    records: int
    consumed: int
    sum: int

    @property
    def data(self) -> bytes:
        return (CORPUS / self.name).read_bytes()


@cache
def samples() -> tuple[Sample, ...]:
    manifest = json.loads((CORPUS / "manifest.json").read_text())
    return tuple(
        Sample(
            each["file"],
            each["category"],
            tuple(each["options"]),
            each["correct"]["ok"],
            each["correct"]["errno"],
            frozenset(each["correct"]["also_acceptable"]),
            each["correct"]["records"],
            each["correct"]["consumed"],
            each["correct"]["sum"],
        )
        for each in manifest["entries"]
    )


def sample(name: str) -> Sample:
    return next(each for each in samples() if each.name == name)


def registry(
    types: Iterable[RecordType[Any] | type[RecordType[Any]]] | None = None,
    options: Sequence[str] = (),
) -> Registry:
    """START, END and `types` (the corpus's where none are given), by the public way."""
    made = Registry()
    made.register(StartRecord, CORE)
    made.register(EndRecord, CORE)
    for each in record_types(options) if types is None else types:
        made.register(each, THIRD)
    return made


def formats(
    types: Iterable[RecordType[Any] | type[RecordType[Any]]] | None = None,
    options: Sequence[str] = (),
) -> Formats:
    """The domain context with the record types of `registry`."""
    made = Formats()
    made.add("domain-context", CORE, DomainContext)
    into = made.registry("domain-context")
    into.register(StartRecord, CORE)
    into.register(EndRecord, CORE)
    for each in record_types(options) if types is None else types:
        into.register(each, THIRD)
    return made


# -------------------------------------------------------------------------------------- images


def rec(
    type: int, instance: int, body: bytes, *, length: int | None = None, order: str = "<"
) -> bytes:
    """A record with padding; `length` claims another length than the body has."""
    claimed = len(body) if length is None else length
    return struct.pack(order + "IIQ", type, instance, claimed) + body + bytes(-len(body) % 8)


def start(major: int = 4, minor: int = 15, *, order: str = "<") -> bytes:
    return rec(1, 0, struct.pack(order + "II", major, minor), order=order)


def end(*, order: str = "<") -> bytes:
    return rec(0, 0, b"", order=order)


def image(*records: bytes) -> bytes:
    """START of Xen 4.15, the records, END."""
    return start() + b"".join(records) + end()


def tsc(mode: int = 0, khz: int = 2400000, nsec: int = 5, incarnation: int = 1) -> bytes:
    """The body of a corpus TSC_INFO."""
    return struct.pack("<IIQI", mode, khz, nsec, incarnation)


def port(number: int, state: int = 1, a: int = 2, b: int = 3, c: int = 4) -> bytes:
    """A corpus EVTCHN record."""
    return rec(4, number, struct.pack("<4I", state, a, b, c))


def to_big_endian(data: bytes) -> bytes:
    """A valid little-endian image of corpus records as a big-endian saver writes it."""
    words = {1: "II", 2: "I", 3: "IIQI", 4: "IIII", 5: "II"}
    out, at = b"", 0
    while True:
        type_, instance, length = struct.unpack_from("<IIQ", data, at)
        body = data[at + 16 : at + 16 + length]
        if type_ in words:
            fixed = struct.calcsize("<" + words[type_])
            body = (
                struct.pack(">" + words[type_], *struct.unpack("<" + words[type_], body[:fixed]))
                + body[fixed:]
            )
        out += rec(type_, instance, body, order=">")
        at += 16 + length + -length % 8
        if type_ == 0:
            return out + data[at:]


# -------------------------------------------------------------------------------------- domains


class LoggedDomain(Domain):
    """A domain in memory that logs what is done to it; `trap` may raise at any step."""

    def __init__(
        self,
        registry: Registry,
        *,
        xen_version: XenVersion | None = LOADER,
        log: list[str] | None = None,
        trap: Trap | None = None,
    ) -> None:
        self.domid = 7
        self.registry = registry
        self.xen_version = xen_version
        self.guest = Guest(kind="pv", arch="x86")
        self.state: dict[type[Body], dict[int, Any]] = {}
        self.log = [] if log is None else log
        self.trap = trap
        self.pauses = self.unpauses = 0

    def _step(self, what: str) -> None:
        self.log.append(what)
        if self.trap is not None:
            self.trap(what)

    def offers(self) -> frozenset[int] | None:
        codes = set()
        for body, instances in self.state.items():
            entry = self.registry.find_body(body)
            if entry is not None and instances:
                codes.add(entry.code)
        return frozenset(codes)

    def instances(self, body: type[Body]) -> Iterable[int]:
        return sorted(self.state.get(body, ()))

    def read(self, body: type[B], instance: int = 0) -> B:
        self._step(f"read {body.__name__}[{instance}]")
        try:
            value: B = self.state[body][instance]
        except KeyError:
            raise NoState(f"no {body.__name__}[{instance}]", instance=instance) from None
        return value

    def write(self, body: type[B], instance: int, value: B) -> None:
        self._step(f"write {body.__name__}[{instance}]")
        self.state.setdefault(body, {})[instance] = value

    def pause(self) -> None:
        self._step("pause")
        self.pauses += 1

    def unpause(self) -> None:
        self.unpauses += 1
        self._step("unpause")
        if self.unpauses > self.pauses:
            raise DomainError("unpaused more often than paused")

    @property
    def total(self) -> int:
        """The corpus's sum over all decoded fields, modulo 2**64."""
        total = 0
        for body, instances in self.state.items():
            for instance, value in instances.items():
                total += value.total() + (instance if body.__name__ == "Evtchn" else 0)
        return total % 2**64


class LoggedOps(SaveOps):
    """Save ops that log begin, append and end beside the domain's own steps."""

    def __init__(self, log: list[str], trap: Trap | None = None, patches: bool = True) -> None:
        self.memory = MemorySaveOps()
        self.log = log
        self.trap = trap
        self.patches = patches

    def _step(self, what: str) -> None:
        self.log.append(what)
        if self.trap is not None:
            self.trap(what)

    @property
    def image(self) -> bytes:
        return self.memory.image

    def begin(self, type: int, instance: int, length: int | None) -> None:
        self._step(f"begin {type}[{instance}]")
        self.memory.begin(type, instance, length)

    def append(self, data: bytes | bytearray | memoryview) -> None:
        self._step(f"append {len(data)}")
        self.memory.append(data)

    def end(self, length: int) -> None:
        self._step(f"end {length}")
        self.memory.end(length)


def fail_at(number: int, error: BaseException) -> Trap:
    """A trap that raises at the `number`-th step (from 0) of all that share it."""
    left = [number]

    def trap(what: str) -> None:
        left[0] -= 1
        if left[0] == -1:
            raise error

    return trap


# ---------------------------------------------------------------------------------- input, output


class Drip:
    """A stream that cannot seek and gives 1 to 7 bytes a read."""

    def __init__(self, data: bytes) -> None:
        self.data = memoryview(data)
        self.at = 0
        self.turn = 0

    def read(self, size: int = -1) -> bytes:
        self.turn = self.turn % 7 + 1
        take = self.turn if size < 0 else min(size, self.turn)
        chunk = bytes(self.data[self.at : self.at + take])
        self.at += len(chunk)
        return chunk


@contextmanager
def pipe_from(chunks: Iterable[bytes]) -> Iterator[Any]:
    """The reading end of a pipe that another thread fills with `chunks`."""
    reading, writing = os.pipe()

    def fill() -> None:
        with open(writing, "wb", buffering=0) as out:
            try:
                for chunk in chunks:
                    view = memoryview(chunk)
                    while view:
                        view = view[out.write(view) :]
            except BrokenPipeError:
                pass

    writer = threading.Thread(target=fill)
    writer.start()
    try:
        with open(reading, "rb", buffering=0) as file:
            yield file
    finally:
        writer.join()


class Drain:
    """A target that cannot seek, of which another thread collects all that is written."""

    def __init__(self, reading: Any) -> None:
        self._reading = reading
        self._parts: list[bytes] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while chunk := self._reading(65536):
            self._parts.append(chunk)

    def result(self) -> bytes:
        """All bytes, once the writing end is closed."""
        self._thread.join()
        return b"".join(self._parts)


def sources(data: bytes, path: Path) -> Iterator[tuple[str, Source]]:
    """The same bytes from memory, from a file and from a stream that cannot seek."""
    yield "memory", BufferSource(data)
    path.write_bytes(data)
    with open(path, "rb", buffering=0) as file:
        yield "file", FileSource(file)
    yield "pipe", FileSource(Drip(data))


def short_lapic(size: int) -> bytes:
    """A captured HVM context with its first LAPIC record cut to `size` bytes, of which Xen takes the
    missing ones for zeros; its body starts at 0x848."""
    plugin = Path(__file__).parent.parent / "plugins/domctx-plugin-hvm-context"
    data = (plugin / "tests/data/pvh1.hvmctx.bin").read_bytes()
    at = data.index(struct.pack("<HHI", 5, 0, 24))
    body = data[at + 8 : at + 8 + size]
    return data[:at] + struct.pack("<HHI", 5, 0, size) + body + data[at + 32 :]
