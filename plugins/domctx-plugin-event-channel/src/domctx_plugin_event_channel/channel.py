"""The body of EVENT_CHANNEL: one channel, whatever it is bound to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum, IntFlag

from domctx_core import Body, Link, Problem, reserved, switch, u8, u16, u32

__all__ = [
    "DEFAULT_PRIORITY",
    "DOMID_SELF",
    "PER_VCPU_VIRQS",
    "ChannelFlags",
    "ChannelState",
    "ConsumerKind",
    "EventChannel",
    "Interdomain",
    "Pirq",
    "PirqFlags",
    "Unbound",
    "Virq",
]

DOMID_SELF = 0x7FF0
"""The domain itself; numbers from here on up are no domains."""

DEFAULT_PRIORITY = 7
"""The priority that a channel has until somebody sets it; 0 is the highest, 15 the lowest."""

PER_VCPU_VIRQS = frozenset({0, 1, 7, 13})
"""TIMER, DEBUG, XENOPROF and XENPMU: one each a vCPU. The others exist once a domain."""

_VIRQS = {
    0: "TIMER", 1: "DEBUG", 2: "CONSOLE", 3: "DOM_EXC", 4: "TBUF", 6: "DEBUGGER", 7: "XENOPROF",
    8: "CON_RING", 9: "PCPU_STATE", 10: "MEM_EVENT", 11: "ARGO", 12: "ENOMEM", 13: "XENPMU",
}  # fmt: skip


class ChannelState(IntEnum):
    """What a channel is bound to, numbered as in Xen's public interface.

    Closed (0) is no state of a record: a closed port has none.
    """

    UNBOUND = 1
    INTERDOMAIN = 2
    PIRQ = 3
    VIRQ = 4
    IPI = 5


class ChannelFlags(IntFlag):
    """State beside the binding."""

    PENDING = 1
    """An event waits to be seen."""

    MASKED = 2
    """The guest wants no upcall for it now."""

    XEN_CONSUMER = 4
    """Xen itself takes the events of this end."""


class ConsumerKind(IntEnum):
    """What in Xen takes the events, by its meaning: the slot in Xen's table differs by build."""

    NONE = 0
    WAKE_UP = 1
    """The default, which wakes a vCPU; device-model requests use it."""
    VM_EVENT_MONITOR = 2
    VM_EVENT_PAGING = 3
    VM_EVENT_SHARING = 4
    UART = 5
    """The emulated UART of an Arm guest."""


class PirqFlags(IntFlag):
    """How a physical interrupt is bound."""

    WILL_SHARE = 1


class Unbound(Body, trusted_values={"remote_domid": range(DOMID_SELF + 1)}):
    """Waits for one domain to bind to it."""

    remote_domid: int = u16(doc="the domain that may bind")

    def check(self) -> Iterable[Problem]:
        """Check that the remote end is a domain, or the guest itself."""
        yield from _domain(self.remote_domid)


class Interdomain(Body, trusted_values={"remote_domid": range(DOMID_SELF + 1)}):
    """Connected to a port of another domain, or of the same."""

    remote_domid: int = u16(doc="the domain at the other end")
    pad = reserved(2)
    remote_port: int = u32(doc="the port at the other end", minimum=1)

    def check(self) -> Iterable[Problem]:
        """Check that the remote end is a domain, or the guest itself."""
        yield from _domain(self.remote_domid)


class Pirq(Body):
    """Bound to a physical interrupt."""

    pirq: int = u32(doc="number of the interrupt")
    flags: PirqFlags = u32(doc="how it is bound", default=PirqFlags(0))


class Virq(Body):
    """Bound to a virtual interrupt of Xen."""

    virq: int = u32(doc="number of the virtual interrupt", maximum=23)


