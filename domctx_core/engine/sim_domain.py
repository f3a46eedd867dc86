"""The simulated domain: state in memory, and in a JSON file on request.

It takes any record type whose plugin is installed, counts pauses, and refuses what a real domain
would: values that break the rules of their body, and vCPUs that it does not have.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from domctx_core.base.errors import (
    PLUGIN_ERRORS,
    BodyError,
    DomainError,
    DomctxError,
    Errno,
    NoState,
    PluginError,
    describe,
)
from domctx_core.base.io import whole_file
from domctx_core.base.xen_version import XenVersion
from domctx_core.engine.sim_file import (
    MOST_VCPUS,
    SCHEMA,
    choice_at,
    number_at,
    object_at,
    state_error,
    state_text,
    version_at,
)
from domctx_core.layout.body import Body
from domctx_core.layout.columns.column_runs import ColumnRuns
from domctx_core.layout.columns.columns import Columns
from domctx_core.layout.columns.fixed_layout import FixedLayout
from domctx_core.model.domain import Domain, Guest
from domctx_core.model.registry import Registry

__all__ = ["SimDomain"]

B = TypeVar("B", bound=Body)


class _Kind(NamedTuple):
    """What the domain knows of a body class; `layout` is None if its size is not fixed."""

    code: int
    per_vcpu: bool
    layout: FixedLayout[Any] | None


class SimDomain(Domain):
    """A domain in memory, whose record types are those of `registry`.

    `pauses` and `unpauses` count the calls. `close` writes the file at `path`, if there is one, if
    state changed, or if the domain was opened for `loading` and has been paused: a load makes the
    file, a save leaves it alone.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        domid: int = 1,
        xen_version: XenVersion | None = XenVersion(4, 17),  # noqa: B008  # immutable
        guest: Guest = Guest(kind="pv", arch="x86"),  # noqa: B008  # immutable
        path: Path | None = None,
        loading: bool = False,
    ) -> None:
        self.domid = domid
        self.xen_version = xen_version
        self.guest = guest
        self.pauses = 0
        self.unpauses = 0
        self._registry = registry
        self._path = path
        #: Bodies by type code and instance, or their JSON from a state file.
        self._state: dict[int, dict[int, Any]] = {}
        #: State that was taken as runs; a body of the same instance in `_state` counts instead.
        self._runs: dict[int, ColumnRuns] = {}
        self._kinds: dict[type[Body], _Kind] = {}
        self._changed = False
        self._loading = loading

    # ---------------------------------------------------------------------------- as a domain

    @property
    def paused(self) -> int:
        """How often the domain is paused now."""
        return self.pauses - self.unpauses

    def offers(self) -> frozenset[int]:
        return frozenset(code for code, kept in (*self._state.items(), *self._runs.items()) if kept)

    def instances(self, body: type[Body]) -> Iterable[int]:
        code = self._code(body)
        found = set(self._state.get(code, ()))
        for run in self._runs.get(code, ()):
            found.update(run.instances)
        return sorted(found)

    def read(self, body: type[B], instance: int = 0) -> B:
        code = self._code(body)
        kept = self._state.get(code, {}).get(instance)
        if kept is None:
            kept = self._from_run(code, instance)
        if kept is None:
            raise NoState(
                f"domain {self.domid} has no {body.__name__}[{instance}]", instance=instance
            )
        if not isinstance(kept, body):
            try:
                kept = body.from_json(kept)
            except BodyError as error:
                raise DomainError(
                    f"the state of {body.__name__}[{instance}] is not valid at {error}",
                    type=code,
                    instance=instance,
                    field=error.field,
                    expected=error.expected,
                    actual=error.actual,
                ) from error
            self._state[code][instance] = kept
        return kept

    def _from_run(self, code: int, instance: int) -> Any:
        """Return a body of a run, and keep it: it is the state from now on, which others may change."""
        runs = self._runs.get(code)
        found = None if runs is None else runs.find(instance)
        if runs is None or found is None:
            return None
        number, place = found
        made = self._state.setdefault(code, {})[instance] = runs[number][place]
        return made

    def accepts(self, body: type[B], instance: int, value: B) -> None:
        kind = self._kinds.get(body) or self._kind(body)
        code = kind.code
        known_valid = type(value) is body and kind.layout is not None and kind.layout.fits(value)
        for problem in () if known_valid else value.problems():
            errno = self._registry.rules.refusal(problem)
            if errno is None:
                continue
            raise DomainError(
                f"the domain refuses {body.__name__}[{instance}]: {problem.message}",
                errno=errno,
                type=code,
                instance=instance,
                field=problem.field,
                expected=problem.expected,
                actual=problem.actual,
            )
        if kind.per_vcpu:
            vcpus = self.guest.vcpus
            if vcpus is not None and instance >= vcpus:
                raise DomainError(
                    f"the domain has no vCPU {instance}",
                    errno=Errno.ENOENT,
                    type=code,
                    instance=instance,
                    expected=f"below {vcpus}",
                    actual=instance,
                )

    def write(self, body: type[B], instance: int, value: B) -> None:
        self.accepts(body, instance, value)
        self._state.setdefault(self._code(body), {})[instance] = value
        self._changed = True

    def read_run(self, body: type[B]) -> Columns[B] | None:
        code = self._code(body)
        self._adopt_runs(code, body)
        runs = self._runs.get(code)
        if not runs or self._state.get(code) or not all(run.ascending for run in runs):
            return None
        if any(one.instances[-1] >= two.instances[0] for one, two in pairwise(runs)):
            return None
        joined: Columns[B] = Columns.joined(list(runs))
        self._runs[code] = ColumnRuns([joined])
        return joined

    def _adopt_runs(self, code: int, body: type[Body]) -> None:
        """Make a run of the state of a type in the file, if all of it is as this class writes it."""
        bodies = self._state.get(code)
        if not bodies or self._runs.get(code) or body.fixed_size() is None:
            return
        if all(type(each) is dict for each in bodies.values()):
            run = Columns.from_json(body, dict(sorted(bodies.items())))
            if run is not None:
                self._runs[code] = ColumnRuns([run])
                bodies.clear()

    def accepts_run(self, body: type[B], run: Columns[B]) -> None:
        kind = self._kinds.get(body) or self._kind(body)
        vcpus = self.guest.vcpus if kind.per_vcpu else None
        if not run.sound or (vcpus is not None and any(each >= vcpus for each in run.instances)):
            super().accepts_run(body, run)

    def write_run(self, body: type[B], run: Columns[B]) -> None:
        self.accepts_run(body, run)
        code = self._code(body)
        bodies = self._state.get(code)
        if bodies:
            for instance in run.instances:
                bodies.pop(instance, None)
        if run:
            self._runs.setdefault(code, ColumnRuns()).append(run)
            self._changed = True

    def pause(self) -> None:
        self.pauses += 1
        self._changed |= self._loading

    def unpause(self) -> None:
        if not self.paused:
            raise DomainError("the domain is not paused", errno=Errno.EINVAL)
        self.unpauses += 1

    def close(self) -> None:
        if self._path is not None and self._changed:
            with whole_file(self._path) as file:
                file.write(state_text(self.to_json()).encode())
        self._changed = False

    def abandon(self) -> None:
        """Leave the state file as it was."""

    def _code(self, body: type[Body]) -> int:
        return (self._kinds.get(body) or self._kind(body)).code

    def _kind(self, body: type[Body]) -> _Kind:
        entry = self._registry.find_body(body)
        if entry is None:
            raise DomainError(
                f"no known record type has the body {body.__name__}", errno=Errno.EOPNOTSUPP
            )
        layout = None if body.fixed_size() is None else FixedLayout(body)
        kind = _Kind(entry.code, entry.record_type.instances.per_vcpu, layout)
        self._kinds[body] = kind
        return kind

    def _kept(self, code: int) -> Iterable[tuple[int, Any]]:
        """Return all state of a type, instances ascending."""
        kept: dict[int, Any] = {}
        for run in self._runs.get(code, ()):
            kept.update(zip(run.instances, run.to_json(), strict=True))
        kept.update(self._state.get(code, {}))
        return sorted(kept.items(), key=itemgetter(0))

    # ----------------------------------------------------------------------------- making it up

    def adopt(self, code: int, state: Mapping[int, Body]) -> None:
        """Set all state of one type code, bodies by instance, without asking `accepts`."""
        self._state[code] = dict(state)
        self._runs.pop(code, None)
        self._changed = True

    def make_up(self, seed: int) -> None:
        """Fill the domain with simulated state of every record type that can be used.

        The same seed and guest give the same state, whatever other plugins are installed.
        """
        for code in sorted({entry.code for entry in self._registry} - {0, 1}):
            try:
                entry = self._registry.get(code)
                record_type = None if entry is None else entry.record_type
            except PluginError:  # one that is broken or in conflict has no state to make up
                continue
            if entry is None or record_type is None:
                continue
            rng = random.Random(f"{seed}:{entry.name}")
            try:
                made = dict(record_type.simulate(self.guest, rng))
            except DomctxError:
                raise
            except PLUGIN_ERRORS as error:
                raise PluginError(
                    f"`simulate` of {entry.name} raised {describe(error)}",
                    errno=Errno.EIO,
                    type=entry.code,
                    type_name=entry.name,
                    provider=entry.provider,
                ) from error
            if made:
                self._state[entry.code] = made
                self._runs.pop(entry.code, None)

    # ------------------------------------------------------------------------------------- JSON

    def to_json(self) -> dict[str, Any]:
        """Return the state as the object that its file has."""
        guest = self.guest
        records = []
        for code in sorted(self._state.keys() | self._runs.keys()):
            entry = self._registry.get(code)
            name = None if entry is None else entry.name
            for instance, kept in self._kept(code):
                records.append(
                    {
                        "type": code,
                        "name": name,
                        "instance": instance,
                        "body": kept.to_json() if isinstance(kept, Body) else kept,
                    }
                )
        return {
            "schema": SCHEMA,
            "domid": self.domid,
            "xen_version": None if self.xen_version is None else str(self.xen_version),
            "guest": {
                "kind": guest.kind,
                "width": guest.width,
                "arch": guest.arch,
                "vcpus": guest.vcpus,
            },
            "pauses": self.pauses,
            "unpauses": self.unpauses,
            "records": records,
        }

    @classmethod
    def from_json(
        cls, value: Any, registry: Registry, path: Path | None = None, *, loading: bool = False
    ) -> SimDomain:
        """Return the domain of a state file's content; raise `DomainError` for what is wrong in it.

        Bodies are decoded when they are read, so that state of a type whose plugin is missing is
        kept.
        """
        table = object_at(value, "the state")
        if table.get("schema") != SCHEMA:
            raise state_error("schema", SCHEMA, table.get("schema"))
        guest = object_at(table.get("guest", {}), "guest")
        domain = cls(
            registry,
            domid=number_at(table, "domid", 0, 0x7FEF) or 0,
            xen_version=version_at(table.get("xen_version")),
            guest=Guest(
                kind=choice_at(guest, "kind", ("pv", "hvm")),
                width=choice_at(guest, "width", (4, 8)),
                arch=choice_at(guest, "arch", ("x86", "arm")),
                vcpus=number_at(guest, "vcpus", 1, MOST_VCPUS),
            ),
            path=path,
            loading=loading,
        )
        domain.pauses = number_at(table, "pauses", 0, 2**53) or 0
        domain.unpauses = number_at(table, "unpauses", 0, domain.pauses) or 0
        records = table.get("records", [])
        if not isinstance(records, list):
            raise state_error("records", "a list", records)
        for index, record in enumerate(records):
            domain._adopt_json(index, record)
        return domain

    def _adopt_json(self, index: int, record: Any) -> None:
        """Add one record of a state file."""
        try:
            code, instance, body = record["type"], record.get("instance", 0), record["body"]
            usual = type(code) is type(instance) is int and type(body) is dict
        except (TypeError, KeyError, AttributeError):
            usual = False
        if not usual or not 0 <= code < 2**32 or not 0 <= instance < 2**32:
            where = f"records[{index}]"
            record = object_at(record, where)
            code = number_at(record, "type", 0, 2**32 - 1, where)
            instance = number_at(record, "instance", 0, 2**32 - 1, where) or 0
            if code is None:
                raise state_error(f"{where}.type", "a type code", None)
            body = object_at(record.get("body"), f"{where}.body")
        instances = self._state.setdefault(code, {})
        if instance in instances:
            taken = f"{code}[{instance}]"
            raise state_error(f"records[{index}]", "one record for each type and instance", taken)
        instances[instance] = body
