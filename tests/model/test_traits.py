"""Traits: which record types may be handled many records at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import pytest

from domctx_core import (
    SINGLE,
    Body,
    Content,
    DomainContext,
    Format,
    Instances,
    Problem,
    RecordType,
    blob,
    u16,
    u32,
)
from domctx_core.model.traits import Traits, batch_header


class Word(Body):
    value: int = u32()


class Rest(Body):
    data: bytes = blob()


class WordType(RecordType[Word]):
    code, name, body = 0x100, "WORD", Word


class Judged(WordType):
    def judge(self, instance: int | None, body: Word, receiver: Any) -> Iterable[Problem]:
        return ()


def typed(base: type[RecordType[Any]] = WordType, **attributes: Any) -> RecordType[Any]:
    made = type("Typed", (base,), attributes)()
    assert isinstance(made, RecordType)
    return made


def test_a_type_of_fixed_size_may_be_handled_in_runs() -> None:
    word = WordType()
    assert Traits.of(word) == Traits(4, True, True, False, range(2**32))
    assert Traits.of(word) is Traits.of(word)


@pytest.mark.parametrize(
    "attributes", [{"body": Rest}, {"bulk": True}, {"bulk": "page"}, {"depends": (1,)}]
)
def test_bodies_that_differ_in_size_have_none(attributes: dict[str, Any]) -> None:
    assert Traits.of(typed(**attributes)).size is None


@pytest.mark.parametrize(
    "attributes",
    [{"remembered": True}, {"suspends": True}, {"depends": (1,)}, {"content": Content()}],
)
def test_a_type_that_other_records_matter_to_is_not_self_contained(
    attributes: dict[str, Any],
) -> None:
    assert not Traits.of(typed(**attributes)).self_contained


def test_instances_are_trusted_up_to_the_limit_if_nothing_judges() -> None:
    assert Traits.of(typed(instances=SINGLE)).trusted == range(1)
    assert Traits.of(typed(Judged)).trusted == range(0)
    limited = typed(Judged, trusted_values=range(4, 99), instances=Instances(limit=50))
    assert Traits.of(limited).trusted == range(4, 50)
    assert Traits.of(limited).judged
    assert not Traits.of(typed(loadable=False)).loadable


def test_the_header_of_a_batch() -> None:
    header = batch_header(DomainContext(), "big", WordType())
    assert header is not None
    assert (header.names, header.codes) == (("type", "instance", "length"), ">IIQ")
    assert batch_header(DomainContext(), "little", typed(body=Rest)) is None
    assert batch_header(DomainContext(), "little", typed(remembered=True)) is None


class Short(Body, byteorder="big"):
    length: int = u16()
    type: int = u32()


class Odd(Short):
    flags: int = u16()


@pytest.mark.parametrize(
    ("fields", "codes"), [(Short, ">HI"), (Odd, None), (Word, None), (None, None)]
)
def test_the_header_of_another_format(fields: type[Body] | None, codes: str | None) -> None:
    class Other(Format):
        name = "other"
        header: ClassVar[type[Body] | None] = fields

    header = batch_header(Other(), "little", WordType())
    assert (None if header is None else header.codes) == codes
