"""The walker: an input of any known format as one flat sequence of events.

Containers nest: a libxl stream in an xl file, a libxc stream after a record of it, a domain
context in a record's body. The walker keeps an explicit stack of them, so that nothing an input
says can exhaust ours. It judges only the framing: what cannot be framed is a `Fault`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domctx_core.base.errors import (
    PLUGIN_ERRORS,
    DeclarationError,
    DomctxError,
    PluginError,
    describe,
)
from domctx_core.base.io import DEFAULT_CAP
from domctx_core.base.problems import Problem
from domctx_core.base.rules import CORE_RULES
from domctx_core.layout.kinds.base import ORDERS
from domctx_core.model.attributes import FIRST, Content
from domctx_core.model.format import HEAD_SIZE, Format, Framing
from domctx_core.model.formats import Formats
from domctx_core.model.wire import DOMAIN_CONTEXT, MAX_LENGTH, padding
from domctx_core.reader.events import Batcher, Closed, Event, Fault, Opened, Trailing
from domctx_core.reader.header import header_of
from domctx_core.reader.record import KEPT, OpenContainer, Record, make_finding, unusable
from domctx_core.reader.sources import Source

__all__ = ["MAX_DEPTH", "walk"]

NEAR = 256
"""Bytes that are read of a record at once, where more may be read than is asked for."""

MAX_DEPTH = 16
"""Containers inside containers that are gone into; no real input has more than five."""

_MOST_BEFORE = 64
"""Bodies before the first record of a container; no real format has more than three."""


def walk(
    source: Source,
    formats: Formats,
    *,
    format: Format | None = None,
    cap: int = DEFAULT_CAP,
    batcher: Batcher | None = None,
) -> Iterator[Event]:
    """Yield the events of `source`, in the order of its bytes.

    The format is recognised by the first bytes unless `format` says it; what no known format fits
    is read as a domain context. Bodies larger than `cap` bytes, and those of bulk types, are not
    held. Whatever is wrong with the bytes is a `Fault`. Records that a `batcher` takes are in a
    `Batch`; without one each record is an event.
    """
    recognised = True
    if format is None:
        format = formats.recognise(bytes(source.at(0, HEAD_SIZE)))
        if format is None:
            recognised, format = False, formats.get(DOMAIN_CONTEXT)
    return _Walker(source, formats, cap, recognised, batcher).run(format)


class _Broken(Exception):  # control flow inside this module
    """The framing ends here."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault


