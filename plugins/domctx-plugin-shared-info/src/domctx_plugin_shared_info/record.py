"""The record type SHARED_INFO: what a load takes over, and what it resets."""

from __future__ import annotations

import random
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from domctx_core import (
    SINGLE,
    Bits,
    DomainError,
    Errno,
    Instances,
    NoState,
    RecordType,
)
from domctx_plugin_shared_info.body import (
    Layout,
    SharedInfo,
    SharedInfoFlags,
    simulated_bits,
)
from domctx_plugin_shared_info.layouts import SharedInfoArm, SharedInfoCompat, SharedInfoX86_64

if TYPE_CHECKING:
    from domctx_core import Domain, Guest, LoadContext

__all__ = ["SharedInfoRecord"]

_NAMES = {
    SharedInfoX86_64: "64-bit x86",
    SharedInfoCompat: "32-bit x86 (compat)",
    SharedInfoArm: "Arm",
}


class SharedInfoRecord(RecordType[SharedInfo]):
    """One record a domain, instance 0 (ENXIO for others).

    A vCPU that registered an area of its own has its information there, not here: this record
    does not cover it.
    """

    code = 2
    name = "SHARED_INFO"
    body = SharedInfo
    instances: ClassVar[Instances] = SINGLE

    def load(self, domain: Domain, context: LoadContext) -> None:
        """Take vCPU information and the architecture's part over, and reset event delivery.

        A guest that is not paravirtualised has its page in memory that travels by itself: the
        record is checked and the domain left alone. For a PV guest, `vcpu_info` and `arch` come
        from the image in full width; the wall clock stays the domain's (zeros where it has no
        shared info yet); pending bits and selectors become 0, mask bits 1, and the p2m's root 0,
        since the frames it names are another host's.

        Raises `DomainError` (EINVAL) where the guest has another layout than the image.
        """
        _, image = context.read(self)
        guest = domain.guest
        if guest.kind != "pv":
            return
        _refuse_other_guest(image, guest)
        with suppress(NoState):  # a domain that is being built has none yet
            _refuse_other_layout(image, domain.read(SharedInfo))

        def change(current: SharedInfo | None) -> SharedInfo:
            if current is not None:
                _refuse_other_layout(image, current)
            return _take_over(image, current)

        domain.update(SharedInfo, 0, change)

    def simulate(self, guest: Guest, rng: random.Random) -> Iterable[tuple[int, SharedInfo]]:
        """Yield a guest up for some hours: clocks that run, a few ports pending, some masked."""
        shared = SharedInfo.blank(guest)
        info = shared.info
        info.evtchn_pending, info.evtchn_mask = simulated_bits(guest)
        seconds = rng.randrange(1_600_000_000, 2_000_000_000)
        info.wc_version, info.wc_sec, info.wc_nsec = 2, seconds, rng.randrange(10**9)
        uptime = rng.randrange(10**9, 10**14)
        for number in range(min(guest.vcpus or 1, len(info.vcpu_info))):
            vcpu = info.vcpu_info[number]
            vcpu.time = vcpu.time.replace(
                version=2 * rng.randrange(1, 1000),
                tsc_timestamp=3 * uptime + number,
                system_time=uptime + number,
                tsc_to_system_mul=0xAAAAAAAB,
                tsc_shift=-1,
                flags=1,
            )
        first = info.vcpu_info[0]
        first.evtchn_upcall_pending = 1
        first.evtchn_pending_sel = _selector(shared)
        if not isinstance(info, SharedInfoArm):
            info.arch.max_pfn = rng.randrange(0x8000, 0x40000)
            info.arch.pfn_to_mfn_frame_list_list = rng.randrange(0x100, 0x100000)
            info.arch.p2m_generation = 2 * rng.randrange(100)
        yield 0, shared


def _refuse_other_guest(image: SharedInfo, guest: Guest) -> None:
    """Refuse an image of another architecture or width, as far as the guest tells its own."""
    arm = isinstance(image.info, SharedInfoArm)
    if guest.arch is not None and (guest.arch == "arm") != arm:
        raise _mismatch(image, f"a guest of architecture {guest.arch}")
    compat = bool(image.flags & SharedInfoFlags.COMPAT)
    if not arm and guest.width is not None and (guest.width == 4) != compat:
        raise _mismatch(image, f"a guest with words of {guest.width} bytes")


def _refuse_other_layout(image: SharedInfo, current: SharedInfo) -> None:
    if type(image.info) is not type(current.info):
        raise _mismatch(image, f"a domain with {_NAMES[type(current.info)]} shared info")


def _mismatch(image: SharedInfo, target: str) -> DomainError:
    return DomainError(
        f"the image has {_NAMES[type(image.info)]} shared info, and it is loaded into {target}",
        errno=Errno.EINVAL,
        expected=target,
        actual=f"{_NAMES[type(image.info)]} shared info (flags {int(image.flags):#x})",
        hint="a guest keeps its width and architecture; load into a domain made like the saved one",
    )


def _selector(shared: SharedInfo) -> int:
    """Return the selector that announces every port that is pending and not masked."""
    width = 32 if isinstance(shared.info, SharedInfoCompat) else 64
    ready = shared.info.evtchn_pending.to_int() & ~shared.info.evtchn_mask.to_int()
    words = range(shared.ports // width)
    return sum(1 << word for word in words if ready >> word * width & ((1 << width) - 1))


def _take_over(image: SharedInfo, current: SharedInfo | None) -> SharedInfo:
    """Return the image's shared info, with clock and event delivery as a load leaves them."""
    source: Layout = image.info
    info: Layout = source.replace(
        vcpu_info=[vcpu.replace(evtchn_pending_sel=0) for vcpu in source.vcpu_info],
        evtchn_pending=Bits(image.ports),
        evtchn_mask=Bits.full(image.ports),
        wc_version=0 if current is None else current.info.wc_version,
        wc_sec=0 if current is None else current.info.wc_sec,
        wc_nsec=0 if current is None else current.info.wc_nsec,
    )
    high = 0 if current is None else current.wall_clock[0] >> 32
    if isinstance(info, SharedInfoCompat):
        info.arch = info.arch.replace(pfn_to_mfn_frame_list_list=0, wc_sec_hi=high)
    elif isinstance(info, SharedInfoX86_64):
        info.arch = info.arch.replace(pfn_to_mfn_frame_list_list=0)
        info.wc_sec_hi = high
    else:
        info.wc_sec_hi = high
    return image.replace(info=info)
