"""The check across the records of one image, and the hook that brings it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from domctx_plugin_shared_info import SharedInfo

from domctx_core import Bits, Check, CheckDeclaration, Problem, Rule, Run, Seen, hookimpl
from domctx_plugin_event_channel.abi import TWO_LEVEL_PORTS, Abi, EvtchnAbi
from domctx_plugin_event_channel.channel import (
    DOMID_SELF,
    PER_VCPU_VIRQS,
    ChannelState,
    EventChannel,
    Interdomain,
    Pirq,
    Virq,
)
from domctx_plugin_event_channel.rules import PORT_OFFSET, RULES, abi_missing, against_abi

__all__ = ["EventChannelCheck", "domctx_checks"]

_STATE, _VCPU, _BINDING = 0, 4, 16

_INTERDOMAIN, _VIRQ, _PIRQ = (
    int(state) for state in (ChannelState.INTERDOMAIN, ChannelState.VIRQ, ChannelState.PIRQ)
)
_INTERRUPTS = frozenset({_VIRQ, _PIRQ})

CHANNEL = 5
"""Type code of EVENT_CHANNEL."""


class EventChannelCheck(Check):
    """Event channels against their ABI, against SHARED_INFO, and against each other."""

    codes: ClassVar[frozenset[int]] = frozenset({2, 4, CHANNEL})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __init__(self) -> None:
        self._abi: EvtchnAbi | None = None
        self._said_missing = False
        self._two_level_ports = TWO_LEVEL_PORTS
        self._bits: tuple[Bits, Bits] | None = None
        self._virqs: dict[tuple[int, int | None], int] = {}
        self._pirqs: dict[int, int] = {}
        #: By port: the other end's port, and where the record is: its index and its offset.
        self._loops: dict[int, tuple[int, int, int]] = {}
        self._wordless: list[Seen] = []
        self._wordless_count = 0

    def record(self, seen: Seen) -> Iterable[Problem]:
        """Judge a channel against what came before it; remember what it needs of later ones."""
        match seen.body:
            case SharedInfo(info=info, ports=ports):
                self._two_level_ports = ports
                self._bits = info.evtchn_pending, info.evtchn_mask
            case EvtchnAbi() as abi:
                self._abi = abi
            case EventChannel() as channel if seen.instance is not None:
                yield from self._channel(seen.instance, channel, seen)

    def _channel(self, port: int, channel: EventChannel, seen: Seen) -> Iterator[Problem]:
        abi = self._abi
        if abi is not None:
            yield from against_abi(port, channel, abi, self._two_level_ports)
            if abi.abi == Abi.TWO_LEVEL:
                yield from self._compare(port, channel)
            elif port >= abi.reachable:
                self._wordless_count += 1
                if not self._wordless:
                    self._wordless.append(seen)
        elif not self._said_missing:
            self._said_missing = True
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
        abi, ports = self._abi, run.instances
        highest = max(ports)
        if run.code != CHANNEL or abi is None or abi.abi != Abi.FIFO or highest > abi.max_port:
            yield from super().records(run)
            return
        if highest >= abi.reachable:
            reachable = abi.reachable
            wordless = [at for at, port in enumerate(ports) if port >= reachable]
            if not self._wordless:
                self._wordless.append(run.outline(wordless[0]))
            self._wordless_count += len(wordless)
        states, domids = run.numbers(_STATE, 4), run.numbers(_BINDING, 2)
        bound = [
            at
            for at, (state, domid) in enumerate(zip(states, domids, strict=True))
            if state in _INTERRUPTS or (domid == DOMID_SELF and state == _INTERDOMAIN)
        ]
        numbers, more = run.numbers(_BINDING, 4), run.numbers(_BINDING + 4, 4)
        vcpus = run.numbers(_VCPU, 4)
        for at in bound:
            port, number = ports[at], numbers[at]
            if states[at] == _INTERDOMAIN:
                self._loops[port] = more[at], run.index + at, run.offset + at * run.stride
                continue
            virq = states[at] == _VIRQ
            for problem in (
                self._virq(port, number, vcpus[at]) if virq else self._pirq(port, number)
            ):
                yield at, problem

    def _virq(self, port: int, virq: int, vcpu: int) -> Iterator[Problem]:
        """A virtual interrupt is bound once, or once a vCPU."""
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
        """A physical interrupt is bound once."""
        first = self._pirqs.setdefault(pirq, port)
        if first != port:
            yield Problem(
                "event-channel/pirq-bound-twice",
                f"physical interrupt {pirq} is bound to port {first} already",
                _BINDING,
                "binding.pirq",
                actual=pirq,
            )

    def _compare(self, port: int, channel: EventChannel) -> Iterator[Problem]:
        if self._bits is None or port >= self._two_level_ports:
            return
        pending, mask = self._bits
        for name, flag, bits in (
            ("pending", channel.pending, pending),
            ("mask", channel.masked, mask),
        ):
            if flag != (port in bits):
                yield Problem(
                    "event-channel/bits-differ",
                    f"the {name} bit of port {port} differs from SHARED_INFO; the channel's counts",
                    8,
                    "flags",
                    expected=f"{int(port in bits)} as in evtchn_{name}",
                    actual=int(flag),
                )

    def end(self) -> Iterable[tuple[Seen | None, Problem]]:
        """Judge what needs all channels: pairs within the domain, and ports beyond the array."""
        for port, (remote, index, offset) in self._loops.items():
            back = self._loops.get(remote)
            if back is None or back[0] != port:
                found = "no such channel" if back is None else f"bound to port {back[0]}"
                yield (
                    Seen(index, offset, CHANNEL, "EVENT_CHANNEL", port, 32, None),
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


@hookimpl
def domctx_checks() -> list[CheckDeclaration]:
    """The check that this distribution brings."""
    return [CheckDeclaration(EventChannelCheck)]
