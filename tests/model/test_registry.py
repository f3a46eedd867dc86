"""The registry: codes, names, providers, and what happens when two claim one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from registry_records import ACME, Byte, Word, filled, record_type, snapshot

from domctx_core import (
    Body,
    ConflictError,
    DeclarationError,
    Errno,
    PluginError,
    Provider,
    RecordType,
    Registry,
)
from domctx_core.model.wire import DOMAIN_CONTEXT

OTHER = Provider("other-records", "3.4")


def loader(made: RecordType[Any]) -> tuple[Callable[[], RecordType[Any]], list[int]]:
    """A loader, and a list that grows whenever it is called."""
    calls: list[int] = []

    def load() -> RecordType[Any]:
        calls.append(len(calls))
        return made

    return load, calls


@pytest.mark.parametrize("declared", [False, True])
def test_a_name_that_changes_afterwards_changes_nothing(declared: bool) -> None:
    name = bytearray(b"FIRST")
    made = record_type(9, name)
    registry = Registry()
    if declared:
        entry = registry.declare(9, name, ACME, lambda: made)  # type: ignore[arg-type]
    else:
        entry = registry.register(made, ACME)
    name[:] = b"SECOND"
    assert (entry.name, entry.buffer) == ("FIRST", b"FIRST".ljust(16, b"\0"))
    assert registry.find("FIRST") is entry
    assert registry.find("SECOND") is None
    assert registry.get(9) is entry
    registry.register(record_type(10, "SECOND"), ACME)
    if not declared:
        assert entry.record_type is made


def test_names_as_bytes_are_found_as_text() -> None:
    registry = Registry()
    for code, name in enumerate([b"ONE", bytearray(b"TWO"), memoryview(b"THREE")]):
        registry.register(record_type(code, name), ACME)
    assert [registry.find(n).code for n in ("ONE", "TWO", "THREE")] == [0, 1, 2]  # type: ignore[union-attr]
    with pytest.raises(ConflictError):
        registry.register(record_type(5, "TWO"), OTHER)


def test_other_formats_have_long_names_and_no_buffer() -> None:
    registry = Registry("libxc")
    entry = registry.register(record_type(1, "X86_PV_VCPU_EXTENDED"), ACME)
    assert (entry.name, entry.buffer) == ("X86_PV_VCPU_EXTENDED", None)
    assert registry.find("X86_PV_VCPU_EXTENDED") is entry
    assert registry.declare(2, "Y" * 99, ACME, lambda: record_type(2, "Y" * 99)).buffer is None
    for name in "", "Ä", "A\n", "\x1b[31m", b"BYTES", None:
        with pytest.raises(DeclarationError, match="printable ASCII"):
            registry.register(record_type(3, name), ACME)
    assert len(registry) == 2


def test_lookups() -> None:
    registry = filled()
    assert registry.format == DOMAIN_CONTEXT == "domain-context"
    assert len(registry) == 2
    assert [entry.code for entry in registry] == [3, 7]
    seven = registry.get(7)
    assert seven is not None
    assert (seven.code, seven.name, seven.provider) == (7, "SEVEN", ACME)
    assert registry.find("SEVEN") is seven
    assert registry.get(8) is None
    assert registry.find("EIGHT") is None
    assert registry.find_body(Byte) is registry.get(3)
    assert registry.find_body(Body) is None
    assert seven.loaded


def test_a_class_and_an_instance_register_alike() -> None:
    class Mine(RecordType[Word]):
        code, name, body = 5, "MINE", Word

    first, second = Registry(), Registry()
    made = Mine()
    assert isinstance(first.register(Mine, ACME).record_type, Mine)
    assert second.register(made, ACME).record_type is made
    assert snapshot(first) == snapshot(second)
    lazy = Registry().declare(5, "MINE", ACME, lambda: Mine)  # type: ignore[arg-type,return-value]
    assert isinstance(lazy.record_type, Mine)


def test_a_provider_as_text_and_json() -> None:
    assert str(ACME) == "acme-records 1.2"
    assert ACME.to_json() == {"dist": "acme-records", "version": "1.2"}


@pytest.mark.parametrize("provider", [ACME, Provider("acme-records", "9.9"), OTHER])
@pytest.mark.parametrize(
    ("code", "name", "what"),
    [
        (7, "NEW", r"type code 7 \(0x7\)"),
        (8, "SEVEN", "the name SEVEN"),
        (7, "SEVEN", "type code 7"),
    ],
)
def test_register_refuses_what_is_taken(
    provider: Provider, code: int, name: str, what: str
) -> None:
    registry = filled()
    before = snapshot(registry)
    seven = registry.get(7)
    with pytest.raises(ConflictError, match=what) as raised:
        registry.register(record_type(code, name), provider)
    error = raised.value
    assert f"{ACME} (7.SEVEN)" in error.message
    assert f"{provider} ({code}.{name})" in error.message
    assert "domain-context" in error.message
    assert error.errno is Errno.EEXIST
    assert (error.rule, error.type) == ("needs-plugin", 7)
    assert error.hint is not None
    disabled = provider.dist if provider.dist != ACME.dist else f"{code}.{name}"
    assert f"-p no:{disabled}`" in error.hint
    assert snapshot(registry) == before
    assert registry.get(7) is seven
    assert registry.find("SEVEN") is seven
    assert registry.get(8) is None
    assert registry.find("NEW") is None
    assert registry.conflicts() == []


@pytest.mark.parametrize("provider", [ACME, OTHER])
@pytest.mark.parametrize(("code", "name"), [(7, "NEW"), (8, "SEVEN"), (7, "SEVEN")])
def test_declare_accepts_a_conflict_and_its_use_fails(
    provider: Provider, code: int, name: str
) -> None:
    registry = filled()
    load, calls = loader(record_type(code, name))
    registry.declare(code, name, provider, load)
    assert len(registry) == 3
    uses: list[Callable[[], object]] = [
        lambda: registry.get(7),
        lambda: registry.get(code),
        lambda: registry.find("SEVEN"),
        lambda: registry.find(name),
    ]
    for use in uses:
        with pytest.raises(ConflictError) as raised:
            use()
        assert str(ACME) in raised.value.message
        assert f"{provider} ({code}.{name})" in raised.value.message
    assert len(registry.conflicts()) == 1
    assert calls == []
    assert registry.get(3) is not None


def test_three_claims_are_all_named() -> None:
    registry = filled()
    third = Provider("third", "5")
    registry.declare(7, "A", OTHER, lambda: record_type(7, "A"))
    registry.declare(7, "B", third, lambda: record_type(7, "B"))
    with pytest.raises(ConflictError) as raised:
        registry.get(7)
    for claim in "acme-records 1.2 (7.SEVEN)", "other-records 3.4 (7.A)", "third 5 (7.B)":
        assert claim in raised.value.message
    assert len(registry.conflicts()) == 1


def test_a_withdrawn_entry_says_why_and_claims_nothing() -> None:
    registry = Registry()
    reason = PluginError("disabled by the caller")
    load, calls = loader(record_type(5, "FIVE"))
    gone = registry.declare(5, "FIVE", OTHER, load, withdrawn=reason)
    assert registry.get(5) is gone
    assert registry.find("FIVE") is gone
    for _ in range(2):
        with pytest.raises(PluginError) as raised:
            _ = gone.record_type
        assert raised.value is reason
    assert calls == []
    here = registry.register(record_type(5, "FIVE"), ACME)
    assert registry.get(5) is here
    assert registry.find("FIVE") is here
    assert registry.conflicts() == []


@pytest.mark.parametrize("withdrawn_first", [False, True])
def test_a_name_finds_the_entry_that_can_be_used(withdrawn_first: bool) -> None:
    registry = Registry()
    reason = PluginError("disabled")
    here = None if withdrawn_first else registry.register(record_type(6, "NAME"), ACME)
    registry.declare(5, "NAME", OTHER, lambda: record_type(5, "NAME"), withdrawn=reason)
    here = here or registry.register(record_type(6, "NAME"), ACME)
    assert registry.find("NAME") is here
    assert registry.get(6) is here
    gone = registry.get(5)
    assert gone is not None
    assert gone.withdrawn


def test_a_declared_type_is_loaded_once_when_needed() -> None:
    registry = Registry()
    made = record_type(5, "FIVE")
    load, calls = loader(made)
    entry = registry.declare(5, "FIVE", ACME, load)
    assert registry.get(5) is entry
    assert registry.find("FIVE") is entry
    assert list(registry) == [entry]
    assert not entry.loaded
    assert calls == []
    assert entry.record_type is made
    assert entry.record_type is made
    assert entry.loaded
    assert calls == [0]


def test_find_body_asks_the_loaded_first_and_passes_over_the_broken() -> None:
    registry = Registry()

    def broken() -> RecordType[Any]:
        raise PluginError("broken")

    load, calls = loader(record_type(2, "TWO", Byte))
    registry.declare(1, "ONE", ACME, broken)
    registry.declare(2, "TWO", ACME, load)
    third = registry.register(record_type(3, "THREE", Word), ACME)
    assert registry.find_body(Word) is third
    assert calls == []
    assert registry.find_body(Byte) is registry.get(2)
    assert calls == [0]


@pytest.mark.parametrize(
    ("declared", "made"),
    [((5, "FIVE"), (6, "FIVE")), ((5, "FIVE"), (5, "SIX")), ((5, "FIVE"), (7, "SEVEN"))],
)
@pytest.mark.parametrize("format", [DOMAIN_CONTEXT, "libxc"])
def test_a_declaration_that_is_not_true_names_both(
    format: str, declared: tuple[int, str], made: tuple[int, str]
) -> None:
    registry = Registry(format)
    load, calls = loader(record_type(*made))
    entry = registry.declare(*declared, ACME, load)
    errors = []
    for _ in range(2):
        with pytest.raises(PluginError) as raised:
            _ = entry.record_type
        errors.append(raised.value)
    assert errors[0] is errors[1]
    assert calls == [0]
    message = errors[0].message
    assert f"{declared[0]}.{declared[1]}" in message
    assert f"{made[0]}.{made[1]}" in message
    assert str(ACME) in message
    assert errors[0].provider == ACME
    assert not entry.loaded


@pytest.mark.parametrize(
    "failure",
    [
        PluginError("it is broken"),
        DeclarationError("it is broken"),
        ImportError("it is broken"),
        RuntimeError("it is broken"),
    ],
)
def test_a_loader_that_fails_gives_the_same_error_each_time(failure: Exception) -> None:
    registry = Registry()
    calls = []

    def load() -> RecordType[Any]:
        calls.append(1)
        raise failure

    entry = registry.declare(5, "FIVE", ACME, load)
    errors = []
    for _ in range(3):
        with pytest.raises(PluginError, match="it is broken") as raised:
            _ = entry.record_type
        errors.append(raised.value)
    assert errors[0] is errors[1] is errors[2]
    assert calls == [1]
    assert (errors[0].type, errors[0].type_name, errors[0].provider) == (5, "FIVE", ACME)
    assert entry.unusable is errors[0]


def test_a_loader_that_gives_something_else_is_a_plugin_error() -> None:
    entry = Registry().declare(5, "FIVE", ACME, lambda: 17)  # type: ignore[arg-type,return-value]
    with pytest.raises(PluginError, match="17 is not a record type"):
        _ = entry.record_type


@pytest.mark.parametrize("by_name", [False, True])
def test_more_is_asked_once_and_only_for_what_is_not_there(by_name: bool) -> None:
    registry = filled()
    calls = []

    def more() -> None:
        calls.append(1)
        registry.register(record_type(9, "NINE"), OTHER)

    def look(code: int, name: str) -> Any:
        return registry.find(name) if by_name else registry.get(code)

    registry.more = more
    assert look(7, "SEVEN").code == 7
    assert calls == []
    assert look(9, "NINE").provider == OTHER
    assert look(10, "TEN") is None
    assert calls == [1]
