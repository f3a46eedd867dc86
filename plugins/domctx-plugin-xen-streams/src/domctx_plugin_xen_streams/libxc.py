"""The record types of the libxc stream, PAGE_DATA apart (see `page_data`).

Those with much to them are in `pv_info`, `pv_vcpu`, `shared_info`, `hvm_params` and `policy`, and
are found here too.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import ClassVar, Self

from domctx_plugin_tsc_info import TscInfo, TscInfoRecord, TscMode

from domctx_core import (
    Body,
    Content,
    Empty,
    Problem,
    RecordType,
    array,
    blob,
    reserved,
    u32,
    u64,
)
from domctx_plugin_xen_streams.hvm_params import (
    HvmParam,
    HvmParams,
    HvmParamsRecord,
)
from domctx_plugin_xen_streams.policy import (
    CpuidLeaf,
    MsrEntry,
    X86CpuidPolicy,
    X86CpuidPolicyRecord,
    X86MsrPolicy,
    X86MsrPolicyRecord,
)
from domctx_plugin_xen_streams.pv_info import X86PvInfo, X86PvInfoRecord
from domctx_plugin_xen_streams.pv_vcpu import (
    X86PvVcpu,
    X86PvVcpuBasic,
    X86PvVcpuBasicRecord,
    X86PvVcpuExtended,
    X86PvVcpuExtendedRecord,
    X86PvVcpuMsrs,
    X86PvVcpuMsrsRecord,
    X86PvVcpuXsave,
    X86PvVcpuXsaveRecord,
)
from domctx_plugin_xen_streams.shared_info import (
    SharedInfoPage,
    SharedInfoPage32,
    SharedInfoPage64,
    SharedInfoRecord,
)

__all__ = [
    "CheckpointDirtyPfnList",
    "CheckpointDirtyPfnListRecord",
    "CheckpointRecord",
    "CpuidLeaf",
    "DomainContextImage",
    "DomainContextRecord",
    "EndRecord",
    "HvmContext",
    "HvmContextRecord",
    "HvmParam",
    "HvmParams",
    "HvmParamsRecord",
    "MsrEntry",
    "SharedInfoPage",
    "SharedInfoPage32",
    "SharedInfoPage64",
    "SharedInfoRecord",
    "StaticDataEndRecord",
    "Toolstack",
    "ToolstackRecord",
    "VerifyRecord",
    "X86CpuidPolicy",
    "X86CpuidPolicyRecord",
    "X86MsrPolicy",
    "X86MsrPolicyRecord",
    "X86PvInfo",
    "X86PvInfoRecord",
    "X86PvP2mFrames",
    "X86PvP2mFramesRecord",
    "X86PvVcpu",
    "X86PvVcpuBasic",
    "X86PvVcpuBasicRecord",
    "X86PvVcpuExtended",
    "X86PvVcpuExtendedRecord",
    "X86PvVcpuMsrs",
    "X86PvVcpuMsrsRecord",
    "X86PvVcpuXsave",
    "X86PvVcpuXsaveRecord",
    "X86TscInfo",
    "X86TscInfoRecord",
]


def _not_empty(size: int, name: str, at_least: str) -> Iterable[Problem]:
    if not size:
        yield Problem(
            "body-too-short", f"`{name}` is empty", field=name, expected=at_least, actual="nothing"
        )


# ----------------------------------------------------------------------------------------- bodies


class X86PvP2mFrames(Body):
    """The frames that hold a PV guest's physical-to-machine table."""

    start_pfn: int = u32(doc="first PFN that the frames cover", show="hex")
    end_pfn: int = u32(doc="last PFN that the frames cover", show="hex")
    frames: list[int] = array(u64(show="hex"), doc="PFN of each frame of the table")

    def check(self) -> Iterable[Problem]:
        """Check that the last PFN is not below the first."""
        if self.end_pfn < self.start_pfn:
            yield Problem(
                "field-out-of-range",
                "`end_pfn` is below `start_pfn`",
                field="end_pfn",
                expected=f"at least {self.start_pfn:#x}",
                actual=f"{self.end_pfn:#x}",
            )

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a table of a few frames, 512 PFNs each."""
        count = rng.randint(1, 4)
        frames = [rng.randrange(1 << 20) for _ in range(count)]
        return cls(start_pfn=0, end_pfn=512 * count - 1, frames=frames)


class X86TscInfo(Body):
    """Time-stamp counter of an x86 guest."""

    mode: TscMode = u32(doc="how the guest sees the TSC")
    khz: int = u32(doc="frequency", unit="kHz")
    nsec: int = u64(doc="elapsed time", unit="ns", volatile=True)
    incarnation: int = u32(doc="times the TSC was set", volatile=True)
    pad = reserved(4)


class HvmContext(Body):
    """The HVM context of the guest: what its virtual hardware holds."""

    context: bytes = blob(doc="the hypervisor's HVM context")

    def check(self) -> Iterable[Problem]:
        """Check that an HVM context is never empty."""
        return _not_empty(len(self.context), "context", "an HVM context")

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return some bytes, without structure."""
        return cls(context=rng.randbytes(8 * rng.randint(1, 16)))


