"""`sim:`, the simulated domain: state in memory, and if wanted in a JSON file.

It holds any record type whose plugin is at hand, counts pauses, and refuses what a real domain
would: values that break the rules of their body, vCPUs that it has not got.
"""

from __future__ import annotations

import json
import random
import stat
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
    UsageError,
    describe,
)
from domctx_core.base.io import whole_file
from domctx_core.base.problems import Severity
from domctx_core.base.text import did_you_mean, no_json
from domctx_core.base.xen_version import XenVersion
from domctx_core.layout.body import Body
from domctx_core.layout.columns.column_runs import RunList
from domctx_core.layout.columns.columns import Columns
from domctx_core.layout.columns.fixed_layout import RowLayout
from domctx_core.model.declarations import DomainRequest
from domctx_core.model.domain import Domain, Guest
from domctx_core.model.registry import Registry
from domctx_core.reader.sources import cannot_read

__all__ = ["SCHEMA", "SimDomain", "open_sim"]

B = TypeVar("B", bound=Body)

SCHEMA = "domctx.sim/1"
"""The value of `schema` in a state file."""

_MOST_VCPUS = 8192
_MOST_CHANNELS = 131072


class _Kind(NamedTuple):
    """What the domain knows of a body class; `layout` is there where its size is fixed."""

    code: int
    per_vcpu: bool
    layout: RowLayout[Any] | None


