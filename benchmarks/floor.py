"""The C program of floor.c, compiled where there is a compiler."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["build", "compiler", "read"]


def compiler() -> str | None:
    """The C compiler of this machine, if it has one and can run the program."""
    if sys.byteorder != "little":
        return None
    return shutil.which(os.environ.get("CC", "cc"))


def build(folder: Path) -> Path | None:
    """The program, compiled into `folder`; None without a compiler."""
    cc = compiler()
    if cc is None:
        return None
    program = folder / "floor"
    source = Path(__file__).with_name("floor.c")
    subprocess.run([cc, "-O2", "-std=gnu11", "-o", str(program), str(source)], check=True)
    return program


def read(output: str) -> tuple[float, dict[str, int]]:
    """Seconds and totals from what the program prints."""
    ns, records, size, instances, fields = map(int, output.split())
    totals = {"records": records, "bytes": size, "instances": instances, "fields": fields}
    return ns / 1e9, totals
