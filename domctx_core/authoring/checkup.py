"""The check-up of plugins: `domctx plugins check`, for users and for an author's CI.

Import everything that a plugin's distribution declares, and check it: its metadata, its entry
points, its hooks, its record types.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement

from domctx_core.authoring.requirements import CHECKS
from domctx_core.authoring.subject import Nonconformity, Subject
from domctx_core.authoring.type_codes import code_fault
from domctx_core.base.errors import PLUGIN_ERRORS, DomctxError, PluginError, describe
from domctx_core.host.discovery import normalise
from domctx_core.host.host import Host
from domctx_core.host.plugin import Plugin, Status
from domctx_core.model.check import Check, make_check
from domctx_core.model.registry import CORE, Entry, Registry
from domctx_core.model.wire import DOMAIN_CONTEXT

if TYPE_CHECKING:
    from domctx_core.model.record_type import RecordType

__all__ = ["KEYWORD", "Fault", "check", "distributions"]

KEYWORD = "domctx-plugin"
"""The keyword in a plugin's metadata by which people find it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a distribution.

    `what` is the kind of fault: `status`, `hook`, `metadata`, `type-code` or `conformance`;
    `message` is what is wrong and what to do about it.
    """

    dist: str
    what: str
    message: str

    def to_json(self) -> dict[str, str]:
        """Return the fault as `plugins check --json` prints it."""
        return {"dist": self.dist, "what": self.what, "message": self.message}


def distributions(host: Host) -> list[str]:
    """Return the distributions that bring plugins, in order, without the core."""
    return list(
        dict.fromkeys(p.entry_point.dist for p in host.plugins if p.entry_point.dist != CORE)
    )


def check(host: Host, dists: Iterable[str] | None = None) -> list[Fault]:
    """Return the faults of these distributions (all but the core by default), in their order.

    A plugin that is disabled is a fault if its distribution is named, since it cannot be checked,
    and is skipped otherwise. What plugins print goes to standard error.
    """
    named = dists is not None
    faults: list[Fault] = []
    with contextlib.redirect_stdout(sys.stderr):
        host.observers()  # one that cannot be made is noted in its plugin's status
        for dist in distributions(host) if dists is None else dists:
            faults += _check(host, dist, named)
    return list(dict.fromkeys(faults))


def _check(host: Host, dist: str, named: bool) -> Iterator[Fault]:
    every = [plugin for plugin in host.plugins if plugin.entry_point.dist == dist]
    plugins = [plugin for plugin in every if named or plugin.status is not Status.DISABLED]
    host.examine(plugins)
    for plugin in plugins:
        yield from _of_status(plugin)
        for warning in plugin.warnings:
            yield Fault(dist, "hook", f"{_called(plugin)}: {warning}")
        for check in host.checks_of(plugin):
            for message in _of_check(host, check):
                yield Fault(dist, "hook", f"{_called(plugin)}: {message}")
    present = [p for p in plugins if p.status is not Status.SHADOWED and not p.entry_point.fault]
    if present:
        for message in _of_metadata(present):
            yield Fault(dist, "metadata", message)
    unusable = {name for plugin in every if not plugin.usable for name in plugin.record_types}
    for registry in host.formats.registries():
        for entry in registry:
            if entry.provider.dist == dist and f"{entry.code}.{entry.name}" not in unusable:
                yield from _of_record_type(registry, entry)


def _called(plugin: Plugin) -> str:
    if plugin.entry_point.fault:
        return "it"
    return f"entry point {plugin.entry_point.name} ({plugin.entry_point.group})"


def _of_check(host: Host, check: type[Check]) -> Iterator[str]:
    """Yield faults of a check across records: its format is unknown, it cannot be created."""
    if not host.formats.knows(check.format):
        yield (
            f"the check {check.__qualname__} is for the format {check.format}, which no installed"
            " plugin provides"
        )
    try:
        make_check(check)
    except PluginError as error:
        yield error.message


# --------------------------------------------------------------------------------------- status

_REMEDIES = {
    Status.CONFLICT: "use another code or name, or uninstall one of them",
    Status.INCOMPATIBLE: "widen the requirement, or install a compatible version",
    Status.SHADOWED: "uninstall one of the two copies",
    Status.DISABLED: "remove the switch to check it",
}


def _of_status(plugin: Plugin) -> Iterator[Fault]:
    if plugin.usable:
        return
    remedy = _REMEDIES.get(
        plugin.status, f"`domctx -v plugins info {plugin.entry_point.dist}` shows where"
    )
    yield Fault(
        plugin.entry_point.dist,
        "status",
        f"{_called(plugin)} is {plugin.status}: {plugin.reason}; {remedy}",
    )


# ------------------------------------------------------------------------------------- metadata


def _of_metadata(plugins: list[Plugin]) -> Iterator[str]:
    metadata = plugins[0].entry_point.metadata
    if not metadata.license:
        yield 'there is no licence expression: add `license`, such as "MIT", to [project]'
    if not metadata.license_files:
        yield 'no licence file is shipped: add `license-files = ["LICENSE"]` to [project]'
    if not metadata.summary:
        yield "there is no summary: add `description` to [project]"
    if not metadata.requires_python:
        yield 'no Python version is required: add `requires-python = ">=3.11"` to [project]'
    if KEYWORD not in metadata.keywords:
        yield f"the keyword {KEYWORD} is missing: add it to `keywords` in [project]"
    yield from _of_requirements(plugins[0].entry_point.requires)
    for package in dict.fromkeys(plugin.entry_point.module.partition(".")[0] for plugin in plugins):
        yield from _of_typing(package)


def _of_requirements(requires: Iterable[str]) -> Iterator[str]:
    remedy = f'add "{CORE}>=0.1,<1", or another range, to `dependencies` in [project]'
    for text in requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            yield f"the requirement {text!r} is invalid"
            continue
        if normalise(requirement.name) == CORE:
            if not any(bound.operator != "!=" for bound in requirement.specifier):
                yield f"any version of {CORE} is accepted: {remedy}"
            return
    yield f"{CORE} is not required: {remedy}"


def _of_typing(package: str) -> Iterator[str]:
    """Yield what keeps type checkers from a package; a missing one is reported elsewhere."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return
    if spec is None:
        return
    if spec.submodule_search_locations is None:
        yield f"{package} is a single module: make it a package, so that it can have a py.typed"
    elif not any((Path(place) / "py.typed").is_file() for place in spec.submodule_search_locations):
        yield f"{package} has no py.typed, so type checkers ignore its annotations: add the file"