class Toolstack(Body):
    """State of the toolstack, in streams that were converted by early releases only."""

    data: bytes = blob(doc="the toolstack's own format")


class CheckpointDirtyPfnList(Body):
    """PFNs that the other side of a COLO pair has made dirty; sent on the way back."""

    pfns: list[int] = array(u64(show="hex"), doc="dirty PFNs")


class DomainContextImage(Body):
    """A whole domain context image."""

    image: bytes = blob(doc="the image")

    def check(self) -> Iterable[Problem]:
        """Check that an image is never empty."""
        return _not_empty(len(self.image), "image", "a domain context image")

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return the shortest image, START and END, of Xen 4.x in little-endian order."""
        start = bytes.fromhex("0100000000000000 0800000000000000 04000000")
        return cls(image=start + rng.randrange(14, 22).to_bytes(4, "little") + bytes(16))


# ----------------------------------------------------------------------------------- record types


class EndRecord(RecordType[Empty]):
    """The last record of the stream."""

    code, name, body = 0x00, "END", Empty


class X86PvP2mFramesRecord(RecordType[X86PvP2mFrames]):
    """Where a PV guest keeps its physical-to-machine table."""

    code, name, body = 0x03, "X86_PV_P2M_FRAMES", X86PvP2mFrames


class X86TscInfoRecord(RecordType[X86TscInfo]):
    """The time-stamp counter, in streams before version 4."""

    code, name, body = 0x08, "X86_TSC_INFO", X86TscInfo

    def as_context(self, body: X86TscInfo) -> tuple[int, Body]:
        """Return the domain context's TSC_INFO."""
        tsc = TscInfo(mode=body.mode, khz=body.khz, nsec=body.nsec, incarnation=body.incarnation)
        return TscInfoRecord.code, tsc


class HvmContextRecord(RecordType[HvmContext]):
    """The HVM context; domctx-plugin-hvm-context shows what is inside."""

    code, name, body = 0x09, "HVM_CONTEXT", HvmContext
    content: ClassVar[Content | None] = Content("hvm-context", optional=True)


class ToolstackRecord(RecordType[Toolstack]):
    """State of the toolstack; no receiver takes it any more."""

    code, name, body = 0x0B, "TOOLSTACK", Toolstack
    loadable: ClassVar[bool] = False


class VerifyRecord(RecordType[Empty]):
    """From here on memory is sent a second time, to be compared."""

    code, name, body = 0x0D, "VERIFY", Empty


class CheckpointRecord(RecordType[Empty]):
    """A checkpoint is complete; in a libxl stream, libxl goes on."""

    code, name, body = 0x0E, "CHECKPOINT", Empty
    suspends: ClassVar[bool] = True


class CheckpointDirtyPfnListRecord(RecordType[CheckpointDirtyPfnList]):
    """Dirty PFNs of the other side; never part of the stream that a receiver loads."""

    code, name, body = 0x0F, "CHECKPOINT_DIRTY_PFN_LIST", CheckpointDirtyPfnList
    loadable: ClassVar[bool] = False


class StaticDataEndRecord(RecordType[Empty]):
    """What does not change while the guest runs is complete; since version 3."""

    code, name, body = 0x10, "STATIC_DATA_END", Empty


class DomainContextRecord(RecordType[DomainContextImage]):
    """A domain context image; since version 4."""

    code, name, body = 0x13, "DOMAIN_CONTEXT", DomainContextImage
    content: ClassVar[Content | None] = Content("domain-context")
