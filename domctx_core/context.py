"""What a record type's `save` and `load` are given: one operation's hold on its image.

All the state of an operation is here or in the caller's ops; nothing is shared between two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from domctx_core.domains import XenVersion
from domctx_core.errors import BodyError, DomctxError, Errno, ImageError, MisuseError
from domctx_core.layout import Body, ByteOrder
from domctx_core.observers import RecordEvent, Watch
from domctx_core.ops import DEFAULT_CAP, Extent, LoadOps, SaveOps
from domctx_core.records import RecordType
from domctx_core.registry import Entry
from domctx_core.rules import CORE_RULES, Problem, Rule, Severity
from domctx_core.wire import HEADER_SIZE, MAX_LENGTH, padding

__all__ = ["Duplicates", "LoadContext", "SaveContext"]

B = TypeVar("B", bound=Body)


class SaveContext:
    """One save: handlers write their records through it.

    `dry_run` says that only lengths count; `xen_version` is what START will say.
    """

    def __init__(
        self,
        ops: SaveOps,
        *,
        dry_run: bool,
        xen_version: XenVersion | None,
        cap: int = DEFAULT_CAP,
        measure: Callable[[Entry, int], int] | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.dry_run = dry_run
        self.xen_version = xen_version
        self.records = 0
        self._ops = ops
        self._cap = cap
        self._measure = measure
        self._watch = watch
        self._position = 0
        self._entry: Entry | None = None
        self._ordinal = 0
        self._instance: int | None = None
        self._length = 0
        self._promised: int | None = None
        self._held: bytearray | None = None
        self._duplicates = Duplicates()

    @property
    def byteorder(self) -> ByteOrder:
        """The byte order of the image that is written."""
        return self._ops.byteorder

    @property
    def instance(self) -> int | None:
        """The instance of the record that is open, None between records."""
        return self._instance

    def begin(self, code: int, instance: int, length: int | None = None) -> None:
        """Begin a record. `length`, where it is known, saves buffering on a pipe."""
        entry = self._entry
        if entry is None:
            raise MisuseError("a record is begun outside of a save handler")
        if self._instance is not None:
            raise MisuseError(
                f"{entry.name}[{instance}] is begun before {entry.name}[{self._instance}] is ended"
            )
        if code != entry.code:
            raise MisuseError(
                f"the save handler of {entry.name} begins a record of another type",
                expected=entry.code,
                actual=code,
            )
        limit = entry.record_type.instances.limit
        if not 0 <= instance < (2**32 if limit is None else limit):
            raise MisuseError(
                f"{entry.name} cannot have instance {instance}",
                expected=f"0 to {(2**32 if limit is None else limit) - 1}",
                actual=instance,
            )
        if self._duplicates.seen(code, instance):
            raise MisuseError(f"{entry.name}[{instance}] is written twice")
        self._instance = instance
        self._length = 0
        self._promised = length
        self._ordinal += 1
        if length is None and not self._ops.patches:
            self._held = bytearray()
        else:
            self._ops.begin(code, instance, length)

    def data(self, data: bytes | bytearray | memoryview) -> None:
        """Append to the record's body; any number of times, of any size."""
        if self._instance is None:
            raise MisuseError("data is written outside of a record")
        self._length += len(data)
        if self._held is None:
            self._ops.append(data)
            return
        self._held += data
        if len(self._held) > self._cap:
            self._release(self._dry_length())

    def end(self) -> None:
        """End the record: padding is written, and the length is settled."""
        entry, instance = self._entry, self._instance
        if entry is None or instance is None:
            raise MisuseError("a record is ended that was not begun")
        if self._held is not None:
            self._release(self._length)
        if self._promised is not None and self._promised != self._length:
            raise MisuseError(
                f"{entry.name}[{instance}] has another length than was said when it began",
                expected=f"{self._promised} bytes",
                actual=f"{self._length} bytes",
                hint="the domain changed while it was saved, or the handler's dry run is wrong",
            )
        pad = padding(self._length)
        if pad:
            self._ops.append(bytes(pad))
        self._ops.end(self._length)
        if self._watch:
            self._watch.see(RecordEvent(entry.code, instance, self._position, self._length))
        self._position += HEADER_SIZE + self._length + pad
        self._instance = None
        self.records += 1

    def write(self, instance: int, body: Body | bytes | bytearray | memoryview) -> None:
        """Write a whole record of the handler's own type: the one-shot form."""
        if self._entry is None:
            raise MisuseError("a record is written outside of a save handler")
        if isinstance(body, Body):
            try:
                body = bytes(body.size()) if self.dry_run else body.to_bytes(self.byteorder)
            except DomctxError as error:
                error.locate(instance=instance)
                raise
        self.begin(self._entry.code, instance, len(body))
        self.data(body)
        self.end()

    def _release(self, length: int) -> None:
        """On a target that cannot seek: the length is known now, so let go of what was held."""
        assert self._entry is not None
        assert self._instance is not None
        assert self._held is not None
        held, self._held = self._held, None
        self._promised = length
        self._ops.begin(self._entry.code, self._instance, length)
        self._ops.append(held)

    def _dry_length(self) -> int:
        """The length of the open record, from a dry run of its handler alone."""
        assert self._entry is not None
        if self._measure is None:
            raise MisuseError("the record outgrows what is held, and nothing can measure it")
        return self._measure(self._entry, self._ordinal)

    def run(self, entry: Entry, domain: Any) -> None:
        """For the engine: run one save handler."""
        self._entry, self._ordinal = entry, 0
        entry.record_type.save(domain, self)
        if self._instance is not None:
            raise MisuseError(f"the save handler of {entry.name} did not end its last record")
        self._entry = None


