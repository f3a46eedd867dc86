"""Go from record to record of an image, and run the load handler of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, repeat
from typing import Any, TypeVar

from domctx_core.base.errors import PLUGIN_ERRORS, DomctxError, MisuseError
from domctx_core.engine.handlers import handler_error
from domctx_core.engine.load_context import EngineLoadContext
from domctx_core.engine.look_ahead import FARTHEST
from domctx_core.engine.runs import LEAST, find_run, validate_run
from domctx_core.engine.staging import StagedDomain
from domctx_core.layout.body import Body
from domctx_core.layout.columns.columns import Columns
from domctx_core.layout.columns.fixed_layout import FixedLayout, Frame
from domctx_core.model.record_type import LoadContext
from domctx_core.model.registry import Entry
from domctx_core.model.wire import HEADER_SIZE, MAX_LENGTH, byteorder_of, header_struct, padding

__all__ = ["RecordCursor"]

B = TypeVar("B", bound=Body)

Load = Callable[[Any, LoadContext], None]
"""A load handler."""


class RecordCursor:
    """The place of a load in its image: at one record, or at a run of equal ones.

    `context` is what the handlers get.
    """

    def __init__(self, context: EngineLoadContext) -> None:
        self.context = context
        self._image = context.image
        self._unpack = header_struct("little").unpack_from

    def first(self) -> bool:
        """Go to the first record; return whether it is START, which shows the byte order."""
        raw = self._read_header()
        byteorder = byteorder_of(raw)
        self.context.byteorder = byteorder or "little"
        self._unpack = header_struct(self.context.byteorder).unpack_from
        self._begin(raw)
        return byteorder is not None

    def advance(self) -> int:
        """Go to the next record; return its type code.

        Raises `ImageError` if the image ends instead, and for a length beyond all images.
        """
        image = self._image
        at = image.at
        context = self.context
        if len(image.window) - at < HEADER_SIZE:
            self._begin(self._read_header())
            return context.type
        context.type, context.instance, context.length = self._unpack(image.window, at)
        image.at = at + HEADER_SIZE
        context.offset = image.base + at
        context.record += 1
        context.body = context.entry = None
        context.state = "header"
        if context.length >> 62:
            self._check_length()
        return context.type

    def _read_header(self) -> bytes:
        """Take the next 16 bytes."""
        context = self.context
        context.entry = None
        raw = self._image.take(HEADER_SIZE)
        if len(raw) < HEADER_SIZE:
            context.offset = self._image.position
            context.record += 1
            rule = "truncated-header" if raw else "end-missing"
            error = context.truncated(rule, HEADER_SIZE, len(raw))
            error.type = error.instance = error.type_name = None
            raise error
        return raw

    def _begin(self, raw: bytes) -> None:
        """Make the record whose header was taken the present one."""
        context = self.context
        context.offset = self._image.position - HEADER_SIZE
        context.type, context.instance, context.length = self._unpack(raw)
        context.record += 1
        context.body = context.entry = None
        context.state = "header"
        self._check_length()

    def _check_length(self) -> None:
        context = self.context
        length, left = context.length, MAX_LENGTH - self._image.position
        if length + padding(length) > left:
            raise context.error(
                "length-overflow",
                "the record would end beyond 2**64",
                offset=context.offset + 8,
                expected=f"at most {left} bytes",
                actual=f"{length} bytes",
            )

    def run(self, entry: Entry, load: Load, domain: Any) -> None:
        """Run the load handler of the present record."""
        context = self.context
        context.entry = entry
        try:
            load(domain, context)
        except DomctxError as error:
            context.locate(error, in_handler=True)
            raise
        except PLUGIN_ERRORS as error:
            raise handler_error(entry, "load", error, context.instance) from error
        if context.state != "ended":
            raise self._unfinished(entry)

    def _unfinished(self, entry: Entry) -> MisuseError:
        context = self.context
        error = MisuseError(
            f"the load handler of {entry.name} did not "
            + ("begin its record" if context.state == "header" else "end its record")
        )
        error.locate(
            type=entry.code,
            type_name=entry.name,
            instance=context.instance,
            provider=entry.provider,
        )
        return error

    # ---------------------------------------------------------------------------------------- runs

    def find_run(self, layout: FixedLayout[B], frame: Frame) -> Columns[B] | None:
        """Return the run that begins with the present record; None if it may break a rule."""
        image, context = self._image, self.context
        start = image.at - HEADER_SIZE
        if not image.can_peek or start < 0 or layout.size > context.cap:
            return None
        if len(image.window) - start < LEAST * frame.stride:
            if image.final:
                return None
            image.at = start
            image.refill(FARTHEST)
            image.at = HEADER_SIZE
            start = 0
        run = find_run(image.window, start, layout, frame, context.byteorder)
        if run is None or not validate_run(run):
            return None
        context.run = run, context.offset, context.record
        return run

    def run_whole(
        self,
        entry: Entry,
        load_run: Callable[[Any, LoadContext, Columns[Any]], bool],
        domain: Any,
        run: Columns[Any],
    ) -> bool:
        """Run the batch form of a load handler with the run; return whether it took the run."""
        context = self.context
        context.entry = entry
        context.state = "ended"
        try:
            return load_run(domain, context, run)
        except DomctxError as error:
            index = None if error.instance is None else run.place_of(error.instance)
            if index is not None:
                context.turn_to(index)
            context.locate(error)
            raise
        except PLUGIN_ERRORS as error:
            raise handler_error(entry, "load", error, context.instance) from error

    def run_each(
        self, entry: Entry, load: Load, domain: StagedDomain, after: Callable[[], None] | None
    ) -> None:
        """Run the load handler of each record of the run, its body ready for `read`.

        `after` is called after each.
        """
        context = self.context
        assert context.run is not None
        run = context.run[0]
        context.entry, context.ready_for, context.asked = entry, entry.record_type, False
        self._run_some(entry, range(1), (None,), load, domain, after)
        bodies: Iterator[Any] = repeat(None)
        if context.asked:  # to decode bodies for a handler that takes bytes would be a waste
            bodies = iter(run)
            next(bodies)
        self._run_some(entry, range(1, len(run)), bodies, load, domain, after)
        context.ready_for = None

    def _run_some(
        self,
        entry: Entry,
        indices: range,
        bodies: Iterable[Any],
        load: Load,
        domain: StagedDomain,
        after: Callable[[], None] | None,
    ) -> None:
        """Run the load handler of some records of the run, whose bodies are ready if not None."""
        context, image = self.context, self._image
        assert context.run is not None
        run, first, record = context.run
        stride, to_body = run.frame.stride, HEADER_SIZE - image.base
        offset = first + indices.start * stride
        instances = islice(run.instances, indices.start, None)
        for index, instance, context.ready in zip(indices, instances, bodies, strict=False):
            image.at = offset + to_body
            context.instance = instance
            context.offset = offset
            context.record = record + index
            context.state, context.body = "header", None
            domain.position, domain.expected_instance = index, instance
            try:
                load(domain, context)
            except DomctxError as error:
                context.locate(error, in_handler=True)
                raise
            except PLUGIN_ERRORS as error:
                raise handler_error(entry, "load", error, instance) from error
            if context.state != "ended":
                raise self._unfinished(entry)
            if after is not None:
                after()
            offset += stride

    def end_run(self) -> None:
        """Go to the end of the run."""
        context = self.context
        assert context.run is not None
        context.turn_to(len(context.run[0]) - 1)
        (run, offset, _), context.run = context.run, None
        self._image.at = offset + len(run) * run.frame.stride - self._image.base
        context.state = "ended"
