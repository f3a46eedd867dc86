"""CPUID and MSR policies of the libxc stream, since version 3: what the guest sees of its processor."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Self

from domctx_core import Body, Problem, RecordType, array, u32, u64
from domctx_plugin_xen_streams.x86_regs import msr_name

__all__ = [
    "CpuidLeaf",
    "MsrEntry",
    "X86CpuidPolicy",
    "X86CpuidPolicyRecord",
    "X86MsrPolicy",
    "X86MsrPolicyRecord",
]

_BRAND = (0x80000002, 0x80000003, 0x80000004)
"""Leaves that spell the processor's name."""


def _characters(*registers: int) -> str:
    """Return the text in registers, from the lowest byte of the first; `.` for what cannot be printed."""
    raw = b"".join(register.to_bytes(4, "little") for register in registers).rstrip(b"\0")
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in raw)


def _not_empty(size: int, name: str, at_least: str) -> Iterable[Problem]:
    if not size:
        yield Problem(
            "body-too-short", f"`{name}` is empty", field=name, expected=at_least, actual="nothing"
        )


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

    def summary(self) -> Mapping[str, str]:
        """Return the processor's vendor and name, where the leaves have them."""
        by_leaf = {leaf.leaf: leaf for leaf in reversed(self.leaves)}
        summary = {}
        if 0 in by_leaf:
            first = by_leaf[0]
            summary["vendor"] = _characters(first.ebx, first.edx, first.ecx)
        if all(number in by_leaf for number in _BRAND):
            words = (by_leaf[number] for number in _BRAND)
            summary["processor"] = "".join(
                _characters(leaf.eax, leaf.ebx, leaf.ecx, leaf.edx) for leaf in words
            ).strip()
        return summary

    def check(self) -> Iterable[Problem]:
        """Check that there is at least one leaf."""
        return _not_empty(len(self.leaves), "leaves", "at least one leaf of 24 bytes")

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a few made-up leaves."""
        return cls(leaves=[CpuidLeaf.example(rng) for _ in range(rng.randint(1, 4))])


class MsrEntry(Body):
    """The value of one model-specific register."""

    index: int = u32(doc="number of the register", show="hex")
    flags: int = u32(doc="none are defined", show="hex")
    value: int = u64(doc="its value", show="hex")


class X86MsrPolicy(Body):
    """What the guest reads from the registers that describe its processor."""

    msrs: list[MsrEntry] = array(MsrEntry, doc="the registers")

    def summary(self) -> Mapping[str, str]:
        """Return the registers by name."""
        return {msr_name(msr.index): f"{msr.value:#x}" for msr in self.msrs}

    def check(self) -> Iterable[Problem]:
        """Check that there is at least one register."""
        return _not_empty(len(self.msrs), "msrs", "at least one entry of 16 bytes")

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a few made-up registers."""
        return cls(msrs=[MsrEntry.example(rng) for _ in range(rng.randint(1, 4))])


class X86CpuidPolicyRecord(RecordType[X86CpuidPolicy]):
    """The guest's CPUID; since version 3."""

    code, name, body = 0x11, "X86_CPUID_POLICY", X86CpuidPolicy


class X86MsrPolicyRecord(RecordType[X86MsrPolicy]):
    """The guest's view of some registers; since version 3."""

    code, name, body = 0x12, "X86_MSR_POLICY", X86MsrPolicy
