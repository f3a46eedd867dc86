"""What stands before the records of each container, and the header of their records.

Offsets and sizes are in bytes. The libxl header and the libxc image header are big-endian in every
stream; the xl header and its optional data are in the saver's order, and the libxc domain header
is in the order that the image header announces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum, IntFlag

from domctx_core import (
    Body,
    Errno,
    Problem,
    blob,
    count_of,
    reserved,
    text,
    u16,
    u32,
    u64,
)
from domctx_plugin_xen_streams.config import config_summary

__all__ = [
    "LIBXC_ID",
    "LIBXC_MARKER",
    "LIBXC_VERSIONS",
    "LIBXL_IDENT",
    "LIBXL_VERSION",
    "XL_BYTEORDER",
    "XL_MAGIC",
    "GuestType",
    "LibxcDomainHeader",
    "LibxcImageHeader",
    "LibxcOptions",
    "LibxlHeader",
    "LibxlOptions",
    "StreamRecordHeader",
    "XlHeader",
    "XlMandatoryFlags",
    "XlOptionalData",
]

XL_MAGIC = b"Xen saved domain, xl format\n \0 \r"
"""The 32 bytes that an xl save file begins with."""

XL_BYTEORDER = 0x01020304
"""What the byte order field reads as in the order in which the file was written."""

LIBXL_IDENT = 0x4C6962786C466D74
"""`LibxlFmt`, the first 8 bytes of a libxl stream."""

LIBXL_VERSION = 2
"""The only version of the libxl stream; what came before it had no header."""

LIBXC_MARKER = 2**64 - 1
"""The first 8 bytes of a libxc stream, where a legacy stream has a number of pages."""

LIBXC_ID = 0x58454E46
"""`XENF`, which follows the marker."""

LIBXC_VERSIONS = (2, 3, 4)
"""Versions of the libxc stream that are understood.

3 brought STATIC_DATA_END and the CPU policies; 4 replaces SHARED_INFO and X86_TSC_INFO by
DOMAIN_CONTEXT.
"""


class XlMandatoryFlags(IntFlag):
    """What a reader of an xl save file has to understand."""

    JSON_CONFIG = 1
    STREAM_V2 = 2


class LibxlOptions(IntFlag):
    """Options of a libxl stream; `BIG_ENDIAN` speaks of its records."""

    BIG_ENDIAN = 1
    CONVERTED = 2


class LibxcOptions(IntFlag):
    """Options of a libxc stream; `BIG_ENDIAN` speaks of its domain header and records."""

    BIG_ENDIAN = 1


class GuestType(IntEnum):
    """Kind of guest that a libxc stream holds; PVH guests are `X86_HVM`."""

    X86_PV = 1
    X86_HVM = 2


def _must_be(name: str, actual: int, expected: int, what: str) -> Iterable[Problem]:
    if actual != expected:
        yield Problem(
            "field-out-of-range",
            f"`{name}` is not that of {what}",
            field=name,
            expected=f"{expected:#x}",
            actual=f"{actual:#x}",
        )


class StreamRecordHeader(Body):
    """The 8 bytes before the body of each libxl and libxc record."""

    type: int = u32(doc="selects the layout of the body; bit 31: a reader may ignore the record")
    length: int = u32(doc="size of the body; header and padding not counted", unit="bytes")


class XlHeader(Body):
    """The 48 bytes that an xl save file begins with, in the saver's byte order."""

    magic: bytes = blob(32, doc="`Xen saved domain, xl format`", default=XL_MAGIC)
    byteorder: int = u32(
        doc="0x01020304 when read in the saver's order", show="hex", default=XL_BYTEORDER
    )
    mandatory_flags: XlMandatoryFlags = u32(doc="what a reader has to understand")
    optional_flags: int = u32(doc="what a reader may ignore", show="hex", default=0)
    optional_data_len: int = u32(doc="size of the optional data that follows", unit="bytes")

    def check(self) -> Iterable[Problem]:
        """Check the magic and the byte order."""
        if self.magic != XL_MAGIC:
            yield Problem(
                "field-out-of-range",
                "`magic` is not that of an xl save file",
                field="magic",
                expected=XL_MAGIC.hex(),
                actual=self.magic.hex(),
            )
        yield from _must_be("byteorder", self.byteorder, XL_BYTEORDER, "an xl save file")


class XlOptionalData(Body):
    """The optional data of an xl save file, in the saver's byte order.

    The configuration is JSON where the header's flags say so, and ends with a NUL. `tail` is what a
    later writer may have put after it; readers skip it.
    """

    config_length: int = count_of("config", doc="size of the configuration", init=False)
    config: str = text(count="config_length", doc="the domain's configuration")
    tail: bytes = blob(doc="not known to this version", default=b"")

    def summary(self) -> Mapping[str, str]:
        """Return the facts of the configuration, if it is valid JSON."""
        return config_summary(self.config)


class LibxlHeader(Body, byteorder="big"):
    """The 16 bytes that a libxl stream begins with; big-endian."""

    ident: int = u64(doc="`LibxlFmt`", show="hex", default=LIBXL_IDENT)
    version: int = u32(doc="version of the stream", default=LIBXL_VERSION)
    options: LibxlOptions = u32(doc="byte order and origin of the records", default=LibxlOptions(0))

    def check(self) -> Iterable[Problem]:
        """Check that identity and version are known."""
        yield from _must_be("ident", self.ident, LIBXL_IDENT, "a libxl stream")
        yield from _version("libxl", self.version, (LIBXL_VERSION,))


class LibxcImageHeader(Body, byteorder="big"):
    """The 24 bytes that a libxc stream begins with; big-endian."""

    marker: int = u64(doc="all ones", show="hex", default=LIBXC_MARKER)
    id: int = u32(doc="`XENF`", show="hex", default=LIBXC_ID)
    version: int = u32(doc="version of the stream")
    options: LibxcOptions = u16(doc="byte order of what follows", default=LibxcOptions(0))
    pad = reserved(6)

    def check(self) -> Iterable[Problem]:
        """Check that marker, identity and version are known."""
        yield from _must_be("marker", self.marker, LIBXC_MARKER, "a libxc stream")
        yield from _must_be("id", self.id, LIBXC_ID, "a libxc stream")
        yield from _version("libxc", self.version, LIBXC_VERSIONS)


class LibxcDomainHeader(Body):
    """The 16 bytes after the libxc image header, in the stream's byte order."""

    type: GuestType = u32(doc="kind of guest")
    page_shift: int = u16(
        doc="size of a page, as a power of two", minimum=12, maximum=12, default=12
    )
    pad = reserved(2)
    xen_major: int = u32(doc="major version of the Xen that saved; 0: converted")
    xen_minor: int = u32(doc="its minor version; where converted, the converter's version")

    def summary(self) -> Mapping[str, str]:
        """Return who wrote the stream."""
        if self.xen_major:
            return {"saved by": f"Xen {self.xen_major}.{self.xen_minor}"}
        return {"converted": f"from a legacy stream, by version {self.xen_minor} of the converter"}


def _version(name: str, actual: int, known: tuple[int, ...]) -> Iterable[Problem]:
    if actual not in known:
        yield Problem(
            "field-out-of-range",
            f"version {actual} of the {name} stream is not known",
            field="version",
            expected=" or ".join(str(version) for version in known),
            actual=actual,
            errno=Errno.EOPNOTSUPP,
        )
