"""The contestants of domctx, through what it exports."""

from __future__ import annotations

import gc
import io
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks import declared
from benchmarks.child import Run
from benchmarks.inputs import MASK
from domctx_core import (
    Body,
    BufferSource,
    Columns,
    Domain,
    FileSource,
    Host,
    MemoryLoadOps,
    MemorySaveOps,
    Observer,
    Operation,
    RecordEvent,
    Source,
    Watch,
    XenVersion,
    decode_lines,
    decode_text,
    diff_images,
    encode_image,
    encode_lines,
    load_domain,
    open_source,
    parse_document,
    parse_lines,
    read_image,
    save_domain,
    verify,
    write_chunks,
)

__all__ = [
    "decode",
    "decode_in_lines",
    "diff_changed",
    "diff_equal",
    "dumps",
    "encode",
    "encode_of_lines",
    "grow",
    "load_columns",
    "load_objects",
    "load_one_by_one",
    "loads",
    "save_batch",
    "save_one_by_one",
    "verify_file",
    "verify_memory",
    "verify_pages",
    "verify_stream",
]

# -------------------------------------------------------------------------------------------- verify


class _Counter(Observer):
    """Counts what was judged, but for START and END."""

    def __init__(self) -> None:
        self.count = self.instances = 0

    def records(self, batch: Sequence[RecordEvent]) -> None:
        for event in batch:
            if event.code > 1:
                self.count += 1
                self.instances += event.instance or 0


def _sound(verdict: Any) -> None:
    if not verdict.valid:
        raise SystemExit(f"domctx finds {verdict.findings[0]}")


def _count(source: Source, formats: Any) -> dict[str, int]:
    """What `verify` sees, counted in a run that is not timed: counting costs more than judging."""
    counter = _Counter()
    with Watch([counter], Operation("verify", "")) as watch:
        _sound(verify(source, formats, watch=watch))
    return {
        "records": counter.count, "instances": counter.instances & MASK, "bytes": source.end(),
    }  # fmt: skip


def _pipe() -> Any:
    """Standard input without a buffer, as the command has it."""
    return getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)


def verify_memory(run: Run) -> dict[str, int]:
    """`verify` of bytes in memory, with every rule and every check that is installed."""
    data, formats, checks = run.data(), declared.formats(), Host().checks()
    for entry in formats.registry("domain-context"):
        _ = entry.record_type  # importing is not what is measured
    with run.timed():
        verdict = verify(BufferSource(data), formats, checks=checks)
    _sound(verdict)
    return _count(BufferSource(data), formats)


def verify_file(run: Run) -> dict[str, int]:
    """`verify` of large records in a file or a pipe, opened as the command does."""
    formats = declared.formats()
    with run.timed():
        if run.path == "-":
            source: Source = FileSource(_pipe())
            verdict = verify(source, formats)
            size = source.end()
        else:
            with open_source(run.path) as source:
                verdict = verify(source, formats)
                size = source.end()
    _sound(verdict)
    if run.path == "-":
        return {"bytes": size}
    with open_source(run.path) as source:
        return _count(source, formats)


def verify_stream(run: Run) -> dict[str, int]:
    """`verify` of a libxc stream in a file or a pipe, with all checks."""
    host = Host()
    checks = host.checks()
    with run.timed():
        if run.path == "-":
            source: Source = FileSource(_pipe())
            verdict = verify(source, host.formats, checks=checks)
            size = source.end()
        else:
            with open_source(run.path) as source:
                verdict = verify(source, host.formats, checks=checks)
                size = source.end()
    _sound(verdict)
    return {"bytes": size}


def verify_pages(run: Run) -> dict[str, int]:
    """`verify` of a libxc stream in a file, after one that is not timed."""
    host = Host()
    checks = host.checks()
    with open_source(run.path) as source:
        _sound(verify(source, host.formats, checks=checks))
    with run.timed(), open_source(run.path) as source:
        verdict = verify(source, host.formats, checks=checks)
        size = source.end()
    _sound(verdict)
    return {"bytes": size}


def grow(run: Run) -> dict[str, int]:
    """`verify` of a file, again and again; gives the time of the one that the machine disturbed least."""
    formats, times = declared.formats(), int(run.arguments["times"])
    if run.arguments.get("warm", True):
        with open_source(run.path) as source:
            _sound(verify(source, formats))
    took = []
    with run.timed():
        for _ in range(times):
            begun = time.process_time()
            with open_source(run.path) as source:
                verdict = verify(source, formats)
            took.append(time.process_time() - begun)
    _sound(verdict)
    run.cpu = min(took)
    return {"bytes": os.stat(run.path).st_size}


# ------------------------------------------------------------------------------------- load and save


class _Kept(Domain):
    """Keeps a body for each record, as it is given one by one."""

    xen_version = XenVersion(4, 17)

    def __init__(self) -> None:
        self.runs: list[Columns[Any]] = []
        self.bodies: dict[int, Any] = {}

    def offers(self) -> frozenset[int]:
        return frozenset({declared.SmallRecord.code})

    def instances(self, body: type[Body]) -> Iterable[int]:
        return self.bodies

    def read(self, body: Any, instance: int = 0) -> Any:
        return self.bodies[instance]

    def write(self, body: Any, instance: int, value: Any) -> None:
        self.bodies[instance] = value

    def pause(self) -> None:
        pass

    def unpause(self) -> None:
        pass


class _Columns(_Kept):
    """Keeps columns."""

    def write_run(self, body: Any, run: Columns[Any]) -> None:
        self.runs.append(run)

    def read_run(self, body: Any) -> Columns[Any]:
        self.runs = [Columns.joined(self.runs)]
        return self.runs[0]


