"""Records as they are read: header and body, the container that holds them, and their type.

A `Record` gives its body, decodes it, and turns a problem of it into a finding at its place in the
input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, overload

from domctx_core.base.errors import PLUGIN_ERRORS, DomctxError, Errno, PluginError, describe
from domctx_core.base.problems import Finding, Problem
from domctx_core.base.rules import CORE_ONLY, Rules
from domctx_core.layout.body import Body, Decoded
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.attributes import FIRST, Content
from domctx_core.model.format import Format, Framing
from domctx_core.model.record_type import RecordType, body_class
from domctx_core.model.registry import Entry, Registry
from domctx_core.model.traits import Traits
from domctx_core.reader.header import BodyClass, Header
from domctx_core.reader.sources import Source

__all__ = ["KEPT", "OpenContainer", "Record", "TypeInfo", "make_finding", "unusable"]

T = TypeVar("T")

KEPT = 4096
"""Bytes of a body that are kept for a look where the body itself is not held."""


class once(Generic[T]):  # noqa: N801  # a decorator
    """Computes an attribute on its first use, as `cached_property` does, but without the lock which
    that takes each time up to Python 3.11: later uses cost what an attribute costs."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, record: None, owner: type) -> once[T]: ...

    @overload
    def __get__(self, record: object, owner: type) -> T: ...

    def __get__(self, record: Any, owner: type) -> Any:
        if record is None:
            return self
        value = self._compute(record)
        setattr(record, self._name, value)
        return value


class TypeInfo:
    """What is known of a type code, looked up once for all records of a container.

    `entry` is None where the code is not declared, `error` what the registry raises for it; without
    a `record_type` its plugin cannot be used. `judged`: the type has a `judge` of its own. `body` is
    the class of every body (of a bulk type, of its head), None where records before it decide.
    `proved`: the pattern of valid bodies is compiled already. `met` counts the records of the type
    that were read one by one.
    """

    __slots__ = (
        "body", "bulk", "content", "entry", "error", "judged", "met", "name", "proved",
        "record_type", "remembered", "suspends",
    )  # fmt: skip

    def __init__(self, registry: Registry, code: int, byteorder: ByteOrder) -> None:
        self.entry: Entry | None = None
        self.error: PluginError | None = None
        self.record_type: RecordType[Any] | None = None
        self.name: str | None = None
        self.content: Content | None = None
        self.body: type[Body] | None = None
        self.met = 0
        self.bulk = self.judged = self.proved = self.suspends = self.remembered = False
        try:
            self.entry = registry.get(code)
        except PluginError as error:
            self.error = error
        if self.entry is None:
            return
        self.name = self.entry.name
        try:
            record_type = self.record_type = self.entry.record_type
        except PluginError:  # reported where the record is judged
            return
        self.bulk, self.content = bool(record_type.bulk), record_type.content
        self.body = None if record_type.depends else record_type.body
        self.judged = Traits.of(record_type).judged
        self.suspends, self.remembered = record_type.suspends, record_type.remembered
        self.proved = bool(record_type.body.__layout__.patterns.get(byteorder))


class OpenContainer:
    """A container that is being read.

    `path` are the format names from the outermost container to this one, `offset` is where it
    starts in the input, `records_offset` where its prologue ends, `bound` where the body that holds
    it ends (None: no body holds it). `parent` is the record that holds or announces it.

    `count` is the number of records read so far, `last` is true after the last one. `suspended` are
    the containers after records of this one that may be resumed, by format, with the offset where
    each stopped. `remembered` has the latest body of each type code that record types may depend on;
    it is replaced, never changed. `type_infos` are those of the declared type codes met so far.
    """

    def __init__(
        self,
        format: Format,
        registry: Registry,
        path: tuple[str, ...],
        offset: int,
        bound: int | None,
        parent: Record | None = None,
    ) -> None:
        self.format = format
        self.registry = registry
        self.path = path
        self.offset = offset
        self.bound = bound
        self.parent = parent
        self.suspended: dict[str, tuple[OpenContainer, int]] = {}
        self.remembered: Mapping[int, Body] = {}
        self.prologue: list[tuple[int, Body]] = []
        self.prologue_problems: list[tuple[int, Problem]] = []
        self.framing = Framing("little", 0)
        self.header: Header | None = None
        self.records_offset = 0
        self.count = 0
        self.last = False
        self.resume_at = 0
        self.type_infos: dict[int, TypeInfo] = {}

    def type_info(self, code: int) -> TypeInfo:
        """Return what is known of a type code."""
        info = self.type_infos.get(code)
        if info is None:
            more = self.registry.more
            info = TypeInfo(self.registry, code, self.framing.byteorder)
            if self.registry.more is not more:  # what was declared now may conflict with these
                self.type_infos.clear()
            if info.entry is not None or info.error is not None:  # other codes have no limit
                self.type_infos[code] = info
        return info


