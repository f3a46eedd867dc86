"""Streams rewritten: libxc version 3 to 4 and back, and contexts taken out and put in.

Every function reads its stream once, from a file or a pipe, and writes each part as soon as it is
settled. Guest memory goes straight through. What is held is one record, or, where the state that
an image is made of comes late, the records that have to stand behind the image.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from domctx_plugin_shared_info import SharedInfo, SharedInfoCompat, SharedInfoX86_64

from domctx_core import (
    HEAD_SIZE,
    Body,
    BufferSource,
    CopySource,
    DomainContext,
    Errno,
    Fault,
    Formats,
    Guest,
    ImageError,
    Level,
    Opened,
    Problem,
    Record,
    Severity,
    Source,
    XenVersion,
    save_image,
    verify,
    walk,
)
from domctx_plugin_xen_streams.context import (
    SHARED_INFO,
    TSC_INFO,
    ImageState,
    read_image,
    tsc_info_of,
    x86_tsc_info_of,
)
from domctx_plugin_xen_streams.domain import (
    CONTAINERS,
    Reader,
    StreamDomain,
    container,
    passed_over,
)
from domctx_plugin_xen_streams.headers import GuestType, LibxcDomainHeader, StreamRecordHeader
from domctx_plugin_xen_streams.hvm_params import HvmParamsRecord
from domctx_plugin_xen_streams.legacy import LibxcLegacy, legacy_error
from domctx_plugin_xen_streams.libxc import (
    CheckpointRecord,
    DomainContextRecord,
    EndRecord,
    HvmContextRecord,
    SharedInfoRecord,
    X86PvInfo,
    X86PvInfoRecord,
    X86TscInfo,
    X86TscInfoRecord,
)
from domctx_plugin_xen_streams.page_data import PAGE_SIZE
from domctx_plugin_xen_streams.pv_vcpu import (
    X86PvVcpuBasicRecord,
    X86PvVcpuExtendedRecord,
    X86PvVcpuMsrsRecord,
    X86PvVcpuXsaveRecord,
)
from domctx_plugin_xen_streams.shared_info import (
    SharedInfoPage32,
    SharedInfoPage64,
    page_of,
    shared_info_of,
)

__all__ = ["Change", "Insert", "Kind", "ToVersion3", "ToVersion4", "extract", "kind_of", "rewrite"]

B = TypeVar("B", bound=Body)

Kind = Literal["domain-context", "hvm-context"]
"""What can be taken out of a stream and put into one."""

_HVM_HEAD = struct.Struct("<HHII")
_HVM_MAGIC = 0x54381286

_BEHIND = frozenset(
    record_type.code
    for record_type in (
        X86PvVcpuBasicRecord,
        X86PvVcpuExtendedRecord,
        X86PvVcpuXsaveRecord,
        X86PvVcpuMsrsRecord,
        HvmContextRecord,
        HvmParamsRecord,
    )
)
"""Types that stand behind DOMAIN_CONTEXT in a stream of version 4."""

_VERSION_OFFSET = 12
"""Where the version stands in the libxc image header, 4 bytes, big-endian."""


class Change(ABC):
    """One way to rewrite a stream; `rewrite` runs it.

    `notes` has, in words, what the outcome does not keep and nobody needs.
    """

    source: CopySource
    formats: Formats
    level: Level
    header: LibxcDomainHeader
    width: int | None = None

    def __init__(self) -> None:
        self.notes: list[str] = []

    @property
    def pv(self) -> bool:
        """Whether the guest is a PV guest."""
        return self.header.type == GuestType.X86_PV

    def opened(self, level: Level) -> None:
        """A libxc stream begins."""
        self.level = level
        self.header = _domain_header(level)

    @abstractmethod
    def record(self, record: Record) -> None:
        """A record of the libxc stream."""

    def done(self) -> None:
        """The stream is at its end; refuse here what has not been found."""

    # ---------------------------------------------------------------------------------- helpers

    def set_version(self, old: int, new: int) -> None:
        """Write version `new` into the image header; refuse a stream that is not of `old`."""
        version = self.level.framing.version
        at = self.level.offset + _VERSION_OFFSET
        if version != old:
            raise ImageError(
                f"the libxc stream has version {version}",
                errno=Errno.EOPNOTSUPP,
                offset=at,
                expected=f"version {old}, which becomes {new}",
                actual=f"version {version}",
                hint="it is of that version already" if version == new else None,
            )
        self.source.replace(at, at + 4, struct.pack(">I", new))

    def body(self, record: Record, kind: type[B]) -> B:
        """The record's body, which must be one that a receiver takes."""
        decoded = record.decoded
        if decoded is None:
            raise _refusal(record, f"{record.name} is too long to be held", "length-over-cap")
        for problem in decoded.problems:
            finding = record.finding(problem)
            if finding.severity is Severity.ERROR:
                raise finding.error()
        assert isinstance(decoded.body, kind)
        return decoded.body

    def see_width(self, record: Record) -> None:
        """Remember the guest's width where this record says it."""
        if record.type == X86PvInfoRecord.code:
            self.width = self.body(record, X86PvInfo).guest_width

    def known_width(self, record: Record) -> int:
        """The guest's width, refused where no X86_PV_INFO came before."""
        if self.width is None:
            raise _refusal(record, "the stream does not say the guest's width before this record")
        return self.width

    def page(self, record: Record) -> SharedInfoPage64 | SharedInfoPage32:
        """The page of SHARED_INFO, refused where no X86_PV_INFO said before how it is laid out."""
        if self.known_width(record) == 4:
            return self.body(record, SharedInfoPage32)
        return self.body(record, SharedInfoPage64)

    def framed(self, type: int, body: bytes) -> bytes:
        """A libxc record in the stream's byte order."""
        header = StreamRecordHeader(type=type, length=len(body))
        head = header.to_bytes(self.level.framing.byteorder)
        return head + body + bytes(-len(body) % 8)

    def libxc_records(self, state: ImageState, record: Record) -> bytes:
        """X86_TSC_INFO and SHARED_INFO, as Xen orders them, from what an image says."""
        made = b""
        if state.tsc_info is not None:
            tsc = x86_tsc_info_of(state.tsc_info).to_bytes(self.level.framing.byteorder)
            made += self.framed(X86TscInfoRecord.code, tsc)
        if state.shared_info is not None and self.pv:
            check_width(state.shared_info, self.known_width(record), record)
            made += self.framed(SharedInfoRecord.code, page_of(state.shared_info).to_bytes())
        return made


