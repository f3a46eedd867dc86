"""Streams converted: libxc version 3 to 4 and back.

What is held is one record, or, where the state that an image is made of comes late, the records that
have to stand behind the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domctx_core import (
    Body,
    DomainContext,
    Guest,
    ImageError,
    OpenContainer,
    Record,
    XenVersion,
    save_image,
)
from domctx_plugin_xen_streams.context import (
    SHARED_INFO,
    TSC_INFO,
    ImageState,
    read_image,
    tsc_info_of,
    x86_tsc_info_of,
)
from domctx_plugin_xen_streams.hvm_params import HvmParamsRecord
from domctx_plugin_xen_streams.libxc import (
    CheckpointRecord,
    DomainContextRecord,
    EndRecord,
    HvmContextRecord,
    SharedInfoRecord,
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
from domctx_plugin_xen_streams.rewrite import (
    Change,
    after_end,
    check_width,
    missing_record,
    raw_body,
    refusal,
)
from domctx_plugin_xen_streams.shared_info import page_of, shared_info_of
from domctx_plugin_xen_streams.stream import StreamDomain

__all__ = ["ToVersion3", "ToVersion4"]

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

    def opened(self, level: OpenContainer) -> None:
        super().opened(level)
        self.set_version(3, 4)

    def record(self, record: Record) -> None:
        self.see_width(record)
        if record.type in (SharedInfoRecord.code, X86TscInfoRecord.code):
            self._take(record)
        elif record.type == DomainContextRecord.code:
            raise refusal(record, "a stream of version 3 cannot have a DOMAIN_CONTEXT record")
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
            raise refusal(
                record, f"{record.name} comes after the image that has its place was written"
            )
        if record.type == X86TscInfoRecord.code:
            code, body = TSC_INFO, self._tsc_info(record)
        elif self.pv:
            code, body = SHARED_INFO, self._shared_info(record)
        else:
            raise refusal(record, "SHARED_INFO is a PV guest's, and this guest is none")
        if code in self._parts:
            raise refusal(
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
                raise refusal(
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

    def opened(self, level: OpenContainer) -> None:
        super().opened(level)
        self.set_version(4, 3)

    def record(self, record: Record) -> None:
        self.see_width(record)
        if record.type in (SharedInfoRecord.code, X86TscInfoRecord.code):
            raise refusal(record, f"a stream of version 4 cannot have a {record.name} record")
        if record.type != DomainContextRecord.code:
            return
        state = read_image(raw_body(record), self.formats, offset=record.body_offset)
        lost = dict(state.others)
        if not self.pv and state.shared_info is not None:
            lost[SHARED_INFO] = "SHARED_INFO"
        if lost:
            names = ", ".join(lost[code] for code in sorted(lost))
            self._lose(record, f"version 3 has no record for {names} of this guest")
            self.notes.append(f"{names} is left out")
        if state.trailing:
            at = record.body_offset + record.length - state.trailing
            rest = after_end(state.trailing)
            self._lose(record, f"version 3 has no place for {rest}", offset=at)
            self.notes.append(f"left out: {rest}")
        version = XenVersion(self.header.xen_major, self.header.xen_minor)
        if state.version != version:
            self.notes.append(f"START says Xen {state.version}, and the stream's header {version}")
        self._found = True
        self.source.replace(record.offset, record.end, self._libxc_records(state, record))

    def _libxc_records(self, state: ImageState, record: Record) -> bytes:
        """Return X86_TSC_INFO and SHARED_INFO, as Xen orders them, from what an image says."""
        records = b""
        if state.tsc_info is not None:
            tsc = x86_tsc_info_of(state.tsc_info).to_bytes(self.level.framing.byteorder)
            records += self.framed(X86TscInfoRecord.code, tsc)
        if state.shared_info is not None and self.pv:
            check_width(state.shared_info, self.known_width(record), record)
            records += self.framed(SharedInfoRecord.code, page_of(state.shared_info).to_bytes())
        return records

    def _lose(self, record: Record, message: str, **details: Any) -> None:
        """Refuse what the outcome has no place for, unless that was allowed."""
        if not self.lossy:
            raise refusal(record, message, hint="--lossy leaves that out, for good", **details)

    def done(self) -> None:
        if not self._found:
            raise missing_record("DOMAIN_CONTEXT")
