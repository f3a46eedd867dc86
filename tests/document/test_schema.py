"""`domctx schema`: what is printed and what is taken fits it, and what does not is told apart."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import pytest
from environments import ROOT
from jsonschema_rs import Draft202012Validator, meta
from support import image, rec, tsc

from domctx_core import (
    BufferSource,
    DocumentError,
    Formats,
    PluginError,
    Verifier,
    decode_image,
    decode_lines,
    encode_image,
    image_schema,
    line_schema,
    record_schema,
    walk,
)
from domctx_core.base.errors import DocumentFault
from domctx_core.document.view import view_text
from domctx_core.host.host import Host
from domctx_core.testing import CommandRunner

INPUTS = sorted(
    [
        *(ROOT / "tests/data/corpus").rglob("*.img"),
        *(ROOT / "examples").rglob("*.no-pages"),
        *(ROOT / "plugins").glob("*/tests/data/*.no-pages"),
    ]
)


@cache
def host() -> Host:
    made = Host()
    made.load_run_time()
    return made


def formats() -> Formats:
    return host().formats


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(image_schema(formats()))


def first_fault(value: Any) -> str | None:
    fault = next(validator().iter_errors(value), None)
    return None if fault is None else str(fault)


@cache
def line_validator() -> Draft202012Validator:
    return Draft202012Validator(line_schema(formats()))


def first_fault_of_lines(lines: Iterable[Any]) -> str | None:
    found = (fault for line in lines for fault in line_validator().iter_errors(line))
    fault = next(found, None)
    return None if fault is None else str(fault)


def faults(document: Any) -> Sequence[DocumentFault]:
    """What `encode` has to say."""
    try:
        encode_image(document, formats())
    except DocumentError as error:
        return error.faults
    return ()


def test_it_is_a_schema() -> None:
    schema = image_schema(formats())
    meta.validate(schema)
    meta.validate(line_schema(formats()))
    assert schema["$schema"].endswith("2020-12/schema")
    for registry in formats().registries():
        for entry in registry:
            assert f"{registry.format}.{entry.name}" in schema["$defs"]
    assert {"xl", "libxl", "libxc", "hvm-context", "xenstore"} <= set(schema["$defs"])


def test_what_decode_and_show_print_fits() -> None:
    for path in INPUTS:
        data = path.read_bytes()
        if len(data) > 100_000:
            data = data[:50_000]  # many records alike, and then one that breaks off
        source = BufferSource(data)
        assert first_fault(decode_image(source, formats())) is None, path
        assert first_fault_of_lines(decode_lines(source, formats())) is None, path
        shown = view_text(source, walk(source, formats()), Verifier(), [], path="x")
        assert first_fault(json.loads("".join(shown))) is None, path


def test_the_example_of_every_type_fits_and_can_be_encoded() -> None:
    count = 0
    for registry in formats().registries():
        for entry in registry:
            schema = record_schema(formats(), [(registry, entry)])
            one = Draft202012Validator(schema)
            lines = Draft202012Validator(line_schema(formats(), [(registry, entry)]))
            for seed in range(4):
                body = entry.record_type.body.example(random.Random(seed)).to_json()
                record = {
                    "type": entry.code,
                    "name": entry.name,
                    "body": json.loads(json.dumps(body)),
                }
                assert one.is_valid(record), (entry.name, next(one.iter_errors(record)))
                line = {"container": ["other", registry.format], **record}
                assert lines.is_valid(line), (entry.name, next(lines.iter_errors(line)))
                assert not lines.is_valid(record)
                assert first_fault_of_lines([line]) is None
                if body:
                    wrong = {"body": {**body, "no_such_field": 1}}
                    assert not lines.is_valid(line | wrong)
                    assert first_fault_of_lines([line | wrong]) is not None
                    assert not one.is_valid(record | {"body": {**body, "no_such_field": 1}})
                count += 1
    assert count > 150


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "NEVER"},
        {"khz": -1},
        {"khz": 2**32},
        {"khz": "fast"},
        {"khz": 1.5},
        {"nsec": None},
        {"padded": 1},
        {"extra": 1},
    ],
)
def test_what_is_wrong_does_not_fit(change: dict[str, Any]) -> None:
    document = decode_image(BufferSource(image(rec(3, 0, tsc()))), formats())
    assert first_fault(document) is None
    document["records"][1]["body"] |= change
    assert first_fault(document) is not None
    for key, value in (("name", "START"), ("offset", -1), ("raw", "0"), ("key", 1)):
        document = decode_image(BufferSource(image(rec(3, 0, tsc()))), formats())
        document["records"][1][key] = value
        assert first_fault(document) is not None, key


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"instance": 2**32 - 1}, True),
        ({"instance": 2**32}, False),
        ({"length": 2**64}, False),
        ({"body": None}, False),
        ({"body": None, "raw": "00" * 24}, True),
        ({"raw": " 00\n 01 02" + "00" * 21}, True),
        ({"raw": "0 0"}, False),
    ],
)
def test_a_record_fits_where_encode_takes_it(change: dict[str, Any], fits: bool) -> None:
    document = decode_image(BufferSource(image(rec(3, 0, tsc()))), formats())
    record = document["records"][1]
    record |= change
    if "raw" in change:
        record["body"] = None
        del record["length"], record["padding"]
    assert (first_fault(document) is None) is fits
    assert (faults(document) == ()) is fits


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({"resumed": False}, True),
        ({"resumed": True}, False),
        ({"records": None}, False),
        ({"records": ...}, False),
        ({"records": ..., "trailing": {"raw": "00"}}, True),
    ],
)
def test_a_document_fits_where_encode_takes_it(change: dict[str, Any], fits: bool) -> None:
    document = decode_image(BufferSource(image(rec(3, 0, tsc()))), formats()) | change
    document = {key: value for key, value in document.items() if value is not ...}
    assert (first_fault(document) is None) is fits
    paths = [fault.path for fault in faults(document)]
    assert paths == ([] if fits else [next(iter(change))])


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        ({"container": ["libxc"], "format": "libxc", "header": {"x": 1}}, False),
        ({"container": ["libxc"], "trailing": {"raw": "00"}}, True),
        ({"container": ["libxc"], "unframed": {"raw": "0"}}, False),
        ({"trailing": {"raw": "00"}}, False),
        ({"container": [], "type": 0, "raw": ""}, False),
        ({"container": ["domain-context"], "type": 3, "body": {}}, False),
        ({"container": ["domain-context"], "type": 3, "instance": 2**32, "raw": ""}, False),
        ({"container": ["libxc", "domain-context"], "type": "TSC_INFO", "body": {}}, False),
        ({"container": ["domain-context"], "type": 3, "key": 1}, False),
    ],
)
def test_lines(line: dict[str, Any], fits: bool) -> None:
    assert (first_fault_of_lines([line]) is None) is fits


def test_what_people_write_fits_and_is_encoded() -> None:
    document = {
        "schema": "domctx.image/1",
        "format": "domain-context",
        "records": [
            {"name": "START", "body": {"xen_major": "0x4", "xen_minor": 17}},
            {"type": "TSC_INFO", "body": {"mode": 1, "khz": "5", "nsec": 7, "incarnation": "1"}},
            {"type": 0, "raw": ""},
        ],
        "trailing": {"raw": "00FF"},
    }
    assert first_fault(document) is None
    encode_image(document, formats())


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> CommandRunner:
    return CommandRunner(capsys)


def test_the_command(run: CommandRunner) -> None:
    assert run("schema").json == json.loads(json.dumps(image_schema(formats())))
    one = run("schema", "domain-context/3").json
    assert one["title"] == "domain-context.TSC_INFO"
    both = run("schema", "domain-context/tsc_info", "page_data").json
    assert both["title"] == "domain-context.TSC_INFO, libxc.PAGE_DATA"
    assert len(both["anyOf"]) == 2
    assert run("schema", "--jsonl").json == json.loads(json.dumps(line_schema(formats())))
    line = run("schema", "--jsonl", "domain-context/TSC_INFO").json
    assert line["title"] == "domain-context.TSC_INFO"
    meta.validate(both)
    fields = one["$defs"]["domain-context.TSC_INFO"]["properties"]["body"]["anyOf"][0]
    assert fields["properties"]["nsec"]["description"].endswith(" [ns]")
    assert fields["required"] == ["mode", "khz", "nsec", "incarnation"]


def test_a_misspelt_type(run: CommandRunner) -> None:
    result = run("schema", "TSC_INF")
    assert result.status == 2
    assert "did you mean TSC_INFO" in result.err


def test_a_type_that_cannot_be_used(run: CommandRunner) -> None:
    result = run("-p", "no:domctx-plugin-tsc-info", "schema", "domain-context/TSC_INFO")
    assert result.status == 4
    whole = run("-p", "no:domctx-plugin-tsc-info", "schema")
    assert whole.status == 0
    assert "domain-context.TSC_INFO" not in whole.json["$defs"]


def test_a_library_user_gets_the_error() -> None:
    registry = formats().registry("domain-context")
    entry = registry.declare(
        0x8000_1234,
        "BROKEN",
        next(iter(registry)).provider,
        lambda: int("x"),  # type: ignore[arg-type, return-value]
    )
    with pytest.raises(PluginError):
        record_schema(formats(), [(registry, entry)])
