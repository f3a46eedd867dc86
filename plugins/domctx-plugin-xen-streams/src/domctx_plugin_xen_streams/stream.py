"""What a saved domain's stream holds: the domain in it, read from the stream's events.

Guest memory is passed over and never held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from domctx_plugin_shared_info import SharedInfo
from domctx_plugin_tsc_info import TscInfo

from domctx_core import (
    HEAD_SIZE,
    Body,
    ByteOrder,
    Check,
    Domain,
    DomainError,
    Errno,
    Event,
    Fault,
    Format,
    Formats,
    Guest,
    ImageError,
    OpenContainer,
    Opened,
    PluginError,
    Record,
    Severity,
    Source,
    Verifier,
    XenVersion,
    walk,
)
from domctx_plugin_xen_streams.context import SHARED_INFO, TSC_INFO, tsc_info_of
from domctx_plugin_xen_streams.headers import GuestType, LibxcDomainHeader
from domctx_plugin_xen_streams.legacy import LibxcLegacy, legacy_error
from domctx_plugin_xen_streams.libxc import X86PvInfo, X86TscInfo
from domctx_plugin_xen_streams.pv_vcpu import X86PvVcpuBasic
from domctx_plugin_xen_streams.shared_info import (
    SharedInfoPage,
    SharedInfoPage32,
    SharedInfoPage64,
    shared_info_of,
)

__all__ = ["CONTAINERS", "StreamDomain", "StreamReader", "container", "passed_over", "read_stream"]

B = TypeVar("B", bound=Body)

CONTAINERS = ("xl", "libxl", "libxc")

_NOT_STATE = (0, 1)
"""END and START, which the engine writes by itself."""


class StreamDomain(Domain):
    """The domain that a stream holds.

    `pauses` counts the pauses that are not undone; they have no other effect. It is read-only
    unless it is given what says the type code of a body class that it may take (`DomainError`
    otherwise), and `keep`, which is called by `close` where state was taken and none refused.
    """

    def __init__(
        self,
        state: dict[tuple[type[Body], int], Body],
        codes: frozenset[int],
        guest: Guest,
        xen_version: XenVersion | None,
        *,
        code_of: Callable[[type[Body]], int] | None = None,
        keep: Callable[[StreamDomain], None] | None = None,
    ) -> None:
        self.guest = guest
        self.xen_version = xen_version
        self.pauses = 0
        self._state = state
        self._codes = codes
        self._code_of = code_of
        self._keep = keep
        self._changed = self._refused = False

    def offers(self) -> frozenset[int]:
        """Return the type codes that the stream has state for."""
        return self._codes

    def instances(self, body: type[Body]) -> list[int]:
        """Return the instances of a body class that the stream has state for, ascending."""
        return sorted(instance for kind, instance in self._state if kind is body)

    def read(self, body: type[B], instance: int = 0) -> B:
        """Return the state of that body class and instance; raises `NoState` where there is none."""
        value: Any = self._state.get((body, instance))
        found: B = super().read(body, instance) if value is None else value
        return found

    def write(self, body: type[B], instance: int, value: B) -> None:
        """Take state over; `DomainError`, EOPNOTSUPP, where the stream has no place for it."""
        try:
            if self._code_of is None:
                raise _read_only()
            self._codes |= {self._code_of(body)}
        except DomainError:
            self._refused = True
            raise
        self._state[body, instance] = value
        self._changed = True

    def close(self) -> None:
        """Write the copy, where a load has changed the state and all of it was taken."""
        if self._keep is not None and self._changed and not self._refused:
            self._keep(self)

    def pause(self) -> None:
        """Count a pause."""
        self.pauses += 1

    def unpause(self) -> None:
        """Count a pause as undone."""
        self.pauses -= 1


def _read_only() -> DomainError:
    return DomainError(
        "a stream that was opened to be saved takes no state",
        errno=Errno.EOPNOTSUPP,
        hint="load into a copy of it, as in `domctx load IMAGE stream:PATH,out=COPY`",
    )


def read_stream(
    source: Source, formats: Formats, checks: Iterable[type[Check]] = ()
) -> StreamDomain:
    """Return the domain in `source`, read to its end; errors as for `open_stream`.

    What `checks` report as an error is refused too.
    """
    return StreamReader.of(source, formats, checks).domain()


def container(source: Source, formats: Formats) -> Format:
    """Return the format of a stream; raise `ImageError` if the source is none."""
    head = bytes(source.at(0, HEAD_SIZE))
    format = formats.recognise(head)
    if format is not None and format.name == LibxcLegacy.name:
        raise legacy_error(0)
    if format is None or format.name not in CONTAINERS:
        raise ImageError(
            "this is no saved domain" if head else "the input is empty",
            offset=0,
            expected="an xl save file, a libxl stream or a libxc stream",
            actual=format.title if format else f"bytes {head[:8].hex(' ')}" if head else "nothing",
        )
    return format


def passed_over(fault: Fault) -> bool:
    """Return True if a fault concerns only the content of a body that a reader can do without.

    The HVM context is no part of what a domain context says, so that a plugin for it which cannot be
    used stands in nobody's way.
    """
    level, code = fault.level, fault.finding.type
    if level is None or code is None or not fault.needs_plugin:
        return False
    entry = level.registry.get(code)
    content = None if entry is None else entry.record_type.content
    return content is not None and content.optional


class StreamReader:
    """Listens to the events of a stream and keeps what a domain context can hold.

    `context` is the last domain context image, None in a stream before version 4; `codes` are the
    type codes of what was kept, complete once `domain` was asked for.

    Of records that come again, such as one per checkpoint, the last one counts. `checks` are those
    across records that the stream must pass.
    """

    def __init__(self, formats: Formats, checks: Iterable[type[Check]] = ()) -> None:
        self.formats = formats
        self.verifier = Verifier(checks=checks)
        self.header: LibxcDomainHeader | None = None
        self.byteorder: ByteOrder = "little"
        self.pv_info: X86PvInfo | None = None
        self.vcpus: set[int] = set()
        self.shared_info: tuple[Record, Body] | None = None
        self.tsc_info: X86TscInfo | None = None
        self.context: OpenContainer | None = None
        self.codes: set[int] = set()
        self.state: dict[tuple[type[Body], int], Body] = {}

    @classmethod
    def of(
        cls, source: Source, formats: Formats, checks: Iterable[type[Check]] = ()
    ) -> StreamReader:
        """Read a stream to its end."""
        reader = cls(formats, checks)
        for event in walk(source, formats, format=container(source, formats)):
            reader.see(event)
        return reader

    def see(self, event: Event) -> None:
        """Take over what one event brings; raises the error that a receiver would."""
        if isinstance(event, Fault) and event.needs_plugin and not passed_over(event):
            finding = event.finding
            raise PluginError(finding.message, rule=finding.rule, offset=finding.offset)
        if isinstance(event, Opened) and event.level.format.name == LibxcLegacy.name:
            raise legacy_error(event.level.offset)
        for finding in self.verifier.see(event):
            if finding.severity is not Severity.ERROR:
                continue
            # a plugin that is missing or broken matters only where its state is on offer, and then
            # the engine says so
            inner = finding.container[-1:] == ("domain-context",)
            if finding.rule == "needs-plugin" or (inner and finding.rule == "unknown-type"):
                continue
            raise finding.error()
        match event:
            case Opened(level, resumed=False) if level.format.name == "libxc":
                for _, body in level.prologue:
                    if isinstance(body, LibxcDomainHeader):
                        self.header = body
                self.byteorder = level.framing.byteorder
            case Opened(level) if level.format.name == "domain-context":
                self.context = level
                self.codes.clear()
                self.state.clear()
            case Record(level=level) if level is self.context:
                self._inner(event)
            case Record(level=level) if level.format.name == "libxc":
                self._record(event)

    def _record(self, record: Record) -> None:
        entry = record.entry if record.held else None
        body = None if entry is None or record.decoded is None else record.decoded.body
        if isinstance(body, X86PvInfo):
            self.pv_info = body
        elif isinstance(body, X86PvVcpuBasic):
            self.vcpus.add(body.vcpu_id)
        elif isinstance(body, SharedInfoPage | SharedInfoPage64 | SharedInfoPage32):
            self.shared_info = record, body
        elif isinstance(body, X86TscInfo):
            self.tsc_info = body

    def _inner(self, record: Record) -> None:
        if record.type in _NOT_STATE:
            return
        self.codes.add(record.type)
        if record.name is None:  # the engine says who could save it, or that nobody can
            return
        if record.decoded is not None and record.decoded.body is not None:
            body = record.decoded.body
            self.state[type(body), record.instance or 0] = body

    # ------------------------------------------------------------------------------ the outcome

    def domain(
        self,
        code_of: Callable[[type[Body]], int] | None = None,
        keep: Callable[[StreamDomain], None] | None = None,
    ) -> StreamDomain:
        """Return the domain, once the stream is read; the arguments are those of `StreamDomain`."""
        header = self.header
        if header is None:
            raise ImageError(
                "the stream holds no domain",
                expected="a libxc stream after a LIBXC_CONTEXT record",
                actual="none",
            )
        pv = header.type == GuestType.X86_PV
        guest = Guest(
            kind="pv" if pv else "hvm",
            width=self.pv_info.guest_width if pv and self.pv_info else None,
            arch="x86",
            vcpus=len(self.vcpus) or None,
        )
        if self.context is None and not self.codes:
            self._older(pv)
        version = XenVersion(header.xen_major, header.xen_minor) if header.xen_major else None
        return StreamDomain(
            dict(self.state), frozenset(self.codes), guest, version, code_of=code_of, keep=keep
        )

    def _older(self, pv: bool) -> None:
        """Take the state of a stream without a domain context image from libxc's own records."""
        if pv and self.shared_info is not None:
            self.state[SharedInfo, 0] = _shared_info(*self.shared_info)
            self.codes.add(SHARED_INFO)
        if self.tsc_info is not None:
            self.state[TscInfo, 0] = tsc_info_of(self.tsc_info)
            self.codes.add(TSC_INFO)


def _shared_info(record: Record, page: Body) -> SharedInfo:
    """Return the structure at the start of the page; what follows it there has no meaning."""
    if isinstance(page, SharedInfoPage64 | SharedInfoPage32):
        return shared_info_of(page)
    raise ImageError(
        "SHARED_INFO has no known layout: the stream does not say the guest's width before it",
        offset=record.offset,
        record=record.index,
        type=record.type,
        type_name=record.name,
        expected="an X86_PV_INFO record before it",
        actual="none",
    )
