"""Many records validated by one pattern, without an event or a body being made of each.

After a record that was judged by itself comes a look at what follows it, a block at a time: one
possessive pattern tells how far the block is made of valid records, and their instances are compared
as columns. What does not match is judged record by record, which is where faults are explained: here
none is ever found, there is only less that is known to be valid.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Protocol

from domctx_core.layout.codegen.regex import any_bytes
from domctx_core.layout.columns.arrays import LANES, Planes, ascending, from_planes
from domctx_core.layout.columns.fixed_layout import Frame
from domctx_core.model.check import Check
from domctx_core.model.check_run import Run
from domctx_core.model.observer import RecordEvent
from domctx_core.reader.record import OpenContainer, Record
from domctx_core.reader.sources import Source
from domctx_core.verification.bulk import BulkScanner
from domctx_core.verification.proof import Proof, prove
from domctx_core.verification.state import ContainerState, ValidBatch

__all__ = ["BatchValidator"]

BLOCK = 96 * 1024
"""Bytes of an input that are looked at at a time, at most. From 128 KiB on, memory comes from the
system and goes back to it, each time."""

FIRST_BLOCK = 32 * 1024
"""The same in a container where no batch has been looked for yet; later it is what the one before
was long."""

LEAST_BLOCK = 4096
"""The same after a short batch, or none."""

LEAST = 4
"""Records from which on a batch is one."""

WARM = 100
"""Records of a type that are judged one by one before its pattern, which costs as much, is compiled.

Where it was compiled for another container, or another image, it is used from the first record on."""

PATIENCE = 64
"""Records that are judged one by one, at most, before the next look."""

_CYCLE = 8
"""Types that may take turns in a repeating pattern."""

_TURNS = 16
"""Repeating patterns in one container: of one that changes all the time, each would take longer to
compile than its records take one by one."""

_UNROLLED = 512
"""Bytes of a pattern that is repeated."""

_GATHERED = 16
"""Records in any order that are matched at a time; to compile a pattern of more takes too long."""


class _Pattern(Protocol):
    """Valid records that a block may begin with."""

    def match(self, block: bytes) -> tuple[int, int]:
        """Return how many bytes of the block match, and how many records these are."""

    def instances(self, block: bytes, end: int) -> Iterator[tuple[int, Planes]]:
        """Yield the instances of each type code up to `end`, where the match ended."""


class _RepeatingPattern:
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
            yield proof.code, [block[start + byte : end : self._stride] for byte in places]


class _MixedPattern:
    """Types in any order. The start of each header is captured, to know which type it is.

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
                yield code, [own[byte :: self._size] for byte in places]


