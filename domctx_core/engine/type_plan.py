"""Settle how a load takes the records of one type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domctx_core.engine.runs import record_frame
from domctx_core.layout.columns.fixed_layout import FixedLayout, Frame
from domctx_core.model.check import Check
from domctx_core.model.overrides import prefers_batch
from domctx_core.model.registry import Entry
from domctx_core.model.traits import Traits

__all__ = ["TypePlan"]


class TypePlan:
    """How the records of one type are taken, settled once for all records of an image.

    * `layout`, `frame`: how the records of a run are placed in the image; `layout` is None if each record
      has to be judged by itself;
    * `trusted`: instances that a run may have;
    * `checks`: those that want to see the records; `watched`: whether they or an observer do;
    * `whole`: the records of a run need not be shown one by one. Checks may see a run after its
      records were loaded, but only with `validate`: as long as nothing has happened to the domain;
    * `missed`, `wait`: records to let pass before the next look for a run, after the last one was in
      vain, and how many of them are left.
    """

    __slots__ = (
        "checks", "code", "entry", "frame", "layout", "limit", "load", "missed", "name",
        "record_type", "trusted", "wait", "watched", "whole",
    )  # fmt: skip

    def __init__(
        self, entry: Entry, checks: Sequence[Check], validate: bool, observed: bool
    ) -> None:
        record_type = entry.record_type
        kind = type(record_type)
        self.entry = entry
        self.code, self.name = entry.code, entry.name
        self.record_type = record_type
        self.load = record_type.load
        self.limit = record_type.instances.limit
        self.checks = [check for check in checks if entry.code in check.codes]
        self.watched = observed or bool(self.checks)
        self.wait = self.missed = 0
        self.layout: FixedLayout[Any] | None = None
        self.frame = Frame(0)
        traits = Traits.of(record_type)
        self.trusted = traits.trusted
        if traits.size and traits.self_contained and traits.trusted:
            layout = FixedLayout(record_type.body)
            if layout.pattern("little") is not None:
                self.layout, self.frame = layout, record_frame(layout)
        self.whole = prefers_batch(kind, "load_run", "load") and all(
            validate and prefers_batch(type(check), "records", "record") for check in self.checks
        )
