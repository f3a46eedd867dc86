"""Record headers: which bodies can be one, and what is read of them."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from box_records import Box, box
from support import (
    THIRD,
    formats,
)

from domctx_core import (
    Body,
    BufferSource,
    Fault,
    u16,
    u32,
    walk,
)


@pytest.mark.parametrize("fields", [{}, {"type": u32()}, {"length": u32(), "other": u16()}])
def test_a_header_needs_type_and_length(fields: dict[str, Any]) -> None:
    annotations = dict.fromkeys(fields, int)
    header = type("Odd", (Body,), {**fields, "__annotations__": annotations, "__doc__": "Odd."})

    class OddFormat(Box):
        name: ClassVar[str] = "odd"

    OddFormat.header = header  # type: ignore[assignment]
    made = formats()
    made.add("odd", THIRD, OddFormat)
    fault, _ = walk(BufferSource(box()), made)
    assert isinstance(fault, Fault)
    assert fault.needs_plugin
    assert "Odd cannot be a record header" in fault.finding.message
