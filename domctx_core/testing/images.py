"""`ImageBuilder`: images built record by record, right or wrong on purpose."""

from __future__ import annotations

from typing import Self

from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.builtin import Start
from domctx_core.model.wire import pack_header, padding

__all__ = ["ImageBuilder"]


class ImageBuilder:
    """Builds a domain context image::

        image = ImageBuilder().start().record(0x100, 0, MyBody(value=3)).end().build()

    Nothing is checked: `length`, `pad` and the order of the calls are up to the caller.
    """

    def __init__(self, byteorder: ByteOrder = "little") -> None:
        self.byteorder = byteorder
        self._image = bytearray()

    def record(
        self,
        code: int,
        instance: int,
        body: Body | bytes = b"",
        *,
        length: int | None = None,
        pad: bytes | None = None,
    ) -> Self:
        """Append a record; `length` and `pad` replace the correct ones."""
        raw = body.to_bytes(self.byteorder, check=False) if isinstance(body, Body) else body
        size = len(raw) if length is None else length
        self._image += pack_header(code, instance, size, self.byteorder)
        self._image += raw + (bytes(padding(len(raw))) if pad is None else pad)
        return self

    def start(self, major: int = 4, minor: int = 17) -> Self:
        """Append START."""
        return self.record(1, 0, Start(xen_major=major, xen_minor=minor))

    def end(self) -> Self:
        """Append END."""
        return self.record(0, 0)

    def raw(self, data: bytes) -> Self:
        """Append bytes as they are."""
        self._image += data
        return self

    def build(self) -> bytes:
        """Return the image."""
        return bytes(self._image)
