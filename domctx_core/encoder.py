"""Encode: what `decode` gave, edited or not, as the bytes of an image.

Everything that a document says is checked, and all faults are told, each with its place. Lengths,
counts and padding that are left out are computed. Whether the outcome makes sense as an image is
for `verify` to say: a document can describe a broken image, since it can be made of one.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from domctx_core.collector import uncollected
from domctx_core.errors import (
    PLUGIN_FAULTS,
    BodyError,
    DocumentError,
    DocumentFault,
    DomctxError,
    PluginError,
)
from domctx_core.formats import HEAD_SIZE, Format, Formats, Framing
from domctx_core.image import LINES, SCHEMA
from domctx_core.layout import Body, ByteOrder
from domctx_core.layout.kinds import ORDERS, JsonError, nearest
from domctx_core.layout.quick import UNUSUAL, Unusual, quick_writer
from domctx_core.layout.scalars import Int
from domctx_core.ops import CHUNK, DEFAULT_CAP
from domctx_core.pieces import Piece, Span, size_of
from domctx_core.records import Content, RecordType, body_class
from domctx_core.registry import Entry, Registry
from domctx_core.sources import Source
from domctx_core.walker import MAX_DEPTH
from domctx_core.wire import padding

__all__ = ["encode_image", "encode_lines", "parse_document", "parse_lines"]

_NODE = ("format", "format_version", "byteorder", "resumed", "header", "header_raw")
_INSIDE = ("records", "content", "trailing", "unframed")
_ROOT = ("schema", "path", "size", "findings")
_LINE = ("schema", "size", "container", "offset")
_RECORD = (
    "index", "offset", "type", "name", "instance", "length", "padding", "padding_raw", "body",
    "raw", "raw_truncated", "rest", "provider", "content", "header_raw",
)  # fmt: skip
_STRETCH = ("offset", "length", "raw", "omitted")
_USUAL = frozenset(
    ("index", "offset", "type", "name", "instance", "length", "padding", "body", "provider")
)

_ZEROS = bytes(CHUNK)


def encode_image(
    document: Any,
    formats: Formats,
    *,
    source: Source | None = None,
    fill_zero: bool = False,
    cap: int = DEFAULT_CAP,
) -> list[Piece]:
    """The bytes of the image that a `domctx.image/1` document describes, for `write_pieces`.

    `source` is the input that the document was made of, for what the document has by reference;
    nothing else is ever read, whatever the document says. What `decode` left out is an error, or
    zeros with `fill_zero`. Raises `DocumentError` with all faults.
    """
    encoder = _Encoder(formats, source, fill_zero, cap)
    pieces: list[Piece] = []
    with uncollected(), encoder.finishing():
        if encoder.root(document, SCHEMA, (*_ROOT, *_NODE, *_INSIDE), ""):
            pieces += encoder.container(_document_node(encoder, document, ""), None, None)
    return pieces


def encode_lines(
    lines: Iterable[tuple[str, Any]],
    formats: Formats,
    *,
    source: Source | None = None,
    fill_zero: bool = False,
    cap: int = DEFAULT_CAP,
) -> Iterator[Piece]:
    """The same of what `decode_lines` gave: (where it stands, object) for each line, in order.

    Pieces come as the lines do, and `DocumentError` at the end; until then they may be of no use.
    """
    encoder = _Encoder(formats, source, fill_zero, cap)
    reader = _Lines(encoder, lines)
    with encoder.finishing():
        first = reader.peek()
        if first is None:
            encoder.fault("", "there is no line", expected="a line for the outermost container")
        elif encoder.root(first[1], LINES, (*_LINE, *_NODE), first[0]):
            node = reader.opening(())
            if node is not None:
                yield from encoder.container(node, None, None)
            reader.rest()


# ------------------------------------------------------------------------------------- reading JSON


class _Twice(dict[str, Any]):
    """An object that had a key more than once."""

    twice: str = ""


def parse_document(text: bytes | str) -> Any:
    """The JSON of a document, in UTF-8.

    Raises `DocumentError` where it is none, or an object has a key twice.
    """
    return _Parser().parse(text, "")


def parse_lines(lines: Iterable[bytes | str]) -> Iterator[tuple[str, Any]]:
    """Each line's place and JSON, for `encode_lines`; raises as `parse_document` does."""
    parser = _Parser()
    for number, text in enumerate(lines, 1):
        if text.strip():
            where = f"line {number}: "
            yield where, parser.parse(text, where)


