"""Text that is not JSON, and JSON that is nested too deep."""

from __future__ import annotations

from typing import Any

import pytest
from faulty_documents import faults

from domctx_core import (
    DocumentError,
    parse_document,
    parse_lines,
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON: Expecting property name"),
        ("", "not JSON: Expecting value"),
        ('{"a": NaN}', "NaN is no number of JSON"),
        ('{"schema": 1, "format": "x", "schema": 2}', "schema: the key stands twice"),
        ('{"records": [{"body": {"x": 1, "x": 1}}]}', "records[0].body.x: the key stands twice"),
        ("1" * 5000, "more digits than any field can hold"),
        ('{"a": [1, {"b": -' + "1" * 5000 + "}]}", "a[1].b: a number has more digits"),
        ('{"a": [0, NaN], "b": 1' + "1" * 5000 + "}", "a[1]: NaN is no number of JSON"),
        ('{"a": ' + "1" * 5000 + ", }", "not JSON: "),
        ("[" * 100_000, "nested too deeply"),
        (b"\xff\xfe\xff", "not JSON"),
        ("{}\n{}", "not JSON: Extra data at line 2"),
    ],
)
def test_what_is_no_json(text: str | bytes, message: str) -> None:
    with pytest.raises(DocumentError) as raised:
        parse_document(text)
    assert message in str(raised.value)


def nested(depth: int) -> Any:
    value: Any = {"format": "libxl"}
    for _ in range(depth):
        value = {"format": "xl", "header": {}, "content": value}
    return value | {"schema": "domctx.image/1"}


@pytest.mark.parametrize("depth", [3, 100, 5000])
def test_depth_of_a_document_hurts_nobody(depth: int) -> None:
    assert faults(nested(depth))


def test_lines_that_are_no_json() -> None:
    with pytest.raises(DocumentError, match=r"^line 2: not JSON: .* at column 2"):
        list(parse_lines(["{}", "{"]))
