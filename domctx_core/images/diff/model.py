"""The differences of two images, as data: A is the first image, B the second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from domctx_core.base.text import json_integer
from domctx_core.images.diff.changes import PartsChange, Value, ValueChange

__all__ = ["ContainerChange", "ContainerPlace", "Diff", "RecordChange", "RecordPlace"]


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
        """Return name (or number), instance and identity, as in `TSC_INFO[0]`, `NODE_DATA (path '/a')`."""
        name = self.name or f"type {self.type:#x}"
        if self.instance is not None:
            name += f"[{self.instance}]"
        fields = ", ".join(f"{field} {value.text}" for field, value in self.identity)
        return f"{name} ({fields})" if fields else name

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of `diff --json`."""
        shown: dict[str, Any] = {"type": self.type, "name": self.name}
        if self.instance is not None:
            shown["instance"] = self.instance
        if self.identity:
            shown["identity"] = {field: value.json for field, value in self.identity}
        return {
            **shown,
            "index": self.index,
            "offset": self.offset,
            "length": json_integer(self.length),
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
    changes: tuple[ValueChange, ...] = ()
    parts: PartsChange | None = None

    @property
    def status(self) -> Literal["added", "removed", "changed", "moved"]:
        """Return what became of the record from A to B; `changed` if it has moved as well."""
        if self.a is None:
            return "added"
        if self.b is None:
            return "removed"
        return "changed" if self.changes or self.parts else "moved"

    @property
    def place(self) -> RecordPlace:
        """Return the record in A, or in B if A does not have it."""
        place = self.a or self.b
        assert place is not None
        return place

    @property
    def differences(self) -> int:
        """Count the differences, those of volatile values excepted."""
        alone = self.a is None or self.b is None
        own = sum(not change.volatile for change in self.changes)
        return alone + self.moved + own + (self.parts.differences if self.parts else 0)

    @property
    def folded(self) -> int:
        """Count the volatile values that differ."""
        own = sum(change.volatile for change in self.changes)
        return own + bool(self.parts and self.parts.passing.count)

    def swapped(self) -> RecordChange:
        """Return the same from B to A."""
        return replace(
            self,
            a=self.b,
            b=self.a,
            changes=tuple(change.swapped() for change in self.changes),
            parts=self.parts and self.parts.swapped(),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of `diff --json`."""
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
        """Return the JSON of `diff --json`."""
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
    changes: tuple[ValueChange, ...] = ()
    records: tuple[RecordChange, ...] = ()

    @property
    def status(self) -> Literal["added", "removed", "changed", "not-compared"]:
        """Return what became of the container from A to B."""
        if not self.compared:
            return "not-compared"
        if self.a is None:
            return "added"
        return "removed" if self.b is None else "changed"

    @property
    def differences(self) -> int:
        """Count the differences, those of volatile values excepted."""
        alone = self.compared and (self.a is None or self.b is None)
        own = sum(not change.volatile for change in self.changes)
        return alone + own + sum(record.differences for record in self.records)

    @property
    def folded(self) -> int:
        """Count the volatile values that differ."""
        own = sum(change.volatile for change in self.changes)
        return own + sum(record.folded for record in self.records)

    def swapped(self) -> ContainerChange:
        """Return the same from B to A."""
        return replace(
            self,
            a=self.b,
            b=self.a,
            changes=tuple(change.swapped() for change in self.changes),
            records=tuple(record.swapped() for record in self.records),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of `diff --json`."""
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
        """Count the differences, those of volatile values excepted."""
        return sum(container.differences for container in self.containers)

    @property
    def folded(self) -> int:
        """Count the volatile values that differ, such as times."""
        return sum(container.folded for container in self.containers)

    def records(self) -> Iterator[tuple[ContainerChange, RecordChange]]:
        """Yield every record that differs, with its container."""
        for container in self.containers:
            for record in container.records:
                yield container, record

    def swapped(self) -> Diff:
        """Return the same from B to A."""
        return replace(self, containers=tuple(container.swapped() for container in self.containers))

    def to_json(self) -> dict[str, Any]:
        """Return the counts and containers of `diff --json`."""
        return {
            "differences": self.differences,
            "folded": self.folded,
            "needs_plugin": self.needs_plugin,
            "containers": [container.to_json() for container in self.containers],
        }
