"""Saving: the order of calls, dry runs, failures at every step, domains that change."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any, ClassVar

import pytest
from knob_records import KNOB_IMAGE, Knob, Page, knob_domain, knob_registry, save_with
from support import (
    CORE,
    THIRD,
    LoggedDomain,
    LoggedOps,
    end,
    fail_at,
    port,
    rec,
    registry,
    sample,
    samples,
    start,
)

from domctx_core import (
    BodyError,
    ConflictError,
    DomainError,
    DomctxError,
    Errno,
    FileSaveOps,
    MemoryLoadOps,
    MemorySaveOps,
    PluginError,
    RecordType,
    XenVersion,
    load_domain,
    save_domain,
    save_image,
    size_domain,
)
from domctx_core.base.io import whole_file


def test_the_order_of_everything_that_happens() -> None:
    log: list[str] = []
    ops = LoggedOps(log)
    made = knob_domain(log)
    assert save_domain(made, ops, made.registry) == 5
    assert log == [
        "begin 1[0]", "append 8", "end 8",
        "pause",
        "read Knob[0]", "begin 256[0]", "append 4", "append 4", "end 4",
        "read Page[2]", "begin 512[2]", "append 3", "append 5", "end 8",
        "read Page[9]", "begin 512[9]", "append 3", "append 8", "append 5", "end 11",
        "unpause",
        "begin 0[0]", "append 0", "end 0",
    ]  # fmt: skip
    assert ops.image == KNOB_IMAGE


def test_a_dry_run_makes_the_same_calls() -> None:
    logs: list[list[str]] = []
    for dry_run in (False, True):
        log: list[str] = []
        made = knob_domain(log)
        ops = LoggedOps(log)
        save_domain(made, ops, made.registry, dry_run=dry_run)
        logs.append(log)
        assert len(ops.image) == len(KNOB_IMAGE)
    assert logs[0] == logs[1]


def test_big_endian_target() -> None:
    made = knob_domain()
    assert save_image(made, made.registry, byteorder="big") == (
        start(order=">")
        + rec(0x100, 0, struct.pack(">I", 5), order=">")
        + rec(0x200, 2, b"abcdefgh", order=">")
        + rec(0x200, 9, b"x" * 11, order=">")
        + end(order=">")
    )


def test_size_is_exact_and_save_gives_the_image_back() -> None:
    """Every valid reference image, loaded and saved, comes back but for order and trailing bytes."""
    for one in samples():
        if (
            not one.ok
            or one.category != "valid"
            or len(one.data) > 100_000
            or "--hvm" in one.options
        ):
            continue
        made = LoggedDomain(registry(options=one.options))
        load_domain(made, MemoryLoadOps(one.data), made.registry)
        saved = save_image(made, made.registry)
        assert size_domain(made, made.registry) == len(saved) == one.consumed
        again = LoggedDomain(registry(options=one.options))
        load_domain(again, MemoryLoadOps(saved), again.registry)
        assert again.total == one.sum
        assert made.pauses == made.unpauses
    one = sample("v19-seed1.img")
    made = LoggedDomain(registry())
    load_domain(made, MemoryLoadOps(one.data), made.registry)
    assert save_image(made, made.registry) == one.data


def test_a_dry_run_needs_no_valid_data() -> None:
    made = knob_domain()
    made.state[Knob][0] = Knob(value=2000)
    assert size_domain(made, made.registry) == len(KNOB_IMAGE)
    with pytest.raises(BodyError) as caught:
        save_domain(made, MemorySaveOps(), made.registry)
    error = caught.value
    assert (error.type, error.type_name, error.instance) == (0x100, "KNOB", 0)
    assert error.provider is THIRD
    assert error.field == "value"


def test_start_says_the_version_of_the_domain_or_else_the_callers() -> None:
    made = knob_domain()
    assert save_image(made, made.registry, xen_version=XenVersion(4, 9))[16:24] == bytes.fromhex(
        "040000000f000000"
    )
    made.xen_version = None
    assert save_image(made, made.registry, xen_version=XenVersion(4, 9))[16:24] == bytes.fromhex(
        "0400000009000000"
    )


def test_no_version_at_all_is_said_clearly_and_before_the_pause() -> None:
    made = knob_domain()
    made.xen_version = None
    with pytest.raises(DomainError, match="Xen version of the domain is unknown") as caught:
        save_image(made, made.registry)
    assert "--xen" in str(caught.value.hint)
    assert caught.value.type_name == "START"
    assert "pause" not in made.log


def steps() -> list[str]:
    log: list[str] = []
    made = knob_domain(log)
    save_domain(made, LoggedOps(log), made.registry)
    return log


STEPS = steps()


FAILURES: dict[str, tuple[type[BaseException], type[BaseException]]] = {
    "refusal": (DomainError, DomainError),
    "bug": (ZeroDivisionError, PluginError),
    "interrupt": (KeyboardInterrupt, KeyboardInterrupt),
}


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("number", range(len(STEPS)), ids=lambda n: f"{n}-{STEPS[n]}")
def test_failure_at_every_step(number: int, kind: str, tmp_path: Path) -> None:
    raised, expected = FAILURES[kind]
    log: list[str] = []
    trap = fail_at(number, raised("gone"))
    made = knob_domain(log, trap)
    ops = LoggedOps(log, trap)
    path = tmp_path / "image"

    def save() -> None:
        with whole_file(path) as file:
            try:
                save_domain(made, ops, made.registry)
            finally:
                file.write(ops.image)

    with pytest.raises(expected) as caught:
        save()
    assert list(tmp_path.iterdir()) == []
    assert made.pauses == made.unpauses
    paused = STEPS.index("pause") < number < STEPS.index("unpause")
    assert log == STEPS[: number + 1] + ["unpause"] * paused
    if number <= STEPS.index("begin 0[0]"):
        assert not ops.image.endswith(end())
    if isinstance(caught.value, DomctxError) and STEPS[number] not in ("pause", "unpause"):
        error_type = caught.value
        assert error_type.provider == (THIRD if paused else CORE)
        if STEPS[number].startswith("read"):
            assert error_type.type == (0x100 if "Knob" in STEPS[number] else 0x200)
        else:
            where = next(s for s in STEPS[number::-1] if s.startswith("begin"))
            assert f"begin {error_type.type}[{error_type.instance}]" == where


def test_a_handler_that_writes_nothing() -> None:
    made, ops = save_with(lambda domain, context: None)
    assert ops.image == start() + end()
    assert made.log.index("pause") < made.log.index("unpause")


class Offering(LoggedDomain):
    codes: ClassVar[frozenset[int] | None] = frozenset()

    def offers(self) -> frozenset[int] | None:
        return self.codes


@pytest.mark.parametrize("kind", ["unknown", "unusable", "conflict", "raises"])
def test_a_code_without_usable_provider_fails_before_the_pause(kind: str) -> None:
    known = knob_registry()

    def load() -> RecordType[Any]:
        raise PluginError("cannot import it: No module named 'libxl'")

    if kind in ("unusable", "raises"):
        known.declare(0x300, "BROKEN", THIRD, load)
    if kind == "conflict":
        known.declare(0x100, "OTHER", CORE, load)
    made = Offering(known)
    made.__class__.codes = frozenset({0x300 if kind != "conflict" else 0x100})
    ops = LoggedOps(made.log)
    with pytest.raises(PluginError) as caught:
        save_domain(made, ops, known)
    assert made.log == []
    error = caught.value
    assert error.type in (0x300, 0x100)
    if kind == "unknown":
        assert error.rule == "unknown-type"
        assert "0x300" in str(error)
    elif kind == "conflict":
        assert isinstance(error, ConflictError)
        assert "third-party 2.5" in str(error)
        assert "domctx-core 0.1.0" in str(error)
    else:
        assert error.provider is THIRD


def test_unusable_types_that_are_not_on_offer_do_no_harm() -> None:
    known = knob_registry()

    def load() -> RecordType[Any]:
        raise AssertionError("never imported")

    known.declare(0x300, "BROKEN", THIRD, load)
    made = LoggedDomain(known)
    save_domain(made, ops := MemorySaveOps(), known)
    assert ops.image == start() + end()


def test_offering_anything_runs_every_type() -> None:
    made = Offering(knob_registry())
    made.__class__.codes = None
    made.state = {Knob: {0: Knob(value=7)}}
    save_domain(made, ops := MemorySaveOps(), made.registry)
    assert ops.image == start() + rec(0x100, 0, struct.pack("<I", 7)) + end()


def test_start_and_end_on_offer_are_written_once() -> None:
    made = Offering(knob_registry())
    made.__class__.codes = frozenset({0, 1})
    save_domain(made, ops := MemorySaveOps(), made.registry)
    assert ops.image == start() + end()


class Restless(LoggedDomain):
    """Has another number of pages each time it is paused."""

    sizes: list[int]

    def pause(self) -> None:
        super().pause()
        count = self.sizes.pop(0) if len(self.sizes) > 1 else self.sizes[0]
        self.state = {Page: {n: Page(data=b"data") for n in range(count)}}


def restless(*sizes: int) -> Restless:
    made = Restless(knob_registry())
    made.state = {Page: {0: Page(data=b"")}}
    made.sizes = list(sizes)
    return made


@pytest.mark.parametrize(("later", "errno"), [(5, Errno.ENOSPC), (2, Errno.EIO)])
def test_a_capacity_that_does_not_fit(later: int, errno: Errno) -> None:
    made = restless(3, later)
    capacity = size_domain(made, made.registry)
    ops = MemorySaveOps(capacity)
    with pytest.raises(DomainError) as caught:
        save_domain(made, ops, made.registry)
    assert caught.value.errno is errno
    assert f"{capacity} bytes" in str(caught.value.expected)
    assert "again" in str(caught.value.hint)
    assert made.pauses == made.unpauses == 2
    assert len(ops.image) <= capacity


def test_save_image_tries_again_until_the_domain_rests() -> None:
    made = restless(1, 4, 4, 2, 2, 2)
    assert len(save_image(made, made.registry)) == len(start() + end()) + 2 * 24
    assert made.pauses == made.unpauses == 6


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_save_image_gives_up(attempts: int) -> None:
    made = restless(*range(1, 100))
    with pytest.raises(DomainError) as caught:
        save_image(made, made.registry, attempts=attempts)
    assert caught.value.errno is Errno.ENOSPC
    assert made.pauses == made.unpauses == 2 * attempts


def test_save_image_tries_again_only_where_that_can_help() -> None:
    made = knob_domain(trap=fail_at(3, DomainError("dying", errno=Errno.EINVAL)))
    with pytest.raises(DomainError, match="dying"):
        save_image(made, made.registry)
    assert made.pauses == made.unpauses <= 2


def test_whole_file_keeps_what_was_there_until_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"old")
    path.chmod(0o640)
    made = knob_domain()

    def fail() -> None:
        with whole_file(path) as file:
            save_domain(made, FileSaveOps(file), made.registry)
            assert path.read_bytes() == b"old"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == b"old"
    with whole_file(path) as file:
        save_domain(made, FileSaveOps(file), made.registry)
    assert path.read_bytes() == KNOB_IMAGE
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["image"]


def test_a_failed_save_leaves_no_valid_image_behind() -> None:
    """A target that is no file keeps what was written: it must not look complete."""
    made = knob_domain(
        trap=lambda what: (
            (_ for _ in ()).throw(DomainError("x")) if what == "read Page[9]" else None
        )
    )
    target = io.BytesIO()
    ops = FileSaveOps(target)
    with pytest.raises(DomainError):
        save_domain(made, ops, made.registry)
    ops.flush()
    assert KNOB_IMAGE.startswith(target.getvalue())
    other = LoggedDomain(knob_registry())
    with pytest.raises(DomctxError) as caught:
        load_domain(other, MemoryLoadOps(target.getvalue()), other.registry)
    assert caught.value.rule == "end-missing"


def test_ports_are_saved_in_ascending_instance() -> None:
    known = registry()
    made = LoggedDomain(known)
    data = start() + port(9) + port(3) + port(4) + end()
    load_domain(made, MemoryLoadOps(data), known)
    assert save_image(made, known) == start() + port(3) + port(4) + port(9) + end()
