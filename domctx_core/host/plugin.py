"""Plugins: one object for each entry point, with what became of it and why."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

from domctx_core.base.errors import DeclarationError, PluginError, describe
from domctx_core.host.discovery import Found, normalise
from domctx_core.host.switches import Switches
from domctx_core.model.registry import CORE, Provider

__all__ = ["Plugin", "Status", "Traced", "assess"]


class Status(StrEnum):
    """What became of an entry point.

    Built-in: the core's own. Lazy: good as far as its metadata goes, and not imported. Loaded:
    imported. Disabled: by a switch. Failed: its import or its declaration. Incompatible: its
    metadata asks for another core. Shadowed: another copy of the same distribution comes first.
    Conflict: its code or name is claimed by another provider too.
    """

    BUILT_IN = "built-in"
    LAZY = "lazy"
    LOADED = "loaded"
    DISABLED = "disabled"
    FAILED = "failed"
    INCOMPATIBLE = "incompatible"
    SHADOWED = "shadowed"
    CONFLICT = "conflict"


class Traced(NamedTuple):
    """One import of a plugin's module, or one call of one of its hooks, and what it cost."""

    provider: Provider
    action: str
    subject: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.provider}: {self.action} {self.subject}: {self.seconds * 1000:.1f} ms"


class Plugin:
    """One entry point: where it comes from, what became of it, and why.

    `record_types` are the `CODE.NAME` that it declares; `hooks` those that it implements, None
    until it is imported. `warnings` are faults that it works in spite of, such as a misspelt
    hook. `trace` is the
    traceback of a failure, `way_out` what ends a conflict. `tell` is told of each import and hook
    call.
    """

    def __init__(self, found: Found) -> None:
        self.found = found
        self.status = Status.LAZY
        self.reason = ""
        self.record_types: list[str] = []
        self.hooks: list[str] | None = None
        self.warnings: list[str] = []
        self.trace = ""
        self.way_out: str | None = None
        self.tell: Callable[[Traced], None] | None = None
        self._loaded: tuple[Any, ...] = ()

    @property
    def provider(self) -> Provider:
        """The distribution and version."""
        return Provider(self.found.dist, self.found.version)

    @property
    def usable(self) -> bool:
        """Whether nothing is known that speaks against it."""
        return self.status in (Status.BUILT_IN, Status.LAZY, Status.LOADED)

    @property
    def broken(self) -> bool:
        """Whether it is of no use though nobody turned it off."""
        return self.status in (Status.FAILED, Status.INCOMPATIBLE, Status.CONFLICT)

    def error(self) -> PluginError:
        """Why it cannot be used, and what to try."""
        if self.status is Status.CONFLICT:
            hint = self.way_out or f"do without it: `-p no:{self.found.dist}`"
        elif self.status is Status.INCOMPATIBLE:
            hint = f"install a version of {self.found.dist} that fits, or upgrade {CORE}"
        elif self.status is Status.DISABLED:
            hint = "leave the switch away to use it"
        else:
            hint = f"`domctx -v plugins info {self.found.dist}` shows its traceback"
        return PluginError(
            f"{self.provider} is {self.status}: {self.reason}", provider=self.provider, hint=hint
        )

    def fail(self, reason: str) -> PluginError:
        """Note that it has failed, with the traceback of the exception at hand; gives the error."""
        import traceback

        if self.status in (Status.FAILED, Status.CONFLICT):  # one hook of several
            reason = f"{self.reason}; {reason}"
        self.status, self.reason = Status.FAILED, reason
        self.trace += traceback.format_exc()
        return self.error()

    def clash(self, reason: str, way_out: str | None = None) -> None:
        """Note a conflict with other providers, and what ends it."""
        if self.status in (Status.FAILED, Status.CONFLICT):
            reason = f"{self.reason}; {reason}"
        if self.status is not Status.FAILED:
            self.status = Status.CONFLICT
        self.reason, self.way_out = reason, way_out

    def refuse(self, message: str, *, expected: str, actual: object) -> DeclarationError:
        """Note that what it gives is not what it declares; gives the error that says so."""
        self.status, self.reason = Status.FAILED, message
        return DeclarationError(
            message, expected=expected, actual=repr(actual)[:80], provider=self.provider
        )

    def load(self) -> Any:
        """What the entry point names, imported.

        Whatever goes wrong is the plugin's failure, not ours: `PluginError`. Ctrl-C stays itself.
        """
        if not self.usable:
            raise self.error()
        if self._loaded:
            return self._loaded[0]
        begun = time.perf_counter()
        try:
            # stdout is for the answer; what a plugin prints while it is imported is not it
            with contextlib.redirect_stdout(sys.stderr):
                thing = self.found.entry_point.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise self.fail(f"its import raised {describe(error)}") from error
        finally:
            if self.tell is not None:
                took = time.perf_counter() - begun
                self.tell(Traced(self.provider, "import", self.found.value, took))
        if self.status is Status.LAZY:
            self.status = Status.LOADED
        self._loaded = (thing,)
        return thing

    def to_json(self) -> dict[str, Any]:
        """As `plugins list --json` prints it."""
        return {
            "dist": self.found.dist,
            "version": self.found.version,
            "group": self.found.group,
            "entry_point": self.found.name,
            "status": str(self.status),
            "reason": self.reason,
            "record_types": self.record_types,
            "hooks": self.hooks,
            "value": self.found.value,
            "location": self.found.location,
            "editable": self.found.editable,
            "warnings": self.warnings,
        }


