"""Specifiers: the fields that they declare, and what they refuse."""

import pytest
from codec_bodies import Open, Point, Small

from domctx_core import (
    Body,
    DeclarationError,
    Empty,
    array,
    bitmap,
    blob,
    by_size,
    optional,
    switch,
    u32,
)
from domctx_core.layout import specifiers


def test_specifiers_refuse_what_cannot_work() -> None:
    with pytest.raises(DeclarationError, match="at least one byte"):
        array(Empty, 3)
    with pytest.raises(DeclarationError, match="at least one byte"):
        array(blob(0), 3)
    with pytest.raises(DeclarationError, match="found 5"):
        array(5)
    with pytest.raises(DeclarationError, match="found <class 'int'>"):
        optional(int)
    with pytest.raises(DeclarationError, match="12 bytes does not divide into 8-byte words"):
        bitmap(12)
    with pytest.raises(
        DeclarationError, match=r"by_size: b \(Point\) needs a fixed size of its own"
    ):
        by_size(a=Small, b=Point)
    with pytest.raises(DeclarationError, match=r"by_size: a \(Open\) needs a fixed size"):
        by_size(a=Open)
    with pytest.raises(DeclarationError, match="case 1 does not fit into 3 bytes"):
        switch("s", {1: Small}, size=3)
    with pytest.raises(DeclarationError, match="byteorder is 'little' or 'big', not 'middle'"):

        class Wrong(Body, byteorder="middle"):
            pass


def test_a_specifier_declares_a_field() -> None:
    field = u32(doc="a rate", unit="kHz", volatile=True, default=7)
    assert (field.doc, field.unit, field.volatile, field.initial()) == ("a rate", "kHz", True, 7)
    assert (field.kind.size, field.kind.label) == (4, "u32")


@pytest.mark.parametrize("name", ["u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64"])
def test_integers_are_named_after_their_size(name: str) -> None:
    specifier = getattr(specifiers, name)
    bits = int(name[1:])
    low, high = (0, 2**bits - 1) if name[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    kind = specifier().kind
    assert (specifier.__name__, kind.label, 8 * kind.size) == (name, name, bits)
    assert kind.bounds == (low, high)
    assert ("a signed" if name[0] == "i" else "an unsigned") in specifier.__doc__
