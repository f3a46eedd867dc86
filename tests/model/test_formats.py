"""The formats at hand: loaded when needed, and errors of those that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support import CORE, THIRD, start

from domctx_core import DeclarationError, DomainContext, Format, Formats, PluginError


class Case(Format):
    name = "case"

    def recognises(self, head: bytes) -> bool:
        return head.startswith(b"CASE")


def formats(**loads: Callable[[], Any]) -> Formats:
    made = Formats()
    made.add("domain-context", CORE, DomainContext)
    for name, load in loads.items():
        made.add(name, THIRD, load)
    return made


def broken() -> Format:
    raise PluginError("libxl is missing")


def test_a_format_is_loaded_once_when_it_is_needed() -> None:
    loads: list[int] = []

    def load() -> Format:
        loads.append(1)
        return Case()

    known = formats(case=load)
    assert known.names() == ("domain-context", "case")
    assert known.knows("case")
    assert known.recognise(start()) is known.get("domain-context")
    assert loads == []
    found = known.recognise(b"CASE 1")
    assert isinstance(found, Case)
    assert known.get("case") is found
    assert (loads, known.provider("case")) == ([1], THIRD)
    known.forget("case")
    assert known.get("case") is not found


def test_two_formats_cannot_have_one_name() -> None:
    with pytest.raises(
        DeclarationError, match=r"case .* twice, by third-party 2.5 and domctx-core"
    ):
        formats(case=Case).add("case", CORE, Case)


def test_a_format_that_is_not_there() -> None:
    assert not formats().knows("case")
    with pytest.raises(PluginError, match="format case") as caught:
        formats().get("case")
    assert "install" in str(caught.value.hint)


@pytest.mark.parametrize("load", [DomainContext, lambda: None, lambda: Case])
def test_an_entry_point_that_gives_something_else(load: Callable[[], Any]) -> None:
    with pytest.raises(DeclarationError, match="case") as caught:
        formats(case=load).get("case")
    assert caught.value.provider == THIRD
    assert caught.value.expected == "a Format named case"


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("alignment", 0), ("header", 3), ("title", None), ("last", -1), ("padding", "error")],
)
def test_an_attribute_with_a_wrong_value_is_named(attribute: str, value: object) -> None:
    wrong = type("Wrong", (Case,), {attribute: value})
    with pytest.raises(DeclarationError, match=f"`{attribute}` of the format case") as caught:
        formats(case=wrong).get("case")
    assert caught.value.provider == THIRD


def test_a_format_that_cannot_be_used_is_passed_over() -> None:
    class Raises(Case):
        name = "raises"

        def recognises(self, head: bytes) -> bool:
            raise ZeroDivisionError

    known = formats(broken=broken, raises=Raises, case=Case)
    assert isinstance(known.recognise(b"CASE"), Case)
    assert "libxl is missing" in str(known.untried["broken"])
    assert "ZeroDivisionError" in str(known.failures["raises"])
    assert known.failures["raises"].provider == THIRD
    assert known.recognise(b"what") is None


def test_more_formats_are_asked_for_once_and_only_if_none_fits() -> None:
    known = formats()
    calls: list[int] = []

    def more() -> None:
        calls.append(1)
        known.add("case", THIRD, Case)

    known.more = more
    assert isinstance(known.recognise(start()), DomainContext)
    assert calls == []
    assert isinstance(known.recognise(b"CASE"), Case)
    assert known.recognise(b"what") is None
    assert calls == [1]


def test_registries_are_those_of_the_domain_context_and_others_by_name() -> None:
    known = formats()
    for name in ("z", "domain-context", "a"):
        assert known.registry(name) is known.registry(name)
    assert [each.format for each in known.registries()] == ["domain-context", "a", "z"]