def assess(found: Found, switches: Switches, core: str | None) -> Plugin:
    """The plugin of an entry point, with its status before anything is imported."""
    plugin = Plugin(found)
    if found.shadowed_by is not None:
        plugin.status, plugin.reason = Status.SHADOWED, f"by {found.dist} {found.shadowed_by}"
    elif found.dist == CORE:
        plugin.status = Status.BUILT_IN
    elif reason := switches.reason(found):
        plugin.status, plugin.reason = Status.DISABLED, reason
    elif found.fault:
        plugin.status, plugin.reason = Status.FAILED, found.fault
    elif reason := _incompatible(found, core):
        plugin.status, plugin.reason = Status.INCOMPATIBLE, reason
    return plugin


def _incompatible(found: Found, core: str | None) -> str:
    """Why a plugin does not fit this core, by its own metadata; pip can be bypassed."""
    asked = [text for text in found.requires if "domctx" in text.lower()]
    if core is None or all(_plainly_met(text, core) for text in asked):
        return ""
    from packaging.requirements import InvalidRequirement, Requirement

    for text in found.requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            return f"its metadata has a requirement that cannot be read: {text!r}"
        if normalise(requirement.name) != CORE:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        if not requirement.specifier.contains(core, prereleases=True):
            return f"it needs {CORE}{requirement.specifier}, and this is {core}"
    return ""


_PLAIN = re.compile(
    r"domctx-(?P<which>core|plugin-[a-z0-9-]+)\s*(?P<bounds>((>=|<)[0-9]+(\.[0-9]+)*,?)*)"
)


def _plainly_met(text: str, core: str) -> bool:
    """Whether a requirement is of the usual form, `domctx-core>=0.1,<1`, and met.

    What is not gets a second look by a library that knows all forms, and takes longer to import
    than all else that a run of `domctx` needs.
    """
    match = _PLAIN.fullmatch(text)
    if match is None or not re.fullmatch(r"[0-9]+(\.[0-9]+)*", core):
        return False
    if match["which"] != "core":
        return True
    have = _release(core)
    for sign, bound in re.findall(r"(>=|<)([0-9.]+)", match["bounds"]):
        if (have < _release(bound)) == (sign == ">="):
            return False
    return True


def _release(text: str) -> list[int]:
    """A version's numbers, without the zeros at its end, which mean nothing."""
    numbers = [int(part) for part in text.split(".") if part]
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers
