"""The protocol of compiled layouts, and the layouts that follow it."""

from __future__ import annotations

import inspect

import pytest
from codec_bodies import Counted, Point

from domctx_core import Body
from domctx_core.layout.compiled import Layout
from domctx_core.layout.protocol import BodyBase, CompiledLayout

METHODS = [name for name, value in vars(CompiledLayout).items()
           if inspect.isfunction(value) and not name.startswith("_")]  # fmt: skip


def test_bodies_are_of_the_base_that_kinds_know() -> None:
    assert issubclass(Body, BodyBase)
    assert BodyBase.__slots__ == ()


@pytest.mark.parametrize("body", [Point, Counted])
def test_a_layout_has_the_attributes(body: type[Body]) -> None:
    layout = body.__layout__
    for name in CompiledLayout.__annotations__:
        assert hasattr(layout, name), name


@pytest.mark.parametrize("name", METHODS)
def test_a_layout_has_the_methods_with_the_same_parameters(name: str) -> None:
    expected = inspect.signature(getattr(CompiledLayout, name)).parameters
    assert list(inspect.signature(getattr(Layout, name)).parameters) == list(expected)


def test_there_are_methods_to_compare() -> None:
    assert {"decode", "encode", "check", "to_json", "from_json"} <= set(METHODS)
