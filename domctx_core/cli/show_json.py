"""The JSON of `domctx show`; apart, since what people read needs none of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from domctx_core.base.io import CHUNK
from domctx_core.base.problems import Finding, Severity
from domctx_core.cli.app import App
from domctx_core.cli.outputs import blocks
from domctx_core.document.text_writer import Part, Writer
from domctx_core.document.vocabulary import container_json, prologue_json, record_json
from domctx_core.reader.events import KEPT, Event, Fault, Opened, Record, Trailing
from domctx_core.reader.sources import Source
from domctx_core.verification.verifier import Verifier

__all__ = ["show_document", "show_lines"]


def show_document(
    app: App,
    source: Source,
    events: Iterable[Event],
    verifier: Verifier,
    keep: Callable[[Record], bool],
    path: str,
) -> bool:
    """Print one document for the whole input; gives whether it has an error.

    It is what `image_json` makes, and is written as it comes: an image may have millions of records.
    """
    findings: list[Finding] = []
    for block in blocks(_document(source, events, verifier, keep, path, findings), CHUNK):
        app.out(block)
    return any(finding.severity is Severity.ERROR for finding in findings)


def _document(
    source: Source,
    events: Iterable[Event],
    verifier: Verifier,
    keep: Callable[[Record], bool],
    path: str,
    findings: list[Finding],
) -> Iterator[str]:
    writer = Writer()
    yield from writer.begin(path, None)  # a pipe has no size before its end
    for event in events:
        findings += verifier.see(event)
        for part in _parts(event, keep, writer):
            yield from writer.part(part)
    yield from writer.end(source.end(), {"findings": [finding.to_json() for finding in findings]})


def _parts(event: Event, keep: Callable[[Record], bool], writer: Writer) -> Iterator[Part]:
    match event:
        case Opened(level, resumed):
            yield Part("container", level, level.offset, container_json(level, resumed))
        case Record(level=level) if keep(event) or event.content is not None:
            yield Part("record", level, event.offset, record_json(event))
        case Trailing(level, offset, length, raw):
            shown = {"offset": offset, "length": length, "raw": raw[:KEPT].hex()}
            yield Part("trailing", level, offset, shown)
        case Fault(level) if level is not None and level not in writer.stack:
            # one that broke off before it was known
            yield Part("container", level, level.offset, container_json(level, False))


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
