"""Read and write the state files of simulated domains."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

from domctx_core.base.errors import DomainError, UsageError
from domctx_core.base.io import cannot_read
from domctx_core.base.text import no_json
from domctx_core.base.xen_version import XenVersion

__all__ = [
    "MOST_VCPUS",
    "SCHEMA",
    "choice_at",
    "number_at",
    "object_at",
    "read_state",
    "state_error",
    "state_text",
    "version_at",
]

SCHEMA = "domctx.sim/1"
"""The value of `schema` in a state file."""

MOST_VCPUS = 8192
"""vCPUs of the largest simulated domain."""


def state_text(state: dict[str, Any]) -> str:
    """Return the text of a state file, a record on each line."""
    # at once, since that is quicker; what is put between two records is blank, wherever it may be
    records = json.dumps(state.pop("records")).replace('}, {"type": ', '},\n  {"type": ')
    head = json.dumps(state, indent=1).removesuffix("\n}")
    return f'{head},\n "records": [\n  {records[1:-1]}\n ]\n}}\n'


def read_state(path: Path) -> Any:
    """Return the JSON value of a state file; raise `DomainError` if it has none."""
    try:
        if stat.S_IFMT(path.stat().st_mode) in (stat.S_IFCHR, stat.S_IFBLK):
            raise DomainError(f"{path} is a device", hint="a state file is JSON text")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise cannot_read(path, error) from error
    except (ValueError, RecursionError) as error:
        raise DomainError(
            f"{path} is not valid JSON: {no_json(error)}", hint="a state file is JSON text"
        ) from None


def state_error(where: str, expected: object, actual: object) -> DomainError:
    """Return the error for a value of a state file that is not as it has to be."""
    return DomainError(
        f"the state file is not valid at {where}", expected=expected, actual=f"{actual!r:.60}"
    )


def object_at(value: Any, where: str) -> dict[str, Any]:
    """Return `value` if it is an object; raise `DomainError` that names the place."""
    if not isinstance(value, dict):
        raise state_error(where, "an object", value)
    return value


def version_at(value: Any) -> XenVersion | None:
    """Return the version that `xen_version` of a state file gives."""
    if value is None:
        return None
    try:
        return XenVersion.parse(value)
    except (UsageError, TypeError):
        raise state_error("xen_version", "a string such as 4.17", value) from None


def number_at(table: dict[str, Any], name: str, low: int, high: int, where: str = "") -> int | None:
    """Return the number at a key of an object, None if it has none."""
    value = table.get(name)
    if value is None:
        return None
    if type(value) is not int or not low <= value <= high:
        raise state_error(
            f"{where}.{name}" if where else name, f"a number from {low} to {high}", value
        )
    return value


def choice_at(table: dict[str, Any], name: str, choices: tuple[Any, ...]) -> Any:
    """Return what `guest` of a state file has at a key: one of the choices, or None."""
    value = table.get(name)
    if value is not None and (type(value) is not type(choices[0]) or value not in choices):
        raise state_error(f"guest.{name}", " or ".join(str(choice) for choice in choices), value)
    return value
