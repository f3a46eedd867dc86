"""Open the containers of a document: format, byte order, and what precedes the records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domctx_core.base.errors import PLUGIN_ERRORS, PluginError
from domctx_core.base.text import excerpt, suggestion
from domctx_core.document.canonical import prologue_bytes
from domctx_core.document.encode.nodes import DocumentNode
from domctx_core.document.encode.values import DocumentReader, join_path, json_type
from domctx_core.document.vocabulary import header_json
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ORDERS, ByteOrder
from domctx_core.model.attributes import Content
from domctx_core.model.format import HEAD_SIZE, Format, Framing
from domctx_core.model.formats import Formats
from domctx_core.model.record_type import RecordType
from domctx_core.model.registry import Registry

__all__ = ["EncodedContainer", "compare_version", "open_container"]


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


def open_container(
    doc: DocumentReader,
    formats: Formats,
    node: DocumentNode,
    holder: RecordType[Any] | None,
    outer: EncodedContainer | None,
    raw: bytearray,
) -> EncodedContainer | None:
    """Return the container with its prologue, which is appended to `raw`; None if there is a fault."""
    obj, path = node.obj, node.path
    name = obj.get("format")
    if not isinstance(name, str):
        doc.fault(join_path(path, "format"), "the format is missing", actual=excerpt(name),
                  expected=", ".join(formats.names()))  # fmt: skip
        return None
    content = None if holder is None else holder.content
    if holder is not None and content is not None and content.format not in (None, name):
        doc.fault(join_path(path, "format"), f"{holder.name} holds another format",
                  expected=content.format, actual=name)  # fmt: skip
        return None
    if content is not None and content.resumes:
        return _resume(doc, name, obj, path, outer)
    if obj.get("resumed"):
        doc.fault(join_path(path, "resumed"), "nothing resumes the container here",
                  expected="a record that resumes one, before it")  # fmt: skip
        return None
    try:
        format = formats.get(name)
    except PluginError as error:
        if formats.knows(name):
            doc.plugin_fault(join_path(path, "format"), error, f"the format {name} cannot be used")
        else:
            doc.fault(join_path(path, "format"), error.message + suggestion(name, formats.names()),
                      expected=", ".join(formats.names()), actual=name, hint=error.hint,
                      needs_plugin=True)  # fmt: skip
        return None
    byteorder = obj.get("byteorder")
    if byteorder is not None and not (isinstance(byteorder, str) and byteorder in ORDERS):
        doc.fault(join_path(path, "byteorder"), "not a byte order", expected="little or big",
                  actual=excerpt(byteorder))  # fmt: skip
        return None
    try:
        return _begin(doc, formats, format, byteorder, node, content, outer, raw)
    except PLUGIN_ERRORS as error:
        doc.plugin_fault(path, error, f"the format {name} could not begin")
        return None


def _resume(
    doc: DocumentReader, name: str, obj: dict[str, Any], path: str, outer: EncodedContainer | None
) -> EncodedContainer | None:
    assert outer is not None
    if obj.get("resumed") is not True:
        doc.fault(join_path(path, "resumed"), "the record before resumes a container",
                  expected="true", actual=excerpt(obj.get("resumed")))  # fmt: skip
        return None
    container = outer.suspended.pop(name, None)
    if container is None:
        doc.fault(path, f"no {name} container is suspended that could be resumed")
        return None
    if container.prologue:
        _compare_framing(doc, container.framing, obj, path, "the container's beginning")
    try:
        _compare_prologue(doc, container, obj, path)
    except PLUGIN_ERRORS as error:
        doc.plugin_fault(path, error, f"the header of {name} could not be compared")
    return container


def _compare_framing(
    doc: DocumentReader, framing: Framing, obj: dict[str, Any], path: str, what: str
) -> None:
    """Check that byte order and version, if they are given, are those of `what`."""
    order, version = obj.get("byteorder"), doc.integer(obj, "format_version", path)
    for key, given, made in (
        ("byteorder", order, framing.byteorder),
        ("format_version", version, framing.version),
    ):
        if given is not None and given != made:
            doc.fault(join_path(path, key), f"{what} says otherwise", expected=made,
                      actual=given, hint="change it there, or leave this out")  # fmt: skip


def compare_version(
    doc: DocumentReader, container: EncodedContainer, node: DocumentNode, head: bytes
) -> None:
    """Check the version of a format without a prologue against `head`, its first bytes."""
    try:
        framing = container.format.framing([], head)
    except PLUGIN_ERRORS as error:
        doc.plugin_fault(node.path, error, f"the format {container.format.name} failed")
    else:
        if not framing.version:  # the bytes do not have it
            return
        obj = {"format_version": node.obj["format_version"]}
        _compare_framing(doc, framing, obj, node.path, "the first record")


def _compare_prologue(
    doc: DocumentReader, container: EncodedContainer, obj: dict[str, Any], path: str
) -> None:
    """Check that the header given for a resumed container, which has none, is that of its beginning."""
    if obj.get("header_raw") is not None:
        doc.fault(join_path(path, "header_raw"), "a container that goes on has no header of its own",
                  hint="leave it out")  # fmt: skip
    header = obj.get("header")
    if header is None:
        return
    bodies = _prologue(doc, container.format, container.byteorder, header, path, bytearray())
    begun, given = header_json(container.prologue), header_json(bodies)
    for name in given:
        if given[name] != begun.get(name, given[name]):
            doc.fault(join_path(join_path(path, "header"), name), "the container's beginning says otherwise",
                      expected=excerpt(begun[name]), actual=excerpt(given[name]),
                      hint="change it there, or leave this header out")  # fmt: skip


def _begin(
    doc: DocumentReader,
    formats: Formats,
    format: Format,
    byteorder: ByteOrder | None,
    node: DocumentNode,
    content: Content | None,
    outer: EncodedContainer | None,
    raw: bytearray,
) -> EncodedContainer | None:
    obj, path = node.obj, node.path
    before = len(doc.faults)
    bodies: list[Body] = []
    header, header_raw = obj.get("header"), doc.hex(obj, "header_raw", path)
    has_prologue = format.prologue([]) is not None
    if header_raw is not None:
        bodies = _given_prologue(doc, format, header_raw, header, path)
        raw += header_raw
    elif header is not None:
        bodies = _prologue(doc, format, byteorder, header, path, raw)
    if len(doc.faults) > before:
        return None
    if bodies:
        framing = format.framing(bodies, bytes(raw[:HEAD_SIZE]))
        _compare_framing(doc, framing, obj, path, "the header")
    else:
        framing = Framing(byteorder or "little", 0)
    return EncodedContainer(
        path,
        format,
        formats.registry(format.name),
        framing.byteorder,
        framing,
        inside=content is not None and not content.inline,
        outer=outer,
        prologue=bodies,
        bare=has_prologue and not bodies,
    )


def _prologue(
    doc: DocumentReader,
    format: Format,
    byteorder: ByteOrder | None,
    header: Any,
    path: str,
    raw: bytearray,
) -> list[Body]:
    """Return the bodies of a prologue that is given by its fields; their bytes go to `raw`."""
    where = join_path(path, "header")
    if not isinstance(header, dict):
        doc.fault(where, "not an object", expected="fields", actual=json_type(header))
        return []
    made, problems = prologue_bytes(format, byteorder, header)
    for name, problem in problems:
        doc.fault(join_path(where, name) if name else where, problem)
    raw += b"".join(part for _, part in made)
    return [body for body, _ in made]


def _given_prologue(
    doc: DocumentReader, format: Format, header_raw: bytes, header: Any, path: str
) -> list[Body]:
    """Return the bodies of a prologue that is given by its bytes."""
    where = join_path(path, "header_raw")
    bodies: list[Body] = []
    end = 0
    order = format.byteorder(header_raw[:HEAD_SIZE])
    while (step := format.prologue(bodies)) is not None:
        body, length = step
        decoded = body.inspect(header_raw[end : end + length], order)
        if len(header_raw) - end < length or decoded.body is None:
            doc.fault(where, f"ends inside the {body.__name__}",
                      expected=f"{end + length} bytes", actual=f"{len(header_raw)} bytes")  # fmt: skip
            return []
        bodies.append(decoded.body)
        end += length
    if end < len(header_raw):
        doc.fault(where, "is longer than what it begins with says", expected=f"{end} bytes",
                  actual=f"{len(header_raw)} bytes")  # fmt: skip
    if header is not None and header != header_json(bodies):
        doc.fault(where, "`header` and `header_raw` say different things", hint="remove"
                  " `header_raw` to have the fields encoded; what no field describes is then"
                  " zero")  # fmt: skip
    return bodies
