"""A domain context image and the libxc records of the same state, each made from the other.

Version 4 of the libxc stream has one DOMAIN_CONTEXT record in place of SHARED_INFO and
X86_TSC_INFO; `shared_info` has the two forms of the former.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domctx_plugin_shared_info import SharedInfo
from domctx_plugin_tsc_info import TscInfo

from domctx_core import (
    Body,
    BufferSource,
    Fault,
    Formats,
    ImageError,
    Record,
    Severity,
    Start,
    Trailing,
    Verifier,
    XenVersion,
    walk,
)
from domctx_plugin_xen_streams.libxc import X86TscInfo

__all__ = [
    "SHARED_INFO",
    "TSC_INFO",
    "ImageState",
    "read_image",
    "tsc_info_of",
    "x86_tsc_info_of",
]

SHARED_INFO, TSC_INFO = 2, 3
"""Type codes of the domain context that an older stream has records of its own for."""

_FRAMING = (0, 1)
"""END and START, which are not state."""


def tsc_info_of(body: X86TscInfo) -> TscInfo:
    """Return the domain context's form of the same fields."""
    return TscInfo(mode=body.mode, khz=body.khz, nsec=body.nsec, incarnation=body.incarnation)


def x86_tsc_info_of(body: TscInfo) -> X86TscInfo:
    """Return libxc's form of the same fields."""
    return X86TscInfo(mode=body.mode, khz=body.khz, nsec=body.nsec, incarnation=body.incarnation)


@dataclass(frozen=True, slots=True)
class ImageState:
    """What an image says: START's version, what libxc has records for, and what it has none for.

    `others` has name (or number) of each type that is neither of the two, once; `trailing` counts the
    bytes after END.
    """

    version: XenVersion | None
    shared_info: SharedInfo | None
    tsc_info: TscInfo | None
    others: Mapping[int, str] = field(default_factory=dict)
    trailing: int = 0


def read_image(raw: bytes | memoryview, formats: Formats, *, offset: int = 0) -> ImageState:
    """Return the state in a domain context image in memory, at `offset` of its input.

    A type that no plugin knows is not refused. Raises the `ImageError` of anything else that a
    load would refuse, and `PluginError` where a plugin that is needed cannot be used.
    """
    verifier = Verifier()
    bodies: dict[int, Body] = {}
    others: dict[int, str] = {}
    trailing = 0
    format = formats.get("domain-context")
    for event in walk(BufferSource(raw), formats, format=format):
        for finding in verifier.see(event):
            if finding.severity is Severity.ERROR and finding.rule != "unknown-type":
                error = finding.error()
                error.offset = finding.offset + offset
                raise error
        if isinstance(event, Fault):
            break
        if isinstance(event, Trailing):
            trailing += event.length
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
        trailing,
    )
