"""Faults are located through containers and lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from faulty_documents import PV1, faults, formats, lines, stream

from domctx_core import (
    BufferSource,
    DocumentError,
    encode_lines,
    parse_lines,
)
from domctx_core.base.errors import DocumentFault


def test_the_path_of_a_fault_goes_through_containers() -> None:
    value = stream()
    libxc = value["content"]["records"][0]["content"]
    number = next(i for i, r in enumerate(libxc["records"]) if r["name"] == "X86_TSC_INFO")
    libxc["records"][number]["body"]["mode"] = "X"
    (fault,) = faults(value)
    assert fault.path == f"content.records[0].content.records[{number}].body.mode"


def line_faults(values: list[Any]) -> list[DocumentFault]:
    text = [json.dumps(value) for value in values]
    with pytest.raises(DocumentError) as raised:
        list(encode_lines(parse_lines(text), formats(), source=BufferSource(PV1.read_bytes())))
    return list(raised.value.faults)


def test_faults_of_lines_name_the_line() -> None:
    values = lines()
    number = next(i for i, line in enumerate(values) if line.get("name") == "X86_TSC_INFO")
    values[number]["body"] |= {"mode": "X", "khz": []}
    assert [fault.path for fault in line_faults(values)] == [
        f"line {number + 1}: body.mode",
        f"line {number + 1}: body.khz",
    ]


@pytest.mark.parametrize(
    ("edit", "path", "message"),
    [
        (lambda v: v[0].pop("schema"), "line 1: schema", "not a document that can be encoded"),
        (lambda v: v.clear(), "", "there is no line"),
        (lambda v: v[1].pop("container"), "line 2: container", "does not say what container"),
        (lambda v: v[-1].update(container=["elsewhere"]), f"line {len(lines())}: container",
         "not open here"),
        (lambda v: v.insert(2, v[2] | {"type": 3, "key": 1}), "line 3: key", "unknown key"),
        (lambda v: v[0].update(size=5), "line 1: size", "not the input"),
        (lambda v: v[-1].update(content={"format": "libxc", "records": []}),
         f"line {len(lines())}: content", "a line holds no container"),
    ],
)  # fmt: skip
def test_faults_between_lines(edit: Callable[[Any], Any], path: str, message: str) -> None:
    values = lines()
    edit(values)
    found = line_faults(values)[0]
    assert found.path == path
    assert message in found.message


def test_lines_that_nest_without_end_hurt_nobody() -> None:
    first = {"schema": "domctx.lines/1", "container": ["xl"], "format": "xl", "header": {}}
    deep = [{"container": ["xl"] * n, "format": "xl", "header": {}} for n in range(2, 3000)]
    assert line_faults([first, *deep])
    many = [{"container": ["xl", "libxl"], "format": "libxl"} for _ in range(3000)]
    assert line_faults([first, *many])
