"""Runs: records that follow on each other and break no rule, proved many at a time.

A record type whose body is of fixed size says by its layout which bytes a record may have. One
possessive pattern made of that says how far a run reaches, without making anything of the records
in it; their instances are compared as columns. What does not match goes the other way, record by
record, where everything is explained: a proof never finds a fault, it only fails to show that there
is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import compress
from typing import Any, NamedTuple, Protocol

from domctx_core.layout.codegen.regex import (
    NoPattern,
    any_bytes,
    body_pattern,
    number_pattern,
    zeros,
)
from domctx_core.layout.columns.arrays import LANES, Planes, ascending, from_planes
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.check import Check
from domctx_core.model.check_run import Run
from domctx_core.model.instance_set import InstanceSet, OrderState
from domctx_core.model.observer import RecordEvent, Watch
from domctx_core.model.overrides import prefers_batch
from domctx_core.model.record_type import RecordType
from domctx_core.model.traits import Traits
from domctx_core.model.wire import padding
from domctx_core.reader.record import OpenContainer, Record
from domctx_core.reader.sources import Source

__all__ = ["Proof", "Runs", "prove"]

BLOCK = 96 * 1024
"""Bytes of an input that are looked at at a time, at most. From 128 KiB on, memory comes from the
system and goes back to it, each time."""

FIRST_BLOCK = 32 * 1024
"""The same in a container where no run has been looked for yet; later it is what the one before was
long."""

LEAST_BLOCK = 4096
"""The same after a short run, or none."""

LEAST = 4
"""Records from which on a run is one."""

WARM = 100
"""Records of a type that are judged one by one before its pattern, which costs as much, is made.

Where it was made for another container, or another image, it is used from the first record on."""

PATIENCE = 64
"""Records that go the slow way, at most, before the next look."""

_LONGEST = 8192
"""Bytes of a record beyond which there is nothing to gain."""

_CYCLE = 8
"""Types that may take turns in a cycle."""

_TURNS = 16
"""Cycles in one container: of one that changes all the time, each would take longer to make than
its records take the slow way."""

_UNROLLED = 512
"""Bytes of a pattern that is repeated."""

_GATHERED = 16
"""Records in any order that are matched at a time; to make a pattern of more takes too long."""


class Proof(NamedTuple):
    """What the records of one type look like where nothing can be said against them.

    `pattern` is that of a whole record of `stride` bytes, its body being `size` bytes, and matches
    no other. `watched` says that checks want to see the records.
    """

    code: int
    name: str
    record_type: RecordType[Any]
    pattern: bytes
    size: int
    stride: int
    watched: bool


def prove(
    level: OpenContainer, record_type: RecordType[Any], checks: Iterable[Check]
) -> Proof | None:
    """The proof of a type's records at one level; None where each of them has to be looked at."""
    format, header, code = level.format, level.header, record_type.code
    traits = Traits.of(record_type)
    size = traits.size
    wanting = [check for check in checks if code in check.codes]
    if (
        header is None
        or size is None
        or (header.instance is not None and header.instance.stop - header.instance.start > 4)
        or code in (format.first, format.last)
        or (format.max_length is not None and size > format.max_length)
        or not (traits.self_contained and traits.loadable and traits.trusted)
        or not all(prefers_batch(type(check), "records", "record") for check in wanting)
    ):
        return None
    stride = header.size + size + padding(size, format.alignment)
    if stride > _LONGEST:
        return None
    try:
        pattern = _header_pattern(
            tuple(header.fields), code, traits.trusted, size, header.byteorder
        )
        pattern += body_pattern(record_type.body, level.framing.byteorder)
    except NoPattern:
        return None
    pattern += zeros(stride - header.size - size)
    return Proof(code, record_type.name, record_type, pattern, size, stride, bool(wanting))


