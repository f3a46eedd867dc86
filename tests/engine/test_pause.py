"""The domain is unpaused whatever happens, and errors of its backend name it."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from knob_records import KNOB_IMAGE, Knob, knob_domain, knob_registry
from support import (
    LoggedDomain,
    LoggedOps,
    image,
    registry,
)

from domctx_core import (
    DomainError,
    Errno,
    MemoryLoadOps,
    MemorySaveOps,
    PluginError,
    load_domain,
    save_domain,
    size_domain,
)


def test_ctrl_c_while_the_domain_is_paused_leaves_it_running() -> None:
    class Struck(LoggedDomain):
        def pause(self) -> None:
            super().pause()
            os.kill(os.getpid(), signal.SIGINT)

    made = Struck(registry())
    with pytest.raises(KeyboardInterrupt):
        load_domain(made, MemoryLoadOps(image()), made.registry)
    assert made.log.count("pause") == made.log.count("unpause") == 1


def test_own_domain() -> None:
    made = knob_domain()
    made.is_current = True
    for action in (
        lambda: save_domain(made, MemorySaveOps(), made.registry),
        lambda: size_domain(made, made.registry),
        lambda: load_domain(made, MemoryLoadOps(KNOB_IMAGE), made.registry),
        lambda: load_domain(made, MemoryLoadOps(KNOB_IMAGE), made.registry, validate=False),
    ):
        with pytest.raises(DomainError) as caught:
            action()
        assert caught.value.errno is Errno.EPERM
    assert made.log == []


def test_the_first_error_is_not_hidden_by_an_unpause_that_fails_too() -> None:
    def trap(what: str) -> None:
        if what in ("read Page[2]", "unpause"):
            raise DomainError(f"cannot {what}")

    made = knob_domain(trap=trap)
    with pytest.raises(DomainError, match=r"cannot read Page\[2\]") as caught:
        save_domain(made, MemorySaveOps(), made.registry)
    assert any("could not be unpaused: cannot unpause" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("what", ["pause", "unpause", "offers"])
def test_what_a_backend_raises_is_its_own_fault(what: str) -> None:
    class Backend(LoggedDomain):
        pass

    made = Backend(knob_registry())
    made.state = {Knob: {0: Knob(value=5)}}

    def broken() -> Any:
        raise OSError("hypercall failed")

    setattr(made, what, broken)
    ops = LoggedOps(made.log)
    with pytest.raises(PluginError, match=rf"`{what}` of .*Backend raised OSError"):
        save_domain(made, ops, made.registry)
    assert "begin 0[0]" not in made.log
