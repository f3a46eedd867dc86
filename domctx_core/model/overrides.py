"""Choose between the two forms of a method: for one record, and for many at once."""

from __future__ import annotations

__all__ = ["prefers_batch"]


def prefers_batch(kind: type, batch: str, *single: str) -> bool:
    """Return whether the method `batch` of a class may be called in place of the methods `single`.

    It may not if a subclass overrides one of these and leaves `batch` as it was: the subclass wants
    to see each record then.
    """
    for base in kind.__mro__:
        if batch in vars(base):
            return True
        if any(name in vars(base) for name in single):
            return False
    return False
