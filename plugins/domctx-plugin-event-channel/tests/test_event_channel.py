"""EVTCHN_ABI and EVENT_CHANNEL: bytes, JSON, rules across records, and what a load does."""

from __future__ import annotations

import json
import random
import struct
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from domctx_plugin_event_channel import (
    DOMID_SELF,
    Abi,
    ChannelFlags,
    ChannelState,
    ConsumerKind,
    ControlBlock,
    EventChannel,
    EventChannelRecord,
    EvtchnAbi,
    EvtchnAbiRecord,
    Interdomain,
    Pirq,
    PirqFlags,
    Unbound,
    Virq,
)
from domctx_plugin_event_channel.checks import EventChannelCheck, domctx_checks
from domctx_plugin_shared_info import SharedInfo, SharedInfoRecord
from hypothesis import given, settings
from hypothesis import strategies as st

from domctx_core import (
    Bits,
    Body,
    BodyError,
    BufferSource,
    Check,
    Domain,
    DomainContext,
    DomainError,
    DomctxError,
    EndRecord,
    Errno,
    Finding,
    Formats,
    Guest,
    ImageError,
    MemoryLoadOps,
    MemorySaveOps,
    NoState,
    Problem,
    Provider,
    Registry,
    Run,
    Severity,
    SimDomain,
    Start,
    StartRecord,
    XenVersion,
    load_domain,
    save_domain,
    save_image,
    verify,
)

PV64 = Guest(kind="pv", width=8, arch="x86", vcpus=2)
PV32 = Guest(kind="pv", width=4, arch="x86", vcpus=2)
HVM = Guest(kind="hvm", width=8, arch="x86", vcpus=2)
TYPES = (StartRecord, EndRecord, SharedInfoRecord, EvtchnAbiRecord, EventChannelRecord)

u16s, u32s, u64s = (st.integers(0, 2**bits - 1) for bits in (16, 32, 64))
domids = st.integers(0, DOMID_SELF)
bindings: dict[ChannelState, Any] = {
    ChannelState.UNBOUND: st.builds(Unbound, remote_domid=domids),
    ChannelState.INTERDOMAIN: st.builds(
        Interdomain, remote_domid=domids, remote_port=st.integers(1, 2**32 - 1)
    ),
    ChannelState.PIRQ: st.builds(Pirq, pirq=u32s, flags=st.sampled_from([0, 1]).map(PirqFlags)),
    ChannelState.VIRQ: st.builds(Virq, virq=st.integers(0, 23)),
    ChannelState.IPI: st.none(),
}


@st.composite
def channels(draw: st.DrawFn) -> EventChannel:
    state = draw(st.sampled_from(ChannelState))
    flags = ChannelFlags(draw(st.integers(0, 7)))
    consumed = bool(flags & ChannelFlags.XEN_CONSUMER)
    return EventChannel(
        state=state,
        notify_vcpu=draw(u32s),
        flags=flags,
        priority=draw(st.integers(0, 15)),
        consumer_kind=draw(st.sampled_from(ConsumerKind)) if consumed else ConsumerKind.NONE,
        binding=draw(bindings[state]),
    )


@st.composite
def abis(draw: st.DrawFn) -> EvtchnAbi:
    if draw(st.booleans()):
        return EvtchnAbi(abi=Abi.TWO_LEVEL, max_port=draw(st.integers(0, 4095)))
    vcpus = draw(st.lists(u32s, max_size=5, unique=True))
    control = [
        ControlBlock(gfn=draw(u64s), offset=8 * draw(st.integers(0, 503)), vcpu=vcpu)
        for vcpu in vcpus
    ]
    return EvtchnAbi(
        abi=Abi.FIFO,
        max_port=draw(st.integers(0, 131071)),
        control=control,
        array_gfns=draw(st.lists(u64s, max_size=128)),
    )


class DictDomain(Domain):
    """State in a dictionary; instances come in the order in which they were written."""

    xen_version = XenVersion(4, 17)

    def __init__(self, guest: Guest, *state: tuple[int, Body]) -> None:
        self.guest = guest
        self.state: dict[tuple[type[Body], int], Any] = {}
        for instance, body in state:
            self.state[type(body), instance] = body
        self.pauses = 0

    def offers(self) -> frozenset[int] | None:
        return None

    def instances(self, body: type[Body]) -> list[int]:
        return [instance for kind, instance in self.state if kind is body]

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


def registry(into: Registry | None = None) -> Registry:
    made = Registry() if into is None else into
    for record_type in TYPES:
        made.register(record_type, Provider("test", "1"))
    return made


