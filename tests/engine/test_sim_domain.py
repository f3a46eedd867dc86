"""The simulated domain: its parameters, its state file, what it refuses and what it makes up."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from support import THIRD, end, formats, image, port, rec, start, tsc

from domctx_core import (
    PER_VCPU,
    SINGLE,
    Body,
    Domain,
    DomainError,
    DomainRequest,
    DomctxError,
    Errno,
    Formats,
    Guest,
    InputOutputError,
    LoadContext,
    MemoryLoadOps,
    NoState,
    PluginError,
    Problem,
    RecordType,
    Severity,
    UsageError,
    XenVersion,
    load_domain,
    save_image,
    u32,
)
from domctx_core.engine.sim import open_sim
from domctx_core.engine.sim_domain import SimDomain
from domctx_core.engine.sim_file import SCHEMA


class Knob(Body):
    value: int = u32(maximum=1000)


class KnobType(RecordType[Knob]):
    code, name, body, instances = 0x100, "KNOB", Knob, SINGLE


class Regs(Body):
    pc: int = u32()
    sp: int = u32()


class RegsType(RecordType[Regs]):
    code, name, body, instances = 0x101, "REGS", Regs, PER_VCPU


class Page(Body):
    number: int = u32()


class PageType(RecordType[Page]):
    code, name, body = 0x102, "PAGE", Page


TYPES = (KnobType, RegsType, PageType)


def opened(rest: str, purpose: Any = "load", known: Formats | None = None) -> SimDomain:
    return open_sim(DomainRequest(rest, purpose, formats(TYPES) if known is None else known))


def loaded(domain: SimDomain, *records: bytes, known: Formats | None = None) -> Any:
    into = (known or formats(TYPES)).registry("domain-context")
    return load_domain(domain, MemoryLoadOps(image(*records)), into)


def knob(value: int) -> bytes:
    return rec(0x100, 0, value.to_bytes(4, "little"))


def regs(vcpu: int) -> bytes:
    return rec(0x101, vcpu, bytes(8))


# ---------------------------------------------------------------------------------------- parameters


def test_defaults() -> None:
    domain = opened("")
    assert (domain.domid, domain.xen_version) == (1, XenVersion(4, 17))
    assert domain.guest == Guest(kind="pv", arch="x86")
    assert domain.offers() == frozenset()
    assert not domain.is_current


def test_every_parameter() -> None:
    domain = opened("kind=hvm,width=4,arch=arm,vcpus=3,channels=12,xen=4.9,domid=44,seed=1")
    assert (domain.domid, domain.xen_version) == (44, XenVersion(4, 9))
    assert domain.guest == Guest(kind="hvm", width=4, arch="arm", vcpus=3, channels=12)


@pytest.mark.parametrize("domid", [0, 1, 0x7FEF])
def test_domids(domid: int) -> None:
    assert opened(f"domid={domid}").domid == domid


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("vcpus=0", "1 to 8192"),
        ("vcpus=8193", "1 to 8192"),
        ("vcpus=", "1 to 8192"),
        ("vcpus=-1", "1 to 8192"),
        ("vcpus=+1", "1 to 8192"),
        ("vcpus=\u0663", "1 to 8192"),
        ("vcpus=" + "9" * 5000, "1 to 8192"),
        ("channels=131073", "0 to 131072"),
        ("seed=x", "0 to 9223372036854775808"),
        ("domid=32752", "0 to 32751"),
        ("xen=4", "MAJOR.MINOR, as in 4.17"),
        ("xen=4.17.1", "MAJOR.MINOR, as in 4.17"),
    ],
)
def test_numbers_out_of_range(rest: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        opened(rest)
    assert caught.value.expected == expected
    assert len(str(caught.value.actual)) < 100


@pytest.mark.parametrize("rest", ["width=5", "kind=xen", "arch=riscv", "arch="])
def test_choices(rest: str) -> None:
    with pytest.raises(UsageError, match=f"sim: {rest.partition('=')[0]} is "):
        opened(rest)


@pytest.mark.parametrize(
    ("rest", "near"),
    [("vcpu=3", "vcpus"), ("chanels=3", "channels"), ("sed=1", "seed"), ("Width=4", "width")],
)
def test_near_names_are_suggested(rest: str, near: str) -> None:
    with pytest.raises(UsageError, match="has no parameter") as caught:
        opened(rest)
    assert near in str(caught.value.hint)
    assert "vcpus" in str(caught.value.expected)


def test_far_names_are_not() -> None:
    with pytest.raises(UsageError, match="has no parameter 'zzz'") as caught:
        opened("zzz=3")
    assert caught.value.hint is None


def test_one_file_at_most(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="takes one file") as caught:
        opened(f"{tmp_path}/a,{tmp_path}/b")
    assert caught.value.actual == f"{tmp_path}/b"


def test_parameters_do_not_overrule_a_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    domain = opened(f"{path},vcpus=2,domid=9")
    loaded(domain, knob(1))
    domain.close()
    with pytest.raises(UsageError, match="exists and says itself"):
        opened(f"{path},vcpus=3")
    assert opened(str(path)).domid == 9


def test_a_save_needs_a_file_that_is_there(tmp_path: Path) -> None:
    for rest in (f"{tmp_path}/none", f"{tmp_path}/none,vcpus=3"):
        with pytest.raises(InputOutputError, match="cannot read") as caught:
            opened(rest, "save")
        assert caught.value.errno is Errno.ENOENT


def test_a_file_whose_name_looks_like_a_parameter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    domain = opened(f"{tmp_path}/a=b")
    loaded(domain, knob(1))
    domain.close()
    assert opened("a=b", "save").offers() == {0x100}
    assert opened("./a=b", "save").offers() == {0x100}


# --------------------------------------------------------------------------------------- as a domain


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


# --------------------------------------------------------------------------------------- state files


def saved_state(path: Path, **changes: Any) -> dict[str, Any]:
    domain = opened(f"{path},vcpus=2,kind=hvm,width=8,xen=4.15,domid=3")
    loaded(domain, knob(7), regs(0), rec(0x102, 2**32 - 1, b"\1\2\3\4"))
    domain.close()
    state: dict[str, Any] = json.loads(path.read_bytes())
    return {**state, **changes}


def test_what_a_state_file_holds(tmp_path: Path) -> None:
    assert saved_state(tmp_path / "state") == {
        "schema": SCHEMA,
        "domid": 3,
        "xen_version": "4.15",
        "guest": {"kind": "hvm", "width": 8, "arch": "x86", "vcpus": 2},
        "pauses": 1,
        "unpauses": 1,
        "records": [
            {"type": 0x100, "name": "KNOB", "instance": 0, "body": {"value": 7}},
            {"type": 0x101, "name": "REGS", "instance": 0, "body": {"pc": 0, "sp": 0}},
            {"type": 0x102, "name": "PAGE", "instance": 2**32 - 1, "body": {"number": 0x04030201}},
        ],
    }


def test_a_state_file_comes_back_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "state"
    saved_state(path)
    before = path.read_bytes()
    domain = opened(str(path))
    again = SimDomain.from_json(json.loads(before), formats(TYPES).registry("domain-context"))
    assert again.to_json() == json.loads(before)
    assert before.count(b"\n  {") == 3  # one line a record
    domain.write(Knob, 0, domain.read(Knob))
    list(map(domain.read, (Regs,)))
    domain.close()
    assert path.read_bytes() == before
    assert domain.guest == Guest(kind="hvm", width=8, arch="x86", vcpus=2)


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


STATE_FAULTS: dict[str, tuple[Any, str]] = {
    "a list": ([], "the state"),
    "no schema": ({}, "schema"),
    "another schema": ({"schema": "domctx.image/1"}, "schema"),
    "guest": ({"guest": 3}, "guest"),
    "kind": ({"guest": {"kind": "xen"}}, "guest.kind"),
    "width": ({"guest": {"width": 8.0}}, "guest.width"),
    "width text": ({"guest": {"width": "8"}}, "guest.width"),
    "vcpus": ({"guest": {"vcpus": 0}}, "vcpus"),
    "version": ({"xen_version": "4"}, "xen_version"),
    "version kind": ({"xen_version": [4, 17]}, "xen_version"),
    "domid": ({"domid": 0x7FF0}, "domid"),
    "domid kind": ({"domid": True}, "domid"),
    "pauses": ({"pauses": -1}, "pauses"),
    "more unpauses than pauses": ({"pauses": 1, "unpauses": 2}, "unpauses"),
    "records": ({"records": {}}, "records"),
    "record": ({"records": [{"type": 5, "body": {}}, 7]}, r"records\[1\]"),
    "type": ({"records": [{"body": {}}]}, r"records\[0\].type"),
    "type range": ({"records": [{"type": 2**32, "body": {}}]}, r"records\[0\].type"),
    "type kind": ({"records": [{"type": "5", "body": {}}]}, r"records\[0\].type"),
    "instance": ({"records": [{"type": 5, "instance": -1, "body": {}}]}, r"records\[0\].instance"),
    "body": ({"records": [{"type": 5, "body": []}]}, r"records\[0\].body"),
    "no body": ({"records": [{"type": 5}]}, r"records\[0\].body"),
    "twice": ({"records": [{"type": 5, "body": {}}, {"type": 5, "body": {}}]}, r"records\[1\]"),
}


@pytest.mark.parametrize("name", STATE_FAULTS)
def test_malformed_state(name: str, tmp_path: Path) -> None:
    value, where = STATE_FAULTS[name]
    if isinstance(value, dict) and value and "schema" not in value:
        value = {"schema": SCHEMA, **value}
    path = tmp_path / "state"
    path.write_text(json.dumps(value))
    with pytest.raises(DomainError, match=rf"wrong at {where}$") as caught:
        opened(str(path))
    assert caught.value.expected is not None
    assert caught.value.actual is not None


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": 1' + b"0" * 9999])
def test_what_is_no_json(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(text)
    with pytest.raises(DomainError, match="is no JSON") as caught:
        opened(str(path))
    assert "sys." not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [{}, {"value": "x"}, {"value": 2**40}, {"value": "0x" + "f" * 5000}, {"value": 1, "more": 2}],
)
def test_a_body_that_cannot_be_decoded(body: Any, tmp_path: Path) -> None:
    path = tmp_path / "state"
    records = [{"type": 0x100, "instance": 0, "body": body}]
    path.write_text(json.dumps({"schema": SCHEMA, "xen_version": "4.15", "records": records}))
    domain = opened(str(path), "save")
    with pytest.raises(DomainError, match=r"state of Knob\[0\] is wrong at") as caught:
        save_image(domain, formats(TYPES).registry("domain-context"))
    assert (caught.value.type_name, caught.value.instance) == ("KNOB", 0)
    assert domain.pauses == domain.unpauses


def test_state_of_a_directory(tmp_path: Path) -> None:
    with pytest.raises(InputOutputError, match="cannot read"):
        opened(str(tmp_path))


# ------------------------------------------------------------------------------------------ made up


def made_up(rest: str, known: Formats | None = None) -> dict[str, Any]:
    return opened(rest, "save", known).to_json()


def test_made_up_state_is_the_same_each_time() -> None:
    assert made_up("vcpus=3,seed=5") == made_up("vcpus=3,seed=5")
    assert made_up("vcpus=3,seed=5") != made_up("vcpus=3,seed=6")
    assert made_up("vcpus=3") == made_up("vcpus=3,seed=0")
    records = made_up("vcpus=3")["records"]
    assert [(r["type"], r["instance"]) for r in records if r["type"] < 0x102] == [
        (0x100, 0), (0x101, 0), (0x101, 1), (0x101, 2),
    ]  # fmt: skip


def test_state_is_made_up_only_where_it_is_asked_for() -> None:
    assert made_up("")["records"] == []
    assert made_up("kind=hvm,width=4")["records"] == []
    assert opened("vcpus=3", "load").to_json()["records"] == []


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
