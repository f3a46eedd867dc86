"""Text for messages: one line, names close to a misspelt one, ranges of numbers, excerpts of JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = [
    "TOO_LONG",
    "did_you_mean",
    "excerpt",
    "json_integer",
    "nearest",
    "no_json",
    "one_line",
    "ranges_of",
    "ranges_text",
    "suggestion",
]


def one_line(text: str) -> str:
    """Return text from outside for a message: on one line, with escapes for control characters."""
    if text.isprintable():
        return text
    # bytes that are no UTF-8 (surrogates here) stay: they are harmless, and name the user's files
    return "".join(
        char if char.isprintable() or "\udc80" <= char <= "\udcff" else ascii(char)[1:-1]
        for char in text
    )


_LONGEST = 100
"""Longer words are not compared: they are no misspelt names, and comparing takes long."""


def nearest(word: object, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the known names closest to a misspelt or shortened one, the closest first.

    Case does not matter.
    """
    if not isinstance(word, str) or not 0 < len(word) <= _LONGEST:
        return []
    import difflib

    folded = word.casefold()
    names = {name.casefold(): name for name in sorted(known)}
    near = difflib.get_close_matches(folded, names, most)
    longer = [name for name in names if len(folded) > 2 and folded in name and name not in near]
    return [names[name] for name in [*longer, *near][:most]]


def did_you_mean(word: object, known: Iterable[str]) -> str | None:
    """Return `did you mean X or Y?` for a misspelt name; None if no known name is close."""
    near = nearest(word, known)
    return f"did you mean {' or '.join(near)}?" if near else None


def suggestion(word: object, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for a misspelt word; empty if no known one is close."""
    near = nearest(word, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def ranges_of(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield numbers, in their order, as ranges (first, last) of consecutive ones."""
    first = last = None
    for number in numbers:
        if first is not None and last is not None:
            if number == last + 1:
                last = number
                continue
            yield first, last
        first = last = number
    if first is not None and last is not None:
        yield first, last


def ranges_text(
    ranges: Iterable[tuple[int, int]],
    *,
    most: int | None = None,
    separator: str = ", ",
    spec: str = "",
) -> str:
    """Return ranges on one line, numbers formatted by `spec`, an ellipsis after the first `most`."""
    parts: list[str] = []
    for first, last in ranges:
        if len(parts) == most:
            parts.append("...")
            break
        text = f"{first:{spec}}"
        parts.append(text if first == last else f"{text}-{last:{spec}}")
    return separator.join(parts)


_MOST = 60
"""Characters of a value that a message shows."""

TOO_LONG = "a number has more digits than any field can hold"


def excerpt(value: Any) -> str:
    """Return a value as JSON text, shortened if it is long."""
    import json

    try:
        text = json.dumps(value, default=repr)
    except ValueError:  # Python itself prints no integer of thousands of digits
        return TOO_LONG
    return text if len(text) <= _MOST else text[: _MOST - 3] + "..."


def no_json(error: ValueError | RecursionError) -> str:
    """Return what is wrong with a text that `json` rejected."""
    import json

    if isinstance(error, RecursionError):
        return "it is nested too deeply to be read"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not valid UTF-8"
    return str(error) if isinstance(error, json.JSONDecodeError) else TOO_LONG


def json_integer(value: int) -> int | str:
    """Return an integer as JSON readers keep it exactly: a decimal string beyond 2**53."""
    return value if -(2**53) <= value <= 2**53 else str(value)
