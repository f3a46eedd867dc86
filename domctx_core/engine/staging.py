"""The domain as load handlers see it: a queue of what they write, or the domain itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from typing import Any, TypeVar

from domctx_core.base.errors import DomctxError, MisuseError
from domctx_core.layout.body import Body
from domctx_core.layout.columns.column_runs import ColumnRuns
from domctx_core.layout.columns.columns import Columns
from domctx_core.model.domain import Domain
from domctx_core.model.overrides import prefers_batch

__all__ = ["DirectDomain", "StagedDomain"]


B = TypeVar("B", bound=Body)

Change = Callable[[type[Body], Any, Any], None]


Origin = tuple[Any, int, int, Columns[Any] | None]
"""Where a change comes from: the registry's entry, number and offset of its record, and the run that
begins with this record, if it is taken as one."""


_UNKNOWN = -1
"""The position of a change of a whole run, and not of one of its records."""


class StagedDomain(Domain):
    """A view of a domain that queues what is written, for the first phase of a load.

    Reading returns what was queued, or else the domain's present state. `origin` is noted with each
    change. While the records of a run are taken one by one, `position` is the index of the present
    one in the run, and `expected_instance` its instance.
    """

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self.domid = domain.domid
        self.xen_version = domain.xen_version
        self.guest = domain.guest
        self.origin: Origin | None = None
        self.position = self.expected_instance = _UNKNOWN
        #: What the records of a run wrote, as long as each wrote its own instance and nothing else:
        #: the instances are those of the run, so that only the bodies are kept.
        self._series: list[Any] | None = None
        self._series_of: type[Body] | None = None
        self._queue: list[tuple[Change, type[Body], Any, Any, Origin | None, int]] = []
        self._state: dict[type[Body], dict[int, Any]] = {}
        self._runs: dict[type[Body], ColumnRuns] = {}
        #: For each of those runs the bodies that were read, by position: a reader may have changed
        #: its body, which is then written in place of the run's.
        self._borrowed: dict[type[Body], list[dict[int, Any]]] = {}
        self._sorted = 0
        self._write = domain.write
        self._done = 0
        self._within = 0
        self._whole = False
        kind = type(domain)
        self._accepts = None if kind.accepts is Domain.accepts else domain.accepts
        self._run_accepted = kind.accepts_run is not Domain.accepts_run and prefers_batch(
            kind, "accepts_run", "accepts"
        )
        self._run_written = kind.write_run is not Domain.write_run and prefers_batch(
            kind, "write_run", "write"
        )

    def offers(self) -> frozenset[int] | None:
        return self.domain.offers()

    def instances(self, body: type[Body]) -> Iterable[int]:
        self._sort()
        staged = set(self._state.get(body, ()))
        for run in self._runs.get(body, ()):
            staged.update(run.instances)
        return sorted(staged.union(self.domain.instances(body)))

    def read(self, body: type[B], instance: int = 0) -> B:
        self._sort()
        staged: B | None = self._state.get(body, {}).get(instance)
        if staged is not None:
            return staged
        runs = self._runs.get(body)
        found = None if runs is None else runs.find(instance)
        if runs is None or found is None:
            return self.domain.read(body, instance)
        number, place = found
        made: B = self._borrowed[body][number].setdefault(place, runs[number][place])
        self._state.setdefault(body, {})[instance] = made
        return made

    def write(self, body: type[B], instance: int, value: B) -> None:
        if self._accepts is not None:
            self._accepts(body, instance, value)
        series = self._series
        if series is not None:
            if (
                instance == self.expected_instance
                and body is self._series_of
                and len(series) == self.position
            ):
                series.append(value)
                return
            self._series = None
        self._queue.append((self._write, body, instance, value, self.origin, self.position))

    def write_run(self, body: type[B], run: Columns[B]) -> None:
        if self._run_accepted:
            self.domain.accepts_run(body, run)
        elif self._accepts is not None:
            Domain.accepts_run(self.domain, body, run)
        self._series = None
        self._queue.append((self._write_run, body, run, {}, self.origin, _UNKNOWN))

    def update(self, body: type[B], instance: int, change: Callable[[B | None], B]) -> None:
        self._series = None
        self._queue.append((self.domain.update, body, instance, change, self.origin, self.position))

    def pause(self) -> None:
        raise MisuseError("a handler must not pause the domain: the engine does")

    def unpause(self) -> None:
        raise MisuseError("a handler must not unpause the domain: the engine does")

    def _sort(self) -> None:
        """Add what was queued since the last call to the state that can be read."""
        self._series = None
        for change, body, what, value, _, _ in self._queue[self._sorted :]:
            if isinstance(value, list) and isinstance(what, Columns):
                written = self._state.setdefault(body, {})
                written.update(zip(what.instances, value, strict=False))
            elif isinstance(what, Columns):
                state = self._state.get(body)
                for instance in what.instances if state else ():
                    self._state[body].pop(instance, None)
                self._runs.setdefault(body, ColumnRuns()).append(what)
                self._borrowed.setdefault(body, []).append(value)
            elif change == self._write:
                self._state.setdefault(body, {})[what] = value
        self._sorted = len(self._queue)

    def _write_run(self, body: type[Body], run: Columns[Any], bodies: dict[int, Any]) -> None:
        """Write a run to the domain, with those of its `bodies` that were read, by position."""
        self._whole = self._run_written and not bodies
        if self._whole:
            self.domain.write_run(body, run)
            return
        write = self.domain.write
        for place, (instance, made) in enumerate(run.items()):
            self._within = place
            write(body, instance, bodies.get(place, made))
        self._within = 0

    def _write_series(self, body: type[Body], run: Columns[Any], values: list[Any]) -> None:
        """Write the bodies of the first records of a run, each of which wrote its own instance."""
        self._whole = False
        write = self.domain.write
        for self._within, instance, value in zip(count(), run.instances, values, strict=False):
            write(body, instance, value)
        self._within = 0

    # --------------------------------------------------------------------------- for the engine

    @property
    def takes_runs(self) -> bool:
        """Whether the domain takes a run in the first phase, without seeing each record."""
        return self._run_accepted or self._accepts is None

    def begin_run(self, origin: Origin) -> None:
        """Begin a run that is taken as a whole: what is written comes from it."""
        self.origin, self.position = origin, _UNKNOWN

    def begin_each(self, origin: Origin) -> None:
        """Begin a run whose records are taken one by one."""
        self.origin = origin
        run = origin[3]
        assert run is not None
        self._series, self._series_of = [], run.body
        self._queue.append((self._write_series, run.body, run, self._series, origin, _UNKNOWN))

    def end_each(self) -> None:
        """End a run whose records were taken one by one."""
        self._series = None

    def __len__(self) -> int:
        """Return how many changes are queued; a run is one."""
        return len(self._queue)

    def replay(self, first: int, last: int) -> None:
        """Make the queued changes from index `first` up to `last`."""
        done = first
        try:
            for change, body, instance, value, _, _ in islice(self._queue, first, last):
                change(body, instance, value)
                done += 1
        finally:
            self._done = done

    def failed_change(self, error: DomctxError | None) -> dict[str, Any]:
        """Return where the change comes from that raised `error` (None: an error not of ours).

        The keys are attributes of errors. For a run that the domain takes as a whole, the instance is
        the error's own.
        """
        _, _, what, _, origin, place = self._queue[self._done]
        assert origin is not None  # the loader set it before each handler
        instance: int | None = None
        if not isinstance(what, Columns):
            instance = what
        elif not self._whole:
            instance = what.instances[self._within]
        elif error is not None:
            instance = error.instance
        entry, record, offset, run = origin
        if run is not None:
            if place == _UNKNOWN:
                place = 0 if instance is None else run.place_of(instance) or 0
            record, offset = record + place, offset + place * run.frame.stride
        return {
            "record": record,
            "offset": offset,
            "type": entry.code,
            "type_name": entry.name,
            "instance": instance,
            "provider": entry.provider,
        }

    def changes(self) -> Iterator[str]:
        """Yield the names of the changes that were made, such as `TscInfo[0]`."""
        done = (
            (
                body,
                what[: len(value)] if isinstance(what, Columns) and type(value) is list else what,
            )
            for _, body, what, value, _, _ in self._queue[: self._done]
        )
        yield from change_names(done)
        if self._within:
            _, body, what, _, _, _ = self._queue[self._done]
            yield from change_names([(body, what[: self._within])])


class DirectDomain(StagedDomain):
    """The domain itself, with a list of what was written, for a load without validation."""

    def __init__(self, domain: Domain) -> None:
        super().__init__(domain)
        self._taken: list[tuple[type[Body], int | Columns[Any]]] = []

    def read(self, body: Any, instance: int = 0) -> Any:
        return self.domain.read(body, instance)

    def instances(self, body: Any) -> Iterable[int]:
        return self.domain.instances(body)

    def write(self, body: Any, instance: int, value: Any) -> None:
        self.domain.write(body, instance, value)
        self._taken.append((body, instance))

    def write_run(self, body: Any, run: Columns[Any]) -> None:
        if not self._run_written:
            Domain.write_run(self, body, run)
            return
        self.domain.write_run(body, run)
        self._taken.append((body, run))

    @property
    def takes_runs(self) -> bool:
        return self._run_written and super().takes_runs

    def update(self, body: Any, instance: int, change: Any) -> None:
        self.domain.update(body, instance, change)
        self._taken.append((body, instance))

    def changes(self) -> Iterator[str]:
        return change_names(self._taken)


def change_names(written: Iterable[tuple[type[Body], Any]]) -> Iterator[str]:
    """Yield the names of changes, which are body classes with an instance or a run."""
    for body, what in written:
        for instance in what.instances if isinstance(what, Columns) else (what,):
            yield f"{body.__name__}[{instance}]"
