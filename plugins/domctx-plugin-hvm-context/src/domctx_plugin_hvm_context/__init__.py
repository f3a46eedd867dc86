"""The HVM context of Xen's x86 guests as a format of domctx.

The format is `HvmContext`; the bodies and record types are in the modules `header`, `cpu`,
`interrupts`, `lapic`, `timers`, `mtrr`, `viridian`, `xsave` and `msrs`, and the check across the
records in `checks`.
"""

from domctx_plugin_hvm_context.format import HvmContext

__all__ = ["HvmContext"]
