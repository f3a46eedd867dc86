"""Encode one record's header, body and padding, each checked against what the document gives."""

from __future__ import annotations

from typing import Any

from domctx_core.base.errors import PLUGIN_ERRORS, BodyError, PluginError
from domctx_core.base.text import excerpt, suggestion
from domctx_core.document.canonical import canonical_header, header_values
from domctx_core.document.encode.containers import EncodedContainer
from domctx_core.document.encode.values import DocumentReader, join_path, json_type
from domctx_core.layout.kinds.base import JsonError
from domctx_core.layout.kinds.scalars import Int
from domctx_core.model.record_type import RecordType, body_class
from domctx_core.model.registry import Entry
from domctx_core.model.wire import padding
from domctx_core.reader.splice import ByteRange, Chunk

__all__ = [
    "body_chunks",
    "check_held_alone",
    "find_type",
    "header_bytes",
    "padding_bytes",
    "remember",
    "usable",
]


def find_type(
    doc: DocumentReader, container: EncodedContainer, obj: dict[str, Any], path: str
) -> tuple[int | None, Entry | None]:
    """Return the type code of a record and its registry entry; None if there is a fault."""
    code, name = obj.get("type"), obj.get("name")
    registry = container.registry
    where = join_path(path, "type")
    by_name = code is None or (isinstance(code, str) and not code[:1].isdecimal())
    if by_name and code is not None and name is None:
        name = code
    elif by_name and code is not None and name != code:
        doc.fault(where, "type and name are different types", expected=excerpt(name),
                  actual=excerpt(code))  # fmt: skip
        return None, None
    if by_name and name is None:
        doc.fault(where, "the type is missing", expected="a type code or a name")
        return None, None
    if name is not None and not isinstance(name, str):
        doc.fault(join_path(path, "name"), "not a name", expected="text", actual=json_type(name))
        return None, None
    try:
        if by_name:
            entry = registry.find(str(name))
            if entry is None:
                known = [declared.name for declared in registry]
                doc.fault(where if code is not None else join_path(path, "name"),
                          f"no record type of {container.format.name} is called {name!r:.60}"
                          f"{suggestion(name, known)}", expected=", ".join(known))  # fmt: skip
                return None, None
            return entry.code, entry
        number = doc.integer(obj, "type", path)
        if number is None:
            return None, None
        entry = registry.get(number)
    except PluginError as error:
        if not by_name and obj.get("body") is None:  # bytes need no plugin
            return number, None
        doc.plugin_fault(where, error, "the type cannot be used")
        return None, None
    if entry is not None and name is not None and entry.name != name:
        doc.fault(join_path(path, "name"), f"type code {number} is another type",
                  expected=entry.name, actual=name,
                  hint="leave out `type` or `name`")  # fmt: skip
        return None, None
    return number, entry


def check_held_alone(doc: DocumentReader, obj: dict[str, Any], path: str) -> None:
    """Report a body that is given although the record's `content` is its body."""
    for key in ("body", "raw", "rest"):
        if obj.get(key) is not None:
            doc.fault(join_path(path, key), "`content` makes the body, and this is another one",
                      expected="null, or nothing", hint="keep one of the two")  # fmt: skip


def body_chunks(
    doc: DocumentReader,
    container: EncodedContainer,
    obj: dict[str, Any],
    path: str,
    entry: Entry | None,
    record_type: RecordType[Any] | None,
    broken: PluginError | None,
) -> list[Chunk]:
    """Encode a body that is given by its fields, as bytes, or both."""
    fields, raw = obj.get("body"), doc.hex(obj, "raw", path)
    where = join_path(path, "body")
    if fields is None:
        if raw is None and obj.get("raw") is None and "rest" not in obj:
            doc.fault(where, "the body is missing", expected="`body`, `raw` or `content`")
        return [raw or b""]
    if record_type is None:
        if broken is not None:
            doc.plugin_fault(where, broken, "the body cannot be encoded",
                             "give `raw` in place of it")  # fmt: skip
        else:
            doc.fault(where, "no plugin knows the type, and can say how its body is laid out",
                      expected="`raw`, or a plugin for the type",
                      actual=excerpt(obj.get("name") or obj.get("type")),
                      needs_plugin=True)  # fmt: skip
        return []
    try:
        kind = body_class(record_type, container.remembered)
        held = None
        if raw is not None:
            decoded = kind.inspect(raw, container.byteorder).body
            held = None if decoded is None else decoded.to_json()
            if held == fields:
                return [raw]
        made = kind.__layout__.from_json(fields)
        encoded = bytes(made.to_bytes(container.byteorder, check=False))
        if raw is None or encoded == raw:
            return [encoded]
        if held == made.to_json():
            return [raw]
    except JsonError as error:
        for name, message in error.faults():
            doc.fault(join_path(where, name) if name else where, message)
        return []
    except BodyError as error:
        doc.fault(join_path(where, error.field) if error.field else where, error.message,
                  expected=error.expected, actual=error.actual)  # fmt: skip
        return []
    except PLUGIN_ERRORS as error:
        doc.plugin_fault(where, error, f"encoding {record_type.name} failed")
        return []
    doc.fault(join_path(path, "raw"), "`body` and `raw` say different things",
              hint="`raw` is there since the fields do not hold all of it: remove it to have the"
              " edited fields encoded without what they do not hold, or edit `raw` and set"
              " `body` to null")  # fmt: skip
    return []


