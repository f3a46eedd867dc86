"""Which of two forms of a method stands for the other: one record at a time, or a whole run."""

from __future__ import annotations

__all__ = ["prefers_batch"]


def prefers_batch(kind: type, batch: str, *single: str) -> bool:
    """Whether the method `batch` of a class may be called in place of the methods `single`.

    It may not where a subclass overrides one of these and leaves `batch` as it was: then it wants
    to see each record.
    """
    for base in kind.__mro__:
        if batch in vars(base):
            return True
        if any(name in vars(base) for name in single):
            return False
    return False