class Duplicates:
    """Notices a (type, instance) that comes twice.

    A bit for each instance, 64 to a word: small where instances follow on, and never more than a
    fixed amount a record, in whatever order they come.
    """

    def __init__(self) -> None:
        self._words: dict[int, int] = {}

    def seen(self, code: int, instance: int) -> bool:
        """Whether the pair was there before; it is from now on."""
        key = code << 58 | instance >> 6
        bit = 1 << (instance & 63)
        word = self._words.get(key, 0)
        self._words[key] = word | bit
        return bool(word & bit)


class LoadContext:
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
        self._position = 0
        self._consumed = 0
        self._state = "ended"
        self._entry: Entry | None = None

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
        return self.instance

    def data(self, size: int) -> bytes:
        """The next `size` bytes of the body; ENODATA where the record has fewer."""
        self._take(size)
        self._require(size, "truncated-body")
        if size > self._cap:
            raise self._error(
                "length-over-cap",
                f"{size} bytes of one body would have to be held",
                expected=f"at most {self._cap} bytes",
                actual=f"{size} bytes",
            )
        return self._read(size, "truncated-body")

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
        self._require(size, "truncated-body")
        extent = self._ops.extent(size)
        if len(extent) < size:
            raise self._truncated("truncated-body", size, len(extent))
        self._position += size
        return extent

    def end(self, ignore_rest: bool = False) -> None:
        """End taking the record: nothing may be left of the body, and padding must be zero."""
        if self._state != "open":
            raise MisuseError("a load handler ends a record that it did not begin")
        left = self.length - self._consumed
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
        instance = self.begin(record_type.code)
        fixed = record_type.body.fixed_size()
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
        body_class = cast("type[B]", record_type.body)  # a class attribute cannot say so itself
        decoded = body_class.inspect(self.data(size), self.byteorder)
        for problem in decoded.problems:
            if not (record_type.ignore_rest and problem.rule == "body-not-consumed"):
                self.refuse(problem)
        assert decoded.body is not None
        for problem in record_type.judge(instance, decoded.body, self.receiver):
            self.refuse(problem)
        self.end(record_type.ignore_rest)
        self.body = decoded.body
        return instance, decoded.body

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
        return self._position

    def next_header(self, raw: bytes, type: int, instance: int, length: int) -> None:
        """A header was read: this is the present record from now on."""
        self.offset = self._position - len(raw)
        self.record += 1
        self.type, self.instance, self.length = type, instance, length
        self.body = None
        self._state = "header"
        self._entry = None
        if self.offset + HEADER_SIZE + length + padding(length) > MAX_LENGTH:
            raise self._error(
                "length-overflow",
                "the record would end beyond 2**64",
                offset=self.offset + 8,
                expected=f"at most {MAX_LENGTH - self._position} bytes",
                actual=f"{length} bytes",
            )

    def run(self, entry: Entry, domain: Any) -> None:
        """Run the load handler of the present record."""
        self._entry = entry
        try:
            entry.record_type.load(domain, self)
        except DomctxError as error:
            if isinstance(error, BodyError) and error.offset is not None:
                error.offset += self.offset + HEADER_SIZE
            self._locate(error)
            raise
        if self._state != "ended":
            raise MisuseError(
                f"the load handler of {entry.name} did not "
                + ("begin its record" if self._state == "header" else "end its record")
            )

    def read_header(self) -> bytes:
        """The next 16 bytes; ENODATA where the input ends, `end-missing` where it ends before."""
        self._entry = None
        raw = self._ops.read(HEADER_SIZE)
        if len(raw) < HEADER_SIZE:
            self.offset = self._position
            self.record += 1
            rule = "truncated-header" if raw else "end-missing"
            error = self._truncated(rule, HEADER_SIZE, len(raw))
            error.type = error.instance = error.type_name = None
            raise error
        self._position += HEADER_SIZE
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
        left = self._ops.remaining()
        if left is not None and left < size:
            raise self._truncated(rule, size, left)

    def _read(self, size: int, rule: str) -> bytes:
        if not size:
            return b""
        self._require(size, rule)
        raw = self._ops.read(size)
        if len(raw) < size:
            raise self._truncated(rule, size, len(raw))
        self._position += size
        return raw

    def _skip(self, size: int) -> None:
        if size:
            done = self._ops.skip(size)
            if done < size:
                raise self._truncated("truncated-body", size, done)
            self._position += size

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
