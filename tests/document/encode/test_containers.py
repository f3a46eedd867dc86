"""Containers that are suspended and continue."""

from __future__ import annotations

from typing import Any

import pytest
from documents import (
    CHECKPOINT,
    CHECKPOINT_END,
    END,
    formats,
    libxc,
    libxl,
    pages,
    stream_record,
    there_and_back,
    written,
)

from domctx_core import (
    BufferSource,
    DocumentError,
    decode_image,
    encode_image,
)


def test_a_container_that_was_suspended_goes_on() -> None:
    inner = libxc(stream_record(16), pages(), CHECKPOINT)
    data = libxl(stream_record(1), inner, CHECKPOINT_END, pages(), END, END)
    source = BufferSource(data)
    for way in ("reference", "inline"):
        document = there_and_back(data, way)  # type: ignore[arg-type]
    resumed = document["records"][1]["content"]
    assert resumed["resumed"] is True
    assert [record["name"] for record in resumed["records"]] == ["PAGE_DATA", "END"]
    resumed["header"]["xen_major"] = hex(resumed["header"]["xen_major"])  # the same number
    assert written(encode_image(document, formats(), source=source), source) == data
    for key in ("header", "byteorder", "format_version"):
        del resumed[key]
    assert written(encode_image(document, formats(), source=source), source) == data


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (
            {"header": {"xen_minor": 99}},
            "header.xen_minor",
            "does not match the container's beginning",
        ),
        ({"header": {"bogus": 1}}, "header.bogus", "unknown field"),
        ({"header": []}, "header", "not an object"),
        ({"header_raw": "00"}, "header_raw", "no header of its own"),
        ({"byteorder": "big"}, "byteorder", "does not match the container's beginning"),
        ({"format_version": 77}, "format_version", "does not match the container's beginning"),
    ],
)
def test_a_container_that_goes_on_says_what_its_beginning_says(
    change: dict[str, Any], path: str, message: str
) -> None:
    inner = libxc(stream_record(16), pages(), CHECKPOINT)
    data = libxl(stream_record(1), inner, CHECKPOINT_END, pages(), END, END)
    document = decode_image(BufferSource(data), formats(), pages="inline")
    resumed = document["records"][1]["content"]
    for key, value in change.items():
        both = isinstance(value, dict)
        resumed[key] = resumed[key] | value if both else value
    with pytest.raises(DocumentError) as raised:
        encode_image(document, formats())
    (fault,) = raised.value.faults
    assert fault.path == f"records[1].content.{path}"
    assert message in fault.message
