"""Give load handlers their records, and refuse invalid ones."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from domctx_core.base.errors import BodyError, DomctxError, Errno, ImageError, MisuseError
from domctx_core.base.problems import Problem
from domctx_core.base.rules import CORE_ONLY, CORE_RULES, Rules
from domctx_core.base.xen_version import XenVersion
from domctx_core.engine.handlers import END
from domctx_core.engine.look_ahead import FARTHEST, LookAhead
from domctx_core.layout.body import Body
from domctx_core.layout.columns.columns import Columns
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.ops import Extent
from domctx_core.model.record_type import LoadContext, RecordType, body_class
from domctx_core.model.registry import Entry
from domctx_core.model.wire import ALIGNMENT, HEADER_SIZE, padding

__all__ = ["EngineLoadContext"]

B = TypeVar("B", bound=Body)


class EngineLoadContext(LoadContext):
    """The context of all load handlers of one load; a `RecordCursor` goes from record to record.

    `record` is the number of the present record, `offset` that of its header in the image, `entry`
    the registry's for the handler at work, `body` what `read` gave it. `state` is "header" before
    `begin`, "open", and "ended". `rules` settle what is an error.
    """

    def __init__(
        self,
        image: LookAhead,
        *,
        receiver: XenVersion | None,
        cap: int,
        reads_on: bool,
        rules: Rules = CORE_ONLY,
    ) -> None:
        self.byteorder: ByteOrder = "little"
        self.receiver = receiver
        self.type = self.instance = self.length = 0
        self.image = image
        self.cap = cap
        self.record = -1
        self.offset = 0
        self.entry: Entry | None = None
        self.body: Body | None = None
        self.state = "ended"
        #: A run whose records are taken now, where it is in the image, and its first's number.
        self.run: tuple[Columns[Any], int, int] | None = None
        #: The body of the present record, if it is decoded already; the type that may have it;
        #: whether the handler of that type has asked for one.
        self.ready: Any = None
        self.ready_for: RecordType[Any] | None = None
        self.asked = False
        self._rules = rules
        self._reads_on = reads_on
        self._consumed = 0
        self._remembered: dict[int, Body] = {}

    # ----------------------------------------------------------------------- for load handlers

    def begin(self, code: int) -> int:
        if code != self.type:
            raise MisuseError(
                "a load handler begins a record of another type",
                expected=self.type,
                actual=code,
                errno=Errno.EINVAL,
            )
        if self.state != "header":
            raise MisuseError("a load handler begins its record twice")
        self.state = "open"
        self._consumed = 0
        self.body = self.ready = None
        return self.instance

    def data(self, size: int) -> bytes:
        image = self.image
        at, taken = image.at, self._consumed + size
        end = at + size
        if (
            self._consumed <= taken <= self.length
            and end <= len(image.window)
            and size <= self.cap
            and self.state == "open"
        ):
            self._consumed, image.at = taken, end
            return image.window[at:end]
        self._take(size)
        if size > self.cap:
            self._require(size, "truncated-body")
            raise self.error(
                "length-over-cap",
                f"{size} bytes of one body are more than may be held in memory",
                expected=f"at most {self.cap} bytes",
                actual=f"{size} bytes",
            )
        last = self._consumed == self.length
        return self._read(size, "truncated-body", self._following() if last else 0)

    def sink(self, size: int) -> None:
        self._take(size)
        self._skip(size)

    def rest(self) -> bytes:
        return self.data(self.length - self._consumed)

    def extent(self, size: int | None = None) -> Extent:
        size = self.length - self._consumed if size is None else size
        self._take(size)
        image = self.image
        if self.run is not None:  # its records are in the window, and have to stay there
            raw = image.window[image.at : image.at + size]
            image.at += size
            return Extent(lambda at, count: raw[at : at + count], 0, len(raw))
        self._require(size, "truncated-body")
        extent = image.extent(size)
        if len(extent) < size:
            raise self.truncated("truncated-body", size, len(extent))
        return extent

    def end(self, ignore_rest: bool = False) -> None:
        if self.state != "open":
            raise MisuseError("a load handler ends a record that it did not begin")
        left = self.length - self._consumed
        if not left and not self.length % ALIGNMENT:
            self.state = "ended"
            return
        if left and not ignore_rest:
            raise self._left_over(self._consumed)
        if left:
            self._skip(left)
        pad = self._read(padding(self.length), "truncated-padding")
        if pad.strip(b"\0"):
            at = len(pad) - len(pad.lstrip(b"\0"))
            raise self.error(
                "padding-not-zero",
                "the padding after the body is not zero",
                offset=self.image.position - len(pad) + at,
                expected="00" * len(pad),
                actual=pad.hex(),
            )
        self.state = "ended"

    def read(self, record_type: RecordType[B]) -> tuple[int, B]:
        if record_type is self.ready_for:
            body: B | None = self.ready
            if body is not None:
                self.body, self.ready = body, None
                self.state = "ended"
                return self.instance, body
            self.asked = True
        instance = self.begin(record_type.code)
        # the type of a class attribute cannot depend on the type variable
        kind = cast("type[B]", record_type.body)
        if record_type.depends:
            kind = cast("type[B]", body_class(record_type, self._remembered))
        fixed = kind.__layout__.size
        size = self.length
        if fixed is not None and size > fixed:
            if not record_type.ignore_rest:
                raise self._left_over(fixed)
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

    def refuse(self, problem: Problem) -> None:
        errno = self._rules.refusal(problem)
        if errno is None:
            return
        at = self.offset
        if problem.offset is not None:
            at += HEADER_SIZE + problem.offset
        raise self.error(
            problem.rule,
            problem.message,
            offset=at,
            errno=errno,
            field=problem.field,
            expected=problem.expected,
            actual=problem.actual,
        )

    def error(
        self, rule: str, message: str, *, errno: Errno | None = None, **details: Any
    ) -> ImageError:
        if self.entry is not None:
            rule = self.entry.record_type.rules.get(rule, rule)
        known = self._rules.get(rule)
        details.setdefault("offset", self.offset)
        error = ImageError(
            message,
            rule=rule,
            errno=errno or (known.errno if known else None) or Errno.EINVAL,
            **details,
        )
        self.locate(error)
        return error

    def turn_to(self, index: int) -> None:
        if self.run is None:
            raise MisuseError("`turn_to` is called outside of `load_run`")
        run, offset, record = self.run
        self.offset = offset + index * run.frame.stride
        self.record = record + index
        self.instance = run.instances[index]

    # ------------------------------------------------------------------------------ for the engine

    def truncated(self, rule: str, needed: int, available: int) -> ImageError:
        """Return the error of an image that ends before the next `needed` bytes do."""
        return self.error(
            rule,
            CORE_RULES[rule].summary,
            offset=self.image.position,
            expected=f"{needed} bytes",
            actual=f"{available} bytes",
        )

    def locate(self, error: DomctxError, in_handler: bool = False) -> None:
        """Add the present record to an error; one from a handler may count from its body."""
        if in_handler and isinstance(error, BodyError) and error.offset is not None:
            error.offset += self.offset + HEADER_SIZE
        entry = self.entry
        error.locate(
            record=self.record,
            type=self.type,
            instance=self.instance,
            offset=self.offset,
            type_name=None if entry is None else entry.name,
            provider=None if entry is None else entry.provider,
        )

    # --------------------------------------------------------------------------------------- inner

    def _left_over(self, fits: int) -> ImageError:
        return self.error(
            "body-not-consumed",
            f"{self.length - fits} bytes of the body are left over",
            offset=self.offset + HEADER_SIZE + fits,
            expected=f"{fits} bytes",
            actual=f"{self.length} bytes",
        )

    def _take(self, size: int) -> None:
        if self.state != "open":
            raise MisuseError("a load handler takes data outside of its record")
        if size < 0:
            raise MisuseError("a load handler takes a negative number of bytes", actual=size)
        left = self.length - self._consumed
        if size > left:
            raise self.error(
                "body-too-short",
                "the body is shorter than its record type needs",
                offset=self.offset + HEADER_SIZE + self._consumed,
                expected=f"{size} bytes",
                actual=f"{left} bytes",
            )
        self._consumed += size

    def _require(self, size: int, rule: str) -> None:
        """Refuse a claim that the input cannot keep before anything is read or allocated."""
        left = self.image.missing(size)
        if left is not None:
            raise self.truncated(rule, size, left)

    def _read(self, size: int, rule: str, more: int = 0) -> bytes:
        if not size:
            return b""
        self._require(size, rule)
        raw = self.image.take(size, more)
        if len(raw) < size:
            raise self.truncated(rule, size, len(raw))
        return raw

    def _skip(self, size: int) -> None:
        done = self.image.skip(size)
        if done < size:
            raise self.truncated("truncated-body", size, done)

    def _following(self) -> int:
        """Return how many bytes follow the present body in a sound image: padding and a header.

        They are read with the body if nothing can be looked at ahead: one read in place of three.
        """
        if not self._reads_on or self.type == END or self.length > FARTHEST:
            return 0
        return -self.length % ALIGNMENT + HEADER_SIZE
