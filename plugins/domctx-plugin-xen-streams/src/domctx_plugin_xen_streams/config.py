"""The domain configuration of an xl save file: libxl's JSON, judged, and read for lines that help."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from domctx_core import Problem

__all__ = ["CONFIG_RULE", "config_problem", "config_summary"]

CONFIG_RULE = "xen-streams/unreadable-config"
"""The rule that a configuration breaks which `xl restore` cannot read."""

_LONGEST = 1 << 20
"""Characters that are parsed; real configurations have a few thousand."""


def config_problem(text: str) -> Problem | None:
    """Return the reason why xl cannot read a JSON configuration, with the offset in it.

    What follows the first NUL is nothing to xl, nor to us.
    """
    text, nul, _ = text.partition("\0")
    if not nul:
        return _unreadable("does not end with a NUL", text, len(text))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return _unreadable("is not UTF-8", text, error.start)
    if len(text) > _LONGEST:
        return None
    try:
        # whatever number it has is nothing to us, and Python minds thousands of digits
        config = json.loads(text, parse_int=str, parse_constant=_no_constant)
    except RecursionError:
        return _unreadable("is nested too deeply to be read", text, 0)
    except ValueError as error:
        return _unreadable("is not JSON", text, getattr(error, "pos", 0))
    return None if isinstance(config, dict) else _unreadable("is not a JSON object", text, 0)


def _no_constant(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


def _unreadable(what: str, text: str, at: int) -> Problem:
    size = len(text[:at].encode(errors="surrogateescape"))
    actual = text[at : at + 16].encode(errors="surrogateescape")
    return Problem(
        CONFIG_RULE,
        f"the domain's configuration {what}",
        size,
        "config",
        expected="a JSON object in UTF-8, and a NUL",
        actual=f"bytes {actual.hex(' ')}" if actual else "the end of the configuration",
    )


def config_summary(text: str) -> Mapping[str, str]:
    """Name, type, UUID, memory and vCPUs of the domain; only what the text really says.

    Never raises: what is no JSON, or not built as libxl builds it, gives no lines.
    """
    try:
        config = json.loads(text.rstrip("\0")) if len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        return {}
    created, built = _object(config, "c_info"), _object(config, "b_info")
    summary = {
        "domain": created.get("name"),
        "guest type": created.get("type"),
        "uuid": created.get("uuid"),
        "memory": _kib(built.get("target_memkb")),
        "maximum memory": _kib(built.get("max_memkb")),
        "vcpus": built.get("max_vcpus"),
    }
    return {name: _line(value) for name, value in summary.items() if isinstance(value, str | int)}


def _object(value: Any, name: str) -> dict[str, Any]:
    inner = value.get(name) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _kib(value: Any) -> str | None:
    return f"{value} KiB" if isinstance(value, int) else None


def _line(value: str | int) -> str:
    """Return a value on one line, with what cannot be printed escaped."""
    text = str(value)
    return text if text.isprintable() else ascii(text)