class _LevelPatterns:
    """The proofs of the types in one container, and the patterns compiled from them."""

    def __init__(
        self, level: OpenContainer, state: ContainerState, cap: int, watched: bool
    ) -> None:
        assert level.header is not None
        self.level = level
        self.header = level.header
        self.state = state
        self._cap = cap
        self._watched = watched
        self._instance = level.header.instance or slice(0, 0)
        self._proofs: dict[int, Proof | None] = {}
        self._repeating: dict[tuple[int, ...], _RepeatingPattern] = {}
        self._mixed: tuple[int, _MixedPattern | None] = 0, None
        self._latest: _RepeatingPattern | None = None
        #: Bytes to look at when the next batch is looked for.
        self.ahead = FIRST_BLOCK

    def proof(self, code: int) -> Proof | None:
        """Return the proof of a type that was met before; None where it has none, or none yet."""
        if code not in self._proofs:
            info = self.level.type_infos.get(code)
            if info is None or info.record_type is None:
                return None
            if info.met < WARM and not info.proved:
                return None
            proof = prove(self.level, info.record_type, self.state.checks)
            self._proofs[code] = None if proof is None or proof.size > self._cap else proof
        return self._proofs[code]

    def headers(self, block: bytes, end: int) -> Iterator[tuple[int, int, int | None, int]]:
        """Yield offset, type, instance and length of each record up to `end`, where a match ended."""
        offset, size = 0, self.header.size
        while offset < end:
            code, instance, length = self.header.read(block[offset : offset + size])
            yield offset, code, instance, length
            proof = self._proofs[code]
            assert proof is not None
            offset += proof.stride

    def events(self, block: bytes, end: int, start: int) -> Iterator[RecordEvent]:
        """Yield what observers hear of the same records, in a block that begins at `start`."""
        for offset, code, instance, length in self.headers(block, end):
            yield RecordEvent(code, instance, start + offset, length)

    def candidates(self, block: bytes) -> Iterator[_Pattern]:
        """Yield patterns that the start of a block may match, the most likely one first."""
        if len(block) < self.header.size:
            return
        code, _, _ = self.header.read(block[: self.header.size])
        proof, order = self.proof(code), self.state.order
        if proof is None:
            return
        mixed = order.descended or not self.level.format.ascending
        latest = self._latest
        if mixed and latest is not None and latest.proofs[0] is proof and len(latest.proofs) > 1:
            yield latest
        if mixed or code >= order.previous:
            yield self._repeating_pattern((code,))
        if mixed and proof.layout is None:
            turn = self._turn(block)
            if turn in self._repeating or (turn and len(self._repeating) < _TURNS):
                self._latest = self._repeating_pattern(turn)
                yield self._latest
            any_order = self._mixed_pattern()
            if any_order is not None:
                yield any_order

    def _repeating_pattern(self, codes: tuple[int, ...]) -> _RepeatingPattern:
        if codes not in self._repeating:
            proofs = [proof for proof in map(self.proof, codes) if proof is not None]
            self._repeating[codes] = _RepeatingPattern(proofs, self._instance)
        return self._repeating[codes]

    def _turn(self, block: bytes) -> tuple[int, ...]:
        """Return the types that take turns at the start of a block; none where they do not."""
        codes: list[int] = []
        offset, size = 0, self.header.size
        while len(codes) < 2 * _CYCLE and offset + size <= len(block):
            code, _, length = self.header.read(block[offset : offset + size])
            proof = self.proof(code)
            if proof is None or proof.layout is not None or proof.size != length:
                break
            codes.append(code)
            offset += proof.stride
        for count in range(2, len(codes) // 2 + 1):
            turn = tuple(codes[:count])
            if turn == tuple(codes[count : 2 * count]) and len(set(turn)) == count:
                return turn
        return ()

    def _mixed_pattern(self) -> _MixedPattern | None:
        """Return the pattern of all types together that have proofs and that no check wants to see."""
        known = [p for p in self._proofs.values() if p is not None and p.layout is None]
        if self._mixed[0] != len(known):
            proofs = list({proof.code & 0xFF: proof for proof in known}.values())[:_CYCLE]
            pattern = None
            if len(proofs) > 1:
                pattern = _MixedPattern(proofs, self._instance, self.header.lowest_of_type)
            self._mixed = len(known), pattern
        return self._mixed[1]

    def accept(self, pattern: _Pattern, block: bytes, end: int, count: int) -> tuple[int, int]:
        """Add the instances of matched records up to the first that was met before.

        Return where the records end that are all new, and how many they are.
        """
        if self.header.instance is None:
            return end, count
        byteorder, instances = self.header.byteorder, self.state.order.instances
        rows = list(pattern.instances(block, end))
        if instances.add_ascending([(code, ascending(raw, byteorder)) for code, raw in rows]):
            return end, count
        if len(rows) == 1:
            code, raw = rows[0]
            new = instances.add_until_duplicate(code, from_planes(raw, byteorder))
            return end // len(raw[0]) * new, new
        new = 0
        for offset, code, instance, _ in self.headers(block, end):
            if not instances.add(code, instance or 0):
                return offset, new
            new += 1
        return end, new

    def batch(self, block: bytes, end: int, index: int, offset: int, count: int) -> ValidBatch:
        """Return the batch of the records up to `end` in a block that begins at `offset`."""
        level, header = self.level, self.header
        code, _, _ = header.read(block[: header.size])
        self.state.order.previous = code  # of several types, only where that is of no use any more
        proof = self.proof(code)
        assert proof is not None
        run, checks = None, list[Check]()
        if proof.layout is not None:
            checks = [check for check in self.state.checks if code in check.codes]
            run = Run(
                proof.layout,
                block[:end],
                Frame(proof.stride, header.size),
                level.framing.byteorder,
                code=code,
                name=proof.name,
                index=index,
                offset=offset,
                instance=header.instance_column,
            )
        # only where they are wanted: they keep the block in memory
        events = self.events(block, end, offset) if self._watched else ()
        return ValidBatch(level, index, offset, count, offset + end, checks, run=run, events=events)


class BatchValidator:
    """Takes the records that follow on one that was judged, as far as they are known to be valid.

    `states` are those of the containers that are judged; `watched` is true where observers want
    to hear of each record.
    """

    def __init__(
        self,
        source: Source,
        cap: int,
        states: Mapping[OpenContainer, ContainerState],
        *,
        watched: bool = False,
    ) -> None:
        self._source = source
        self._cap = cap
        self._states = states
        self._watched = watched
        self._bulk = BulkScanner(source, cap, states, watched)
        self._patterns: dict[OpenContainer, _LevelPatterns] = {}
        #: Records that go by before the next look, and how many did before the latest one.
        self._wait = self._pause = 0

    def after(self, record: Record) -> Iterable[ValidBatch]:
        """Yield batches of the records after one, up to the first that has to be judged by itself."""
        info, level = record.type_info, record.level
        if info.bulk:
            return self._bulk.after(record)
        if self._wait:
            self._wait -= 1
            return ()
        if info.met < WARM and not info.proved:
            return ()
        patterns = self._patterns.get(level)
        if patterns is None:
            patterns = _LevelPatterns(level, self._states[level], self._cap, self._watched)
            self._patterns[level] = patterns
        if patterns.proof(record.type) is None:
            self._miss()
            return ()
        return self._look(patterns, record)

    def _miss(self) -> None:
        """Wait longer for the next look, since this one finds nothing."""
        self._wait = self._pause = min(2 * self._pause + 1, PATIENCE)

    def _look(self, patterns: _LevelPatterns, record: Record) -> Iterator[ValidBatch]:
        """Yield a batch for each block, until there is something else."""
        index, offset, size = record.index + 1, record.end, patterns.ahead
        bound, more = record.level.bound, True
        while more:
            wanted = size if bound is None else max(0, min(size, bound - offset))
            batch, more = self._block(patterns, index, offset, wanted)
            if batch is None:
                break
            index += batch.count
            if 2 * (batch.end - offset) > size:
                size = min(4 * size, BLOCK)
            offset = batch.end
            yield batch
        patterns.ahead = max(LEAST_BLOCK, min(offset - record.end, BLOCK))
        if offset > record.end:
            self._pause = 0
        else:
            self._miss()

    def _block(
        self, patterns: _LevelPatterns, index: int, offset: int, size: int
    ) -> tuple[ValidBatch | None, bool]:
        """Return the batch at the start of a block, and whether another may follow right after it."""
        block = self._source.ready(offset, size)
        for pattern in patterns.candidates(block):
            end, count = pattern.match(block)
            if count >= LEAST:
                new, count = patterns.accept(pattern, block, end, count)
                if not count:
                    break
                return patterns.batch(block, new, index, offset, count), new == end
        return None, False
