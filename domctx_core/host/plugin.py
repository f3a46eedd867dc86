"""Plugins: one object for each entry point, with its status and the reason for it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

from domctx_core.base.errors import DeclarationError, PluginError, describe
from domctx_core.host.compatibility import incompatibility
from domctx_core.host.discovery import DiscoveredEntryPoint
from domctx_core.host.plugin_filter import PluginFilter
from domctx_core.model.registry import CORE, Provider

__all__ = ["Plugin", "Status", "Traced", "initial_status"]


class Status(StrEnum):
    """What has become of an entry point.

    Built-in: the core's own. Lazy: not imported yet, and its metadata is fine. Loaded: imported.
    Disabled: by the user. Failed: its import or its declaration. Incompatible: its metadata
    requires another core. Shadowed: another copy of the same distribution comes first. Conflict:
    its code or name is claimed by another provider too.
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
    """One import of a plugin's module, or one call of a hook, and how long it took."""

    provider: Provider
    action: str
    subject: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.provider}: {self.action} {self.subject}: {self.seconds * 1000:.1f} ms"


class Plugin:
    """One entry point: where it comes from, its status, and the reason for it.

    `record_types` are the `CODE.NAME` that it declares; `hooks` those that it implements, None
    until it is imported. `warnings` are faults that do not keep it from working, such as a
    misspelt hook. `trace` is the traceback of a failure, `remedy` what ends a conflict. `on_trace`
    is called with each import and each call of a hook.
    """

    def __init__(
        self,
        entry_point: DiscoveredEntryPoint,
        status: Status,
        reason: str = "",
        *,
        on_trace: Callable[[Traced], None] | None = None,
    ) -> None:
        self.entry_point = entry_point
        self.status = status
        self.reason = reason
        self.on_trace = on_trace
        self.record_types: list[str] = []
        self.hooks: list[str] | None = None
        self.warnings: list[str] = []
        self.trace = ""
        self.remedy: str | None = None
        self._loaded: tuple[Any, ...] = ()

    @property
    def provider(self) -> Provider:
        """The distribution and its version."""
        return Provider(self.entry_point.dist, self.entry_point.version)

    @property
    def usable(self) -> bool:
        """True as long as nothing is known to be wrong with it."""
        return self.status in (Status.BUILT_IN, Status.LAZY, Status.LOADED)

    @property
    def broken(self) -> bool:
        """True if it cannot be used although the user did not turn it off."""
        return self.status in (Status.FAILED, Status.INCOMPATIBLE, Status.CONFLICT)

    def error(self) -> PluginError:
        """Return the error for a use of it: why it cannot be used, and what to try."""
        if self.status is Status.CONFLICT:
            hint = self.remedy or f"disable it with `-p no:{self.entry_point.dist}`"
        elif self.status is Status.INCOMPATIBLE:
            hint = f"install a compatible version of {self.entry_point.dist}, or upgrade {CORE}"
        elif self.status is Status.DISABLED:
            hint = "remove the switch to use it"
        else:
            hint = f"`domctx -v plugins info {self.entry_point.dist}` shows its traceback"
        return PluginError(
            f"{self.provider} is {self.status}: {self.reason}", provider=self.provider, hint=hint
        )

    def fail(self, reason: str) -> PluginError:
        """Mark it as failed, with the traceback of the current exception, and return the error."""
        import traceback

        if self.status in (Status.FAILED, Status.CONFLICT):  # one hook of several
            reason = f"{self.reason}; {reason}"
        self.status, self.reason = Status.FAILED, reason
        self.trace += traceback.format_exc()
        return self.error()

    def mark_conflict(self, reason: str, remedy: str | None = None) -> None:
        """Mark it as in conflict with other providers; `remedy` is what ends that."""
        if self.status in (Status.FAILED, Status.CONFLICT):
            reason = f"{self.reason}; {reason}"
        if self.status is not Status.FAILED:
            self.status = Status.CONFLICT
        self.reason, self.remedy = reason, remedy

    def refuse(self, message: str, *, expected: str, actual: object) -> DeclarationError:
        """Mark it as failed, since it is not what it declares, and return the error."""
        self.status, self.reason = Status.FAILED, message
        return DeclarationError(
            message, expected=expected, actual=repr(actual)[:80], provider=self.provider
        )

    def load(self) -> Any:
        """Import and return what the entry point names.

        Raise `PluginError` for whatever goes wrong, except Ctrl-C.
        """
        if not self.usable:
            raise self.error()
        if self._loaded:
            return self._loaded[0]
        begun = time.perf_counter()
        try:
            # stdout is for the answer, not for what a plugin prints while it is imported
            with contextlib.redirect_stdout(sys.stderr):
                thing = self.entry_point.raw.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise self.fail(f"its import raised {describe(error)}") from error
        finally:
            if self.on_trace is not None:
                took = time.perf_counter() - begun
                self.on_trace(Traced(self.provider, "import", self.entry_point.value, took))
        if self.status is Status.LAZY:
            self.status = Status.LOADED
        self._loaded = (thing,)
        return thing

    def to_json(self) -> dict[str, Any]:
        """Return it as `plugins list --json` prints it."""
        return {
            "dist": self.entry_point.dist,
            "version": self.entry_point.version,
            "group": self.entry_point.group,
            "entry_point": self.entry_point.name,
            "status": str(self.status),
            "reason": self.reason,
            "record_types": self.record_types,
            "hooks": self.hooks,
            "value": self.entry_point.value,
            "location": self.entry_point.location,
            "editable": self.entry_point.editable,
            "warnings": self.warnings,
        }


def initial_status(
    point: DiscoveredEntryPoint, plugin_filter: PluginFilter, core: str | None
) -> tuple[Status, str]:
    """Return the status of an entry point before anything is imported, and the reason for it.

    `core` is the version of this core, None if its metadata is not to be found.
    """
    if point.shadowed_by is not None:
        return Status.SHADOWED, f"by {point.dist} {point.shadowed_by}"
    if point.dist == CORE:
        return Status.BUILT_IN, ""
    if reason := plugin_filter.reason(point):
        return Status.DISABLED, reason
    if point.fault:
        return Status.FAILED, point.fault
    if core is not None and (reason := incompatibility(point.requires, core)):
        return Status.INCOMPATIBLE, reason
    return Status.LAZY, ""
