"""Runs ahead: equal records that follow each other in a domain context image.

A load takes such a run as one thing, where all that can be wrong with it is proved absent; any
other it takes record by record, so that each error is found and told in one way.
"""

from __future__ import annotations

from typing import Any, TypeVar

from domctx_core.layout.body import Body
from domctx_core.layout.columns.columns import Columns, Frame
from domctx_core.layout.columns.fixed_layout import RowLayout
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.wire import HEADER_SIZE, padding

__all__ = ["LEAST", "MOST", "find_run", "record_frame", "validate_run"]

B = TypeVar("B", bound=Body)

LEAST = 8
"""Records from which on a run is worth the while."""

MOST = 16384
"""Records of one run: as many as go through a processor's cache well."""


def record_frame(layout: RowLayout[Any]) -> Frame:
    """How records with such a body lie in a domain context image."""
    return Frame(HEADER_SIZE + layout.size + padding(layout.size), HEADER_SIZE, 4)


def find_run(
    window: bytes, start: int, layout: RowLayout[B], frame: Frame, byteorder: ByteOrder
) -> Columns[B] | None:
    """The run of records that begins with the record at `start`, of the length of `layout`.

    None where fewer than `LEAST` records of its type and length follow each other there. Nothing
    but their headers has been looked at.
    """
    stride = frame.stride
    last = start + (LEAST - 1) * stride
    type_, length = window[start : start + 4], window[start + 8 : start + 16]
    if window[last : last + 4] != type_ or window[last + 8 : last + 16] != length:
        return None
    most = min(MOST, (len(window) - start) // stride)
    view = memoryview(window)[start : start + most * stride]
    types = view.cast("I")[:: stride // 4]
    lengths = view.cast("Q")[1 :: stride // 8]

    def equal(first: int, end: int) -> bool:
        count = end - first
        return (
            types[first:end].tobytes() == type_ * count
            and lengths[first:end].tobytes() == length * count
        )

    count, step = 0, LEAST
    while count < most and equal(count, min(count + step, most)):
        count = min(count + step, most)
        step *= 4
    if count < most:  # the run ends within this step
        step = min(step, most - count)
        while step > 1:
            step = (step + 1) // 2
            if count + step <= most and equal(count, count + step):
                count += step
    if count < LEAST:
        return None
    raw = window[start : start + count * stride]
    return Columns.of_records(layout, raw, frame, byteorder)


def validate_run(run: Columns[Any]) -> bool:
    """Whether no record of the run breaks a rule of its layout, and all padding is zero."""
    frame, raw = run.frame, run.raw
    pad = padding(run.layout.size)
    if not run.sound or any(
        raw[at :: frame.stride].strip(b"\0") for at in range(frame.stride - pad, frame.stride)
    ):
        return False
    number = slice(frame.instance, frame.instance + 4)
    header = raw[: number.start] + bytes(4) + raw[number.stop : frame.body]
    run.known_as(header + bytes(frame.stride - frame.body))
    return True
