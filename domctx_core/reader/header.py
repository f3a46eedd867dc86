"""Read record headers, by the `Body` that a format declares for them."""

from __future__ import annotations

from functools import lru_cache

from domctx_core.base.errors import DeclarationError
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ORDERS, ByteOrder

__all__ = ["Header", "header_of"]


BodyClass = type[Body]  # for classes with an attribute `type`, which hides the builtin


class Header:
    """Reads the header of each record of one container."""

    def __init__(self, body: type[Body], byteorder: ByteOrder) -> None:
        layout = body.__layout__
        group = layout.sole_group
        names = [field.name for field in layout.fields]
        self._instance = names.index("instance") if "instance" in names else None
        if group is None or {"type", "length"} - set(names):
            raise DeclarationError(
                f"{body.__name__} cannot be a record header",
                expected="integers of fixed size, among them `type` and `length`",
                actual=", ".join(names),
            )
        self.size = group.size
        self._struct = group.structs[layout.order or ORDERS[byteorder]]
        self._type, self._length = names.index("type"), names.index("length")
        self.byteorder: ByteOrder = "big" if self._struct.format[0] == ">" else "little"
        #: The fields in their order, with the bytes that each takes.
        self.fields = [(field.name, field.kind.size or 0) for field in layout.fields]
        places = {
            name: slice(offset, offset + size)
            for (name, size), offset in zip(self.fields, group.offsets, strict=True)
        }
        #: Where in the header the instance is; None where there is none.
        self.instance = places.get("instance")
        #: The same as a column of numbers: its `struct` code, offset and byte order.
        self.instance_column: tuple[str, int, ByteOrder] | None = None
        if self.instance is not None:
            code = "BHIQ"[(self.instance.stop - self.instance.start).bit_length() - 1]
            self.instance_column = code, self.instance.start, self.byteorder
        self.instance_offset = None if self.instance is None else self.instance.start
        self.length_offset = places["length"].start
        type_ = places["type"]
        #: Where in the header the lowest byte of the type code is.
        self.lowest_of_type = type_.start if self.byteorder == "little" else type_.stop - 1

    def read(self, raw: bytes | bytearray | memoryview) -> tuple[int, int | None, int]:
        """Return type, instance and length of a record that begins with `raw`."""
        row = self._struct.unpack_from(raw)
        instance = None if self._instance is None else row[self._instance]
        return row[self._type], instance, row[self._length]


@lru_cache(maxsize=64)
def header_of(body: type[Body], byteorder: ByteOrder) -> Header:
    """Return the reader of headers of a class; raise `DeclarationError` for no header class."""
    return Header(body, byteorder)
