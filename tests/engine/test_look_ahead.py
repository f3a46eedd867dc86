"""Images from pipes are read to their end and no further, with the errors of files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from number_records import Number, NumberRecord, Takes, numbers_image, registry_of
from reading_records import RUN_TYPES, readings
from support import end, registry, start

from domctx_core import (
    DomctxError,
    FileLoadOps,
    ImageError,
    MemoryLoadOps,
    Registry,
    load_domain,
)
from domctx_core.engine.sim_domain import SimDomain


def through_a_pipe(data: bytes, known: Registry, **options: Any) -> tuple[Any, bytes]:
    """The domain or the error, and what is left in the pipe."""
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    domain = SimDomain(known)
    with open(reading, "rb", buffering=0) as file:
        try:
            load_domain(domain, FileLoadOps(file), known, **options)
        except DomctxError as error:
            told = type(error), error.message, error.errno, error.offset, error.instance
            return (*told, error.expected, error.actual), b""
        return domain, file.read()


class Raw(Takes):
    ways = ("parts",)


@pytest.mark.parametrize("kind", [NumberRecord, Takes, Raw])
@pytest.mark.parametrize("validate", [True, False])
def test_a_pipe_is_read_to_the_image_s_end_and_no_further(kind: Any, validate: bool) -> None:
    known = registry_of(kind)
    domain, rest = through_a_pipe(numbers_image(50) + b"after", known, validate=validate)
    assert rest == b"after"
    assert len(list(domain.instances(Number))) == 50


@pytest.mark.parametrize("kind", [NumberRecord, Raw])
def test_a_cut_pipe_is_told_of_as_a_cut_file_is(kind: Any) -> None:
    known = registry_of(kind)
    data = numbers_image(3)
    for cut in range(24, len(data)):
        told = through_a_pipe(data[:cut], known)[0]
        with pytest.raises(ImageError) as caught:
            load_domain(SimDomain(known), MemoryLoadOps(data[:cut]), known)
        error = caught.value
        assert told[:5] == (
            type(error), error.message, error.errno, error.offset, error.instance,
        ), cut  # fmt: skip


@pytest.mark.parametrize("kind", [NumberRecord, Takes, Raw])
def test_faults_in_a_pipe_are_those_of_a_file(kind: Any) -> None:
    known = registry_of(kind)
    data = numbers_image(12)
    for at in range(24, len(data)):
        bad = data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :]
        told, _ = through_a_pipe(bad, known)
        domain = SimDomain(known)
        try:
            load_domain(domain, MemoryLoadOps(bad), known)
            expected: Any = domain.to_json()
        except DomctxError as error:
            expected = type(error), error.message, error.errno, error.offset, error.instance
        assert (told[:5] if isinstance(told, tuple) else told.to_json()) == expected, at


def test_a_load_that_acts_at_once_waits_for_no_later_record() -> None:
    """Records come one by one, and each is applied before the next one is there."""
    data, taken = numbers_image(5), []

    class Notes(SimDomain):
        def write(self, body: Any, instance: int, value: Any) -> None:
            taken.append(instance)
            super().write(body, instance, value)

    class Slow:
        def __init__(self) -> None:
            self.at = 0

        def read(self, size: int) -> bytes:
            done = (self.at + size - 24 - 16) // 24
            assert len(taken) >= min(done, 5), "a record is read before the one before is applied"
            chunk = data[self.at : self.at + size]
            self.at += len(chunk)
            return chunk

    known = registry_of(NumberRecord)
    load_domain(Notes(known), FileLoadOps(Slow()), known, validate=False)
    assert taken == list(range(5))


def test_what_follows_the_image_is_left_alone(tmp_path: Path) -> None:
    data = b"".join([start(), *readings(5000), end()])
    path = tmp_path / "image"
    path.write_bytes(b"before" + data + b"after")
    for buffering in (-1, 0):
        with path.open("rb", buffering=buffering) as file:
            file.seek(6)
            domain = SimDomain(registry(RUN_TYPES))
            result = load_domain(domain, FileLoadOps(file), registry(RUN_TYPES))
            assert (result.records, result.consumed) == (5000, len(data))
            assert file.read() == b"after"


def test_ops_that_read_in_their_own_way_are_asked_for_each_read() -> None:
    class Counted(MemoryLoadOps):
        reads = 0

        def read(self, size: int) -> bytes:
            self.reads += 1
            return super().read(size)

    ops = Counted(b"".join([start(), *readings(20), end()]))
    load_domain(SimDomain(registry(RUN_TYPES)), ops, registry(RUN_TYPES))
    assert ops.reads == 3 * 20 + 3
