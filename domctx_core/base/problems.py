"""Rules, problems and findings.

A *rule* is stable and has an id. A *problem* is a rule broken by one body, reported by the code
that examined the body; its offset counts from the body's start. A *finding* is a problem with its
place in the file, which only the reader of the whole image knows.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from domctx_core.base.errors import Errno, ImageError
from domctx_core.base.text import json_integer

__all__ = ["Finding", "Problem", "Rule", "Severity"]


class Severity(StrEnum):
    """How severe a finding is. An *error* is what `load` would refuse."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Rule(NamedTuple):
    """One thing that can be wrong: a stable id, its usual severity and errno, and its meaning.

    `summary` is one line, `meaning` explains it to the owner of the image, `advice` is what to do,
    `example` shows the bytes or the situation.
    """

    id: str
    severity: Severity
    errno: Errno | None
    summary: str
    meaning: str
    advice: str
    example: str


class Problem(NamedTuple):
    """A rule broken by one body or one record.

    `offset` counts bytes from the start of the body (None: the record as a whole). `errno` and
    `severity` override the rule's own.
    """

    rule: str
    message: str
    offset: int | None = None
    field: str | None = None
    expected: Any = None
    actual: Any = None
    errno: Errno | None = None
    severity: Severity | None = None


class Finding(NamedTuple):
    """A problem with its place in the file, as `verify` reports it.

    `offset` counts from the start of the file, `container_offset` from the start of the innermost
    container that holds the record; `container` is the path of formats down to it.
    """

    rule: str
    severity: Severity
    errno: Errno | None
    message: str
    offset: int
    record: int | None = None
    type: int | None = None
    name: str | None = None
    instance: int | None = None
    field: str | None = None
    expected: Any = None
    actual: Any = None
    container: tuple[str, ...] = ()
    container_offset: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the finding as `verify --json` prints it."""
        return {
            "rule": self.rule,
            "severity": str(self.severity),
            "errno": None if self.errno is None else self.errno.name,
            "offset": self.offset,
            "record": self.record,
            "type": self.type,
            "instance": self.instance,
            "message": self.message,
            "expected": _json_value(self.expected),
            "actual": _json_value(self.actual),
            "name": self.name,
            "field": self.field,
            "container": list(self.container),
            "container_offset": self.container_offset,
        }

    def error(self, provider: object | None = None) -> ImageError:
        """Return the finding as the error that `load` raises for it."""
        return ImageError(
            self.message,
            errno=self.errno,
            rule=self.rule,
            offset=self.offset,
            record=self.record,
            type=self.type,
            type_name=self.name,
            instance=self.instance,
            field=self.field,
            expected=self.expected,
            actual=self.actual,
            provider=provider,
        )


def _json_value(value: Any) -> Any:
    """Return a value in a form that JSON keeps without loss."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return json_integer(int(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    return str(value)
