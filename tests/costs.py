"""Counts what runs of domctx cost, in things that are the same on a slow machine and a fast one.

* `imports`: modules that a command imports beyond what Python itself starts with, those of
  domctx_core (`own`) and all of them (`all`);
* `calls`: functions, in Python and in C, that are called for one record more;
* `bytes`: memory that is allocated at the peak for one record more.

The last two are slopes between two sizes, after a run that is not counted, so that what is done once
does not count. `python tests/costs.py` prints what is counted now; with `--write` it goes into
tests/data/costs.json, beside what other versions of Python have there. test_costs.py compares.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterable
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

from domctx_core import (
    Body,
    BufferSource,
    Domain,
    LoadContext,
    MemoryLoadOps,
    MemorySaveOps,
    RecordType,
    SaveContext,
    Verifier,
    XenVersion,
    load_domain,
    read_image,
    reserved,
    save_domain,
    u16,
    u32,
    u64,
    verify,
    walk,
)
from domctx_core.document.decode import decode_text
from domctx_core.document.encode.encode import encode_image
from domctx_core.document.encode.parse import parse_document
from domctx_core.host.host import Host
from domctx_core.images.diff.compare import diff_images
from domctx_core.layout.columns.columns import Columns
from domctx_core.model.registry import Provider
from domctx_core.model.wire import DOMAIN_CONTEXT
from domctx_core.testing import FakeDists

__all__ = ["KEPT", "VERSION", "Figures", "kept", "measure"]

KEPT = Path(__file__).parent / "data" / "costs.json"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

Figures = dict[str, dict[str, float]]

CODE = 0x80000001
FEW, MANY = 5_000, 10_000


class Mode(IntEnum):
    """Three values."""

    OFF = 0
    ON = 1
    AUTO = 2


class Costly(Body):
    """16 bytes with an enumeration, a range and reserved bytes."""

    mode: Mode = u32()
    level: int = u16(maximum=1000)
    pad = reserved(2)
    ticks: int = u64()


class CostlyRecord(RecordType[Costly]):
    """Nothing but the declaration."""

    code, name, body = CODE, "COSTLY", Costly


class EachRecord(CostlyRecord):
    """Handlers that see each record."""

    def save(self, domain: Domain, context: SaveContext) -> None:
        for instance in domain.instances(Costly):
            context.write(instance, domain.read(Costly, instance))

    def load(self, domain: Domain, context: LoadContext) -> None:
        instance, body = context.read(self)
        domain.write(Costly, instance, body)


class Kept(Domain):
    """Keeps a body for each record."""

    xen_version = XenVersion(4, 17)

    def __init__(self) -> None:
        self.bodies: dict[int, Any] = {}

    def offers(self) -> frozenset[int]:
        return frozenset({CODE})

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


class KeptRuns(Kept):
    """Keeps runs as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[Columns[Any]] = []

    def read_run(self, body: Any) -> Columns[Any]:
        return Columns.joined(self.runs)

    def write_run(self, body: Any, run: Columns[Any]) -> None:
        self.runs.append(run)


def image(records: int) -> bytes:
    """That many records of one type."""
    pack = struct.Struct("<IIQIHHQ").pack
    start = struct.pack("<IIQII", 1, 0, 8, 4, 17)
    body = b"".join(pack(CODE, n, 16, n % 3, n % 1000, 0, n) for n in range(records))
    return start + body + bytes(16)


