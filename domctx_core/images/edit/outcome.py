"""The result of an edit: the outcome as chunks, and what changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from domctx_core.reader.sources import Source
from domctx_core.reader.splice import Chunk, SplicedSource

__all__ = ["Edit", "EditChange"]


@dataclass(frozen=True, slots=True)
class EditChange:
    """One thing that an edit did.

    `action` is `set`, `dropped`, `inserted`, `replaced` or `moved`; `container` the path of
    formats; `record` the record's index in its container of the input (None where it has none).
    Of a field, `old` and `new` are as in JSON, and `text` says both to people. `offset` is the
    place in the input, `new_offset` that in the outcome: of the field, or of the record.
    """

    action: Literal["set", "dropped", "inserted", "replaced", "moved"]
    container: tuple[str, ...]
    type: int | None = None
    name: str | None = None
    instance: int | None = None
    record: int | None = None
    field: str | None = None
    old: Any = None
    new: Any = None
    text: str = ""
    offset: int | None = None
    new_offset: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the change as `edit --json` prints it."""
        shown: dict[str, Any] = {"action": self.action, "container": list(self.container)}
        for key in ("type", "name", "instance", "record", "field"):
            shown[key] = getattr(self, key)
        if self.action == "set":
            shown |= {"old": self.old, "new": self.new}
        return shown | {"offset": self.offset, "new_offset": self.new_offset}


@dataclass(frozen=True, slots=True)
class Edit:
    """The outcome of an edit, and what it changed. Ranges are of `source` unless they name another."""

    source: Source
    chunks: tuple[Chunk, ...]
    size: int
    changes: tuple[EditChange, ...]

    def outcome(self) -> Source:
        """Return the outcome as a source, without writing it."""
        return SplicedSource(self.chunks, self.source)
