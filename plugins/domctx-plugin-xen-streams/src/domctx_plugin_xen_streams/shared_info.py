"""SHARED_INFO of the libxc stream: a page whose layout an X86_PV_INFO before it decides.

The structure at the start of the page is the one that a domain context's SHARED_INFO has too. The
page is an x86 guest's memory, so it is little-endian whatever the stream around it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from domctx_plugin_shared_info import (
    SharedInfo,
    SharedInfoCompat,
    SharedInfoFlags,
    SharedInfoX86_64,
)
from domctx_plugin_shared_info import SharedInfoRecord as DomainContextSharedInfo

from domctx_core import Body, RecordType, blob, nested
from domctx_plugin_xen_streams.page_data import PAGE_SIZE
from domctx_plugin_xen_streams.pv_info import X86PvInfo, X86PvInfoRecord

__all__ = [
    "SharedInfoPage",
    "SharedInfoPage32",
    "SharedInfoPage64",
    "SharedInfoRecord",
    "page_of",
    "shared_info_of",
]

_REST_64, _REST_32 = PAGE_SIZE - 3136, PAGE_SIZE - 2344


class SharedInfoPage(Body):
    """The page that a PV guest shares with the hypervisor, where nobody said the guest's width.

    The structure takes the first 3136 bytes (64-bit guest) or 2344 (32-bit); the rest has no
    meaning.
    """

    page: bytes = blob(PAGE_SIZE, doc="the guest's shared_info page")


class SharedInfoPage64(Body, byteorder="little"):
    """The page that a 64-bit PV guest shares with the hypervisor."""

    info: SharedInfoX86_64 = nested(SharedInfoX86_64, doc="the structure, in 64-bit words")
    rest: bytes = blob(_REST_64, default=bytes(_REST_64), doc="has no meaning")

    def summary(self) -> Mapping[str, str]:
        """Return layout, wall clock, event channels and p2m in words."""
        return shared_info_of(self).summary()


class SharedInfoPage32(Body, byteorder="little"):
    """The page that a 32-bit PV guest shares with the hypervisor."""

    info: SharedInfoCompat = nested(SharedInfoCompat, doc="the structure, in 32-bit words")
    rest: bytes = blob(_REST_32, default=bytes(_REST_32), doc="has no meaning")

    def summary(self) -> Mapping[str, str]:
        """Return layout, wall clock, event channels and p2m in words."""
        return shared_info_of(self).summary()


class SharedInfoRecord(RecordType[Body]):
    """The shared_info page of a PV guest, in streams before version 4."""

    code, name, body = 0x07, "SHARED_INFO", SharedInfoPage
    depends: ClassVar[tuple[int, ...]] = (X86PvInfoRecord.code,)
    bodies: ClassVar[tuple[type[Body], ...]] = (SharedInfoPage64, SharedInfoPage32)

    def body_for(self, earlier: Mapping[int, Body]) -> type[Body]:
        """Return the layout for the guest's words, or a page of bytes if their size is unknown."""
        match earlier.get(X86PvInfoRecord.code):
            case X86PvInfo(guest_width=8):
                return SharedInfoPage64
            case X86PvInfo(guest_width=4):
                return SharedInfoPage32
        return SharedInfoPage

    def as_context(self, body: Body) -> tuple[int, Body] | None:
        """Return the domain context's SHARED_INFO; what follows the structure in the page has no meaning."""
        if isinstance(body, (SharedInfoPage64, SharedInfoPage32)):
            return DomainContextSharedInfo.code, shared_info_of(body)
        return None


def shared_info_of(page: SharedInfoPage64 | SharedInfoPage32) -> SharedInfo:
    """Return the domain context's form of the page; what follows the structure there is left out."""
    compat = isinstance(page, SharedInfoPage32)
    return SharedInfo(
        flags=SharedInfoFlags.COMPAT if compat else SharedInfoFlags(0), info=page.info
    )


def page_of(shared: SharedInfo, rest: bytes | None = None) -> SharedInfoPage64 | SharedInfoPage32:
    """Return the page that begins with the structure and goes on with `rest`, by default zeros."""
    info = shared.info
    if isinstance(info, SharedInfoX86_64):
        return SharedInfoPage64(info=info, rest=bytes(_REST_64) if rest is None else rest)
    assert isinstance(info, SharedInfoCompat)
    return SharedInfoPage32(info=info, rest=bytes(_REST_32) if rest is None else rest)
