"""The simulated domain: its state, what it refuses, and simulated records."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from sim_records import (
    TYPES,
    Knob,
    KnobType,
    Page,
    PageType,
    Regs,
    RegsType,
    knob,
    loaded,
    made_up,
    opened,
    regs,
    saved_state,
)
from support import THIRD, end, formats, image, port, rec, start, tsc

from domctx_core import (
    Body,
    Domain,
    DomainError,
    DomainRequest,
    DomctxError,
    Errno,
    Guest,
    InputOutputError,
    LoadContext,
    MemoryLoadOps,
    NoState,
    PluginError,
    Problem,
    RecordType,
    Severity,
    load_domain,
    save_image,
    u32,
)
from domctx_core.engine.sim import open_sim


def test_save_of_what_was_loaded() -> None:
    domain = opened("vcpus=2,xen=4.15")
    data = image(knob(7), regs(0), regs(1), rec(0x102, 99, bytes(4)))
    registry = formats(TYPES).registry("domain-context")
    load_domain(domain, MemoryLoadOps(data), registry)
    assert save_image(domain, registry) == data
    assert domain.pauses == domain.unpauses == 3
    assert domain.paused == 0
    assert list(domain.instances(Regs)) == [0, 1]
    assert domain.offers() == {0x100, 0x101, 0x102}


def test_no_state() -> None:
    domain = opened("")
    with pytest.raises(NoState) as caught:
        domain.read(Regs, 4)
    assert (caught.value.errno, caught.value.instance) == (Errno.ENOENT, 4)


def test_pauses_are_balanced() -> None:
    domain = opened("")
    with pytest.raises(DomainError, match="not paused"):
        domain.unpause()
    domain.pause()
    domain.pause()
    domain.unpause()
    assert domain.paused == 1


def test_a_body_of_no_record_type() -> None:
    class Foreign(Body):
        value: int = u32()

    domain = opened("")
    for action in (
        lambda: domain.read(Foreign),
        lambda: domain.write(Foreign, 0, Foreign(value=1)),
    ):
        with pytest.raises(DomainError, match="has the body Foreign") as caught:
            action()
        assert caught.value.errno is Errno.EOPNOTSUPP


def test_values_that_a_domain_refuses() -> None:
    domain = opened("vcpus=2")
    with pytest.raises(DomainError, match=r"refuses Knob\[0\]") as caught:
        domain.write(Knob, 0, Knob(value=1001))
    assert (caught.value.field, caught.value.type, caught.value.errno) == (
        "value", 0x100, Errno.EINVAL,
    )  # fmt: skip
    domain.write(Regs, 1, Regs(pc=1, sp=2))
    with pytest.raises(DomainError, match="no vCPU 2") as caught:
        domain.write(Regs, 2, Regs(pc=1, sp=2))
    assert caught.value.errno is Errno.ENOENT
    assert domain.offers() == {0x101}
    opened("").write(Regs, 500, Regs(pc=1, sp=2))


def test_what_is_only_odd_is_not_refused() -> None:
    class Odd(Knob):
        def check(self) -> Iterable[Problem]:
            yield Problem("field-out-of-range", "unusual", severity=Severity.WARNING)

    class OddType(RecordType[Odd]):
        code, name, body = 0x100, "ODD", Odd

    domain = opened("", known=formats([OddType]))
    domain.write(Odd, 0, Odd(value=1))
    assert domain.offers() == {0x100}


def test_a_load_that_the_domain_refuses_costs_it_nothing() -> None:
    domain = opened("vcpus=2")
    with pytest.raises(DomainError, match="no vCPU 5") as caught:
        loaded(domain, knob(3), regs(0), regs(5))
    assert (caught.value.provider, caught.value.record) == (THIRD, 3)
    assert domain.pauses == domain.unpauses == 0
    assert domain.offers() == frozenset()


def test_a_load_that_fails_leaves_the_state_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "state"
    domain = opened(f"{path},vcpus=2")
    with pytest.raises(DomainError):
        loaded(domain, knob(3), regs(5))
    domain.abandon()
    assert not path.exists()


def test_a_save_does_not_touch_the_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    saved_state(path)
    before = path.stat()
    domain = opened(str(path), "save")
    save_image(domain, formats(TYPES).registry("domain-context"))
    domain.close()
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_unknown_types_survive(tmp_path: Path) -> None:
    path = tmp_path / "state"
    state = saved_state(path)
    stranger = {
        "type": 0x999,
        "name": None,
        "instance": 4,
        "body": {"x": [1, {"y": "z"}], "n": None},
    }
    state["records"].append(stranger)
    path.write_text(json.dumps(state))
    domain = opened(str(path))
    assert 0x999 in domain.offers()
    loaded(domain, knob(8))
    domain.close()
    after = json.loads(path.read_bytes())
    assert after["records"][-1] == stranger
    assert after["records"][0]["body"] == {"value": 8}
    # a save says what is missing, before any pause
    domain = opened(str(path), "save")
    pauses = domain.pauses
    with pytest.raises(PluginError, match="0x999"):
        save_image(domain, formats(TYPES).registry("domain-context"))
    assert domain.pauses == pauses


def test_a_load_that_changes_nothing_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    domain = opened(f"{path},vcpus=1")
    with pytest.raises(DomctxError):
        loaded(domain, knob(1001))
    domain.close()
    assert list(tmp_path.iterdir()) == []


def test_close_writes_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state"
    saved_state(path)
    before = path.read_bytes()

    class Unprintable(Knob):
        def to_json(self) -> dict[str, Any]:
            raise RuntimeError("no JSON")

    class UnprintableType(RecordType[Unprintable]):
        code, name, body = 0x100, "KNOB", Unprintable

    domain = opened(str(path), known=formats([UnprintableType]))
    domain.write(Unprintable, 0, Unprintable(value=1))
    with pytest.raises(RuntimeError, match="no JSON"):
        domain.close()
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["state"]
    domain = opened(f"{tmp_path}/no/such/folder")
    loaded(domain, knob(1))
    with pytest.raises(InputOutputError, match="cannot write"):
        domain.close()


def test_made_up_state_does_not_depend_on_other_plugins() -> None:
    def of(type: int, state: dict[str, Any]) -> list[Any]:
        return [r for r in state["records"] if r["type"] == type]

    class Extra(RecordType[Page]):
        code, name, body = 0x50, "EXTRA", Page

    alone = made_up("vcpus=2,seed=3", formats([RegsType]))
    together = made_up("vcpus=2,seed=3", formats([Extra, PageType, RegsType, KnobType]))
    assert of(0x101, alone) == of(0x101, together)
    random.seed(1)
    assert made_up("vcpus=2,seed=3", formats([RegsType])) == alone


def test_made_up_state_can_be_saved_and_loaded() -> None:
    registry = formats(TYPES).registry("domain-context")
    domain = opened("vcpus=5,seed=11", "save")
    data = save_image(domain, registry)
    target = opened("vcpus=5")
    load_domain(target, MemoryLoadOps(data), registry)
    assert target.to_json()["records"] == domain.to_json()["records"]
    assert save_image(target, registry) == data


def test_plugins_that_cannot_be_used_have_no_state() -> None:
    def load() -> RecordType[Any]:
        raise PluginError("broken")

    known = formats(TYPES)
    registry = known.registry("domain-context")
    registry.declare(0x200, "BROKEN", THIRD, load)
    registry.declare(0x101, "RIVAL", THIRD, lambda: RegsType())
    domain = opened("vcpus=2", "save", known)
    assert domain.offers() == {0x100, 0x102}
    assert save_image(domain, registry)


def test_a_plugin_that_cannot_make_anything_up() -> None:
    class Broken(KnobType):
        def simulate(self, guest: Guest, rng: random.Random) -> Iterable[tuple[int, Knob]]:
            raise ValueError("oops")

    with pytest.raises(PluginError, match="`simulate` of KNOB raised ValueError") as caught:
        opened("vcpus=2", "save", formats([Broken]))
    assert caught.value.provider is THIRD


def test_updates_happen_on_the_domain_as_it_is() -> None:
    class Counting(KnobType):
        def load(self, domain: Domain, context: LoadContext) -> None:
            instance, _ = context.read(self)
            domain.update(Knob, instance, lambda now: Knob(value=(now.value if now else 0) + 1))

    known = formats([Counting])
    domain = opened("", known=known)
    for expected in (1, 2, 3):
        loaded(domain, knob(500), known=known)
        assert domain.read(Knob).value == expected


def test_the_corpus_types_work_on_it_too() -> None:
    known = formats()
    registry = known.registry("domain-context")
    domain = open_sim(DomainRequest("xen=4.15", "load", known))
    data = start() + rec(3, 0, tsc()) + port(4) + end()
    load_domain(domain, MemoryLoadOps(data), registry)
    assert save_image(domain, registry) == data
