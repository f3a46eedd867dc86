"""EVTCHN_ABI and EVENT_CHANNEL, type codes 4 and 5: event channels with their ports preserved.

The type codes are provisional: no published series assigns them.
"""

from __future__ import annotations

from domctx_plugin_event_channel.abi import (
    FIFO_PORTS,
    TWO_LEVEL_PORTS,
    Abi,
    ControlBlock,
    EvtchnAbi,
    EvtchnAbiRecord,
)
from domctx_plugin_event_channel.channel import (
    DEFAULT_PRIORITY,
    DOMID_SELF,
    ChannelFlags,
    ChannelState,
    ConsumerKind,
    EventChannel,
    Interdomain,
    Pirq,
    PirqFlags,
    Unbound,
    Virq,
)
from domctx_plugin_event_channel.record import EventChannelRecord

__all__ = [
    "DEFAULT_PRIORITY",
    "DOMID_SELF",
    "FIFO_PORTS",
    "TWO_LEVEL_PORTS",
    "Abi",
    "ChannelFlags",
    "ChannelState",
    "ConsumerKind",
    "ControlBlock",
    "EventChannel",
    "EventChannelRecord",
    "EvtchnAbi",
    "EvtchnAbiRecord",
    "Interdomain",
    "Pirq",
    "PirqFlags",
    "Unbound",
    "Virq",
]
