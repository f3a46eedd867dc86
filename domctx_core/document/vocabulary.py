"""The keys of an image's JSON document, once: each with the JSON Schema of its value.

Below them are the objects that the documents of `decode` and `show --json` have in common. To add a
key is to add it to a table here and to what writes it; the schema and `encode` know it then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from domctx_core.base.errors import PluginError
from domctx_core.base.text import json_integer
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.binary import HEX
from domctx_core.layout.kinds.scalars import INTEGER_TEXT
from domctx_core.reader.record import OpenContainer, Record
from domctx_core.reader.walker import MAX_DEPTH

__all__ = [
    "CONTAINER",
    "CONTAINER_PATH",
    "COUNT",
    "DOCUMENT",
    "FIELDS_ONLY",
    "FINDINGS",
    "INSIDE",
    "LINE",
    "LINES",
    "NULL",
    "RECORD",
    "SCHEMA",
    "STRETCH",
    "STRETCHES",
    "Properties",
    "body_json",
    "container_json",
    "header_json",
    "record_head",
    "record_provider",
    "stretch_json",
]

SCHEMA = "domctx.image/1"
"""The schema of the document."""

LINES = "domctx.lines/1"
"""The schema of the same document with a line for each of its parts."""

Properties = dict[str, Any]
"""The keys of a JSON object, each with the JSON Schema of its value."""

COUNT: Properties = {"anyOf": [{"type": "integer", "minimum": 0}, INTEGER_TEXT]}
NULL: Properties = {"type": "null"}
CONTAINER_PATH: Properties = {
    "description": "formats from the outside in",
    "type": "array",
    "items": {"type": "string"},
    "minItems": 1,
    "maxItems": MAX_DEPTH,
}

DOCUMENT: Properties = {"schema": {"const": SCHEMA}, "path": {"type": "string"}, "size": COUNT}
"""Keys of the document beside those of its outermost container."""

FINDINGS: Properties = {"findings": {"type": "array", "items": {"type": "object"}}}
"""The key of the document that follows all others."""

LINE: Properties = {
    "schema": {"const": LINES},
    "size": COUNT,
    "container": CONTAINER_PATH,
    "offset": COUNT,
}
"""Keys of a container's line before those of the container."""

CONTAINER: Properties = {
    "format": {"type": "string"},
    "format_version": COUNT,
    "byteorder": {"enum": ["little", "big"]},
    "resumed": {"type": "boolean"},
    "header": {"type": "object"},
    "header_raw": HEX,
}
"""Keys of a container that precede what is in it."""

STRETCHES: Properties = {
    "trailing": {"$ref": "#/$defs/stretch"},
    "unframed": {"$ref": "#/$defs/stretch"},
}
"""Keys of the bytes of a container that are in no record."""

INSIDE: Properties = {
    "records": {"type": "array", "items": {"$ref": "#/$defs/record"}},
    "content": {"$ref": "#/$defs/container"},
    **STRETCHES,
}
"""Keys of what is in a container."""

STRETCH: Properties = {
    "offset": COUNT,
    "length": COUNT,
    "raw": HEX,
    "omitted": {"type": "boolean"},
}
"""Keys of bytes that are in no record, or too many to be held."""

RECORD: Properties = {
    "index": COUNT,
    "offset": COUNT,
    "type": {
        "description": "type code, or the name",
        "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}],
    },
    "name": {"anyOf": [{"type": "string"}, NULL]},
    "instance": COUNT,
    "length": {"description": "bytes of the body"} | COUNT,
    "padding": {"description": "bytes of padding"} | COUNT,
    "padding_raw": HEX,
    "header_raw": HEX,
    "body": {"anyOf": [{"type": "object"}, NULL]},
    "raw": HEX,
    "raw_truncated": {"const": True},
    "rest": {"$ref": "#/$defs/stretch"},
    "provider": {
        "anyOf": [
            {
                "type": "object",
                "properties": {"dist": {"type": "string"}, "version": {"type": "string"}},
                "required": ["dist", "version"],
            },
            NULL,
        ]
    },
    "content": {"$ref": "#/$defs/container"},
}
"""Keys of a record."""

FIELDS_ONLY = frozenset(
    ("index", "offset", "type", "name", "instance", "length", "padding", "body", "provider")
)
"""Keys of a record whose fields give back all of its bytes: it is decoded and encoded quickly."""


def container_json(level: OpenContainer, resumed: bool) -> dict[str, Any]:
    """Return the keys of a container that precede what is in it."""
    obj: dict[str, Any] = {
        "format": level.format.name,
        "format_version": level.framing.version,
        "byteorder": level.framing.byteorder,
    }
    if resumed:
        obj["resumed"] = True
    if level.prologue:
        obj["header"] = header_json(body for _, body in level.prologue)
    return obj


def header_json(prologue: Iterable[Body]) -> dict[str, Any]:
    """Return the fields of all bodies before the first record, as one object."""
    return {name: value for body in prologue for name, value in body.to_json().items()}


def stretch_json(offset: int, length: int, raw: bytes | memoryview | None = None) -> dict[str, Any]:
    """Return bytes that are in no record or too many to be held, given by their place or in hex."""
    obj: dict[str, Any] = {"offset": json_integer(offset), "length": json_integer(length)}
    if raw is not None:
        obj["raw"] = raw.hex()
    return obj


def body_json(body: Body) -> dict[str, Any]:
    """Return a body as JSON has it; raise if a plugin returns what is no JSON."""
    obj = body.to_json()
    json.dumps(obj)
    return obj


def record_head(record: Record) -> dict[str, Any]:
    """Return the keys of a record that precede its body."""
    obj: dict[str, Any] = {
        "index": record.index,
        "offset": record.offset,
        "type": record.type,
        "name": record.name,
    }
    if record.instance is not None:
        obj["instance"] = record.instance
    obj["length"] = json_integer(record.length)
    obj["padding"] = record.padding
    if record.complete and record.padding_raw.strip(b"\0"):
        obj["padding_raw"] = record.padding_raw.hex()
    return obj


def record_provider(record: Record) -> dict[str, str] | None:
    """Return who provides the record's type; None if there is no provider, or more than one."""
    try:
        return None if record.entry is None else record.entry.provider.to_json()
    except PluginError:
        return None
