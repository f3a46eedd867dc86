"""The body of SHARED_INFO: flags, and the structure in one of three layouts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import IntFlag
from typing import TYPE_CHECKING

from domctx_core import Bits, Body, Problem, by_size, optional, reserved, u32
from domctx_plugin_shared_info.layouts import (
    SharedInfoArm,
    SharedInfoCompat,
    SharedInfoX86_64,
)

if TYPE_CHECKING:
    from domctx_core import Guest

__all__ = ["Layout", "SharedInfo", "SharedInfoFlags", "layout_for", "simulated_bits"]

Layout = SharedInfoX86_64 | SharedInfoCompat | SharedInfoArm

_LAST_DAY = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


class SharedInfoFlags(IntFlag):
    """How the structure is laid out."""

    COMPAT = 1
    """In 32-bit words, as a 32-bit x86 guest has it."""


class SharedInfo(Body):
    """The page that Xen shares with a guest.

    The structure begins at offset 4 in version 10 of the series; a reviewer asked for a reserved
    word that moves it to offset 8. The length tells which it is: 3140 or 3144 bytes for a 64-bit
    x86 guest, 2348 or 2352 for a 32-bit one, 1092 or 1096 for an Arm guest.
    """

    flags: SharedInfoFlags = u32(doc="layout of the structure")
    has_reserved: bool = optional(
        reserved(4),
        lengths=(3144, 2352, 1096),
        default=True,
        doc="a reserved word stands before the structure",
    )
    info: Layout = by_size(
        x86_64=SharedInfoX86_64,
        x86_32=SharedInfoCompat,
        arm=SharedInfoArm,
        doc="the structure, in the guest's layout",
    )

    @classmethod
    def blank(cls, guest: Guest) -> SharedInfo:
        """Return the shared info of a guest that nothing happened to yet: zeros, and all ports masked.

        A guest that does not say its architecture or width is a 64-bit x86 one.
        """
        kind = layout_for(guest)
        size = kind.fixed_size()
        assert size is not None
        info = kind.from_bytes(bytes(size))
        info.evtchn_mask = Bits.full(info.evtchn_mask.size)
        flags = SharedInfoFlags.COMPAT if kind is SharedInfoCompat else SharedInfoFlags(0)
        return cls(flags=flags, info=info)

    @property
    def ports(self) -> int:
        """How many event channels the bitmaps have a bit for: 1024 (compat) or 4096."""
        return self.info.evtchn_pending.size

    def set_port(self, port: int, *, pending: bool, masked: bool) -> None:
        """Set or clear one port's pending and mask bits, in place; its cost is the same for all.

        Selectors and upcall flags of vCPUs are left as they are. Raises `BodyError` for a port
        that the bitmaps have no bit for.
        """
        self.info.evtchn_pending = self.info.evtchn_pending.set(port, pending)
        self.info.evtchn_mask = self.info.evtchn_mask.set(port, masked)

    @property
    def wall_clock(self) -> tuple[int, int]:
        """Seconds and nanoseconds since 1970 when the guest's system time was 0."""
        info = self.info
        high = info.arch.wc_sec_hi if isinstance(info, SharedInfoCompat) else info.wc_sec_hi
        return high << 32 | info.wc_sec, info.wc_nsec

    def check(self) -> Iterable[Problem]:
        """Check that the flag matches the layout."""
        compat = bool(self.flags & SharedInfoFlags.COMPAT)
        if compat != isinstance(self.info, SharedInfoCompat):
            yield Problem(
                "field-out-of-range",
                "the COMPAT flag and the length of the structure contradict each other",
                field="flags",
                expected="a structure of 2344 bytes with COMPAT set, of 3136 or 1088 with it clear",
                actual=f"{self.info.size()} bytes, COMPAT {'set' if compat else 'clear'}",
            )

    def summary(self) -> Mapping[str, str]:
        """Return layout, wall clock, event channels and p2m in words."""
        info = self.info
        lines = {"layout": _TITLES[type(info)], "wall clock": _date(*self.wall_clock)}
        if info.wc_version & 1:
            lines["wall clock"] += f" (wc_version {info.wc_version} is odd: update in progress)"
        lines["pending"] = _few(info.evtchn_pending)
        lines["pending, not masked"] = _few(
            Bits.from_int(self.ports, info.evtchn_pending.to_int() & ~info.evtchn_mask.to_int())
        )
        vcpus = info.vcpu_info
        updating = [n for n in range(len(vcpus)) if vcpus[n].time.version & 1]
        if updating:
            numbers = ", ".join(map(str, updating))
            lines["clock update in progress"] = f"vCPU {numbers} (odd time.version)"
        if not isinstance(info, SharedInfoArm):
            lines["p2m"] = _p2m(info)
        return lines


_TITLES: Mapping[type[Layout], str] = {
    SharedInfoX86_64: "64-bit x86, 3136 bytes",
    SharedInfoCompat: "32-bit x86 (compat), 2344 bytes",
    SharedInfoArm: "Arm, 1088 bytes",
}


def layout_for(guest: Guest) -> type[Layout]:
    """Return the layout of a guest, by default that of a 64-bit x86 guest."""
    if guest.arch == "arm":
        return SharedInfoArm
    return SharedInfoCompat if guest.width == 4 else SharedInfoX86_64


def simulated_bits(guest: Guest) -> tuple[Bits, Bits]:
    """Return pending and mask bitmaps of a simulated guest; they depend on its layout and nothing else.

    Whoever simulates event channels takes their bits from here, so that the two agree.
    """
    ports = 1024 if layout_for(guest) is SharedInfoCompat else 4096
    return Bits(ports, range(3, ports, 61)), Bits(ports, range(4, ports, 5))


def _date(seconds: int, nsec: int) -> str:
    if nsec >= 10**9:
        return f"{seconds} s and {nsec} ns since 1970 (more nanoseconds than a second has)"
    if seconds > _LAST_DAY:
        return f"{seconds}.{nsec:09} s since 1970 (after the year 9999)"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{nsec:09} UTC"


def _few(ports: Bits) -> str:
    if len(ports) <= 16:
        return f"ports {ports.text()}" if ports else "none"
    first = next(iter(ports))
    return f"{len(ports)} ports, the first is {first}"


def _p2m(info: SharedInfoX86_64 | SharedInfoCompat) -> str:
    arch = info.arch
    ones = 2**32 - 1 if isinstance(info, SharedInfoCompat) else 2**64 - 1
    if arch.p2m_generation & 1:
        state = f" (p2m_generation {arch.p2m_generation} is odd: update in progress)"
    else:
        state = ""
    root = arch.pfn_to_mfn_frame_list_list
    if root == 0:
        return f"not set up{state}"
    if root == ones:
        return f"linear only, at {arch.p2m_vaddr:#x}{state}"
    linear = f", linear at {arch.p2m_vaddr:#x}" if arch.p2m_vaddr else ""
    return f"root at mfn {root:#x}{linear}{state}"
