"""Parse the JSON of a document, and report what `json` would accept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from domctx_core.base.errors import DocumentError, DocumentFault
from domctx_core.base.gc_pause import gc_paused
from domctx_core.base.text import TOO_LONG
from domctx_core.document.encode.values import join_path, without_colon

__all__ = ["parse_document", "parse_lines"]


class _Twice(dict[str, Any]):
    """An object that had a key more than once."""

    twice: str = ""


class _NoNumber(str):
    """Marks a value that is not a valid number; the text is the reason."""


def parse_document(text: bytes | str) -> Any:
    """Parse the JSON of a document, in UTF-8.

    Raises `DocumentError` if it is no JSON, an object has a key twice, or a number is not valid.
    """
    return _Parser().parse(text, "")


def parse_lines(lines: Iterable[bytes | str]) -> Iterator[tuple[str, Any]]:
    """Yield each line's place and JSON, for `encode_lines`; raises as `parse_document` does."""
    parser = _Parser()
    for number, text in enumerate(lines, 1):
        if text.strip():
            where = f"line {number}: "
            yield where, parser.parse(text, where)


class _Parser:
    """Parses JSON, and detects keys that an object has twice and numbers that are not valid."""

    def __init__(self) -> None:
        self.suspect = False
        self.decoder = self.decoder_with()

    def decoder_with(self, integer: Callable[[str], Any] | None = None) -> json.JSONDecoder:
        return json.JSONDecoder(
            object_pairs_hook=self.unique, parse_constant=self.constant, parse_int=integer
        )

    def unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        obj = dict(pairs)
        if len(obj) == len(pairs):
            return obj
        self.suspect = True
        twice = _Twice(obj)
        seen: set[str] = set()
        for twice.twice, _ in pairs:
            if twice.twice in seen:
                break
            seen.add(twice.twice)
        return twice

    def constant(self, text: str) -> _NoNumber:
        self.suspect = True
        return _NoNumber(f"{text} is no number of JSON")

    def integer(self, text: str) -> int | _NoNumber:
        try:
            return int(text)
        except ValueError:
            self.suspect = True
            return _NoNumber(TOO_LONG)

    def decoded(self, text: str) -> Any:
        try:
            return self.decoder.decode(text)
        except json.JSONDecodeError:
            raise
        except ValueError:  # Python refuses integers of thousands of digits: find out where it is
            return self.decoder_with(self.integer).decode(text)

    def parse(self, text: bytes | str, where: str) -> Any:
        hint = None
        try:
            if isinstance(text, bytes):
                text = text.decode("utf-8-sig")
            with gc_paused():
                value = self.decoded(text)
            if not self.suspect:
                return value
            faults = list(_faults(value, where))
        except json.JSONDecodeError as error:
            at = f"column {error.colno}" if where else f"line {error.lineno}, column {error.colno}"
            message = f"not JSON: {error.msg} at {at}"
            if error.msg == "Extra data" and not where:
                hint = "a document of one line a record is encoded with --jsonl"
            elif where == "line 1: ":
                hint = "a document that is not one line a record is encoded without --jsonl"
        except RecursionError:
            message = "the JSON is nested too deeply to be read"
        except UnicodeDecodeError as error:
            message = f"not JSON: byte {error.start} is no UTF-8"
            hint = "`domctx decode` makes a document of an image"
        else:
            raise DocumentError(faults)
        raise DocumentError([DocumentFault(without_colon(where), message, hint=hint)])


def _faults(value: Any, path: str) -> Iterator[DocumentFault]:
    if isinstance(value, _NoNumber):
        yield DocumentFault(without_colon(path), value)
    if isinstance(value, _Twice):
        yield DocumentFault(
            join_path(path, value.twice),
            "the key stands twice in one object",
            hint="keep one of them",
        )
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _faults(item, join_path(path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _faults(item, f"{path}[{number}]")