def ipi(**changes: Any) -> EventChannel:
    return EventChannel(state=ChannelState.IPI, notify_vcpu=0).replace(**changes)


def virq(number: int, vcpu: int = 0) -> EventChannel:
    return EventChannel(state=ChannelState.VIRQ, notify_vcpu=vcpu, binding=Virq(virq=number))


def pirq(number: int) -> EventChannel:
    return EventChannel(state=ChannelState.PIRQ, notify_vcpu=0, binding=Pirq(pirq=number))


def to(port: int, domid: int = DOMID_SELF) -> EventChannel:
    return EventChannel(
        state=ChannelState.INTERDOMAIN,
        notify_vcpu=0,
        binding=Interdomain(remote_domid=domid, remote_port=port),
    )


TWO_LEVEL = EvtchnAbi(abi=Abi.TWO_LEVEL, max_port=4095)


def fifo(pages: int) -> EvtchnAbi:
    return EvtchnAbi(abi=Abi.FIFO, max_port=131071, array_gfns=list(range(pages)))


def record(code: int, instance: int, body: bytes) -> bytes:
    return struct.pack("<IIQ", code, instance, len(body)) + body + bytes(-len(body) % 8)


CODES = {SharedInfo: 2, EvtchnAbi: 4, EventChannel: 5}


def image(*records: tuple[int, Body]) -> bytes:
    """An image of these (instance, body), in this order, valid or not."""
    raw = record(1, 0, Start(xen_major=4, xen_minor=17).to_bytes())
    for instance, body in records:
        raw += record(CODES[type(body)], instance, body.to_bytes(check=False))
    return raw + record(0, 0, b"")


def findings(
    *records: tuple[int, Body], check: type[Check] = EventChannelCheck
) -> Sequence[Finding]:
    formats = Formats()
    formats.add(DomainContext.name, Provider("test", "1"), DomainContext)
    registry(formats.registry(DomainContext.name))
    return verify(BufferSource(image(*records)), formats, checks=[check]).findings


def load(domain: DictDomain, *records: tuple[int, Body], check: bool = True) -> DictDomain:
    checks = [EventChannelCheck()] if check else []
    load_domain(domain, MemoryLoadOps(image(*records)), registry(), checks=checks)
    assert domain.pauses == 0
    return domain


# ---------------------------------------------------------------------------------------- layouts


def offsets(body: type[Body]) -> list[tuple[str, int | None, int | None]]:
    return [(row["name"], row["offset"], row["size"]) for row in body.layout()]


def test_layouts() -> None:
    assert offsets(EventChannel) == [
        ("state", 0, 4),
        ("notify_vcpu", 4, 4),
        ("flags", 8, 4),
        ("priority", 12, 1),
        ("consumer_kind", 13, 1),
        ("pad", 14, 2),
        ("binding", 16, 16),
    ]
    assert EventChannel.fixed_size() == 32
    assert offsets(Unbound) == [("remote_domid", 0, 2)]
    assert offsets(Interdomain) == [("remote_domid", 0, 2), ("pad", 2, 2), ("remote_port", 4, 4)]
    assert offsets(Pirq) == [("pirq", 0, 4), ("flags", 4, 4)]
    assert offsets(Virq) == [("virq", 0, 4)]
    assert offsets(ControlBlock) == [("gfn", 0, 8), ("offset", 8, 4), ("vcpu", 12, 4)]
    assert offsets(EvtchnAbi)[:5] == [
        ("abi", 0, 4),
        ("max_port", 4, 4),
        ("nr_control", 8, 4),
        ("nr_array", 12, 4),
        ("control", 16, None),
    ]


@pytest.mark.parametrize("order", ["little", "big"])
def test_channel_bytes(order: str) -> None:
    channel = EventChannel(
        state=ChannelState.INTERDOMAIN,
        notify_vcpu=3,
        flags=ChannelFlags.PENDING | ChannelFlags.XEN_CONSUMER,
        priority=9,
        consumer_kind=ConsumerKind.UART,
        binding=Interdomain(remote_domid=5, remote_port=77),
    )
    prefix = "<" if order == "little" else ">"
    raw = struct.pack(f"{prefix}IIIBBHHHI8x", 2, 3, 5, 9, 5, 0, 5, 0, 77)
    assert channel.to_bytes(order) == raw
    assert EventChannel.from_bytes(raw, order) == channel