class Record:
    """One record: its header, and its body for as long as the source can give it.

    From a source that cannot seek, look at a record before asking for the next event; of a body
    that is not `held`, such a source gives only the first `KEPT` bytes. `body_offset` is where the
    body starts, from the start of the input, and `end` where the padding ends. `available` counts
    the bytes of body and padding that the input has. `unopened` is the format in the body if no
    plugin knows it and a reader may do without it. `earlier` are the bodies remembered of the
    records before.
    """

    available = 0
    unopened: str | None = None
    _kept: memoryview | None = None
    _first: bytes | None = None
    _whole: memoryview | None = None

    def __init__(
        self,
        level: OpenContainer,
        offset: int,
        type: int,
        instance: int | None,
        length: int,
        header_size: int,
        padding: int,
        type_info: TypeInfo,
        source: Source,
        cap: int,
    ) -> None:
        self.level = level
        self.index = level.count
        self.offset = offset
        self.type = type
        self.instance = instance
        self.length = length
        self.header_size = header_size
        self.padding = padding
        self.body_offset = offset + header_size
        self.end = offset + header_size + length + padding
        self.type_info = type_info
        self.earlier = level.remembered
        self.source = source
        self.cap = cap

    @property
    def entry(self) -> Entry | None:
        """Return the registry's entry of the type code; None where the code is not declared.

        A code with the bit of optional records is one of its own: the record without that bit is
        another. Raises `ConflictError` where two providers declare the code.
        """
        if self.type_info.error is not None:
            raise self.type_info.error.with_traceback(None)
        return self.type_info.entry

    @property
    def name(self) -> str | None:
        """Return the name of the record's type; None where it is not known."""
        return self.type_info.name

    @property
    def bulk(self) -> bool:
        """Return True if the body is skipped rather than held."""
        return self.type_info.bulk

    @property
    def content(self) -> Content | None:
        """Return the other format that the record holds or introduces, if it does."""
        return self.type_info.content

    @property
    def suspends(self) -> bool:
        """Return True if the container is suspended after this record."""
        return self.type_info.suspends

    @property
    def remembered(self) -> bool:
        """Return True if the layout of records after this one may depend on its body."""
        return self.type_info.remembered

    @property
    def held(self) -> bool:
        """Return True if the body may be held in memory: it is not bulk, and within the cap."""
        return self.length <= self.cap and not self.bulk

    @once
    def head(self) -> int:
        """Return how many bytes at the start of a bulk body are decoded.

        The record type decides that, and it may be more than the body has. Raises `PluginError`
        where the type's plugin cannot be used or raises.
        """
        if not self.type_info.bulk or self.entry is None:
            return 0
        first = self._first
        if first is None:
            first = bytes(self.source.at(self.body_offset, min(FIRST, self.length)))
        try:
            record_type = self.type_info.record_type or self.entry.record_type
            size = record_type.prefix(first, self.level.framing.byteorder)
        except PLUGIN_ERRORS as error:
            raise self._blame("measuring", error) from error
        return size if size > 0 else 0

    @property
    def complete(self) -> bool:
        """Return True if the input has the whole record; else a `Fault` follows it."""
        return self.available >= self.length + self.padding

    def raw(self, size: int | None = None) -> memoryview:
        """Return the body's bytes, or the first `size` of them."""
        if size is None or size > self.length:
            size = self.length
        if size > self.available:
            size = self.available
        kept = self._kept if self._whole is None else self._whole
        if kept is not None:
            return kept[:size]
        return self.source.at(self.body_offset, size)

    @once
    def padding_raw(self) -> bytes:
        """Return the padding's bytes."""
        if self._whole is not None:
            return bytes(self._whole[self.length :])
        return bytes(self.source.at(self.body_offset + self.length, self.padding))

    @property
    def body_class(self) -> BodyClass | None:
        """Return the class that the body decodes to, which records before this one may decide.

        None where the type is not known. Raises `PluginError` where the type's plugin cannot be used or
        raises.
        """
        if self.entry is None:
            return None
        try:
            return body_class(self.entry.record_type, self.earlier)
        except PLUGIN_ERRORS as error:
            raise self._blame("choosing the body of", error) from error

    @once
    def decoded(self) -> Decoded[Any] | None:
        """Return the body, of a bulk type its head, decoded; None where it cannot be.

        That is so where the type is not known, the body cut short or not held. Raises `PluginError`
        where the type's plugin cannot be used.
        """
        if self.available < self.length:
            return None
        body, size = self.type_info.body, self.length
        if self.type_info.bulk:
            size = self.head
            if size > self.length:
                return Decoded(None, (self._head_missing(size),), 0)
            if not size:
                return None
        if body is None:
            body = self.body_class
            if body is None:
                return None
        if size > self.cap:
            return None
        try:
            data = self.raw(size) if self._whole is None else self._whole[:size]
            return body.inspect(data, self.level.framing.byteorder)
        except DomctxError:
            raise
        except PLUGIN_ERRORS as error:
            raise self._blame("decoding", error) from error

    def _head_missing(self, size: int) -> Problem:
        return Problem(
            "body-too-short",
            "the body ends before the end of its head",
            self.length,
            expected=f"{size} bytes",
            actual=f"{self.length} bytes",
        )

    def _blame(self, doing: str, error: BaseException) -> PluginError:
        """Return what a record type raised as the fault of its plugin."""
        assert self.entry is not None
        if isinstance(error, PluginError):
            error.locate(type=self.type, type_name=self.entry.name, provider=self.entry.provider)
            return error
        return PluginError(
            f"{doing} {self.entry.name} raised {describe(error)}",
            errno=Errno.EIO,
            type=self.type,
            type_name=self.entry.name,
            instance=self.instance,
            provider=self.entry.provider,
        )

    def finding(self, problem: Problem, rules: Rules | None = None) -> Finding:
        """Return a problem of this record as a finding at its place in the input."""
        offset = self.offset
        if problem.offset is not None:
            offset = self.body_offset + problem.offset
        return make_finding(problem, offset, self.level, record=self, rules=rules)


