"""The area of 512 bytes that FXSAVE writes: x87 and SSE registers."""

from __future__ import annotations

from domctx_core import Body, array, blob, reserved, u8, u16, u32, u64

__all__ = ["Fxsave", "St", "Xmm"]


class St(Body):
    """One x87 register of 80 bits; MMX uses its lower 64."""

    mantissa: int = u64(doc="bits 63 to 0", show="hex")
    exponent: int = u16(doc="sign and exponent, bits 79 to 64", show="hex")
    unused: bytes = blob(6, default=bytes(6), doc="bytes that the processor does not use")


class Xmm(Body):
    """One SSE register of 128 bits."""

    low: int = u64(doc="bits 63 to 0", show="hex")
    high: int = u64(doc="bits 127 to 64", show="hex")


class Fxsave(Body):
    """x87 and SSE state as FXSAVE writes it in 64-bit mode."""

    fcw: int = u16(doc="x87 control word", show="hex")
    fsw: int = u16(doc="x87 status word", show="hex")
    ftw: int = u8(doc="x87 tags, a bit a register: 1 is in use", show="hex")
    pad = reserved(1)
    fop: int = u16(doc="opcode of the last x87 instruction", show="hex")
    fip: int = u64(doc="address of the last x87 instruction", show="hex")
    fdp: int = u64(doc="address of its operand", show="hex")
    mxcsr: int = u32(doc="SSE control and status", show="hex")
    mxcsr_mask: int = u32(doc="bits of MXCSR that the processor has", show="hex")
    st: list[St] = array(St, 8, doc="x87 registers, the top of the stack first")
    xmm: list[Xmm] = array(Xmm, 16, doc="SSE registers")
    rest: bytes = blob(96, default=bytes(96), doc="reserved by the processor or left to software")
