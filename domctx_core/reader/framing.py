"""Framing: the prologue of a container and the headers of its records, read at a given offset.

Where the framing cannot be read any further, `Broken` is raised, with the `Fault` to report.
"""

from __future__ import annotations

from typing import Any

from domctx_core.base.errors import DeclarationError, DomctxError, PluginError
from domctx_core.base.problems import Problem
from domctx_core.base.rules import CORE_RULES
from domctx_core.layout.kinds.base import ORDERS
from domctx_core.model.attributes import FIRST
from domctx_core.model.format import Format, Framing
from domctx_core.model.wire import MAX_LENGTH, padding
from domctx_core.reader.events import Fault
from domctx_core.reader.header import header_of
from domctx_core.reader.record import KEPT, OpenContainer, Record, make_finding, unusable
from domctx_core.reader.sources import Source

__all__ = ["Broken", "FrameReader"]

NEAR = 256
"""Bytes that are read of a record at once, where more may be read than is asked for."""

_MOST_BEFORE = 64
"""Bodies before the first record of a container; no real format has more than three."""


class Broken(Exception):  # control flow between this module and the walker
    """The framing cannot be read any further."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault


class FrameReader:
    """Reads prologues and records at `offset`; at most `cap` bytes of a body are held."""

    def __init__(self, source: Source, cap: int) -> None:
        self.source = source
        self.cap = cap
        self.offset = 0

    def read_prologue(self, format: Format, level: OpenContainer, head: bytes) -> None:
        """Read the bodies before the first record and set what they decide: framing and header.

        Raises `DeclarationError` where the format gives no valid answer, and whatever it raises
        itself.
        """
        byteorder = format.byteorder(head)
        while True:
            step = format.prologue([body for _, body in level.prologue])
            if step is None:
                break
            body_class, length = step
            if length < 0 or len(level.prologue) >= _MOST_BEFORE:
                raise DeclarationError(
                    f"the format {format.name} never comes to its first record",
                    expected=f"at most {_MOST_BEFORE} bodies before it, of no negative length",
                )
            if length > self.cap:
                self.fail(
                    "length-over-cap",
                    f"the {body_class.__name__} before the first record is {length} bytes long",
                    level,
                    expected=f"at most {self.cap} bytes",
                    actual=f"{length} bytes",
                )
            raw = self.bytes(length, level)
            if len(raw) < length:
                whose = f"{format.title or format.name}'s {body_class.__name__}"
                message = f"the input ends inside the {whose}"
                self.fail_short("truncated-header", length, len(raw), level, message)
            decoded = body_class.inspect(raw, byteorder)
            level.prologue_problems += [(self.offset, problem) for problem in decoded.problems]
            if decoded.body is None:
                problem = decoded.problems[-1]
                offset = self.offset + (problem.offset or 0)
                raise Broken(Fault(level, make_finding(problem, offset, level)))
            level.prologue.append((self.offset, decoded.body))
            self.offset += length
        level.records_offset = self.offset
        framing = format.framing([body for _, body in level.prologue], head)
        if not isinstance(framing, Framing) or framing.byteorder not in ORDERS:
            raise DeclarationError(
                f"the format {format.name} does not say how it goes on",
                expected="a Framing, little or big",
                actual=repr(framing)[:80],
            )
        level.framing = framing
        if format.header is not None:
            level.header = header_of(format.header, level.framing.byteorder)

    def read_record(self, level: OpenContainer) -> Record:
        """Return the record at the offset, which may be cut short: see `Record.available`."""
        header, offset, source = level.header, self.offset, self.source
        assert header is not None
        size, bound = header.size, level.bound
        wanted = size if source.size is None else NEAR
        near = source.at(offset, wanted) if bound is None else self.bytes(wanted, level)
        if len(near) < size:
            if not near and not offset:
                self.fail("end-missing", "the input is empty", level, expected=f"{size} bytes")
            self.fail_short("truncated-header" if near else "end-missing", size, len(near), level)
        type, instance, length = header.read(near)
        info = level.type_infos.get(type) or level.type_info(type)
        pad = padding(length, level.format.alignment)
        record = Record(level, offset, type, instance, length, size, pad, info, source, self.cap)
        level.count += 1
        info.met += 1
        needed = length + pad
        if size + needed <= len(near):
            record._whole = near[size : size + needed]
            record.available = needed
            return record
        if record.end > MAX_LENGTH:
            problem = Problem(
                "length-overflow",
                "the record would end beyond 2**64",
                header.length_offset - size,
                expected=f"at most {MAX_LENGTH - record.body_offset} bytes",
                actual=f"{record.length} bytes",
            )
            raise Broken(Fault(level, record.finding(problem)))
        if bound is None:
            bound = source.size
        if source.size is None or bound is None or record.end > bound:
            record.available = self.available(record, level)
            return record
        record.available = needed
        if info.bulk and len(near) >= size + FIRST:
            record._first = bytes(near[size : size + min(FIRST, length)])
        return record

    def remember(self, record: Record) -> None:
        """Keep the body of a record that later ones depend on, if it can be decoded."""
        try:
            decoded = record.decoded
        except PluginError:  # reported where the record is decoded
            return
        if decoded is not None and decoded.body is not None:
            level = record.level
            level.remembered = {**level.remembered, record.type: decoded.body}

    def available(self, record: Record, level: OpenContainer) -> int:
        """Return how many bytes of body and padding the input has, up to what the record needs.

        A source that cannot seek gives them only now: later it may have been read further.
        """
        start = record.body_offset
        bound = self.source.size if level.bound is None else level.bound
        if bound is not None and (self.source.size is not None or record.end > bound):
            return max(0, min(record.end, bound) - start)
        if record.held:
            whole = self.source.at(record.offset, record.end - record.offset)
            bound = record.offset + len(whole)
            record._whole = whole[record.header_size :]
        else:
            record._first = bytes(self.source.at(start, min(FIRST, record.length)))
            try:
                head = record.head
            except PluginError:  # reported where the record is decoded
                head = 0
            kept = max(KEPT, head) if head <= min(record.length, self.cap) else KEPT
            record._kept = self.source.at(start, min(kept, record.length))
            if self.source.reaches(start + record.length):
                padding_raw = bytes(self.source.at(start + record.length, record.padding))
                record.padding_raw = padding_raw
                bound = start + record.length + len(padding_raw)
            else:
                bound = self.source.end()
        return max(0, min(record.end, bound) - start)

    def fail_truncated(self, record: Record, level: OpenContainer) -> None:
        """Raise `Broken` for a record that the input does not have whole."""
        rule, needed, have, offset = "truncated-body", record.length, record.available, 0
        if have >= record.length:
            rule, needed, have = "truncated-padding", record.padding, have - record.length
            offset = record.length
        problem = Problem(
            rule,
            CORE_RULES[rule].summary,
            offset,
            expected=f"{needed} bytes",
            actual=f"{have} bytes",
        )
        raise Broken(Fault(level, record.finding(problem)))

    def bytes(self, size: int, level: OpenContainer) -> memoryview:
        """Return up to `size` bytes at the offset, none of them beyond the container's bound."""
        if level.bound is not None:
            size = max(0, min(size, level.bound - self.offset))
        return self.source.at(self.offset, size)

    def fail(self, rule: str, message: str, level: OpenContainer, **details: Any) -> None:
        """Raise `Broken` for a problem at the offset."""
        raise Broken(
            Fault(level, make_finding(Problem(rule, message, **details), self.offset, level))
        )

    def fail_short(
        self, rule: str, needed: int, have: int, level: OpenContainer, message: str | None = None
    ) -> None:
        """Raise `Broken` where fewer bytes follow than the header or prologue needs."""
        message = message or CORE_RULES[rule].summary
        problem = Problem(rule, message, expected=f"{needed} bytes", actual=f"{have} bytes")
        record = None if level.header is None else level.count
        raise Broken(Fault(level, make_finding(problem, self.offset, level, record=record)))

    def unusable(
        self,
        error: DomctxError,
        level: OpenContainer,
        record: Record | None = None,
        expected: Any = None,
    ) -> Broken:
        """Return what to raise where the plugin that is needed cannot be used."""
        problem = unusable(error)
        if expected is not None:
            problem = problem._replace(expected=expected)
        finding = make_finding(problem, self.offset, level, record=record)
        return Broken(Fault(level, finding, needs_plugin=True))