class _Objects(_Kept):
    """Makes a body for each record, a whole run at a time."""

    def write_run(self, body: Any, run: Columns[Any]) -> None:
        self.bodies.update(zip(run.instances, run.bodies(), strict=True))


FIELDS = ("mode", "level", "ticks")


def _totals(domain: _Kept, size: int) -> dict[str, int]:
    records = instances = fields = 0
    for run in domain.runs:
        records += len(run)
        instances += sum(run.instances)
        fields += sum(sum(run.column(name)) for name in FIELDS)
    for instance, body in domain.bodies.items():
        records += 1
        instances += instance
        fields += body.mode + body.level + body.ticks
    return {
        "records": records, "bytes": size, "instances": instances & MASK, "fields": fields & MASK,
    }  # fmt: skip


def _load(run: Run, domain: _Kept, formats: Any) -> dict[str, int]:
    data = run.data()
    registry = formats.registry("domain-context")
    gc.collect()
    with run.timed():
        result = load_domain(domain, MemoryLoadOps(data), registry)
    return _totals(domain, result.consumed)


def load_columns(run: Run) -> dict[str, int]:
    """Into a domain that keeps columns."""
    return _load(run, _Columns(), declared.formats())


def load_objects(run: Run) -> dict[str, int]:
    """Into a domain that keeps an object a record."""
    return _load(run, _Objects(), declared.formats())


def load_one_by_one(run: Run) -> dict[str, int]:
    """Through a handler that takes one record and writes one body."""
    return _load(run, _Kept(), declared.one_by_one())


def _save(run: Run, domain: _Kept, formats: Any) -> dict[str, int]:
    data = run.data()
    load_domain(domain, MemoryLoadOps(data), declared.formats().registry("domain-context"))
    registry = formats.registry("domain-context")
    ops = MemorySaveOps()
    gc.collect()
    with run.timed():
        records = save_domain(domain, ops, registry)
        image = ops.image
    if image[24:] != data[24:]:
        raise SystemExit("the image that was saved is another")
    return {"records": records - 2, "bytes": len(image)}


def save_batch(run: Run) -> dict[str, int]:
    """From a domain that keeps columns."""
    return _save(run, _Columns(), declared.formats())


def save_one_by_one(run: Run) -> dict[str, int]:
    """Through a handler that reads one body and writes one record."""
    return _save(run, _Objects(), declared.one_by_one())


# ---------------------------------------------------------------------------------------------- JSON


def _document(data: bytes, formats: Any) -> str:
    return "".join(decode_text(BufferSource(data), formats))


def decode(run: Run) -> dict[str, int]:
    """An image to the text of its JSON document."""
    data, formats = run.data(), Host().formats
    with run.timed():
        text = _document(data, formats)
    return {"records": len(json.loads(text)["records"]) - 2}


def _lines(data: bytes, formats: Any) -> list[str]:
    return [json.dumps(line) for line in decode_lines(BufferSource(data), formats)]


def decode_in_lines(run: Run) -> dict[str, int]:
    """An image to a line of JSON for each record."""
    data, formats = run.data(), Host().formats
    with run.timed():
        lines = _lines(data, formats)
    return {"records": len(lines) - 3}


def encode_of_lines(run: Run) -> dict[str, int]:
    """Those lines to the image."""
    data, formats = run.data(), Host().formats
    lines = _lines(data, formats)
    image = io.BytesIO()
    with run.timed():
        write_chunks(encode_lines(parse_lines(lines), formats), None, image)
    if image.getvalue() != data:
        raise SystemExit("the image that was encoded is another")
    return {"bytes": len(data)}


def dumps(run: Run) -> dict[str, int]:
    """`json.dumps` of the same document, which is there already."""
    document = json.loads(_document(run.data(), Host().formats))
    with run.timed():
        json.dumps(document, separators=(",", ":"))
    return {"records": len(document["records"]) - 2}


def encode(run: Run) -> dict[str, int]:
    """The text of a JSON document to the image."""
    data, formats = run.data(), Host().formats
    text = _document(data, formats)
    image = io.BytesIO()
    with run.timed():
        write_chunks(encode_image(parse_document(text), formats), None, image)
    if image.getvalue() != data:
        raise SystemExit("the image that was encoded is another")
    return {"bytes": len(data)}


def loads(run: Run) -> dict[str, int]:
    """`json.loads` of the same document."""
    text = _document(run.data(), Host().formats)
    with run.timed():
        document = json.loads(text)
    return {"records": len(document["records"]) - 2}


# ---------------------------------------------------------------------------------------------- diff


def _diff(run: Run, other: bytes) -> int:
    data, formats = run.data(), Host().formats
    with run.timed():
        a = read_image(BufferSource(data), formats)
        b = read_image(BufferSource(other), formats)
        found = diff_images(a, b)
        return sum(len(container.records) for container in found.containers)


def diff_equal(run: Run) -> dict[str, int]:
    """Two images that are the same."""
    if _diff(run, run.data()):
        raise SystemExit("an image differs from itself")
    return {}


def diff_changed(run: Run) -> dict[str, int]:
    """Two images of which every hundredth channel differs in one bit."""
    other, count = bytearray(run.data()), 0
    first = len(other) - 16 - 48 * (run.arguments["ports"] - 1)
    for at in range(first, len(other) - 16, 4800):
        other[at + 16 + 8] ^= 1
        count += 1
    if _diff(run, bytes(other)) != count:
        raise SystemExit("diff finds another number of changes")
    return {}
