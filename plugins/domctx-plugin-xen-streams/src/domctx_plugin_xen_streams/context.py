"""A domain context image and the libxc records of the same state, each made from the other.

Version 4 of the libxc stream has one DOMAIN_CONTEXT record in place of SHARED_INFO and
X86_TSC_INFO. The page of SHARED_INFO is an x86 guest's memory, so it is little-endian whatever the
stream around it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domctx_plugin_shared_info import (
    SharedInfo,
    SharedInfoCompat,
    SharedInfoFlags,
    SharedInfoX86_64,
)
from domctx_plugin_tsc_info import TscInfo

from domctx_core import (
    Body,
    BufferSource,
    Fault,
    ImageError,
    Record,
    Severity,
    Start,
    Verifier,
    XenVersion,
    walk,
)
from domctx_core.formats import Formats
from domctx_plugin_xen_streams.libxc import SharedInfoPage, X86TscInfo
from domctx_plugin_xen_streams.page_data import PAGE_SIZE

__all__ = [
    "SHARED_INFO",
    "TSC_INFO",
    "ImageState",
    "page_of",
    "page_rest",
    "read_image",
    "shared_info_of",
    "tsc_info_of",
    "x86_tsc_info_of",
]

SHARED_INFO, TSC_INFO = 2, 3
"""Type codes of the domain context that an older stream has records of its own for."""

_FRAMING = (0, 1)
"""END and START, which are not state."""


def _layout(width: int) -> type[SharedInfoX86_64 | SharedInfoCompat]:
    return SharedInfoCompat if width == 4 else SharedInfoX86_64


def _size(width: int) -> int:
    size = _layout(width).fixed_size()
    assert size is not None
    return size


def shared_info_of(record: Record, page: bytes, width: int) -> SharedInfo:
    """The structure at the start of the page of `record`; `width` is 4 or 8 bytes.

    Raises the `ImageError` of the first field that breaks a rule.
    """
    decoded = _layout(width).inspect(page[: _size(width)], "little")
    for problem in decoded.problems:
        raise record.finding(problem).error()
    assert decoded.body is not None
    flags = SharedInfoFlags.COMPAT if width == 4 else SharedInfoFlags(0)
    return SharedInfo(flags=flags, info=decoded.body)


def page_rest(page: bytes, width: int) -> bytes:
    """What follows the structure in the page: 960 bytes (64-bit guest) or 1752 (32-bit)."""
    return page[_size(width) :]


def page_of(shared: SharedInfo, rest: bytes = b"") -> SharedInfoPage:
    """The page that begins with the structure and goes on with `rest`, zeros after that."""
    page = shared.info.to_bytes("little") + rest
    return SharedInfoPage(page=page.ljust(PAGE_SIZE, b"\0"))


def tsc_info_of(body: X86TscInfo) -> TscInfo:
    """The domain context's form of the same fields."""
    return TscInfo(mode=body.mode, khz=body.khz, nsec=body.nsec, incarnation=body.incarnation)


def x86_tsc_info_of(body: TscInfo) -> X86TscInfo:
    """libxc's form of the same fields."""
    return X86TscInfo(mode=body.mode, khz=body.khz, nsec=body.nsec, incarnation=body.incarnation)


@dataclass(frozen=True, slots=True)
class ImageState:
    """What an image says: START's version, what libxc has records for, and what it has none for.

    `others` has name (or number) of each type that is neither of the two, once.
    """

    version: XenVersion | None
    shared_info: SharedInfo | None
    tsc_info: TscInfo | None
    others: Mapping[int, str] = field(default_factory=dict)


def read_image(raw: bytes | memoryview, formats: Formats, *, offset: int = 0) -> ImageState:
    """What a domain context image in memory says; `offset` is where it lies in its input.

    A type that no plugin knows is not refused. Raises the `ImageError` of anything else that a
    load would refuse, and `PluginError` where a plugin that is needed cannot be used.
    """
    verifier = Verifier()
    bodies: dict[int, Body] = {}
    others: dict[int, str] = {}
    format = formats.get("domain-context")
    for event in walk(BufferSource(raw), formats, format=format):
        for finding in verifier.see(event):
            if finding.severity is Severity.ERROR and finding.rule != "unknown-type":
                error = finding.error()
                error.offset = finding.offset + offset
                raise error
        if isinstance(event, Fault):
            break
        if not isinstance(event, Record):
            continue
        decoded = event.decoded if event.type in (1, SHARED_INFO, TSC_INFO) else None
        if decoded is not None and decoded.body is not None:
            bodies[event.type] = decoded.body
        if event.type not in (*_FRAMING, SHARED_INFO, TSC_INFO):
            others[event.type] = event.name or f"type {event.type:#x}"
    start, shared, tsc = (bodies.get(code) for code in (1, SHARED_INFO, TSC_INFO))
    if not isinstance(start, Start):
        raise ImageError("the image has no START", offset=offset, rule="first-not-start")
    return ImageState(
        XenVersion(start.xen_major, start.xen_minor),
        shared if isinstance(shared, SharedInfo) else None,
        tsc if isinstance(tsc, TscInfo) else None,
        others,
    )
