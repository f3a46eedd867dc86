"""TSC_INFO: bytes, JSON, what verify says, and what a load does to a domain."""

from __future__ import annotations

import random
from typing import Any

import pytest
from domctx_plugin_tsc_info import TscInfo, TscInfoRecord, TscMode
from hypothesis import given
from hypothesis import strategies as st

from domctx_core import (
    Body,
    BodyError,
    Domain,
    DomainError,
    EndRecord,
    Errno,
    Guest,
    ImageError,
    MemoryLoadOps,
    MemorySaveOps,
    NoState,
    Provider,
    Registry,
    StartRecord,
    XenVersion,
    load_domain,
    save_domain,
    save_image,
)

GOLDEN = bytes.fromhex(
    "0300000000000000 1400000000000000 00000000009f2400 15cd5b0700000000 0100000000000000"
)
START = bytes.fromhex("0100000000000000 0800000000000000 040000000f000000")
END = bytes(16)

bodies = st.builds(
    TscInfo,
    mode=st.sampled_from(TscMode),
    khz=st.integers(0, 2**32 - 1),
    nsec=st.integers(0, 2**64 - 1),
    incarnation=st.integers(0, 2**32 - 1),
    padded=st.booleans(),
)


class DictDomain(Domain):
    """State in a dictionary."""

    xen_version = XenVersion(4, 15)

    def __init__(self, guest: Guest | None = None) -> None:
        self.guest = guest or Guest()
        self.state: dict[tuple[type[Body], int], Any] = {}
        self.pauses = 0

    def offers(self) -> frozenset[int] | None:
        return None

    def instances(self, body: type[Body]) -> list[int]:
        return sorted(instance for kind, instance in self.state if kind is body)

    def read(self, body: type[Any], instance: int = 0) -> Any:
        if (body, instance) not in self.state:
            raise NoState(f"no {body.__name__}[{instance}]")
        return self.state[body, instance]

    def write(self, body: type[Any], instance: int, value: Any) -> None:
        self.state[body, instance] = value

    def pause(self) -> None:
        self.pauses += 1

    def unpause(self) -> None:
        self.pauses -= 1


def registry() -> Registry:
    made = Registry()
    for record_type in (StartRecord, EndRecord, TscInfoRecord):
        made.register(record_type, Provider("test", "1"))
    return made


def load(body: bytes, instance: int = 0, guest: Guest | None = None) -> DictDomain:
    header = (3).to_bytes(4, "little") + instance.to_bytes(4, "little")
    header += len(body).to_bytes(8, "little")
    image = START + header + body + bytes(-len(body) % 8) + END
    domain = DictDomain(guest)
    load_domain(domain, MemoryLoadOps(image), registry())
    return domain


def golden(**changes: Any) -> TscInfo:
    made = TscInfo(mode=TscMode.DEFAULT, khz=2_400_000, nsec=123_456_789, incarnation=1)
    return made.replace(**changes)


def test_golden_record() -> None:
    domain = DictDomain()
    domain.state[TscInfo, 0] = golden()
    assert save_image(domain, registry()) == START + GOLDEN + END


def test_big_endian() -> None:
    domain = DictDomain()
    domain.state[TscInfo, 0] = golden()
    ops = MemorySaveOps(byteorder="big")
    save_domain(domain, ops, registry())
    assert ops.image[40:60].hex(" ", 4) == "00000000 00249f00 00000000 075bcd15 00000001"
    other = DictDomain()
    load_domain(other, MemoryLoadOps(ops.image), registry())
    assert other.state[TscInfo, 0] == golden(incarnation=2)


def test_layout() -> None:
    rows = {r["name"]: (r["offset"], r["size"], r["unit"], r["volatile"]) for r in TscInfo.layout()}
    assert rows["mode"] == (0, 4, None, False)
    assert rows["khz"] == (4, 4, "kHz", False)
    assert rows["nsec"] == (8, 8, "ns", True)
    assert rows["incarnation"] == (16, 4, None, True)
    assert rows["padded"][0] == 20


@pytest.mark.parametrize("tail", [b"", bytes(4)])
def test_both_lengths_are_kept(tail: bytes) -> None:
    raw = GOLDEN[16:36] + tail
    body = TscInfo.from_bytes(raw)
    assert body == golden(padded=bool(tail))
    assert body.to_bytes() == raw
    assert TscInfo.from_json(body.to_json()).to_bytes() == raw


