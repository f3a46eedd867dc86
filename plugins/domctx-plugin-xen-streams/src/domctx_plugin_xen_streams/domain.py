"""The domain scheme `stream:`: a saved domain as the source of a domain context image.

`stream:PATH` reads an xl save file, a libxl stream or a libxc stream; `stream:-` reads it from
standard input. Guest memory is passed over and never held. What the stream says of the domain is
offered as state to save; nothing can be written back.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any, TypeVar

from domctx_plugin_shared_info import (
    SharedInfo,
    SharedInfoCompat,
    SharedInfoFlags,
    SharedInfoX86_64,
)
from domctx_plugin_tsc_info import TscInfo

from domctx_core import (
    Body,
    Domain,
    DomainError,
    Errno,
    Guest,
    ImageError,
    PluginError,
    Severity,
    UsageError,
    XenVersion,
)
from domctx_core.declarations import DomainRequest
from domctx_core.formats import HEAD_SIZE, Format, Formats
from domctx_core.sources import FileSource, Source, open_source
from domctx_core.verifier import Verifier
from domctx_core.walker import Event, Fault, Level, Opened, Record, walk
from domctx_plugin_xen_streams.headers import GuestType, LibxcDomainHeader
from domctx_plugin_xen_streams.libxc import SharedInfoPage, X86PvInfo, X86PvVcpu, X86TscInfo

__all__ = ["StreamDomain", "open_stream"]

B = TypeVar("B", bound=Body)

CONTAINERS = ("xl", "libxl", "libxc")

SHARED_INFO, TSC_INFO = 2, 3
"""Type codes of the domain context that an older stream has the state for."""

_NOT_STATE = (0, 1)
"""END and START, which the engine writes by itself."""

_COMPAT_FLAG = SharedInfoFlags(1)
"""Bit 0: the layout of a 32-bit guest."""


class StreamDomain(Domain):
    """The domain that a stream holds, read-only.

    `pauses` counts the pauses that are not undone; they have no other effect.
    """

    def __init__(
        self,
        state: dict[tuple[type[Body], int], Body],
        codes: frozenset[int],
        guest: Guest,
        xen_version: XenVersion | None,
    ) -> None:
        self.guest = guest
        self.xen_version = xen_version
        self.pauses = 0
        self._state = state
        self._codes = codes

    def offers(self) -> frozenset[int]:
        """The type codes that the stream has state for."""
        return self._codes

    def instances(self, body: type[Body]) -> list[int]:
        """The instances of a body class that the stream has state for, ascending."""
        return sorted(instance for kind, instance in self._state if kind is body)

    def read(self, body: type[B], instance: int = 0) -> B:
        """The state of that body class and instance; raises `NoState` where there is none."""
        value: Any = self._state.get((body, instance))
        found: B = super().read(body, instance) if value is None else value
        return found

    def write(self, body: type[B], instance: int, value: B) -> None:
        """Refused with `DomainError`, EOPNOTSUPP: a stream is read-only."""
        raise _read_only()

    def pause(self) -> None:
        """Count a pause."""
        self.pauses += 1

    def unpause(self) -> None:
        """Count a pause as undone."""
        self.pauses -= 1


def open_stream(request: DomainRequest) -> StreamDomain:
    """The domain in the xl, libxl or libxc file at `request.rest`, `-` being standard input.

    Raises `UsageError` without a path, `DomainError` (EOPNOTSUPP) where the domain is to be
    written, `InputOutputError` for a file that cannot be read, `PluginError` where a container's
    format is in no usable plugin, and `ImageError` with offset and record for a file that is no
    such stream, is cut short, or breaks a rule of its format.
    """
    if not request.rest:
        raise UsageError(
            "the scheme stream needs a file", expected="stream:PATH, or stream:- for standard input"
        )
    if request.purpose == "load":
        raise _read_only()
    with ExitStack() as stack:
        if request.rest != "-":
            source: Source = stack.enter_context(open_source(os.fspath(request.rest)))
        elif request.standard_input is not None:
            source = FileSource(request.standard_input)
        else:
            raise UsageError("standard input cannot be read here", expected="stream:PATH")
        return read_stream(source, request.formats)


def read_stream(source: Source, formats: Formats) -> StreamDomain:
    """The domain in `source`, read to its end; errors as for `open_stream`."""
    reader = _Reader(formats)
    for event in walk(source, formats, format=_container(source, formats)):
        reader.see(event)
    return reader.domain()


def _container(source: Source, formats: Formats) -> Format:
    head = bytes(source.at(0, HEAD_SIZE))
    found = formats.recognise(head)
    if found is None or found.name not in CONTAINERS:
        raise ImageError(
            "this is no saved domain" if head else "the input is empty",
            offset=0,
            expected="an xl save file, a libxl stream or a libxc stream",
            actual=found.title if found else f"bytes {head[:8].hex(' ')}" if head else "nothing",
            hint="convert-legacy-stream, a tool of Xen, rewrites a stream of Xen before 4.6",
        )
    return found


def _read_only() -> DomainError:
    return DomainError(
        "a stream is read-only: nothing can be loaded into it",
        errno=Errno.EOPNOTSUPP,
        hint="save from it, as in `domctx save stream:PATH -o IMAGE`",
    )


class _Reader:
    """Listens to the events of a stream and keeps what a domain context can hold.

    Of records that come again, such as one per checkpoint, the last one counts.
    """

    def __init__(self, formats: Formats) -> None:
        self.formats = formats
        self.verifier = Verifier()
        self.header: LibxcDomainHeader | None = None
        self.pv_info: X86PvInfo | None = None
        self.vcpus: set[int] = set()
        self.shared_info: tuple[Record, bytes] | None = None
        self.tsc_info: X86TscInfo | None = None
        self.context: Level | None = None
        self.codes: set[int] = set()
        self.state: dict[tuple[type[Body], int], Body] = {}

    def see(self, event: Event) -> None:
        """Take over what one event brings; raises the error that a receiver would."""
        if isinstance(event, Fault) and event.needs_plugin:
            finding = event.finding
            raise PluginError(finding.message, rule=finding.rule, offset=finding.offset)
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
        elif isinstance(body, X86PvVcpu) and record.name == "X86_PV_VCPU_BASIC":
            self.vcpus.add(body.vcpu_id)
        elif isinstance(body, SharedInfoPage):
            self.shared_info = record, body.page
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

    def domain(self) -> StreamDomain:
        """The domain, once the stream is read."""
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
        if self.context is None:
            self._older(pv)
        version = XenVersion(header.xen_major, header.xen_minor) if header.xen_major else None
        return StreamDomain(self.state, frozenset(self.codes), guest, version)

    def _older(self, pv: bool) -> None:
        """State of a stream without a domain context image, from libxc's own records."""
        if pv and self.shared_info is not None:
            self.state[SharedInfo, 0] = self._shared_info(*self.shared_info)
            self.codes.add(SHARED_INFO)
        if self.tsc_info is not None:
            self.state[TscInfo, 0] = TscInfo(
                mode=self.tsc_info.mode,
                khz=self.tsc_info.khz,
                nsec=self.tsc_info.nsec,
                incarnation=self.tsc_info.incarnation,
            )
            self.codes.add(TSC_INFO)

    def _shared_info(self, record: Record, page: bytes) -> SharedInfo:
        """The structure at the start of the page; what follows it there has no meaning."""
        if self.pv_info is None:
            raise ImageError(
                "SHARED_INFO has no known layout: the stream does not say the guest's width",
                offset=record.offset,
                record=record.index,
                type=record.type,
                type_name=record.name,
                expected="an X86_PV_INFO record",
                actual="none",
            )
        layout: type[SharedInfoX86_64 | SharedInfoCompat] = SharedInfoX86_64
        flags = SharedInfoFlags(0)
        if self.pv_info.guest_width == 4:
            layout, flags = SharedInfoCompat, _COMPAT_FLAG
        # a page of an x86 guest's memory, whatever the byte order of the stream around it
        decoded = layout.inspect(page[: layout.fixed_size()], "little")
        for problem in decoded.problems:
            raise record.finding(problem).error()
        assert decoded.body is not None
        return SharedInfo(flags=flags, info=decoded.body)
