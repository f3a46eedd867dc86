"""Contexts taken out of a stream and put into one."""

from __future__ import annotations

import struct
from typing import Any, Literal

from domctx_core import (
    HEAD_SIZE,
    BufferSource,
    DomainContext,
    Fault,
    Formats,
    ImageError,
    OpenContainer,
    Opened,
    Record,
    Severity,
    Source,
    XenVersion,
    save_image,
    verify,
    walk,
)
from domctx_plugin_xen_streams.context import read_image, x86_tsc_info_of
from domctx_plugin_xen_streams.legacy import LibxcLegacy, legacy_error
from domctx_plugin_xen_streams.libxc import (
    DomainContextRecord,
    HvmContextRecord,
    SharedInfoRecord,
    X86TscInfoRecord,
)
from domctx_plugin_xen_streams.rewrite import (
    Change,
    after_end,
    check_width,
    missing_record,
    raise_fault,
    raw_body,
)
from domctx_plugin_xen_streams.shared_info import page_of
from domctx_plugin_xen_streams.stream import StreamReader, container

__all__ = ["ContextKind", "Insert", "extract", "kind_of"]

ContextKind = Literal["domain-context", "hvm-context"]
"""What can be taken out of a stream and put into one."""

_HVM_HEAD = struct.Struct("<HHII")
_HVM_MAGIC = 0x54381286


def kind_of(raw: bytes) -> ContextKind:
    """Return the kind of a bare context by its first bytes; raise `ImageError` for any other input."""
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

    def opened(self, level: OpenContainer) -> None:
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
                f" {after_end(self._state.trailing)}",
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
        """Return the body that replaces this record's; None for most records."""
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
            raise missing_record(" and ".join(sorted(self._missing)))


def extract(
    source: Source, formats: Formats, kind: ContextKind, *, xen_version: XenVersion | None = None
) -> bytes:
    """Return the domain context or HVM context in a stream; of several, the last.

    It is given byte for byte, whatever is wrong with it. From a stream before version 4 a domain
    context is made of SHARED_INFO and X86_TSC_INFO, as `domctx save stream:` does. Raises
    `ImageError` where the stream has none, or cannot be walked.
    """
    wanted = HvmContextRecord.code if kind == "hvm-context" else DomainContextRecord.code
    context: bytes | None = None
    reader: StreamReader | None = StreamReader(formats) if kind == "domain-context" else None
    order: Any = "little"
    for event in walk(source, formats, format=container(source, formats)):
        if isinstance(event, Fault):
            raise_fault(event)
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
            context = raw_body(event)
    if reader is not None:
        registry = formats.registry(DomainContext.name)
        return save_image(reader.domain(), registry, byteorder=order, xen_version=xen_version)
    if context is None:
        raise missing_record(kind.replace("-", "_").upper())
    return context
