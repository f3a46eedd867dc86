"""Images as JSON: any input of a known format as one nested document, read without a domain.

The walker's flat events are what is read. Here is what the document of `show --json` and that of
`decode` have in common; the latter, which loses nothing, is made in `document`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from domctx_core.base.errors import PLUGIN_ERRORS, PluginError
from domctx_core.base.problems import Finding
from domctx_core.base.text import json_integer
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.scalars import HEX, INTEGER_TEXT
from domctx_core.reader.events import KEPT, Closed, Event, Fault, Level, Opened, Record, Trailing
from domctx_core.reader.sources import Source
from domctx_core.reader.walker import MAX_DEPTH
from domctx_core.verification.verifier import Verifier

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
    "Nest",
    "Properties",
    "body_json",
    "container_json",
    "image_json",
    "prologue_json",
    "record_head",
    "record_json",
    "record_provider",
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


def image_json(
    events: Iterable[Event],
    verifier: Verifier,
    *,
    path: str,
    source: Source | None = None,
    keep: Callable[[Record], bool] = lambda record: True,
    raw_limit: int | None = KEPT,
) -> dict[str, Any]:
    """The document of `show --json`.

    `source` is asked for the input's size, which a fault may hide from the events. `keep` chooses
    records; a container is kept whatever it holds. Raw bytes are cut after
    `raw_limit` bytes (None: never), and say so.
    """
    nest = Nest()
    findings: list[Finding] = []
    size = 0
    for event in events:
        findings += verifier.see(event)
        match event:
            case Opened(level, resumed):
                nest.container(level, container_json(level, resumed))
                reach = level.offset
            case Record():
                if keep(event) or event.content is not None:
                    nest.record(event.level, record_json(event, raw_limit=raw_limit))
                reach = event.body_offset + event.available
            case Trailing(level, offset, length, raw):
                limit = KEPT if raw_limit is None else raw_limit
                shown = {"offset": offset, "length": length, "raw": raw[:limit].hex()}
                nest.nodes[level]["trailing"] = shown
                reach = offset + length
            case Fault(level, finding):
                if level is not None and level not in nest.nodes:
                    nest.container(level, container_json(level, False))
                reach = finding.offset
            case Closed(_, offset):
                reach = offset
        size = max(size, reach)
    return {
        "schema": SCHEMA,
        "path": path,
        **nest.root,
        "size": size if source is None else source.end(),
        "findings": [finding.to_json() for finding in findings],
    }


class Nest:
    """Puts containers and records in each other, in the order in which they come."""

    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self.nodes: dict[Level, dict[str, Any]] = {}
        self._last: dict[str, Any] = {}

    def container(self, level: Level, shown: dict[str, Any]) -> None:
        """A container begins: the outermost, that of the last record, or what follows a header."""
        node = shown | {"records": []}
        if level.parent is not None:
            self._last["content"] = node
        elif not self.root:
            self.root = node
        else:  # it follows a format that has no records of its own
            next(n for n in reversed(self.nodes.values()) if "content" not in n)["content"] = node
        self.nodes[level] = node

    def record(self, level: Level, shown: dict[str, Any]) -> None:
        """The next record of a container."""
        self.nodes[level]["records"].append(shown)
        self._last = shown


def container_json(level: Level, resumed: bool) -> dict[str, Any]:
    """What is said of a container before its records."""
    shown: dict[str, Any] = {
        "format": level.format.name,
        "format_version": level.framing.version,
        "byteorder": level.framing.byteorder,
    }
    if resumed:
        shown["resumed"] = True
    if level.prologue:
        shown["header"] = prologue_json(level)
    return shown


def prologue_json(level: Level) -> dict[str, Any]:
    """The fields of all bodies before the first record, as one object."""
    merged: dict[str, Any] = {}
    for _, body in level.prologue:
        merged |= body.to_json()
    return merged


def record_json(record: Record, *, raw_limit: int | None = KEPT) -> dict[str, Any]:
    """One record as `show --json` has it, without nested content."""
    body, raw = None, True
    try:
        decoded = record.decoded
        if decoded is not None and decoded.body is not None:
            body = body_json(decoded.body)
            if record.bulk:  # only the head is decoded: whoever encodes needs the bytes, no other
                raw = raw_limit is None
            else:
                again = decoded.body.to_bytes(record.level.framing.byteorder, check=False)
                raw = again != record.raw()
    except PLUGIN_ERRORS:  # the verifier says so; what can be shown is shown
        pass
    shown = record_head(record)
    shown["body"] = body
    if raw:
        kept = record.raw(raw_limit)
        shown["raw"] = kept.hex()
        if len(kept) < min(record.length, record.available):
            shown["raw_truncated"] = True
    shown["provider"] = record_provider(record)
    return shown


def body_json(body: Body) -> dict[str, Any]:
    """A body as JSON has it; raises where a plugin gives what is none."""
    made = body.to_json()
    json.dumps(made)
    return made


def record_head(record: Record) -> dict[str, Any]:
    """What is said of a record before its body."""
    shown: dict[str, Any] = {"index": record.index, "offset": record.offset, "type": record.type}
    shown["name"] = record.name
    if record.instance is not None:
        shown["instance"] = record.instance
    shown["length"] = json_integer(record.length)
    shown["padding"] = record.padding
    if record.complete and record.padding_raw.strip(b"\0"):
        shown["padding_raw"] = record.padding_raw.hex()
    return shown


def record_provider(record: Record) -> dict[str, str] | None:
    """Who provides the record's type; None where nobody does, or more than one."""
    try:
        return None if record.entry is None else record.entry.provider.to_json()
    except PluginError:
        return None
