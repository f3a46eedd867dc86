"""Read numbers, hex and stretches of bytes of a document, and collect all faults."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from domctx_core.base.errors import DocumentError, DocumentFault, DomctxError, describe
from domctx_core.base.io import CHUNK
from domctx_core.base.text import excerpt, suggestion
from domctx_core.document.vocabulary import STRETCH
from domctx_core.layout.kinds.base import parse_integer
from domctx_core.reader.sources import Source
from domctx_core.reader.splice import ByteRange, Chunk

__all__ = ["DocumentReader", "ObjectReader", "join_path", "json_type", "without_colon"]

_ZEROS = bytes(CHUNK)

_HIGHEST = 2**64 - 1
"""The highest number that any header holds."""


class DocumentReader:
    """Reads the simple values of a document, and collects all faults, each with its path.

    `source` is the input that the document was decoded from, if it is at hand.
    """

    def __init__(self, source: Source | None, fill_zero: bool, cap: int) -> None:
        self.source = source
        self.fill_zero = fill_zero
        self.cap = cap
        self.faults: list[DocumentFault] = []

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """Raise all faults when the block ends."""
        try:
            yield
        except RecursionError:
            self.fault("", "the JSON is nested more deeply than any image is")
        if self.faults:
            raise DocumentError(self.faults)

    def fault(self, path: str, message: str, **details: Any) -> None:
        self.faults.append(DocumentFault(without_colon(path), message, **details))

    def plugin_fault(self, path: str, error: BaseException, what: str, hint: str = "") -> None:
        text = error.message if isinstance(error, DomctxError) else describe(error)
        own = error.hint if isinstance(error, DomctxError) else None
        self.fault(path, f"{what}: {text}", hint=own or hint or None, needs_plugin=True)

    def root(self, value: Any, schema: str, known: Collection[str], path: str) -> bool:
        """Return whether `value` is a document of this schema, and of the source."""
        if not self.keys(value, known, path, "a document"):
            return False
        document = ObjectReader(self, value, path)
        if value.get("schema") != schema:
            document.fault("schema", "not a document that can be encoded", expected=schema,
                           actual=excerpt(value.get("schema")),
                           hint="`domctx decode` makes them")  # fmt: skip
            return False
        size = document.integer("size")
        if self.source is not None and size is not None and size != self.source.end():
            document.fault("size", "the source is not the input that the document was made of",
                           expected=f"a source of {size} bytes",
                           actual=f"{self.source.end()} bytes")  # fmt: skip
        return True

    def keys(self, value: Any, known: Collection[str], path: str, what: str) -> bool:
        """Return whether `value` is an object; keys that are not known are faults."""
        if not isinstance(value, dict):
            self.fault(path, f"not {what}", expected="an object", actual=json_type(value))
            return False
        for key in value:
            if key not in known:
                self.fault(join_path(path, key), f"unknown key of {what}{suggestion(key, known)}",
                           expected=", ".join(known))  # fmt: skip
        return True

    def stretch(self, value: Any, path: str) -> Iterator[Chunk]:
        """Yield bytes that are given in hex, left out, or a range of the source."""
        if not self.keys(value, STRETCH, path, "a stretch of bytes"):
            return
        stretch = ObjectReader(self, value, path)
        length = stretch.integer("length")
        if value.get("raw") is not None:
            raw = stretch.hex("raw")
            if raw is not None and length is not None and len(raw) != length:
                stretch.fault("length", "does not fit `raw`", expected=len(raw), actual=length,
                              hint="leave it out, and it is computed; `show` cuts `raw`, `decode`"
                              " does not")  # fmt: skip
            yield raw or b""
        elif length is None:
            if not any(_within(fault.path, path) for fault in self.faults):
                self.fault(path, "there are neither bytes nor a length",
                           expected="`raw`, or `offset` and `length`")  # fmt: skip
        elif value.get("omitted"):
            yield from self._omitted(length, path)
        else:
            yield from self._referenced(stretch, length, path)

    def _referenced(self, stretch: ObjectReader, length: int, path: str) -> Iterator[Chunk]:
        offset = stretch.integer("offset")
        if offset is None:
            if stretch.obj.get("offset") is None:
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
            yield ByteRange(offset, length)

    def _omitted(self, length: int, path: str) -> Iterator[Chunk]:
        if not self.fill_zero:
            self.fault(path, f"{length} bytes were left out when the image was decoded",
                       hint="decode with --pages reference or inline, or write zeros for them with"
                       " --fill-zero")  # fmt: skip
        elif length > self.cap:
            self.fault(join_path(path, "length"), "more zeros than are written for one stretch",
                       expected=f"at most {self.cap} bytes", actual=length,
                       hint="a larger --cap allows it")  # fmt: skip
        else:
            yield from (_ZEROS[: min(CHUNK, length - at)] for at in range(0, length, CHUNK))


class ObjectReader:
    """Reads the values of one object of a document; the path of a fault is that of the value."""

    def __init__(self, doc: DocumentReader, obj: dict[str, Any], path: str) -> None:
        self.doc = doc
        self.obj = obj
        self.path = path

    def fault(self, key: str, message: str, **details: Any) -> None:
        self.doc.fault(join_path(self.path, key), message, **details)

    def integer(self, key: str) -> int | None:
        """Return an unsigned number, which may be in a string; None if it is absent or a fault."""
        value = self.obj.get(key)
        if value is None:
            return None
        number = value if type(value) is int else -1
        if isinstance(value, str):
            with suppress(ValueError):
                number = parse_integer(value)
        if number < 0:
            self.fault(key, "not an unsigned number", expected="a number, or one in a string",
                       actual=excerpt(value))  # fmt: skip
            return None
        if number > _HIGHEST:
            self.fault(key, "does not fit 64 bits", expected=f"0 to {_HIGHEST}",
                       actual=excerpt(value))  # fmt: skip
            return None
        return number

    def hex(self, key: str) -> bytes | None:
        """Return bytes given in hex; None if they are absent or a fault."""
        value = self.obj.get(key)
        if value is None:
            return None
        try:
            return bytes.fromhex(value)
        except (TypeError, ValueError):
            self.fault(key, "not bytes in hex", expected="an even number of hex digits",
                       actual=excerpt(value))  # fmt: skip
            return None


def join_path(path: str, key: str) -> str:
    return path + key if not path or path.endswith(" ") else f"{path}.{key}"


def without_colon(path: str) -> str:
    return path.removesuffix(": ")


def _within(inner: str, outer: str) -> bool:
    return inner.startswith(without_colon(outer))


def json_type(value: Any) -> str:
    """Describe the JSON type of a value."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number",
             float: "a number with a fraction", type(None): "nothing"}  # fmt: skip
    return next((name for kind, name in names.items() if isinstance(value, kind)), "no JSON")