def jobs() -> dict[str, Callable[[int], Callable[[], object]]]:
    """What is counted: given a number of records, something to call."""
    plain, each = Host().formats, Host().formats
    plain.registry(DOMAIN_CONTEXT).register(CostlyRecord, Provider("costs", "0"))
    each.registry(DOMAIN_CONTEXT).register(EachRecord, Provider("costs", "0"))

    def verified(records: int) -> Callable[[], object]:
        data = image(records)

        def run() -> None:
            assert verify(BufferSource(data), plain).valid

        return run

    def judged(records: int) -> Callable[[], object]:
        data = image(records)

        def run() -> None:
            verifier = Verifier()
            for event in walk(BufferSource(data), plain):
                assert not verifier.see(event)

        return run

    def load(kind: type[Kept], formats: Any) -> Callable[[int], Callable[[], object]]:
        registry = formats.registry(DOMAIN_CONTEXT)

        def prepare(records: int) -> Callable[[], object]:
            data = image(records)
            return lambda: load_domain(kind(), MemoryLoadOps(data), registry)

        return prepare

    def save(kind: type[Kept], formats: Any) -> Callable[[int], Callable[[], object]]:
        registry = formats.registry(DOMAIN_CONTEXT)

        def prepare(records: int) -> Callable[[], object]:
            domain = kind()
            load_domain(domain, MemoryLoadOps(image(records)), plain.registry(DOMAIN_CONTEXT))
            return lambda: save_domain(domain, MemorySaveOps(), registry)

        return prepare

    def decoded(records: int) -> Callable[[], object]:
        data = image(records)

        def run() -> None:
            for _ in decode_text(BufferSource(data), plain):
                pass

        return run

    def encoded(records: int) -> Callable[[], object]:
        document = parse_document("".join(decode_text(BufferSource(image(records)), plain)))
        return lambda: encode_image(document, plain)

    def compared(records: int) -> Callable[[], object]:
        data = image(records)

        def run() -> None:
            one, other = (read_image(BufferSource(data), plain) for _ in range(2))
            assert not diff_images(one, other).containers

        return run

    return {
        "verify": verified,
        "verify, event by event": judged,
        "load, the domain keeps runs": load(KeptRuns, plain),
        "load, a handler for one record": load(Kept, each),
        "save, the domain keeps runs": save(KeptRuns, plain),
        "save, a handler for one record": save(Kept, each),
        "decode": decoded,
        "encode": encoded,
        "diff": compared,
    }


def count_calls(call: Callable[[], object]) -> int:
    """How many functions one call calls."""
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return count


def count_bytes(call: Callable[[], object]) -> int:
    """How much memory one call needs at its peak."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def slopes() -> Figures:
    """Calls and bytes for one record more, by job."""
    figures: Figures = {"calls": {}, "bytes": {}}
    for name, prepare in jobs().items():
        few, many = prepare(FEW), prepare(MANY)
        few()
        many()
        for kind, count in (("calls", count_calls), ("bytes", count_bytes)):
            slope = (count(many) - count(few)) / (MANY - FEW)
            figures[kind][name] = round(max(0.0, slope), 2)
    return figures


# ------------------------------------------------------------------------------------------- imports


RUN = """
import json, sys
before = set(sys.modules)
from domctx_core.cli import main
path, *arguments = json.loads(sys.argv[1])
status = main(arguments, path=path)
new = set(sys.modules) - before
own = sum(name.partition(".")[0] == "domctx_core" for name in new)
print(json.dumps({"status": status, "own": own, "all": len(new)}), file=sys.stderr)
"""


def imports() -> Figures:
    """Modules that commands import; nothing is installed but the core and one type of record."""
    figures: Figures = {"own": {}, "all": {}}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        dists = FakeDists(Path(folder), patch)
        small = Path(folder, "small.img")
        small.write_bytes(image(0))
        completing = {"_DOMCTX_COMPLETE": "bash_complete", "COMP_WORDS": "domctx ver"}
        runs: dict[str, tuple[list[str], dict[str, str]]] = {
            "--version": (["--version"], {}),
            "--help": (["--help"], {}),
            "show": (["show", str(small)], {}),
            "verify": (["verify", str(small)], {}),
            "completion": ([], {**completing, "COMP_CWORD": "1"}),
        }
        for name, (arguments, variables) in runs.items():
            done = subprocess.run(
                [sys.executable, "-c", RUN, json.dumps([dists.path, *arguments])],
                capture_output=True, text=True, check=True, env={**os.environ, **variables},
            )  # fmt: skip
            said = json.loads(done.stderr.splitlines()[-1])
            assert said["status"] == 0, done
            for kind, counted in figures.items():
                counted[name] = said[kind]
    return {f"imports, {kind}": counted for kind, counted in figures.items()}


def measure() -> Figures:
    """All that is counted."""
    return {**imports(), **slopes()}


def kept() -> dict[str, Figures]:
    """What was counted when the file was written, by version of Python."""
    found: dict[str, Figures] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    return found


if __name__ == "__main__":
    now = measure()
    if "--write" in sys.argv[1:]:
        every = {**kept(), VERSION: now}
        KEPT.write_text(json.dumps(dict(sorted(every.items())), indent=1) + "\n")
    else:
        sys.stdout.write(json.dumps(now) + "\n")
