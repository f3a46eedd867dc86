"""`domctx schema`: what is printed and what is taken fits it, and what does not is told apart."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator, meta
from support import image, rec, tsc

from domctx_core import (
    BufferSource,
    Formats,
    PluginError,
    Verifier,
    decode_image,
    encode_image,
    image_schema,
    record_schema,
    walk,
)
from domctx_core.host import Host
from domctx_core.image import image_json
from domctx_core.testing import CommandRunner

ROOT = Path(__file__).parent.parent
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


def test_it_is_a_schema() -> None:
    schema = image_schema(formats())
    meta.validate(schema)
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
        shown = image_json(walk(source, formats()), Verifier(), path="x", source=source)
        assert first_fault(shown) is None, path


def test_the_example_of_every_type_fits_and_can_be_encoded() -> None:
    count = 0
    for registry in formats().registries():
        for entry in registry:
            schema = record_schema(formats(), [(registry, entry)])
            one = Draft202012Validator(schema)
            for seed in range(4):
                body = entry.record_type.body.example(random.Random(seed)).to_json()
                record = {
                    "type": entry.code,
                    "name": entry.name,
                    "body": json.loads(json.dumps(body)),
                }
                assert one.is_valid(record), (entry.name, next(one.iter_errors(record)))
                if body:
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
