"""A valid document, edits of it, and the faults that are found in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from environments import ROOT

from domctx_core import (
    BufferSource,
    DocumentError,
    Formats,
    MemorySaveOps,
    decode_image,
    decode_lines,
    encode_image,
    save_domain,
)
from domctx_core.base.errors import DocumentFault
from domctx_core.host.host import Host

PV1 = ROOT / "examples/xen-4.17/pv1/pv1.save.no-pages"


Edit = Callable[[dict[str, Any]], None]


@cache
def formats() -> Formats:
    return Host().formats


@cache
def _document() -> str:
    """START, SHARED_INFO, TSC_INFO, EVTCHN_ABI, 6 EVENT_CHANNEL, END."""
    host = Host()
    ops = MemorySaveOps()
    save_domain(host.open_domain("sim:seed=1,channels=6", "save"), ops, host.registry)
    return json.dumps(decode_image(BufferSource(ops.image), formats()))


def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(_document())
    return made


def faults(value: Any, **options: Any) -> list[DocumentFault]:
    with pytest.raises(DocumentError) as raised:
        encode_image(value, formats(), **options)
    return list(raised.value.faults)


def stream() -> dict[str, Any]:
    """The capture of a PV guest: xl, libxl, libxc."""
    return decode_image(BufferSource(PV1.read_bytes()), formats())


def lines() -> list[dict[str, Any]]:
    return list(decode_lines(BufferSource(PV1.read_bytes()), formats()))
