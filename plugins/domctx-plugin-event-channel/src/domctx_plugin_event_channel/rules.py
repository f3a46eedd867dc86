"""What is wrong with a channel in its company, and the rules that say so.

The functions here are used twice: by the check that reads whole images, and by the load of a
channel, which sees the same company through the domain.
"""

from __future__ import annotations

from collections.abc import Iterable

from domctx_core import Errno, Problem, Rule, Severity
from domctx_plugin_event_channel.abi import Abi, EvtchnAbi
from domctx_plugin_event_channel.channel import DEFAULT_PRIORITY, EventChannel

__all__ = ["PORT_OFFSET", "RULES", "abi_missing", "against_abi", "highest_port"]

PORT_OFFSET = -12
"""Where a record's instance, its port, stands in the header before the body."""

_E, _W, _N = Severity.ERROR, Severity.WARNING, Severity.NOTE

RULES: tuple[Rule, ...] = (
    Rule(
        "event-channel/abi-missing",
        _E,
        Errno.EINVAL,
        "no EVTCHN_ABI comes before an event channel",
        "Whether a port exists, and where its pending and mask bits are, depends on the ABI. It"
        " has the lower type code so that it comes first in every image that is saved.",
        "Put the EVTCHN_ABI record before the channels, or leave the channels out.",
        "an image of START, EVENT_CHANNEL[1], END",
    ),
    Rule(
        "event-channel/port-limit",
        _E,
        Errno.ENOSPC,
        "a port is higher than the domain can have",
        "A 32-bit x86 guest has 1024 ports under the two-level ABI, other guests 4096, and any"
        " guest 131072 under FIFO. `max_port` of EVTCHN_ABI may set a lower limit.",
        "Look whether SHARED_INFO and EVTCHN_ABI belong to the same guest as the channel. A guest"
        " that needs more ports has to use the FIFO ABI.",
        "EVENT_CHANNEL[1024] beside a SHARED_INFO with the COMPAT flag, under the two-level ABI",
    ),
    Rule(
        "event-channel/priority",
        _E,
        Errno.EINVAL,
        "a channel has a priority that its ABI cannot keep",
        "Only the FIFO ABI has priorities. Under the two-level ABI each channel has the default.",
        "Set `priority` to 7, or see whether EVTCHN_ABI should say FIFO.",
        "EVENT_CHANNEL[5] with priority 3 under abi TWO_LEVEL",
    ),
    Rule(
        "event-channel/virq-bound-twice",
        _E,
        Errno.EEXIST,
        "two channels are bound to the same virtual interrupt",
        "TIMER, DEBUG, XENOPROF and XENPMU can be bound once a vCPU, all others once a domain.",
        "Drop one of the channels, or correct its `virq` or `notify_vcpu`.",
        "EVENT_CHANNEL[3] and EVENT_CHANNEL[9], both with virq 0 and notify_vcpu 1",
    ),
    Rule(
        "event-channel/pirq-bound-twice",
        _E,
        Errno.EEXIST,
        "two channels are bound to the same physical interrupt",
        "A domain binds a physical interrupt once; only different domains can share one.",
        "Drop one of the channels, or correct its `pirq`.",
        "EVENT_CHANNEL[20] and EVENT_CHANNEL[21], both with pirq 16",
    ),
    Rule(
        "event-channel/peer",
        _E,
        Errno.EINVAL,
        "a channel of the domain to itself has no matching other end",
        "Both ends of such a channel are in the image, and each has to name the other. Ends that"
        " name the domain by its own number cannot be judged: an image does not have that number.",
        "Add the other end, correct `remote_port`, or make the channel unbound.",
        "EVENT_CHANNEL[6] to port 7 of domain 0x7ff0, and EVENT_CHANNEL[7] to port 8",
    ),
    Rule(
        "event-channel/bits-differ",
        _W,
        None,
        "pending or masked of a channel is not what SHARED_INFO says",
        "Under the two-level ABI the same bits stand in both records. The channel's are the ones"
        " that a load uses.",
        "Nothing, if the channel is right. Otherwise correct its `flags`.",
        "EVENT_CHANNEL[4] with PENDING, and bit 4 of evtchn_pending clear",
    ),
    Rule(
        "event-channel/no-event-word",
        _N,
        None,
        "channels have no event word in guest memory",
        "The FIFO event array has 1024 ports a page, and these ports are beyond its last page."
        " Until the guest adds pages, an event of theirs can be pending in Xen only, and the"
        " flags of the channel are all there is.",
        "Nothing; the flags are taken over.",
        "EVENT_CHANNEL[2048] with an EVTCHN_ABI of two array pages",
    ),
)


def abi_missing() -> Problem:
    """Return the problem of a channel without an EVTCHN_ABI before it."""
    return Problem("event-channel/abi-missing", "no EVTCHN_ABI comes before this channel")


def highest_port(abi: EvtchnAbi, two_level_ports: int) -> int:
    """Return the highest port that a domain can have; `two_level_ports` as for `against_abi`."""
    return min(abi.max_port, (two_level_ports if abi.abi == Abi.TWO_LEVEL else abi.ports) - 1)


def against_abi(
    port: int, channel: EventChannel, abi: EvtchnAbi, two_level_ports: int
) -> Iterable[Problem]:
    """Yield what the ABI forbids a channel; `two_level_ports` is the limit of the guest's word width."""
    two_level = abi.abi == Abi.TWO_LEVEL
    limit = highest_port(abi, two_level_ports)
    if port > limit:
        why = "max_port" if limit == abi.max_port else f"{limit + 1} ports under this ABI"
        yield Problem(
            "event-channel/port-limit",
            f"port {port} is higher than the domain can have ({why})",
            PORT_OFFSET,
            expected=f"1 to {limit}",
            actual=port,
            errno=Errno.ENOSPC,
        )
    if two_level and channel.priority != DEFAULT_PRIORITY:
        yield Problem(
            "event-channel/priority",
            "the channel has a priority, and the two-level ABI has none",
            12,
            "priority",
            expected=DEFAULT_PRIORITY,
            actual=channel.priority,
        )
