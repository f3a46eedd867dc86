"""Handlers that raise are the fault of their plugins; START and END are needed."""

from __future__ import annotations

import pytest
from knob_records import KNOB_IMAGE, knob_domain
from support import (
    THIRD,
    LoggedOps,
    image,
)
from word_records import fresh, load, with_handler, word

from domctx_core import (
    Domain,
    LoadContext,
    MemoryLoadOps,
    MemorySaveOps,
    PluginError,
    Registry,
    SaveContext,
    load_domain,
    save_domain,
)


def test_a_handler_with_a_bug() -> None:
    def handler(domain: Domain, context: LoadContext) -> None:
        raise KeyError("state")

    domain = fresh(with_handler(handler))
    with pytest.raises(PluginError, match="load handler of WORD raised KeyError") as caught:
        load(domain, image(word(4, 1)))
    assert (caught.value.instance, caught.value.provider) == (4, THIRD)
    assert isinstance(caught.value.__cause__, KeyError)
    assert domain.log == []


@pytest.mark.parametrize("failing", [1, 0x100, 0x200, 0])
def test_failure_of_each_handler(failing: int) -> None:
    made = knob_domain()
    entry = made.registry.get(failing)
    assert entry is not None

    class Broken(type(entry.record_type)):  # type: ignore[misc]
        def save(self, domain: Domain, context: SaveContext) -> None:
            super().save(domain, context)
            raise RuntimeError("bang")

    entry._record_type = Broken()
    with pytest.raises(PluginError, match=rf"{entry.name} raised RuntimeError: bang") as caught:
        save_domain(made, LoggedOps(made.log), made.registry)
    assert caught.value.provider == entry.provider
    assert caught.value.type == failing
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert made.pauses == made.unpauses == (failing != 1)
    assert ("begin 0[0]" in made.log) == (failing == 0)


def test_a_registry_without_start_and_end() -> None:
    made = knob_domain()
    for action in (
        lambda: save_domain(made, MemorySaveOps(), Registry()),
        lambda: load_domain(made, MemoryLoadOps(KNOB_IMAGE), Registry()),
    ):
        with pytest.raises(PluginError, match="START and END"):
            action()
    assert made.log == []
