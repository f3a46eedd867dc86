"""START and END, which every image needs, and errors of handlers."""

from __future__ import annotations

from domctx_core.base.errors import DomctxError, Errno, PluginError, describe
from domctx_core.model.registry import Entry, Registry

__all__ = ["END", "START", "handler_error", "locate", "start_and_end"]

END = 0
"""Type code of the record that terminates an image."""

START = 1
"""Type code of the record that begins an image."""


def start_and_end(registry: Registry) -> tuple[Entry, Entry]:
    """Return the entries of START and END; raise `PluginError` if the registry lacks them."""
    start, end = registry.get(START), registry.get(END)
    if start is None or end is None:
        raise PluginError(
            "the registry has no record types START and END, which every image needs",
            hint="register domctx_core.model.builtin's, or let a host build the registry",
        )
    return start, end


def locate(error: DomctxError, entry: Entry, instance: int | None) -> None:
    """Add to an error whose handler was at work."""
    error.locate(type=entry.code, type_name=entry.name, instance=instance, provider=entry.provider)


def handler_error(
    entry: Entry, what: str, error: BaseException, instance: int | None
) -> PluginError:
    """Return the error that blames a handler's plugin for an exception that is not a `DomctxError`."""
    return PluginError(
        f"the {what} handler of {entry.name} raised {describe(error)}",
        errno=Errno.EIO,
        type=entry.code,
        type_name=entry.name,
        instance=instance,
        provider=entry.provider,
    )
