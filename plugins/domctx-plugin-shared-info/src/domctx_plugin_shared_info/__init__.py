"""SHARED_INFO, type code 2: the page that Xen shares with a guest."""

from __future__ import annotations

from domctx_plugin_shared_info.body import SharedInfo, SharedInfoFlags, simulated_bits
from domctx_plugin_shared_info.layouts import (
    ArchSharedInfoX86_32,
    ArchSharedInfoX86_64,
    ArchVcpuInfoX86_32,
    ArchVcpuInfoX86_64,
    SharedInfoArm,
    SharedInfoCompat,
    SharedInfoX86_64,
    VcpuInfoArm,
    VcpuInfoX86_32,
    VcpuInfoX86_64,
    VcpuTimeInfo,
)
from domctx_plugin_shared_info.record import SharedInfoRecord

__all__ = [
    "ArchSharedInfoX86_32",
    "ArchSharedInfoX86_64",
    "ArchVcpuInfoX86_32",
    "ArchVcpuInfoX86_64",
    "SharedInfo",
    "SharedInfoArm",
    "SharedInfoCompat",
    "SharedInfoFlags",
    "SharedInfoRecord",
    "SharedInfoX86_64",
    "VcpuInfoArm",
    "VcpuInfoX86_32",
    "VcpuInfoX86_64",
    "VcpuTimeInfo",
    "simulated_bits",
]
