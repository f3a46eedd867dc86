"""Findings as JSON and as the errors that `load` raises."""

from __future__ import annotations

import json
from enum import IntFlag
from typing import Any

import pytest

from domctx_core import Errno, Finding, ImageError, Severity

E, N = Severity.ERROR, Severity.NOTE


class Bit(IntFlag):
    A = 1


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (True, True),
        ("text", "text"),
        (7, 7),
        (2**53, 2**53),
        (2**53 + 1, "9007199254740993"),
        (-(2**53) - 1, "-9007199254740993"),
        (b"\x01\xff", "01ff"),
        (bytearray(b"\2"), "02"),
        (Bit.A, 1),
        ((1, 2), "(1, 2)"),
    ],
)
def test_expected_and_actual_are_plain_json(value: Any, plain: Any) -> None:
    finding = Finding("limit", E, Errno.E2BIG, "m", 0, expected=value, actual=value)
    as_json = json.loads(json.dumps(finding.to_json()))
    assert as_json["expected"] == plain
    assert as_json["actual"] == plain
    assert type(as_json["actual"]) is type(plain)


def test_a_finding_as_json() -> None:
    finding = Finding(
        "truncated-body", E, Errno.ENODATA, "it ends", 40, 2, 3, "TSC_INFO", 0, "khz", 4, 3,
        ("xl", "libxc"), 16,
    )  # fmt: skip
    assert finding.to_json() == {
        "rule": "truncated-body", "severity": "error", "errno": "ENODATA", "offset": 40,
        "record": 2, "type": 3, "instance": 0, "message": "it ends", "expected": 4, "actual": 3,
        "name": "TSC_INFO", "field": "khz", "container": ["xl", "libxc"], "container_offset": 16,
    }  # fmt: skip
    assert Finding("no-handler", N, None, "m", 0).to_json()["errno"] is None


def test_a_finding_as_the_error_of_load() -> None:
    finding = Finding(
        "truncated-body", E, Errno.ENODATA, "it ends", 40, 2, 3, "TSC_INFO", 0, "khz", 4, 3
    )
    error = finding.error(provider="acme 1.0")
    assert type(error) is ImageError
    assert (error.message, error.errno, error.rule) == ("it ends", Errno.ENODATA, "truncated-body")
    assert (error.offset, error.record, error.type, error.type_name) == (40, 2, 3, "TSC_INFO")
    assert (error.instance, error.field, error.expected, error.actual) == (0, "khz", 4, 3)
    assert error.provider == "acme 1.0"
