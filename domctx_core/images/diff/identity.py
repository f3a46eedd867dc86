"""The fields that distinguish a record from others of its type and instance."""

from __future__ import annotations

from typing import Any

from domctx_core.base.errors import PLUGIN_ERRORS, InputOutputError
from domctx_core.images.diff.changes import Value
from domctx_core.images.diff.model import RecordPlace
from domctx_core.images.diff.parts import body_of
from domctx_core.reader.record import Record

__all__ = ["Identity", "identity_of", "place_of"]

Identity = tuple[Any, ...]
"""Values of the fields in `RecordType.identity`."""


def identity_of(record: Record) -> Identity:
    """Return the identity of a record; empty if its type names no fields, or it cannot be decoded.

    It is empty, too, if a plugin cannot be used: comparing the bodies reports that.
    """
    try:
        names = _names(record)
        body = body_of(record) if names else None
    except InputOutputError:
        raise
    except PLUGIN_ERRORS:
        return ()
    return () if body is None else tuple(getattr(body, name) for name in names)


def place_of(record: Record, identity: Identity) -> RecordPlace:
    """Return what a record with this identity is and where it is."""
    fields = []
    if identity and record.body_class is not None:
        known = record.body_class.__layout__.by_name
        for name, value in zip(_names(record), identity, strict=True):
            kind = known[name].kind
            fields.append((name, Value(kind.to_json(value), kind.text(value), None)))
    return RecordPlace(
        record.type,
        record.name,
        record.instance,
        record.index,
        record.offset,
        record.length,
        tuple(fields),
    )


def _names(record: Record) -> tuple[str, ...]:
    return () if record.entry is None else record.entry.record_type.identity
