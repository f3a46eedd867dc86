"""Traits: may the records of a type be handled many at a time?

Each quick way asks here, so that a new class attribute of `RecordType` is judged in one place.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from domctx_core.layout.kinds.base import ORDERS, ByteOrder
from domctx_core.layout.kinds.scalars import Int
from domctx_core.model.format import Format
from domctx_core.model.record_type import RecordType

__all__ = ["BatchHeader", "Traits", "batch_header"]


class Traits(NamedTuple):
    """What the declaration of a record type means for code that handles many records at once.

    * `size`: bytes of every body, all of which are decoded; None if bodies differ in size;
    * `self_contained`: a record neither depends on records before it nor decides how those after
      it are read, and neither holds nor introduces another format;
    * `loadable`: the type has a load handler;
    * `judged`: the type has a `judge` of its own;
    * `trusted`: instances whose records are valid if their bodies are: `judge` accepts them.
    """

    size: int | None
    self_contained: bool
    loadable: bool
    judged: bool
    trusted: range

    @staticmethod
    def of(record_type: RecordType[Any]) -> Traits:
        """Return the traits of a record type, which are kept with it."""
        attributes = vars(record_type)
        traits: Traits | None = attributes.get("_traits")
        if traits is None:
            traits = attributes["_traits"] = _traits(record_type)
        return traits


def _traits(found: RecordType[Any]) -> Traits:
    limit = found.instances.limit
    trusted = range(1 << 32 if limit is None else limit)
    judged = getattr(found.judge, "__func__", None) is not RecordType.judge
    if judged:
        values = found.trusted_values or range(0)
        trusted = range(max(0, values.start), min(trusted.stop, values.stop))
    return Traits(
        size=None if found.depends or found.bulk else found.body.fixed_size(),
        self_contained=not (
            found.depends or found.remembered or found.suspends or found.content is not None
        ),
        loadable=found.loadable,
        judged=judged,
        trusted=trusted,
    )


class BatchHeader(NamedTuple):
    """The names of a header's fields, and their `struct` codes after that of the byte order."""

    names: tuple[str, ...]
    codes: str


def batch_header(
    format: Format, byteorder: ByteOrder, record_type: RecordType[Any]
) -> BatchHeader | None:
    """Return the header of a type whose records are read and written many at a time.

    None if each record of the type has to be looked at.
    """
    traits = Traits.of(record_type)
    if format.header is None or traits.size is None or not traits.self_contained:
        return None
    layout = format.header.__layout__
    numbers = [
        field.kind for field in layout.fields if type(field.kind) is Int and not field.kind.enum
    ]
    names = tuple(field.name for field in layout.fields)
    if len(numbers) < len(names) or not (
        {"type", "length"} <= set(names) <= {"type", "instance", "length"}
    ):
        return None
    order = layout.order or ORDERS[byteorder]
    return BatchHeader(names, order + "".join(kind.code for kind in numbers))
