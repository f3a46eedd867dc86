"""The record type EVENT_CHANNEL."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar

from domctx_plugin_shared_info import SharedInfo, simulated_bits

from domctx_core import (
    DomainError,
    Errno,
    Instances,
    Link,
    NoState,
    Problem,
    RecordType,
    XenVersion,
)
from domctx_plugin_event_channel.abi import (
    FIFO_PORTS,
    Abi,
    EvtchnAbi,
    last_simulated_port,
    two_level_ports,
)
from domctx_plugin_event_channel.channel import (
    DEFAULT_PRIORITY,
    DOMID_SELF,
    ChannelFlags,
    ChannelState,
    EventChannel,
    Interdomain,
    Unbound,
    Virq,
)
from domctx_plugin_event_channel.rules import PORT_OFFSET, abi_missing, against_abi, highest_port

if TYPE_CHECKING:
    from domctx_core import Columns, Domain, Guest, LoadContext, SaveContext

__all__ = ["EventChannelRecord"]


class EventChannelRecord(RecordType[EventChannel]):
    """One record a channel; the instance is the port, which a guest has no other handle for.

    Port 0 is ENXIO, a port that no ABI has is ENOSPC.
    """

    code = 5
    name = "EVENT_CHANNEL"
    body = EventChannel
    after: ClassVar[tuple[str, ...]] = ("SHARED_INFO", "EVTCHN_ABI")
    instances: ClassVar[Instances] = Instances(limit=FIFO_PORTS, errno=Errno.ENOSPC)
    trusted_values: ClassVar[range | None] = range(1, FIFO_PORTS)

    def save(self, domain: Domain, context: SaveContext) -> None:
        """Write the channels in ascending order of ports."""
        run = context.run_of(domain, EventChannel)
        if run is not None:
            context.write_run(run)
            return
        for port in sorted(domain.instances(EventChannel)):
            if context.dry_run:
                context.write(port, bytes(32))
            else:
                context.write(port, domain.read(EventChannel, port))

    def judge(
        self, instance: int | None, body: EventChannel, receiver: XenVersion | None
    ) -> Iterable[Problem]:
        """Check that the port is not 0, which Xen reserves."""
        if instance == 0:
            yield Problem(
                "instance-not-allowed",
                "port 0 is never a channel",
                PORT_OFFSET,
                expected=f"1 to {FIFO_PORTS - 1}",
                actual=0,
                errno=Errno.ENXIO,
            )

    def load(self, domain: Domain, context: LoadContext) -> None:
        """Take one channel over.

        Under the two-level ABI its pending and mask bits are set in shared info again, where a
        load of SHARED_INFO has reset them: on a PV guest, and wherever there is shared info.

        Raises `ImageError` for what the ABI forbids, and `DomainError` (ENOENT) for a vCPU that
        the guest does not have.
        """
        port, channel = context.read(self)
        guest = domain.guest
        try:
            abi = domain.read(EvtchnAbi)
        except NoState:
            problem = abi_missing()
            raise context.error(problem.rule, problem.message) from None
        for problem in against_abi(port, channel, abi, two_level_ports(guest)):
            context.refuse(problem)
        if guest.vcpus is not None and channel.notify_vcpu >= guest.vcpus:
            raise DomainError(
                f"port {port} notifies vCPU {channel.notify_vcpu}, and the guest has {guest.vcpus}",
                errno=Errno.ENOENT,
                field="notify_vcpu",
                expected=f"a vCPU from 0 to {guest.vcpus - 1}",
                actual=channel.notify_vcpu,
            )
        domain.write(EventChannel, port, channel)
        if abi.abi == Abi.TWO_LEVEL and (guest.kind == "pv" or _bits(domain) is not None):
            domain.update(SharedInfo, 0, _restore_bits(guest, [(port, channel.flags)]))

    def links(self, instance: int | None, body: EventChannel) -> Iterable[Link]:
        """Yield the link from the vCPU that is notified to the other end of the channel."""
        yield body.link(instance)

    def load_run(self, domain: Domain, context: LoadContext, run: Columns[EventChannel]) -> bool:
        """Take many channels over at once, where it is plain that all of them may exist."""
        try:
            abi = domain.read(EvtchnAbi)
        except NoState:
            return False
        guest, ports, bits = domain.guest, run.instances, None
        two_level = abi.abi == Abi.TWO_LEVEL
        if two_level:
            bits = _bits(domain)
            if set(run.column("priority")) != {DEFAULT_PRIORITY}:
                return False
        if (
            abi.abi not in tuple(Abi)
            or ports[-1] > highest_port(abi, two_level_ports(guest))
            or (bits is not None and ports[-1] >= bits)
            or (guest.vcpus is not None and max(run.column("notify_vcpu")) >= guest.vcpus)
        ):
            return False
        domain.write_run(EventChannel, run)
        if two_level and (guest.kind == "pv" or bits is not None):
            flags = list(zip(ports, run.column("flags"), strict=True))
            domain.update(SharedInfo, 0, _restore_bits(guest, flags))
        return True

    def simulate(self, guest: Guest, rng: random.Random) -> Iterable[tuple[int, EventChannel]]:
        """Yield channels as a guest sets them up: xenstore and console, each vCPU's timer and IPIs,
        then devices, backends that wait, and a loop within the domain.

        As many as `guest.channels` says, 4 where it does not, 131071 at most.
        """
        last = last_simulated_port(guest)
        vcpus = guest.vcpus or 1
        two_level = last < two_level_ports(guest)
        pending, mask = simulated_bits(guest)
        remote = rng.randrange(10, 100)
        for port, channel in enumerate(_bindings(last, vcpus, remote), 1):
            if two_level:
                if port in pending:
                    channel.flags |= ChannelFlags.PENDING
                if port in mask:
                    channel.flags |= ChannelFlags.MASKED
            elif port % 64 == 0:
                channel.priority = rng.randrange(16)
            yield port, channel


def _bits(domain: Domain) -> int | None:
    """Return how many ports the domain's shared info has bits for; None where there is no shared info."""
    try:
        return domain.read(SharedInfo).ports
    except NoState:
        return None


