"""Encode records that are given by their fields and nothing else, without a body for each."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from domctx_core.base.errors import PLUGIN_ERRORS
from domctx_core.document.encode.containers import EncodedContainer
from domctx_core.document.encode.records import usable
from domctx_core.document.vocabulary import FIELDS_ONLY
from domctx_core.layout.codegen.json_codec import json_encoder
from domctx_core.layout.codegen.source import NotApplicable
from domctx_core.layout.kinds.base import ORDERS
from domctx_core.model.traits import batch_header
from domctx_core.model.wire import padding

__all__ = ["record_packer"]


def record_packer(
    container: EncodedContainer, code: int
) -> Callable[[dict[str, Any]], bytes] | None:
    """Return a function that packs records of a type; None if each of them has to be looked at.

    It raises one of `NOT_APPLICABLE` for a record that is not given by its fields alone, or not rightly.
    """
    try:
        entry = container.registry.get(code)
        record_type, _ = usable(entry)
        if record_type is None or entry is None:
            return None
        header = batch_header(container.format, container.byteorder, record_type)
        write = json_encoder(record_type.body.__layout__, ORDERS[container.byteorder])
        size = record_type.body.__layout__.size
    except PLUGIN_ERRORS:
        return None
    if header is None or "instance" not in header.names or write is None or size is None:
        return None
    names, codes = header
    pad = padding(size, container.format.alignment)
    whole = struct.Struct(f"{codes}{size}s{pad}x")
    place = names.index("instance")
    known = {"type": code, "instance": 0, "length": size}
    row: list[Any] = [*(known[name] for name in names), b""]

    def pack(obj: dict[str, Any]) -> bytes:
        if not obj.keys() <= FIELDS_ONLY or obj.get("name", entry.name) != entry.name:
            raise NotApplicable
        instance = obj["instance"]
        length, padding = obj.get("length", size), obj.get("padding", pad)
        if length != size or padding != pad:
            raise NotApplicable
        if not type(instance) is type(length) is type(padding) is int:
            raise NotApplicable
        row[place] = instance
        row[-1] = write(obj["body"])
        return whole.pack(*row)

    return pack