@pytest.mark.parametrize("order", ["little", "big"])
def test_abi_bytes(order: str) -> None:
    abi = EvtchnAbi(
        abi=Abi.FIFO,
        max_port=2047,
        control=[ControlBlock(gfn=0x1234, offset=4024, vcpu=1)],
        array_gfns=[0x5678, 0x9ABC],
    )
    prefix = "<" if order == "little" else ">"
    raw = struct.pack(f"{prefix}IIIIQIIQQ", 1, 2047, 1, 2, 0x1234, 4024, 1, 0x5678, 0x9ABC)
    assert abi.to_bytes(order) == raw
    assert EvtchnAbi.from_bytes(raw, order) == abi
    assert (abi.nr_control, abi.nr_array, abi.reachable) == (1, 2, 2048)
    assert TWO_LEVEL.size() == 16


def test_channel_json() -> None:
    assert to(7, 0).to_json() == {
        "state": "INTERDOMAIN",
        "notify_vcpu": 0,
        "flags": [],
        "priority": 7,
        "consumer_kind": "NONE",
        "binding": {"remote_domid": 0, "remote_port": 7},
    }
    assert ipi(flags=ChannelFlags.PENDING | ChannelFlags.MASKED).to_json()["flags"] == [
        "PENDING",
        "MASKED",
    ]


@given(channels(), st.sampled_from(["little", "big"]))
def test_channel_round_trip(channel: EventChannel, order: str) -> None:
    raw = channel.to_bytes(order)
    assert len(raw) == 32
    assert EventChannel.from_bytes(raw, order) == channel
    assert EventChannel.from_json(json.loads(json.dumps(channel.to_json()))) == channel


@given(abis(), st.sampled_from(["little", "big"]))
def test_abi_round_trip(abi: EvtchnAbi, order: str) -> None:
    raw = abi.to_bytes(order)
    assert len(raw) == 16 + 16 * abi.nr_control + 8 * abi.nr_array
    again = EvtchnAbi.from_bytes(raw, order)
    assert again.to_bytes(order) == raw
    assert EvtchnAbi.from_json(json.loads(json.dumps(abi.to_json()))).to_bytes(order) == raw


@pytest.mark.parametrize("body", [EvtchnAbi, EventChannel])
@given(raw=st.binary(max_size=80), small=st.binary(min_size=8, max_size=8))
def test_any_bytes_give_a_body_or_our_error(body: type[Body], raw: bytes, small: bytes) -> None:
    raw = bytes(b % 6 if i % 4 == 0 else 0 for i, b in enumerate(small)) + raw
    decoded = body.inspect(raw)
    for problem in decoded.problems:
        assert problem.offset is not None
        assert problem.offset <= len(raw)
    if decoded.problems:
        with pytest.raises(BodyError) as caught:
            body.from_bytes(raw)
        assert caught.value.errno in (Errno.EINVAL, Errno.ENODATA, Errno.EOPNOTSUPP)
    else:
        assert decoded.body is not None
        assert decoded.body.to_bytes() == raw


def test_a_claimed_count_is_not_believed() -> None:
    raw = struct.pack("<IIII", 1, 0, 2**32 - 1, 0)
    with pytest.raises(BodyError) as caught:
        EvtchnAbi.from_bytes(raw)
    assert caught.value.errno is Errno.ENODATA


# ----------------------------------------------------------------------------------- one body


