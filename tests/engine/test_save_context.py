"""What save handlers may call, record by record, and what is refused."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from bulk_records import BulkType, KnownBulkType, bulk_domain, bulk_image
from knob_records import Knob, KnobType, save_with
from number_records import EverythingRecord, OddRecord, PairRecord, registry_of
from sample_bodies import Marks, Mode, Odd, Pair, everything
from support import (
    THIRD,
    LoggedDomain,
    LoggedOps,
    end,
    rec,
    registry,
    start,
)

from domctx_core import (
    BodyError,
    Domain,
    DomainError,
    Errno,
    MemoryLoadOps,
    MemorySaveOps,
    MisuseError,
    SaveContext,
    load_domain,
    save_domain,
)
from domctx_core.engine.save_context import EngineSaveContext
from domctx_core.engine.sim_domain import SimDomain

TYPES = (PairRecord, EverythingRecord, OddRecord)


class Callbacks(MemorySaveOps):
    """Takes records by begin, append and end alone."""

    def begin(self, type: int, instance: int, length: int | None) -> None:
        super().begin(type, instance, length)


@pytest.mark.parametrize("byteorder", ["little", "big"])
def test_a_record_in_one_piece_is_the_record_in_parts(byteorder: Any) -> None:
    known = registry_of(*TYPES)
    domain = SimDomain(known)
    domain.adopt(0x100, {n: Pair(low=n) for n in (0, 1, 5, 200)})
    domain.adopt(
        0x101, {3: everything(), 4: everything(mode=Mode.AUTO, union=Odd(number=7), marks=Marks(9))}
    )
    domain.adopt(0x102, {n: Odd(number=n) for n in range(3)})
    images = []
    for kind in (MemorySaveOps, Callbacks):
        ops = kind(None, byteorder)
        save_domain(domain, ops, known)
        images.append(ops.image)
    assert images[0] == images[1]
    again = SimDomain(known)
    load_domain(again, MemoryLoadOps(images[0]), known)
    assert again.to_json()["records"] == domain.to_json()["records"]


class TestWriting:
    def saved(self, save: Any, kind: Any = MemorySaveOps, **options: Any) -> list[tuple[int, ...]]:
        """The headers that a handler writes."""

        class Written(PairRecord):
            def save(self, domain: Any, context: SaveContext) -> None:
                save(context)

        known = registry_of(Written)
        domain = SimDomain(known)
        domain.adopt(0x100, {0: Pair(low=1)})
        ops = kind(**options)
        save_domain(domain, ops, known)
        image = ops.image[24:-16]
        return [struct.unpack_from("<IIQ", image, at) for at in range(0, len(image), 24)]

    def test_any_order_of_instances(self) -> None:
        order = [4, 5, 3, 9, 8, 0, 7, 6, 2**32 - 1, 1]

        def save(context: SaveContext) -> None:
            for number in order:
                context.write(number, Pair(low=1))

        assert [row[1] for row in self.saved(save)] == order

    @pytest.mark.parametrize("rows", [[1, 1], [1, 2, 1], [3, 1, 3], [5, 4, 3, 4], [0, 1, 2, 0]])
    def test_an_instance_twice(self, rows: list[int]) -> None:
        def save(context: SaveContext) -> None:
            for number in rows:
                context.write(number, Pair(low=1))

        with pytest.raises(MisuseError, match=rf"PAIR\[{rows[-1]}\] is written twice"):
            self.saved(save)

    def test_single_calls_and_whole_bodies_mixed(self) -> None:
        def save(context: SaveContext) -> None:
            context.write(0, Pair(low=1))
            context.begin(0x100, 1)
            with pytest.raises(MisuseError, match="before"):
                context.write(2, Pair(low=1))
            context.data(b"\1")
            context.data(b"\2")
            context.end()
            context.write(2, b"\1\2")
            context.write(3, Pair(low=1))

        assert self.saved(save) == [(0x100, n, 2) for n in range(4)]

    def test_a_body_of_another_class(self) -> None:
        def save(context: SaveContext) -> None:
            context.write(0, Pair(low=1))
            context.write(1, Odd(number=3))
            context.write(2, Pair(low=1))

        assert self.saved(save) == [(0x100, n, 2) for n in range(3)]

    @pytest.mark.parametrize("number", [-1, 2**32])
    def test_an_instance_that_does_not_fit(self, number: int) -> None:
        with pytest.raises(MisuseError, match=f"cannot have instance {number}"):
            self.saved(lambda context: context.write(number, Pair(low=1)))

    def test_a_bad_body_says_which(self) -> None:
        def save(context: SaveContext) -> None:
            context.write(0, Pair(low=1))
            context.write(1, Pair(low=2, high=2))

        with pytest.raises(BodyError, match="both are the same") as caught:
            self.saved(save)
        assert (caught.value.instance, caught.value.type) == (1, 0x100)

    def test_ops_that_are_full_say_at_which_record(self) -> None:
        def save(context: SaveContext) -> None:
            for number in range(9):
                context.write(number, Pair(low=1))

        with pytest.raises(DomainError) as caught:
            self.saved(save, capacity=24 + 5 * 24)
        assert (caught.value.errno, caught.value.instance) == (Errno.ENOSPC, 5)

    def test_a_body_that_overrides_to_bytes(self) -> None:
        class Shouting(Pair):
            def to_bytes(self, byteorder: Any = "little", *, check: bool = True) -> bytes:
                return b"!!"

        known = registry_of(PairRecord)
        domain, ops = SimDomain(known), MemorySaveOps()
        domain.adopt(0x100, {0: Shouting(low=1), 1: Pair(low=1)})
        save_domain(domain, ops, known)
        assert [ops.image[at : at + 2] for at in (40, 64)] == [b"!!", b"\1\xff"]

    def test_outside_of_a_handler(self) -> None:
        held: list[SaveContext] = []

        def save(context: SaveContext) -> None:
            context.write(0, Pair(low=1))
            held.append(context)

        self.saved(save)
        with pytest.raises(MisuseError, match="outside of a save handler"):
            held[0].write(1, Pair(low=1))


class Streaming(MemorySaveOps):
    """Like a pipe: wants each length at the beginning, and keeps the largest piece it was given."""

    patches = False

    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[int | None] = []
        self.largest = 0

    def begin(self, type: int, instance: int, length: int | None) -> None:
        self.lengths.append(length)
        super().begin(type, instance, length)

    def append(self, data: bytes | bytearray | memoryview) -> None:
        self.largest = max(self.largest, len(data))
        super().append(data)


def test_where_nothing_can_be_patched_every_length_is_known_at_the_beginning() -> None:
    made = bulk_domain(0, 5, 2500)
    ops = Streaming()
    save_domain(made, ops, made.registry)
    assert ops.lengths == [8, 0, 5, 2500, 0]
    assert ops.largest == 2500
    assert ops.image == bulk_image(made)


def test_a_known_length_streams() -> None:
    made = bulk_domain(500_000, kind=KnownBulkType)
    ops = Streaming()
    save_domain(made, ops, made.registry, cap=1000)
    assert ops.largest == 100_000
    assert ops.image == bulk_image(made)
    assert made.log.count("read Bulk[0]") == 1


def test_beyond_the_cap_the_length_comes_from_a_dry_run() -> None:
    made = bulk_domain(10, 9000, 1000, 12345)
    ops = Streaming()
    save_domain(made, ops, made.registry, cap=4000)
    assert ops.lengths == [8, 10, 9000, 1000, 12345, 0]
    assert ops.largest <= 4000 + BulkType.piece
    assert ops.image == bulk_image(made)
    # one dry run each for the two that outgrew the cap
    assert made.log.count("read Bulk[0]") == 3
    assert made.pauses == made.unpauses == 1


@pytest.mark.parametrize("change", [-1, 1])
def test_a_dry_run_that_does_not_match_is_an_error(change: int) -> None:
    class Liar(BulkType):
        def save(self, domain: Domain, context: SaveContext) -> None:
            context.begin(self.code, 0)
            for _ in range(9 + change * context.dry_run):
                context.data(bytes(1000))
            context.end()

    made = bulk_domain(1, kind=Liar)
    with pytest.raises(MisuseError, match="does not have the length") as caught:
        save_domain(made, ops := Streaming(), made.registry, cap=4000)
    assert caught.value.expected == f"{9000 + 1000 * change} bytes"
    assert caught.value.actual == "9000 bytes"
    assert caught.value.type_name == "BULK"
    assert made.pauses == made.unpauses
    assert len(ops.lengths) == 2


def test_a_dry_run_with_fewer_records_is_an_error() -> None:
    class Liar(BulkType):
        def save(self, domain: Domain, context: SaveContext) -> None:
            if not context.dry_run:
                super().save(domain, context)

    made = bulk_domain(9000, kind=Liar)
    with pytest.raises(DomainError, match="fewer records"):
        save_domain(made, Streaming(), made.registry, cap=4000)


def test_nobody_to_measure() -> None:
    made = bulk_domain(9000)
    entry = made.registry.get(0x100)
    assert entry is not None
    context = EngineSaveContext(Streaming(), dry_run=False, xen_version=None, cap=4000)
    with pytest.raises(MisuseError, match="no dry run can measure"):
        context.run(entry, made)


def _nested(domain: Domain, context: SaveContext) -> None:
    context.begin(0x100, 0)
    context.begin(0x100, 1)


def _two_ends(domain: Domain, context: SaveContext) -> None:
    context.begin(0x100, 0)
    context.end()
    context.end()


def _short(domain: Domain, context: SaveContext) -> None:
    context.begin(0x100, 0, 8)
    context.data(b"1234")
    context.end()


def _twice(domain: Domain, context: SaveContext) -> None:
    context.write(5, b"")
    context.write(5, b"")


MISUSES: dict[str, tuple[Callable[[Domain, SaveContext], None], str]] = {
    "data outside": (lambda d, c: c.data(b"x"), "data is written outside of a record"),
    "nested": (_nested, r"KNOB\[1\] is begun before KNOB\[0\] is ended"),
    "wrong type": (lambda d, c: c.begin(0x101, 0), "begins a record of another type"),
    "end without begin": (lambda d, c: c.end(), "ended that was not begun"),
    "two ends": (_two_ends, "ended that was not begun"),
    "no end": (lambda d, c: c.begin(0x100, 0), "did not end its last record"),
    "promise not kept": (_short, "does not have the length"),
    "negative instance": (lambda d, c: c.begin(0x100, -1), "cannot have instance -1"),
    "large instance": (lambda d, c: c.begin(0x100, 2**32), "cannot have instance 4294967296"),
    "an instance twice": (_twice, r"KNOB\[5\] is written twice"),
}


@pytest.mark.parametrize("name", MISUSES)
@pytest.mark.parametrize("patches", [True, False])
def test_misuse_is_a_programming_error(name: str, patches: bool) -> None:
    handler, message = MISUSES[name]
    log: list[str] = []
    with pytest.raises(MisuseError, match=message) as caught:
        save_with(handler, ops=LoggedOps(log, patches=patches))
    error = caught.value
    assert (error.type, error.type_name, error.provider) == (0x100, "KNOB", THIRD)
    assert "begin 0[0]" not in log


def test_an_instance_beyond_the_limit_of_its_type_is_not_written() -> None:
    class Odd(KnobType):
        def save(self, domain: Domain, context: SaveContext) -> None:
            context.write(1, b"")

    made = LoggedDomain(registry([Odd]))
    made.state = {Knob: {0: Knob(value=1)}}
    with pytest.raises(MisuseError, match="KNOB cannot have instance 1"):
        save_domain(made, LoggedOps(made.log), made.registry)


def test_a_context_outside_of_a_handler() -> None:
    kept: list[SaveContext] = []
    save_with(lambda domain, context: kept.append(context))
    with pytest.raises(MisuseError, match="outside of a"):
        kept[0].data(b"")
    context = EngineSaveContext(MemorySaveOps(), dry_run=False, xen_version=None)
    with pytest.raises(MisuseError, match="outside of a save handler"):
        context.begin(1, 0)
    with pytest.raises(MisuseError, match="outside of a save handler"):
        context.write(0, b"")


def test_many_records_of_any_shape() -> None:
    def handler(domain: Domain, context: SaveContext) -> None:
        context.begin(0x100, 0)
        context.end()
        context.begin(0x100, 1, 3)
        for byte in b"abc":
            context.data(bytes([byte]))
        context.end()
        context.write(2, memoryview(b"12345678"))
        context.write(2**32 - 1, bytearray(9))

    _, ops = save_with(handler)
    assert ops.image == (
        start() + rec(0x100, 0, b"") + rec(0x100, 1, b"abc") + rec(0x100, 2, b"12345678")
        + rec(0x100, 2**32 - 1, bytes(9)) + end()
    )  # fmt: skip
