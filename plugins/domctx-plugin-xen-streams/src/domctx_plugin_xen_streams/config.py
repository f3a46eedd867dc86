"""The domain configuration of an xl save file: libxl's JSON, read for the lines that help people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["config_summary"]

_LONGEST = 1 << 20
"""Characters that are parsed; real configurations have a few thousand."""


def config_summary(text: str) -> Mapping[str, str]:
    """Name, type, UUID, memory and vCPUs of the domain; only what the text really says.

    Never raises: what is no JSON, or not built as libxl builds it, gives no lines.
    """
    try:
        config = json.loads(text.rstrip("\0")) if len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        return {}
    created, built = _object(config, "c_info"), _object(config, "b_info")
    found = {
        "domain": created.get("name"),
        "guest type": created.get("type"),
        "uuid": created.get("uuid"),
        "memory": _kib(built.get("target_memkb")),
        "maximum memory": _kib(built.get("max_memkb")),
        "vcpus": built.get("max_vcpus"),
    }
    return {name: _line(value) for name, value in found.items() if isinstance(value, str | int)}


def _object(value: Any, name: str) -> dict[str, Any]:
    inner = value.get(name) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _kib(value: Any) -> str | None:
    return f"{value} KiB" if isinstance(value, int) else None


def _line(value: str | int) -> str:
    """A value on one line, with what cannot be printed escaped."""
    text = str(value)
    return text if text.isprintable() else ascii(text)
