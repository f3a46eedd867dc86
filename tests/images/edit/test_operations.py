"""Operations as users write them: selectors and fields to set."""

from __future__ import annotations

import pytest

from domctx_core import UsageError
from domctx_core.images.edit.operations import Selector, SetField, SetHeader, parse_set


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("TSC_INFO", Selector("TSC_INFO")),
        ("0x500", Selector(0x500)),
        ("TSC_INFO[3]", Selector("TSC_INFO", ((3, 3),))),
        ("TSC_INFO[3-7,9]", Selector("TSC_INFO", ((3, 7), (9, 9)))),
        ("libxc/END#4", Selector("END", index=4, path=("libxc",))),
    ],
)
def test_a_selector_is_parsed_and_printed(text: str, selector: Selector) -> None:
    assert Selector.parse(text) == selector
    assert str(selector) == text


@pytest.mark.parametrize(
    ("text", "one"), [("X", True), ("X[3]", True), ("X[3-4]", False), ("X[*]", False)]
)
def test_a_selector_of_one_record(text: str, one: bool) -> None:
    assert Selector.parse(text).one is one


@pytest.mark.parametrize("text", ["", "X[", "X[7-3]", "X[a]", "X#y"])
def test_what_is_not_a_selector_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Selector.parse(text)


def test_fields_of_records_and_of_headers() -> None:
    record = parse_set("X[1].a.b=c=d")
    assert record == SetField(Selector("X", ((1, 1),)), "a.b", "c=d")
    assert parse_set("xl:config={}") == SetHeader(("xl",), "config", "{}")
    with pytest.raises(UsageError):
        parse_set("X.a")
