"""Observers: told of save, load and verify in batches; what they do wrong costs only them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from domctx_core import (
    DomainError,
    ImageError,
    MemoryLoadOps,
    MemorySaveOps,
    Observer,
    Operation,
    RecordEvent,
    Watch,
    load_domain,
    save_domain,
    verify,
)
from domctx_core.host.host import Host
from domctx_core.model.observer import BATCH
from domctx_core.reader.sources import BufferSource
from domctx_core.testing import CommandRunner, FakeDists, ImageBuilder


class Log(Observer):
    """Keeps all that it is told."""

    def __init__(self) -> None:
        self.events: list[RecordEvent] = []
        self.calls: list[str] = []

    def begin(self, operation: Operation) -> None:
        self.calls.append(f"begin {operation.kind} {operation.subject}")

    def records(self, batch: Sequence[RecordEvent]) -> None:
        self.calls.append(f"{len(batch)} records")
        self.events += batch

    def end(self, operation: Operation, error: BaseException | None) -> None:
        self.calls.append(f"end {type(error).__name__ if error else 'well'}")


def test_save_load_and_verify_tell_of_the_same_records() -> None:
    host = Host()
    domain = host.open_domain("sim:vcpus=2,channels=3000,seed=1", "save")
    ops = MemorySaveOps()
    saved, loaded, verified = Log(), Log(), Log()
    with Watch([saved], Operation("save", "one")) as watch:
        count = save_domain(domain, ops, host.registry, watch=watch)
    with Watch([loaded], Operation("load", "two")) as watch:
        target = host.open_domain("sim:vcpus=2", "load")
        load_domain(target, MemoryLoadOps(ops.image), host.registry, watch=watch)
    with Watch([verified], Operation("verify", "three")) as watch:
        verify(BufferSource(ops.image), host.formats, watch=watch)
    assert saved.events == loaded.events == verified.events
    assert len(saved.events) == count > 3000
    assert saved.events[0] == RecordEvent(1, 0, 0, 8)
    assert [event.offset for event in saved.events] == sorted({e.offset for e in saved.events})
    full, rest = divmod(count, BATCH)
    batches = [f"{BATCH} records"] * full + [f"{rest} records"]
    assert saved.calls == ["begin save one", *batches, "end well"]


def test_an_operation_that_fails_tells_what_it_did_before() -> None:
    host, log = Host(), Log()
    image = ImageBuilder().start().record(0x7FFFFFF0, 0, b"").end().build()
    target = host.open_domain("sim:", "load")
    watch = Watch([log], Operation("load", "x"))
    with pytest.raises(ImageError, match="no installed plugin"), watch:
        load_domain(target, MemoryLoadOps(image), host.registry, watch=watch)
    assert log.calls == ["begin load x", "1 records", "end ImageError"]


def test_one_that_raises_is_dropped_and_the_others_go_on() -> None:
    class Bad(Log):
        def begin(self, operation: Operation) -> None:
            raise DomainError("on purpose")

    dropped: list[str] = []
    bad, good = Bad(), Log()
    watch = Watch([bad, good], Operation("save", "x"), lambda o, e: dropped.append(str(e)))
    with watch:
        watch.see(RecordEvent(1, 0, 0, 8))
    assert dropped == ["on purpose"]
    assert bad.calls == []
    assert good.calls == ["begin save x", "1 records", "end well"]


OBSERVER = """
import json, os
from domctx_core import Observer, ObserverDeclaration, hookimpl

class Audit(Observer):
    def begin(self, operation):
        self.count = 0
        {begin}
    def records(self, batch):
        self.count += len(batch)
    def end(self, operation, error):
        with open(os.environ["AUDIT"], "a") as file:
            print(json.dumps([operation.kind, self.count, error is None]), file=file)

@hookimpl
def domctx_observers():
    return [ObserverDeclaration(Audit)]
"""


@pytest.mark.parametrize("begin", ["pass", "raise OSError('full')"])
def test_a_plugins_observer_sees_what_the_command_does(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, begin: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("AUDIT", str(tmp_path / "audit"))
    domctx_dists.add(
        "audit", entry_points={"domctx.plugins": {"audit": "audit_hooks"}},
        modules={"audit_hooks": OBSERVER.format(begin=begin)},
    )  # fmt: skip
    image = tmp_path / "x.img"
    runs = [
        domctx_cli("save", "sim:", "-o", image),
        domctx_cli("verify", image),
        domctx_cli("load", image, "sim:"),
    ]
    assert [run.status for run in runs] == [0, 0, 0]
    if begin == "pass":
        lines = [json.loads(line) for line in (tmp_path / "audit").read_text().splitlines()]
        assert lines == [["save", 2, True], ["verify", 2, True], ["load", 2, True]]
        assert all("warning" not in run.err for run in runs)
    else:
        assert all("observer audit_hooks.Audit raised OSError: full" in run.err for run in runs)
        assert domctx_cli("--strict", "verify", image).status == 4