def header_bytes(
    doc: DocumentReader,
    container: EncodedContainer,
    obj: dict[str, Any],
    path: str,
    code: int,
    record_type: RecordType[Any] | None,
    length: int,
) -> bytes:
    """Encode the header of a record; what is given of it has to be right."""
    header = container.format.header
    assert header is not None
    given = doc.integer(obj, "length", path)
    if given is not None and given != length:
        doc.fault(join_path(path, "length"), "not the length of the body", expected=length,
                  actual=given, hint="leave it out, and it is computed")  # fmt: skip
    instance = doc.integer(obj, "instance", path)
    if "instance" not in header.__layout__.by_name:
        if instance is not None:
            doc.fault(join_path(path, "instance"), "records of this format have no instance")
    elif instance is None:
        if obj.get("instance") is None and not (
            record_type is not None and record_type.instances.limit == 1
        ):
            doc.fault(join_path(path, "instance"), "the instance is missing",
                      expected="a number")  # fmt: skip
        instance = 0
    values = header_values(header, code, instance, length)
    for name in ("type", "instance", "length"):
        field = header.__layout__.by_name.get(name)
        if field is not None and isinstance(field.kind, Int):
            highest = field.kind.highest
            if values[name] > highest:
                doc.fault(join_path(path, name), f"does not fit the header's {field.kind.label}",
                          expected=f"0 to {highest}", actual=values[name])  # fmt: skip
                return b""
    raw = doc.hex(obj, "header_raw", path)
    made = canonical_header(header, values, container.byteorder) or b""
    if raw is None:
        return made
    decoded = header.inspect(raw, container.byteorder).body
    if (
        len(raw) != len(made)
        or decoded is None
        or any(
            getattr(decoded, name) != values[name]
            for name in ("type", "instance", "length")
            if name in header.__layout__.by_name
        )
    ):
        doc.fault(join_path(path, "header_raw"), "does not say what the record says",
                  expected=made.hex(), actual=raw.hex(),
                  hint="leave it out, and the header is made")  # fmt: skip
    return raw


def padding_bytes(
    doc: DocumentReader, container: EncodedContainer, obj: dict[str, Any], path: str, length: int
) -> bytes:
    """Encode the padding of a body of `length` bytes."""
    size = padding(length, container.format.alignment)
    given = doc.integer(obj, "padding", path)
    if given is not None and given != size:
        doc.fault(join_path(path, "padding"), f"not what a body of {length} bytes is padded with",
                  expected=size, actual=given,
                  hint="leave it out, and it is computed")  # fmt: skip
    raw = doc.hex(obj, "padding_raw", path)
    if raw is not None and len(raw) != size:
        doc.fault(join_path(path, "padding_raw"), "not as long as the padding",
                  expected=f"{size} bytes", actual=f"{len(raw)} bytes")  # fmt: skip
    return bytes(size) if raw is None else raw


def remember(container: EncodedContainer, record_type: RecordType[Any], body: list[Chunk]) -> None:
    """Remember the body of a record that later ones depend on, as a reader would."""
    if not record_type.remembered or any(isinstance(chunk, ByteRange) for chunk in body):
        return
    try:
        kind = body_class(record_type, container.remembered)
        raw = b"".join(chunk for chunk in body if isinstance(chunk, bytes))
        decoded = kind.inspect(raw, container.byteorder).body
    except PLUGIN_ERRORS:
        return
    if decoded is not None:
        container.remembered = {**container.remembered, record_type.code: decoded}


def usable(entry: Entry | None) -> tuple[RecordType[Any] | None, PluginError | None]:
    """Return the record type of an entry, or the error if its plugin cannot be used."""
    if entry is None:
        return None, None
    try:
        return entry.record_type, None
    except PluginError as error:
        return None, error
