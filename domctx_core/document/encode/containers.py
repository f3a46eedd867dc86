"""Opening: the containers of a document, with what stands before their records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domctx_core.base.errors import PLUGIN_ERRORS, PluginError
from domctx_core.base.text import excerpt, suggestion
from domctx_core.document.canonical import prologue_bytes
from domctx_core.document.encode.nodes import Node
from domctx_core.document.encode.values import Values, join, kind_of
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ORDERS, ByteOrder
from domctx_core.model.format import HEAD_SIZE, Format, Framing
from domctx_core.model.formats import Formats
from domctx_core.model.record_type import Content, RecordType
from domctx_core.model.registry import Registry

__all__ = ["Container", "compare_version", "open_container"]


@dataclass(eq=False, slots=True)
class Container:
    """A container that is being written.

    `prologue` has the bodies before its records; `bare` is one whose prologue is not said, so that
    nothing can be framed in it; `told` is whether that was told.
    """

    path: str
    format: Format
    registry: Registry
    byteorder: ByteOrder
    framing: Framing
    inside: bool
    outer: Container | None
    prologue: list[Body]
    bare: bool = False
    told: bool = False
    remembered: Mapping[int, Body] = field(default_factory=dict)
    suspended: dict[str, Container] = field(default_factory=dict)
    quick: dict[int, Callable[[dict[str, Any]], bytes] | None] = field(default_factory=dict)


def open_container(
    said: Values,
    formats: Formats,
    node: Node,
    holder: RecordType[Any] | None,
    outer: Container | None,
    raw: bytearray,
) -> Container | None:
    """The container with its prologue, which is appended to `raw`; None where there is a fault."""
    shown, path = node.shown, node.path
    name = shown.get("format")
    if not isinstance(name, str):
        said.fault(join(path, "format"), "the format is missing", actual=excerpt(name),
                   expected=", ".join(formats.names()))  # fmt: skip
        return None
    content = None if holder is None else holder.content
    if holder is not None and content is not None and content.format not in (None, name):
        said.fault(join(path, "format"), f"{holder.name} holds another format",
                   expected=content.format, actual=name)  # fmt: skip
        return None
    if content is not None and content.resumes:
        return _resume(said, name, shown, path, outer)
    if shown.get("resumed"):
        said.fault(join(path, "resumed"), "nothing resumes the container here",
                   expected="a record that resumes one, before it")  # fmt: skip
        return None
    try:
        format = formats.get(name)
    except PluginError as error:
        if formats.knows(name):
            said.plugin_fault(join(path, "format"), error, f"the format {name} cannot be used")
        else:
            said.fault(join(path, "format"), error.message + suggestion(name, formats.names()),
                       expected=", ".join(formats.names()), actual=name, hint=error.hint,
                       needs_plugin=True)  # fmt: skip
        return None
    byteorder = shown.get("byteorder")
    if byteorder is not None and not (isinstance(byteorder, str) and byteorder in ORDERS):
        said.fault(join(path, "byteorder"), "not a byte order", expected="little or big",
                   actual=excerpt(byteorder))  # fmt: skip
        return None
    try:
        return _begin(said, formats, format, byteorder, node, content, outer, raw)
    except PLUGIN_ERRORS as error:
        said.plugin_fault(path, error, f"the format {name} could not begin")
        return None


def _resume(
    said: Values, name: str, shown: dict[str, Any], path: str, outer: Container | None
) -> Container | None:
    assert outer is not None
    if shown.get("resumed") is not True:
        said.fault(join(path, "resumed"), "the record before resumes a container",
                   expected="true", actual=excerpt(shown.get("resumed")))  # fmt: skip
        return None
    container = outer.suspended.pop(name, None)
    if container is None:
        said.fault(path, f"no {name} container is suspended that could be resumed")
        return None
    if container.prologue:
        _compare_framing(said, container.framing, shown, path, "the container's beginning")
    try:
        _compare_prologue(said, container, shown, path)
    except PLUGIN_ERRORS as error:
        said.plugin_fault(path, error, f"the header of {name} could not be compared")
    return container


def _compare_framing(
    said: Values, framing: Framing, shown: dict[str, Any], path: str, what: str
) -> None:
    """Byte order and version, if they are given, have to be those that are made of `what`."""
    order, version = shown.get("byteorder"), said.integer(shown, "format_version", path)
    for key, given, made in (
        ("byteorder", order, framing.byteorder),
        ("format_version", version, framing.version),
    ):
        if given is not None and given != made:
            said.fault(join(path, key), f"{what} says otherwise", expected=made,
                       actual=given, hint="change it there, or leave this out")  # fmt: skip


def compare_version(said: Values, container: Container, node: Node, head: bytes) -> None:
    """The version of a format without a prologue, which `head`, its first bytes, can show."""
    try:
        framing = container.format.framing([], head)
    except PLUGIN_ERRORS as error:
        said.plugin_fault(node.path, error, f"the format {container.format.name} failed")
    else:
        if not framing.version:  # the bytes do not tell
            return
        shown = {"format_version": node.shown["format_version"]}
        _compare_framing(said, framing, shown, node.path, "the first record")


def _compare_prologue(said: Values, container: Container, shown: dict[str, Any], path: str) -> None:
    """A container that goes on writes no header; one that is given has to be that of its beginning."""
    if shown.get("header_raw") is not None:
        said.fault(join(path, "header_raw"), "a container that goes on has no header of its own",
                   hint="leave it out")  # fmt: skip
    header = shown.get("header")
    if header is None:
        return
    bodies = _prologue(said, container.format, container.byteorder, header, path, bytearray())
    begun, given = _fields(container.prologue), _fields(bodies)
    for name in given:
        if given[name] != begun.get(name, given[name]):
            said.fault(join(join(path, "header"), name), "the container's beginning says otherwise",
                       expected=excerpt(begun[name]), actual=excerpt(given[name]),
                       hint="change it there, or leave this header out")  # fmt: skip


def _fields(bodies: list[Body]) -> dict[str, Any]:
    """The fields of all bodies of a prologue, as `header` has them."""
    return {name: value for body in bodies for name, value in body.to_json().items()}


def _begin(
    said: Values,
    formats: Formats,
    format: Format,
    byteorder: ByteOrder | None,
    node: Node,
    content: Content | None,
    outer: Container | None,
    raw: bytearray,
) -> Container | None:
    shown, path = node.shown, node.path
    before = len(said.faults)
    bodies: list[Body] = []
    header, header_raw = shown.get("header"), said.hex(shown, "header_raw", path)
    has_prologue = format.prologue([]) is not None
    if header_raw is not None:
        bodies = _given_prologue(said, format, header_raw, header, path)
        raw += header_raw
    elif header is not None:
        bodies = _prologue(said, format, byteorder, header, path, raw)
    if len(said.faults) > before:
        return None
    if bodies:
        framing = format.framing(bodies, bytes(raw[:HEAD_SIZE]))
        _compare_framing(said, framing, shown, path, "the header")
    else:
        framing = Framing(byteorder or "little", 0)
    return Container(
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
    said: Values,
    format: Format,
    byteorder: ByteOrder | None,
    header: Any,
    path: str,
    raw: bytearray,
) -> list[Body]:
    """The bodies of a prologue by their fields, and their bytes in `raw`."""
    where = join(path, "header")
    if not isinstance(header, dict):
        said.fault(where, "not an object", expected="fields", actual=kind_of(header))
        return []
    made, problems = prologue_bytes(format, byteorder, header)
    for name, problem in problems:
        said.fault(join(where, name) if name else where, problem)
    raw += b"".join(part for _, part in made)
    return [body for body, _ in made]


def _given_prologue(
    said: Values, format: Format, header_raw: bytes, header: Any, path: str
) -> list[Body]:
    """The bodies of a prologue that is given by its bytes."""
    where = join(path, "header_raw")
    bodies: list[Body] = []
    at = 0
    order = format.byteorder(header_raw[:HEAD_SIZE])
    while (step := format.prologue(bodies)) is not None:
        body, length = step
        decoded = body.inspect(header_raw[at : at + length], order)
        if len(header_raw) - at < length or decoded.body is None:
            said.fault(where, f"ends inside the {body.__name__}",
                       expected=f"{at + length} bytes", actual=f"{len(header_raw)} bytes")  # fmt: skip
            return []
        bodies.append(decoded.body)
        at += length
    if at < len(header_raw):
        said.fault(where, "is longer than what it begins with says", expected=f"{at} bytes",
                   actual=f"{len(header_raw)} bytes")  # fmt: skip
    if header is not None and header != _fields(bodies):
        said.fault(where, "`header` and `header_raw` say different things", hint="remove"
                   " `header_raw` to have the fields encoded; what no field describes is then"
                   " zero")  # fmt: skip
    return bodies
