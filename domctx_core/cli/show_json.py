"""The JSON of `domctx show`; apart, since what people read needs none of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from domctx_core.cli.app import App
from domctx_core.image import image_json, prologue_json, record_json
from domctx_core.rules import Finding, Severity
from domctx_core.sources import Source
from domctx_core.verifier import Verifier
from domctx_core.walker import Event, Opened, Record

__all__ = ["show_document", "show_lines"]


def show_document(
    app: App,
    source: Source,
    events: Iterable[Event],
    verifier: Verifier,
    keep: Callable[[Record], bool],
    path: str,
) -> bool:
    """Print one document for the whole input; gives whether it has an error."""
    document = image_json(events, verifier, path=path, source=source, keep=keep)
    app.out(json.dumps(document, indent=2))
    return any(finding["severity"] == "error" for finding in document["findings"])


def show_lines(
    app: App, events: Iterable[Event], verifier: Verifier, keep: Callable[[Record], bool]
) -> bool:
    """Print a line for each container, record and finding; gives whether there is an error."""
    bad = False
    for event in events:
        findings = verifier.see(event)
        bad |= any(finding.severity is Severity.ERROR for finding in findings)
        for line in _lines(event, keep, findings):
            app.out(json.dumps(line))
    return bad


def _lines(
    event: Event, keep: Callable[[Record], bool], findings: Iterable[Finding]
) -> Iterator[dict[str, object]]:
    if isinstance(event, Opened) and not event.resumed:
        level = event.level
        line: dict[str, object] = {
            "container": list(level.path),
            "offset": level.offset,
            "format": level.format.name,
            "format_version": level.framing.version,
            "byteorder": level.framing.byteorder,
        }
        if level.prologue:
            line["header"] = prologue_json(level)
        yield line
    elif isinstance(event, Record) and keep(event):
        yield {"container": list(event.level.path), **record_json(event)}
    for finding in findings:
        yield {"finding": finding.to_json()}
