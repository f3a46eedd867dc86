"""The check across the records of one HVM context, and the hook that brings it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from domctx_core import Check, CheckDeclaration, Problem, RecordView, Rule, Run, Severity, hookimpl

__all__ = ["RULES", "HvmContextCheck", "domctx_checks"]

CPU, LAPIC, LAPIC_REGS = 2, 5, 6

_PER_VCPU = frozenset({CPU, LAPIC, LAPIC_REGS, 14, 16, 17, 18, 19, 20})

RULES = (
    Rule(
        "hvm-context/vcpu-down",
        Severity.NOTE,
        None,
        "a vCPU is down",
        "There are records of this vCPU and no CPU record among them: it was down (not yet started,"
        " or taken offline) when the context was saved, and stays down where it is loaded.",
        "Nothing, unless the vCPU is known to have been up: then its CPU record is lost.",
        "LAPIC[1] and MTRR[1], but CPU[0] only: a guest that was saved in its firmware",
    ),
    Rule(
        "hvm-context/lapic-missing",
        Severity.WARNING,
        None,
        "a vCPU has no local APIC",
        "A CPU record brings the vCPU up, and LAPIC or LAPIC_REGS is missing for it. Xen loads such"
        " a context; the local APIC then keeps its reset state, and interrupts may be lost.",
        "Save again. If an editor made the context, let it keep both records of each vCPU.",
        "CPU[0] without LAPIC[0]",
    ),
)
"""The rules of the check."""


class HvmContextCheck(Check):
    """Which vCPUs have which records."""

    format: ClassVar[str] = "hvm-context"
    codes: ClassVar[frozenset[int]] = _PER_VCPU
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __init__(self) -> None:
        self._seen: dict[int, dict[int, RecordView]] = {}

    def record(self, seen: RecordView) -> Iterable[Problem]:
        """Remember the first record of each type and vCPU."""
        if seen.instance is not None:
            self._seen.setdefault(seen.instance, {}).setdefault(seen.code, seen)
        return ()

    def records(self, run: Run) -> Iterable[tuple[int, Problem]]:
        """Remember the first record of each vCPU in a run of one type."""
        for number, vcpu in enumerate(run.instances):
            known = self._seen.setdefault(vcpu, {})
            if run.code not in known:
                known[run.code] = run.outline(number)
        return ()

    def end(self) -> Iterable[tuple[RecordView | None, Problem]]:
        """Report which vCPUs are down, and which lack their local APIC."""
        for vcpu, records in sorted(self._seen.items()):
            if CPU not in records:
                first = min(records.values(), key=lambda seen: seen.offset)
                names = ", ".join(seen.name for _, seen in sorted(records.items()))
                message = f"vCPU {vcpu} is down: it has {names}, and no CPU record"
                yield first, Problem("hvm-context/vcpu-down", message)
                continue
            missing = [
                name
                for code, name in ((LAPIC, "LAPIC"), (LAPIC_REGS, "LAPIC_REGS"))
                if code not in records
            ]
            if missing:
                yield (
                    records[CPU],
                    Problem(
                        "hvm-context/lapic-missing",
                        f"vCPU {vcpu} is up, and has no {' and no '.join(missing)} record",
                        expected=" and ".join(f"{name}[{vcpu}]" for name in missing),
                        actual="none",
                    ),
                )


@hookimpl
def domctx_checks() -> list[CheckDeclaration]:
    """Return the check that this distribution brings."""
    return [CheckDeclaration(HvmContextCheck)]
