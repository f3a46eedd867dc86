"""What differs between two images, as data: A is the first image, B the second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from domctx_core.base.text import ranges_text
from domctx_core.document.vocabulary import number
from domctx_core.layout.kinds.bits import Bits

__all__ = [
    "Change",
    "ContainerChange",
    "ContainerPlace",
    "Diff",
    "Keys",
    "PartsChange",
    "RecordChange",
    "RecordPlace",
    "Value",
]

Where = Literal[
    "body", "header", "prologue", "padding", "byteorder", "format", "trailing", "unframed"
]
"""Which part of a record or container a change lies in."""


@dataclass(frozen=True, slots=True)
class Value:
    """One side of a change: as JSON holds it, as people read it, and where it lies.

    `offset` counts from the start of the input; None where no byte of it is this value.
    """

    json: Any
    text: str
    offset: int | None


@dataclass(frozen=True, slots=True)
class Change:
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

    def swapped(self) -> Change:
        """The same change from B to A."""
        return replace(self, a=self.b, b=self.a, set=self.cleared, cleared=self.set)

    def to_json(self) -> dict[str, Any]:
        """As `diff --json` prints it."""
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
        """The ranges for people; an ellipsis stands for those that are not known."""
        known = sum(last - first + 1 for first, last in self.ranges)
        return ranges_text(self.ranges, spec="#x") + (", ..." if known < self.count else "")

    def to_json(self) -> dict[str, Any]:
        """As `diff --json` prints it."""
        return {
            "count": self.count,
            "ranges": [[number(first), number(last)] for first, last in self.ranges],
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
        """How many of the four ways to differ there are."""
        return sum(keys.count > 0 for keys in (self.changed, self.kinds, self.removed, self.added))

    def swapped(self) -> PartsChange:
        """The same from B to A."""
        by = sorted((new, old, count) for old, new, count in self.kinds_by)
        return replace(self, kinds_by=tuple(by), removed=self.added, added=self.removed)

    def to_json(self) -> dict[str, Any]:
        """As `diff --json` prints it."""
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


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """A record of one image: what it is and where its header starts in the input.

    `identity` has the fields that tell it from others of its type (see `RecordType.identity`).
    """

    type: int
    name: str | None
    instance: int | None
    index: int
    offset: int
    length: int
    identity: tuple[tuple[str, Value], ...] = ()

    @property
    def label(self) -> str:
        """Name (or number), instance and identity, as in `TSC_INFO[0]`, `NODE_DATA (path '/a')`."""
        name = self.name or f"type {self.type:#x}"
        if self.instance is not None:
            name += f"[{self.instance}]"
        fields = ", ".join(f"{field} {value.text}" for field, value in self.identity)
        return f"{name} ({fields})" if fields else name

    def to_json(self) -> dict[str, Any]:
        """As `diff --json` prints it."""
        shown: dict[str, Any] = {"type": self.type, "name": self.name}
        if self.instance is not None:
            shown["instance"] = self.instance
        if self.identity:
            shown["identity"] = {field: value.json for field, value in self.identity}
        return {
            **shown,
            "index": self.index,
            "offset": self.offset,
            "length": number(self.length),
        }


@dataclass(frozen=True, slots=True)
class RecordChange:
    """A record that one image has and the other has not, or that differs, or that has moved.

    `a` is None where it was added, `b` where it was removed. `ordinal` counts records of the same
    type, instance and identity in the container. `parts` is about all bulk records of the type together; `a`
    and `b` are then the first of them.
    """

    a: RecordPlace | None
    b: RecordPlace | None
    ordinal: int = 0
    moved: bool = False
    changes: tuple[Change, ...] = ()
    parts: PartsChange | None = None

    @property
    def status(self) -> Literal["added", "removed", "changed", "moved"]:
        """What became of the record from A to B; `changed` where it has moved as well."""
        if self.a is None:
            return "added"
        if self.b is None:
            return "removed"
        return "changed" if self.changes or self.parts else "moved"

    @property
    def place(self) -> RecordPlace:
        """The record in A, or in B where A has it not."""
        place = self.a or self.b
        assert place is not None
        return place

    @property
    def differences(self) -> int:
        """How many differences there are that do not come by themselves."""
        alone = self.a is None or self.b is None
        own = sum(not change.volatile for change in self.changes)
        return alone + self.moved + own + (self.parts.differences if self.parts else 0)

    @property
    def folded(self) -> int:
        """How many values differ that move by themselves."""
        own = sum(change.volatile for change in self.changes)
        return own + bool(self.parts and self.parts.passing.count)

    def swapped(self) -> RecordChange:
        """The same from B to A."""
        return replace(
            self,
            a=self.b,
            b=self.a,
            changes=tuple(change.swapped() for change in self.changes),
            parts=self.parts and self.parts.swapped(),
        )

    def to_json(self) -> dict[str, Any]:
        """As `diff --json` prints it."""
        shown: dict[str, Any] = {"status": self.status}
        for side, place in (("a", self.a), ("b", self.b)):
            shown[side] = None if place is None else place.to_json()
        shown |= {"ordinal": self.ordinal, "moved": self.moved}
        shown["changes"] = [change.to_json() for change in self.changes]
        if self.parts is not None:
            shown["parts"] = self.parts.to_json()
        return shown


@dataclass(frozen=True, slots=True)
class ContainerPlace:
    """A container of one image: the formats from the outermost to it, and where it starts."""

    path: tuple[str, ...]
    offset: int

    def to_json(self) -> dict[str, Any]:
        """As `diff --json` prints it."""
        return {"path": list(self.path), "offset": self.offset}


@dataclass(frozen=True, slots=True)
class ContainerChange:
    """A container that differs, or that the other image has no counterpart of.

    One that is not `compared` lies outside of what the two images have in common, such as the stream
    around a domain context that is compared with a bare one; it is no difference.
    """

    format: str
    a: ContainerPlace | None
    b: ContainerPlace | None
    compared: bool = True
    changes: tuple[Change, ...] = ()
    records: tuple[RecordChange, ...] = ()

    @property
    def status(self) -> Literal["added", "removed", "changed", "not-compared"]:
        """What became of the container from A to B."""
        if not self.compared:
            return "not-compared"
        if self.a is None:
            return "added"
        return "removed" if self.b is None else "changed"

    @property
    def differences(self) -> int:
        """How many differences there are that do not come by themselves."""
        alone = self.compared and (self.a is None or self.b is None)
        own = sum(not change.volatile for change in self.changes)
        return alone + own + sum(record.differences for record in self.records)

    @property
    def folded(self) -> int:
        """How many values differ that move by themselves."""
        own = sum(change.volatile for change in self.changes)
        return own + sum(record.folded for record in self.records)

    def swapped(self) -> ContainerChange:
        """The same from B to A."""
        return replace(
            self,
            a=self.b,
            b=self.a,
            changes=tuple(change.swapped() for change in self.changes),
            records=tuple(record.swapped() for record in self.records),
        )

    def to_json(self) -> dict[str, Any]:
        """As `diff --json` prints it."""
        return {
            "format": self.format,
            "status": self.status,
            "a": None if self.a is None else self.a.to_json(),
            "b": None if self.b is None else self.b.to_json(),
            "changes": [change.to_json() for change in self.changes],
            "records": [record.to_json() for record in self.records],
        }


@dataclass(frozen=True, slots=True)
class Diff:
    """All that differs between two images.

    `needs_plugin` says that a record differs whose plugin cannot be used, so that only its bytes
    could be compared.
    """

    containers: tuple[ContainerChange, ...] = ()
    needs_plugin: bool = False

    @property
    def differences(self) -> int:
        """How many differences there are that do not come by themselves."""
        return sum(container.differences for container in self.containers)

    @property
    def folded(self) -> int:
        """How many values differ that move by themselves, such as times."""
        return sum(container.folded for container in self.containers)

    def records(self) -> Iterator[tuple[ContainerChange, RecordChange]]:
        """Every record that differs, with its container."""
        for container in self.containers:
            for record in container.records:
                yield container, record

    def swapped(self) -> Diff:
        """The same from B to A."""
        return replace(self, containers=tuple(each.swapped() for each in self.containers))

    def to_json(self) -> dict[str, Any]:
        """The counts and containers of `diff --json`."""
        return {
            "differences": self.differences,
            "folded": self.folded,
            "needs_plugin": self.needs_plugin,
            "containers": [container.to_json() for container in self.containers],
        }
