"""Runs of records are saved to the same bytes as single records."""

from __future__ import annotations

import io
from typing import Any, ClassVar

import pytest
from reading_records import RUN_TYPES, Log, Reading, ReadingType, Wide, readings, wides
from support import LoggedDomain, end, registry, start

from domctx_core import (
    Columns,
    Domain,
    DomainError,
    DomctxError,
    Errno,
    FileSaveOps,
    Instances,
    MemoryLoadOps,
    MemorySaveOps,
    MisuseError,
    Operation,
    Registry,
    SaveContext,
    SaveOps,
    Watch,
    load_domain,
    save_domain,
)
from domctx_core.engine.ops import SizingSaveOps
from domctx_core.engine.sim_domain import SimDomain


class PlainSave(SaveOps):
    """A caller's own ops: each record begins, is appended to and ends."""

    def __init__(self, byteorder: Any = "little") -> None:
        self.inner = MemorySaveOps(byteorder=byteorder)
        self.byteorder = byteorder

    def begin(self, type: int, instance: int, length: int | None) -> None:
        self.inner.begin(type, instance, length)

    def append(self, data: bytes | bytearray | memoryview) -> None:
        self.inner.append(data)

    def end(self, length: int) -> None:
        self.inner.end(length)


def loaded_domain(known: Registry, order: str = "<") -> SimDomain:
    domain = SimDomain(known)
    data = [start(order=order), *readings(40, 3, order), *wides(300, 0, order), end(order=order)]
    load_domain(domain, MemoryLoadOps(b"".join(data)), known)
    return domain


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("target", ["little", "big"])
@pytest.mark.parametrize("touched", [False, True])
def test_a_save_in_runs_is_a_save_of_single_records(order: str, target: Any, touched: bool) -> None:
    known = registry(RUN_TYPES)
    domain = loaded_domain(known, order)
    if touched:
        domain.read(Reading, 7).value = 1
        domain.write(Wide, 5, domain.read(Wide, 6))
    fast, slow, file = MemorySaveOps(byteorder=target), PlainSave(target), io.BytesIO()
    events = []
    for ops in (fast, slow, FileSaveOps(file, target)):
        log = Log()
        watch = Watch([log], Operation("save", "x"))
        with watch:
            save_domain(domain, ops, known, watch=watch)
        events.append(log.events)
    assert fast.image == slow.inner.image == file.getvalue()
    assert events[0] == events[1] == events[2]
    sized = SizingSaveOps()
    assert save_domain(domain, sized, known, dry_run=True) == 342
    assert sized.size == len(fast.image)
    again = SimDomain(known)
    load_domain(again, MemoryLoadOps(fast.image), known)
    assert [each["body"] for each in again.to_json()["records"]] == [
        each["body"] for each in domain.to_json()["records"]
    ]


class Writes(ReadingType):
    """Writes what a test wants."""

    what: ClassVar[list[Any]] = []

    def save(self, domain: Domain, context: SaveContext) -> None:
        for each in self.what:
            if isinstance(each, Columns):
                context.write_run(each)
            else:
                context.write(*each)


RUN = Columns(Reading, range(5, 20), {"kind": [1] * 15, "value": range(15)})


GOOD = Reading(kind=1, value=2)


TEXT: Any = "x"


SAVES: dict[str, list[Any]] = {
    "ascending": [(i, GOOD) for i in range(30)],
    "gaps": [(i, GOOD) for i in (0, 1, 5, 9, 8, 7, 100, 6)],
    "twice": [(i, GOOD) for i in (4, 5, 6, 5)],
    "twice, after a gap": [(i, GOOD) for i in (4, 9, 3, 4)],
    "a run": [RUN],
    "a run and more": [(3, GOOD), RUN, (20, GOOD), (4, GOOD)],
    "a run twice": [RUN, (25, GOOD), RUN],
    "in a run": [RUN, (7, GOOD)],
    "before a run": [(7, GOOD), RUN],
    "a bad value": [(1, GOOD), (2, Reading(kind=10, value=0))],
    "one that does not fit": [(1, GOOD), (2, Reading(kind=1, value=2**32))],
    "one of another type": [(2, Reading(kind=1, value=TEXT))],
    "a bad value in a run": [RUN.replace({"kind": [1] * 14 + [10]})],
    "an instance too high": [(2**32, GOOD)],
    "an instance below zero": [(-1, GOOD)],
    "instances descend": [Columns(Reading, [3, 2, 1], {"kind": [1] * 3, "value": [1] * 3})],
    "instances repeat": [Columns(Reading, [3, 3], {"kind": [1] * 2, "value": [1] * 2})],
    "nothing": [Columns(Reading, [], {"kind": [], "value": []})],
    "raw": [(1, GOOD), (2, b"12345"), (3, GOOD), (3, b"")],
}


REPEATED = {
    "twice", "twice, after a gap", "a run twice", "in a run", "before a run", "instances repeat",
}  # fmt: skip


@pytest.mark.parametrize("name", SAVES)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_handlers_write_both_ways(name: str, dry_run: bool) -> None:
    class Given(Writes):
        what: ClassVar[list[Any]] = SAVES[name]

    known = registry([Given])
    seen: list[Any] = []
    for ops in (MemorySaveOps(), PlainSave()):
        domain = LoggedDomain(known)
        domain.state = {Reading: {0: GOOD}}
        try:
            count = save_domain(domain, ops, known, dry_run=dry_run)
            inner = ops.inner if isinstance(ops, PlainSave) else ops
            seen.append((count, len(inner.image) if dry_run else inner.image))
        except DomctxError as error:
            seen.append(
                (type(error), error.message, error.errno, error.instance, error.expected,
                 error.actual, error.type_name)
            )  # fmt: skip
        assert domain.pauses == domain.unpauses
    assert seen[0] == seen[1]
    if name in REPEATED:
        assert seen[0][0] is MisuseError
        assert "is written twice" in seen[0][1]


@pytest.mark.parametrize("ops", [MemorySaveOps, PlainSave])
@pytest.mark.parametrize("dry_run", [False, True])
def test_the_first_instance_that_a_type_does_not_have(ops: Any, dry_run: bool) -> None:
    class Given(Writes):
        what: ClassVar[list[Any]] = [RUN]  # whose last instance is 19

    def save(limit: int) -> int:
        Given.instances = Instances(limit=limit)
        domain = LoggedDomain(registry([Given]))
        domain.state = {Reading: {0: GOOD}}
        return save_domain(domain, ops(), domain.registry, dry_run=dry_run)

    assert save(20) == len(RUN) + 2
    with pytest.raises(MisuseError, match="READING cannot have instance 19") as caught:
        save(19)
    assert caught.value.expected == "0 to 18"


def test_ops_that_override_a_part_are_asked_for_each_record() -> None:
    class Begins(MemorySaveOps):
        begun = 0

        def begin(self, type: int, instance: int, length: int | None) -> None:
            self.begun += 1
            super().begin(type, instance, length)

    known = registry(RUN_TYPES)
    ops = Begins()
    save_domain(loaded_domain(known), ops, known)
    assert ops.begun == 342


def test_a_save_that_outgrows_its_size_says_so() -> None:
    known = registry(RUN_TYPES)
    with pytest.raises(DomainError) as caught:
        save_domain(loaded_domain(known), MemorySaveOps(500), known)
    assert caught.value.errno is Errno.ENOSPC
    assert caught.value.type_name == "READING"