@pytest.mark.parametrize(
    ("body", "field", "errno"),
    [
        (TWO_LEVEL.replace(abi=2), "abi", Errno.EOPNOTSUPP),
        (TWO_LEVEL.replace(max_port=4096), "max_port", Errno.EINVAL),
        (fifo(0).replace(max_port=131072), "max_port", Errno.EINVAL),
        (TWO_LEVEL.replace(array_gfns=[1]), "nr_array", Errno.EINVAL),
        (
            TWO_LEVEL.replace(control=[ControlBlock(gfn=1, offset=0, vcpu=0)]),
            "nr_control",
            Errno.EINVAL,
        ),
        (fifo(129), "nr_array", Errno.EINVAL),
        (
            fifo(1).replace(control=[ControlBlock(gfn=1, offset=4032, vcpu=0)]),
            "control[0].offset",
            Errno.EINVAL,
        ),
        (
            fifo(1).replace(control=[ControlBlock(gfn=1, offset=12, vcpu=0)]),
            "control[0].offset",
            Errno.EINVAL,
        ),
        (
            fifo(1).replace(control=[ControlBlock(gfn=g, offset=0, vcpu=4) for g in (1, 2)]),
            "control[1].vcpu",
            Errno.EINVAL,
        ),
        (ipi(state=0, binding=bytes(16)), "state", Errno.EINVAL),
        (ipi(state=6, binding=bytes(16)), "state", Errno.EINVAL),
        (ipi(flags=ChannelFlags(8)), "flags", Errno.EINVAL),
        (ipi(priority=16), "priority", Errno.EINVAL),
        (
            ipi(consumer_kind=6, flags=ChannelFlags.XEN_CONSUMER),
            "consumer_kind",
            Errno.EINVAL,
        ),
        (ipi(consumer_kind=ConsumerKind.WAKE_UP), "consumer_kind", Errno.EINVAL),
        (virq(24), "binding.virq", Errno.EINVAL),
        (to(0, 0), "binding.remote_port", Errno.EINVAL),
        (to(5, 0x7FF1), "binding.remote_domid", Errno.EINVAL),
        (to(5, 0xFFFF), "binding.remote_domid", Errno.EINVAL),
        (
            EventChannel(
                state=ChannelState.UNBOUND, notify_vcpu=0, binding=Unbound(remote_domid=0x7FF4)
            ),
            "binding.remote_domid",
            Errno.EINVAL,
        ),
        (pirq(1).replace(binding=Pirq(pirq=1, flags=PirqFlags(2))), "binding.flags", Errno.EINVAL),
    ],
)
def test_bad_values(body: Body, field: str, errno: Errno) -> None:
    problems = body.problems()
    assert [problem.field for problem in problems] == [field]
    with pytest.raises(ImageError) as caught:
        load(DictDomain(PV64), *([] if isinstance(body, EvtchnAbi) else [(0, TWO_LEVEL)]),
             (isinstance(body, EventChannel), body))  # fmt: skip
    assert caught.value.errno is errno


@pytest.mark.parametrize("at", [14, 15, 18, 19, 24, 31])
def test_reserved_bytes(at: int) -> None:
    raw = bytearray(to(5, 0).to_bytes())
    raw[at] = 1
    with pytest.raises(BodyError) as caught:
        EventChannel.from_bytes(raw)
    assert (caught.value.rule, caught.value.offset) == ("reserved-not-zero", at)


@pytest.mark.parametrize("length", [0, 15, 31, 33, 40])
def test_channel_of_another_length(length: int) -> None:
    raw = (ipi().to_bytes() + bytes(8))[:length]
    with pytest.raises(BodyError) as caught:
        EventChannel.from_bytes(raw)
    assert caught.value.errno is (Errno.ENODATA if length < 32 else Errno.EINVAL)


def test_unbound_channel_with_a_consumer_is_legal() -> None:
    channel = EventChannel(
        state=ChannelState.UNBOUND,
        notify_vcpu=0,
        flags=ChannelFlags.XEN_CONSUMER,
        consumer_kind=ConsumerKind.WAKE_UP,
        binding=Unbound(remote_domid=DOMID_SELF),
    )
    assert not channel.problems()


def test_summary() -> None:
    assert to(9, 4).summary() == {"bound to": "port 9 of domain 4"}
    assert to(9).summary() == {"bound to": "port 9 of the domain itself"}
    assert virq(0).summary() == {"bound to": "virtual interrupt 0 TIMER"}
    assert virq(5).summary() == {"bound to": "virtual interrupt 5"}
    assert ipi().summary() == {}


# ------------------------------------------------------------------------------- across records


def compat() -> SharedInfo:
    return SharedInfo.blank(PV32)


ABI = (0, TWO_LEVEL)


