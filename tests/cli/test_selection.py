"""Selecting records by type and instance."""

from __future__ import annotations

import pytest
from cli_runs import Domctx


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--type", "TSC_INFO"], ["TSC_INFO"]),
        (["--type", "tsc_info", "--type", "1"], ["START", "TSC_INFO"]),
        (["--type", "0x3"], ["TSC_INFO"]),
        (["--instance", "1"], []),
    ],
)
def test_filters(domctx: Domctx, options: list[str], names: list[str]) -> None:
    document = domctx("show", "--json", *options, domctx.file("x.img")).json
    assert [record["name"] for record in document["records"]] == names
