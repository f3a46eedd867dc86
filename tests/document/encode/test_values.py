"""Values that are out of range, and that all faults are reported."""

from __future__ import annotations

import pytest
from faulty_documents import document, faults

from domctx_core import (
    BufferSource,
    DocumentError,
    parse_lines,
)


def test_all_faults_are_told_at_once() -> None:
    value = document()
    value["records"][2]["body"] |= {"mode": "X", "khz": -1}
    del value["records"][2]["body"]["nsec"]
    value["records"][2]["length"] = 8
    value["records"][4]["body"]["priority"] = None
    value["records"][9] = None
    assert [fault.path for fault in faults(value)] == [
        "records[2].body.mode",
        "records[2].body.khz",
        "records[2].body.nsec",
        "records[4].body.priority",
        "records[9]",
    ]


HUGE = ["0x" + "f" * 5000, "9" * 5000, int("9" * 4000), 2**64, 10**5000]
"""Integers that no field holds, as JSON can have them and as a caller of the library can."""


@pytest.mark.parametrize("number", HUGE, ids=["hex", "text", "digits", "2**64", "10**5000"])
@pytest.mark.parametrize("key", ["length", "padding", "instance", "type"])
def test_huge_integers_of_a_record(key: str, number: object) -> None:
    value = document()
    value["records"][1][key] = number
    (fault,) = faults(value)
    assert fault.path == f"records[1].{key}"
    assert len(f"{fault}{fault.expected}{fault.actual}{fault.hint}") < 250


@pytest.mark.parametrize("number", HUGE, ids=["hex", "text", "digits", "2**64", "10**5000"])
def test_huge_integers_elsewhere(number: object) -> None:
    value = document()
    value["size"] = number
    value["records"][2]["body"]["khz"] = number
    value["records"][4]["body"]["flags"] = [number]
    rest = {"offset": number, "length": 8}
    value["records"][5] = {"type": 3, "instance": 0, "rest": rest}
    value["trailing"] = {"offset": 0, "length": number}
    found = faults(value, source=BufferSource(bytes(100)))
    assert [fault.path for fault in found] == [
        "size",
        "records[2].body.khz",
        "records[4].body.flags[0]",
        "records[5].rest.offset",
        "trailing.length",
    ]
    assert all(len(f"{each}{each.expected}{each.actual}") < 300 for each in found)


def test_a_line_with_a_huge_integer() -> None:
    with pytest.raises(DocumentError, match=r"^line 2: size: a number has more digits"):
        list(parse_lines(["{}", '{"size": ' + "7" * 5000 + "}"]))
