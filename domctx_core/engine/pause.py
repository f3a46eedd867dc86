"""Pause a domain for an operation, and blame its backend for what that raises."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from domctx_core.base.errors import (
    PLUGIN_ERRORS,
    DomainError,
    DomctxError,
    Errno,
    PluginError,
    describe,
)
from domctx_core.model.domain import Domain

__all__ = ["backend_errors", "paused", "refuse_self"]


def refuse_self(domain: Domain, what: str) -> None:
    """Raise `DomainError` if the domain is the one that this program runs in."""
    if domain.is_current:
        raise DomainError(
            f"domain {domain.domid} runs this program, so it cannot be {what} by it",
            errno=Errno.EPERM,
            hint="run domctx in another domain",
        )


@contextmanager
def paused(domain: Domain) -> Iterator[None]:
    """Pause the domain and, whatever happens, unpause it; the first error is raised.

    Ctrl-C waits while the domain is being paused or unpaused, so that its state is always known.
    """
    paused = False
    allow_interrupts = _hold_interrupts()
    try:
        try:
            with backend_errors(domain, "pause"):
                domain.pause()
            paused = True
        finally:
            allow_interrupts()
        yield
    except BaseException as error:
        if paused:
            allow_interrupts = _hold_interrupts()
            try:
                domain.unpause()
            except PLUGIN_ERRORS as second:
                error.add_note(f"and the domain could not be unpaused: {second}")
            finally:
                allow_interrupts()
        raise
    allow_interrupts = _hold_interrupts()
    try:
        with backend_errors(domain, "unpause"):
            domain.unpause()
    finally:
        allow_interrupts()


def _hold_interrupts() -> Callable[[], None]:
    """Hold Ctrl-C back until the returned function is called.

    Blocking the signal would not do: any other thread of the program may take it.
    """
    previous = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(previous):
        return lambda: None  # Ctrl-C raises nothing here
    waiting: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: waiting.append((number, frame)))

    def allow() -> None:
        signal.signal(signal.SIGINT, previous)
        for number, frame in waiting[:1]:
            previous(number, frame)

    return allow


@contextmanager
def backend_errors(domain: Domain, what: str) -> Iterator[None]:
    """Blame the backend of a domain for an exception that is not a `DomctxError`: `PluginError`."""
    try:
        yield
    except DomctxError:
        raise
    except PLUGIN_ERRORS as error:
        raise PluginError(
            f"`{what}` of {type(domain).__module__}.{type(domain).__qualname__} raised"
            f" {describe(error)}",
            errno=Errno.EIO,
        ) from error