class SimDomain(Domain):
    """A domain in memory, whose record types are those of `registry`.

    `pauses` and `unpauses` count what was done to it; `paused` is how often it is paused now.
    Where it has a file, `close` writes that anew if state changed, or if it was opened for
    `loading` and has been paused (so that a load makes the file, and a save leaves it alone).
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
        #: Bodies by type code and instance, or what a state file says of them.
        self._state: dict[int, dict[int, Any]] = {}
        #: State that was taken as runs; a body of the same instance counts instead.
        self._runs: dict[int, RunList] = {}
        self._kinds: dict[type[Body], _Kind] = {}
        self._changed = False
        self._loading = loading

    # ---------------------------------------------------------------------------- as a domain

    @property
    def paused(self) -> int:
        """How many pauses have not been undone."""
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
                    f"the state of {body.__name__}[{instance}] is wrong at {error}",
                    type=code,
                    instance=instance,
                    field=error.field,
                    expected=error.expected,
                    actual=error.actual,
                ) from error
            self._state[code][instance] = kept
        return kept

    def _from_run(self, code: int, instance: int) -> Any:
        """A body out of a run: from now on it is this one that counts, which others may change."""
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
        plain = type(value) is body and kind.layout is not None and kind.layout.fits(value)
        for problem in () if plain else value.problems():
            if problem.severity not in (None, Severity.ERROR):
                continue
            raise DomainError(
                f"the domain refuses {body.__name__}[{instance}]: {problem.message}",
                errno=problem.errno or Errno.EINVAL,
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
        self._runs[code] = RunList([joined])
        return joined

    def _adopt_runs(self, code: int, body: type[Body]) -> None:
        """Make a run of what a state file says, where all of it is as this class writes it."""
        said = self._state.get(code)
        if not said or self._runs.get(code) or body.fixed_size() is None:
            return
        if all(type(each) is dict for each in said.values()):
            run = Columns.from_json(body, dict(sorted(said.items())))
            if run is not None:
                self._runs[code] = RunList([run])
                said.clear()

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
            self._runs.setdefault(code, RunList()).append(run)
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
                file.write(_text(self.to_json()).encode())
        self._changed = False

    def abandon(self) -> None:
        """The state file stays as it was."""

    def _code(self, body: type[Body]) -> int:
        return (self._kinds.get(body) or self._kind(body)).code

    def _kind(self, body: type[Body]) -> _Kind:
        entry = self._registry.find_body(body)
        if entry is None:
            raise DomainError(
                f"no record type at hand has the body {body.__name__}", errno=Errno.EOPNOTSUPP
            )
        layout = None if body.fixed_size() is None else RowLayout(body)
        kind = _Kind(entry.code, entry.record_type.instances.per_vcpu, layout)
        self._kinds[body] = kind
        return kind

    def _kept(self, code: int) -> Iterable[tuple[int, Any]]:
        """All state of a type, by instance."""
        kept: dict[int, Any] = {}
        for run in self._runs.get(code, ()):
            kept.update(zip(run.instances, run.to_json(), strict=True))
        kept.update(self._state.get(code, {}))
        return sorted(kept.items(), key=itemgetter(0))

    # ----------------------------------------------------------------------------- making it up

    def adopt(self, code: int, state: Mapping[int, Body]) -> None:
        """Put state in place as it is, unasked: bodies by instance, for one type code."""
        self._state[code] = dict(state)
        self._runs.pop(code, None)
        self._changed = True

    def make_up(self, seed: int) -> None:
        """Fill the domain with made-up state of every record type that can be used.

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
        """The state as its file holds it."""
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
    def from_json(cls, value: Any, registry: Registry, path: Path | None = None) -> SimDomain:
        """The domain of a state file's content; raises `DomainError` that names what is wrong.

        Bodies are decoded when they are asked for, so that state of a type whose plugin is not at
        hand survives.
        """
        table = _object(value, "the state")
        if table.get("schema") != SCHEMA:
            raise _fault("schema", SCHEMA, table.get("schema"))
        guest = _object(table.get("guest", {}), "guest")
        domain = cls(
            registry,
            domid=_number(table, "domid", 0, 0x7FEF) or 0,
            xen_version=_version(table.get("xen_version")),
            guest=Guest(
                kind=_choice(guest, "kind", ("pv", "hvm")),
                width=_choice(guest, "width", (4, 8)),
                arch=_choice(guest, "arch", ("x86", "arm")),
                vcpus=_number(guest, "vcpus", 1, _MOST_VCPUS),
            ),
            path=path,
        )
        domain.pauses = _number(table, "pauses", 0, 2**53) or 0
        domain.unpauses = _number(table, "unpauses", 0, domain.pauses) or 0
        records = table.get("records", [])
        if not isinstance(records, list):
            raise _fault("records", "a list", records)
        for index, record in enumerate(records):
            domain._adopt_json(index, record)
        return domain

    def _adopt_json(self, index: int, record: Any) -> None:
        """Take one record of a state file over as it is."""
        try:
            code, instance, body = record["type"], record.get("instance", 0), record["body"]
            plain = type(code) is type(instance) is int and type(body) is dict
        except (TypeError, KeyError, AttributeError):
            plain = False
        if not plain or not 0 <= code < 2**32 or not 0 <= instance < 2**32:
            where = f"records[{index}]"
            record = _object(record, where)
            code = _number(record, "type", 0, 2**32 - 1, where)
            instance = _number(record, "instance", 0, 2**32 - 1, where) or 0
            if code is None:
                raise _fault(f"{where}.type", "a type code", None)
            body = _object(record.get("body"), f"{where}.body")
        instances = self._state.setdefault(code, {})
        if instance in instances:
            taken = f"{code}[{instance}]"
            raise _fault(f"records[{index}]", "one record for each type and instance", taken)
        instances[instance] = body


def _text(state: dict[str, Any]) -> str:
    """A state file's text, with each record on a line of its own."""
    # at once, since that is quicker; what is put between two records is blank, wherever it may be
    records = json.dumps(state.pop("records")).replace('}, {"type": ', '},\n  {"type": ')
    head = json.dumps(state, indent=1).removesuffix("\n}")
    return f'{head},\n "records": [\n  {records[1:-1]}\n ]\n}}\n'