def _restore_bits(
    guest: Guest, flags: Iterable[tuple[int, int]]
) -> Callable[[SharedInfo | None], SharedInfo]:
    """Return the update that sets the bits of ports; it changes the body in place, since many may follow."""

    def change(current: SharedInfo | None) -> SharedInfo:
        shared = SharedInfo.blank(guest) if current is None else current
        for port, each in flags:
            if port >= shared.ports:
                raise DomainError(
                    f"shared info of this guest has no bit for port {port}",
                    errno=Errno.ENOSPC,
                    expected=f"1 to {shared.ports - 1}",
                    actual=port,
                )
            pending, masked = each & ChannelFlags.PENDING, each & ChannelFlags.MASKED
            shared.set_port(port, pending=bool(pending), masked=bool(masked))
        return shared

    return change


def _bindings(last: int, vcpus: int, remote: int) -> Iterable[EventChannel]:
    """Yield the channels of the ports 1 to `last`, in that order."""
    first = [_interdomain(0, remote), _interdomain(0, remote + 1)]
    for vcpu in range(vcpus):
        first.append(EventChannel(state=ChannelState.VIRQ, notify_vcpu=vcpu, binding=Virq(virq=0)))
        first.append(EventChannel(state=ChannelState.IPI, notify_vcpu=vcpu))
    yield from first[:last]
    for port in range(len(first) + 1, last + 1):
        vcpu = port % vcpus
        place = (port - len(first)) % 8
        if place == 1 and port < last:
            yield _interdomain(DOMID_SELF, port + 1, vcpu)
        elif place == 2:
            yield _interdomain(DOMID_SELF, port - 1, vcpu)
        elif place == 3:
            yield EventChannel(
                state=ChannelState.UNBOUND, notify_vcpu=vcpu, binding=Unbound(remote_domid=0)
            )
        elif place % 2:
            yield EventChannel(state=ChannelState.IPI, notify_vcpu=vcpu)
        else:
            yield _interdomain(0, remote + port, vcpu)


def _interdomain(domid: int, port: int, vcpu: int = 0) -> EventChannel:
    return EventChannel(
        state=ChannelState.INTERDOMAIN,
        notify_vcpu=vcpu,
        binding=Interdomain(remote_domid=domid, remote_port=port),
    )
