"""The check across the records of one image, and the hook that brings it."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import ClassVar

from domctx_plugin_shared_info import SharedInfo

from domctx_core import Bits, Check, CheckDeclaration, Problem, RecordView, Rule, Run, hookimpl
from domctx_plugin_event_channel.abi import TWO_LEVEL_PORTS, Abi, EvtchnAbi
from domctx_plugin_event_channel.channel import (
    DEFAULT_PRIORITY,
    DOMID_SELF,
    PER_VCPU_VIRQS,
    ChannelFlags,
    ChannelState,
    EventChannel,
    Interdomain,
    Pirq,
    Virq,
)
from domctx_plugin_event_channel.rules import (
    PORT_OFFSET,
    RULES,
    abi_missing,
    against_abi,
    highest_port,
)

__all__ = ["EventChannelCheck", "domctx_checks"]

_BINDING = 16
"""Offset of the binding in the body."""

_INTERDOMAIN, _VIRQ, _PIRQ = (
    int(state) for state in (ChannelState.INTERDOMAIN, ChannelState.VIRQ, ChannelState.PIRQ)
)
_IS_VIRQ, _IS_PIRQ = (bytes(byte == each for byte in range(256)) for each in (_VIRQ, _PIRQ))
_SELF = array("H", [DOMID_SELF]).tobytes()
_ORDINARY = bytes([DEFAULT_PRIORITY])
_BITS = ChannelFlags.PENDING, ChannelFlags.MASKED
_BOTH = int(ChannelFlags.PENDING | ChannelFlags.MASKED)

CHANNEL = 5
"""Type code of EVENT_CHANNEL."""


class EventChannelCheck(Check):
    """Event channels against their ABI, against SHARED_INFO, and against each other."""

    codes: ClassVar[frozenset[int]] = frozenset({2, 4, CHANNEL})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __init__(self) -> None:
        self._abi: EvtchnAbi | None = None
        self._reported_missing = False
        self._two_level_ports = TWO_LEVEL_PORTS
        self._bits: tuple[Bits, Bits] | None = None
        self._virqs: dict[tuple[int, int | None], int] = {}
        self._pirqs: dict[int, int] = {}
        #: By port: the other end's port, and where the record is: its index and its offset.
        self._loops: dict[int, tuple[int, int, int]] = {}
        self._wordless: list[RecordView] = []
        self._wordless_count = 0

    def record(self, seen: RecordView) -> Iterable[Problem]:
        """Judge a channel against what came before it; remember what it needs of later ones."""
        match seen.body:
            case SharedInfo(info=info, ports=ports):
                self._two_level_ports = ports
                self._bits = info.evtchn_pending, info.evtchn_mask
            case EvtchnAbi() as abi:
                self._abi = abi
            case EventChannel() as channel if seen.instance is not None:
                yield from self._channel(seen.instance, channel, seen)

    def _channel(self, port: int, channel: EventChannel, seen: RecordView) -> Iterator[Problem]:
        abi = self._abi
        if abi is not None:
            yield from against_abi(port, channel, abi, self._two_level_ports)
            if abi.abi == Abi.TWO_LEVEL:
                if port < self._two_level_ports:
                    yield from self._compare(port, channel.flags)
            elif port >= abi.reachable:
                self._wordless_count += 1
                if not self._wordless:
                    self._wordless.append(seen)
        elif not self._reported_missing:
            self._reported_missing = True
            yield abi_missing()
        match channel.binding:
            case Virq(virq=virq):
                yield from self._virq(port, virq, channel.notify_vcpu)
            case Pirq(pirq=pirq):
                yield from self._pirq(port, pirq)
            case Interdomain(remote_domid=domid, remote_port=remote) if domid == DOMID_SELF:
                self._loops[port] = remote, seen.index, seen.offset

    def records(self, run: Run) -> Iterable[tuple[int, Problem]]:
        """Judge channels by their columns, where ports and ABI leave nothing to say of each."""
        abi = self._abi
        highest = max(run.instances)
        if run.code != CHANNEL or abi is None or not self._all_allowed(run, abi, highest):
            yield from super().records(run)
            return
        ports, flags = run.instances, run.column("flags")
        differing: Sequence[int] = ()
        if abi.abi == Abi.TWO_LEVEL:
            differing = self._differing(ports, flags)
        else:
            self._without_word(run, abi.reachable, highest)
        virqs, pirqs, loops = _bound(run)
        self._note_loops(run, loops)
        if pirqs and self._all_new(pirqs, run.column("binding.pirq"), ports):
            pirqs = []
        virtual, physical = set(virqs), set(pirqs)
        for at in sorted({*virtual, *physical, *differing}):
            port = ports[at]
            problems: list[Problem] = []
            if differing:
                problems += self._compare(port, ChannelFlags(flags[at]))
            if at in virtual:
                vcpu = run.column("notify_vcpu")[at]
                problems += self._virq(port, run.column("binding.virq")[at], vcpu)
            elif at in physical:
                problems += self._pirq(port, run.column("binding.pirq")[at])
            for problem in problems:
                yield at, problem

    def _all_allowed(self, run: Run, abi: EvtchnAbi, highest: int) -> bool:
        """Return True if the ABI forbids none of the channels."""
        if highest > highest_port(abi, self._two_level_ports):
            return False
        if abi.abi == Abi.TWO_LEVEL:
            return not bytes(run.column("priority")).strip(_ORDINARY)
        return abi.abi == Abi.FIFO

    def _note_loops(self, run: Run, loops: Sequence[int]) -> None:
        """Note the channels that are bound to the domain itself."""
        if loops:
            ports, remotes = run.instances, run.column("binding.remote_port")
            index, offset, stride = run.index, run.offset, run.frame.stride
            self._loops.update(
                (ports[at], (remotes[at], index + at, offset + at * stride)) for at in loops
            )

    def _all_new(self, pirqs: Sequence[int], numbers: Sequence[int], ports: array[int]) -> bool:
        """Return True if no physical interrupt is bound twice, and remember all of them."""
        bound = {numbers[at]: ports[at] for at in pirqs}
        if len(bound) < len(pirqs) or not self._pirqs.keys().isdisjoint(bound):
            return False
        self._pirqs.update(bound)
        return True

    def _without_word(self, run: Run, reachable: int, highest: int) -> None:
        """Note the channels that have no event word."""
        if highest < reachable:
            return
        wordless = [at for at, port in enumerate(run.instances) if port >= reachable]
        if not self._wordless:
            self._wordless.append(run.outline(wordless[0]))
        self._wordless_count += len(wordless)

    def _differing(self, ports: Sequence[int], flags: Sequence[int]) -> list[int]:
        """Return which of the channels have bits that differ from those of SHARED_INFO."""
        if self._bits is None:
            return []
        pending, mask = (
            _bytes_of(bits, byte) for bits, byte in zip(self._bits, _BITS, strict=True)
        )
        return [
            at
            for at, (port, flag) in enumerate(zip(ports, flags, strict=True))
            if flag & _BOTH != pending[port] | mask[port]
        ]

    def _virq(self, port: int, virq: int, vcpu: int) -> Iterator[Problem]:
        """Check that a virtual interrupt is bound once, or once per vCPU."""
        of = vcpu if virq in PER_VCPU_VIRQS else None
        first = self._virqs.setdefault((virq, of), port)
        if first != port:
            where = "" if of is None else f" of vCPU {of}"
            yield Problem(
                "event-channel/virq-bound-twice",
                f"virtual interrupt {virq}{where} is bound to port {first} already",
                _BINDING,
                "binding.virq",
                actual=virq,
            )

    def _pirq(self, port: int, pirq: int) -> Iterator[Problem]:
        """Check that a physical interrupt is bound once."""
        first = self._pirqs.setdefault(pirq, port)
        if first != port:
            yield Problem(
                "event-channel/pirq-bound-twice",
                f"physical interrupt {pirq} is bound to port {first} already",
                _BINDING,
                "binding.pirq",
                actual=pirq,
            )

    def _compare(self, port: int, flags: ChannelFlags) -> Iterator[Problem]:
        """Compare the bits of a channel with those of SHARED_INFO."""
        if self._bits is None:
            return
        for name, bit, bits in zip(("pending", "mask"), _BITS, self._bits, strict=True):
            flag = bool(flags & bit)
            if flag != (port in bits):
                yield Problem(
                    "event-channel/bits-differ",
                    f"the {name} bit of port {port} differs from SHARED_INFO; the channel's counts",
                    8,
                    "flags",
                    expected=f"{int(port in bits)} as in evtchn_{name}",
                    actual=int(flag),
                )

    def end(self) -> Iterable[tuple[RecordView | None, Problem]]:
        """Judge what needs all channels: pairs within the domain, and ports beyond the array."""
        for port, (remote, index, offset) in self._loops.items():
            back = self._loops.get(remote)
            if back is None or back[0] != port:
                found = "no such channel" if back is None else f"bound to port {back[0]}"
                yield (
                    RecordView(index, offset, CHANNEL, "EVENT_CHANNEL", port, 32, None),
                    Problem(
                        "event-channel/peer",
                        f"port {port} is bound to port {remote} of the domain itself, which does"
                        " not point back",
                        _BINDING + 4,
                        "binding.remote_port",
                        expected=f"port {remote} bound to port {port} of domain {DOMID_SELF:#x}",
                        actual=found,
                    ),
                )
        for seen in self._wordless:
            assert self._abi is not None
            yield (
                seen,
                Problem(
                    "event-channel/no-event-word",
                    f"{self._wordless_count} channels have no event word in guest memory; the"
                    f" first is port {seen.instance}",
                    PORT_OFFSET,
                    expected=f"ports below {self._abi.reachable}",
                    actual=seen.instance,
                ),
            )


def _bound(run: Run) -> tuple[list[int], list[int], list[int]]:
    """Return which channels of a run are bound to a virtual interrupt, to a physical one, and to the
    domain itself."""
    lowest = 0 if sys.byteorder == "little" else 3
    states = array("I", run.column("state")).tobytes()[lowest::4]  # one byte has them all
    places = range(len(run))
    virqs, pirqs = (list(compress(places, states.translate(each))) for each in (_IS_VIRQ, _IS_PIRQ))
    domids = array("H", run.column("binding.remote_domid"))
    loops = []
    if _SELF in domids.tobytes():  # which costs next to nothing, and mostly there is none
        own = compress(places, map(DOMID_SELF.__eq__, domids))
        loops = [at for at in own if states[at] == _INTERDOMAIN]
    return virqs, pirqs, loops


def _bytes_of(bits: Bits, byte: int) -> bytes:
    """Return a byte for each position of a bitmap: `byte` where it is set, else zero."""
    text = f"{bits.to_int():0{bits.size}b}".encode()
    return text.translate(bytes(byte if each == ord("1") else 0 for each in range(256)))[::-1]


@hookimpl
def domctx_checks() -> list[CheckDeclaration]:
    """Return the check that this distribution brings."""
    return [CheckDeclaration(EventChannelCheck)]