@pytest.mark.parametrize(
    ("records", "rule", "errno", "instance"),
    [
        ([ABI, (0, ipi())], "instance-not-allowed", Errno.ENXIO, 0),
        ([(0, fifo(128)), (131072, ipi())], "instance-not-allowed", Errno.ENOSPC, 131072),
        ([(1, TWO_LEVEL)], "instance-not-allowed", Errno.ENXIO, 1),
        ([ABI, (4096, ipi())], "event-channel/port-limit", Errno.ENOSPC, 4096),
        (
            [(0, TWO_LEVEL.replace(max_port=9)), (10, ipi())],
            "event-channel/port-limit",
            Errno.ENOSPC,
            10,
        ),
        (
            [(0, fifo(1).replace(max_port=9)), (10, ipi())],
            "event-channel/port-limit",
            Errno.ENOSPC,
            10,
        ),
        ([(0, compat()), ABI, (1024, ipi())], "event-channel/port-limit", Errno.ENOSPC, 1024),
        ([(1, ipi())], "event-channel/abi-missing", Errno.EINVAL, 1),
        ([(1, ipi()), ABI], "event-channel/abi-missing", Errno.EINVAL, 1),
        ([ABI, (1, ipi(priority=6))], "event-channel/priority", Errno.EINVAL, 1),
        ([ABI, (1, virq(0)), (2, virq(0))], "event-channel/virq-bound-twice", Errno.EEXIST, 2),
        (
            [ABI, (1, virq(3, 0)), (2, virq(3, 1))],
            "event-channel/virq-bound-twice",
            Errno.EEXIST,
            2,
        ),
        ([ABI, (1, pirq(9)), (2, pirq(9))], "event-channel/pirq-bound-twice", Errno.EEXIST, 2),
        ([ABI, (1, to(2))], "event-channel/peer", Errno.EINVAL, 1),
        ([ABI, (1, to(2)), (2, ipi())], "event-channel/peer", Errno.EINVAL, 1),
        ([ABI, (1, to(2)), (2, to(1, 3))], "event-channel/peer", Errno.EINVAL, 1),
        ([ABI, (1, ipi()), (1, ipi())], "duplicate-record", Errno.EEXIST, 1),
    ],
)
def test_errors(records: list[tuple[int, Body]], rule: str, errno: Errno, instance: int) -> None:
    found = [f for f in findings(*records) if f.severity is Severity.ERROR]
    mine = [f for f in found if f.rule == rule]
    assert len(mine) == 1
    assert (mine[0].errno, mine[0].instance) == (errno, instance)
    guest = PV32 if isinstance(records[0][1], SharedInfo) else PV64
    domain = DictDomain(guest)
    with pytest.raises(ImageError) as caught:
        load(domain, *records)
    assert (caught.value.rule, caught.value.errno) == (rule, errno)
    assert (caught.value.offset, caught.value.instance) == (mine[0].offset, instance)
    assert not domain.state


def test_port_errors_point_at_the_instance() -> None:
    [finding] = findings(ABI, (4096, ipi()))
    raw = image(ABI, (4096, ipi()))
    assert struct.unpack_from("<I", raw, finding.offset) == (4096,)
    [finding] = findings(ABI, (0, ipi()))
    assert finding.offset == len(raw) - 16 - 48 + 4


def test_a_loop_reports_each_end_that_is_wrong() -> None:
    found = findings(ABI, (1, to(2)), (2, to(3)), (3, to(2)), (4, to(4)))
    assert [(f.rule, f.instance) for f in found] == [("event-channel/peer", 1)]


def test_channels_that_are_fine() -> None:
    assert not findings(
        (0, compat()),
        ABI,
        *((port, virq(number, vcpu).replace(flags=ChannelFlags.MASKED)) for port, number, vcpu in (
            (1, 0, 0), (2, 0, 1), (3, 1, 0), (4, 7, 0), (5, 7, 1), (6, 13, 0), (7, 13, 1), (8, 2, 0),
        )),
        (9, to(10).replace(flags=ChannelFlags.MASKED)),
        (10, to(9).replace(flags=ChannelFlags.MASKED)),
        (1023, ipi(flags=ChannelFlags.MASKED)),
    )  # fmt: skip
    assert not findings((0, SharedInfo.blank(PV64)), ABI, (4095, ipi(flags=ChannelFlags.MASKED)))
    assert not findings((0, fifo(128)), (131071, ipi(priority=0)))
    assert not findings(ABI, (1, to(5, 3)), (2, to(5, 3)))


def test_bits_that_differ_are_warned_of() -> None:
    shared = SharedInfo.blank(PV64)
    shared.set_port(3, pending=True, masked=False)
    found = findings((0, shared), ABI, (3, ipi()), (4, ipi(flags=ChannelFlags.PENDING)))
    assert [(f.rule, f.severity, f.instance, f.expected, f.actual) for f in found] == [
        ("event-channel/bits-differ", Severity.WARNING, 3, "1 as in evtchn_pending", 0),
        ("event-channel/bits-differ", Severity.WARNING, 4, "0 as in evtchn_pending", 1),
        ("event-channel/bits-differ", Severity.WARNING, 4, "1 as in evtchn_mask", 0),
    ]
    assert not findings((0, shared), (0, fifo(1)), (3, ipi()))


