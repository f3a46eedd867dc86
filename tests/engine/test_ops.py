"""Ops over memory, files, pipes and sockets: short reads and writes, errors, huge bodies."""

from __future__ import annotations

import io
import os
import socket
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import pytest
from bulk_records import BulkType, KnownBulkType, bulk_domain, bulk_image
from knob_records import KNOB_IMAGE, knob_domain
from support import (
    Drain,
    Drip,
    LoggedDomain,
    formats,
    image,
    pipe_from,
    rec,
    registry,
    sample,
    start,
    tsc,
)

from domctx_core import (
    BufferSource,
    Domain,
    Errno,
    Extent,
    FileLoadOps,
    FileSaveOps,
    FileSource,
    ImageError,
    InputOutputError,
    LoadContext,
    LoadOps,
    MemoryLoadOps,
    MemorySaveOps,
    Record,
    SaveContext,
    load_domain,
    open_source,
    save_domain,
    size_domain,
    verify,
    walk,
)
from domctx_core.base.io import CHUNK
from domctx_core.engine.ops import SizingSaveOps

SIZES = (0, 1, 7, 8, 4096, CHUNK - 1, CHUNK + 5, 3 * CHUNK)


KINDS = [BulkType, KnownBulkType]


each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
def test_a_file_that_can_seek_gets_lengths_patched_in(tmp_path: Path, kind: type[BulkType]) -> None:
    made = bulk_domain(*SIZES, kind=kind)
    with open(tmp_path / "image", "w+b", buffering=0) as file:
        file.write(b"before")
        ops = FileSaveOps(file)
        assert ops.patches
        save_domain(made, ops, made.registry)
        assert file.tell() == 6 + ops.size
    assert (tmp_path / "image").read_bytes() == b"before" + bulk_image(made)
    assert "begin" not in made.log


@each_kind
def test_a_pipe(kind: type[BulkType]) -> None:
    made = bulk_domain(*SIZES, kind=kind)
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as source, open(writing, "wb", buffering=0) as target:
        drain = Drain(source.read)
        ops = FileSaveOps(target)
        assert not ops.patches
        save_domain(made, ops, made.registry)
        target.close()
        assert drain.result() == bulk_image(made)


@each_kind
@pytest.mark.parametrize("blocking", [True, False])
def test_a_socket(kind: type[BulkType], blocking: bool) -> None:
    made = bulk_domain(*SIZES, kind=kind)
    one, other = socket.socketpair()
    with one, other:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        one.setblocking(blocking)
        drain = Drain(other.recv)
        save_domain(made, FileSaveOps(one), made.registry)
        one.shutdown(socket.SHUT_WR)
        assert drain.result() == bulk_image(made)


@pytest.mark.parametrize("buffering", [0, 1024])
def test_a_pipe_that_does_not_block(buffering: int) -> None:
    """A raw one gives None, a buffered one raises BlockingIOError with what it took."""
    made = bulk_domain(*SIZES)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with open(reading, "rb", buffering=0) as source:
        with open(writing, "wb", buffering=buffering) as target:
            drain = Drain(source.read)
            try:
                save_domain(made, FileSaveOps(target), made.registry)
            finally:
                os.set_blocking(writing, True)
        assert drain.result() == bulk_image(made)


class Stingy(io.RawIOBase):
    """Takes at most 5 bytes a write."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.taken += bytes(data[:5])
        return min(5, len(data))


def test_short_writes() -> None:
    made = bulk_domain(0, 3, 5000)
    target = Stingy()
    save_domain(made, FileSaveOps(target), made.registry)
    assert target.taken == bulk_image(made)


def test_a_target_that_fails() -> None:
    class Full(Stingy):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    made = bulk_domain(3)
    with pytest.raises(InputOutputError, match="No space left"):
        save_domain(made, FileSaveOps(Full()), made.registry)
    assert made.pauses == made.unpauses


def test_a_large_body_costs_no_memory_on_a_file(tmp_path: Path) -> None:
    class Large(BulkType):
        def save(self, domain: Domain, context: SaveContext) -> None:
            context.begin(self.code, 0)
            for _ in range(64):
                context.data(bytes(CHUNK))
            context.end()

    made = bulk_domain(1, kind=Large)
    with open(tmp_path / "image", "wb") as file:
        tracemalloc.start()
        save_domain(made, FileSaveOps(file), made.registry)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4 * CHUNK
    assert (tmp_path / "image").stat().st_size == size_domain(made, made.registry)


class Patient(io.RawIOBase):
    """Has nothing at every second read, as a raw stream that does not block."""

    def __init__(self, data: bytes) -> None:
        reading, writing = os.pipe()
        os.write(writing, b"always readable")
        os.close(writing)
        self.file = open(reading, "rb", buffering=0)  # noqa: SIM115  # closed below
        self.drip = Drip(data)
        self.none = False

    def fileno(self) -> int:
        return self.file.fileno()

    def read(self, size: int = -1) -> bytes | None:
        self.none = not self.none
        return None if self.none else self.drip.read(size)

    def close(self) -> None:
        self.file.close()
        super().close()


OpenOps = Callable[[bytes, Path], Iterator[LoadOps]]


def memory_ops(data: bytes, path: Path) -> Iterator[LoadOps]:
    yield MemoryLoadOps(data)


def file_ops(data: bytes, path: Path) -> Iterator[LoadOps]:
    path.write_bytes(b"before" + data)
    with open(path, "rb") as file:
        file.seek(6)
        yield FileLoadOps(file)


def raw_ops(data: bytes, path: Path) -> Iterator[LoadOps]:
    path.write_bytes(data)
    with open(path, "rb", buffering=0) as file:
        yield FileLoadOps(file)


def pipe_ops(data: bytes, path: Path) -> Iterator[LoadOps]:
    with pipe_from([data]) as file:
        yield FileLoadOps(file)


def drip_ops(data: bytes, path: Path) -> Iterator[LoadOps]:
    yield FileLoadOps(Drip(data))


def patient_ops(data: bytes, path: Path) -> Iterator[LoadOps]:
    with Patient(data) as file:
        yield FileLoadOps(file)


def socket_ops(data: bytes, path: Path) -> Iterator[LoadOps]:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(data)
        one.shutdown(socket.SHUT_WR)
        yield FileLoadOps(other)


def plain_ops(data: bytes, path: Path) -> Iterator[LoadOps]:
    class Plain(LoadOps):
        """All that a caller's own ops must have."""

        def __init__(self) -> None:
            self.stream = io.BytesIO(data)

        def read(self, size: int) -> bytes:
            return self.stream.read(size)

    yield Plain()


