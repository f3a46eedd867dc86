"""Fields: defaults, JSON Schema, and how `types --layout` prints them."""

from __future__ import annotations

from domctx_core import array, u8, u32
from domctx_core.layout.field import REQUIRED


def test_a_field_without_a_default_is_required() -> None:
    assert u8().initial() is REQUIRED
    assert repr(REQUIRED) == "REQUIRED"
    assert u8(default=0).initial() == 0


def test_each_body_gets_a_default_of_its_own() -> None:
    field = array(u8(), 2, default=[1, 2])
    first = field.initial()
    first.append(3)
    assert field.initial() == [1, 2]


def test_the_schema_has_the_documentation() -> None:
    assert u32(doc="a rate", unit="kHz").schema()["description"] == "a rate [kHz]"
    assert u32(doc="a rate").schema()["description"] == "a rate"
    assert "description" not in u32().schema()
    assert u32(doc="a rate").schema().items() >= u32().schema().items()


def test_a_field_describes_itself() -> None:
    field = u32(doc="a rate", unit="kHz", volatile=True, maximum=9)._replace(name="rate")
    assert field.describe() == {
        "name": "rate", "kind": "u32", "size": 4, "maximum": 9, "doc": "a rate", "unit": "kHz",
        "volatile": True,
    }  # fmt: skip
    assert u32().describe()["unit"] is None
