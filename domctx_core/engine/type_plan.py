"""How the records of one type are taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domctx_core.engine.runs import record_frame
from domctx_core.layout.columns.columns import Frame
from domctx_core.layout.columns.fixed_layout import RowLayout
from domctx_core.model.check import Check
from domctx_core.model.overrides import prefers_batch
from domctx_core.model.registry import Entry
from domctx_core.model.traits import Traits

__all__ = ["TypePlan"]


class TypePlan:
    """How the records of one type are taken; looked up once for each type that an image has.

    `layout` is there where runs of records can be taken without judging one by one, if their
    instances are `good`; `wait` is how many are not looked at for that, after it was `missed`.
    `whole` says that nobody needs to see each of them. Checks may see a run
    when all of it is loaded, but only `at_once`: while nothing has come of it for the domain.
    """

    __slots__ = (
        "checks", "code", "entry", "frame", "good", "layout", "limit", "load", "missed", "name",
        "record_type", "wait", "whole",
    )  # fmt: skip

    def __init__(self, entry: Entry, checks: Sequence[Check], at_once: bool = False) -> None:
        record_type = entry.record_type
        kind = type(record_type)
        self.entry = entry
        self.code, self.name = entry.code, entry.name
        self.record_type = record_type
        self.load = record_type.load
        self.limit = record_type.instances.limit
        self.checks = [check for check in checks if entry.code in check.codes]
        self.wait = self.missed = 0
        self.layout: RowLayout[Any] | None = None
        self.frame = Frame(0)
        traits = Traits.of(record_type)
        self.good = traits.trusted
        if traits.size and traits.self_contained and traits.trusted:
            layout = RowLayout(record_type.body)
            if layout.pattern("little") is not None:
                self.layout, self.frame = layout, record_frame(layout)
        self.whole = prefers_batch(kind, "load_run", "load") and all(
            at_once and prefers_batch(type(check), "records", "record") for check in self.checks
        )
