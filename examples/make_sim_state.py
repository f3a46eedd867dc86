"""Makes the state file of a simulated domain from what was read out of a live one.

    python examples/make_sim_state.py examples/xen-4.17/pv2l/live > examples/pv2l.sim.json

Needs domctx-core and the plugins for SHARED_INFO, TSC_INFO and event channels. The same input
always gives the same output.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from domctx_plugin_event_channel import (
    Abi,
    ChannelFlags,
    ChannelState,
    EventChannel,
    EvtchnAbi,
    Interdomain,
    Pirq,
    Unbound,
    Virq,
)
from domctx_plugin_shared_info import SharedInfo, SharedInfoFlags, SharedInfoX86_64
from domctx_plugin_tsc_info import TscInfo, TscMode

from domctx_core import Body

HVM_GUEST = 1 << 1
"""The flag of struct xen_domctl_getdomaininfo that PV guests do not have."""

STATUS = struct.Struct("<HxxIIIII")
"""struct evtchn_status: dom, port, status, vcpu, and two words of its union."""

CLOSED, NOT_FOR_US = 0, 0xFFFFFFFF


def shared_info(live: Path) -> SharedInfo:
    """The shared info of a 64-bit x86 guest from its page."""
    page = (live / "shared_info.bin").read_bytes()
    info = SharedInfoX86_64.from_bytes(page[: SharedInfoX86_64.fixed_size()])
    return SharedInfo(flags=SharedInfoFlags(0), info=info)


def tsc_info(live: Path) -> TscInfo:
    """The TSC as libxenctrl reported it."""
    tsc = json.loads((live / "facts.json").read_text())["tsc"]
    return TscInfo(
        mode=TscMode(tsc["mode"]),
        khz=tsc["khz"],
        nsec=tsc["elapsed_nsec"],
        incarnation=tsc["incarnation"],
    )


def event_channels(live: Path, shared: SharedInfo) -> Iterator[tuple[int, EventChannel]]:
    """Every channel that Xen told of; its pending and mask bits are those of shared info."""
    for row in STATUS.iter_unpack((live / "evtchn_status.bin").read_bytes()):
        _, port, status, vcpu, first, second = row
        if status in (CLOSED, NOT_FOR_US):
            continue
        state = ChannelState(status)
        binding: Unbound | Interdomain | Pirq | Virq | None = None
        match state:
            case ChannelState.UNBOUND:
                binding = Unbound(remote_domid=first & 0xFFFF)
            case ChannelState.INTERDOMAIN:
                binding = Interdomain(remote_domid=first & 0xFFFF, remote_port=second)
            case ChannelState.PIRQ:
                binding = Pirq(pirq=first)
            case ChannelState.VIRQ:
                binding = Virq(virq=first)
        flags = ChannelFlags(0)
        if port in shared.info.evtchn_pending:
            flags |= ChannelFlags.PENDING
        if port in shared.info.evtchn_mask:
            flags |= ChannelFlags.MASKED
        yield port, EventChannel(state=state, notify_vcpu=vcpu, flags=flags, binding=binding)


def sim_state(live: Path) -> dict[str, Any]:
    """The whole state file: the guest, and its records in ascending type and instance."""
    info = (live / "getdomaininfo.bin").read_bytes()
    (domid,), (flags,) = struct.unpack_from("<H", info), struct.unpack_from("<I", info, 4)
    (max_vcpu_id,) = struct.unpack_from("<I", info, 68)
    xen = json.loads((live / "facts.json").read_text())["xen"]
    shared = shared_info(live)
    abi = EvtchnAbi(abi=Abi.TWO_LEVEL, max_port=shared.ports - 1)
    bodies: list[tuple[int, str, int, Body]] = [
        (2, "SHARED_INFO", 0, shared),
        (3, "TSC_INFO", 0, tsc_info(live)),
        (4, "EVTCHN_ABI", 0, abi),
    ]
    for port, channel in event_channels(live, shared):
        bodies.append((5, "EVENT_CHANNEL", port, channel))
    return {
        "schema": "domctx.sim/1",
        "domid": domid,
        "xen_version": f"{xen['major']}.{xen['minor']}",
        "guest": {
            "kind": "hvm" if flags & HVM_GUEST else "pv",
            "width": 8,
            "arch": "x86",
            "vcpus": max_vcpu_id + 1,
        },
        "pauses": 0,
        "records": [
            {"type": code, "name": name, "instance": instance, "body": body.to_json()}
            for code, name, instance, body in bodies
        ],
    }


def render(live: Path) -> str:
    """The state file as text."""
    return json.dumps(sim_state(live), indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render(Path(sys.argv[1])))
