"""Spelling: what somebody who wrote a name that nobody knows may have meant."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["did_you_mean", "nearest"]

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
