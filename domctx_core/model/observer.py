"""Observers: see the records of an operation, in batches and never one by one.

An observer that raises is dropped for the rest of the operation; the operation goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count, islice, repeat
from types import TracebackType
from typing import Literal, NamedTuple

from domctx_core.base.errors import PLUGIN_ERRORS

__all__ = ["BATCH", "Observer", "Operation", "RecordEvent", "Watch"]

BATCH = 1024
"""Records that an observer gets at a time, at most."""


class Operation(NamedTuple):
    """The observed operation: a save, load or verify, and its subject (a domain, an image)."""

    kind: Literal["save", "load", "verify"]
    subject: str


class RecordEvent(NamedTuple):
    """One record that was written, taken or judged; `offset` is that of its header."""

    code: int
    instance: int | None
    offset: int
    length: int


class Observer:
    """Sees one operation. Subclass it and override what is of interest."""

    def begin(self, operation: Operation) -> None:
        """Begin: called once, before the first record."""

    def records(self, batch: Sequence[RecordEvent]) -> None:
        """Get up to `BATCH` records that are done, in order."""

    def end(self, operation: Operation, error: BaseException | None) -> None:
        """End: called once; `error` is what the operation failed with, None if it did not."""


class Watch:
    """Passes the records of one operation on to observers; a context manager.

    `dropped` is called with an observer that raised, and what it raised.
    """

    def __init__(
        self,
        observers: Iterable[Observer],
        operation: Operation,
        dropped: Callable[[Observer, BaseException], None] = lambda observer, error: None,
    ) -> None:
        self._observers = list(observers)
        self._operation = operation
        self._dropped = dropped
        self._batch: list[RecordEvent] = []

    def __bool__(self) -> bool:
        """Return whether there are observers; without, no events need be made."""
        return bool(self._observers)

    def see(self, event: RecordEvent) -> None:
        """Add one record; the observers see it when the batch is full."""
        self._batch.append(event)
        if len(self._batch) >= BATCH:
            self._flush()

    def see_run(
        self, code: int, instances: Iterable[int], offset: int, stride: int, length: int
    ) -> None:
        """Add the records of a run: the first is at `offset`, the next `stride` bytes further."""
        offsets = count(offset, stride)
        self.see_all(map(RecordEvent, repeat(code), instances, offsets, repeat(length)))

    def see_all(self, events: Iterable[RecordEvent]) -> None:
        """Add records."""
        events = iter(events)
        while added := list(islice(events, BATCH - len(self._batch))):
            self._batch += added
            if len(self._batch) >= BATCH:
                self._flush()

    def __enter__(self) -> Watch:
        self._call(lambda observer: observer.begin(self._operation))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._flush()
        self._call(lambda observer: observer.end(self._operation, error))

    def _flush(self) -> None:
        batch, self._batch = tuple(self._batch), []
        if batch:
            self._call(lambda observer: observer.records(batch))

    def _call(self, call: Callable[[Observer], None]) -> None:
        for observer in tuple(self._observers):
            try:
                call(observer)
            except PLUGIN_ERRORS as error:
                self._observers.remove(observer)
                self._dropped(observer, error)
