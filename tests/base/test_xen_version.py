"""Versions of Xen: parsed, compared as numbers, printed."""

from __future__ import annotations

import pytest

from domctx_core import UsageError
from domctx_core.base.xen_version import XenVersion


@pytest.mark.parametrize(
    ("text", "version"), [("4.17", (4, 17)), ("4.9", (4, 9)), ("10.0", (10, 0))]
)
def test_a_version_is_parsed_and_printed(text: str, version: tuple[int, int]) -> None:
    parsed = XenVersion.parse(text)
    assert parsed == version
    assert str(parsed) == text


def test_versions_compare_as_numbers() -> None:
    assert XenVersion.parse("4.9") < XenVersion.parse("4.15") < XenVersion.parse("10.0")


@pytest.mark.parametrize(
    "text", ["", "4", "4.", ".17", "4.17.1", "4.17-rc1", " 4.17", "4.17\n", "v4.17", "4.\u0663",
             "-4.17", "4.1234567890"],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a Xen version") as caught:
        XenVersion.parse(text)
    assert caught.value.expected == "MAJOR.MINOR, as in 4.17"