def open_sim(request: DomainRequest) -> SimDomain:
    """The domain of `sim:REST`, where REST is a state file, parameters, both, or nothing.

    Parameters are separated by commas: `vcpus`, `channels`, `seed`, `kind` (pv, hvm), `width` (4,
    8), `arch` (x86, arm), `xen` (4.17), `domid`. A file that exists is opened; one that does not
    is made by a load. Without a file, a save with `vcpus`, `channels` or `seed` makes state up.
    """
    path, parameters = _parse(request.rest)
    registry = request.formats.registry("domain-context")
    if path is not None and (path.exists() or request.purpose == "save"):
        if parameters and path.exists():
            raise UsageError(
                f"{path} exists and says itself what the parameters would",
                actual=", ".join(parameters),
                hint="give a file that does not exist yet, or no parameters",
            )
        domain = SimDomain.from_json(_read(path), registry, path)
        domain._loading = request.purpose == "load"
        return domain
    domid = _int(parameters, "domid", 0, 0x7FEF)
    seed = _int(parameters, "seed", 0, 2**63) or 0
    domain = SimDomain(
        registry,
        domid=1 if domid is None else domid,
        xen_version=XenVersion.parse(parameters.get("xen", "4.17")),
        guest=Guest(
            kind=_one_of(parameters, "kind", ("pv", "hvm")) or "pv",
            width=_int(parameters, "width", 4, 8),
            arch=_one_of(parameters, "arch", ("x86", "arm")) or "x86",
            vcpus=_int(parameters, "vcpus", 1, _MOST_VCPUS),
            channels=_int(parameters, "channels", 0, _MOST_CHANNELS),
        ),
        path=path,
        loading=request.purpose == "load",
    )
    if request.purpose == "save" and parameters.keys() & {"vcpus", "channels", "seed"}:
        domain.make_up(seed)
    return domain


_PARAMETERS = ("vcpus", "channels", "seed", "kind", "width", "arch", "xen", "domid")


def _parse(rest: str) -> tuple[Path | None, dict[str, str]]:
    path: Path | None = None
    parameters: dict[str, str] = {}
    for part in rest.split(",") if rest else ():
        name, equals, value = part.partition("=")
        if equals and name in _PARAMETERS:
            parameters[name] = value
        elif equals and "/" not in name and not Path(part).exists():
            raise UsageError(
                f"sim: has no parameter {name!r}",
                expected=", ".join(_PARAMETERS),
                hint=did_you_mean(name, _PARAMETERS),
            )
        elif path is None:
            path = Path(part)
        else:
            raise UsageError(f"sim: takes one file, and {str(path)!r} is one already", actual=part)
    return path, parameters


def _int(parameters: dict[str, str], name: str, low: int, high: int) -> int | None:
    text = parameters.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
        raise UsageError(
            f"sim: {name} is no number in its range", expected=f"{low} to {high}", actual=text[:40]
        )
    if name == "width" and text not in ("4", "8"):
        raise UsageError("sim: width is 4 or 8", actual=text)
    return int(text)


def _one_of(parameters: dict[str, str], name: str, choices: tuple[str, ...]) -> str | None:
    text = parameters.get(name)
    if text is not None and text not in choices:
        raise UsageError(f"sim: {name} is {' or '.join(choices)}", actual=text)
    return text


def _read(path: Path) -> Any:
    try:
        if stat.S_IFMT(path.stat().st_mode) in (stat.S_IFCHR, stat.S_IFBLK):
            raise DomainError(f"{path} is a device", hint="a state file is JSON text")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise cannot_read(path, error) from error
    except (ValueError, RecursionError) as error:
        raise DomainError(
            f"{path} is no JSON: {no_json(error)}", hint="a state file is JSON text"
        ) from None


def _fault(where: str, expected: object, actual: object) -> DomainError:
    return DomainError(
        f"the state file is wrong at {where}", expected=expected, actual=f"{actual!r:.60}"
    )


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _fault(where, "an object", value)
    return value


def _version(value: Any) -> XenVersion | None:
    if value is None:
        return None
    try:
        return XenVersion.parse(value)
    except (UsageError, TypeError):
        raise _fault("xen_version", "a string such as 4.17", value) from None


def _number(table: dict[str, Any], name: str, low: int, high: int, where: str = "") -> int | None:
    value = table.get(name)
    if value is None:
        return None
    if type(value) is not int or not low <= value <= high:
        raise _fault(f"{where}.{name}" if where else name, f"a number from {low} to {high}", value)
    return value


def _choice(table: dict[str, Any], name: str, choices: tuple[Any, ...]) -> Any:
    value = table.get(name)
    if value is not None and (type(value) is not type(choices[0]) or value not in choices):
        raise _fault(f"guest.{name}", " or ".join(str(choice) for choice in choices), value)
    return value
