"""Canonical bytes: what headers and bodies in JSON are encoded to if nothing else is given.

Encoding writes them; decoding compares them with the input and keeps, in hex, what differs.
"""

from __future__ import annotations

from typing import Any

from domctx_core.base.errors import PLUGIN_ERRORS
from domctx_core.base.text import suggestion
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ByteOrder, JsonError
from domctx_core.model.format import HEAD_SIZE, Format

__all__ = ["canonical_body", "canonical_header", "header_values", "prologue_bytes"]


def prologue_bytes(
    format: Format, byteorder: ByteOrder | None, header: dict[str, Any]
) -> tuple[list[tuple[Body, bytes]], list[tuple[str, str]]]:
    """Return the bodies before the first record, each with its bytes, and faults: (field, message).

    `header` has the fields of all of them. Raises what the format's own code raises.
    """
    bodies: list[tuple[Body, bytes]] = []
    left = dict(header)
    order: ByteOrder = byteorder or "little"
    while (step := format.prologue([body for body, _ in bodies])) is not None:
        kind, length = step
        layout = kind.__layout__
        own = {name: left.pop(name) for name in layout.by_name if name in left}
        try:
            body = layout.from_json(own)
        except JsonError as error:
            return bodies, list(error.faults())
        raw = body.to_bytes(order, check=False)
        if len(raw) != length:
            return bodies, [("", f"the {kind.__name__} has {len(raw)} bytes, but the fields before it"
                           f" give {length}")]  # fmt: skip
        bodies.append((body, raw))
        order = format.byteorder(b"".join(part for _, part in bodies)[:HEAD_SIZE])
    known = [name for body, _ in bodies for name in type(body).__layout__.by_name]
    return bodies, [(name, f"unknown field{suggestion(name, known)}") for name in left]


def header_values(
    header: type[Body], type: int, instance: int | None, length: int
) -> dict[str, Any]:
    """Return the values of a record header's fields; zero for those that documents do not have."""
    values: dict[str, Any] = dict.fromkeys(header.__layout__.stored, 0)
    values |= {"type": type, "length": length}
    if "instance" in values:
        values["instance"] = instance
    return values


def canonical_header(
    header: type[Body], values: dict[str, Any], byteorder: ByteOrder
) -> bytes | None:
    """Return the bytes of a record header; None if a value does not fit its field."""
    try:
        raw: bytes = header(**values).to_bytes(byteorder, check=False)
        return raw
    except PLUGIN_ERRORS:
        return None


def canonical_body(body: type[Body], value: dict[str, Any], byteorder: ByteOrder) -> bytes | None:
    """Return the bytes that a body's JSON is encoded to; None if it cannot be encoded."""
    try:
        raw: bytes = body.__layout__.from_json(value).to_bytes(byteorder, check=False)
        return raw
    except (JsonError, *PLUGIN_ERRORS):
        return None
