"""The JSON of `domctx show`: what can be read of an image, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from domctx_core.base.errors import PLUGIN_ERRORS
from domctx_core.base.problems import Finding
from domctx_core.document.text_writer import DocumentPart, Writer
from domctx_core.document.vocabulary import (
    body_json,
    container_json,
    record_head,
    record_provider,
    stretch_json,
)
from domctx_core.reader.events import Closed, Event, Fault, Opened, Trailing
from domctx_core.reader.record import KEPT, Record
from domctx_core.reader.sources import Source
from domctx_core.verification.verifier import Verifier

__all__ = ["view_lines", "view_text"]


def view_text(
    source: Source,
    events: Iterable[Event],
    verifier: Verifier,
    findings: list[Finding],
    *,
    path: str,
    keep: Callable[[Record], bool] = lambda record: True,
) -> Iterator[str]:
    """Yield one document for the whole input as text, without holding it.

    Its findings are added to `findings`. `keep` chooses records; a record that has content is kept.
    """
    writer = Writer()
    yield from writer.begin(path, None)  # a pipe has no size before its end
    for event in events:
        findings += verifier.see(event)
        for part in _parts(event, keep, writer):
            yield from writer.part(part)
    yield from writer.end(source.end(), {"findings": [finding.to_json() for finding in findings]})


def _parts(event: Event, keep: Callable[[Record], bool], writer: Writer) -> Iterator[DocumentPart]:
    match event:
        case Opened(level, resumed):
            yield DocumentPart("container", level, level.offset, container_json(level, resumed))
        case Record(level=level) if keep(event) or event.content is not None:
            yield DocumentPart("record", level, event.offset, _record(event))
        case Trailing(level, offset, length, raw):
            yield DocumentPart("trailing", level, offset, stretch_json(offset, length, raw[:KEPT]))
        case Closed(level, offset):
            yield DocumentPart("end", level, offset, {})
        case Fault(level) if level is not None and level not in writer.stack:
            # one that broke off before it was known
            yield DocumentPart("container", level, level.offset, container_json(level, False))
            yield DocumentPart("end", level, level.offset, {})


def view_lines(
    event: Event, keep: Callable[[Record], bool], findings: Iterable[Finding]
) -> Iterator[dict[str, Any]]:
    """Yield the lines of a container, record or other event, and of what was found in it."""
    if isinstance(event, Opened) and not event.resumed:
        level = event.level
        container = container_json(level, False)
        yield {"container": list(level.path), "offset": level.offset, **container}
    elif isinstance(event, Record) and keep(event):
        yield {"container": list(event.level.path), **_record(event)}
    for finding in findings:
        yield {"finding": finding.to_json()}


def _record(record: Record) -> dict[str, Any]:
    """Return one record as JSON has it, without nested content; `raw` is cut after `KEPT` bytes."""
    body, raw = None, True
    try:
        decoded = record.decoded
        if decoded is not None and decoded.body is not None:
            body = body_json(decoded.body)
            if record.bulk:  # only the head is decoded; the rest is guest memory
                raw = False
            else:
                again = decoded.body.to_bytes(record.level.framing.byteorder, check=False)
                raw = again != record.raw()
    except PLUGIN_ERRORS:  # the verifier says so; what can be shown is shown
        pass
    obj = record_head(record)
    obj["body"] = body
    if raw:
        kept = record.raw(KEPT)
        obj["raw"] = kept.hex()
        if len(kept) < min(record.length, record.available):
            obj["raw_truncated"] = True
    obj["provider"] = record_provider(record)
    return obj
