"""The differences inside of a record or container, as data: A is the first image, B the second."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from domctx_core.base.text import json_integer, ranges_text
from domctx_core.layout.kinds.bits import Bits

__all__ = ["Keys", "PartsChange", "Value", "ValueChange"]


Where = Literal[
    "body", "header", "prologue", "padding", "byteorder", "format", "trailing", "unframed"
]
"""The part of a record or container that a change is in."""


@dataclass(frozen=True, slots=True)
class Value:
    """One side of a change: as JSON holds it, as people read it, and where it lies.

    `offset` counts from the start of the input; None where no byte of it is this value.
    """

    json: Any
    text: str
    offset: int | None


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One value that differs; `a` or `b` is None where that side has none.

    `field` is the path of the field, None for what is no field. `volatile` says that the value
    moves by itself. Of a bitmap, `set` and `cleared` are the positions that are one in B only and in
    A only. Of bytes, `first` is where the first that differs is, from the start of the value, and
    `count` how many differ, those that one side has more included; the two values are then cut
    around it.
    """

    where: Where
    field: str | None
    a: Value | None
    b: Value | None
    volatile: bool = False
    set: Bits | None = None
    cleared: Bits | None = None
    first: int | None = None
    count: int | None = None

    def swapped(self) -> ValueChange:
        """Return the same change from B to A."""
        return replace(self, a=self.b, b=self.a, set=self.cleared, cleared=self.set)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of `diff --json`."""
        shown: dict[str, Any] = {"where": self.where}
        if self.field is not None:
            shown["field"] = self.field
        for side, value in (("a", self.a), ("b", self.b)):
            if value is None:
                continue
            if self.set is None:
                shown[side] = value.json
            if value.offset is not None:
                shown[f"{side}_offset"] = value.offset
        if self.set is not None and self.cleared is not None:
            shown |= {"set": list(self.set), "cleared": list(self.cleared)}
        if self.first is not None:
            shown |= {"first": self.first, "count": self.count}
        return {**shown, "volatile": self.volatile}


@dataclass(frozen=True, slots=True)
class Keys:
    """Parts of bulk records by their keys: how many, and the first ranges of them."""

    count: int = 0
    ranges: tuple[tuple[int, int], ...] = ()

    def text(self) -> str:
        """Return the ranges as text; an ellipsis stands for those that are not known."""
        known = sum(last - first + 1 for first, last in self.ranges)
        return ranges_text(self.ranges, spec="#x") + (", ..." if known < self.count else "")

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of `diff --json`."""
        return {
            "count": self.count,
            "ranges": [[json_integer(first), json_integer(last)] for first, last in self.ranges],
        }


@dataclass(frozen=True, slots=True)
class PartsChange:
    """What differs in the parts (pages) of all bulk records of one type in a container.

    Of parts that come again the last one counts. `changed` differ in content, `kinds` in kind, with
    how many went from which to which; `removed` are in A only and `added` in B only. `passing`
    are the same in the end, and stand in another order or differed before they came again.
    """

    part: str
    changed: Keys = Keys()
    kinds: Keys = Keys()
    kinds_by: tuple[tuple[str, str, int], ...] = ()
    removed: Keys = Keys()
    added: Keys = Keys()
    passing: Keys = Keys()

    @property
    def differences(self) -> int:
        """Count which of the four ways to differ there are."""
        return sum(keys.count > 0 for keys in (self.changed, self.kinds, self.removed, self.added))

    def swapped(self) -> PartsChange:
        """Return the same from B to A."""
        by = sorted((new, old, count) for old, new, count in self.kinds_by)
        return replace(self, kinds_by=tuple(by), removed=self.added, added=self.removed)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of `diff --json`."""
        return {
            "part": self.part,
            "changed": self.changed.to_json(),
            "kinds": {
                **self.kinds.to_json(),
                "by": [{"a": a, "b": b, "count": count} for a, b, count in self.kinds_by],
            },
            "removed": self.removed.to_json(),
            "added": self.added.to_json(),
            "passing": self.passing.to_json(),
        }
