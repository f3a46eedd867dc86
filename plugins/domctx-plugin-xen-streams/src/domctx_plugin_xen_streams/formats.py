"""The three containers of a saved domain: xl save file, libxl stream, libxc stream.

They lie in each other: an xl save file is a header and a libxl stream; the libxl stream's record
LIBXC_CONTEXT is followed by a whole libxc stream. Each is also read on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from domctx_core import Body, ByteOrder, Format, Framing
from domctx_plugin_xen_streams.headers import (
    LIBXC_ID,
    LIBXC_MARKER,
    LIBXL_IDENT,
    XL_BYTEORDER,
    XL_MAGIC,
    LibxcDomainHeader,
    LibxcImageHeader,
    LibxcOptions,
    LibxlHeader,
    LibxlOptions,
    StreamRecordHeader,
    XlHeader,
    XlMandatoryFlags,
    XlOptionalData,
)
from domctx_plugin_xen_streams.legacy import LibxcLegacy

__all__ = ["OPTIONAL", "Libxc", "Libxl", "Xl"]

OPTIONAL = 0x80000000
"""The bit of a type code that marks a record which a reader may ignore."""


def _sized(body: type[Body]) -> tuple[type[Body], int]:
    size = body.fixed_size()
    assert size is not None
    return body, size


class Xl(Format):
    """The file that `xl save` writes: a header, the domain's configuration, a libxl stream.

    It has no version number; `Framing.version` is 2 where a libxl stream (version 2) follows and
    1 for a legacy stream, which is not decoded.
    """

    name = "xl"
    title = "xl save file"

    def recognises(self, head: bytes) -> bool:
        """Recognise the format by its magic of 32 bytes."""
        return head.startswith(XL_MAGIC)

    def byteorder(self, head: bytes) -> ByteOrder:
        """Return the saver's byte order, shown by the field at offset 32; by default little-endian."""
        return "big" if head[32:36] == XL_BYTEORDER.to_bytes(4, "big") else "little"

    def prologue(self, bodies: Sequence[Body]) -> tuple[type[Body], int] | None:
        """Return the header, then as much optional data as it announces, which may be none."""
        if not bodies:
            return _sized(XlHeader)
        header = bodies[0]
        if len(bodies) == 1 and isinstance(header, XlHeader) and header.optional_data_len:
            return XlOptionalData, header.optional_data_len
        return None

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        """Return the framing of an xl file; a libxl stream follows, or a legacy one, as the flags say."""
        header = bodies[0]
        assert isinstance(header, XlHeader)
        modern = bool(header.mandatory_flags & XlMandatoryFlags.STREAM_V2)
        order, follows = self.byteorder(head), Libxl.name if modern else LibxcLegacy.name
        return Framing(order, 2 if modern else 1, follows)


class Libxl(Format):
    """The stream of libxl: libxc's stream and the state of the emulators."""

    name = "libxl"
    title = "libxl migration stream"
    header = StreamRecordHeader
    optional = OPTIONAL

    def recognises(self, head: bytes) -> bool:
        """Recognise the format by its identity, `LibxlFmt`."""
        return head.startswith(LIBXL_IDENT.to_bytes(8, "big"))

    def prologue(self, bodies: Sequence[Body]) -> tuple[type[Body], int] | None:
        """Return one header."""
        return None if bodies else _sized(LibxlHeader)

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        """Return the version and byte order that the header announces."""
        header = bodies[0]
        assert isinstance(header, LibxlHeader)
        big = header.options & LibxlOptions.BIG_ENDIAN
        return Framing("big" if big else "little", header.version)


class Libxc(Format):
    """The stream of libxc: memory, vCPUs and the rest of the guest's state."""

    name = "libxc"
    title = "libxc migration stream"
    header = StreamRecordHeader
    optional = OPTIONAL
    max_length: ClassVar[int] = 128 * 1024 * 1024

    def recognises(self, head: bytes) -> bool:
        """Recognise the format by the marker of 8 bytes and `XENF`."""
        return head.startswith(LIBXC_MARKER.to_bytes(8, "big") + LIBXC_ID.to_bytes(4, "big"))

    def byteorder(self, head: bytes) -> ByteOrder:
        """Return the byte order of the domain header, announced by the options at offset 16."""
        options = int.from_bytes(head[16:18], "big")
        return "big" if options & LibxcOptions.BIG_ENDIAN else "little"

    def prologue(self, bodies: Sequence[Body]) -> tuple[type[Body], int] | None:
        """Return the image header, then the domain header."""
        if len(bodies) == 2:
            return None
        return _sized(LibxcDomainHeader if bodies else LibxcImageHeader)

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        """Return the version and byte order that the image header announces."""
        header = bodies[0]
        assert isinstance(header, LibxcImageHeader)
        return Framing(self.byteorder(head), header.version)