def rewrite(file: Any, target: Any, formats: Formats, change: Change) -> int:
    """Copy the stream in `file` to `target` with a change; gives the number of bytes written.

    Both are binary files, pipes or sockets; the input may be an xl, libxl or libxc stream. What
    follows its end is copied too. Raises `ImageError` with offset and record for a stream that
    cannot be walked, or is not one that can be changed so; `InputOutputError`. The target then
    has a part of the outcome that is of no use.
    """
    source = CopySource(file, target)
    change.source, change.formats = source, formats
    for event in walk(source, formats, format=container(source, formats)):
        match event:
            case Fault():
                _raise(event)
            case Opened(level) if level.format.name == LibxcLegacy.name:
                raise legacy_error(level.offset)
            case Opened(level, resumed=False) if level.format.name == "libxc":
                change.opened(level)
            case Record():
                if event.level.format.name == "libxc":
                    _check_length(event)
                    if event.complete:  # else a fault comes next
                        change.record(event)
                source.release(event.offset)
    change.done()
    return source.finish()


def _raise(fault: Fault) -> None:
    """A fault of a container ends it all; one inside a record's body does not concern us."""
    if passed_over(fault):
        return
    if fault.level is None or fault.level.format.name in CONTAINERS:
        raise fault.finding.error()


def _check_length(record: Record) -> None:
    """Refuse a body that no libxc takes: it has passed by, and cannot be held back."""
    longest = record.level.format.max_length
    if longest is not None and record.length > longest:
        problem = Problem(
            "length-over-cap",
            f"the {record.level.format.title} allows no body as long as this",
            expected=f"at most {longest} bytes",
            actual=f"{record.length} bytes",
        )
        raise record.finding(problem).error()


def _after_end(size: int) -> str:
    return f"{size} byte{'s' * (size != 1)} after END of the image"


def _domain_header(level: Level) -> LibxcDomainHeader:
    header = level.prologue[-1][1]
    assert isinstance(header, LibxcDomainHeader)
    return header


def _refusal(record: Record, message: str, rule: str | None = None, **details: Any) -> ImageError:
    return ImageError(
        message,
        errno=Errno.EINVAL,
        rule=rule,
        offset=details.pop("offset", record.offset),
        record=record.index,
        type=record.type,
        type_name=record.name,
        **details,
    )


