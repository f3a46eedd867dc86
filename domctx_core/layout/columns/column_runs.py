"""`ColumnRuns`: runs of one type in the order in which they were written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from domctx_core.layout.columns.columns import Columns

__all__ = ["ColumnRuns"]

_FEW = 16
"""Runs that are searched one by one: to note where each instance is takes memory."""


class ColumnRuns:
    """Runs in the order in which they were written; of an instance in several, the last counts."""

    def __init__(self, runs: Iterable[Columns[Any]] = ()) -> None:
        self._runs = list(runs)
        #: For each instance the latest run that has it, of the first `_noted` runs.
        self._latest: dict[int, int] = {}
        self._noted = 0

    def __iter__(self) -> Iterator[Columns[Any]]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def __getitem__(self, number: int) -> Columns[Any]:
        return self._runs[number]

    def append(self, run: Columns[Any]) -> None:
        """Add a run that is written after all others."""
        self._runs.append(run)

    def find(self, instance: int) -> tuple[int, int] | None:
        """Return the last run that has an instance, by number, and the place in it; None if none has."""
        numbers: Iterable[int] = reversed(range(len(self._runs)))
        if len(self._runs) > _FEW:
            for number in range(self._noted, len(self._runs)):
                self._latest.update(dict.fromkeys(self._runs[number].instances, number))
            self._noted = len(self._runs)
            latest = self._latest.get(instance)
            numbers = () if latest is None else (latest,)
        for number in numbers:
            place = self._runs[number].place_of(instance)
            if place is not None:
                return number, place
        return None
