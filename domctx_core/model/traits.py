"""Plain records: a header of numbers and a body that has nothing to do with what is around it.

They can be taken and made many at once, without looking at each for what it may hold or announce.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from domctx_core.layout.kinds.base import ORDERS, ByteOrder
from domctx_core.layout.kinds.scalars import Int
from domctx_core.model.format import Format
from domctx_core.model.record_type import RecordType

__all__ = ["PlainHeader", "plain_header"]


class PlainHeader(NamedTuple):
    """The names of a header's fields, and what `struct` calls them with their byte order."""

    names: tuple[str, ...]
    codes: str


def plain_header(
    format: Format, byteorder: ByteOrder, record_type: RecordType[Any]
) -> PlainHeader | None:
    """The header of a type's records, where they are plain; None where they are not."""
    if format.header is None:
        return None
    layout = format.header.__layout__
    kinds = [field.kind for field in layout.fields]
    numbers = [kind for kind in kinds if type(kind) is Int and not kind.enum]
    names = tuple(field.name for field in layout.fields)
    special = record_type.bulk or record_type.suspends or record_type.remembered
    if (
        special
        or record_type.content is not None
        or record_type.depends
        or len(numbers) < len(kinds)
        or not {"type", "length"} <= set(names) <= {"type", "instance", "length"}
    ):
        return None
    order = layout.order or ORDERS[byteorder]
    return PlainHeader(names, order + "".join(kind.code for kind in numbers))