OPS: dict[str, OpenOps] = {
    "memory": memory_ops,
    "file": file_ops,
    "raw": raw_ops,
    "pipe": pipe_ops,
    "drip": drip_ops,
    "patient": patient_ops,
    "socket": socket_ops,
    "plain": plain_ops,
}


each_ops = pytest.mark.parametrize("open_ops", OPS.values(), ids=OPS.keys())


ONE = sample("v19-seed1.img")


@each_ops
def test_load_from(open_ops: OpenOps, tmp_path: Path) -> None:
    for ops in open_ops(ONE.data, tmp_path / "image"):
        made = LoggedDomain(registry())
        result = load_domain(made, ops, made.registry)
        assert (result.records, result.consumed) == (ONE.records, ONE.consumed)
        assert made.total == ONE.sum


@each_ops
def test_truncation_says_what_was_needed_and_what_there_was(
    open_ops: OpenOps, tmp_path: Path
) -> None:
    whole = image(rec(3, 0, tsc()))
    for cut, rule, offset, needed, available in (
        (0, "end-missing", 0, 16, 0),
        (15, "truncated-header", 0, 16, 15),
        (20, "truncated-body", 16, 8, 4),
        (24, "end-missing", 24, 16, 0),
        (30, "truncated-header", 24, 16, 6),
        (41, "truncated-body", 40, 20, 1),
        (60, "truncated-padding", 60, 4, 0),
        (63, "truncated-padding", 60, 4, 3),
        (79, "truncated-header", 64, 16, 15),
    ):
        for ops in open_ops(whole[:cut], tmp_path / "image"):
            made = LoggedDomain(registry())
            with pytest.raises(ImageError) as caught:
                load_domain(made, ops, made.registry)
            error = caught.value
            assert (error.rule, error.errno, error.offset) == (rule, Errno.ENODATA, offset)
            assert error.expected == f"{needed} bytes"
            assert error.actual == f"{available} bytes"


@each_ops
def test_nothing_beyond_end_is_read(open_ops: OpenOps, tmp_path: Path) -> None:
    for ops in open_ops(ONE.data + b"next", tmp_path / "image"):
        made = LoggedDomain(registry())
        load_domain(made, ops, made.registry)
        assert ops.read(10) == b"next"


@each_ops
def test_skip_and_extent(open_ops: OpenOps, tmp_path: Path) -> None:
    data = os.urandom(3 * CHUNK)
    for ops in open_ops(data[:60000], tmp_path / "image"):
        assert ops.read(3) == data[:3]
        assert ops.skip(0) == 0
        assert ops.skip(20000) == 20000
        first = ops.extent(10000)
        second = ops.extent(5)
        assert (len(first), len(second)) == (10000, 5)
        # a look at part of an extent must not move what is read next
        assert next(first.chunks(7)) == data[20003:20010]
        assert ops.read(5) == data[30008:30013]
        assert second.read() == data[30003:30008]
        assert b"".join(first.chunks(999)) == data[20003:30003]
        assert first.read() == first.read()
        third = ops.extent(4)
        assert third.read() == data[30013:30017]
        assert ops.skip(10**9) == 60000 - 30017
        assert ops.read(1) == b""
        assert len(ops.extent(10)) == 0
        assert ops.skip(1) == 0


class Sunk(BulkType):
    """A body that is passed over, or kept as a place."""

    bulk = True
    places: ClassVar[list[Extent]]

    def load(self, domain: Domain, context: LoadContext) -> None:
        context.begin(self.code)
        if context.instance:
            context.sink(1000)
            self.places.append(context.extent())
        context.end(ignore_rest=True)