def check_width(shared: SharedInfo, width: int, record: Record) -> None:
    """Refuse shared info of a guest of another architecture or word size than the stream's."""
    if not isinstance(shared.info, SharedInfoCompat if width == 4 else SharedInfoX86_64):
        raise _refusal(
            record,
            "the image's shared info is of a guest with another word size or architecture",
            expected=f"an x86 guest with words of {width} bytes",
            actual=f"{type(shared.info).__name__}, {shared.info.size()} bytes",
        )


# ------------------------------------------------------------------------------------ version 4


@dataclass(slots=True)
class _Part:
    """One of the old records: its place, and its body for the image."""

    start: int
    end: int
    body: Body


class ToVersion4(Change):
    """Version 3 to 4: one DOMAIN_CONTEXT record in place of SHARED_INFO and X86_TSC_INFO.

    It stands before the first record of a vCPU, HVM_PARAMS or HVM_CONTEXT, once a checkpoint. Its
    START has the Xen version of the stream, or `xen_version` where the stream has none. What the
    page of SHARED_INFO has behind the structure has no meaning, and no place: unless it is zero,
    or `lossy` is given, it is refused.
    """

    def __init__(self, *, xen_version: XenVersion | None = None, lossy: bool = False) -> None:
        super().__init__()
        self.xen_version = xen_version
        self.lossy = lossy
        self._parts: dict[int, _Part] = {}
        self._place: int | None = None
        self._placed = False

    def opened(self, level: Level) -> None:
        super().opened(level)
        self.set_version(3, 4)

    def record(self, record: Record) -> None:
        self.see_width(record)
        if record.type in (SharedInfoRecord.code, X86TscInfoRecord.code):
            self._take(record)
        elif record.type == DomainContextRecord.code:
            raise _refusal(record, "a stream of version 3 cannot have a DOMAIN_CONTEXT record")
        elif record.type in _BEHIND and self._place is None:
            self._place = record.offset
            self.source.hold(record.offset)
        ended = record.type in (EndRecord.code, CheckpointRecord.code)
        if ended and self._place is None:
            self._place = record.offset
        if self._place is not None and not self._placed and (ended or self._complete()):
            self._put(self._place)
        if ended:
            self._parts.clear()
            self._place, self._placed = None, False

    def _complete(self) -> bool:
        wanted = {TSC_INFO, SHARED_INFO} if self.pv else {TSC_INFO}
        return wanted <= self._parts.keys()

    def _take(self, record: Record) -> None:
        if self._placed:
            raise _refusal(
                record, f"{record.name} comes after the image that has its place was written"
            )
        if record.type == X86TscInfoRecord.code:
            code, body = TSC_INFO, self._tsc_info(record)
        elif self.pv:
            code, body = SHARED_INFO, self._shared_info(record)
        else:
            raise _refusal(record, "SHARED_INFO is a PV guest's, and this guest is none")
        if code in self._parts:
            raise _refusal(
                record,
                f"{record.name} stands in the stream a second time, and an image has one of each",
                "xen-streams/duplicate-record",
            )
        self._parts[code] = _Part(record.offset, record.end, body)
        self.source.replace(record.offset, record.end)

    def _tsc_info(self, record: Record) -> Body:
        return tsc_info_of(self.body(record, X86TscInfo))

    def _shared_info(self, record: Record) -> Body:
        page = self.page(record)
        rest = page.rest
        if rest.strip(b"\0"):
            at = PAGE_SIZE - len(rest.lstrip(b"\0"))
            if not self.lossy:
                raise _refusal(
                    record,
                    "the page has bytes behind the structure, which a domain context cannot hold",
                    offset=record.body_offset + at,
                    expected=f"{len(rest)} zeros from byte {PAGE_SIZE - len(rest)} of the page on",
                    hint="they have no meaning; --lossy leaves them out, for good",
                )
            self.notes.append(f"the page of SHARED_INFO loses what it has from byte {at} on")
        return shared_info_of(page)

    def _put(self, place: int) -> None:
        if self.header.xen_major:
            version = XenVersion(self.header.xen_major, self.header.xen_minor)
        elif self.xen_version is not None:
            version = self.xen_version
        else:
            raise ImageError(
                "the stream names no Xen version for START, since it was converted",
                offset=self.level.offset,
                hint="say which with --xen",
            )
        state = {(type(part.body), 0): part.body for part in self._parts.values()}
        guest = Guest(kind="pv" if self.pv else "hvm", width=self.width, arch="x86")
        domain = StreamDomain(state, frozenset(self._parts), guest, version)
        registry = self.formats.registry(DomainContext.name)
        image = save_image(domain, registry, byteorder=self.level.framing.byteorder)
        self.source.replace(place, place, self.framed(DomainContextRecord.code, image))
        self.source.hold(None)
        self._placed = True
        wanted = [self._parts[code] for code in (TSC_INFO, SHARED_INFO) if code in self._parts]
        # each ends where the next begins, and the last where the new record goes
        ends = [*(part.start for part in wanted[1:]), place] if wanted else []
        if any(part.end != end for part, end in zip(wanted, ends, strict=True)):
            self.notes.append(
                "SHARED_INFO and X86_TSC_INFO do not stand where a conversion back puts them"
            )


