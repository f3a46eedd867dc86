"""What a record type's `load` is given: one load's hold on its image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, repeat
from typing import Any, NamedTuple, TypeVar, cast

from domctx_core.base.errors import BodyError, DomctxError, Errno, ImageError, MisuseError
from domctx_core.base.io import DEFAULT_CAP
from domctx_core.base.problems import Problem, Rule, Severity
from domctx_core.base.rules import CORE_RULES
from domctx_core.base.xen_version import XenVersion
from domctx_core.engine.runs import LEAST, find_run, validate_run
from domctx_core.engine.staging import StagedDomain
from domctx_core.layout.body import Body
from domctx_core.layout.columns.columns import Columns, Frame
from domctx_core.layout.columns.fixed_layout import RowLayout
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.ops import Extent, LoadOps
from domctx_core.model.overrides import prefers_batch
from domctx_core.model.record_type import LoadContext, RecordType, body_class
from domctx_core.model.registry import Entry
from domctx_core.model.wire import (
    ALIGNMENT,
    HEADER_SIZE,
    MAX_LENGTH,
    header_struct,
    padding,
    unpack_header,
)

__all__ = ["EngineLoadContext"]

B = TypeVar("B", bound=Body)

_AHEAD = 4096
"""Bytes that are looked at ahead at first; each further look takes twice as many."""

_FARTHEST = 512 * 1024
"""Bytes that are looked at ahead at most."""

_ZEROS = bytes(ALIGNMENT)

_END = 0


class _Plain(NamedTuple):
    """What plain records of a type are: the class of their bodies, the length of these (None: it
    is not fixed), the padding after it, and whether `judge` has a say."""

    record_type: RecordType[Any]
    body: type[Any]
    length: int | None
    padding: int
    judged: bool


def _plain(record_type: RecordType[Any], cap: int) -> _Plain:
    length = record_type.body.fixed_size()
    if record_type.depends or record_type.remembered or (length is not None and length > cap):
        length = None
    judged = getattr(record_type.judge, "__func__", None) is not RecordType.judge
    return _Plain(record_type, record_type.body, length, padding(length or 0), judged)


class EngineLoadContext(LoadContext):
    """One load: handlers take their records through it.

    `type`, `instance` and `length` are the present record's; `receiver` is the Xen that the image
    must not be newer than (None: any will do). `rules` are those that checks bring beside the core's.
    """

    def __init__(
        self,
        ops: LoadOps,
        *,
        byteorder: ByteOrder,
        receiver: XenVersion | None,
        cap: int = DEFAULT_CAP,
        rules: Iterable[Rule] = (),
    ) -> None:
        self.byteorder = byteorder
        self.receiver = receiver
        self._rules = CORE_RULES | {rule.id: rule for rule in rules}
        self.type = self.instance = self.length = 0
        self.record = -1
        self.offset = 0
        self.body: Body | None = None
        self._ops = ops
        self._cap = cap
        self._peeks = prefers_batch(type(ops), "peek", "read", "skip")
        #: What was looked at ahead: `_at` bytes of it are taken, and `_base` of the image before it.
        self._window = b""
        self._base = self._at = 0
        self._ahead = _AHEAD
        self._final = False
        #: Whether the window was read and not peeked at, so that the ops stand behind it.
        self._taken = False
        self._reads_on = False
        self._header = header_struct(byteorder)
        self._consumed = 0
        self._state = "ended"
        self._entry: Entry | None = None
        #: A run whose records are taken now, where it is in the image, and its first's number.
        self._run: tuple[Columns[Any], int, int] | None = None
        #: The present record's body, where it is made already, the type that may have it, and whether
        #: the handler of that type has asked for one.
        self._ready: Any = None
        self._ready_for: RecordType[Any] | None = None
        self._asked = False
        self._plain: dict[int, _Plain] = {}
        self._remembered: dict[int, Body] = {}

    # ----------------------------------------------------------------------- for load handlers

    def begin(self, code: int) -> int:
        """Begin taking the record; `code` is the handler's own. Gives the instance."""
        if code != self.type:
            raise MisuseError(
                "a load handler begins a record of another type",
                expected=self.type,
                actual=code,
                errno=Errno.EINVAL,
            )
        if self._state != "header":
            raise MisuseError("a load handler begins its record twice")
        self._state = "open"
        self._consumed = 0
        self.body = self._ready = None
        return self.instance

    def data(self, size: int) -> bytes:
        """The next `size` bytes of the body; ENODATA where the record has fewer."""
        at, taken = self._at, self._consumed + size
        end = at + size
        if (
            self._consumed <= taken <= self.length
            and end <= len(self._window)
            and size <= self._cap
            and self._state == "open"
        ):
            self._consumed, self._at = taken, end
            return self._window[at:end]
        self._take(size)
        self._require(size, "truncated-body")
        if size > self._cap:
            raise self._error(
                "length-over-cap",
                f"{size} bytes of one body would have to be held",
                expected=f"at most {self._cap} bytes",
                actual=f"{size} bytes",
            )
        last = self._consumed == self.length
        return self._read(size, "truncated-body", self._following() if last else 0)

    def sink(self, size: int) -> None:
        """Pass over `size` bytes of the body without looking at them."""
        self._take(size)
        self._skip(size)

    def rest(self) -> bytes:
        """All of the body that was not taken yet."""
        return self.data(self.length - self._consumed)

    def extent(self, size: int | None = None) -> Extent:
        """The next `size` bytes (None: the rest) as a place to read from later, not held."""
        size = self.length - self._consumed if size is None else size
        self._take(size)
        if self._run is not None:  # whose records are at hand, and have to stay there
            raw = self._window[self._at : self._at + size]
            self._at += size
            return Extent(lambda at, count: raw[at : at + count], 0, len(raw))
        self._sync()
        self._require(size, "truncated-body")
        extent = self._ops.extent(size)
        if len(extent) < size:
            raise self._truncated("truncated-body", size, len(extent))
        self._base += size
        return extent

    def end(self, ignore_rest: bool = False) -> None:
        """End taking the record: nothing may be left of the body, and padding must be zero."""
        if self._state != "open":
            raise MisuseError("a load handler ends a record that it did not begin")
        left = self.length - self._consumed
        if not left and not self.length % ALIGNMENT:
            self._state = "ended"
            return
        if left and not ignore_rest:
            raise self._error(
                "body-not-consumed",
                f"{left} bytes of the body are left over",
                offset=self.offset + HEADER_SIZE + self._consumed,
                expected=f"{self._consumed} bytes",
                actual=f"{self.length} bytes",
            )
        self._skip(left)
        pad = self._read(padding(self.length), "truncated-padding")
        if pad.strip(b"\0"):
            at = len(pad) - len(pad.lstrip(b"\0"))
            raise self._error(
                "padding-not-zero",
                "the padding after the body is not zero",
                offset=self._position - len(pad) + at,
                expected="00" * len(pad),
                actual=pad.hex(),
            )
        self._state = "ended"

    def read(self, record_type: RecordType[B]) -> tuple[int, B]:
        """Take a whole record: the one-shot form. Gives its instance and its decoded body.

        Raises `ImageError` for the first thing that is wrong with it.
        """
        if record_type is self._ready_for:
            body: B | None = self._ready
            if body is not None:
                self.body, self._ready = body, None
                self._state = "ended"
                return self.instance, body
            self._asked = True
        made = self._plainly(record_type)
        if made is not None:
            return self.instance, made
        instance = self.begin(record_type.code)
        # a class attribute cannot say of which body it is the class
        kind = cast("type[B]", body_class(record_type, self._remembered))
        fixed = kind.fixed_size()
        size = self.length
        if fixed is not None and size > fixed:
            if not record_type.ignore_rest:
                raise self._error(
                    "body-not-consumed",
                    f"{size - fixed} bytes of the body are left over",
                    offset=self.offset + HEADER_SIZE + fixed,
                    expected=f"{fixed} bytes",
                    actual=f"{size} bytes",
                )
            size = fixed
        decoded = kind.inspect(self.data(size), self.byteorder)
        for problem in decoded.problems:
            if not (record_type.ignore_rest and problem.rule == "body-not-consumed"):
                self.refuse(problem)
        assert decoded.body is not None
        for problem in record_type.judge(instance, decoded.body, self.receiver):
            self.refuse(problem)
        self.end(record_type.ignore_rest)
        self.body = decoded.body
        if record_type.remembered:
            self._remembered[record_type.code] = decoded.body
        return instance, decoded.body

    def _plainly(self, record_type: RecordType[B]) -> B | None:
        """Take a whole record that is at hand and of which nothing at all is to be said; None where
        that is not so, and then nothing is taken."""
        known = self._plain.get(id(record_type))
        if known is None or known[0] is not record_type:
            known = self._plain[id(record_type)] = _plain(record_type, self._cap)
        _, kind, length, pad, judged = known
        if self.length != length or self._state != "header" or record_type.code != self.type:
            return None
        if self._at + length + pad > len(self._window):
            if self._peeks or not self._reads_on:
                return None
            self._hold(length + self._following())
        at, window = self._at, self._window
        end = at + length
        if end + pad > len(window):
            return None
        made, problems, _ = kind.inspect(window[at:end], self.byteorder)
        body: B = made
        if problems or (pad and window[end : end + pad] != _ZEROS[:pad]):
            return None
        if judged and any(True for _ in record_type.judge(self.instance, body, self.receiver)):
            return None
        self._at = end + pad
        self._state = "ended"
        self.body = body
        return body

    def refuse(self, problem: Problem) -> None:
        """Refuse the image because of a problem in the present body, if it is an error."""
        rule = self._rules.get(problem.rule)
        severity = problem.severity or (rule.severity if rule else Severity.ERROR)
        if severity is not Severity.ERROR:
            return
        at = self.offset
        if problem.offset is not None:
            at += HEADER_SIZE + problem.offset
        raise self._error(
            problem.rule,
            problem.message,
            offset=at,
            errno=problem.errno,
            field=problem.field,
            expected=problem.expected,
            actual=problem.actual,
        )

    # ------------------------------------------------------------------------------ for the engine

    @property
    def consumed(self) -> int:
        """Bytes of the image taken so far."""
        return self._base + self._at

    def read_on(self) -> None:
        """From now on the header after a record may be read with it, if it cannot be looked at.

        Not for a load that acts on each record as it comes: that is not to wait for the next one.
        """
        self._reads_on = self._peeks

    def advance(self) -> int:
        """Go on to the next record, whose header is in the image's byte order; gives its type."""
        at = self._at
        if len(self._window) - at < HEADER_SIZE:
            raw = self.read_header()
            self.next_header(raw, *unpack_header(raw, self.byteorder))
            return self.type
        self.type, self.instance, self.length = self._header.unpack_from(self._window, at)
        self._at = at + HEADER_SIZE
        self.offset = self._base + at
        if self.length >> 62:
            self._begin_record()
            return self.type
        self.record += 1
        self.body = None
        self._state = "header"
        self._entry = None
        return self.type

    def finish(self) -> None:
        """The image has been taken: let the ops stand where it ends."""
        self._sync()

    def look_ahead(self, layout: RowLayout[B], frame: Frame) -> Columns[B] | None:
        """The run that the present record begins, where nothing in it breaks a rule."""
        start = self._at - HEADER_SIZE
        if not self._peeks or start < 0 or layout.size > self._cap:
            return None
        if len(self._window) - start < LEAST * frame.stride:
            if self._final:
                return None
            self._at = start
            self._fill(_FARTHEST)
            self._at = HEADER_SIZE
            start = 0
        run = find_run(self._window, start, layout, frame, self.byteorder)
        if run is None or not validate_run(run):
            return None
        self._run = run, self.offset, self.record
        return run

    def turn_to(self, index: int) -> None:
        """Make a record of the run that is being taken the present one: `error` and `refuse` are
        then about it."""
        if self._run is None:
            raise MisuseError("there is no run, so that there is nothing to turn to")
        run, offset, record = self._run
        self.offset = offset + index * run.frame.stride
        self.record = record + index
        self.instance = run.instances[index]

    def run_each(
        self,
        entry: Entry,
        load: Callable[[Any, LoadContext], None],
        domain: StagedDomain,
        after: Callable[[], None] | None,
    ) -> None:
        """Run the load handler of each record of the run, with its body ready for `read`; `after`
        is called when it has been taken."""
        assert self._run is not None
        run = self._run[0]
        self._entry, self._ready_for, self._asked = entry, entry.record_type, False
        self._take_each(range(1), (None,), load, domain, after)
        bodies: Iterator[Any] = repeat(None)
        if self._asked:  # to make bodies for a handler that takes bytes would be a waste
            bodies = iter(run)
            next(bodies)
        self._take_each(range(1, len(run)), bodies, load, domain, after)
        self._ready_for = None

    def _take_each(
        self,
        places: range,
        bodies: Iterable[Any],
        load: Callable[[Any, LoadContext], None],
        domain: StagedDomain,
        after: Callable[[], None] | None,
    ) -> None:
        """Run the load handler of some of the run's records, whose bodies are ready if not None."""
        assert self._run is not None
        run, first, record = self._run
        stride, to_body = run.frame.stride, HEADER_SIZE - self._base
        offset = first + places.start * stride
        instances = islice(run.instances, places.start, None)
        for place, self.instance, self._ready in zip(places, instances, bodies, strict=False):
            self._at = offset + to_body
            self.offset = offset
            self.record = record + place
            self._state, self.body = "header", None
            domain.position, domain.expected_instance = place, self.instance
            try:
                load(domain, self)
            except DomctxError as error:
                self._locate_all(error)
                raise
            if self._state != "ended":
                assert self._entry is not None
                raise self._unfinished(self._entry)
            if after is not None:
                after()
            offset += stride

    def run_whole(
        self,
        entry: Entry,
        load_run: Callable[[Any, LoadContext, Columns[Any]], bool],
        domain: Any,
        run: Columns[Any],
    ) -> bool:
        """Run the load handler of the whole run, or of the first part of it, which is `run`."""
        self._entry = entry
        self._state = "ended"
        try:
            return load_run(domain, self, run)
        except DomctxError as error:
            place = None if error.instance is None else run.place_of(error.instance)
            if place is not None:
                self.turn_to(place)
            self._locate(error)
            raise

    def end_run(self) -> None:
        """The run is taken as a whole."""
        assert self._run is not None
        self.turn_to(len(self._run[0]) - 1)
        (run, offset, _), self._run = self._run, None
        self._at = offset + len(run) * run.frame.stride - self._base
        self._state = "ended"

    def next_header(self, raw: bytes, type: int, instance: int, length: int) -> None:
        """A header was read: this is the present record from now on."""
        self.offset = self._position - len(raw)
        self._header = header_struct(self.byteorder)
        self.type, self.instance, self.length = type, instance, length
        self._begin_record()

    def _begin_record(self) -> None:
        self.record += 1
        self.body = None
        self._state = "header"
        self._entry = None
        length = self.length
        if length >> 62 and self._position + length + padding(length) > MAX_LENGTH:
            raise self._error(
                "length-overflow",
                "the record would end beyond 2**64",
                offset=self.offset + 8,
                expected=f"at most {MAX_LENGTH - self._position} bytes",
                actual=f"{length} bytes",
            )

    def run(self, entry: Entry, load: Callable[[Any, LoadContext], None], domain: Any) -> None:
        """Run the load handler of the present record."""
        self._entry = entry
        try:
            load(domain, self)
        except DomctxError as error:
            self._locate_all(error)
            raise
        if self._state != "ended":
            raise self._unfinished(entry)

    def read_header(self) -> bytes:
        """The next 16 bytes; ENODATA where the input ends, `end-missing` where it ends before."""
        self._entry = None
        raw = self._bytes(HEADER_SIZE)
        if len(raw) < HEADER_SIZE:
            self.offset = self._position
            self.record += 1
            rule = "truncated-header" if raw else "end-missing"
            error = self._truncated(rule, HEADER_SIZE, len(raw))
            error.type = error.instance = error.type_name = None
            raise error
        return raw

    def error(self, rule: str, message: str, **details: Any) -> ImageError:
        """An error about the present record as a whole."""
        return self._error(rule, message, **details)

    # --------------------------------------------------------------------------------------- inner

    def _take(self, size: int) -> None:
        if self._state != "open":
            raise MisuseError("a load handler takes data outside of its record")
        if size < 0:
            raise MisuseError("a load handler takes a negative number of bytes", actual=size)
        left = self.length - self._consumed
        if size > left:
            raise self._error(
                "body-too-short",
                "the body is shorter than its record type needs",
                offset=self.offset + HEADER_SIZE + self._consumed,
                expected=f"{size} bytes",
                actual=f"{left} bytes",
            )
        self._consumed += size

    def _require(self, size: int, rule: str) -> None:
        """Refuse a claim that the input cannot keep before anything is read or allocated."""
        if self._at + size <= len(self._window):
            return
        left = self._ops.remaining()
        if left is not None:
            left += len(self._window) - self._at if self._taken else -self._at
            if left < size:
                raise self._truncated(rule, size, left)

    def _read(self, size: int, rule: str, more: int = 0) -> bytes:
        if not size:
            return b""
        self._require(size, rule)
        raw = self._bytes(size, more)
        if len(raw) < size:
            raise self._truncated(rule, size, len(raw))
        return raw

    def _skip(self, size: int) -> None:
        if self._at + size <= len(self._window):
            self._at += size
            return
        self._sync()
        held = len(self._window)
        done = held + self._ops.skip(size - held)
        if done < size:
            raise self._truncated("truncated-body", size, done)
        self._window = b""
        self._base += size

    @property
    def _position(self) -> int:
        """Bytes of the image taken so far."""
        return self._base + self._at

    def _bytes(self, size: int, more: int = 0) -> bytes:
        """Take the next bytes; where there are fewer than `size`, give those and take none.

        `more` bytes are known to follow, and may be read with them.
        """
        if self._at + size > len(self._window):
            self._sync()
            if self._peeks and size <= _FARTHEST:
                self._fill(max(size, self._ahead))
                self._ahead = min(2 * self._ahead, _FARTHEST)
            if size > len(self._window):
                held = self._window if self._taken else b""
                raw = held + self._ops.read(size + more - len(held))
                self._window, self._taken = raw, True
                if len(raw) < size:
                    return raw
        at = self._at
        self._at = at + size
        return self._window[at : at + size]

    def _hold(self, size: int) -> None:
        """Have the next bytes in the window, or as many as there are."""
        self._sync()
        if self._ops.remaining() is None and size <= _FARTHEST:
            held = self._window if self._taken else b""
            self._window, self._taken = held + self._ops.read(size - len(held)), True

    def _following(self) -> int:
        """Bytes that are sure to follow the present body in a sound image: padding, a header.

        They are read with it where nothing can be looked at ahead, in one call instead of three.
        """
        if not self._reads_on or self.type == _END or self.length > _FARTHEST:
            return 0
        return padding(self.length) + HEADER_SIZE

    def _fill(self, size: int) -> None:
        """Look ahead anew, from where the taking stands."""
        self._sync()
        if self._window:
            return
        self._window, self._taken = self._ops.peek(size), False
        self._peeks = bool(self._window)
        self._final = len(self._window) < size

    def _sync(self) -> None:
        """Let the ops stand where the taking stands, and forget what was looked at ahead."""
        self._base += self._at
        if self._taken:
            self._window = self._window[self._at :]
        else:
            if self._at:
                self._ops.skip(self._at)
            self._window = b""
        self._at = 0

    def _truncated(self, rule: str, needed: int, available: int) -> ImageError:
        return self._error(
            rule,
            CORE_RULES[rule].summary,
            offset=self._position,
            expected=f"{needed} bytes",
            actual=f"{available} bytes",
        )

    def _error(
        self, rule: str, message: str, *, errno: Errno | None = None, **details: Any
    ) -> ImageError:
        if self._entry is not None:
            rule = self._entry.record_type.rules.get(rule, rule)
        known = self._rules.get(rule)
        details.setdefault("offset", self.offset)
        error = ImageError(
            message,
            rule=rule,
            errno=errno or (known.errno if known else None) or Errno.EINVAL,
            **details,
        )
        self._locate(error)
        return error

    def _unfinished(self, entry: Entry) -> MisuseError:
        error = MisuseError(
            f"the load handler of {entry.name} did not "
            + ("begin its record" if self._state == "header" else "end its record")
        )
        error.locate(
            type=entry.code, type_name=entry.name, instance=self.instance, provider=entry.provider
        )
        return error

    def _locate_all(self, error: DomctxError) -> None:
        """Say in an error of a load handler which record it is about, and where in the image."""
        if isinstance(error, BodyError) and error.offset is not None:
            error.offset += self.offset + HEADER_SIZE
        self._locate(error)

    def _locate(self, error: DomctxError) -> None:
        entry = self._entry
        error.locate(
            record=self.record,
            type=self.type,
            instance=self.instance,
            offset=self.offset,
            type_name=None if entry is None else entry.name,
            provider=None if entry is None else entry.provider,
        )