def test_written_without_a_tail_by_default() -> None:
    assert golden().size() == 20


def test_json() -> None:
    assert golden().to_json() == {
        "mode": "DEFAULT",
        "khz": 2_400_000,
        "nsec": "123456789",
        "incarnation": 1,
        "padded": False,
    }


def test_summary() -> None:
    lines = golden(nsec=(26 * 3600 + 61) * 10**9 + 5).summary()
    assert lines == {"frequency": "2.400000 GHz", "elapsed": "1 d 02:01:01.000000005"}
    assert "frequency" not in golden(khz=0).summary()


@given(bodies, st.sampled_from(["little", "big"]))
def test_round_trip(body: TscInfo, order: str) -> None:
    raw = body.to_bytes(order)
    assert len(raw) == (24 if body.padded else 20)
    assert TscInfo.from_bytes(raw, order) == body
    assert TscInfo.from_json(body.to_json()) == body


@given(st.binary(max_size=32), st.sampled_from(["little", "big"]))
def test_any_bytes_give_a_body_or_our_error(raw: bytes, order: str) -> None:
    decoded = TscInfo.inspect(raw, order)
    if decoded.problems:
        with pytest.raises(BodyError) as caught:
            TscInfo.from_bytes(raw, order)
        assert caught.value.offset is not None
        assert caught.value.offset <= len(raw)
        assert caught.value.errno in (Errno.EINVAL, Errno.ENODATA)
    else:
        assert decoded.body is not None
        assert decoded.body.to_bytes(order) == raw


@pytest.mark.parametrize(
    ("raw", "errno", "rule", "offset"),
    [
        (GOLDEN[16:35], Errno.ENODATA, "body-too-short", 16),
        (GOLDEN[16:36] + b"\0", Errno.ENODATA, "body-too-short", 20),
        (GOLDEN[16:36] + bytes(8), Errno.EINVAL, "body-not-consumed", 24),
        (GOLDEN[16:36] + b"\0\1\0\0", Errno.EINVAL, "reserved-not-zero", 21),
        (b"\3" + GOLDEN[17:36], Errno.EINVAL, "field-out-of-range", 0),
        (b"", Errno.ENODATA, "body-too-short", 0),
    ],
)
def test_refused_bodies(raw: bytes, errno: Errno, rule: str, offset: int) -> None:
    with pytest.raises(ImageError) as caught:
        load(raw)
    assert (caught.value.errno, caught.value.rule) == (errno, rule)

    assert caught.value.offset == 24 + 16 + offset


def test_unknown_mode_names_the_known_ones() -> None:
    problems = golden(mode=7).problems()
    assert [p.field for p in problems] == ["mode"]
    assert problems[0].expected == "0 DEFAULT, 1 ALWAYS_EMULATE, 2 NEVER_EMULATE"
    assert problems[0].actual == 7


def test_another_instance_is_enxio() -> None:
    with pytest.raises(ImageError) as caught:
        load(GOLDEN[16:36], instance=1)
    assert caught.value.errno is Errno.ENXIO


@pytest.mark.parametrize(("before", "after"), [(0, 1), (1, 2), (2**32 - 1, 0)])
def test_load_counts_one_more_incarnation(before: int, after: int) -> None:
    domain = load(golden(incarnation=before).to_bytes())
    assert domain.state[TscInfo, 0] == golden(incarnation=after)
    assert domain.pauses == 0


def test_arm_has_no_tsc() -> None:
    with pytest.raises(DomainError, match="no x86 guest") as caught:
        load(GOLDEN[16:36], guest=Guest(arch="arm"))
    assert caught.value.errno is Errno.EINVAL
    assert not list(TscInfoRecord().simulate(Guest(arch="arm"), random.Random(1)))


@pytest.mark.parametrize("seed", range(5))
def test_simulated_state_is_valid_and_repeatable(seed: int) -> None:
    made = list(TscInfoRecord().simulate(Guest(arch="x86"), random.Random(seed)))
    assert made == list(TscInfoRecord().simulate(Guest(arch="x86"), random.Random(seed)))
    [(instance, body)] = made
    assert instance == 0
    assert not body.problems()
    assert body.khz
    assert not body.padded
