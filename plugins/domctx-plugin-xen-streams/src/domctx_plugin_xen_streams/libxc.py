"""The record types of the libxc stream, PAGE_DATA apart (see `page_data`)."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import ClassVar, Self

from domctx_plugin_tsc_info import TscMode

from domctx_core import (
    Body,
    Content,
    Empty,
    Problem,
    RecordType,
    Severity,
    XenVersion,
    array,
    blob,
    count_of,
    reserved,
    u8,
    u32,
    u64,
)
from domctx_plugin_xen_streams.page_data import PAGE_SIZE

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
    "X86PvVcpuBasicRecord",
    "X86PvVcpuExtendedRecord",
    "X86PvVcpuMsrsRecord",
    "X86PvVcpuXsaveRecord",
    "X86TscInfo",
    "X86TscInfoRecord",
]


def _not_empty(size: int, name: str, at_least: str) -> Iterable[Problem]:
    if not size:
        yield Problem(
            "body-too-short", f"`{name}` is empty", field=name, expected=at_least, actual="nothing"
        )


def _is_empty(size: int, name: str, offset: int) -> Iterable[Problem]:
    """Content that a sender may leave out, and some releases did: not wrong, but worth a look."""
    if not size:
        yield Problem(
            "body-too-short", f"`{name}` is empty", offset, name, severity=Severity.WARNING
        )


# ----------------------------------------------------------------------------------------- bodies


class X86PvInfo(Body):
    """What a PV guest is, needed to understand all that follows."""

    guest_width: int = u8(doc="size of a guest word, 4 or 8", unit="bytes")
    pt_levels: int = u8(doc="levels of the page tables, 3 or 4")
    pad = reserved(6)

    def check(self) -> Iterable[Problem]:
        """Words of 4 or 8 bytes, 3 or 4 levels."""
        for name, value, known in (
            ("guest_width", self.guest_width, (4, 8)),
            ("pt_levels", self.pt_levels, (3, 4)),
        ):
            if value not in known:
                yield Problem(
                    "field-out-of-range",
                    f"`{name}` is outside its range",
                    field=name,
                    expected=f"{known[0]} or {known[1]}",
                    actual=value,
                )

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """A 32-bit or a 64-bit guest."""
        width = rng.choice([4, 8])
        return cls(guest_width=width, pt_levels=4 if width == 8 else 3)


class X86PvP2mFrames(Body):
    """The frames that hold a PV guest's physical-to-machine table."""

    start_pfn: int = u32(doc="first PFN that the frames cover", show="hex")
    end_pfn: int = u32(doc="last PFN that the frames cover", show="hex")
    frames: list[int] = array(u64(show="hex"), doc="PFN of each frame of the table")

    def check(self) -> Iterable[Problem]:
        """The last PFN is not below the first."""
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
        """A table of a few frames, 512 PFNs each."""
        count = rng.randint(1, 4)
        frames = [rng.randrange(1 << 20) for _ in range(count)]
        return cls(start_pfn=0, end_pfn=512 * count - 1, frames=frames)


class X86PvVcpu(Body):
    """One kind of state of one vCPU of a PV guest, as the hypervisor gives it."""

    vcpu_id: int = u32(doc="number of the vCPU")
    pad = reserved(4)
    context: bytes = blob(doc="the hypervisor's structure for this kind of state")


