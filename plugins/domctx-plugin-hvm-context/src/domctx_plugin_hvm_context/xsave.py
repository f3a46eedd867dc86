"""CPU_XSAVE: extended registers of a vCPU, as XSAVE writes them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import ClassVar, Self

from domctx_core import (
    Errno,
    Instances,
    Problem,
    RecordType,
    Severity,
    blob,
    nested,
    reserved,
    u64,
)
from domctx_plugin_hvm_context.bodies import PER_VCPU, HvmBody
from domctx_plugin_hvm_context.fpu import Fxsave

__all__ = ["EXTENDED", "CpuXsave", "CpuXsaveRecord", "component_names"]

EXTENDED = 600
"""Offset in the body of what follows the XSAVE header."""

_COMPONENTS = {
    0: "x87", 1: "SSE", 2: "AVX", 3: "BNDREGS", 4: "BNDCSR", 5: "opmask", 6: "ZMM_Hi256",
    7: "Hi16_ZMM", 8: "PT", 9: "PKRU", 10: "PASID", 11: "CET_U", 12: "CET_S", 13: "HDC",
    14: "UINTR", 15: "LBR", 16: "HWP", 17: "XTILECFG", 18: "XTILEDATA", 62: "LWP",
}  # fmt: skip

_AVX = 1 << 2
_AVX_SIZE = 256
_FIXED_PLACES = 0b111
"""Components whose place and size are the same on every processor: x87, SSE and AVX."""


def component_names(mask: int) -> list[str]:
    """Return the names of the state components in a mask such as XCR0; `bit N` where there is none."""
    return [_COMPONENTS.get(bit, f"bit {bit}") for bit in range(64) if mask >> bit & 1]


class CpuXsave(HvmBody):
    """XCR0 and the XSAVE area of a vCPU, in the standard format: at least 600 bytes."""

    must_be_zero: ClassVar[frozenset[str]] = frozenset({"xsave_reserved"})
    errnos: ClassVar[Mapping[str, Errno]] = {"body-too-short": Errno.EINVAL}

    xfeature_mask: int = u64(doc="components that the saver's processor has; ignored", show="hex")
    xcr0: int = u64(doc="components that the guest has enabled", show="hex")
    xcr0_accum: int = u64(doc="components that it has ever enabled", show="hex")
    legacy: Fxsave = nested(Fxsave, doc="x87 and SSE registers")
    xstate_bv: int = u64(doc="components that are not in their initial state", show="hex")
    xcomp_bv: int = u64(doc="compacted format, which is refused; 0", show="hex")
    xsave_reserved = reserved(48)
    extended: bytes = blob(doc="AVX and the other components, each at its place")

    def check(self) -> Iterable[Problem]:
        """Check that the masks fit each other, and nothing stands after the area that they need."""
        for name in ("xcr0", "xstate_bv"):
            extra = getattr(self, name) & ~self.xcr0_accum
            if extra:
                yield Problem(
                    "field-out-of-range",
                    f"`{name}` has components that `xcr0_accum` lacks:"
                    f" {', '.join(component_names(extra))}",
                    field=name,
                    expected=f"no bits but {self.xcr0_accum:#x}",
                    actual=hex(getattr(self, name)),
                )
        if self.xcomp_bv:
            yield Problem(
                "field-out-of-range",
                "the area is in the compacted format",
                field="xcomp_bv",
                expected=0,
                actual=hex(self.xcomp_bv),
                errno=Errno.EOPNOTSUPP,
            )
        yield from self._excess()

    def _excess(self) -> Iterable[Problem]:
        if self.xcr0_accum & ~_FIXED_PLACES:
            return  # how much these take depends on the saver's processor, which is not known here
        needed = _AVX_SIZE if self.xcr0_accum & _AVX else 0
        excess = self.extended[needed:]
        if not excess:
            return
        zeros = len(excess) - len(excess.lstrip(b"\0"))
        if zeros == len(excess):
            yield Problem(
                "body-not-consumed",
                f"{len(excess)} bytes of zeros follow after the area that `xcr0_accum` needs; Xen"
                " passes over them",
                EXTENDED + needed,
                "extended",
                expected=f"{EXTENDED + needed} bytes",
                actual=f"{self.size()} bytes",
                severity=Severity.WARNING,
            )
        else:
            yield Problem(
                "body-not-consumed",
                "bytes that are not zero follow after the area that `xcr0_accum` needs",
                EXTENDED + needed + zeros,
                "extended",
                expected=f"{EXTENDED + needed} bytes, or zeros after them",
                actual=f"{self.size()} bytes",
                errno=Errno.EOPNOTSUPP,
            )

    def summary(self) -> Mapping[str, str]:
        """Return the components by name."""
        return {
            "enabled": ", ".join(component_names(self.xcr0)) or "none",
            "in use": ", ".join(component_names(self.xstate_bv)) or "none",
        }

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a vCPU with x87 and SSE, and perhaps AVX."""
        accum = rng.choice([0b011, 0b111])
        return cls(
            xfeature_mask=0b111,
            xcr0=accum,
            xcr0_accum=accum,
            legacy=Fxsave.example(rng),
            xstate_bv=rng.getrandbits(3) & accum,
            xcomp_bv=0,
            extended=rng.randbytes(_AVX_SIZE if accum & _AVX else 0),
        )


class CpuXsaveRecord(RecordType[CpuXsave]):
    """Extended registers of a vCPU that has enabled XSAVE; also of others, before Xen 4.12."""

    code, name, body = 16, "CPU_XSAVE", CpuXsave
    instances: ClassVar[Instances] = PER_VCPU
