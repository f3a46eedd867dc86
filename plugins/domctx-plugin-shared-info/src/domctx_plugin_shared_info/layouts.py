"""The shared info structure as each guest architecture lays it out.

Field names are those of Xen's public headers; sizes were measured on them with a C compiler. A
guest can write anywhere in this page, so bytes between fields are carried as they are (`pad`),
and no value is refused for what it says.
"""

from __future__ import annotations

from domctx_core import Bits, Body, array, bitmap, blob, i8, nested, u8, u32, u64

__all__ = [
    "ArchSharedInfoX86_32",
    "ArchSharedInfoX86_64",
    "ArchVcpuInfoX86_32",
    "ArchVcpuInfoX86_64",
    "SharedInfoArm",
    "SharedInfoCompat",
    "SharedInfoX86_64",
    "VcpuInfoArm",
    "VcpuInfoX86_32",
    "VcpuInfoX86_64",
    "VcpuTimeInfo",
]


class VcpuTimeInfo(Body):
    """A vCPU's clock: system time at one TSC reading, and how to go on from there; 32 bytes."""

    version: int = u32(doc="odd while Xen updates the clock", volatile=True)
    pad0: bytes = blob(4, default=bytes(4), doc="padding")
    tsc_timestamp: int = u64(doc="TSC at the last update", volatile=True)
    system_time: int = u64(doc="time since boot at the last update", unit="ns", volatile=True)
    tsc_to_system_mul: int = u32(doc="multiplier from ticks to ns, 32.32", volatile=True)
    tsc_shift: int = i8(doc="shift of the ticks before they are multiplied", volatile=True)
    flags: int = u8(doc="bit 0: the TSC is stable, bit 1: the guest was stopped", show="hex")
    pad1: bytes = blob(2, default=bytes(2), doc="padding")


class ArchVcpuInfoX86_64(Body):  # noqa: N801  # the architecture's name has the underscore
    """The x86 part of a vCPU's information in 64-bit words; 16 bytes."""

    cr2: int = u64(doc="address of the last page fault", show="hex")
    pad: bytes = blob(8, default=bytes(8), doc="padding")


class ArchVcpuInfoX86_32(Body):  # noqa: N801
    """The x86 part of a vCPU's information in 32-bit words; 24 bytes."""

    cr2: int = u32(doc="address of the last page fault", show="hex")
    pad: bytes = blob(20, default=bytes(20), doc="padding")


class VcpuInfoX86_64(Body):  # noqa: N801
    """What Xen tells one vCPU of a 64-bit x86 guest; 64 bytes."""

    evtchn_upcall_pending: int = u8(doc="an event waits for this vCPU")
    evtchn_upcall_mask: int = u8(doc="the vCPU takes no upcalls now")
    pad: bytes = blob(6, default=bytes(6), doc="padding")
    evtchn_pending_sel: int = u64(doc="words of evtchn_pending with something new", show="hex")
    arch: ArchVcpuInfoX86_64 = nested(ArchVcpuInfoX86_64, doc="what only this architecture has")
    time: VcpuTimeInfo = nested(VcpuTimeInfo, doc="the clock that this vCPU reads")


class VcpuInfoX86_32(Body):  # noqa: N801
    """What Xen tells one vCPU of a 32-bit x86 guest; 64 bytes."""

    evtchn_upcall_pending: int = u8(doc="an event waits for this vCPU")
    evtchn_upcall_mask: int = u8(doc="the vCPU takes no upcalls now")
    pad: bytes = blob(2, default=bytes(2), doc="padding")
    evtchn_pending_sel: int = u32(doc="words of evtchn_pending with something new", show="hex")
    arch: ArchVcpuInfoX86_32 = nested(ArchVcpuInfoX86_32, doc="what only this architecture has")
    time: VcpuTimeInfo = nested(VcpuTimeInfo, doc="the clock that this vCPU reads")


class VcpuInfoArm(Body):
    """What Xen tells one vCPU of an Arm guest; 48 bytes."""

    evtchn_upcall_pending: int = u8(doc="an event waits for this vCPU")
    pad0: bytes = blob(1, default=bytes(1), doc="padding; x86 has evtchn_upcall_mask here")
    pad1: bytes = blob(6, default=bytes(6), doc="padding")
    evtchn_pending_sel: int = u64(doc="words of evtchn_pending with something new", show="hex")
    time: VcpuTimeInfo = nested(VcpuTimeInfo, doc="the clock that this vCPU reads")