def make_finding(
    problem: Problem,
    offset: int,
    level: OpenContainer | None,
    *,
    record: Record | int | None = None,
    rules: Rules | None = None,
) -> Finding:
    """Return a problem as a finding at an offset of the input.

    `record` is what the problem is about, or the index of a record that is not there. `rules` are
    the level's own by default. Raise `DeclarationError` if they do not have the problem's rule.
    """
    if rules is None:
        rules = CORE_ONLY if level is None else level.registry.rules
    rules.find(problem.rule)
    severity, errno = rules.settle(problem)
    details: dict[str, Any] = {
        "rule": problem.rule,
        "severity": severity,
        "errno": errno,
        "message": problem.message,
        "offset": offset,
        "field": problem.field,
        "expected": problem.expected,
        "actual": problem.actual,
        "container": () if level is None else level.path,
        "container_offset": None if level is None else offset - level.offset,
    }
    if isinstance(record, int):
        details["record"] = record
    elif record is not None:
        details |= {
            "record": record.index,
            "type": record.type,
            "name": record.name,
            "instance": record.instance,
        }
    return Finding(**details)


def unusable(error: DomctxError) -> Problem:
    """Return the problem to report where a plugin is needed and cannot be used."""
    hint = "" if error.hint is None else f"; {error.hint}"
    return Problem("needs-plugin", f"{error.message}{hint}")