# --------------------------------------------------------------------------------- record types


def _of_record_type(registry: Registry, entry: Entry) -> Iterator[Fault]:
    dist = entry.provider.dist
    try:
        record_type = entry.record_type
    except PluginError as error:
        yield Fault(dist, "status", f"{entry.name} cannot be used: {error}")
        return
    if registry.format == DOMAIN_CONTEXT:
        fault = code_fault(entry.code, dist)
        if fault is not None:
            yield Fault(dist, "type-code", f"{entry.name}: {fault}")
    yield from _of_conformance(registry, record_type, dist)


def _of_conformance(registry: Registry, record_type: RecordType[Any], dist: str) -> Iterator[Fault]:
    subject = Subject(record_type, registry, format=registry.format, dist=dist)
    for name, conforms in CHECKS.items():
        if name == "type_code":  # reported as a fault of its own
            continue
        try:
            conforms(subject)
        except Nonconformity as fault:
            yield Fault(dist, "conformance", f"{fault} ({name})")
        except DomctxError as error:
            yield Fault(dist, "conformance", f"{record_type.name}: {error} ({name})")
        except PLUGIN_ERRORS as error:
            yield Fault(
                dist,
                "conformance",
                f"{record_type.name}: {describe(error)} ({name});"
                " only errors of domctx_core may leave a record type",
            )
