"""Find runs: consecutive records of one type and length in a domain context image.

A load takes a run as a whole if it is known to be valid; any other it takes record by record, so
that there is one place for each error.
"""

from __future__ import annotations

from typing import Any, TypeVar

from domctx_core.layout.body import Body
from domctx_core.layout.columns.columns import Columns
from domctx_core.layout.columns.fixed_layout import FixedLayout, Frame
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.wire import HEADER_SIZE, padding

__all__ = ["LEAST", "MOST", "find_run", "record_frame", "validate_run"]

B = TypeVar("B", bound=Body)

LEAST = 8
"""Records of the shortest run that is worth its cost."""

MOST = 16384
"""Records of the longest run: as many as fit well into a processor's cache."""


def record_frame(layout: FixedLayout[Any]) -> Frame:
    """Return how records with such a body follow each other in a domain context image."""
    return Frame(HEADER_SIZE + layout.size + padding(layout.size), HEADER_SIZE, 4)


def find_run(
    window: bytes, start: int, layout: FixedLayout[B], frame: Frame, byteorder: ByteOrder
) -> Columns[B] | None:
    """Return the run that begins with the record at `start`, whose length is that of `layout`.

    None if there are fewer than `LEAST` consecutive records of its type and length. Only their
    headers have been looked at.
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
    """Return whether all records of the run keep the rules of their layout, and all padding is zero."""
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
