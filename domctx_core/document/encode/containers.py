"""Open the containers of a document: format, byte order, and what precedes the records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domctx_core.base.errors import PLUGIN_ERRORS, PluginError
from domctx_core.base.text import excerpt, suggestion
from domctx_core.document.canonical import prologue_bytes
from domctx_core.document.encode.nodes import DocumentNode
from domctx_core.document.encode.values import DocumentReader, ObjectReader, join_path, json_type
from domctx_core.document.vocabulary import header_json
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ORDERS, ByteOrder
from domctx_core.model.attributes import Content
from domctx_core.model.format import HEAD_SIZE, Format, Framing
from domctx_core.model.formats import Formats
from domctx_core.model.record_type import RecordType
from domctx_core.model.registry import Registry

__all__ = ["ContainerOpener", "EncodedContainer"]


@dataclass(eq=False, slots=True)
class EncodedContainer:
    """A container that is being encoded.

    `prologue` has the bodies before its records. It is `bare` if the document does not give them,
    so that nothing can be framed in it; `reported` is whether that fault was reported. `packers`
    has what encodes records of each type code quickly.
    """

    path: str
    format: Format
    registry: Registry
    byteorder: ByteOrder
    framing: Framing
    inside: bool
    outer: EncodedContainer | None
    prologue: list[Body]
    bare: bool = False
    reported: bool = False
    remembered: Mapping[int, Body] = field(default_factory=dict)
    suspended: dict[str, EncodedContainer] = field(default_factory=dict)
    packers: dict[int, Callable[[dict[str, Any]], bytes] | None] = field(default_factory=dict)


class ContainerOpener(ObjectReader):
    """Opens the container of a node: settles its format and framing and encodes its prologue."""

    def __init__(self, doc: DocumentReader, formats: Formats, node: DocumentNode) -> None:
        super().__init__(doc, node.obj, node.path)
        self.formats = formats

    def open(
        self, holder: RecordType[Any] | None, outer: EncodedContainer | None, raw: bytearray
    ) -> EncodedContainer | None:
        """Return the container; None if there is a fault. Its prologue is appended to `raw`."""
        obj, formats, name = self.obj, self.formats, self.obj.get("format")
        if not isinstance(name, str):
            self.fault("format", "the format is missing", actual=excerpt(name),
                       expected=", ".join(formats.names()))  # fmt: skip
            return None
        content = None if holder is None else holder.content
        if holder is not None and content is not None and content.format not in (None, name):
            self.fault("format", f"{holder.name} holds another format", expected=content.format,
                       actual=name)  # fmt: skip
            return None
        if content is not None and content.resumes:
            return self._resume(name, outer)
        if obj.get("resumed"):
            self.fault("resumed", "nothing resumes the container here",
                       expected="a record that resumes one, before it")  # fmt: skip
            return None
        format = self._format(name)
        if format is None:
            return None
        byteorder = obj.get("byteorder")
        if byteorder is not None and not (isinstance(byteorder, str) and byteorder in ORDERS):
            self.fault("byteorder", "not a byte order", expected="little or big",
                       actual=excerpt(byteorder))  # fmt: skip
            return None
        try:
            return self._begin(format, byteorder, content, outer, raw)
        except PLUGIN_ERRORS as error:
            self.doc.plugin_fault(self.path, error, f"the format {name} could not begin")
            return None

    def _format(self, name: str) -> Format | None:
        formats = self.formats
        try:
            return formats.get(name)
        except PluginError as error:
            if formats.knows(name):
                where = join_path(self.path, "format")
                self.doc.plugin_fault(where, error, f"the format {name} cannot be used")
            else:
                self.fault("format", error.message + suggestion(name, formats.names()),
                           expected=", ".join(formats.names()), actual=name, hint=error.hint,
                           needs_plugin=True)  # fmt: skip
            return None

    def _resume(self, name: str, outer: EncodedContainer | None) -> EncodedContainer | None:
        assert outer is not None
        if self.obj.get("resumed") is not True:
            self.fault("resumed", "the record before resumes a container", expected="true",
                       actual=excerpt(self.obj.get("resumed")))  # fmt: skip
            return None
        container = outer.suspended.pop(name, None)
        if container is None:
            message = f"no {name} container is suspended that could be resumed"
            self.doc.fault(self.path, message)
            return None
        if container.prologue:
            self._compare_framing(container.framing, "the container's beginning")
        try:
            self._compare_prologue(container)
        except PLUGIN_ERRORS as error:
            message = f"the header of {name} could not be compared"
            self.doc.plugin_fault(self.path, error, message)
        return container

    def _compare_framing(self, framing: Framing, what: str) -> None:
        """Check that byte order and version, if they are given, are those of `what`."""
        order, version = self.obj.get("byteorder"), self.integer("format_version")
        self._compare("byteorder", order, framing.byteorder, what)
        self._compare("format_version", version, framing.version, what)

    def _compare(self, key: str, given: Any, actual: Any, what: str) -> None:
        if given is not None and given != actual:
            self.fault(key, f"does not match {what}", expected=actual, actual=given,
                       hint="change it there, or remove this key")  # fmt: skip

    def compare_version(self, container: EncodedContainer, head: bytes) -> None:
        """Check the version of a format without a prologue against `head`, its first bytes."""
        try:
            framing = container.format.framing([], head)
        except PLUGIN_ERRORS as error:
            message = f"the format {container.format.name} failed"
            self.doc.plugin_fault(self.path, error, message)
        else:
            if framing.version:  # else the bytes do not have it
                version = self.integer("format_version")
                self._compare("format_version", version, framing.version, "the first record")

    def _compare_prologue(self, container: EncodedContainer) -> None:
        """Check that the header given for a resumed container, which has none, is that of its start."""
        if self.obj.get("header_raw") is not None:
            self.fault("header_raw", "a container that goes on has no header of its own",
                       hint="leave it out")  # fmt: skip
        header = self.obj.get("header")
        if header is None:
            return
        bodies = self._prologue(container.format, container.byteorder, header, bytearray())
        begun, given = header_json(container.prologue), header_json(bodies)
        for name in given:
            if given[name] != begun.get(name, given[name]):
                self.fault(join_path("header", name), "does not match the container's beginning",
                           expected=excerpt(begun[name]), actual=excerpt(given[name]),
                           hint="change it there, or leave this header out")  # fmt: skip

    def _begin(
        self,
        format: Format,
        byteorder: ByteOrder | None,
        content: Content | None,
        outer: EncodedContainer | None,
        raw: bytearray,
    ) -> EncodedContainer | None:
        before = len(self.doc.faults)
        bodies: list[Body] = []
        header, header_raw = self.obj.get("header"), self.hex("header_raw")
        has_prologue = format.prologue([]) is not None
        if header_raw is not None:
            bodies = self._given_prologue(format, header_raw, header)
            raw += header_raw
        elif header is not None:
            bodies = self._prologue(format, byteorder, header, raw)
        if len(self.doc.faults) > before:
            return None
        if bodies:
            framing = format.framing(bodies, bytes(raw[:HEAD_SIZE]))
            self._compare_framing(framing, "the header")
        else:
            framing = Framing(byteorder or "little", 0)
        return EncodedContainer(
            self.path,
            format,
            self.formats.registry(format.name),
            framing.byteorder,
            framing,
            inside=content is not None and not content.inline,
            outer=outer,
            prologue=bodies,
            bare=has_prologue and not bodies,
        )

    def _prologue(
        self, format: Format, byteorder: ByteOrder | None, header: Any, raw: bytearray
    ) -> list[Body]:
        """Return the bodies of a prologue that is given by its fields; their bytes go to `raw`."""
        if not isinstance(header, dict):
            self.fault("header", "not an object", expected="fields", actual=json_type(header))
            return []
        parts, problems = prologue_bytes(format, byteorder, header)
        for name, problem in problems:
            self.fault(join_path("header", name) if name else "header", problem)
        raw += b"".join(part for _, part in parts)
        return [body for body, _ in parts]

    def _given_prologue(self, format: Format, header_raw: bytes, header: Any) -> list[Body]:
        """Return the bodies of a prologue that is given by its bytes."""
        bodies: list[Body] = []
        end = 0
        order = format.byteorder(header_raw[:HEAD_SIZE])
        while (step := format.prologue(bodies)) is not None:
            body, length = step
            decoded = body.inspect(header_raw[end : end + length], order)
            if len(header_raw) - end < length or decoded.body is None:
                self.fault("header_raw", f"ends inside the {body.__name__}",
                           expected=f"{end + length} bytes",
                           actual=f"{len(header_raw)} bytes")  # fmt: skip
                return []
            bodies.append(decoded.body)
            end += length
        if end < len(header_raw):
            self.fault("header_raw", "is longer than the header that it begins with",
                       expected=f"{end} bytes", actual=f"{len(header_raw)} bytes")  # fmt: skip
        if header is not None and header != header_json(bodies):
            self.fault("header_raw", "`header` and `header_raw` do not match",
                       hint="remove `header_raw` to have the fields encoded; what no field"
                       " describes is then zero")  # fmt: skip
        return bodies
