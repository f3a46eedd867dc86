"""Record types and names that are declared wrongly are refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry_records import ACME, Word, filled, record_type, snapshot

from domctx_core import (
    Body,
    DeclarationError,
    RecordType,
    Registry,
    array,
    blob,
    u8,
)
from domctx_core.model.validation import NAME_SIZE


@pytest.mark.parametrize("name", ["A", "TSC_INFO", "FIFTEEN_LETTERS", "a-b.c:1", "~!"])
def test_a_name_is_copied_into_a_padded_buffer(name: str) -> None:
    entry = Registry().register(record_type(1, name), ACME)
    assert entry.name == name
    assert entry.buffer is not None
    assert len(entry.buffer) == NAME_SIZE == 16
    assert entry.buffer == name.encode() + bytes(16 - len(name))
    assert entry.buffer[-1] == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "does not fit its buffer"),
        ("SIXTEEN_LETTERS_", "does not fit its buffer"),
        ("X" * 1000, "does not fit its buffer"),
        (b"", "does not fit its buffer"),
        (b"SIXTEEN_LETTERS_", "does not fit its buffer"),
        ("ÄÄÄÄÄÄÄÄ", "does not fit its buffer"),
        ("NÄME", "characters other than printable ASCII"),
        (b"N\xc4ME", "characters other than printable ASCII"),
        ("\ud800", "characters other than printable ASCII"),
        ("A B", "characters other than printable ASCII"),
        ("A\n", "characters other than printable ASCII"),
        ("\x1b[31m", "characters other than printable ASCII"),
        ("A\0", "characters other than printable ASCII"),
        ("A\x7f", "characters other than printable ASCII"),
        (None, "is not text"),
        (5, "is not text"),
        (["A"], "is not text"),
    ],
)
def test_names_that_are_refused(name: Any, message: str) -> None:
    registry = filled()
    before = snapshot(registry)
    with pytest.raises(DeclarationError, match=message):
        registry.register(record_type(1, name), ACME)
    with pytest.raises(DeclarationError, match=message):
        registry.declare(1, name, ACME, lambda: record_type(1, name))
    assert snapshot(registry) == before
    assert registry.get(1) is None


def test_a_name_too_long_says_how_long() -> None:
    with pytest.raises(DeclarationError) as raised:
        Registry().register(record_type(1, "SIXTEEN_LETTERS_"), ACME)
    error = raised.value
    assert "'SIXTEEN_LETTERS_'" in error.message
    assert (error.expected, error.actual) == ("1 to 15 characters", "16 bytes")


@given(st.text(max_size=20) | st.binary(max_size=20))
def test_any_name_is_copied_whole_or_refused(name: str | bytes) -> None:
    registry = Registry()
    try:
        entry = registry.register(record_type(1, name), ACME)
    except DeclarationError:
        assert len(registry) == 0
        return
    raw = name.encode() if isinstance(name, str) else name
    assert entry.buffer == raw.ljust(16, b"\0")
    assert 1 <= len(raw) <= 15
    assert all(0x20 < byte < 0x7F for byte in raw)
    assert registry.find(raw.decode()) is entry


@pytest.mark.parametrize("missing", ["code", "name", "body"])
def test_what_a_record_type_lacks_is_named(missing: str) -> None:
    attributes = {"code": 5, "name": "FIVE", "body": Word}
    del attributes[missing]
    lacking: Any = type("Lacking", (RecordType,), attributes)
    registry = filled()
    before = snapshot(registry)
    with pytest.raises(DeclarationError, match=f"Lacking declares no `{missing}`"):
        registry.register(lacking, ACME)
    assert snapshot(registry) == before


def test_record_types_that_are_none() -> None:
    class Unfinished(Body):
        raw: bytes = blob()
        after: int = u8()

    class Words(Body):
        words: list[Word] = array(Word, 2)

    def named_by(*names: str) -> Any:
        made = record_type(1, "A", Words)
        made.identity = names
        return made

    wrong: list[tuple[Any, str]] = [
        (record_type(-1, "A"), "the type code is not an unsigned 32-bit number"),
        (record_type(2**32, "A"), "the type code is not an unsigned 32-bit number"),
        (record_type("1", "A"), "the type code is not an unsigned 32-bit number"),
        (record_type(True, "A"), "the type code is not an unsigned 32-bit number"),
        (record_type(1, "A", int), "`body` is not a Body class"),
        (record_type(1, "A", Word(x=1)), "`body` is not a Body class"),
        (record_type(1, "A", Unfinished), "`raw` takes all bytes that are left"),
        (named_by("y"), "`identity` names `y`, which cannot identify a record"),
        (record_type(1, "A", Words, identity="x"), "`identity` is not a sequence of names"),
        (record_type(1, "A", Words, identity=5), "`identity` is not a sequence of names"),
        (named_by("words"), "`identity` names `words`, which cannot"),
        (object(), "is not a record type"),
        (Word, "is not a record type"),
        (None, "is not a record type"),
    ]
    for thing, message in wrong:
        registry = filled()
        before = snapshot(registry)
        with pytest.raises(DeclarationError, match=message):
            registry.register(thing, ACME)
        assert snapshot(registry) == before


@pytest.mark.parametrize("code", [0, 2**32 - 1])
def test_the_ends_of_the_range_of_codes(code: int) -> None:
    registry = Registry()
    entry = registry.register(record_type(code, "EDGE"), ACME)
    assert registry.get(code) is entry