# ------------------------------------------------------------------------------------ version 3


class ToVersion3(Change):
    """Version 4 to 3: X86_TSC_INFO and SHARED_INFO in place of each DOMAIN_CONTEXT record.

    A type of the image that version 3 has no record for is refused, unless `lossy` is given; so are
    an HVM guest's SHARED_INFO, which no receiver takes over, and bytes after the image's END.
    """

    def __init__(self, *, lossy: bool = False) -> None:
        super().__init__()
        self.lossy = lossy
        self._found = False

    def opened(self, level: Level) -> None:
        super().opened(level)
        self.set_version(4, 3)

    def record(self, record: Record) -> None:
        self.see_width(record)
        if record.type in (SharedInfoRecord.code, X86TscInfoRecord.code):
            raise _refusal(record, f"a stream of version 4 cannot have a {record.name} record")
        if record.type != DomainContextRecord.code:
            return
        state = read_image(_raw(record), self.formats, offset=record.body_offset)
        lost = dict(state.others)
        if not self.pv and state.shared_info is not None:
            lost[SHARED_INFO] = "SHARED_INFO"
        if lost:
            names = ", ".join(lost[code] for code in sorted(lost))
            self._lose(record, f"version 3 has no record for {names} of this guest")
            self.notes.append(f"{names} is left out")
        if state.trailing:
            at = record.body_offset + record.length - state.trailing
            rest = _after_end(state.trailing)
            self._lose(record, f"version 3 has no place for {rest}", offset=at)
            self.notes.append(f"left out: {rest}")
        version = XenVersion(self.header.xen_major, self.header.xen_minor)
        if state.version != version:
            self.notes.append(f"START says Xen {state.version}, and the stream's header {version}")
        self._found = True
        self.source.replace(record.offset, record.end, self.libxc_records(state, record))

    def _lose(self, record: Record, message: str, **details: Any) -> None:
        """Refuse what the outcome has no place for, unless that was allowed."""
        if not self.lossy:
            raise _refusal(record, message, hint="--lossy leaves that out, for good", **details)

    def done(self) -> None:
        if not self._found:
            raise _missing("DOMAIN_CONTEXT")


# -------------------------------------------------------------------------------- in and out


def kind_of(raw: bytes) -> Kind:
    """What a context without a stream around it is, by its first bytes; refuses all else."""
    if DomainContext().recognises(raw[:HEAD_SIZE]):
        return "domain-context"
    if len(raw) >= _HVM_HEAD.size and _HVM_HEAD.unpack_from(raw) == (1, 0, 24, _HVM_MAGIC):
        return "hvm-context"
    raise ImageError(
        "this is neither a domain context nor an HVM context",
        offset=0,
        expected="START, or an HVM context's HEADER record",
        actual=f"bytes {raw[:12].hex(' ')}" if raw else "nothing",
    )


