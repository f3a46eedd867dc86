"""Images to compare, and a bulk record type."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path

from environments import ROOT

from domctx_core import (
    BufferSource,
    Diff,
    Formats,
    Host,
    Image,
    diff_images,
    read_image,
)
from domctx_core.testing import CommandRunner, ImageBuilder

CAPTURES = ROOT / "examples/xen-4.17"


PV1 = CAPTURES / "pv1/pv1.save.no-pages"


UNKNOWN = 0x80000001


def tsc(nsec: int = 5, incarnation: int = 1, khz: int = 2_400_000) -> bytes:
    return struct.pack("<IIQI", 0, khz, nsec, incarnation)


def channel(state: int, binding: bytes = b"", flags: int = 0) -> bytes:
    return struct.pack("<IIIBB2x16s", state, 0, flags, 7, 0, binding)


Make = Callable[[str, bytes | ImageBuilder], Path]


def without_vcpu(domctx_cli: CommandRunner, folder: Path) -> Path:
    """pv1 without a record of its first vCPU."""
    path = folder / "without"
    drop = ("--force", "--drop", "X86_PV_VCPU_EXTENDED[0]")
    assert domctx_cli("edit", PV1, "-o", path, *drop).status == 0
    return path


def image() -> ImageBuilder:
    return ImageBuilder().start(4, 17)


@cache
def formats() -> Formats:
    return Host().formats


def tree(data: bytes) -> Image:
    return read_image(BufferSource(data), formats())


def diff(a: bytes, b: bytes) -> Diff:
    return diff_images(tree(a), tree(b))


def rows(found: Diff) -> list[str]:
    """Everything that was found, in an order that does not depend on which image came first."""
    shown = found.to_json()
    for container in shown["containers"]:
        container["records"].sort(key=json.dumps)
        for record in container["records"]:
            record["changes"].sort(key=json.dumps)
        container["changes"].sort(key=json.dumps)
    return sorted(map(json.dumps, shown["containers"]))
