"""Generate JSON Schemas (draft 2020-12) of documents, their lines and each record type.

They describe what `decode` and `show --json` print and what `encode` accepts: numbers may be in
strings, and what can be computed may be left out.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterable, Iterator
from typing import Any

from domctx_core.base.errors import PLUGIN_ERRORS, PluginError
from domctx_core.document.vocabulary import (
    CONTAINER,
    CONTAINER_PATH,
    DOCUMENT,
    FINDINGS,
    INSIDE,
    LINE,
    LINES,
    NULL,
    RECORD,
    SCHEMA,
    STRETCH,
    STRETCHES,
)
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import LONGEST_INTEGER
from domctx_core.layout.kinds.scalars import Int
from domctx_core.model.format import Format
from domctx_core.model.formats import Formats
from domctx_core.model.record_type import all_bodies
from domctx_core.model.registry import Entry, Registry
from domctx_core.reader.walker import MAX_DEPTH

__all__ = ["image_schema", "line_schema", "record_schema"]

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_COMMON: dict[str, Any] = {
    "integer": {
        "description": "an integer in a string, decimal or hexadecimal",
        "type": "string",
        "pattern": "^-?([0-9]+|0[xX][0-9a-fA-F]+)$",
        "maxLength": LONGEST_INTEGER,
    },
    "hex": {
        "description": "bytes, two hex digits each, perhaps with blanks between them",
        "type": "string",
        "pattern": r"^[ \t-\r]*([0-9a-fA-F]{2}[ \t-\r]*)*$",
    },
    "stretch": {
        "description": "bytes in hex, or by their place in the input, or left out",
        "type": "object",
        "properties": STRETCH,
        "anyOf": [{"required": ["raw"]}, {"required": ["length"]}],
        "additionalProperties": False,
    },
    "record": {
        "type": "object",
        "properties": RECORD,
        "allOf": [
            {"anyOf": [{"required": ["type"]}, {"required": ["name"]}]},
            {
                "anyOf": [
                    {"required": ["body"], "properties": {"body": {"type": "object"}}},
                    {"required": ["raw"]},
                    {"required": ["content"]},
                    {"required": ["rest"]},
                ]
            },
        ],
        "additionalProperties": False,
    },
}

_ANY_STRETCH = [{"required": [key]} for key in STRETCHES]
_ANY_INSIDE = [{"required": [key]} for key in INSIDE]

_SEEDS = 8
"""Example headers that are tried to find all bodies of a prologue."""


def image_schema(formats: Formats) -> dict[str, Any]:
    """Return the schema of a document with every record type that can be used; imports them all."""
    defs = dict(_COMMON)
    by_format = [
        _if_format(
            name, {"records": {"items": {"$ref": f"#/$defs/{name}"}}, "header": _header(format)}
        )
        for name, format in _define_formats(formats, defs)
    ]
    defs["container"] = {
        "type": "object",
        "properties": CONTAINER | INSIDE,
        "required": ["format"],
        "anyOf": _ANY_INSIDE,
        "allOf": by_format,
        "additionalProperties": False,
    }
    return {
        "$schema": DRAFT,
        "title": SCHEMA,
        "type": "object",
        "properties": {
            **DOCUMENT,
            **CONTAINER,
            **INSIDE,
            "resumed": {"const": False},
            **FINDINGS,
        },
        "required": ["schema", "format"],
        "anyOf": _ANY_INSIDE,
        "allOf": by_format,
        "additionalProperties": False,
        "$defs": defs,
    }


def record_schema(formats: Formats, known: Iterable[tuple[Registry, Entry]]) -> dict[str, Any]:
    """Return the schema of a record of any of these types.

    Raises `PluginError` if a type cannot be used.
    """
    record = _COMMON["record"]
    content = {"content": {"type": "object"}}
    return _records_schema(formats, known, record | {"properties": record["properties"] | content})


def line_schema(
    formats: Formats, known: Iterable[tuple[Registry, Entry]] | None = None
) -> dict[str, Any]:
    """Return the schema of one line of `decode --jsonl`: a container's, a record's or other bytes'.

    With `known`, that of the lines of records of these types; raises as `record_schema` does.
    """
    if known is not None:
        return _records_schema(formats, known, _line_record())
    defs = _COMMON | {"record": _line_record()}
    names = _define_formats(formats, defs)
    defs["container"] = {
        "type": "object",
        "properties": LINE | CONTAINER,
        "required": ["container", "format"],
        "allOf": [_if_format(name, {"header": _header(format)}) for name, format in names],
        "additionalProperties": False,
    }
    defs["bytes"] = {
        "type": "object",
        "properties": {"container": CONTAINER_PATH, **STRETCHES},
        "required": ["container"],
        "additionalProperties": False,
    }
    inside = [{"if": _inside(name), "then": {"$ref": f"#/$defs/{name}"}} for name, _ in names]
    return {
        "$schema": DRAFT,
        "title": LINES,
        "if": {"required": ["format"]},
        "then": {"$ref": "#/$defs/container"},
        "else": {
            "if": {"anyOf": _ANY_STRETCH},
            "then": {"$ref": "#/$defs/bytes"},
            "else": {"allOf": [{"$ref": "#/$defs/record"}, *inside]},
        },
        "$defs": defs,
    }


def _line_record() -> dict[str, Any]:
    """Return the schema of a record on its own line; its content is on the lines after it."""
    record = _COMMON["record"]
    properties = {key: value for key, value in record["properties"].items() if key != "content"}
    return {
        **record,
        "properties": {"container": CONTAINER_PATH, **properties},
        "required": ["container"],
        "allOf": record["allOf"][:1],
    }


def _inside(format: str) -> dict[str, Any]:
    """Return the schema of a line that belongs to a container of `format`, the last it names."""
    last = [
        {
            "prefixItems": [{}] * depth + [{"const": format}],
            "minItems": depth + 1,
            "maxItems": depth + 1,
        }
        for depth in range(MAX_DEPTH)
    ]
    return {"properties": {"container": {"anyOf": last}}, "required": ["container"]}


def _define_formats(formats: Formats, defs: dict[str, Any]) -> list[tuple[str, Format]]:
    """Define the records of each format under its name, and return the formats that can be used."""
    usable = []
    for registry in map(formats.registry, formats.names()):
        try:
            format = formats.get(registry.format)
        except PluginError:  # no tool goes into its containers
            continue
        entries = [entry for entry in registry if _usable(entry)]
        for entry in entries:
            defs[_key(registry, entry)] = _of_type(entry, format)
        defs[registry.format] = _of_format(registry, format, entries)
        usable.append((registry.format, format))
    return usable


def _if_format(name: str, then: dict[str, Any]) -> dict[str, Any]:
    """Return the schema that a container of one format has to fit, too."""
    given = {"properties": {"format": {"const": name}}, "required": ["format"]}
    return {"if": given, "then": {"properties": then}}


def _records_schema(
    formats: Formats, known: Iterable[tuple[Registry, Entry]], record: dict[str, Any]
) -> dict[str, Any]:
    """Return the schema of records of these types, where `record` is that of any record."""
    defs = _COMMON | {"record": record}
    keys = []
    for registry, entry in known:
        entry.record_type  # noqa: B018  # one that cannot be used is an error here
        keys.append(_key(registry, entry))
        defs[keys[-1]] = _of_type(entry, formats.get(registry.format))
    refs = [{"allOf": [{"$ref": "#/$defs/record"}, {"$ref": f"#/$defs/{key}"}]} for key in keys]
    whole = refs[0] if len(refs) == 1 else {"anyOf": refs}
    return {"$schema": DRAFT, "title": ", ".join(keys), **whole, "$defs": defs}


def _key(registry: Registry, entry: Entry) -> str:
    return f"{registry.format}.{entry.name}"


def _usable(entry: Entry) -> bool:
    try:
        return entry.record_type is not None
    except PluginError:
        return False


def _of_type(entry: Entry, format: Format) -> dict[str, Any]:
    """Return the schema that a record of one type has to fit beyond that of any record."""
    record_type = entry.record_type
    properties: dict[str, Any] = {
        "type": {"enum": [entry.code, str(entry.code), hex(entry.code), entry.name]},
        "name": {"enum": [entry.name, None]},
    }
    properties |= _numbers(format)
    if properties["instance"] is not False and record_type.instances.limit is not None:
        limit = f"below {record_type.instances.limit}, or the record is not valid"
        properties["instance"] = {"description": limit} | properties["instance"]
    bodies = [body.__layout__.schema() for body in all_bodies(record_type)]
    properties["body"] = {"anyOf": [*bodies, NULL]}
    if record_type.content is None:
        properties["content"] = False
    doc = inspect.getdoc(record_type.body) or ""
    return {"title": entry.name, "description": doc.partition("\n\n")[0], "properties": properties}


def _of_format(registry: Registry, format: Format, entries: Iterable[Entry]) -> dict[str, Any]:
    """Return the schema of a record of one format, which depends on its type or name."""
    cases = []
    for entry in entries:
        given = [
            {"properties": {"type": {"enum": [entry.code, entry.name]}}, "required": ["type"]},
            {"properties": {"name": {"const": entry.name}}, "required": ["name"]},
        ]
        cases.append({"if": {"anyOf": given}, "then": {"$ref": f"#/$defs/{_key(registry, entry)}"}})
    return {"allOf": [{"$ref": "#/$defs/record"}, {"properties": _numbers(format)}, *cases]}


def _numbers(format: Format) -> dict[str, Any]:
    """Return the schemas of the numbers that a record's header has to hold."""
    known = {} if format.header is None else format.header.__layout__.by_name
    fields = {name: known[name].kind for name in ("instance", "length") if name in known}
    numbers = {name: kind.schema() for name, kind in fields.items() if isinstance(kind, Int)}
    return {"instance": False} | numbers


def _header(format: Format) -> dict[str, Any]:
    """Return the schema of the fields of all bodies that can precede the first record."""
    properties: dict[str, Any] = {}
    for body in _prologue(format):
        properties |= body.__layout__.schema()["properties"]
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _prologue(format: Format) -> Iterator[type[Body]]:
    """Find the bodies of a prologue; which ones follow the first may depend on its fields."""
    met: list[type[Body]] = []
    for seed in range(_SEEDS):
        rng = random.Random(seed)
        bodies: list[Body] = []
        try:
            while (step := format.prologue(bodies)) is not None and len(bodies) < _SEEDS:
                if step[0] not in met:
                    met.append(step[0])
                bodies.append(step[0].example(rng))
        except PLUGIN_ERRORS:
            continue
    return iter(met)