def test_ports_without_an_event_word_are_noted_once() -> None:
    found = findings((0, fifo(1)), (1023, ipi()), (1024, ipi()), (5000, ipi()))
    [note] = found
    assert (note.rule, note.severity) == ("event-channel/no-event-word", Severity.NOTE)
    assert note.instance == 1024
    assert "2 channels" in note.message
    domain = load(DictDomain(PV64), (0, fifo(1)), (1024, ipi()))
    assert domain.state[EventChannel, 1024] == ipi()


ODD: dict[str, EventChannel] = {
    "pending": ipi(flags=ChannelFlags.PENDING),
    "masked": ipi(flags=ChannelFlags.MASKED),
    "both": ipi(flags=ChannelFlags.PENDING | ChannelFlags.MASKED),
    "timer": virq(0, 1),
    "console": virq(2),
    "interrupt": pirq(9),
    "loop": to(7),
    "remote": to(7, 5),
}
PORTS = st.integers(101, 260)  # of which runs are judged


@settings(deadline=None, max_examples=100)
@given(
    abi=st.one_of(
        st.sampled_from([TWO_LEVEL, TWO_LEVEL.replace(max_port=150)]),
        st.sampled_from([None, fifo(0), fifo(1), fifo(128)]),
    ),
    shared=st.sampled_from([8, 4, None]),
    bits=st.tuples(st.frozensets(PORTS, max_size=9), st.frozensets(PORTS, max_size=9)),
    odd=st.dictionaries(PORTS, st.sampled_from(["priority", *ODD]), max_size=8),
    far=st.sampled_from([None] * 5 + [1024, 4096, 131072]),
)
def test_runs_of_channels_are_judged_as_single_ones_are(
    abi: EvtchnAbi | None,
    shared: int | None,
    bits: tuple[frozenset[int], frozenset[int]],
    odd: dict[int, str],
    far: int | None,
) -> None:
    channels = {port: ipi() for port in range(1, 261)}
    for port in bits[0]:
        channels[port] = ipi(flags=ChannelFlags.PENDING)
    choices = {**ODD, "priority": ipi(priority=3)}
    channels |= {port: choices[name] for port, name in odd.items()}
    if far is not None:
        channels[far] = ipi()
    records: list[tuple[int, Body]] = []
    if shared is not None:
        page = SharedInfo.blank(PV32 if shared == 4 else PV64)
        size = page.info.evtchn_pending.size
        page.info.evtchn_pending, page.info.evtchn_mask = (Bits(size, each) for each in bits)
        records.append((0, page))
    if abi is not None:
        records.append((0, abi))
    records += channels.items()
    runs: list[int] = []

    class OneByOne(EventChannelCheck):
        def records(self, run: Run) -> Iterable[tuple[int, Problem]]:
            runs.append(len(run))
            return Check.records(self, run)

    assert findings(*records) == findings(*records, check=OneByOne)
    assert sum(runs) > 100


def test_every_rule_is_documented() -> None:
    [declaration] = domctx_checks()
    assert declaration.check is EventChannelCheck
    for rule in EventChannelCheck.rules:
        assert rule.id.startswith("event-channel/")
        assert all((rule.summary, rule.meaning, rule.advice, rule.example))
        assert (rule.errno is None) == (rule.severity is not Severity.ERROR)


# ------------------------------------------------------------------------------------------ load


class Unseen(MemoryLoadOps):
    """Bytes that cannot be looked at ahead, so that records come one by one."""

    def read(self, size: int) -> bytes:
        return super().read(size)


@pytest.mark.parametrize("guest", [PV64, PV32, HVM])
@pytest.mark.parametrize("shared", [None, PV64, PV32])
@pytest.mark.parametrize("abi", [TWO_LEVEL, fifo(1)])
@pytest.mark.parametrize(
    "odd", [{}, {250: ipi(priority=3)}, {250: ipi(notify_vcpu=2)}, {1024: ipi()}, {4096: ipi()}]
)
def test_a_run_of_channels_is_loaded_as_single_ones_are(
    guest: Guest, shared: Guest | None, abi: EvtchnAbi, odd: dict[int, EventChannel]
) -> None:
    channels = {
        port: ipi(flags=ChannelFlags(port % 4), notify_vcpu=port % 2) for port in range(1, 300)
    }
    records: list[tuple[int, Body]] = [(0, abi), *(channels | odd).items()]
    if shared is not None and guest is not HVM:
        records.insert(0, (0, SharedInfo.blank(shared)))
    outcomes: list[Any] = []
    for ops in (MemoryLoadOps, Unseen):
        domain = SimDomain(registry(), guest=guest, xen_version=XenVersion(4, 17))
        if shared is not None and guest is HVM:  # which no image has, but the domain itself
            domain.adopt(2, {0: SharedInfo.blank(shared)})
        try:
            load_domain(domain, ops(image(*records)), registry())
        except DomctxError as error:
            outcomes.append((type(error), error.message, error.errno, error.offset, error.instance))
        else:
            outcomes.append(domain.to_json())
    assert outcomes[0] == outcomes[1]


