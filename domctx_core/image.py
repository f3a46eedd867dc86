"""Images as trees: any input of a known format, read without a domain.

The walker's flat events are what is read; this module makes the nested form of them that JSON has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from domctx_core.errors import PLUGIN_FAULTS
from domctx_core.rules import Finding
from domctx_core.sources import Source
from domctx_core.verifier import Verifier
from domctx_core.walker import KEPT, Closed, Event, Fault, Level, Opened, Record, Trailing

__all__ = ["image_json", "record_json"]


def image_json(
    events: Iterable[Event],
    verifier: Verifier,
    *,
    path: str,
    source: Source | None = None,
    keep: Callable[[Record], bool] = lambda record: True,
    raw_limit: int | None = KEPT,
) -> dict[str, Any]:
    """The document of `show --json`.

    `source` is asked for the input's size, which a fault may hide from the events. `keep` chooses
    records; a container is kept whatever it holds. Raw bytes are cut after
    `raw_limit` bytes (None: never), and say so.
    """
    tree = _Tree(keep, raw_limit)
    findings: list[Finding] = []
    size = 0
    for event in events:
        findings += verifier.see(event)
        size = max(size, tree.see(event))
    return {
        "schema": "domctx.image/1",
        "path": path,
        **tree.root,
        "size": size if source is None else source.end(),
        "findings": [finding.to_json() for finding in findings],
    }


def record_json(record: Record, *, raw_limit: int | None = KEPT) -> dict[str, Any]:
    """One record as `show --json` has it, without nested content."""
    entry, body, raw = None, None, True
    try:
        entry = record.entry
        decoded = record.decoded
        if decoded is not None and decoded.body is not None:
            body = decoded.body.to_json()
            if record.bulk:  # only the head is decoded: whoever encodes needs the bytes, no other
                raw = raw_limit is None
            else:
                again = decoded.body.to_bytes(record.level.framing.byteorder, check=False)
                raw = again != record.raw()
    except PLUGIN_FAULTS:  # the verifier says so; what can be shown is shown
        pass
    shown: dict[str, Any] = {"index": record.index, "offset": record.offset, "type": record.type}
    shown["name"] = record.name
    if record.instance is not None:
        shown["instance"] = record.instance
    shown["length"] = number(record.length)
    shown["padding"] = record.padding
    if record.complete and record.padding_raw.strip(b"\0"):
        shown["padding_raw"] = record.padding_raw.hex()
    shown["body"] = body
    if raw:
        kept = record.raw(raw_limit)
        shown["raw"] = kept.hex()
        if len(kept) < min(record.length, record.available):
            shown["raw_truncated"] = True
    shown["provider"] = None if entry is None else entry.provider.to_json()
    return shown


def number(value: int) -> int | str:
    """An integer that JSON readers keep exactly: a decimal string beyond 2**53."""
    return value if -(2**53) <= value <= 2**53 else str(value)


class _Tree:
    """Builds the nested form from events."""

    def __init__(self, keep: Callable[[Record], bool], raw_limit: int | None) -> None:
        self.root: dict[str, Any] = {}
        self.keep = keep
        self.raw_limit = raw_limit
        self.nodes: dict[Level, dict[str, Any]] = {}
        self.last: tuple[Record, dict[str, Any]] | None = None

    def see(self, event: Event) -> int:
        """Take an event in; gives how far into the input it reaches."""
        match event:
            case Opened(level, resumed):
                self.open(level, resumed)
                return level.offset
            case Record():
                if self.keep(event) or event.content is not None:
                    shown = record_json(event, raw_limit=self.raw_limit)
                    self.nodes[event.level]["records"].append(shown)
                    self.last = event, shown
                return event.body_offset + event.available
            case Trailing(level, offset, length, raw):
                limit = KEPT if self.raw_limit is None else self.raw_limit
                self.nodes[level]["trailing"] = {
                    "offset": offset,
                    "length": length,
                    "raw": raw[:limit].hex(),
                }
                return offset + length
            case Fault(level, finding):
                if level is not None and level not in self.nodes:
                    self.open(level, False)
                return finding.offset
            case Closed(_, offset):
                return offset

    def open(self, level: Level, resumed: bool) -> None:
        node: dict[str, Any] = {
            "format": level.format.name,
            "format_version": level.framing.version,
            "byteorder": level.framing.byteorder,
        }
        if level.prologue:
            node["header"] = prologue_json(level)
        node["records"] = []
        if level.parent is not None:
            assert self.last is not None
            assert self.last[0] is level.parent
            self.last[1]["content"] = node
        elif not self.root:
            self.root = node
        else:  # it follows a format that has no records of its own
            next(n for n in reversed(self.nodes.values()) if "content" not in n)["content"] = node
        if resumed:
            node["resumed"] = True
        self.nodes[level] = node


def prologue_json(level: Level) -> dict[str, Any]:
    """The fields of all bodies before the first record, as one object."""
    merged: dict[str, Any] = {}
    for _, body in level.prologue:
        merged |= body.to_json()
    return merged
