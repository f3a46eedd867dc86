"""Registers of an x86 vCPU as the hypervisor's public structures hold them.

Integers are in the byte order of the stream. Where the structures leave room for alignment, the
bytes are kept as they are: the hypervisor does not clear all of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from domctx_core import Body, array, blob, u8, u16, u32, u64

__all__ = [
    "MSR_NAMES",
    "ControlRegisters32",
    "ControlRegisters64",
    "DebugRegisters32",
    "DebugRegisters64",
    "Fxsave",
    "St",
    "Trap32",
    "Trap64",
    "UserRegs32",
    "UserRegs64",
    "Xmm",
    "bit_names",
    "msr_name",
    "state_components",
]

MSR_NAMES: Mapping[int, str] = {
    0x000000CE: "PLATFORM_INFO",
    0x0000010A: "ARCH_CAPABILITIES",
    0x00000048: "SPEC_CTRL",
    0x00000140: "MISC_FEATURES_ENABLES",
    0x00000174: "SYSENTER_CS",
    0x00000175: "SYSENTER_ESP",
    0x00000176: "SYSENTER_EIP",
    0x00000DA0: "XSS",
    0xC0000080: "EFER",
    0xC0000081: "STAR",
    0xC0000082: "LSTAR",
    0xC0000083: "CSTAR",
    0xC0000084: "SYSCALL_MASK",
    0xC0000100: "FS_BASE",
    0xC0000101: "GS_BASE",
    0xC0000102: "KERNEL_GS_BASE",
    0xC0000103: "TSC_AUX",
    0xC0011019: "DR1_ADDRESS_MASK",
    0xC001101A: "DR2_ADDRESS_MASK",
    0xC001101B: "DR3_ADDRESS_MASK",
    0xC0011027: "DR0_ADDRESS_MASK",
}
"""Registers that Xen puts into a stream, by number."""

_COMPONENTS = {
    0: "x87", 1: "SSE", 2: "AVX", 3: "BNDREGS", 4: "BNDCSR", 5: "opmask", 6: "ZMM_Hi256",
    7: "Hi16_ZMM", 9: "PKRU", 11: "CET_U", 12: "CET_S", 17: "XTILECFG", 18: "XTILEDATA", 62: "LWP",
}  # fmt: skip


def msr_name(index: int) -> str:
    """Return the name of a model-specific register; its number where it has none here."""
    return MSR_NAMES.get(index, f"{index:#x}")


def state_components(mask: int) -> str:
    """Return the components in a mask such as XCR0, as `x87, SSE, AVX`."""
    return bit_names(mask, _COMPONENTS)


def bit_names(value: int, names: Mapping[int, str]) -> str:
    """Return the bits that are set, by name or as `bit N`; `none` where none is."""
    bits = (bit for bit in range(value.bit_length()) if value >> bit & 1)
    return ", ".join(names.get(bit, f"bit {bit}") for bit in bits) or "none"


class St(Body):
    """One x87 register of 80 bits; MMX uses its lower 64."""

    mantissa: int = u64(doc="bits 63 to 0", show="hex")
    exponent: int = u16(doc="sign and exponent, bits 79 to 64", show="hex")
    unused: bytes = blob(6, default=bytes(6), doc="not used by the processor")


class Xmm(Body):
    """One SSE register of 128 bits."""

    low: int = u64(doc="bits 63 to 0", show="hex")
    high: int = u64(doc="bits 127 to 64", show="hex")


class Fxsave(Body):
    """The 512 bytes that FXSAVE writes in 64-bit mode."""

    fcw: int = u16(doc="x87 control word", show="hex")
    fsw: int = u16(doc="x87 status word", show="hex")
    ftw: int = u8(doc="x87 tags, a bit a register: 1 is in use", show="hex")
    pad: bytes = blob(1, default=bytes(1), doc="not used")
    fop: int = u16(doc="opcode of the last x87 instruction", show="hex")
    fip: int = u64(doc="address of the last x87 instruction", show="hex")
    fdp: int = u64(doc="address of its operand", show="hex")
    mxcsr: int = u32(doc="SSE control and status", show="hex")
    mxcsr_mask: int = u32(doc="bits of MXCSR that the processor has", show="hex")
    st: list[St] = array(St, 8, doc="x87 registers, the top of the stack first")
    xmm: list[Xmm] = array(Xmm, 16, doc="SSE registers")
    rest: bytes = blob(96, default=bytes(96), doc="reserved by the processor or left to software")


class UserRegs64(Body):
    """General registers of a 64-bit vCPU, 200 bytes."""

    r15: int = u64(doc="general register", show="hex")
    r14: int = u64(doc="general register", show="hex")
    r13: int = u64(doc="general register", show="hex")
    r12: int = u64(doc="general register", show="hex")
    rbp: int = u64(doc="general register", show="hex")
    rbx: int = u64(doc="general register", show="hex")
    r11: int = u64(doc="general register", show="hex")
    r10: int = u64(doc="general register", show="hex")
    r9: int = u64(doc="general register", show="hex")
    r8: int = u64(doc="general register", show="hex")
    rax: int = u64(doc="general register", show="hex")
    rcx: int = u64(doc="general register", show="hex")
    rdx: int = u64(doc="general register", show="hex")
    rsi: int = u64(doc="general register", show="hex")
    rdi: int = u64(doc="general register", show="hex")
    error_code: int = u32(doc="the hypervisor's own", show="hex")
    entry_vector: int = u32(doc="the hypervisor's own", show="hex")
    rip: int = u64(doc="address of the next instruction", show="hex")
    cs: int = u16(doc="segment selector", show="hex")
    pad0: bytes = blob(2, default=bytes(2), doc="alignment")
    saved_upcall_mask: int = u8(doc="whether events are masked; the opposite of RFLAGS.IF")
    pad1: bytes = blob(3, default=bytes(3), doc="alignment")
    rflags: int = u64(doc="flags", show="hex")
    rsp: int = u64(doc="stack pointer", show="hex")
    ss: int = u16(doc="segment selector", show="hex")
    pad2: bytes = blob(6, default=bytes(6), doc="alignment")
    es: int = u16(doc="segment selector", show="hex")
    pad3: bytes = blob(6, default=bytes(6), doc="alignment")
    ds: int = u16(doc="segment selector", show="hex")
    pad4: bytes = blob(6, default=bytes(6), doc="alignment")
    fs: int = u16(doc="segment selector", show="hex")
    pad5: bytes = blob(6, default=bytes(6), doc="alignment")
    gs: int = u16(doc="segment selector", show="hex")
    pad6: bytes = blob(6, default=bytes(6), doc="alignment")


class UserRegs32(Body):
    """General registers of a 32-bit vCPU, 68 bytes."""

    ebx: int = u32(doc="general register", show="hex")
    ecx: int = u32(doc="general register", show="hex")
    edx: int = u32(doc="general register", show="hex")
    esi: int = u32(doc="general register", show="hex")
    edi: int = u32(doc="general register", show="hex")
    ebp: int = u32(doc="general register", show="hex")
    eax: int = u32(doc="general register", show="hex")
    error_code: int = u16(doc="the hypervisor's own", show="hex")
    entry_vector: int = u16(doc="the hypervisor's own", show="hex")
    eip: int = u32(doc="address of the next instruction", show="hex")
    cs: int = u16(doc="segment selector", show="hex")
    saved_upcall_mask: int = u8(doc="whether events are masked; the opposite of EFLAGS.IF")
    pad0: bytes = blob(1, default=bytes(1), doc="alignment")
    eflags: int = u32(doc="flags", show="hex")
    esp: int = u32(doc="stack pointer", show="hex")
    ss: int = u16(doc="segment selector", show="hex")
    pad1: bytes = blob(2, default=bytes(2), doc="alignment")
    es: int = u16(doc="segment selector", show="hex")
    pad2: bytes = blob(2, default=bytes(2), doc="alignment")
    ds: int = u16(doc="segment selector", show="hex")
    pad3: bytes = blob(2, default=bytes(2), doc="alignment")
    fs: int = u16(doc="segment selector", show="hex")
    pad4: bytes = blob(2, default=bytes(2), doc="alignment")
    gs: int = u16(doc="segment selector", show="hex")
    pad5: bytes = blob(2, default=bytes(2), doc="alignment")


class Trap64(Body):
    """One entry of the virtual interrupt table of a 64-bit vCPU; address 0: no handler."""

    vector: int = u8(doc="exception or interrupt vector", show="hex")
    flags: int = u8(
        doc="bits 1 to 0: least privileged level that may call it; bit 2: events get masked"
    )
    cs: int = u16(doc="selector of the handler's code segment", show="hex")
    pad: bytes = blob(4, default=bytes(4), doc="alignment")
    address: int = u64(doc="address of the handler", show="hex")


class Trap32(Body):
    """One entry of the virtual interrupt table of a 32-bit vCPU; address 0: no handler."""

    vector: int = u8(doc="exception or interrupt vector", show="hex")
    flags: int = u8(
        doc="bits 1 to 0: least privileged level that may call it; bit 2: events get masked"
    )
    cs: int = u16(doc="selector of the handler's code segment", show="hex")
    address: int = u32(doc="offset of the handler", show="hex")


class ControlRegisters64(Body):
    """Control registers of a 64-bit vCPU."""

    cr0: int = u64(doc="control register 0", show="hex")
    cr1: int = u64(doc="root of the user-mode page tables, as in CR3", show="hex")
    cr2: int = u64(doc="address of the last page fault", show="hex")
    cr3: int = u64(doc="root of the page tables: frame number shifted left by 12", show="hex")
    cr4: int = u64(doc="control register 4", show="hex")
    cr5: int = u64(doc="not used", show="hex")
    cr6: int = u64(doc="not used", show="hex")
    cr7: int = u64(doc="not used", show="hex")


class ControlRegisters32(Body):
    """Control registers of a 32-bit vCPU."""

    cr0: int = u32(doc="control register 0", show="hex")
    cr1: int = u32(doc="not used", show="hex")
    cr2: int = u32(doc="address of the last page fault", show="hex")
    cr3: int = u32(doc="root of the page tables: frame number rotated left by 12", show="hex")
    cr4: int = u32(doc="control register 4", show="hex")
    cr5: int = u32(doc="not used", show="hex")
    cr6: int = u32(doc="not used", show="hex")
    cr7: int = u32(doc="not used", show="hex")


class DebugRegisters64(Body):
    """Debug registers of a 64-bit vCPU."""

    dr0: int = u64(doc="address of breakpoint 0", show="hex")
    dr1: int = u64(doc="address of breakpoint 1", show="hex")
    dr2: int = u64(doc="address of breakpoint 2", show="hex")
    dr3: int = u64(doc="address of breakpoint 3", show="hex")
    dr4: int = u64(doc="not used", show="hex")
    dr5: int = u64(doc="I/O breakpoints that the hypervisor emulates", show="hex")
    dr6: int = u64(doc="debug status", show="hex")
    dr7: int = u64(doc="debug control", show="hex")


class DebugRegisters32(Body):
    """Debug registers of a 32-bit vCPU."""

    dr0: int = u32(doc="address of breakpoint 0", show="hex")
    dr1: int = u32(doc="address of breakpoint 1", show="hex")
    dr2: int = u32(doc="address of breakpoint 2", show="hex")
    dr3: int = u32(doc="address of breakpoint 3", show="hex")
    dr4: int = u32(doc="not used", show="hex")
    dr5: int = u32(doc="I/O breakpoints that the hypervisor emulates", show="hex")
    dr6: int = u32(doc="debug status", show="hex")
    dr7: int = u32(doc="debug control", show="hex")