def test_bits_are_set_again_after_shared_info_reset_them() -> None:
    shared = SharedInfo.blank(PV64)
    shared.info.evtchn_pending = Bits(4096, [3, 4, 200])
    domain = load(
        DictDomain(PV64),
        (0, shared),
        ABI,
        (3, ipi(flags=ChannelFlags.PENDING)),
        (4, ipi(flags=ChannelFlags.PENDING | ChannelFlags.MASKED)),
        (5, ipi()),
        (6, ipi(flags=ChannelFlags.MASKED)),
    )
    info = domain.state[SharedInfo, 0].info
    assert list(info.evtchn_pending) == [3, 4]
    assert list(Bits.from_int(4096, ~info.evtchn_mask.to_int())) == [3, 5]
    assert domain.state[EvtchnAbi, 0] == EvtchnAbi.from_bytes(TWO_LEVEL.to_bytes())
    assert domain.state[EventChannel, 4].pending


def test_a_pv_guest_without_shared_info_gets_one() -> None:
    for guest, size in ((PV64, 4096), (PV32, 1024)):
        domain = load(DictDomain(guest), ABI, (7, ipi(flags=ChannelFlags.PENDING)))
        info = domain.state[SharedInfo, 0].info
        assert info.evtchn_pending == Bits(size, [7])
        assert info.evtchn_mask == Bits.full(size).clear(7)


def test_other_guests_only_where_there_is_shared_info() -> None:
    channel = ipi(flags=ChannelFlags.PENDING)
    assert (SharedInfo, 0) not in load(DictDomain(HVM), ABI, (7, channel)).state
    domain = load(DictDomain(HVM, (0, SharedInfo.blank(HVM))), ABI, (7, channel))
    assert list(domain.state[SharedInfo, 0].info.evtchn_pending) == [7]


def test_fifo_leaves_shared_info_alone() -> None:
    domain = load(
        DictDomain(PV64, (0, SharedInfo.blank(PV64))),
        (0, fifo(1)),
        (7, ipi(flags=ChannelFlags.PENDING, priority=3)),
    )
    assert domain.state[SharedInfo, 0] == SharedInfo.blank(PV64)
    assert domain.state[EventChannel, 7].priority == 3


def test_unknown_vcpu_is_enoent() -> None:
    domain = DictDomain(PV64)
    with pytest.raises(DomainError, match="vCPU 2, and the guest has 2") as caught:
        load(domain, ABI, (7, ipi(notify_vcpu=2)))
    assert caught.value.errno is Errno.ENOENT
    assert (caught.value.type, caught.value.instance) == (5, 7)
    assert not domain.state
    load(DictDomain(Guest(kind="pv")), ABI, (7, ipi(notify_vcpu=2)))
    block = ControlBlock(gfn=1, offset=0, vcpu=2)
    with pytest.raises(DomainError) as caught:
        load(DictDomain(PV64), (0, fifo(1).replace(control=[block])))
    assert caught.value.errno is Errno.ENOENT


@pytest.mark.parametrize(
    ("records", "errno"),
    [
        ([(1, ipi())], Errno.EINVAL),
        ([ABI, (0, ipi())], Errno.ENXIO),
        ([(0, TWO_LEVEL.replace(max_port=9)), (10, ipi())], Errno.ENOSPC),
        ([ABI, (1, ipi(priority=1))], Errno.EINVAL),
    ],
)
def test_load_refuses_without_the_check_too(records: list[tuple[int, Body]], errno: Errno) -> None:
    domain = DictDomain(PV64)
    with pytest.raises(ImageError) as caught:
        load(domain, *records, check=False)
    assert caught.value.errno is errno
    assert not domain.state


def test_port_beyond_a_32_bit_guest_without_the_check() -> None:
    with pytest.raises(ImageError) as caught:
        load(DictDomain(PV32), ABI, (1024, ipi()), check=False)
    assert caught.value.errno is Errno.ENOSPC


def test_abi_of_the_domain_itself_will_do() -> None:
    domain = load(DictDomain(PV64, ABI), (7, ipi()), check=False)
    assert domain.state[EventChannel, 7] == ipi()


