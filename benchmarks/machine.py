"""What the figures were made on."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata

from benchmarks.floor import compiler

__all__ = ["machine", "versions"]

PEERS = ("construct", "kaitaistruct", "dissect.cstruct", "dataclasses-struct")
OURS = ("domctx-core", "click", "importlib-metadata", "pluggy")


def machine() -> dict[str, str]:
    """Processor, cores, memory and operating system."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}",
        "distribution": _distribution(),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def versions() -> dict[str, str]:
    """Python, the compiler, domctx and the libraries that it is compared with."""
    found = {"Python": f"{platform.python_implementation()} {platform.python_version()}"}
    cc = compiler()
    if cc is not None:
        done = subprocess.run([cc, "--version"], capture_output=True, text=True, check=False)
        found["C compiler"] = done.stdout.partition("\n")[0]
    for name in (*OURS, *PEERS):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