class Insert(Change):
    """Put a domain context or an HVM context in place of the stream's own.

    `raw` is the context. An HVM context replaces the body of HVM_CONTEXT, and a domain context that of
    DOMAIN_CONTEXT; in a stream of version 3 it replaces SHARED_INFO (of the page, the structure)
    and X86_TSC_INFO, each where the image has it. Raises `ImageError` at once for a context that a
    load would refuse, as far as the formats at hand can tell.
    """

    def __init__(self, raw: bytes, formats: Formats) -> None:
        super().__init__()
        self.raw = raw
        self.kind = kind_of(raw)
        if formats.knows(self.kind):
            formats.get(self.kind)  # one that is broken must not pass for one that is not there
            for finding in verify(BufferSource(raw), formats).findings:
                if finding.severity is Severity.ERROR and finding.rule != "unknown-type":
                    raise finding.error()
        self._state = read_image(raw, formats) if self.kind == "domain-context" else None
        self._missing: set[str] = set()

    def opened(self, level: Level) -> None:
        super().opened(level)
        if self._state is None:
            self._missing = {"HVM_CONTEXT"}
            return
        order = DomainContext().framing((), self.raw[:HEAD_SIZE]).byteorder
        if level.framing.version >= 4:
            self._missing = {"DOMAIN_CONTEXT"}
            if order != level.framing.byteorder:
                raise ImageError(
                    "the image has another byte order than the stream",
                    expected=level.framing.byteorder,
                    actual=order,
                )
            return
        if self._state.others:
            raise ImageError(
                f"a stream of version {level.framing.version} has no record for"
                f" {', '.join(self._state.others.values())}",
                hint="convert the stream with --to 4 first",
            )
        if self._state.trailing:
            raise ImageError(
                f"a stream of version {level.framing.version} has no place for"
                f" {_after_end(self._state.trailing)}",
                hint="convert the stream with --to 4 first, or leave them out of the image",
            )
        if self._state.shared_info is not None:
            if self.pv:
                self._missing.add("SHARED_INFO")
            else:
                self.notes.append("SHARED_INFO of an HVM guest has no record and is left out")
        if self._state.tsc_info is not None:
            self._missing.add("X86_TSC_INFO")

    def record(self, record: Record) -> None:
        self.see_width(record)
        new = self._new(record)
        if new is None:
            return
        assert record.name is not None
        self._missing.discard(record.name)
        self.source.replace(record.offset, record.end, self.framed(record.type, new))

    def _new(self, record: Record) -> bytes | None:
        """The body that takes the place of this record's; None for most records."""
        state, version = self._state, self.level.framing.version
        if state is None:
            return self.raw if record.type == HvmContextRecord.code else None
        if record.type == DomainContextRecord.code and version >= 4:
            if state.shared_info is not None and self.pv:
                check_width(state.shared_info, self.known_width(record), record)
            return self.raw
        if version >= 4:
            return None
        if record.type == X86TscInfoRecord.code and state.tsc_info is not None:
            return x86_tsc_info_of(state.tsc_info).to_bytes(self.level.framing.byteorder)
        if record.type == SharedInfoRecord.code and state.shared_info is not None and self.pv:
            page = self.page(record)
            check_width(state.shared_info, self.known_width(record), record)
            return page_of(state.shared_info, page.rest).to_bytes()
        return None

    def done(self) -> None:
        if self._missing:
            raise _missing(" and ".join(sorted(self._missing)))


def extract(
    source: Source, formats: Formats, kind: Kind, *, xen_version: XenVersion | None = None
) -> bytes:
    """The domain context or HVM context in a stream; of several, the last.

    It is given byte for byte, whatever is wrong with it. From a stream before version 4 a domain
    context is made of SHARED_INFO and X86_TSC_INFO, as `domctx save stream:` does. Raises
    `ImageError` where the stream has none, or cannot be walked.
    """
    wanted = HvmContextRecord.code if kind == "hvm-context" else DomainContextRecord.code
    found: bytes | None = None
    reader: Reader | None = Reader(formats) if kind == "domain-context" else None
    order: Any = "little"
    for event in walk(source, formats, format=container(source, formats)):
        if isinstance(event, Fault):
            _raise(event)
        if isinstance(event, Opened) and event.level.format.name == LibxcLegacy.name:
            raise legacy_error(event.level.offset)
        if isinstance(event, Opened) and event.level.format.name == "libxc":
            order = event.level.framing.byteorder
            if event.level.framing.version >= 4:
                reader = None
        if reader is not None:
            reader.see(event)
        if (
            isinstance(event, Record)
            and event.level.format.name == "libxc"
            and event.type == wanted
        ):
            found = _raw(event)
    if reader is not None:
        registry = formats.registry(DomainContext.name)
        return save_image(reader.domain(), registry, byteorder=order, xen_version=xen_version)
    if found is None:
        raise _missing(kind.replace("-", "_").upper())
    return found


def _raw(record: Record) -> bytes:
    if not record.held:
        raise _refusal(record, f"{record.name} is too long to be held", "length-over-cap")
    return bytes(record.raw())


def _missing(name: str) -> ImageError:
    return ImageError(
        f"the stream has no {name} record", expected=f"{name} in the libxc stream", actual="none"
    )