class EventChannel(Body, trusted_values={"consumer_kind": range(1)}):
    """One event channel of a guest; 32 bytes. The instance is its port.

    Under the two-level ABI PENDING and MASKED win over the bitmaps of SHARED_INFO. Under the FIFO
    ABI the event word in guest memory wins, where there is one.
    """

    state: ChannelState = u32(doc="what the channel is bound to")
    notify_vcpu: int = u32(doc="the vCPU that events are delivered to")
    flags: ChannelFlags = u32(doc="state beside the binding", default=ChannelFlags(0))
    priority: int = u8(
        doc="0 the highest, 15 the lowest; FIFO only", maximum=15, default=DEFAULT_PRIORITY
    )
    consumer_kind: ConsumerKind = u8(doc="what in Xen takes the events", default=ConsumerKind.NONE)
    pad = reserved(2)
    binding: Unbound | Interdomain | Pirq | Virq | bytes | None = switch(
        "state",
        {
            ChannelState.UNBOUND: Unbound,
            ChannelState.INTERDOMAIN: Interdomain,
            ChannelState.PIRQ: Pirq,
            ChannelState.VIRQ: Virq,
            ChannelState.IPI: None,
        },
        size=16,
        default=None,
        doc="the other end",
    )

    @property
    def pending(self) -> bool:
        """Whether an event waits."""
        return bool(self.flags & ChannelFlags.PENDING)

    @property
    def masked(self) -> bool:
        """Whether the guest wants no upcall."""
        return bool(self.flags & ChannelFlags.MASKED)

    def check(self) -> Iterable[Problem]:
        """Check that a consumer is named only where Xen consumes."""
        if self.consumer_kind and not self.flags & ChannelFlags.XEN_CONSUMER:
            yield Problem(
                "field-out-of-range",
                "`consumer_kind` names a consumer in Xen, and the flag XEN_CONSUMER is clear",
                field="consumer_kind",
                expected=0,
                actual=int(self.consumer_kind),
            )

    def summary(self) -> Mapping[str, str]:
        """Return the binding on one line."""
        match self.binding:
            case Unbound(remote_domid=domid):
                return {"bound to": f"nothing yet; {_who(domid)} may bind"}
            case Interdomain(remote_domid=domid, remote_port=port):
                return {"bound to": f"port {port} of {_who(domid)}"}
            case Pirq(pirq=number):
                return {"bound to": f"physical interrupt {number}"}
            case Virq(virq=number):
                name = f" {_VIRQS[number]}" if number in _VIRQS else ""
                return {"bound to": f"virtual interrupt {number}{name}"}
        return {}

    def link(self, port: int | None) -> Link:
        """Return the channel as a connection between the vCPU that it notifies and its other end."""
        match self.binding:
            case Unbound(remote_domid=domid):
                target, there = _who(domid), "not bound yet"
            case Interdomain(remote_domid=domid, remote_port=number):
                target, there = _who(domid), f"port {number}"
            case Pirq(pirq=number):
                target, there = "physical interrupts", f"interrupt {number}"
            case Virq(virq=number):
                target, there = "virtual interrupts", _VIRQS.get(number, str(number))
            case None:
                target, there = "its own vCPUs", ""
            case _:
                target, there = "unknown", ""
        state = self.state
        return Link(
            f"vCPU {self.notify_vcpu}",
            target,
            state.name if isinstance(state, ChannelState) else f"state {state}",
            "" if port is None else f"port {port}",
            there,
            ", ".join(str(f.name).lower() for f in ChannelFlags if f & self.flags)
            if self.flags
            else "",
        )


def _who(domid: int) -> str:
    return "the domain itself" if domid == DOMID_SELF else f"domain {domid}"


def _domain(domid: int) -> Iterable[Problem]:
    if domid > DOMID_SELF:
        yield Problem(
            "field-out-of-range",
            "`remote_domid` is a special number, and no domain",
            field="remote_domid",
            expected=f"0 to {DOMID_SELF - 1}, or {DOMID_SELF} for the domain itself",
            actual=domid,
        )
