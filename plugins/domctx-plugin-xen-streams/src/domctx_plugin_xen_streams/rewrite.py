"""Streams rewritten: a stream is copied with a change, and read once.

The input is a file or a pipe, and each part is written as soon as it is settled. Guest memory goes
straight through. What is held is one record, or what a change holds back.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from typing import Any, TypeVar

from domctx_plugin_shared_info import SharedInfo, SharedInfoCompat, SharedInfoX86_64

from domctx_core import (
    Body,
    CopySource,
    Errno,
    Fault,
    Formats,
    ImageError,
    OpenContainer,
    Opened,
    Problem,
    Record,
    Severity,
    walk,
)
from domctx_plugin_xen_streams.headers import GuestType, LibxcDomainHeader, StreamRecordHeader
from domctx_plugin_xen_streams.legacy import LibxcLegacy, legacy_error
from domctx_plugin_xen_streams.libxc import X86PvInfo, X86PvInfoRecord
from domctx_plugin_xen_streams.shared_info import SharedInfoPage32, SharedInfoPage64
from domctx_plugin_xen_streams.stream import CONTAINERS, container, passed_over

__all__ = [
    "Change",
    "after_end",
    "check_width",
    "missing_record",
    "raise_fault",
    "raw_body",
    "refusal",
    "rewrite",
]

B = TypeVar("B", bound=Body)

_VERSION_OFFSET = 12
"""Where the version stands in the libxc image header, 4 bytes, big-endian."""


class Change(ABC):
    """One way to rewrite a stream; `rewrite` runs it.

    `notes` has, in words, what the outcome does not keep and nobody needs.
    """

    source: CopySource
    formats: Formats
    level: OpenContainer
    header: LibxcDomainHeader
    width: int | None = None

    def __init__(self) -> None:
        self.notes: list[str] = []

    @property
    def pv(self) -> bool:
        """Whether the guest is a PV guest."""
        return self.header.type == GuestType.X86_PV

    def opened(self, level: OpenContainer) -> None:
        """Start with a libxc stream."""
        self.level = level
        self.header = _domain_header(level)

    @abstractmethod
    def record(self, record: Record) -> None:
        """Rewrite a record of the libxc stream."""

    def done(self) -> None:
        """End the stream; raise `ImageError` here for what is missing."""

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
        """Return the record's body; raise `ImageError` if a receiver would refuse it."""
        decoded = record.decoded
        if decoded is None:
            raise refusal(record, f"{record.name} is too long to be held", "length-over-cap")
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
        """Return the guest's width; raise `ImageError` if no X86_PV_INFO came before."""
        if self.width is None:
            raise refusal(record, "the stream does not say the guest's width before this record")
        return self.width

    def page(self, record: Record) -> SharedInfoPage64 | SharedInfoPage32:
        """Return the page of SHARED_INFO; raise `ImageError` if no X86_PV_INFO came before."""
        if self.known_width(record) == 4:
            return self.body(record, SharedInfoPage32)
        return self.body(record, SharedInfoPage64)

    def framed(self, type: int, body: bytes) -> bytes:
        """Return a libxc record in the stream's byte order."""
        header = StreamRecordHeader(type=type, length=len(body))
        head = header.to_bytes(self.level.framing.byteorder)
        return head + body + bytes(-len(body) % 8)


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
                raise_fault(event)
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


def raise_fault(fault: Fault) -> None:
    """Raise the error of a fault in a container; ignore one inside a record's body."""
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


def after_end(size: int) -> str:
    return f"{size} byte{'s' * (size != 1)} after END of the image"


def _domain_header(level: OpenContainer) -> LibxcDomainHeader:
    header = level.prologue[-1][1]
    assert isinstance(header, LibxcDomainHeader)
    return header


def refusal(record: Record, message: str, rule: str | None = None, **details: Any) -> ImageError:
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
        raise refusal(
            record,
            "the image's shared info is of a guest with another word size or architecture",
            expected=f"an x86 guest with words of {width} bytes",
            actual=f"{type(shared.info).__name__}, {shared.info.size()} bytes",
        )


def raw_body(record: Record) -> bytes:
    if not record.held:
        raise refusal(record, f"{record.name} is too long to be held", "length-over-cap")
    return bytes(record.raw())


def missing_record(name: str) -> ImageError:
    return ImageError(
        f"the stream has no {name} record", expected=f"{name} in the libxc stream", actual="none"
    )
