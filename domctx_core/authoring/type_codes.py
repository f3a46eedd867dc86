"""The allocation of type codes in the domain context.

Only uniqueness is enforced; `plugins check` reports a code outside its range.
"""

from __future__ import annotations

__all__ = ["ALLOCATED", "PRIVATE", "THIRD_PARTY", "code_fault"]

ALLOCATED = {
    0: "domctx-core",
    1: "domctx-core",
    2: "domctx-plugin-shared-info",
    3: "domctx-plugin-tsc-info",
    4: "domctx-plugin-event-channel",
    5: "domctx-plugin-event-channel",
}
"""The allocated codes below 0x100, by distribution; the others there are Xen's."""

THIRD_PARTY = range(0x100, 0x8000_0000)
"""Codes that a third party may take; it lists them in the documentation."""

PRIVATE = range(0x8000_0000, 0x1_0000_0000)
"""Codes for private use."""


def code_fault(code: int, dist: str | None) -> str | None:
    """Return what is wrong with `dist` using a code; None if nothing is."""
    if code in THIRD_PARTY or code in PRIVATE or (dist is not None and ALLOCATED.get(code) == dist):
        return None
    return (
        f"type code {code:#x} is reserved for Xen and domctx itself; take one from"
        f" {THIRD_PARTY.start:#x} to {THIRD_PARTY.stop - 1:#x}"
    )
