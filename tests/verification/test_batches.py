"""Runs: what is proved many at a time is what would be found one by one."""

from __future__ import annotations

import io
import os
import random
import struct
import threading
import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from batch_records import (
    CODES,
    SETTINGS,
    TYPES,
    Batched,
    Counted,
    Single,
    examples,
    plain,
    record,
    same_both_ways,
)
from environments import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from support import end, formats, samples, start

from domctx_core import (
    BufferSource,
    Check,
    FileSource,
    Formats,
    Problem,
    Run,
    Source,
    verify,
)
from domctx_core.host.host import Host

CAPTURES = sorted(
    [
        *(ROOT / "examples").rglob("*.no-pages"),
        *(ROOT / "plugins").glob("*/tests/data/*.no-pages"),
        *(ROOT / "plugins").glob("*/tests/data/*.bin"),
    ]
)


class Second(Batched):
    """Another one that wants the same records, and has the default way for runs."""

    def records(self, run: Run) -> Iterable[tuple[int, Problem]]:
        return Check.records(self, run)


CHECKS = (Batched, Single, Second)


@contextmanager
def pipe(data: bytes) -> Iterator[io.FileIO]:
    reading, writing = os.pipe()

    def feed() -> None:
        with open(writing, "wb", buffering=0) as file:
            for at in range(0, len(data), 5000):
                file.write(data[at : at + 5000])

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        with io.FileIO(reading, "rb") as file:
            yield file
            while file.read(1 << 16):
                pass
    finally:
        thread.join()


@st.composite
def segment(draw: st.DrawFn, order: str) -> bytes:
    """A uniform run, types that take turns, or any order; instances that ascend, or do not."""
    codes = draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=4))
    rng = random.Random(draw(st.integers(0, 9)))
    count = draw(st.integers(1, 60))
    first, step = draw(st.integers(0, 40)), draw(st.sampled_from([1, 1, 1, 2, 0, -1]))
    jumble = draw(st.booleans())
    bodies = {code: examples(code, draw(st.integers(0, 3)), order) for code in codes}
    out = []
    for number in range(count):
        code = rng.choice(codes) if jumble else codes[number % len(codes)]
        instance = max(0, first + step * (number // (1 if jumble else len(codes))))
        out.append(record(code, instance, rng.choice(bodies[code]), order))
    return b"".join(out)


@st.composite
def images(draw: st.DrawFn) -> bytes:
    order = draw(st.sampled_from("<<>"))
    data = bytearray(start(order=order))
    for _ in range(draw(st.integers(1, 4))):
        data += draw(segment(order))
    data += end(order=order)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 3)):
            case 0:
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case 1:
                del data[at : at + draw(st.integers(1, 24))]
            case 2:
                data[at:at] = draw(st.binary(max_size=40))
            case _:
                del data[max(at, 24) :]
    return bytes(data)


@settings(SETTINGS, max_examples=120)
@given(images(), st.sampled_from([(), CHECKS]), st.sampled_from([1 << 20, 18]))
def test_both_ways_find_the_same(data: bytes, checks: Sequence[type[Check]], cap: int) -> None:
    same_both_ways(data, lambda: formats(TYPES), checks, cap=cap)


def test_both_ways_find_the_same_in_the_corpus() -> None:
    for sample in samples():
        same_both_ways(sample.data, lambda: formats(options=sample.options))  # noqa: B023


@cache
def host() -> Host:
    return Host()


def installed() -> Formats:
    return host().formats


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_both_ways_find_the_same_in_captures(path: Path) -> None:
    data = path.read_bytes()
    same_both_ways(data, installed, host().checks())
    rng = random.Random(path.name)
    for _ in range(4):
        bad = bytearray(data)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        same_both_ways(bytes(bad), installed, host().checks())


def test_a_fault_in_a_run_is_told_where_it_is() -> None:
    data = bytearray(plain(3000))
    data[24 + 2000 * 32 + 16 : 24 + 2000 * 32 + 20] = bytes(4)
    source = Counted(bytes(data))
    (finding,) = verify(source, formats(TYPES)).findings
    assert (finding.rule, finding.record, finding.instance) == ("field-out-of-range", 2001, 2003)
    assert finding.offset == 24 + 2000 * 32 + 16
    assert source.slow < 300


def test_where_nothing_fits_looks_are_few() -> None:
    bad = struct.pack("<IIQ", 0, 1, 1)  # state 0 is out of its range
    source = Counted(start() + b"".join(record(0x10, n, bad) for n in range(3000)) + end())
    verify(source, formats(TYPES))
    assert source.looks < 3000 / 50


def test_both_ways_find_the_same_on_a_pipe() -> None:
    data = bytearray(plain(4000))
    data[24 + 3000 * 32 + 16 : 24 + 3000 * 32 + 20] = bytes(4)
    expected = verify(BufferSource(bytes(data)), formats(TYPES)).findings
    assert len(expected) == 1
    with pipe(bytes(data)) as file:
        assert verify(FileSource(file), formats(TYPES)).findings == expected


def test_memory_is_flat() -> None:
    data = plain(100_000)

    def peak(source: Source) -> int:
        tracemalloc.start()
        verify(source, formats(TYPES))
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    assert peak(BufferSource(data)) < 2 << 20
    assert peak(FileSource(io.BytesIO(data))) < 3 << 20
