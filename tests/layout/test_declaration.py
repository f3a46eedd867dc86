"""Class statements of bodies: annotations, inheritance, and what cannot be declared."""

import struct
import sys
import types
from typing import Any

import pytest
from codec_bodies import Mode, Open, Point, Small, make

from domctx_core import (
    Body,
    DeclarationError,
    array,
    blob,
    by_size,
    count_of,
    nested,
    optional,
    switch,
    text,
    u8,
    u32,
)


def test_annotations_name_enumerations_as_objects_and_as_strings() -> None:
    class AsString(Body):
        mode: "Mode" = u8()
        plain: "int" = u8()
        either: "Mode | int" = u8()
        listed: "list[int]" = array(u8(), 1)

    body = AsString.from_bytes(b"\2\2\2\2")
    assert body.mode is Mode.NEVER
    assert body.to_json() == {"mode": "NEVER", "plain": 2, "either": 2, "listed": [2]}

    class AsObject(Body):
        mode: Mode = u8()

    assert AsObject.from_bytes(b"\2").mode is Mode.NEVER

    class Explicit(Body):
        mode: int = u8(enum=Mode)

    assert Explicit.from_bytes(b"\2").mode is Mode.NEVER


FUTURE = """
from __future__ import annotations
import enum
from domctx_core import Body, u32

class Known(enum.IntEnum):
    ONE = 1

class Space:
    Inside = Known

class Good(Body):
    x: Known = u32()
    y: Space.Inside = u32()

def local() -> type[Body]:
    class Hidden(enum.IntEnum):
        TWO = 2

    class Bad(Body):
        a: int = u32()
        y: Hidden = u32()

    return Bad
"""


def test_future_annotations(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("module_of_the_future")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(FUTURE, module.__dict__)
    body = module.Good.from_bytes(struct.pack("<II", 1, 1))
    assert body.to_json() == {"x": "ONE", "y": "ONE"}
    with pytest.raises(
        DeclarationError, match=r"Bad: .*`y` names something that module_of_the_future does not"
    ):
        module.local().fixed_size()


def test_a_subclass_adds_fields_after_those_it_inherits() -> None:
    class Point3(Point):
        z: int = u8()

    assert Point3(x=1, y=2, z=3).to_bytes() == b"\1\0\2\0\3"
    assert Point3.fixed_size() == 5


def declare(**fields: Any) -> type[Body]:
    return make("Wrong", fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"a": blob(count="n"), "n": count_of("a")}, "`a` is counted by `n`, which must be"),
        ({"a": blob(count="n")}, "`a` is counted by `n`, which must be"),
        ({"n": u32(), "a": array(u8(), "n")}, "`a` is counted by `n`, which must be"),
        ({"n": count_of("b"), "a": u32()}, "`n` counts `b`, which is no field"),
        ({"n": count_of("a"), "a": blob(4)}, "`n` counts `a`, which must name"),
        (
            {"n": count_of("b"), "b": blob(count="n"), "a": optional(blob(count="n"))},
            "inside `a` cannot be counted by `n`",
        ),
        ({"a": blob(), "b": u8()}, "`a` takes all bytes that are left"),
        ({"a": array(u8()), "b": u8()}, "`a` takes all bytes that are left"),
        ({"a": text(), "b": u8()}, "`a` takes all bytes that are left"),
        ({"a": optional(u8()), "b": u8()}, "`a` takes all bytes that are left"),
        ({"a": by_size(s=Small), "b": u8()}, "`a` takes all bytes that are left"),
        ({"a": nested(Open), "b": u8()}, "`a` takes all bytes that are left"),
        ({"a": optional(blob(), lengths=[3]), "b": u8()}, "`a` takes all bytes that are left"),
        ({"a": array(Open, 2)}, "an element of `a` takes all bytes that are left"),
        ({"a": switch("s", {}, size=4), "s": u8()}, "`a` is chosen by `s`, which must be"),
        ({"a": switch("s", {}, size=4)}, "`a` is chosen by `s`, which must be"),
    ],
)  # fmt: skip
def test_declarations_that_cannot_work(fields: dict[str, Any], message: str) -> None:
    body = declare(**fields)
    for _ in range(2):
        with pytest.raises(DeclarationError, match=f"^Wrong: .*{message}"):
            body.fixed_size()


@pytest.mark.parametrize("name", ["size", "check", "to_bytes", "layout", "problems", "__x"])
def test_a_field_cannot_take_the_name_of_something_else(name: str) -> None:
    with pytest.raises(DeclarationError, match=f"`{name}` cannot be the name of a field"):
        declare(**{name: u8()})


def test_a_field_cannot_be_declared_twice() -> None:
    with pytest.raises(DeclarationError, match="Twice: `x` cannot be the name of a field"):

        class Twice(Point):
            x: int = u8()


@pytest.mark.parametrize(
    "fields", [{"class": u8()}, {"a b": count_of("rest"), "rest": blob(count="a b")}]
)
def test_a_field_is_named_as_python_names_things(fields: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError, match="Python name"):
        type("Odd", (Body,), dict(fields)).__layout__  # type: ignore[attr-defined]  # noqa: B018
