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
)


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
