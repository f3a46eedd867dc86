"""Import what an entry point names, and check it against what the entry point declares.

Each function raises `PluginError` if the import fails or gives something else; the plugin's
status then says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from domctx_core.base.errors import PLUGIN_ERRORS, DomctxError, describe
from domctx_core.host.plugin import Plugin
from domctx_core.model.format import Format
from domctx_core.model.record_type import RecordType
from domctx_core.model.validation import validate_record_type

if TYPE_CHECKING:
    import click

    from domctx_core.model.declarations import DomainRequest
    from domctx_core.model.domain import Domain

__all__ = ["load_command", "load_format", "load_opener", "load_record_type"]


def load_record_type(plugin: Plugin) -> RecordType[Any]:
    """Return the record type, which must have the code and name of the entry point."""
    value = plugin.load()
    try:
        record_type = validate_record_type(value)
    except DomctxError as error:
        raise plugin.fail(str(error)) from error
    except PLUGIN_ERRORS as error:
        raise plugin.fail(f"its record type raised {describe(error)}") from error
    declared, actual = plugin.record_types[0], f"{record_type.code}.{record_type.name}"
    if isinstance(record_type.name, str) and actual != declared:
        raise plugin.refuse(
            f"the entry point of {plugin.provider} declares {declared}, but"
            f" {type(record_type).__name__} is {actual}",
            expected=declared,
            actual=actual,
        )
    return record_type


def load_format(plugin: Plugin) -> Format:
    """Return the format, which must have the name of the entry point."""
    value, name = plugin.load(), plugin.entry_point.name
    if not (isinstance(value, type) and issubclass(value, Format)):
        raise plugin.refuse(
            f"the format {name} of {plugin.provider} is not a Format class",
            expected="a subclass of domctx_core.Format",
            actual=value,
        )
    if getattr(value, "name", None) != name:
        raise plugin.refuse(
            f"the entry point of {plugin.provider} declares the format {name}, but"
            f" {value.__name__} is named {getattr(value, 'name', None)!r}",
            expected=name,
            actual=value,
        )
    try:
        return value()
    except PLUGIN_ERRORS as error:
        raise plugin.fail(f"{value.__name__}() raised {describe(error)}") from error


def load_command(plugin: Plugin) -> click.Command:
    """Return the command of a verb."""
    import click

    value, name = plugin.load(), plugin.entry_point.name
    if not isinstance(value, click.Command):
        raise plugin.refuse(
            f"the verb {name} of {plugin.provider} is not a click command",
            expected="a click.Command",
            actual=value,
        )
    return value


def load_opener(plugin: Plugin) -> Callable[[DomainRequest], Domain]:
    """Return what opens the domains of a scheme."""
    opener: Callable[[DomainRequest], Domain] = plugin.load()
    if not callable(opener):
        raise plugin.refuse(
            f"the scheme {plugin.entry_point.name} of {plugin.provider} is not callable",
            expected="a callable that takes a DomainRequest",
            actual=opener,
        )
    return opener
