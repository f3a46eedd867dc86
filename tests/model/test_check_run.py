"""A run as checks see it: records one by one, and fields as columns."""

from __future__ import annotations

import struct

import pytest

from domctx_core import Body, ByteOrder, u8, u32
from domctx_core.layout.columns.fixed_layout import FixedLayout, Frame
from domctx_core.model.check_run import Run


class Five(Body):
    """A byte and a word: 5 bytes."""

    kind: int = u8()
    value: int = u32()


def run(order: ByteOrder = "little", *, instances: bool = True) -> Run:
    """Return a run of three records with instances 4, 5 and 9; the first is at 24."""
    prefix = "<" if order == "little" else ">"
    rows = [(4, 1, 10), (5, 2, 70_000), (9, 3, 2**32 - 1)]
    data = b"".join(
        struct.pack(prefix + "IIQBI3x", 0x100, number, 5, kind, value)
        for number, kind, value in rows
    )
    return Run(
        FixedLayout(Five), data, Frame(24, 16), order, code=0x100, name="FIVE", index=1, offset=24,
        instance=("I", 4, order) if instances else None,
    )  # fmt: skip


@pytest.mark.parametrize("order", ["little", "big"])
def test_records_are_numbered_located_and_decoded(order: ByteOrder) -> None:
    views = list(run(order))
    assert [(view.index, view.offset, view.instance) for view in views] == [
        (1, 24, 4), (2, 48, 5), (3, 72, 9),
    ]  # fmt: skip
    assert {(view.code, view.name, view.length) for view in views} == {(0x100, "FIVE", 5)}
    assert views[1].body == Five(kind=2, value=70_000)


@pytest.mark.parametrize("order", ["little", "big"])
def test_columns_are_numbers_of_all_bodies(order: ByteOrder) -> None:
    assert list(run(order).column("kind")) == [1, 2, 3]
    assert list(run(order).column("value")) == [10, 70_000, 2**32 - 1]
    assert list(run(order).instances) == [4, 5, 9]


def test_an_outline_has_no_body() -> None:
    view = run().outline(2)
    assert (view.index, view.offset, view.instance, view.body) == (3, 72, 9, None)


@pytest.mark.parametrize("number", [-1, 3])
def test_beyond_its_ends_a_run_has_no_record(number: int) -> None:
    assert len(run()) == 3
    with pytest.raises(IndexError):
        run()[number]


def test_without_instances_in_the_header_there_are_none() -> None:
    assert list(run(instances=False).instances) == []
    assert run(instances=False)[0].instance is None
