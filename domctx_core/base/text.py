"""Text for messages: names near a misspelt one, ranges of numbers, excerpts of JSON."""

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
    "ranges_of",
    "ranges_text",
    "suggestion",
]

_LONGEST = 100
"""Characters beyond which a word is no misspelt name, and not worth the time to compare it."""


def nearest(word: object, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names that a misspelt or shortened one is nearest to, the nearest first.

    Upper and lower case count as the same.
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
    """The question that a message asks about a misspelt name; None where none is near."""
    near = nearest(word, known)
    return f"did you mean {' or '.join(near)}?" if near else None


def suggestion(word: object, known: Iterable[str]) -> str:
    """`; did you mean X?` for a misspelt word, or nothing."""
    near = nearest(word, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def ranges_of(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Numbers in their order, each one and those that count on from it as (first, last)."""
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
    """Ranges in one line, each number formatted as `spec` says; an ellipsis after the first `most`."""
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


def json_integer(value: int) -> int | str:
    """Return an integer as JSON readers keep it exactly: a decimal string beyond 2**53."""
    return value if -(2**53) <= value <= 2**53 else str(value)
