"""Excerpts: what somebody else wrote, as messages show it: JSON values, and text that is no JSON."""

from __future__ import annotations

from typing import Any

__all__ = ["TOO_LONG", "excerpt", "no_json"]

_MOST = 60
"""Characters of a value that a message shows."""

TOO_LONG = "a number has more digits than any field can hold"


def excerpt(value: Any) -> str:
    """A value as it stands in JSON, cut where it is long."""
    import json

    try:
        text = json.dumps(value, default=repr)
    except ValueError:  # Python itself prints no integer of thousands of digits
        return TOO_LONG
    return text if len(text) <= _MOST else text[: _MOST - 3] + "..."


def no_json(error: ValueError | RecursionError) -> str:
    """What is wrong with a text that `json` has refused."""
    import json

    if isinstance(error, RecursionError):
        return "it is nested too deeply to be read"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is no UTF-8"
    return str(error) if isinstance(error, json.JSONDecodeError) else TOO_LONG
