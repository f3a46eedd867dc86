"""Proofs: the pattern of bytes that the valid records of a type have.

It is made of the layout of a body of fixed size, so that records can be validated without a body
being made of any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from domctx_core.layout.codegen.regex import (
    any_bytes,
    body_pattern,
    number_pattern,
    zeros,
)
from domctx_core.layout.codegen.source import NotApplicable
from domctx_core.layout.columns.fixed_layout import FixedLayout
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.check import Check
from domctx_core.model.overrides import prefers_batch
from domctx_core.model.record_type import RecordType
from domctx_core.model.traits import Traits
from domctx_core.model.wire import padding
from domctx_core.reader.record import OpenContainer

__all__ = ["Proof", "prove"]

_LONGEST = 8192
"""Bytes of a record beyond which there is nothing to gain."""


class Proof(NamedTuple):
    """What valid records of one type look like in one container.

    `pattern` is that of a whole record of `stride` bytes with a body of `size` bytes, and matches
    valid ones alone. `layout` is that of the body where checks want to see the records.
    """

    code: int
    name: str
    pattern: bytes
    size: int
    stride: int
    layout: FixedLayout[Any] | None


def prove(
    level: OpenContainer, record_type: RecordType[Any], checks: Iterable[Check]
) -> Proof | None:
    """Return the proof of a type in a container; None where each record has to be judged by itself."""
    format, header, code = level.format, level.header, record_type.code
    traits = Traits.of(record_type)
    size = traits.size
    wanting = [check for check in checks if code in check.codes]
    if (
        header is None
        or size is None
        or (header.instance is not None and header.instance.stop - header.instance.start > 4)
        or code in (format.first, format.last)
        or (format.max_length is not None and size > format.max_length)
        or not (traits.self_contained and traits.loadable and traits.trusted)
        or not all(prefers_batch(type(check), "records", "record") for check in wanting)
    ):
        return None
    stride = header.size + size + padding(size, format.alignment)
    if stride > _LONGEST:
        return None
    try:
        pattern = _header_pattern(
            tuple(header.fields), code, traits.trusted, size, header.byteorder
        )
        pattern += body_pattern(record_type.body, level.framing.byteorder)
    except NotApplicable:
        return None
    pattern += zeros(stride - header.size - size)
    layout = FixedLayout(record_type.body) if wanting else None
    return Proof(code, record_type.name, pattern, size, stride, layout)


@lru_cache(maxsize=256)  # to make one takes a third of the time of a small image
def _header_pattern(
    fields: Sequence[tuple[str, int]], code: int, instances: range, size: int, byteorder: ByteOrder
) -> bytes:
    """Return the pattern of headers with these fields, given with their sizes in bytes."""
    settled = {"type": (code, code), "length": (size, size)}
    settled["instance"] = instances.start, instances.stop - 1
    return b"".join(
        number_pattern(width, [settled[name]], byteorder) if name in settled else any_bytes(width)
        for name, width in fields
    )