@lru_cache(maxsize=256)  # to make one takes a third of what a small image does
def _header_pattern(
    fields: Sequence[tuple[str, int]], code: int, instances: range, size: int, byteorder: ByteOrder
) -> bytes:
    """The pattern of headers with these fields, each of so many bytes."""
    settled = {"type": (code, code), "length": (size, size)}
    settled["instance"] = instances.start, instances.stop - 1
    return b"".join(
        number_pattern(width, [settled[name]], byteorder) if name in settled else any_bytes(width)
        for name, width in fields
    )


class _Shape(Protocol):
    """A row of records that a block may begin with."""

    def match(self, block: bytes) -> tuple[int, int]:
        """How many bytes of the block are such a row, and how many records."""

    def instances(self, block: bytes, end: int) -> Iterator[tuple[int, Planes]]:
        """Of each type code in the row that ends at `end`, the instances: a column for each byte."""


class _Cycle:
    """Types that take turns, over and over; mostly one. Each round has the same length."""

    def __init__(self, proofs: Sequence[Proof], instance: slice) -> None:
        self.proofs = proofs
        self._instance = instance
        self._starts = [sum(proof.stride for proof in proofs[:i]) for i in range(len(proofs))]
        self._stride = sum(proof.stride for proof in proofs)
        one = b"".join(proof.pattern for proof in proofs)
        some = one * max(1, _UNROLLED // len(one))  # a round costs more than what is matched in it
        self._match = re.compile(b"(?:%s)*+(?:%s)*+" % (some, one), re.DOTALL).match

    def match(self, block: bytes) -> tuple[int, int]:
        match = self._match(block, 0, LANES * self._stride)
        end = 0 if match is None else match.end()
        return end, end // self._stride * len(self.proofs)

    def instances(self, block: bytes, end: int) -> Iterator[tuple[int, Planes]]:
        places = range(self._instance.start, self._instance.stop)
        for proof, start in zip(self.proofs, self._starts, strict=True):
            yield proof.code, [block[start + at : end : self._stride] for at in places]


class _Medley:
    """Types in any order. The start of each header is taken out, to tell one from another.

    The lowest byte of their codes, at `lowest` in the header, differs.
    """

    def __init__(self, proofs: Sequence[Proof], instance: slice, lowest: int) -> None:
        self._instance = instance
        self._lowest = lowest
        self._size = max(instance.stop, lowest + 1)
        codes = [proof.code for proof in proofs]
        #: With each code, what makes ones of the lowest byte of just that code.
        self._chosen = [(code, bytes(byte == code & 0xFF for byte in range(256))) for code in codes]
        patterns = b"|".join(proof.pattern for proof in proofs)
        one = b"(?=(%s))(?:%s)" % (any_bytes(self._size), patterns)
        self._match = re.compile(one * _GATHERED, re.DOTALL).match
        self._headers: list[bytes] = []

    def match(self, block: bytes) -> tuple[int, int]:
        self._headers = []
        end = 0
        while len(self._headers) < LANES and (match := self._match(block, end)):
            self._headers += match.groups()
            end = match.end()
        return end, len(self._headers)

    def instances(self, block: bytes, end: int) -> Iterator[tuple[int, Planes]]:
        lowest = bytearray().join(self._headers)[self._lowest :: self._size]
        places = range(self._instance.start, self._instance.stop)
        for code, chosen in self._chosen:
            own = bytearray().join(compress(self._headers, lowest.translate(chosen)))
            if own:  # steps over a bytearray take half the time of those over bytes
                yield code, [own[at :: self._size] for at in places]


class _Ground:
    """What is known of one level: its proofs, and the shapes made of them."""

    def __init__(self, level: OpenContainer, checks: Sequence[Check], cap: int) -> None:
        assert level.header is not None
        self.level = level
        self.header = level.header
        self._checks = checks
        self._cap = cap
        self._instance = level.header.instance or slice(0, 0)
        self._proofs: dict[int, Proof | None] = {}
        self._cycles: dict[tuple[int, ...], _Cycle] = {}
        self._medley: tuple[int, _Medley | None] = 0, None
        self._latest: _Cycle | None = None
        #: Bytes to look at when the next run is looked for.
        self.ahead = FIRST_BLOCK

    def proof(self, code: int) -> Proof | None:
        """The proof of a type that records before were of, if there is one."""
        if code not in self._proofs:
            info = self.level.type_infos.get(code)
            if info is None or info.record_type is None:
                return None
            if info.met < WARM and not info.proved:
                return None
            made = prove(self.level, info.record_type, self._checks)
            self._proofs[code] = None if made is None or made.size > self._cap else made
        return self._proofs[code]

    def records(self, block: bytes, end: int) -> Iterator[tuple[int, int, int | None, int]]:
        """Place, type, instance and length of each record in a row that was matched."""
        at, size = 0, self.header.size
        while at < end:
            code, instance, length = self.header.read(block[at : at + size])
            yield at, code, instance, length
            proof = self._proofs[code]
            assert proof is not None
            at += proof.stride

    def shapes(self, block: bytes, standing: OrderState) -> Iterator[_Shape]:
        """Shapes that the row at the start of a block may have, the most likely one first."""
        if len(block) < self.header.size:
            return
        code, _, _ = self.header.read(block[: self.header.size])
        proof = self.proof(code)
        if proof is None:
            return
        mixed = standing.descended or not self.level.format.ascending
        latest = self._latest
        if mixed and latest is not None and latest.proofs[0] is proof and len(latest.proofs) > 1:
            yield latest
        if mixed or code >= standing.previous:
            yield self._cycle((code,))
        if mixed and not proof.watched:
            turn = self._turn(block)
            if turn in self._cycles or (turn and len(self._cycles) < _TURNS):
                self._latest = self._cycle(turn)
                yield self._latest
            medley = self._any_order()
            if medley is not None:
                yield medley

    def _cycle(self, codes: tuple[int, ...]) -> _Cycle:
        if codes not in self._cycles:
            proofs = [proof for proof in map(self.proof, codes) if proof is not None]
            self._cycles[codes] = _Cycle(proofs, self._instance)
        return self._cycles[codes]

    def _turn(self, block: bytes) -> tuple[int, ...]:
        """The types that take turns at the start of a block; none where they do not."""
        codes: list[int] = []
        at, size = 0, self.header.size
        while len(codes) < 2 * _CYCLE and at + size <= len(block):
            code, _, length = self.header.read(block[at : at + size])
            proof = self.proof(code)
            if proof is None or proof.watched or proof.size != length:
                break
            codes.append(code)
            at += proof.stride
        for count in range(2, len(codes) // 2 + 1):
            turn = tuple(codes[:count])
            if turn == tuple(codes[count : 2 * count]) and len(set(turn)) == count:
                return turn
        return ()

    def _any_order(self) -> _Medley | None:
        """All types together that have proofs, and that no check wants to see."""
        known = [p for p in self._proofs.values() if p is not None and not p.watched]
        if self._medley[0] != len(known):
            proofs = list({proof.code & 0xFF: proof for proof in known}.values())[:_CYCLE]
            made = None
            if len(proofs) > 1:
                made = _Medley(proofs, self._instance, self.header.lowest_of_type)
            self._medley = len(known), made
        return self._medley[1]


class Runs:
    """Takes the runs that follow on records that were judged, as far as they can be proved.

    `watch` hears of their records; `see` is called with each run that checks want to see.
    """

    def __init__(
        self,
        source: Source,
        cap: int,
        watch: Watch | None,
        see: Callable[[OpenContainer, Run], None],
    ) -> None:
        self._source = source
        self._cap = cap
        self._watch = watch or None
        self._see = see
        self._grounds: dict[OpenContainer, _Ground] = {}
        self._wait = self._pause = 0

    def wait(self) -> bool:
        """Whether it is too early to look again, after a look that found nothing."""
        if self._wait:
            self._wait -= 1
            return True
        return False

    def after(self, record: Record, standing: OrderState, checks: Sequence[Check]) -> None:
        """Take what can be proved right after a record, and say so in `record.passed`."""
        info, level = record.type_info, record.level
        if info.met < WARM and not info.proved:
            return
        ground = self._grounds.get(level)
        if ground is None:
            ground = self._grounds[level] = _Ground(level, checks, self._cap)
        if record.complete and ground.proof(record.type) is not None:
            record.passed = self._take(ground, record.end, standing)
        if record.passed:
            self._pause = 0
        else:
            self._wait = self._pause = min(2 * self._pause + 1, PATIENCE)

    def _take(self, ground: _Ground, start: int, standing: OrderState) -> int:
        """Take rows from `start` on, until there is something else; gives how many bytes."""
        at = self._rows(ground, start, standing)
        ground.ahead = max(LEAST_BLOCK, min(at - start, BLOCK))
        return at - start

    def _rows(self, ground: _Ground, start: int, standing: OrderState) -> int:
        """Take rows from `start` on; gives where they end."""
        bound, at, size = ground.level.bound, start, ground.ahead
        while True:
            taken, more = self._row(
                ground, at, size if bound is None else max(0, min(size, bound - at)), standing
            )
            at += taken
            if not more:
                return at
            if 2 * taken > size:
                size = min(4 * size, BLOCK)

    def _row(self, ground: _Ground, at: int, size: int, standing: OrderState) -> tuple[int, bool]:
        """Take a row that begins at `at`; gives its bytes, and whether there may be another."""
        block = self._source.ready(at, size)
        for shape in ground.shapes(block, standing):
            end, count = shape.match(block)
            if count >= LEAST:
                taken = self._accept(ground, shape, block, end, count, at, standing)
                return taken, taken == end
        return 0, False

    def _accept(
        self,
        ground: _Ground,
        shape: _Shape,
        block: bytes,
        end: int,
        count: int,
        at: int,
        standing: OrderState,
    ) -> int:
        """Take the records of a row, up to the first that was there before; gives the bytes."""
        level = ground.level
        if level.header is not None and level.header.instance is not None:
            order = level.header.byteorder
            rows = list(shape.instances(block, end))
            columns = [(code, ascending(raw, order)) for code, raw in rows]
            if not standing.instances.add_ascending(columns):
                end, count = _new(ground, rows, block, end, standing.instances)
        if not count:
            return 0
        code, _, length = ground.header.read(block[: ground.header.size])
        index, level.count = level.count, level.count + count
        standing.previous = code  # of several types, only where that is of no use any more
        proof = ground.proof(code)
        assert proof is not None
        if proof.watched:
            run = Run(
                code=code, name=proof.name, index=index, offset=at, length=length,
                byteorder=level.framing.byteorder, data=block[:end], stride=proof.stride,
                header_size=ground.header.size, instance=ground.header.instance,
                instance_order=ground.header.byteorder, body=proof.record_type.body,
            )  # fmt: skip
            self._see(level, run)
        if self._watch is not None:
            for place, code, instance, length in ground.records(block, end):
                self._watch.see(RecordEvent(code, instance, at + place, length))
        return end


def _new(
    ground: _Ground,
    rows: list[tuple[int, Planes]],
    block: bytes,
    end: int,
    instances: InstanceSet,
) -> tuple[int, int]:
    """Where the records of a row end that are all new, and how many they are; each is noted."""
    if len(rows) == 1:
        code, raw = rows[0]
        count = instances.add_until_duplicate(code, from_planes(raw, ground.header.byteorder))
        return end // len(raw[0]) * count, count
    count = 0
    for place, code, instance, _ in ground.records(block, end):
        if not instances.add(code, instance or 0):
            return place, count
        count += 1
    return end, count