class SharedInfoPage(Body):
    """The page that a PV guest shares with the hypervisor; its layout follows the guest's width.

    The structure takes the first 3136 (64-bit guest) or 2344 bytes (32-bit); the rest has no
    meaning.
    """

    page: bytes = blob(PAGE_SIZE, doc="the guest's shared_info page")


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
        """An HVM context is never empty."""
        return _not_empty(len(self.context), "context", "an HVM context")

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Some bytes, without structure."""
        return cls(context=rng.randbytes(8 * rng.randint(1, 16)))


class HvmParam(Body):
    """One HVM parameter."""

    index: int = u64(doc="which parameter")
    value: int = u64(doc="its value", show="hex")


class HvmParams(Body):
    """HVM parameters: the addresses of special pages, event channels and the like."""

    count: int = count_of("params", doc="number of parameters", init=False)
    pad = reserved(4)
    params: list[HvmParam] = array(HvmParam, "count", doc="the parameters that are set")


class Toolstack(Body):
    """State of the toolstack, in streams that were converted by early releases only."""

    data: bytes = blob(doc="the toolstack's own format")


class CheckpointDirtyPfnList(Body):
    """PFNs that the other side of a COLO pair has made dirty; sent on the way back."""

    pfns: list[int] = array(u64(show="hex"), doc="dirty PFNs")


class CpuidLeaf(Body):
    """What CPUID gives for one leaf."""

    leaf: int = u32(doc="EAX before", show="hex")
    subleaf: int = u32(doc="ECX before; all ones: the leaf has no subleaves", show="hex")
    eax: int = u32(doc="EAX after", show="hex")
    ebx: int = u32(doc="EBX after", show="hex")
    ecx: int = u32(doc="ECX after", show="hex")
    edx: int = u32(doc="EDX after", show="hex")


class X86CpuidPolicy(Body):
    """What CPUID tells the guest."""

    leaves: list[CpuidLeaf] = array(CpuidLeaf, doc="the leaves")

    def check(self) -> Iterable[Problem]:
        """At least one leaf."""
        return _not_empty(len(self.leaves), "leaves", "at least one leaf of 24 bytes")

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """A few made-up leaves."""
        return cls(leaves=[CpuidLeaf.example(rng) for _ in range(rng.randint(1, 4))])


class MsrEntry(Body):
    """The value of one model-specific register."""

    index: int = u32(doc="number of the register", show="hex")
    flags: int = u32(doc="none are defined", show="hex")
    value: int = u64(doc="its value", show="hex")


class X86MsrPolicy(Body):
    """What the guest reads from the registers that describe its processor."""

    msrs: list[MsrEntry] = array(MsrEntry, doc="the registers")

    def check(self) -> Iterable[Problem]:
        """At least one register."""
        return _not_empty(len(self.msrs), "msrs", "at least one entry of 16 bytes")

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """A few made-up registers."""
        return cls(msrs=[MsrEntry.example(rng) for _ in range(rng.randint(1, 4))])


class DomainContextImage(Body):
    """A whole domain context image."""

    image: bytes = blob(doc="the image")

    def check(self) -> Iterable[Problem]:
        """An image is never empty."""
        return _not_empty(len(self.image), "image", "a domain context image")

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """The shortest image, START and END, of Xen 4.x in little-endian order."""
        start = bytes.fromhex("0100000000000000 0800000000000000 04000000")
        return cls(image=start + rng.randrange(14, 22).to_bytes(4, "little") + bytes(16))


# ----------------------------------------------------------------------------------- record types


class EndRecord(RecordType[Empty]):
    """The last record of the stream."""

    code, name, body = 0x00, "END", Empty


class X86PvInfoRecord(RecordType[X86PvInfo]):
    """Word size and page tables of a PV guest."""

    code, name, body = 0x02, "X86_PV_INFO", X86PvInfo


class X86PvP2mFramesRecord(RecordType[X86PvP2mFrames]):
    """Where a PV guest keeps its physical-to-machine table."""

    code, name, body = 0x03, "X86_PV_P2M_FRAMES", X86PvP2mFrames


class _X86PvVcpuRecord(RecordType[X86PvVcpu]):
    """A record of one PV vCPU."""

    body = X86PvVcpu

    def judge(
        self, instance: int | None, body: X86PvVcpu, receiver: XenVersion | None
    ) -> Iterable[Problem]:
        """A record without content does nothing; Xen 4.6 to 4.8 wrote some."""
        return _is_empty(len(body.context), "context", 8)


class X86PvVcpuBasicRecord(_X86PvVcpuRecord):
    """Registers of a PV vCPU."""

    code, name = 0x04, "X86_PV_VCPU_BASIC"


class X86PvVcpuExtendedRecord(_X86PvVcpuRecord):
    """Extended state of a PV vCPU: its callbacks and trap entries."""

    code, name = 0x05, "X86_PV_VCPU_EXTENDED"


class X86PvVcpuXsaveRecord(_X86PvVcpuRecord):
    """XSAVE area of a PV vCPU."""

    code, name = 0x06, "X86_PV_VCPU_XSAVE"


class SharedInfoRecord(RecordType[SharedInfoPage]):
    """The shared_info page of a PV guest, in streams before version 4."""

    code, name, body = 0x07, "SHARED_INFO", SharedInfoPage


class X86TscInfoRecord(RecordType[X86TscInfo]):
    """The time-stamp counter, in streams before version 4."""

    code, name, body = 0x08, "X86_TSC_INFO", X86TscInfo


class HvmContextRecord(RecordType[HvmContext]):
    """The HVM context."""

    code, name, body = 0x09, "HVM_CONTEXT", HvmContext


class HvmParamsRecord(RecordType[HvmParams]):
    """The HVM parameters."""

    code, name, body = 0x0A, "HVM_PARAMS", HvmParams

    def judge(
        self, instance: int | None, body: HvmParams, receiver: XenVersion | None
    ) -> Iterable[Problem]:
        """A list without parameters does nothing."""
        return _is_empty(len(body.params), "params", 8)


class ToolstackRecord(RecordType[Toolstack]):
    """State of the toolstack; no receiver takes it any more."""

    code, name, body = 0x0B, "TOOLSTACK", Toolstack
    loadable: ClassVar[bool] = False


class X86PvVcpuMsrsRecord(_X86PvVcpuRecord):
    """Model-specific registers of a PV vCPU."""

    code, name = 0x0C, "X86_PV_VCPU_MSRS"


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


class X86CpuidPolicyRecord(RecordType[X86CpuidPolicy]):
    """The guest's CPUID; since version 3."""

    code, name, body = 0x11, "X86_CPUID_POLICY", X86CpuidPolicy


class X86MsrPolicyRecord(RecordType[X86MsrPolicy]):
    """The guest's view of some registers; since version 3."""

    code, name, body = 0x12, "X86_MSR_POLICY", X86MsrPolicy


class DomainContextRecord(RecordType[DomainContextImage]):
    """A domain context image; since version 4."""

    code, name, body = 0x13, "DOMAIN_CONTEXT", DomainContextImage
    content: ClassVar[Content | None] = Content("domain-context")