class _Walker:
    def __init__(
        self,
        source: Source,
        formats: Formats,
        cap: int,
        recognised: bool,
        batcher: Batcher | None,
    ) -> None:
        self.recognised = recognised
        self.batcher = batcher
        self.source = source
        self.formats = formats
        self.cap = cap
        self.at = 0
        self.stack: list[OpenContainer] = []

    def run(self, format: Format) -> Iterator[Event]:
        pending: Iterator[Event] = self.open(format, None, None)
        while True:
            try:
                yield from pending
                if not self.stack:
                    return
                pending = self.step(self.stack[-1])
            except _Broken as broken:
                yield broken.fault
                pending = self.drop()

    # ------------------------------------------------------------------------------ containers

    def open(self, format: Format, parent: Record | None, bound: int | None) -> Iterator[Event]:
        path = (*self.stack[-1].path, format.name) if self.stack else (format.name,)
        level = OpenContainer(
            format, self.formats.registry(format.name), path, self.at, bound, parent
        )
        if len(self.stack) >= MAX_DEPTH:
            self.fail("limit", f"containers are nested more than {MAX_DEPTH} deep", level)
        if bound is not None:
            assert parent is not None
            level.resume_at = parent.end
        self.stack.append(level)
        head = bytes(self.bytes(HEAD_SIZE, level))
        try:
            self.begin(format, level, head)
        except _Broken:
            self.at = level.offset
            if len(self.stack) > 1:  # no other container could own the bytes of the outermost one
                self.stack.pop()
            raise
        if self.recognised or level.parent is not None:
            yield Opened(level)
        else:
            yield Opened(
                level, recognised=False, untried=dict(self.formats.untried) if head else {}
            )

    def begin(self, format: Format, level: OpenContainer, head: bytes) -> None:
        """Read the prologue; whatever its format raises is the fault of the format's plugin."""
        try:
            self.prologue(format, level, head)
        except PluginError as error:
            raise self.unusable(error, level) from error
        except (_Broken, DomctxError):
            raise
        except PLUGIN_ERRORS as error:
            whose = f"{format.name} of {self.formats.provider(format.name)}"
            blamed = PluginError(f"the format {whose} raised {describe(error)} at its beginning")
            raise self.unusable(blamed, level) from error

    def prologue(self, format: Format, level: OpenContainer, head: bytes) -> None:
        """Read what comes before the first record, as the format says, and what that says."""
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
                self.short("truncated-header", length, len(raw), level, message)
            decoded = body_class.inspect(raw, byteorder)
            level.prologue_problems += [(self.at, problem) for problem in decoded.problems]
            if decoded.body is None:
                problem = decoded.problems[-1]
                at = self.at + (problem.offset or 0)
                raise _Broken(Fault(level, make_finding(problem, at, level)))
            level.prologue.append((self.at, decoded.body))
            self.at += length
        level.records_offset = self.at
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

    def close(self, level: OpenContainer) -> Iterator[Event]:
        """The level is at its end: report what follows it, and hand back to what holds it."""
        for name in tuple(level.suspended):
            yield self.abandon(level, name)
        self.stack.pop()
        start = self.at
        if level.format.opaque:
            self.at = self.source.end() if level.bound is None else level.bound
        rest, resume = self.at - start, self.at
        if level.bound is not None or not self.stack:
            # before the end is looked for: a stream has it once
            raw = bytes(self.bytes(KEPT, level))
            end = self.source.end() if level.bound is None else level.bound
            if end > self.at:
                yield Trailing(level, self.at, end - self.at, raw)
            resume = end if level.bound is None else level.resume_at
        yield Closed(level, start, rest)
        self.at = resume

    def drop(self) -> Iterator[Event]:
        """Close the containers whose framing has ended, the innermost first: the rest is its own.

        What lies in a body ends with the body: the container that holds the body goes on.
        """
        bounds = (level.bound for level in reversed(self.stack))
        end = next((bound for bound in bounds if bound is not None), self.source.size)
        rest = None if end is None else end - self.at
        while self.stack:
            level = self.stack.pop()
            yield Closed(level, self.at, rest, broken=True)
            if level.bound is not None:
                self.at = level.resume_at
                return
            rest = 0

    def step(self, level: OpenContainer) -> Iterator[Event]:
        """The next thing in the innermost container."""
        if level.format.header is None:
            if level.framing.follows is not None and not level.last:
                level.last = True
                yield from self.open(self.format(level.framing.follows, level), None, None)
            else:
                yield from self.close(level)
            return
        if level.last:
            yield from self.close(level)
            return
        last, batcher = level.format.last, self.batcher
        while True:
            record = self.record(level)
            info = record.type_info
            after = info.content
            if after is not None and after.optional and not self.formats.knows(str(after.format)):
                record.unopened, after = after.format, None
            yield record
            if info.remembered:
                self.remember(record)
            record._whole = None
            if record.available < record.length + record.padding:
                self.missing(record, level)
            if after is not None or info.suspends or record.type == last:
                break
            self.at = record.end
            if batcher is not None:
                for batch in batcher.after(record):
                    level.count += batch.count
                    self.at = batch.end
                    yield batch
        if after is not None and not after.inline:
            self.at = record.body_offset
            if record.length:
                yield from self.open_content(after, record)
                return
        self.at = record.end
        if record.type == level.format.last:
            level.last = True
        elif after is not None:
            yield from self.open_content(after, record)
        elif record.suspends and len(self.stack) > 1 and level.bound is None:
            yield from self.suspend(level)

    def suspend(self, level: OpenContainer) -> Iterator[Event]:
        """What holds the level goes on; the level may be resumed by one of its records."""
        self.stack.pop()
        outer, name = self.stack[-1], level.format.name
        if name in outer.suspended:
            yield self.abandon(outer, name)
        outer.suspended[name] = level, self.at
        yield Closed(level, self.at)

    def abandon(self, outer: OpenContainer, name: str) -> Fault:
        """A container was suspended, and nothing will resume it any more."""
        level, at = outer.suspended.pop(name)
        problem = Problem(
            "end-missing",
            f"the {level.format.title or name} is suspended here, and nothing resumes it",
            expected=f"a record of the {outer.format.title or outer.format.name} that resumes it",
            actual="none",
        )
        return Fault(level, make_finding(problem, at, level, record=level.count))

    def open_content(self, content: Content, record: Record) -> Iterator[Event]:
        if not content.inline:
            yield from self.open_body(content, record)
            return
        name = content.format
        if content.resumes:
            if name not in record.level.suspended:
                problem = Problem(
                    "not-suspended",
                    f"{record.name} resumes a container that is not suspended",
                    expected=f"a {name} container that was suspended before",
                    actual="none",
                )
                yield Fault(record.level, record.finding(problem))
                return
            level, _ = record.level.suspended.pop(name)
            self.stack.append(level)
            level.parent = record
            yield Opened(level, resumed=True)
            return
        if name is None:
            found = self.formats.recognise(bytes(self.source.at(self.at, HEAD_SIZE)))
            if found is not None:
                yield from self.open(found, record, None)
            return
        yield from self.open(self.format(name, record.level, record), record, None)

    def open_body(self, content: Content, record: Record) -> Iterator[Event]:
        """Go into a body that is a container; where that cannot be, go on after the record."""
        bound = record.body_offset + record.length
        try:
            if record._kept is not None:
                problem = Problem(
                    "length-over-cap",
                    f"{record.name} holds another format, and the body has passed by unread",
                    expected=f"at most {record.cap} bytes",
                    actual=f"{record.length} bytes",
                )
                raise _Broken(Fault(record.level, record.finding(problem)))
            if content.format is None:
                size = min(HEAD_SIZE, record.length)
                found = self.formats.recognise(bytes(self.source.at(self.at, size)))
            else:
                found = self.format(content.format, record.level, record)
            if found is not None:
                yield from self.open(found, record, bound)
                return
        except _Broken as broken:
            if self.stack[-1] is not record.level:
                raise
            yield broken.fault
        self.at = record.end

    def format(self, name: str, level: OpenContainer, record: Record | None = None) -> Format:
        """The format of that name, which `record` holds or announces."""
        try:
            return self.formats.get(name)
        except DomctxError as error:
            raise self.unusable(error, level, record, f"the format {name}") from error

    def unusable(
        self,
        error: DomctxError,
        level: OpenContainer,
        record: Record | None = None,
        expected: Any = None,
    ) -> _Broken:
        """The end of the framing for want of a plugin that can be used."""
        problem = unusable(error)
        if expected is not None:
            problem = problem._replace(expected=expected)
        finding = make_finding(problem, self.at, level, record=record)
        return _Broken(Fault(level, finding, needs_plugin=True))

    # --------------------------------------------------------------------------------- records

    def record(self, level: OpenContainer) -> Record:
        header, at, source = level.header, self.at, self.source
        assert header is not None
        size, bound = header.size, level.bound
        wanted = size if source.size is None else NEAR
        near = source.at(at, wanted) if bound is None else self.bytes(wanted, level)
        if len(near) < size:
            if not near and not at:
                self.fail("end-missing", "the input is empty", level, expected=f"{size} bytes")
            self.short("truncated-header" if near else "end-missing", size, len(near), level)
        type, instance, length = header.read(near)
        info = level.type_infos.get(type) or level.type_info(type)
        filling = padding(length, level.format.alignment)
        record = Record(level, at, type, instance, length, size, filling, info, source, self.cap)
        level.count += 1
        info.met += 1
        needed = length + filling
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
            raise _Broken(Fault(level, record.finding(problem)))
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
        except PluginError:  # told where the record is decoded
            return
        if decoded is not None and decoded.body is not None:
            level = record.level
            level.remembered = {**level.remembered, record.type: decoded.body}

    def available(self, record: Record, level: OpenContainer) -> int:
        """Bytes of body and padding that there are, up to what the record needs.

        Of a source that cannot seek, they are looked at here: whoever asks for them later may have
        looked at what follows.
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
            except PluginError:  # told where the record is decoded
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

    def missing(self, record: Record, level: OpenContainer) -> None:
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
        raise _Broken(Fault(level, record.finding(problem)))

    # ---------------------------------------------------------------------------------- helpers

    def bytes(self, size: int, level: OpenContainer) -> memoryview:
        if level.bound is not None:
            size = max(0, min(size, level.bound - self.at))
        return self.source.at(self.at, size)

    def fail(self, rule: str, message: str, level: OpenContainer, **details: Any) -> None:
        raise _Broken(Fault(level, make_finding(Problem(rule, message, **details), self.at, level)))

    def short(
        self, rule: str, needed: int, have: int, level: OpenContainer, message: str | None = None
    ) -> None:
        message = message or CORE_RULES[rule].summary
        problem = Problem(rule, message, expected=f"{needed} bytes", actual=f"{have} bytes")
        record = None if level.header is None else level.count
        raise _Broken(Fault(level, make_finding(problem, self.at, level, record=record)))
