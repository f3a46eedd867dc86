"""What tells a record from others of its type and instance, where its type says so."""

from __future__ import annotations

from typing import Any

from domctx_core.diff.model import RecordPlace, Value
from domctx_core.diff.parts import head_of
from domctx_core.errors import PLUGIN_FAULTS, InputOutputError
from domctx_core.layout import Body, Empty
from domctx_core.walker import Record

__all__ = ["identity_of", "place_of"]


def identity_of(record: Record) -> tuple[Any, ...]:
    """The values of the fields in `RecordType.identity`; empty where there are none to be had."""
    names, body = _identified(record)
    return tuple(getattr(body, name) for name in names)


def place_of(record: Record) -> RecordPlace:
    """What a record is and where it lies."""
    names, body = _identified(record)
    fields = []
    for name in names:
        kind, value = type(body).__layout__.by_name[name].kind, getattr(body, name)
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


_NOTHING: tuple[tuple[str, ...], Body] = (), Empty()


def _identified(record: Record) -> tuple[tuple[str, ...], Body]:
    """The fields that tell a record from others, and the body that has them.

    A plugin that cannot be used has none: what that means is said where bodies are compared.
    """
    try:
        names = () if record.entry is None else record.entry.record_type.identity
        if not names:
            return _NOTHING
        if record.bulk:
            body = head_of(record)
        else:
            body = None if record.decoded is None else record.decoded.body
    except InputOutputError:
        raise
    except PLUGIN_FAULTS:
        return _NOTHING
    return _NOTHING if body is None else (names, body)