class ArchSharedInfoX86_64(Body):  # noqa: N801
    """The x86 part of the page in 64-bit words; 48 bytes."""

    max_pfn: int = u64(doc="one past the last pfn of the p2m", unit="pfn")
    pfn_to_mfn_frame_list_list: int = u64(
        doc="mfn of the p2m's root; 0: not set up, all ones: use p2m_vaddr", show="hex"
    )
    nmi_reason: int = u64(doc="why an NMI was sent", show="hex")
    p2m_cr3: int = u64(doc="page table that maps the linear p2m", show="hex")
    p2m_vaddr: int = u64(doc="virtual address of the linear p2m", show="hex")
    p2m_generation: int = u64(doc="odd while the guest changes its p2m")


class ArchSharedInfoX86_32(Body):  # noqa: N801
    """The x86 part of the page in 32-bit words; 28 bytes, the last 4 of the wall clock."""

    max_pfn: int = u32(doc="one past the last pfn of the p2m", unit="pfn")
    pfn_to_mfn_frame_list_list: int = u32(
        doc="mfn of the p2m's root; 0: not set up, all ones: use p2m_vaddr", show="hex"
    )
    nmi_reason: int = u32(doc="why an NMI was sent", show="hex")
    p2m_cr3: int = u32(doc="page table that maps the linear p2m", show="hex")
    p2m_vaddr: int = u32(doc="virtual address of the linear p2m", show="hex")
    p2m_generation: int = u32(doc="odd while the guest changes its p2m")
    wc_sec_hi: int = u32(doc="upper half of wc_sec", unit="s", volatile=True)


class SharedInfoX86_64(Body):  # noqa: N801
    """The shared info of a 64-bit x86 guest; 3136 bytes."""

    vcpu_info: list[VcpuInfoX86_64] = array(VcpuInfoX86_64, 32, doc="of the first 32 vCPUs")
    evtchn_pending: Bits = bitmap(512, word=8, doc="ports with an event pending")
    evtchn_mask: Bits = bitmap(512, word=8, doc="ports that are masked")
    wc_version: int = u32(doc="odd while Xen updates the wall clock", volatile=True)
    wc_sec: int = u32(doc="wall clock at system time 0, lower half", unit="s", volatile=True)
    wc_nsec: int = u32(doc="wall clock at system time 0, fraction", unit="ns", volatile=True)
    wc_sec_hi: int = u32(doc="upper half of wc_sec", unit="s", volatile=True)
    arch: ArchSharedInfoX86_64 = nested(ArchSharedInfoX86_64, doc="what only this architecture has")


class SharedInfoCompat(Body):
    """The shared info of a 32-bit x86 guest; 2344 bytes."""

    vcpu_info: list[VcpuInfoX86_32] = array(VcpuInfoX86_32, 32, doc="of the first 32 vCPUs")
    evtchn_pending: Bits = bitmap(128, word=4, doc="ports with an event pending")
    evtchn_mask: Bits = bitmap(128, word=4, doc="ports that are masked")
    wc_version: int = u32(doc="odd while Xen updates the wall clock", volatile=True)
    wc_sec: int = u32(doc="wall clock at system time 0, lower half", unit="s", volatile=True)
    wc_nsec: int = u32(doc="wall clock at system time 0, fraction", unit="ns", volatile=True)
    arch: ArchSharedInfoX86_32 = nested(ArchSharedInfoX86_32, doc="what only this architecture has")


class SharedInfoArm(Body):
    """The shared info of an Arm guest, 32-bit or 64-bit; 1088 bytes."""

    vcpu_info: list[VcpuInfoArm] = array(VcpuInfoArm, 1, doc="of the first vCPU")
    evtchn_pending: Bits = bitmap(512, word=8, doc="ports with an event pending")
    evtchn_mask: Bits = bitmap(512, word=8, doc="ports that are masked")
    wc_version: int = u32(doc="odd while Xen updates the wall clock", volatile=True)
    wc_sec: int = u32(doc="wall clock at system time 0, lower half", unit="s", volatile=True)
    wc_nsec: int = u32(doc="wall clock at system time 0, fraction", unit="ns", volatile=True)
    wc_sec_hi: int = u32(doc="upper half of wc_sec", unit="s", volatile=True)
