"""SHARED_INFO: layouts, both forms of each length, summaries, and what a load leaves behind."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from domctx_plugin_shared_info import (
    ArchSharedInfoX86_32,
    ArchSharedInfoX86_64,
    SharedInfo,
    SharedInfoArm,
    SharedInfoCompat,
    SharedInfoFlags,
    SharedInfoRecord,
    SharedInfoX86_64,
    VcpuInfoArm,
    VcpuInfoX86_32,
    VcpuInfoX86_64,
    VcpuTimeInfo,
    simulated_bits,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from domctx_core import (
    Bits,
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

LIVE = Path(__file__).resolve().parents[3] / "examples" / "xen-4.17"
PV64 = Guest(kind="pv", width=8, arch="x86", vcpus=2)
PV32 = Guest(kind="pv", width=4, arch="x86", vcpus=2)
PV_ARM = Guest(kind="pv", width=8, arch="arm", vcpus=1)
GUESTS: dict[Any, Guest] = {SharedInfoX86_64: PV64, SharedInfoCompat: PV32, SharedInfoArm: PV_ARM}
LENGTHS: dict[Any, int] = {SharedInfoX86_64: 3140, SharedInfoCompat: 2348, SharedInfoArm: 1092}


class DictDomain(Domain):
    """State in a dictionary; writes nothing while it is not paused."""

    xen_version = XenVersion(4, 15)

    def __init__(self, guest: Guest, shared: SharedInfo | None = None) -> None:
        self.guest = guest
        self.state: dict[tuple[type[Body], int], Any] = {}
        if shared is not None:
            self.state[SharedInfo, 0] = shared
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
        assert self.pauses == 1
        self.state[body, instance] = value

    def pause(self) -> None:
        self.pauses += 1

    def unpause(self) -> None:
        self.pauses -= 1


def registry() -> Registry:
    made = Registry()
    for record_type in (StartRecord, EndRecord, SharedInfoRecord):
        made.register(record_type, Provider("test", "1"))
    return made


def image_of(shared: SharedInfo, byteorder: str = "little") -> bytes:
    kind = type(shared.info)
    ops = MemorySaveOps(byteorder=byteorder)
    save_domain(DictDomain(GUESTS[kind], shared), ops, registry())
    return ops.image


def load(image: bytes, domain: DictDomain) -> SharedInfo | None:
    load_domain(domain, MemoryLoadOps(image), registry())
    assert domain.pauses == 0
    found: SharedInfo | None = domain.state.get((SharedInfo, 0))
    return found


def filled(kind: type[Any], seed: int = 1, **changes: Any) -> SharedInfo:
    """A shared info with every byte of the structure different from zero."""
    rng = random.Random(seed)
    raw = bytes(rng.randrange(1, 256) for _ in range(kind.fixed_size()))
    flags = SharedInfoFlags.COMPAT if kind is SharedInfoCompat else SharedInfoFlags(0)
    return SharedInfo(flags=flags, info=kind.from_bytes(raw)).replace(**changes)


kinds = pytest.mark.parametrize("kind", [SharedInfoX86_64, SharedInfoCompat, SharedInfoArm])


# --------------------------------------------------------------------------------------- layouts


def offsets(body: type[Body]) -> dict[str, tuple[int, int]]:
    return {row["name"]: (row["offset"], row["size"]) for row in body.layout()}


@pytest.mark.parametrize(
    ("body", "size", "fields"),
    [
        (
            SharedInfoX86_64,
            3136,
            {
                "vcpu_info": (0, 2048),
                "evtchn_pending": (2048, 512),
                "evtchn_mask": (2560, 512),
                "wc_version": (3072, 4),
                "wc_sec": (3076, 4),
                "wc_nsec": (3080, 4),
                "wc_sec_hi": (3084, 4),
                "arch": (3088, 48),
            },
        ),
        (
            SharedInfoCompat,
            2344,
            {
                "vcpu_info": (0, 2048),
                "evtchn_pending": (2048, 128),
                "evtchn_mask": (2176, 128),
                "wc_version": (2304, 4),
                "wc_sec": (2308, 4),
                "wc_nsec": (2312, 4),
                "arch": (2316, 28),
            },
        ),
        (
            SharedInfoArm,
            1088,
            {
                "vcpu_info": (0, 48),
                "evtchn_pending": (48, 512),
                "evtchn_mask": (560, 512),
                "wc_version": (1072, 4),
                "wc_sec": (1076, 4),
                "wc_nsec": (1080, 4),
                "wc_sec_hi": (1084, 4),
            },
        ),
        (
            VcpuInfoX86_64,
            64,
            {
                "evtchn_upcall_pending": (0, 1),
                "evtchn_upcall_mask": (1, 1),
                "evtchn_pending_sel": (8, 8),
                "arch": (16, 16),
                "time": (32, 32),
            },
        ),
        (
            VcpuInfoX86_32,
            64,
            {
                "evtchn_upcall_pending": (0, 1),
                "evtchn_upcall_mask": (1, 1),
                "evtchn_pending_sel": (4, 4),
                "arch": (8, 24),
                "time": (32, 32),
            },
        ),
        (
            VcpuInfoArm,
            48,
            {
                "evtchn_upcall_pending": (0, 1),
                "evtchn_pending_sel": (8, 8),
                "time": (16, 32),
            },
        ),
        (
            VcpuTimeInfo,
            32,
            {
                "version": (0, 4),
                "tsc_timestamp": (8, 8),
                "system_time": (16, 8),
                "tsc_to_system_mul": (24, 4),
                "tsc_shift": (28, 1),
                "flags": (29, 1),
            },
        ),
        (
            ArchSharedInfoX86_64,
            48,
            {
                "max_pfn": (0, 8),
                "pfn_to_mfn_frame_list_list": (8, 8),
                "nmi_reason": (16, 8),
                "p2m_cr3": (24, 8),
                "p2m_vaddr": (32, 8),
                "p2m_generation": (40, 8),
            },
        ),
        (
            ArchSharedInfoX86_32,
            28,
            {
                "max_pfn": (0, 4),
                "pfn_to_mfn_frame_list_list": (4, 4),
                "nmi_reason": (8, 4),
                "p2m_cr3": (12, 4),
                "p2m_vaddr": (16, 4),
                "p2m_generation": (20, 4),
                "wc_sec_hi": (24, 4),
            },
        ),
    ],
)
def test_layout(body: type[Body], size: int, fields: dict[str, tuple[int, int]]) -> None:
    assert body.fixed_size() == size
    found = offsets(body)
    assert {name: found[name] for name in fields} == fields
    assert set(found) - set(fields) <= {"pad", "pad0", "pad1"}


def test_clocks_are_volatile() -> None:
    for body in (SharedInfoX86_64, SharedInfoCompat, SharedInfoArm):
        volatile = {row["name"] for row in body.layout() if row["volatile"]}
        assert volatile >= {"wc_version", "wc_sec", "wc_nsec"}
        assert not volatile & {"evtchn_pending", "evtchn_mask", "arch", "vcpu_info"}
    clock = {row["name"] for row in VcpuTimeInfo.layout() if row["volatile"]}
    assert clock >= {"version", "tsc_timestamp", "system_time"}


# ------------------------------------------------------------------------------------------ bytes


@kinds
@pytest.mark.parametrize("has_reserved", [False, True])
@pytest.mark.parametrize("order", ["little", "big"])
def test_both_lengths_are_kept(kind: type[Any], has_reserved: bool, order: str) -> None:
    shared = filled(kind, has_reserved=has_reserved)
    raw = shared.to_bytes(order)
    assert len(raw) == LENGTHS[kind] + 4 * has_reserved
    again = SharedInfo.from_bytes(raw, order)
    assert again == shared
    assert again.to_bytes(order) == raw
    parsed = SharedInfo.from_json(json.loads(json.dumps(shared.to_json())))
    assert parsed.to_bytes(order) == raw


@kinds
@settings(max_examples=25)
@given(data=st.data())
def test_any_structure_survives(kind: type[Any], data: st.DataObject) -> None:
    size = kind.fixed_size()
    raw = random.Random(data.draw(st.integers())).randbytes(size)
    order = data.draw(st.sampled_from(["little", "big"]))
    head = bytes([kind is SharedInfoCompat, 0, 0, 0])
    if order == "big":
        head = head[::-1]
    head += bytes(4 * data.draw(st.booleans()))
    shared = SharedInfo.from_bytes(head + raw, order)
    assert shared.to_bytes(order) == head + raw
    assert SharedInfo.from_json(shared.to_json()) == shared
    assert all(isinstance(line, str) for line in shared.summary().values())


@given(st.binary(max_size=80), st.integers(0, 4400))
def test_any_bytes_give_a_body_or_our_error(head: bytes, length: int) -> None:
    raw = (head + bytes(4400))[:length]
    decoded = SharedInfo.inspect(raw)
    for problem in decoded.problems:
        assert problem.offset is not None
        assert problem.offset <= len(raw)
    if decoded.problems:
        with pytest.raises(BodyError) as caught:
            SharedInfo.from_bytes(raw)
        assert caught.value.errno in (Errno.EINVAL, Errno.ENODATA)
    else:
        assert len(raw) in {n + extra for n in LENGTHS.values() for extra in (0, 4)}


def test_port_is_one_bit_of_its_word() -> None:
    shared = SharedInfo.blank(PV64)
    shared.set_port(70, pending=True, masked=False)
    raw = shared.to_bytes()
    assert raw[8 + 2048 + 8] == 1 << 6
    assert raw[8 + 2560 + 8] == 0xFF ^ 1 << 6
    raw = shared.to_bytes("big")
    assert raw[8 + 2048 + 15] == 1 << 6
    compat = SharedInfo.blank(PV32)
    compat.set_port(70, pending=True, masked=False)
    assert compat.to_bytes()[8 + 2048 + 8] == 1 << 6
    assert compat.to_bytes("big")[8 + 2048 + 11] == 1 << 6


def test_absolute_offset_of_the_p2m_root() -> None:
    for kind, offset, size in ((SharedInfoX86_64, 3096, 8), (SharedInfoCompat, 2320, 4)):
        shared = filled(kind, has_reserved=False)
        raw = shared.to_bytes()[4:]
        root = shared.info.arch.pfn_to_mfn_frame_list_list  # type: ignore[union-attr]
        assert int.from_bytes(raw[offset : offset + size], "little") == root


def test_set_port_refuses_what_has_no_bit() -> None:
    assert SharedInfo.blank(PV64).ports == SharedInfo.blank(PV_ARM).ports == 4096
    compat = SharedInfo.blank(PV32)
    assert compat.ports == 1024
    with pytest.raises(BodyError):
        compat.set_port(1024, pending=True, masked=True)


def test_set_port_is_cheap() -> None:
    shared = SharedInfo.blank(PV64)
    begin = time.perf_counter()
    for port in range(4096):
        shared.set_port(port, pending=port % 2 == 0, masked=False)
    assert time.perf_counter() - begin < 0.5
    assert list(shared.info.evtchn_pending) == list(range(0, 4096, 2))
    assert not shared.info.evtchn_mask


# -------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("flags", "length", "rule"),
    [
        (1, 3140, "field-out-of-range"),
        (1, 3144, "field-out-of-range"),
        (1, 1092, "field-out-of-range"),
        (0, 2348, "field-out-of-range"),
        (0, 2352, "field-out-of-range"),
        (2, 3144, "reserved-not-zero"),
        (0x80000001, 2352, "reserved-not-zero"),
    ],
)
def test_flags_that_do_not_fit(flags: int, length: int, rule: str) -> None:
    raw = flags.to_bytes(4, "little") + bytes(length - 4)
    decoded = SharedInfo.inspect(raw)
    first = decoded.problems[0]
    assert (first.rule, first.field, first.offset) == (rule, "flags", 0)
    with pytest.raises(BodyError) as caught:
        SharedInfo.from_bytes(raw)
    assert caught.value.errno is Errno.EINVAL


@pytest.mark.parametrize(
    ("raw", "errno", "rule"),
    [
        (b"", Errno.ENODATA, "body-too-short"),
        (bytes(1091), Errno.ENODATA, "body-too-short"),
        (bytes(3141), Errno.EINVAL, "body-not-consumed"),
        (bytes(4100), Errno.EINVAL, "body-not-consumed"),
        (bytes(4) + b"\1" + bytes(3139), Errno.EINVAL, "reserved-not-zero"),
    ],
)
def test_refused_bodies(raw: bytes, errno: Errno, rule: str) -> None:
    with pytest.raises(BodyError) as caught:
        SharedInfo.from_bytes(raw)
    assert (caught.value.errno, caught.value.rule) == (errno, rule)


def test_another_instance_is_enxio() -> None:
    image = bytearray(image_of(filled(SharedInfoX86_64)))
    image[24 + 4] = 1
    with pytest.raises(ImageError) as caught:
        load(bytes(image), DictDomain(PV64))
    assert caught.value.errno is Errno.ENXIO


@pytest.mark.parametrize(
    ("kind", "guest", "words"),
    [
        (SharedInfoX86_64, PV32, "words of 4 bytes"),
        (SharedInfoCompat, PV64, "words of 8 bytes"),
        (SharedInfoArm, PV64, "architecture x86"),
        (SharedInfoX86_64, PV_ARM, "architecture arm"),
        (SharedInfoArm, Guest(kind="pv", arch="x86"), "architecture x86"),
    ],
)
def test_guest_of_another_kind_is_refused(kind: type[Any], guest: Guest, words: str) -> None:
    domain = DictDomain(guest)
    with pytest.raises(DomainError, match=words) as caught:
        load(image_of(filled(kind)), domain)
    assert caught.value.errno is Errno.EINVAL
    assert caught.value.type == 2
    assert not domain.state


def test_state_of_another_layout_is_refused() -> None:
    before = SharedInfo.blank(PV32)
    domain = DictDomain(Guest(kind="pv"), before)
    with pytest.raises(DomainError, match="32-bit x86 \\(compat\\) shared info") as caught:
        load(image_of(filled(SharedInfoX86_64)), domain)
    assert caught.value.errno is Errno.EINVAL
    assert domain.state[SharedInfo, 0] == SharedInfo.blank(PV32)


# ------------------------------------------------------------------------------------------ load


@pytest.mark.parametrize("kind", ["hvm", None])
def test_other_guests_are_left_alone(kind: str | None) -> None:
    assert load(image_of(filled(SharedInfoX86_64)), DictDomain(Guest(kind=kind))) is None
    before = filled(SharedInfoX86_64, 7)
    after = load(image_of(filled(SharedInfoX86_64)), DictDomain(Guest(kind=kind), before))
    assert after == filled(SharedInfoX86_64, 7)


#: kind -> (vcpus, stride, selector (offset, size), pending, mask (offset, size), wall clock
#: pieces (offset, size), arch (offset, size), p2m root (offset, size))
PLACES: dict[Any, Any] = {
    SharedInfoX86_64: (32, 64, (8, 8), (2048, 512), (2560, 512), [(3072, 16)], (3088, 48), (3096, 8)),
    SharedInfoCompat: (
        32, 64, (4, 4), (2048, 128), (2176, 128), [(2304, 12), (2340, 4)], (2316, 28), (2320, 4),
    ),
    SharedInfoArm: (1, 48, (8, 8), (48, 512), (560, 512), [(1072, 16)], (1088, 0), (1088, 0)),
}  # fmt: skip


@kinds
@pytest.mark.parametrize("has_before", [True, False])
@pytest.mark.parametrize("has_reserved", [True, False])
def test_load_byte_by_byte(kind: type[Any], has_before: bool, has_reserved: bool) -> None:
    """The expected structure is put together from bytes, independently of the record type."""
    vcpus, stride, sel, pending, mask, clock, _, root = PLACES[kind]
    image = filled(kind, 1, has_reserved=has_reserved)
    before = filled(kind, 2) if has_before else None
    old = bytes(kind.fixed_size()) if before is None else before.info.to_bytes()
    expected = bytearray(image.info.to_bytes())
    for vcpu in range(vcpus):
        expected[vcpu * stride + sel[0] : vcpu * stride + sum(sel)] = bytes(sel[1])
    expected[pending[0] : sum(pending)] = bytes(pending[1])
    expected[mask[0] : sum(mask)] = b"\xff" * mask[1]
    for at, size in clock:
        expected[at : at + size] = old[at : at + size]
    expected[root[0] : sum(root)] = bytes(root[1])

    after = load(image_of(image), DictDomain(GUESTS[kind], before))
    assert after is not None
    assert after.info.to_bytes() == bytes(expected)
    assert (after.flags, after.has_reserved) == (image.flags, has_reserved)


def test_load_takes_64_bit_fields_in_full_width() -> None:
    """What a load through the 32-bit structure would have left half filled."""
    image = filled(SharedInfoX86_64)
    after = load(image_of(image), DictDomain(PV64, filled(SharedInfoX86_64, 2)))
    assert after is not None
    info, source = after.info, image.info
    assert isinstance(info, SharedInfoX86_64)
    assert isinstance(source, SharedInfoX86_64)
    for name in ("p2m_cr3", "p2m_vaddr", "p2m_generation"):
        assert getattr(source.arch, name) >> 32
        assert getattr(info.arch, name) == getattr(source.arch, name)
    assert info.arch.pfn_to_mfn_frame_list_list == 0
    assert info.evtchn_pending == Bits(4096)
    assert info.evtchn_mask == Bits.full(4096)
    assert {vcpu.evtchn_pending_sel for vcpu in info.vcpu_info} == {0}


def test_load_from_a_big_endian_image() -> None:
    image = filled(SharedInfoX86_64)
    assert load(image_of(image, "big"), DictDomain(PV64)) == load(image_of(image), DictDomain(PV64))


def test_load_changes_no_body_that_the_caller_holds() -> None:
    before = filled(SharedInfoX86_64, 2)
    load(image_of(filled(SharedInfoX86_64)), DictDomain(PV64, before))
    assert before == filled(SharedInfoX86_64, 2)


# --------------------------------------------------------------------------------------- summary


def clocked(kind: type[Any], seconds: int, nsec: int, version: int = 2) -> SharedInfo:
    shared = SharedInfo.blank(GUESTS[kind])
    info = shared.info
    info.wc_version, info.wc_sec, info.wc_nsec = version, seconds & 0xFFFFFFFF, nsec
    if isinstance(info, SharedInfoCompat):
        info.arch.wc_sec_hi = seconds >> 32
    else:
        info.wc_sec_hi = seconds >> 32
    return shared


@kinds
def test_wall_clock_is_a_date(kind: type[Any]) -> None:
    line = clocked(kind, 1_795_364_556, 20_532_629).summary()["wall clock"]
    assert line == "2026-11-22 16:22:36.020532629 UTC"
    line = clocked(kind, 1 << 32, 0).summary()["wall clock"]
    assert line == "2106-02-07 06:28:16.000000000 UTC"
    assert "after the year 9999" in clocked(kind, 2**64 - 1, 0).summary()["wall clock"]
    assert "more nanoseconds" in clocked(kind, 1, 10**9).summary()["wall clock"]
    odd = clocked(kind, 1, 0, version=3).summary()["wall clock"]
    assert "wc_version 3 is odd: update in progress" in odd


def test_summary_of_events_and_p2m() -> None:
    shared = SharedInfo.blank(PV64)
    info = shared.info
    assert isinstance(info, SharedInfoX86_64)
    assert shared.summary()["pending"] == "none"
    assert shared.summary()["p2m"] == "not set up"
    shared.set_port(4, pending=True, masked=True)
    shared.set_port(16, pending=True, masked=False)
    info.arch.pfn_to_mfn_frame_list_list = 2**64 - 1
    info.arch.p2m_vaddr = 0xFFFFC90000000000
    info.arch.p2m_generation = 5
    info.vcpu_info[1].time.version = 7
    lines = shared.summary()
    assert lines["pending"] == "ports 4, 16"
    assert lines["pending, not masked"] == "ports 16"
    assert lines["p2m"].startswith("linear only, at 0xffffc90000000000 (p2m_generation 5 is odd")
    assert lines["clock update in progress"] == "vCPU 1 (odd time.version)"


# --------------------------------------------------------------------------- simulated and real


@pytest.mark.parametrize("guest", [PV64, PV32, PV_ARM, Guest(), Guest(vcpus=200, width=4)])
def test_simulated_state(guest: Guest) -> None:
    made = list(SharedInfoRecord().simulate(guest, random.Random(3)))
    assert made == list(SharedInfoRecord().simulate(guest, random.Random(3)))
    [(instance, shared)] = made
    assert instance == 0
    assert not shared.problems()
    pending, mask = simulated_bits(guest)
    assert (shared.info.evtchn_pending, shared.info.evtchn_mask) == (pending, mask)
    assert pending
    assert mask
    word = 32 if isinstance(shared.info, SharedInfoCompat) else 64
    ready = {port // word for port in pending if port not in mask}
    assert shared.info.vcpu_info[0].evtchn_pending_sel == sum(1 << w for w in ready)
    assert shared.info.wc_version % 2 == 0


def test_simulated_state_saves_and_loads() -> None:
    [(_, shared)] = SharedInfoRecord().simulate(PV32, random.Random(3))
    image = save_image(DictDomain(PV32, shared), registry())
    assert len(image) == 24 + 2368 + 16
    after = load(image, DictDomain(PV32, shared))
    assert after is not None
    assert after.wall_clock == shared.wall_clock


@pytest.mark.parametrize("capture", ["pv1/live", "pv1/live-after-restore", "pv2l/live"])
def test_real_page(capture: str) -> None:
    page = (LIVE / capture / "shared_info.bin").read_bytes()
    facts = json.loads((LIVE / capture / "facts.json").read_text())["shared_info"]
    shared = SharedInfo.from_bytes(bytes(8) + page[:3136])
    assert shared.to_bytes() == bytes(8) + page[:3136]
    info = shared.info
    assert isinstance(info, SharedInfoX86_64)
    assert list(info.evtchn_pending) == facts["evtchn_pending"]
    unmasked = [port for port in range(64) if port not in info.evtchn_mask]
    assert unmasked == facts["evtchn_unmasked_below_64"]
    wall = facts["wc"]
    assert info.wc_version == wall["version"]
    assert shared.wall_clock == (wall["sec_hi"] << 32 | wall["sec"], wall["nsec"])
    assert {name: getattr(info.arch, name) for name in facts["arch"]} == facts["arch"]
    assert len(facts["vcpu_info"]) == 32
    for row in facts["vcpu_info"]:
        vcpu = info.vcpu_info[row["i"]]
        assert vcpu.evtchn_upcall_pending == row["pending"]
        assert vcpu.evtchn_upcall_mask == row["mask"]
        assert vcpu.evtchn_pending_sel == int(row["sel"], 0)
        assert vcpu.arch.cr2 == int(row["cr2"], 0)
        clock = row["time"]
        assert vcpu.time.version == clock["version"]
        assert vcpu.time.tsc_timestamp == clock["tsc_timestamp"]
        assert vcpu.time.system_time == clock["system_time"]
        assert vcpu.time.tsc_to_system_mul == clock["mul"]
        assert vcpu.time.tsc_shift == clock["shift"]
        assert vcpu.time.flags == clock["flags"]
