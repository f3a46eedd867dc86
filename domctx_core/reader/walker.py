"""The walker: an input of any known format as one flat sequence of events.

Containers nest: a libxl stream in an xl file, a libxc stream after a record of it, a domain
context in a record's body. The walker keeps them on a stack of its own, so that no input can exhaust
the interpreter's. It judges the framing alone: what cannot be framed is a `Fault`.
"""

from __future__ import annotations

from collections.abc import Iterator

from domctx_core.base.errors import PLUGIN_ERRORS, DomctxError, PluginError, describe
from domctx_core.base.io import DEFAULT_CAP
from domctx_core.base.problems import Problem
from domctx_core.model.attributes import Content
from domctx_core.model.format import HEAD_SIZE, Format
from domctx_core.model.formats import Formats
from domctx_core.model.wire import DOMAIN_CONTEXT
from domctx_core.reader.events import Batcher, Closed, Event, Fault, Opened, Trailing
from domctx_core.reader.framing import Broken, FrameReader
from domctx_core.reader.record import KEPT, OpenContainer, Record, make_finding
from domctx_core.reader.sources import Source

__all__ = ["MAX_DEPTH", "walk"]

MAX_DEPTH = 16
"""Containers inside containers that are gone into; no real input has more than five."""


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


class _Walker(FrameReader):
    """Yields the events of one input; `stack` are the open containers, from the outside in."""

    def __init__(
        self,
        source: Source,
        formats: Formats,
        cap: int,
        recognised: bool,
        batcher: Batcher | None,
    ) -> None:
        super().__init__(source, cap)
        self.formats = formats
        self.recognised = recognised
        self.batcher = batcher
        self.stack: list[OpenContainer] = []

    def run(self, format: Format) -> Iterator[Event]:
        pending: Iterator[Event] = self.open(format, None, None)
        while True:
            try:
                yield from pending
                if not self.stack:
                    return
                pending = self.step(self.stack[-1])
            except Broken as broken:
                yield broken.fault
                pending = self.drop()

    def open(self, format: Format, parent: Record | None, bound: int | None) -> Iterator[Event]:
        """Read the prologue of a container that `parent` holds or announces, and go into it."""
        path = (*self.stack[-1].path, format.name) if self.stack else (format.name,)
        level = OpenContainer(
            format, self.formats.registry(format.name), path, self.offset, bound, parent
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
        except Broken:
            self.offset = level.offset
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
        """Read the prologue, and blame the plugin of the format for what the format raises."""
        try:
            self.read_prologue(format, level, head)
        except PluginError as error:
            raise self.unusable(error, level) from error
        except (Broken, DomctxError):
            raise
        except PLUGIN_ERRORS as error:
            whose = f"{format.name} of {self.formats.provider(format.name)}"
            blamed = PluginError(f"the format {whose} raised {describe(error)} at its beginning")
            raise self.unusable(blamed, level) from error

    def close(self, level: OpenContainer) -> Iterator[Event]:
        """End a container: report what follows it, and go on in the one that holds it."""
        for name in tuple(level.suspended):
            yield self.abandon(level, name)
        self.stack.pop()
        start = self.offset
        if level.format.opaque:
            self.offset = self.source.end() if level.bound is None else level.bound
        rest, resume = self.offset - start, self.offset
        if level.bound is not None or not self.stack:
            # before the end is looked for, since a stream gives these bytes only once
            raw = bytes(self.bytes(KEPT, level))
            end = self.source.end() if level.bound is None else level.bound
            if end > self.offset:
                yield Trailing(level, self.offset, end - self.offset, raw)
            resume = end if level.bound is None else level.resume_at
        yield Closed(level, start, rest)
        self.offset = resume

    def drop(self) -> Iterator[Event]:
        """Close the containers whose framing has ended, the innermost first: the rest is its own.

        What lies in a body ends with the body: the container that holds the body goes on.
        """
        bounds = (level.bound for level in reversed(self.stack))
        end = next((bound for bound in bounds if bound is not None), self.source.size)
        rest = None if end is None else end - self.offset
        while self.stack:
            level = self.stack.pop()
            yield Closed(level, self.offset, rest, broken=True)
            if level.bound is not None:
                self.offset = level.resume_at
                return
            rest = 0

    def step(self, level: OpenContainer) -> Iterator[Event]:
        """Yield what is next in the innermost container, up to where another one begins or it ends."""
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
            record = self.read_record(level)
            info = record.type_info
            content = info.content
            if content and content.optional and not self.formats.knows(str(content.format)):
                record.unopened, content = content.format, None
            yield record
            if info.remembered:
                self.remember(record)
            record._whole = None
            if record.available < record.length + record.padding:
                self.fail_truncated(record, level)
            if content is not None or info.suspends or record.type == last:
                break
            self.offset = record.end
            if batcher is not None:
                for batch in batcher.after(record):
                    level.count += batch.count
                    self.offset = batch.end
                    yield batch
        if content is not None and not content.inline and record.length:
            self.offset = record.body_offset
            yield from self.open_body(content, record)
            return
        self.offset = record.end
        if record.type == level.format.last:
            level.last = True
        elif content is not None:
            yield from (self.open_inline if content.inline else self.open_body)(content, record)
        elif record.suspends and len(self.stack) > 1 and level.bound is None:
            yield from self.suspend(level)

    def suspend(self, level: OpenContainer) -> Iterator[Event]:
        """Leave a container that a record of the one around it may resume."""
        self.stack.pop()
        outer, name = self.stack[-1], level.format.name
        if name in outer.suspended:
            yield self.abandon(outer, name)
        outer.suspended[name] = level, self.offset
        yield Closed(level, self.offset)

    def abandon(self, outer: OpenContainer, name: str) -> Fault:
        """Return the fault of a suspended container that nothing can resume any more."""
        level, offset = outer.suspended.pop(name)
        problem = Problem(
            "end-missing",
            f"the {level.format.title or name} is suspended here, and nothing resumes it",
            expected=f"a record of the {outer.format.title or outer.format.name} that resumes it",
            actual="none",
        )
        return Fault(level, make_finding(problem, offset, level, record=level.count))

    def open_inline(self, content: Content, record: Record) -> Iterator[Event]:
        """Open or resume the container that follows a record."""
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
            format = self.formats.recognise(bytes(self.source.at(self.offset, HEAD_SIZE)))
            if format is not None:
                yield from self.open(format, record, None)
            return
        yield from self.open(self.format(name, record.level, record), record, None)

    def open_body(self, content: Content, record: Record) -> Iterator[Event]:
        """Open the container that a body is; go on after the record where that cannot be done."""
        bound = record.body_offset + record.length
        try:
            if record._kept is not None:
                problem = Problem(
                    "length-over-cap",
                    f"{record.name} holds another format, and the body has passed by unread",
                    expected=f"at most {record.cap} bytes",
                    actual=f"{record.length} bytes",
                )
                raise Broken(Fault(record.level, record.finding(problem)))
            if content.format is None:
                size = min(HEAD_SIZE, record.length)
                format = self.formats.recognise(bytes(self.source.at(self.offset, size)))
            else:
                format = self.format(content.format, record.level, record)
            if format is not None:
                yield from self.open(format, record, bound)
                return
        except Broken as broken:
            yield broken.fault
        self.offset = record.end

    def format(self, name: str, level: OpenContainer, record: Record | None = None) -> Format:
        """Return the format of a name; raise `Broken` where no plugin for it can be used."""
        try:
            return self.formats.get(name)
        except DomctxError as error:
            raise self.unusable(error, level, record, f"the format {name}") from error
