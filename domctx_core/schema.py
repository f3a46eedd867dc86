"""JSON Schemas (draft 2020-12) of documents and of each record type, made from the layouts.

They describe what `decode` and `show --json` print and what `encode` takes: numbers may be in
strings, and what can be computed may be left out.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterable, Iterator
from typing import Any

from domctx_core.errors import PLUGIN_FAULTS, PluginError
from domctx_core.formats import Format, Formats
from domctx_core.image import SCHEMA
from domctx_core.layout import Body
from domctx_core.layout.kinds import LONGEST_INTEGER
from domctx_core.layout.scalars import HEX, INTEGER_TEXT
from domctx_core.records import all_bodies
from domctx_core.registry import Entry, Registry

__all__ = ["image_schema", "record_schema"]

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_COUNT: dict[str, Any] = {"anyOf": [{"type": "integer", "minimum": 0}, INTEGER_TEXT]}
_NULL: dict[str, Any] = {"type": "null"}

_COMMON: dict[str, Any] = {
    "integer": {
        "description": "an integer in a string, decimal or hexadecimal",
        "type": "string",
        "pattern": "^-?([0-9]+|0[xX][0-9a-fA-F]+)$",
        "maxLength": LONGEST_INTEGER,
    },
    "hex": {
        "description": "bytes, two hex digits each",
        "type": "string",
        "pattern": "^([0-9a-fA-F]{2})*$",
    },
    "stretch": {
        "description": "bytes in hex, or by their place in the input, or left out",
        "type": "object",
        "properties": {
            "offset": _COUNT,
            "length": _COUNT,
            "raw": HEX,
            "omitted": {"type": "boolean"},
        },
        "anyOf": [{"required": ["raw"]}, {"required": ["length"]}],
        "additionalProperties": False,
    },
    "record": {
        "type": "object",
        "properties": {
            "index": _COUNT,
            "offset": _COUNT,
            "type": {
                "description": "type code, or the name",
                "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}],
            },
            "name": {"anyOf": [{"type": "string"}, _NULL]},
            "instance": _COUNT,
            "length": {"description": "bytes of the body"} | _COUNT,
            "padding": {"description": "bytes of padding"} | _COUNT,
            "padding_raw": HEX,
            "header_raw": HEX,
            "body": {"anyOf": [{"type": "object"}, _NULL]},
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
                    _NULL,
                ]
            },
            "content": {"$ref": "#/$defs/container"},
        },
        "anyOf": [{"required": ["type"]}, {"required": ["name"]}],
        "additionalProperties": False,
    },
}

_CONTAINER: dict[str, Any] = {
    "format": {"type": "string"},
    "format_version": _COUNT,
    "byteorder": {"enum": ["little", "big"]},
    "resumed": {"type": "boolean"},
    "header": {"type": "object"},
    "header_raw": HEX,
    "records": {"type": "array", "items": {"$ref": "#/$defs/record"}},
    "content": {"$ref": "#/$defs/container"},
    "trailing": {"$ref": "#/$defs/stretch"},
    "unframed": {"$ref": "#/$defs/stretch"},
}

_SEEDS = 8
"""Made-up headers that show what a prologue can consist of."""


def image_schema(formats: Formats) -> dict[str, Any]:
    """The schema of a whole document with every record type that can be used; imports them all."""
    defs = dict(_COMMON)
    by_format: list[dict[str, Any]] = []
    for registry in map(formats.registry, formats.names()):
        try:
            format = formats.get(registry.format)
        except PluginError:  # its containers are not gone into, by no tool
            continue
        entries = [entry for entry in registry if _usable(entry)]
        for entry in entries:
            defs[_key(registry, entry)] = _of_type(entry, format)
        defs[registry.format] = _of_format(registry, entries)
        then: dict[str, Any] = {
            "records": {"items": {"$ref": f"#/$defs/{registry.format}"}},
            "header": _header(format),
        }
        by_format.append(
            {
                "if": {
                    "properties": {"format": {"const": registry.format}},
                    "required": ["format"],
                },
                "then": {"properties": then},
            }
        )
    defs["container"] = {
        "type": "object",
        "properties": _CONTAINER,
        "required": ["format"],
        "allOf": by_format,
        "additionalProperties": False,
    }
    return {
        "$schema": DRAFT,
        "title": SCHEMA,
        "type": "object",
        "properties": {
            "schema": {"const": SCHEMA},
            "path": {"type": "string"},
            "size": _COUNT,
            **_CONTAINER,
            "findings": {"type": "array", "items": {"type": "object"}},
        },
        "required": ["schema", "format"],
        "allOf": by_format,
        "additionalProperties": False,
        "$defs": defs,
    }


def record_schema(formats: Formats, known: Iterable[tuple[Registry, Entry]]) -> dict[str, Any]:
    """The schema of records of these types, any one of them.

    Raises `PluginError` where a type cannot be used.
    """
    defs = {key: value for key, value in _COMMON.items() if key != "record"}
    defs["record"] = _COMMON["record"] | {
        "properties": _COMMON["record"]["properties"] | {"content": {"type": "object"}}
    }
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
    """What a record of one type has beyond what any record has."""
    record_type = entry.record_type
    properties: dict[str, Any] = {
        "type": {"enum": [entry.code, str(entry.code), hex(entry.code), entry.name]},
        "name": {"enum": [entry.name, None]},
    }
    header = format.header
    if header is not None and "instance" not in header.__layout__.by_name:
        properties["instance"] = False
    elif record_type.instances.limit is not None:
        said = f"below {record_type.instances.limit}, or the record is not valid"
        properties["instance"] = {"description": said}
    bodies = [body.__layout__.schema() for body in all_bodies(record_type)]
    properties["body"] = {"anyOf": [*bodies, _NULL]}
    if record_type.content is None:
        properties["content"] = False
    said = inspect.getdoc(record_type.body) or ""
    return {"title": entry.name, "description": said.partition("\n\n")[0], "properties": properties}


def _of_format(registry: Registry, entries: Iterable[Entry]) -> dict[str, Any]:
    """A record of one format, of any type: type or name say what else holds."""
    cases = []
    for entry in entries:
        told = [
            {"properties": {"type": {"enum": [entry.code, entry.name]}}, "required": ["type"]},
            {"properties": {"name": {"const": entry.name}}, "required": ["name"]},
        ]
        cases.append({"if": {"anyOf": told}, "then": {"$ref": f"#/$defs/{_key(registry, entry)}"}})
    return {"allOf": [{"$ref": "#/$defs/record"}, *cases]}


def _header(format: Format) -> dict[str, Any]:
    """The fields of all bodies that can come before the first record."""
    properties: dict[str, Any] = {}
    for body in _prologue(format):
        properties |= body.__layout__.schema()["properties"]
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _prologue(format: Format) -> Iterator[type[Body]]:
    """The bodies of a prologue; what comes after the first may depend on what that says."""
    met: list[type[Body]] = []
    for seed in range(_SEEDS):
        rng = random.Random(seed)
        bodies: list[Body] = []
        try:
            while (step := format.prologue(bodies)) is not None and len(bodies) < _SEEDS:
                if step[0] not in met:
                    met.append(step[0])
                bodies.append(step[0].example(rng))
        except PLUGIN_FAULTS:
            continue
    return iter(met)