class _Parser:
    """Reads JSON, and notices a key that an object has twice."""

    def __init__(self) -> None:
        self.suspect = False
        self.decoder = json.JSONDecoder(object_pairs_hook=self.unique, parse_constant=_constant)

    def unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        self.suspect = True
        twice = _Twice(made)
        keys = [key for key, _ in pairs]
        twice.twice = next(key for key in keys if keys.count(key) > 1)
        return twice

    def parse(self, text: bytes | str, where: str) -> Any:
        hint = None
        try:
            if isinstance(text, bytes):
                text = text.decode("utf-8-sig")
            with uncollected():
                value = self.decoder.decode(text)
            if not self.suspect:
                return value
            faults = list(_twice(value, where))
        except json.JSONDecodeError as error:
            at = f"column {error.colno}" if where else f"line {error.lineno}, column {error.colno}"
            said = f"not JSON: {error.msg} at {at}"
            if error.msg == "Extra data" and not where:
                hint = "a document of one line a record is encoded with --jsonl"
        except RecursionError:
            said = "the JSON is nested too deeply to be read"
        except ValueError as error:  # an encoding that is none, a number of thousands of digits
            said = f"not JSON: {error}"
        else:
            raise DocumentError(faults)
        raise DocumentError([DocumentFault(_plain(where), said, hint=hint)])


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _twice(value: Any, path: str) -> Iterator[DocumentFault]:
    if isinstance(value, _Twice):
        yield DocumentFault(
            _join(path, value.twice), "the key stands twice in one object", hint="keep one of them"
        )
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _twice(item, _join(path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _twice(item, f"{path}[{number}]")


def _join(path: str, key: str) -> str:
    return path + key if not path or path.endswith(" ") else f"{path}.{key}"


def _plain(path: str) -> str:
    return path.removesuffix(": ")


# ----------------------------------------------------------------------------- what is in containers


@dataclass(slots=True)
class _Node:
    """A container of a document: what is said of it, and what is in it, in order.

    `parts` gives kind (`record`, `content`, `trailing`, `unframed`), value, where it stands, and for a
    record the container that it holds or that follows it.
    """

    shown: dict[str, Any]
    path: str
    parts: Iterator[tuple[str, Any, str, _Node | None]]


def _document_node(encoder: _Encoder, shown: dict[str, Any], path: str) -> _Node:
    return _Node(shown, path, _document_parts(encoder, shown, path))


def _document_parts(
    encoder: _Encoder, shown: dict[str, Any], path: str
) -> Iterator[tuple[str, Any, str, _Node | None]]:
    records = shown.get("records", [])
    where = _join(path, "records")
    if not isinstance(records, list):
        encoder.fault(where, "not a list", expected="a list of records", actual=_kind(records))
        records = []
    for number, record in enumerate(records):
        inner = None
        if "content" in record if type(record) is dict else False:
            inner = _inner_node(encoder, record["content"], f"{where}[{number}].content")
        yield "record", record, f"{where}[{number}]", inner
    if "content" in shown:
        inner = _inner_node(encoder, shown["content"], _join(path, "content"))
        if inner is not None:
            yield "content", shown["content"], inner.path, inner
    for kind in ("trailing", "unframed"):
        if kind in shown:
            yield kind, shown[kind], _join(path, kind), None


def _inner_node(encoder: _Encoder, content: Any, path: str) -> _Node | None:
    if not encoder.keys(content, (*_NODE, *_INSIDE), path, "a container"):
        return None
    return _document_node(encoder, content, path)


class _Lines:
    """Containers of the lines of a document."""

    def __init__(self, encoder: _Encoder, lines: Iterable[tuple[str, Any]]) -> None:
        self.encoder = encoder
        self.lines = iter(lines)
        self.next: tuple[str, Any, tuple[str, ...]] | None = None

    def peek(self) -> tuple[str, Any, tuple[str, ...]] | None:
        """The next line with its place and the container that it names."""
        while self.next is None:
            line = next(self.lines, None)
            if line is None:
                return None
            where, value = line
            if isinstance(value, dict) and set(value) == {"finding"}:
                continue  # `show --jsonl` has them
            names = value.get("container") if isinstance(value, dict) else None
            fits = isinstance(names, list) and names and all(isinstance(n, str) for n in names)
            if not fits:
                self.encoder.fault(
                    _join(where, "container"),
                    "the line does not say what container it belongs to",
                    expected="a list of formats from the outside in",
                    actual=_kind(names),
                )
                continue
            assert isinstance(names, list)
            self.next = where, value, tuple(names)
        return self.next

    def opening(self, outer: tuple[str, ...]) -> _Node | None:
        """The container that the next line opens, if it opens one inside `outer`."""
        line = self.peek()
        if line is None or line[2][:-1] != outer or "format" not in line[1]:
            return None
        if len(outer) > MAX_DEPTH:
            return None  # nobody goes into it: the line is left over, and that is told
        self.next = None
        where, value, names = line
        self.encoder.keys(value, (*_LINE, *_NODE), where, "a container's line")
        return _Node(value, where, self.parts(names))

    def parts(self, names: tuple[str, ...]) -> Iterator[tuple[str, Any, str, _Node | None]]:
        while (line := self.peek()) is not None:
            where, value, place = line
            if place != names or "format" in value:
                inner = self.opening(names)
                if inner is None:
                    return
                yield "content", inner.shown, inner.path, inner
                self.skip(inner)
                continue
            self.next = None
            found = [kind for kind in ("trailing", "unframed") if kind in value]
            if found:
                self.encoder.keys(value, ("container", *found), where, "such a line")
                for kind in found:
                    yield kind, value[kind], _join(where, kind), None
                continue
            value = dict(value)
            del value["container"]
            inner = self.opening(names)
            yield "record", value, where, inner
            self.skip(inner)

    def skip(self, node: _Node | None) -> None:
        """Pass over what nobody has read of a container, so that the next line is what follows."""
        for _, _, _, inner in node.parts if node is not None else ():
            self.skip(inner)

    def rest(self) -> None:
        """What is left belongs to no container that is open."""
        line = self.peek()
        if line is not None:
            self.encoder.fault(
                _join(line[0], "container"),
                "the line belongs to a container that is not open here",
                actual=list(line[2]),
            )


# ------------------------------------------------------------------------------------------ encoding


@dataclass(eq=False, slots=True)
class _Container:
    """A container that is being written.

    `bare` is one whose prologue is not said, so that nothing can be framed in it; `told` is whether
    that was told.
    """

    path: str
    format: Format
    registry: Registry
    byteorder: ByteOrder
    framing: Framing
    inside: bool
    outer: _Container | None
    bare: bool = False
    told: bool = False
    remembered: Mapping[int, Body] = field(default_factory=dict)
    suspended: dict[str, _Container] = field(default_factory=dict)
    quick: dict[int, Callable[[dict[str, Any]], bytes] | None] = field(default_factory=dict)


class _Encoder:
    def __init__(self, formats: Formats, source: Source | None, fill_zero: bool, cap: int) -> None:
        self.formats = formats
        self.source = source
        self.fill_zero = fill_zero
        self.cap = cap
        self.faults: list[DocumentFault] = []
        self.depth = 0

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """Raises what was found when the block ends."""
        try:
            yield
        except RecursionError:
            self.fault("", "the JSON is nested more deeply than any image is")
        if self.faults:
            raise DocumentError(self.faults)

    def fault(self, path: str, message: str, **details: Any) -> None:
        self.faults.append(DocumentFault(_plain(path), message, **details))

    def plugin_fault(self, path: str, error: BaseException, what: str, hint: str = "") -> None:
        said = (
            error.message if isinstance(error, DomctxError) else f"{type(error).__name__}: {error}"
        )
        own = error.hint if isinstance(error, DomctxError) else None
        self.fault(path, f"{what}: {said}", hint=own or hint or None, needs_plugin=True)

    # ------------------------------------------------------------------------------ simple values

    def root(self, value: Any, schema: str, known: tuple[str, ...], path: str) -> bool:
        if not self.keys(value, known, path, "a document"):
            return False
        found = value.get("schema")
        if found != schema:
            self.fault(_join(path, "schema"), "not a document that can be encoded", expected=schema,
                       actual=_shown(found), hint="`domctx decode` makes them")  # fmt: skip
            return False
        size = self.integer(value, "size", path)
        if self.source is not None and size is not None and size != self.source.end():
            self.fault(
                _join(path, "size"),
                "the source is not the input that the document was made of",
                expected=f"a source of {size} bytes",
                actual=f"{self.source.end()} bytes",
            )
        return True

    def keys(self, value: Any, known: tuple[str, ...], path: str, what: str) -> bool:
        """Whether `value` is an object; keys that are not known are faults."""
        if not isinstance(value, dict):
            self.fault(path, f"not {what}", expected="an object", actual=_kind(value))
            return False
        for key in value:
            if key not in known:
                self.fault(_join(path, key), f"unknown key of {what}{nearest(key, known)}",
                           expected=", ".join(known))  # fmt: skip
        return True

    def integer(self, value: dict[str, Any], key: str, path: str) -> int | None:
        """An unsigned number, which may be in a string; None where there is none or it is none."""
        found = value.get(key)
        if found is None:
            return None
        made: int | None = None
        if type(found) is int:
            made = found
        elif isinstance(found, str):
            try:
                made = int(found, 0)
            except ValueError:
                made = None
        if made is None or made < 0:
            self.fault(_join(path, key), "not an unsigned number", expected="a number, or one in a"
                       " string", actual=_shown(found))  # fmt: skip
            return None
        return made

    def hex(self, value: dict[str, Any], key: str, path: str) -> bytes | None:
        """Bytes in hex; None where there are none or it is no hex."""
        found = value.get(key)
        if found is None:
            return None
        try:
            return bytes.fromhex(found)
        except (TypeError, ValueError):
            self.fault(_join(path, key), "not bytes in hex", expected="an even number of hex digits",
                       actual=_shown(found))  # fmt: skip
            return None

    def stretch(self, value: Any, path: str) -> Iterator[Piece]:
        """Bytes that are in hex, left out, or named by their place in the source."""
        if not self.keys(value, _STRETCH, path, "a stretch of bytes"):
            return
        length = self.integer(value, "length", path)
        if value.get("raw") is not None:
            raw = self.hex(value, "raw", path)
            if raw is not None and length is not None and len(raw) != length:
                self.fault(_join(path, "length"), "does not fit `raw`", expected=len(raw),
                           actual=length, hint="leave it out, and it is computed; `show` cuts `raw`,"
                           " `decode` does not")  # fmt: skip
            yield raw or b""
            return
        if length is None:
            if not any(_within(fault.path, path) for fault in self.faults):
                self.fault(path, "there are neither bytes nor a length",
                           expected="`raw`, or `offset` and `length`")  # fmt: skip
            return
        if value.get("omitted"):
            yield from self.omitted(length, path)
            return
        offset = self.integer(value, "offset", path)
        if offset is None:
            if value.get("offset") is None:
                self.fault(path, "the place in the source is missing", expected="`offset`")
        elif self.source is None:
            self.fault(path, "the bytes are in the input that was decoded, which is not at hand",
                       expected=f"{length} bytes from offset {offset:#x} of it",
                       hint="name that file with --source, or decode with --pages inline")  # fmt: skip
        elif offset + length > self.source.end():
            self.fault(path, "the source ends before the bytes that are to be taken from it",
                       expected=f"at least {offset + length} bytes",
                       actual=f"{self.source.end()} bytes")  # fmt: skip
        else:
            yield Span(offset, length)

    def omitted(self, length: int, path: str) -> Iterator[Piece]:
        if not self.fill_zero:
            self.fault(path, f"{length} bytes were left out when the image was decoded",
                       hint="decode with --pages reference or inline, or write zeros for them with"
                       " --fill-zero")  # fmt: skip
        elif length > self.cap:
            self.fault(_join(path, "length"), "more zeros than are written for one stretch",
                       expected=f"at most {self.cap} bytes", actual=length,
                       hint="a larger --cap allows it")  # fmt: skip
        else:
            yield from (_ZEROS[: min(CHUNK, length - at)] for at in range(0, length, CHUNK))

    # --------------------------------------------------------------------------------- containers

    def container(
        self, node: _Node, holder: RecordType[Any] | None, outer: _Container | None
    ) -> Iterator[Piece]:
        """A container: what `holder` holds or announces, what follows `outer`, or the outermost."""
        self.depth += 1
        try:
            if self.depth > MAX_DEPTH:
                self.fault(node.path, f"containers are nested more than {MAX_DEPTH} deep")
                return
            raw = bytearray()
            opened = self.open(node, holder, outer, raw)
            yield bytes(raw)
            if opened is not None:
                yield from self.inside(opened, node)
        finally:
            self.depth -= 1

    def inside(self, container: _Container, node: _Node) -> Iterator[Piece]:
        quick = container.quick
        for kind, value, path, inner in node.parts:
            if kind == "record":
                if inner is None and type(value) is dict:
                    code = value.get("type")
                    if type(code) is int and code not in quick:
                        quick[code] = _quick_way(container, code)
                    way = quick[code] if type(code) is int else None
                    if way is not None:
                        try:
                            yield way(value)
                            continue
                        except UNUSUAL:
                            pass
                self.framed(container)
                if container.format.header is None:
                    self.fault(path, f"the format {container.format.name} has no records")
                elif self.keys(value, _RECORD, path, "a record"):
                    yield from self.record(container, value, path, inner)
            elif kind == "content":
                if self.framed(container) and inner is not None:
                    yield from self.following(container, inner, path)
            else:
                if kind == "trailing":
                    self.framed(container)
                yield from self.stretch(value, path)

    def framed(self, container: _Container) -> bool:
        """Whether the header is there, without which nothing but `unframed` can be."""
        if container.bare and not container.told:
            container.told = True
            self.fault(_join(container.path, "header"), "the header is missing",
                       expected=f"the fields that a {container.format.name} begins with")  # fmt: skip
        return not container.bare

    def following(self, container: _Container, inner: _Node, path: str) -> Iterator[Piece]:
        follows = container.framing.follows
        if container.format.header is not None or follows is None:
            self.fault(path, f"nothing follows the header of {container.format.name} here")
        elif inner.shown.get("format") != follows:
            self.fault(_join(path, "format"), "not what follows this header", expected=follows,
                       actual=_shown(inner.shown.get("format")))  # fmt: skip
        else:
            yield from self.container(inner, None, container)

    def open(
        self,
        node: _Node,
        holder: RecordType[Any] | None,
        outer: _Container | None,
        raw: bytearray,
    ) -> _Container | None:
        """The container with its prologue, which is appended to `raw`; None where there is a fault."""
        shown, path = node.shown, node.path
        name = shown.get("format")
        if not isinstance(name, str):
            self.fault(_join(path, "format"), "the format is missing", actual=_shown(name),
                       expected=", ".join(self.formats.names()))  # fmt: skip
            return None
        content = None if holder is None else holder.content
        if holder is not None and content is not None and content.format not in (None, name):
            self.fault(_join(path, "format"), f"{holder.name} holds another format",
                       expected=content.format, actual=name)  # fmt: skip
            return None
        if content is not None and content.resumes:
            return self.resume(name, shown, path, outer)
        if shown.get("resumed"):
            self.fault(_join(path, "resumed"), "nothing resumes the container here",
                       expected="a record that resumes one, before it")  # fmt: skip
            return None
        try:
            format = self.formats.get(name)
        except PluginError as error:
            if self.formats.knows(name):
                self.plugin_fault(_join(path, "format"), error, f"the format {name} cannot be used")
            else:
                self.fault(_join(path, "format"), error.message + nearest(name, self.formats.names()),
                           expected=", ".join(self.formats.names()), actual=name, hint=error.hint,
                           needs_plugin=True)  # fmt: skip
            return None
        byteorder = shown.get("byteorder")
        if byteorder is not None and not (isinstance(byteorder, str) and byteorder in ORDERS):
            self.fault(_join(path, "byteorder"), "not a byte order", expected="little or big",
                       actual=_shown(byteorder))  # fmt: skip
            return None
        try:
            return self.begin(format, byteorder, node, content, outer, raw)
        except PLUGIN_FAULTS as error:
            self.plugin_fault(path, error, f"the format {name} could not begin")
            return None

    def resume(
        self, name: str, shown: dict[str, Any], path: str, outer: _Container | None
    ) -> _Container | None:
        assert outer is not None
        if shown.get("resumed") is not True:
            self.fault(_join(path, "resumed"), "the record before resumes a container",
                       expected="true", actual=_shown(shown.get("resumed")))  # fmt: skip
            return None
        container = outer.suspended.pop(name, None)
        if container is None:
            self.fault(path, f"no {name} container is suspended that could be resumed")
        return container

    def begin(
        self,
        format: Format,
        byteorder: ByteOrder | None,
        node: _Node,
        content: Content | None,
        outer: _Container | None,
        raw: bytearray,
    ) -> _Container | None:
        shown, path = node.shown, node.path
        before = len(self.faults)
        bodies: list[Body] = []
        header, header_raw = shown.get("header"), self.hex(shown, "header_raw", path)
        has_prologue = format.prologue([]) is not None
        if header_raw is not None:
            bodies = self.given_prologue(format, header_raw, header, path)
            raw += header_raw
        elif header is not None:
            bodies = self.prologue(format, byteorder, header, path, raw)
        if len(self.faults) > before:
            return None
        if bodies:
            framing = format.framing(bodies, bytes(raw[:HEAD_SIZE]))
            version = self.integer(shown, "format_version", path)
            for key, given, made in (
                ("byteorder", byteorder, framing.byteorder),
                ("format_version", version, framing.version),
            ):
                if given is not None and given != made:
                    self.fault(_join(path, key), "the header says otherwise", expected=made,
                               actual=given, hint="change the header, or leave this out")  # fmt: skip
        else:
            framing = Framing(byteorder or "little", 0)
        return _Container(
            path,
            format,
            self.formats.registry(format.name),
            framing.byteorder,
            framing,
            inside=content is not None and not content.inline,
            outer=outer,
            bare=has_prologue and not bodies,
        )

    def prologue(
        self, format: Format, byteorder: ByteOrder | None, header: Any, path: str, raw: bytearray
    ) -> list[Body]:
        """The bodies of a prologue by their fields, and their bytes in `raw`."""
        where = _join(path, "header")
        if not isinstance(header, dict):
            self.fault(where, "not an object", expected="fields", actual=_kind(header))
            return []
        made, problems = prologue_bytes(format, byteorder, header)
        for name, problem in problems:
            self.fault(_join(where, name) if name else where, problem)
        raw += b"".join(part for _, part in made)
        return [body for body, _ in made]

    def given_prologue(
        self, format: Format, header_raw: bytes, header: Any, path: str
    ) -> list[Body]:
        """The bodies of a prologue that is given by its bytes."""
        where = _join(path, "header_raw")
        bodies: list[Body] = []
        at = 0
        merged: dict[str, Any] = {}
        order = format.byteorder(header_raw[:HEAD_SIZE])
        while (step := format.prologue(bodies)) is not None:
            body, length = step
            decoded = body.inspect(header_raw[at : at + length], order)
            if len(header_raw) - at < length or decoded.body is None:
                self.fault(where, f"ends inside the {body.__name__}",
                           expected=f"{at + length} bytes", actual=f"{len(header_raw)} bytes")  # fmt: skip
                return []
            bodies.append(decoded.body)
            merged |= decoded.body.to_json()
            at += length
        if at < len(header_raw):
            self.fault(where, "is longer than what it begins with says", expected=f"{at} bytes",
                       actual=f"{len(header_raw)} bytes")  # fmt: skip
        if header is not None and header != merged:
            self.fault(where, "`header` and `header_raw` say different things", hint="remove"
                       " `header_raw` to have the fields encoded; what no field describes is then"
                       " zero")  # fmt: skip
        return bodies

    # ------------------------------------------------------------------------------------- records

    def record(
        self, container: _Container, shown: dict[str, Any], path: str, inner: _Node | None
    ) -> Iterator[Piece]:
        """One record with what it holds or announces."""
        before = len(self.faults)
        code, entry = self.type(container, shown, path)
        if code is None:
            return
        record_type, broken = _usable(entry)
        content = None if record_type is None else record_type.content
        if inner is not None and content is None:
            if broken is not None:
                self.plugin_fault(_join(path, "content"), broken, "the type cannot be used")
            else:
                name = "a type that no plugin knows" if entry is None else entry.name
                self.fault(inner.path, f"{name} holds no other format",
                           hint="give the body as `raw`", needs_plugin=entry is None)  # fmt: skip
            return
        body: list[Piece]
        held = inner if content is not None and not content.inline else None
        if held is not None:
            self.held_alone(shown, path)
            body = list(self.container(held, record_type, container))
        else:
            body = self.body(container, shown, path, entry, record_type, broken)
            if "rest" in shown:
                body += self.stretch(shown["rest"], _join(path, "rest"))
        if shown.get("raw_truncated"):
            self.fault(_join(path, "raw_truncated"), "the bytes were cut when they were shown",
                       hint="`domctx decode` never cuts them")  # fmt: skip
        if len(self.faults) > before:
            if inner is not None and held is None:
                for _ in self.container(inner, record_type, container):
                    pass  # what is wrong with it is worth telling too
            return
        length = size_of(body)
        yield self.header(container, shown, path, code, record_type, length)
        yield from body
        yield self.padding(container, shown, path, length)
        if record_type is not None and len(self.faults) == before:
            self.remember(container, record_type, body)
            if record_type.suspends and container.outer is not None and not container.inside:
                container.outer.suspended[container.format.name] = container
        if inner is not None and held is None:
            yield from self.container(inner, record_type, container)

    def type(
        self, container: _Container, shown: dict[str, Any], path: str
    ) -> tuple[int | None, Entry | None]:
        """The type code of a record and what is known of it."""
        code, name = shown.get("type"), shown.get("name")
        registry = container.registry
        where = _join(path, "type")
        by_name = code is None or (isinstance(code, str) and not code[:1].isdecimal())
        if by_name and code is not None and name is None:
            name = code
        elif by_name and code is not None and name != code:
            self.fault(where, "type and name are different types", expected=_shown(name),
                       actual=_shown(code))  # fmt: skip
            return None, None
        if by_name and name is None:
            self.fault(where, "the type is missing", expected="a type code or a name")
            return None, None
        if name is not None and not isinstance(name, str):
            self.fault(_join(path, "name"), "not a name", expected="text", actual=_kind(name))
            return None, None
        try:
            if by_name:
                entry = registry.find(str(name))
                if entry is None:
                    known = [each.name for each in registry]
                    self.fault(where if code is not None else _join(path, "name"),
                               f"no record type of {container.format.name} is called {name!r:.60}"
                               f"{nearest(name, known)}", expected=", ".join(known))  # fmt: skip
                    return None, None
                return entry.code, entry
            number = self.integer(shown, "type", path)
            if number is None:
                return None, None
            entry = registry.get(number)
        except PluginError as error:
            self.plugin_fault(where, error, "the type cannot be used")
            return None, None
        if entry is not None and name is not None and entry.name != name:
            self.fault(_join(path, "name"), f"type code {number} is another type",
                       expected=entry.name, actual=name,
                       hint="leave out `type` or `name`")  # fmt: skip
            return None, None
        return number, entry

    def held_alone(self, shown: dict[str, Any], path: str) -> None:
        """What a container makes must not be said a second time."""
        for key in ("body", "raw", "rest"):
            if shown.get(key) is not None:
                self.fault(_join(path, key), "`content` makes the body, and this is another one",
                           expected="null, or nothing", hint="keep one of the two")  # fmt: skip

    def body(
        self,
        container: _Container,
        shown: dict[str, Any],
        path: str,
        entry: Entry | None,
        record_type: RecordType[Any] | None,
        broken: PluginError | None,
    ) -> list[Piece]:
        """The bytes of a body that is given by its fields, as bytes, or both."""
        fields, raw = shown.get("body"), self.hex(shown, "raw", path)
        where = _join(path, "body")
        if fields is None:
            if raw is None and shown.get("raw") is None and "rest" not in shown:
                self.fault(where, "the body is missing", expected="`body`, `raw` or `content`")
            return [raw or b""]
        if record_type is None:
            if broken is not None:
                self.plugin_fault(where, broken, "the body cannot be encoded",
                                  "give `raw` in place of it")  # fmt: skip
            else:
                self.fault(where, "no plugin knows the type, and can say how its body is laid out",
                           expected="`raw`, or a plugin for the type",
                           actual=_shown(shown.get("name") or shown.get("type")),
                           needs_plugin=True)  # fmt: skip
            return []
        try:
            kind = body_class(record_type, container.remembered)
            said = None
            if raw is not None:
                decoded = kind.inspect(raw, container.byteorder).body
                said = None if decoded is None else decoded.to_json()
                if said == fields:
                    return [raw]
            made = kind.__layout__.from_json(fields)
            encoded = made.to_bytes(container.byteorder, check=False)
            if raw is None or encoded == raw:
                return [encoded]
            if said == made.to_json():
                return [raw]
        except JsonError as error:
            for name, message in error.faults():
                self.fault(_join(where, name) if name else where, message)
            return []
        except BodyError as error:
            self.fault(_join(where, error.field) if error.field else where, error.message,
                       expected=error.expected, actual=error.actual)  # fmt: skip
            return []
        except PLUGIN_FAULTS as error:
            self.plugin_fault(where, error, f"encoding {record_type.name} failed")
            return []
        self.fault(_join(path, "raw"), "`body` and `raw` say different things",
                   hint="`raw` is there since the fields do not hold all of it: remove it to have the"
                   " edited fields encoded without what they do not hold, or edit `raw` and set"
                   " `body` to null")  # fmt: skip
        return []

    def header(
        self,
        container: _Container,
        shown: dict[str, Any],
        path: str,
        code: int,
        record_type: RecordType[Any] | None,
        length: int,
    ) -> bytes:
        """The header of a record; what is given of it has to be right."""
        header = container.format.header
        assert header is not None
        given = self.integer(shown, "length", path)
        if given is not None and given != length:
            self.fault(_join(path, "length"), "not the length of the body", expected=length,
                       actual=given, hint="leave it out, and it is computed")  # fmt: skip
        instance = self.integer(shown, "instance", path)
        if "instance" not in header.__layout__.by_name:
            if instance is not None:
                self.fault(_join(path, "instance"), "records of this format have no instance")
        elif instance is None:
            if shown.get("instance") is None and not (
                record_type is not None and record_type.instances.limit == 1
            ):
                self.fault(_join(path, "instance"), "the instance is missing",
                           expected="a number")  # fmt: skip
            instance = 0
        values = header_values(header, code, instance, length)
        for name in ("type", "instance", "length"):
            field = header.__layout__.by_name.get(name)
            if field is not None and isinstance(field.kind, Int):
                highest = field.kind.highest
                if values[name] > highest:
                    self.fault(_join(path, name), f"does not fit the header's {field.kind.label}",
                               expected=f"0 to {highest}", actual=values[name])  # fmt: skip
                    return b""
        raw = self.hex(shown, "header_raw", path)
        made = exact_header(header, values, container.byteorder) or b""
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
            self.fault(_join(path, "header_raw"), "does not say what the record says",
                       expected=made.hex(), actual=raw.hex(),
                       hint="leave it out, and the header is made")  # fmt: skip
        return raw

    def padding(
        self, container: _Container, shown: dict[str, Any], path: str, length: int
    ) -> bytes:
        size = padding(length, container.format.alignment)
        given = self.integer(shown, "padding", path)
        if given is not None and given != size:
            self.fault(_join(path, "padding"), f"not what a body of {length} bytes is padded with",
                       expected=size, actual=given,
                       hint="leave it out, and it is computed")  # fmt: skip
        raw = self.hex(shown, "padding_raw", path)
        if raw is not None and len(raw) != size:
            self.fault(_join(path, "padding_raw"), "not as long as the padding",
                       expected=f"{size} bytes", actual=f"{len(raw)} bytes")  # fmt: skip
        return bytes(size) if raw is None else raw

    def remember(
        self, container: _Container, record_type: RecordType[Any], body: list[Piece]
    ) -> None:
        """Keep what records after it depend on, as a reader would."""
        if not record_type.remembered or any(isinstance(piece, Span) for piece in body):
            return
        try:
            kind = body_class(record_type, container.remembered)
            raw = b"".join(piece for piece in body if isinstance(piece, bytes))
            decoded = kind.inspect(raw, container.byteorder).body
        except PLUGIN_FAULTS:
            return
        if decoded is not None:
            container.remembered = {**container.remembered, record_type.code: decoded}


def prologue_bytes(
    format: Format, byteorder: ByteOrder | None, header: dict[str, Any]
) -> tuple[list[tuple[Body, bytes]], list[tuple[str, str]]]:
    """The bodies before the first record, each with its bytes, and what is wrong: (field, message).

    `header` has the fields of all of them. Raises what the format's own code raises.
    """
    made: list[tuple[Body, bytes]] = []
    left = dict(header)
    order: ByteOrder = byteorder or "little"
    while (step := format.prologue([body for body, _ in made])) is not None:
        kind, length = step
        layout = kind.__layout__
        own = {name: left.pop(name) for name in layout.by_name if name in left}
        try:
            body = layout.from_json(own)
        except JsonError as error:
            return made, list(error.faults())
        raw = body.to_bytes(order, check=False)
        if len(raw) != length:
            return made, [("", f"the {kind.__name__} has {len(raw)} bytes, and what stands before it"
                           f" says {length}")]  # fmt: skip
        made.append((body, raw))
        order = format.byteorder(b"".join(part for _, part in made)[:HEAD_SIZE])
    known = [name for body, _ in made for name in type(body).__layout__.by_name]
    return made, [(name, f"unknown field{nearest(name, known)}") for name in left]


def header_values(
    header: type[Body], type: int, instance: int | None, length: int
) -> dict[str, Any]:
    """What the fields of a record header get; those that a document does not have are zero."""
    values: dict[str, Any] = dict.fromkeys(header.__layout__.stored, 0)
    values |= {"type": type, "length": length}
    if "instance" in values:
        values["instance"] = instance
    return values


def exact_header(header: type[Body], values: dict[str, Any], byteorder: ByteOrder) -> bytes | None:
    """The bytes of a record header; None where a value does not fit its field."""
    try:
        raw: bytes = header(**values).to_bytes(byteorder, check=False)
        return raw
    except PLUGIN_FAULTS:
        return None


def exact_body(body: type[Body], value: dict[str, Any], byteorder: ByteOrder) -> bytes | None:
    """The bytes that a body's JSON is encoded to; None where it cannot be."""
    try:
        made = body.__layout__.from_json(value)
        raw: bytes = made.to_bytes(byteorder, check=False)
        return raw
    except (JsonError, *PLUGIN_FAULTS):
        return None


def _usable(entry: Entry | None) -> tuple[RecordType[Any] | None, PluginError | None]:
    if entry is None:
        return None, None
    try:
        return entry.record_type, None
    except PluginError as error:
        return None, error


def _quick_way(container: _Container, code: int) -> Callable[[dict[str, Any]], bytes] | None:
    """Encodes a record that is given by its fields and nothing else; None: no such way."""
    header = container.format.header
    if header is None:
        return None
    layout = header.__layout__
    names = [field.name for field in layout.fields]
    if "instance" not in names or set(names) - {"type", "instance", "length"}:
        return None
    kinds = [field.kind for field in layout.fields if type(field.kind) is Int]
    try:
        entry = container.registry.get(code)
        record_type, _ = _usable(entry)
        if len(kinds) != len(names) or record_type is None or entry is None:
            return None
        if record_type.content or record_type.bulk or record_type.suspends:
            return None
        if record_type.remembered or record_type.depends:
            return None
        write = quick_writer(record_type.body.__layout__, ORDERS[container.byteorder])
    except PLUGIN_FAULTS:
        return None
    size = record_type.body.__layout__.size
    if write is None or size is None:
        return None
    pad = padding(size, container.format.alignment)
    order = layout.order or ORDERS[container.byteorder]
    whole = struct.Struct(f"{order}{''.join(kind.code for kind in kinds)}{size}s{pad}x")
    place = names.index("instance")
    known = {"type": code, "instance": 0, "length": size}
    row: list[Any] = [*(known[name] for name in names), b""]

    def way(shown: dict[str, Any]) -> bytes:
        if not shown.keys() <= _USUAL or shown.get("name", entry.name) != entry.name:
            raise Unusual
        instance = shown["instance"]
        length, padding = shown.get("length", size), shown.get("padding", pad)
        if length != size or padding != pad:
            raise Unusual
        if not type(instance) is type(length) is type(padding) is int:
            raise Unusual
        row[place] = instance
        row[-1] = write(shown["body"])
        return whole.pack(*row)

    return way


def _within(inner: str, outer: str) -> bool:
    return inner.startswith(_plain(outer))


def _kind(value: Any) -> str:
    """What kind of JSON a value is."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number",
             float: "a number with a fraction", type(None): "nothing"}  # fmt: skip
    return next((name for kind, name in names.items() if isinstance(value, kind)), "no JSON")


def _shown(value: Any) -> str:
    """A value as it stands in the JSON, cut where it is long."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= 60 else text[:57] + "..."
