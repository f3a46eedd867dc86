"""MTRR: the memory types of a vCPU."""

from __future__ import annotations

from typing import ClassVar

from domctx_core import Body, Instances, RecordType, array, nested, u64
from domctx_plugin_hvm_context.bodies import PER_VCPU, HvmBody

__all__ = ["FixedRanges", "Mtrr", "MtrrRecord", "VariableRange"]


class VariableRange(Body):
    """One variable range."""

    base: int = u64(doc="address and memory type", show="hex")
    mask: int = u64(doc="mask of the address, bit 11: valid", show="hex")


class FixedRanges(Body):
    """Memory types of the first MiB: each register has eight, a byte each."""

    fix64k_00000: int = u64(doc="0x00000 to 0x7ffff, 64 KiB each", show="hex")
    fix16k_80000: int = u64(doc="0x80000 to 0x9ffff, 16 KiB each", show="hex")
    fix16k_a0000: int = u64(doc="0xa0000 to 0xbffff, 16 KiB each", show="hex")
    fix4k_c0000: int = u64(doc="0xc0000 to 0xc7fff, 4 KiB each", show="hex")
    fix4k_c8000: int = u64(doc="0xc8000 to 0xcffff, 4 KiB each", show="hex")
    fix4k_d0000: int = u64(doc="0xd0000 to 0xd7fff, 4 KiB each", show="hex")
    fix4k_d8000: int = u64(doc="0xd8000 to 0xdffff, 4 KiB each", show="hex")
    fix4k_e0000: int = u64(doc="0xe0000 to 0xe7fff, 4 KiB each", show="hex")
    fix4k_e8000: int = u64(doc="0xe8000 to 0xeffff, 4 KiB each", show="hex")
    fix4k_f0000: int = u64(doc="0xf0000 to 0xf7fff, 4 KiB each", show="hex")
    fix4k_f8000: int = u64(doc="0xf8000 to 0xfffff, 4 KiB each", show="hex")


class Mtrr(HvmBody):
    """Memory type range registers, and the page attribute table."""

    msr_pat_cr: int = u64(doc="MSR PAT: eight memory types, a byte each", show="hex")
    variable: list[VariableRange] = array(VariableRange, 8, doc="variable ranges")
    fixed: FixedRanges = nested(FixedRanges, doc="fixed ranges")
    msr_mtrr_cap: int = u64(doc="MSR MTRRcap: number of ranges, features", show="hex")
    msr_mtrr_def_type: int = u64(doc="MSR MTRRdefType: default type, enables", show="hex")


class MtrrRecord(RecordType[Mtrr]):
    """The memory types of a vCPU."""

    code, name, body = 14, "MTRR", Mtrr
    instances: ClassVar[Instances] = PER_VCPU