def test_save_is_in_ascending_ports() -> None:
    domain = DictDomain(PV64, (9, ipi()), (3, ipi()), (4095, ipi()), (0, TWO_LEVEL))
    raw = save_image(domain, registry())
    assert raw == image((0, TWO_LEVEL), (3, ipi()), (9, ipi()), (4095, ipi()))


# ----------------------------------------------------------------------------------------- scale


def simulated(guest: Guest, seed: int = 1) -> DictDomain:
    domain = DictDomain(guest)
    for record_type in (SharedInfoRecord, EvtchnAbiRecord, EventChannelRecord):
        for instance, body in record_type().simulate(guest, random.Random(seed)):
            domain.state[type(body), instance] = body
    return domain


@pytest.mark.parametrize(
    "guest",
    [
        Guest(),
        PV64,
        PV32,
        Guest(kind="hvm", arch="arm", width=4, vcpus=3),
        Guest(kind="pv", width=8, arch="x86", vcpus=64, channels=700),
        Guest(kind="pv", width=8, arch="x86", vcpus=2, channels=4095),
        Guest(kind="pv", width=4, arch="x86", vcpus=2, channels=1023),
        Guest(kind="pv", width=4, arch="x86", vcpus=2, channels=1024),
        Guest(kind="pv", vcpus=1, channels=0),
        Guest(kind="pv", vcpus=1, channels=1),
    ],
)
def test_simulated_channels_are_coherent(guest: Guest) -> None:
    domain = simulated(guest)
    records = [(instance, body) for (_, instance), body in domain.state.items()]
    assert not findings(*records)
    ports = domain.instances(EventChannel)
    assert ports == list(range(1, (4 if guest.channels is None else guest.channels) + 1))
    vcpus = {domain.state[EventChannel, port].notify_vcpu for port in ports}
    assert all(vcpu < (guest.vcpus or 1) for vcpu in vcpus)
    assert simulated(guest).state == domain.state
    load(DictDomain(guest), *records)


def test_4096_ports_load_quickly() -> None:
    guest = Guest(kind="pv", width=8, arch="x86", vcpus=2, channels=4095)
    domain = simulated(guest)
    raw = save_image(domain, registry())
    target = DictDomain(guest)
    begin = time.perf_counter()
    load_domain(target, MemoryLoadOps(raw), registry(), checks=[EventChannelCheck()])
    took = time.perf_counter() - begin
    assert took < 1.0
    assert target.state[SharedInfo, 0].info.evtchn_pending.to_int() == sum(
        1 << port for port in range(1, 4096) if domain.state[EventChannel, port].pending
    )


def test_131071_ports_under_fifo() -> None:
    guest = Guest(kind="hvm", width=8, arch="x86", vcpus=8, channels=131072)
    domain = simulated(guest)
    abi = domain.state[EvtchnAbi, 0]
    assert (abi.abi, abi.nr_array, abi.nr_control) == (Abi.FIFO, 128, 8)
    assert domain.instances(EventChannel)[-1] == 131071
    assert not abi.problems()
    ops = MemorySaveOps()
    assert save_domain(domain, ops, registry()) == 131071 + 4
    assert len(ops.image) == 131071 * 48 + 24 + (16 + 3144) + (16 + abi.size()) + 16


# ---------------------------------------------------------------------------------- real captures

LIVE = Path(__file__).resolve().parents[3] / "examples" / "xen-4.17" / "pv2l" / "live"


def test_captured_channels_agree_with_what_xen_reported() -> None:
    state = json.loads((LIVE.parents[2] / "pv2l.sim.json").read_text())
    reported = json.loads((LIVE / "facts.json").read_text())
    shared = reported["shared_info"]
    bodies = {
        row["instance"]: EventChannel.from_json(row["body"])
        for row in state["records"]
        if row["type"] == 5
    }
    bound = {row["port"]: row for row in reported["evtchn"] if row["status"] != "closed"}
    assert sorted(bodies) == sorted(bound) == list(range(1, 17))
    for port, row in bound.items():
        body = bodies[port]
        assert body.state.name.lower() == row["status"]
        assert body.notify_vcpu == row["vcpu"]
        assert body.pending == (port in shared["evtchn_pending"])
        assert body.masked == (port not in shared["evtchn_unmasked_below_64"])
        if isinstance(body.binding, Virq):
            assert body.binding.virq == row["virq"]
        if isinstance(body.binding, Interdomain):
            assert body.binding.remote_domid == row["remote_domid"]
            assert body.binding.remote_port == row["remote_port"]
