"""Encode one record's header, body and padding, each checked against what the document gives."""

from __future__ import annotations

from typing import Any

from domctx_core.base.errors import PLUGIN_ERRORS, BodyError, PluginError
from domctx_core.base.text import excerpt, suggestion
from domctx_core.document.canonical import canonical_header, header_values
from domctx_core.document.encode.containers import EncodedContainer
from domctx_core.document.encode.values import DocumentReader, ObjectReader, join_path, json_type
from domctx_core.layout.kinds.base import JsonError
from domctx_core.layout.kinds.scalars import Int
from domctx_core.model.record_type import RecordType, body_class
from domctx_core.model.registry import Entry
from domctx_core.model.wire import padding
from domctx_core.reader.splice import ByteRange, Chunk

__all__ = ["RecordEncoder", "usable"]


class RecordEncoder(ObjectReader):
    """Encodes one record of a container in parts.

    `code` is None if the document does not give the type rightly. `broken` is why the type's plugin
    cannot be used, if so.
    """

    def __init__(
        self, doc: DocumentReader, container: EncodedContainer, obj: dict[str, Any], path: str
    ) -> None:
        super().__init__(doc, obj, path)
        self.container = container
        self.code, self.entry = self._find_type()
        self.record_type, self.broken = usable(self.entry)

    def _find_type(self) -> tuple[int | None, Entry | None]:
        """Return the type code of the record and its registry entry; None if there is a fault."""
        obj, registry = self.obj, self.container.registry
        code, name = obj.get("type"), obj.get("name")
        by_name = code is None or (isinstance(code, str) and not code[:1].isdecimal())
        if by_name and code is not None and name is None:
            name = code
        elif by_name and code is not None and name != code:
            self.fault("type", "type and name are different types", expected=excerpt(name),
                       actual=excerpt(code))  # fmt: skip
            return None, None
        if by_name and name is None:
            self.fault("type", "the type is missing", expected="a type code or a name")
            return None, None
        if name is not None and not isinstance(name, str):
            self.fault("name", "not a name", expected="text", actual=json_type(name))
            return None, None
        if by_name:
            return self._find_name(str(name), "name" if code is None else "type")
        number = self.integer("type")
        if number is None:
            return None, None
        try:
            entry = registry.get(number)
        except PluginError as error:
            if obj.get("body") is None:  # bytes need no plugin
                return number, None
            self.doc.plugin_fault(join_path(self.path, "type"), error, "the type cannot be used")
            return None, None
        if entry is not None and name is not None and entry.name != name:
            self.fault("name", f"type code {number} is another type", expected=entry.name,
                       actual=name, hint="leave out `type` or `name`")  # fmt: skip
            return None, None
        return number, entry

    def _find_name(self, name: str, key: str) -> tuple[int | None, Entry | None]:
        """Do the same by the name of the type, which is the value of `key`."""
        registry = self.container.registry
        try:
            entry = registry.find(name)
        except PluginError as error:
            self.doc.plugin_fault(join_path(self.path, "type"), error, "the type cannot be used")
            return None, None
        if entry is not None:
            return entry.code, entry
        known = [declared.name for declared in registry]
        self.fault(key, f"no record type of {self.container.format.name} is called {name!r:.60}"
                   f"{suggestion(name, known)}", expected=", ".join(known))  # fmt: skip
        return None, None

    def check_held_alone(self) -> None:
        """Report a body that is given although the record's `content` is its body."""
        for key in ("body", "raw", "rest"):
            if self.obj.get(key) is not None:
                self.fault(key, "`content` makes the body, and this is another one",
                           expected="null, or nothing", hint="keep one of the two")  # fmt: skip

    def body(self) -> list[Chunk]:
        """Encode the body, which is given by its fields, as bytes, or both."""
        doc, obj = self.doc, self.obj
        fields, raw = obj.get("body"), self.hex("raw")
        where = join_path(self.path, "body")
        if fields is None:
            if raw is None and obj.get("raw") is None and "rest" not in obj:
                doc.fault(where, "the body is missing", expected="`body`, `raw` or `content`")
            return [raw or b""]
        if self.record_type is None:
            if self.broken is not None:
                doc.plugin_fault(where, self.broken, "the body cannot be encoded",
                                 "give `raw` in place of it")  # fmt: skip
            else:
                doc.fault(where, "no plugin knows the type, and can say how its body is laid out",
                          expected="`raw`, or a plugin for the type",
                          actual=excerpt(obj.get("name") or obj.get("type")),
                          needs_plugin=True)  # fmt: skip
            return []
        try:
            encoded = self._encode(self.record_type, fields, raw)
        except JsonError as error:
            for name, message in error.faults():
                doc.fault(join_path(where, name) if name else where, message)
        except BodyError as error:
            doc.fault(join_path(where, error.field) if error.field else where, error.message,
                      expected=error.expected, actual=error.actual)  # fmt: skip
        except PLUGIN_ERRORS as error:
            doc.plugin_fault(where, error, f"encoding {self.record_type.name} failed")
        else:
            if encoded is not None:
                return [encoded]
            self.fault("raw", "`body` and `raw` do not match",
                       hint="`raw` is there since the fields do not hold all of it: remove it to"
                       " have the edited fields encoded without what they do not hold, or edit"
                       " `raw` and set `body` to null")  # fmt: skip
        return []

    def _encode(self, record_type: RecordType[Any], fields: Any, raw: bytes | None) -> bytes | None:
        """Encode fields; return `raw` if the fields are those of it, and None if they are not."""
        byteorder = self.container.byteorder
        kind = body_class(record_type, self.container.remembered)
        held = None
        if raw is not None:
            decoded = kind.inspect(raw, byteorder).body
            held = None if decoded is None else decoded.to_json()
            if held == fields:
                return raw
        body = kind.__layout__.from_json(fields)
        encoded = bytes(body.to_bytes(byteorder, check=False))
        if raw is None or encoded == raw:
            return encoded
        return raw if held == body.to_json() else None

    def header(self, length: int) -> bytes:
        """Encode the header for a body of `length` bytes."""
        header = self.container.format.header
        assert header is not None
        assert self.code is not None
        given = self.integer("length")
        if given is not None and given != length:
            self.fault("length", "not the length of the body", expected=length, actual=given,
                       hint="leave it out, and it is computed")  # fmt: skip
        known = header.__layout__.by_name
        values = header_values(header, self.code, self._instance("instance" in known), length)
        names = [name for name in ("type", "instance", "length") if name in known]
        for name in names:
            kind = known[name].kind
            if isinstance(kind, Int) and values[name] > kind.highest:
                self.fault(name, f"does not fit the header's {kind.label}",
                           expected=f"0 to {kind.highest}", actual=values[name])  # fmt: skip
                return b""
        raw = self.hex("header_raw")
        encoded = canonical_header(header, values, self.container.byteorder) or b""
        if raw is None:
            return encoded
        decoded = header.inspect(raw, self.container.byteorder).body
        if (
            len(raw) != len(encoded)
            or decoded is None
            or any(getattr(decoded, name) != values[name] for name in names)
        ):
            self.fault("header_raw", "does not say what the record says", expected=encoded.hex(),
                       actual=raw.hex(), hint="leave it out, and the header is made")  # fmt: skip
        return raw

    def _instance(self, has_instance: bool) -> int:
        """Return the instance, which may be left out if there can be only one."""
        instance = self.integer("instance")
        single = self.record_type is not None and self.record_type.instances.limit == 1
        if not has_instance:
            if instance is not None:
                self.fault("instance", "records of this format have no instance")
        elif self.obj.get("instance") is None and not single:
            self.fault("instance", "the instance is missing", expected="a number")
        return instance or 0

    def padding(self, length: int) -> bytes:
        """Encode the padding of a body of `length` bytes."""
        size = padding(length, self.container.format.alignment)
        given = self.integer("padding")
        if given is not None and given != size:
            self.fault("padding", f"not what a body of {length} bytes is padded with",
                       expected=size, actual=given,
                       hint="leave it out, and it is computed")  # fmt: skip
        raw = self.hex("padding_raw")
        if raw is not None and len(raw) != size:
            self.fault("padding_raw", "not as long as the padding", expected=f"{size} bytes",
                       actual=f"{len(raw)} bytes")  # fmt: skip
        return bytes(size) if raw is None else raw

    def remember(self, body: list[Chunk]) -> None:
        """Remember the body if later records depend on it, as a reader would."""
        record_type, container = self.record_type, self.container
        if record_type is None or not record_type.remembered:
            return
        if any(isinstance(chunk, ByteRange) for chunk in body):
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