GIB = 1 << 30


def test_bodies_of_more_than_four_gib(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    first, second = 5 * GIB + 3, 4 * GIB
    with open(path, "wb") as file:
        file.write(start() + struct.pack("<IIQ", 0x100, 0, first))
        file.seek(first + 5, os.SEEK_CUR)  # the body and 5 bytes of padding: holes
        second_at = file.tell()
        file.write(struct.pack("<IIQ", 0x100, 1, second))
        body_at = file.tell()
        file.seek(second - 4, os.SEEK_CUR)
        file.write(b"last")
        file.write(rec(3, 0, tsc()) + rec(0, 0, b""))
        size = file.tell()
    Sunk.places = []
    made = LoggedDomain(registry([Sunk]))
    known = registry()
    tsc_entry = known.get(3)
    assert tsc_entry is not None
    made.registry.register(tsc_entry.record_type, tsc_entry.provider)
    tracemalloc.start()
    with open(path, "rb") as file:
        result = load_domain(made, FileLoadOps(file), made.registry)
        (extent,) = Sunk.places
        assert next(extent.chunks(16)) == bytes(16)
    assert (extent.offset, extent.length) == (body_at + 1000, second - 1000)
    assert (result.records, result.consumed) == (3, size)
    with open_source(path) as source:
        types = formats([Sunk, tsc_entry.record_type])
        records = [e for e in walk(source, types) if isinstance(e, Record)]
        assert [r.offset for r in records] == [0, 24, second_at, size - 56, size - 16]
        assert [r.length for r in records] == [8, first, second, 20, 0]
        assert records[1].padding == 5
        assert bytes(records[2].raw(16)) == bytes(16)
        verdict = verify(source, types)
        assert verdict.valid
        assert [f.rule for f in verdict.findings] == ["order-not-ascending"]
        # without the plugin nothing is held either
        strange = verify(source, formats([]))
        assert [f.offset for f in strange.findings if f.rule == "unknown-type"] == [
            24, second_at, size - 56,
        ]  # fmt: skip
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * CHUNK


BELIEF = [2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 32, 2**64 - 25, 2**64 - 8, 2**64 - 1]


@pytest.mark.parametrize("length", BELIEF)
@pytest.mark.parametrize("code", [0, 2, 3, 4, 5, 0x100, 0x999])
@each_ops
def test_lengths_that_no_input_has(
    open_ops: OpenOps, length: int, code: int, tmp_path: Path
) -> None:
    data = start() + rec(code, 0, bytes(64), length=length)
    known = registry()
    Sunk.places = []
    known.register(BulkType, known.get(1).provider)  # type: ignore[union-attr]
    made = LoggedDomain(known)
    for ops in open_ops(data, tmp_path / "image"):
        tracemalloc.start()
        try:
            with pytest.raises(ImageError) as caught:
                load_domain(made, ops, made.registry)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 20 * CHUNK  # of which one read is 16
        errno = caught.value.errno
        if length > 2**64 - 48:
            assert (caught.value.rule, errno) == ("length-overflow", Errno.ENODATA)
            assert caught.value.offset == 32
        elif code == 0x100:
            # a stream cannot say that the bytes are not there, but that many are never held
            streams = ops.remaining() is None
            assert errno in ((Errno.E2BIG, Errno.ENODATA) if streams else (Errno.ENODATA,))
        assert made.log == []


@pytest.mark.parametrize("length", BELIEF)
@pytest.mark.parametrize("code", [3, 0x100, 0x999])
def test_walking_lengths_that_no_input_has(length: int, code: int, tmp_path: Path) -> None:
    data = start() + rec(code, 0, bytes(64), length=length)
    types = formats()
    types.registry("domain-context").register(BulkType, types.provider("domain-context"))
    path = tmp_path / "image"
    path.write_bytes(data)
    verdicts = []
    with open(path, "rb") as file:
        for source in (BufferSource(data), FileSource(file), FileSource(Drip(data))):
            tracemalloc.start()
            verdicts.append(verify(source, types))
            assert tracemalloc.get_traced_memory()[1] < 8 * CHUNK
            tracemalloc.stop()
    assert verdicts[0] == verdicts[1] == verdicts[2]
    rule = "length-overflow" if length > 2**64 - 48 else "truncated-body"
    assert rule in {f.rule for f in verdicts[0].findings}
    assert not verdicts[0].valid


def test_binary_file_types_are_understood(tmp_path: Path) -> None:
    target: BinaryIO = io.BytesIO()
    made = bulk_domain(5)
    save_domain(made, FileSaveOps(target, "big"), made.registry)
    target.seek(0)
    result = load_domain(LoggedDomain(made.registry), FileLoadOps(target), made.registry)
    assert result.byteorder == "big"


def test_sizing_counts_what_memory_collects() -> None:
    made = knob_domain()
    sizing, memory = SizingSaveOps(), MemorySaveOps()
    file = FileSaveOps(io.BytesIO())
    for ops in (sizing, memory, file):
        save_domain(made, ops, made.registry)
    assert sizing.size == len(memory.image) == file.size == len(KNOB_IMAGE)
