"""Deprecation: hooks that will go, with a warning that names the plugin which still has them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEPRECATED", "Deprecation", "DomctxDeprecationWarning"]


class DomctxDeprecationWarning(DeprecationWarning):
    """A plugin uses what a later version of the core will not have.

    For authors, whose tests show it; the command tells its users in its own way.
    """


@dataclass(frozen=True, slots=True)
class Deprecation:
    """A hook (or `hook.argument`) that goes away: since when, in which version, and what instead."""

    name: str
    since: str
    removed_in: str
    instead: str

    def warning(self, plugin: object) -> str:
        """The sentence for the author of `plugin`."""
        return (
            f"{plugin} implements {self.name}, which is deprecated since domctx-core {self.since}"
            f" and goes away in {self.removed_in}; use {self.instead}"
        )


DEPRECATED: tuple[Deprecation, ...] = ()
"""What is deprecated now. A test fails when one of these is overdue."""
