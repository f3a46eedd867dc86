"""Pictures: what a record type says of its records that a reader would rather see drawn.

A record type gives data, never drawings: connections (`Link`) and amounts (`Amount`). Whoever draws
needs to know nothing of the type.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Amount", "Link"]


class Link(NamedTuple):
    """One connection that a record tells of, from something in the domain to something else.

    `source` and `target` name the two ends (`vCPU 0`, `domain 0`); links with the same end meet
    there. `kind` says how they are connected (`interdomain`). `here` and `there` are what the
    connection is called at either end (`port 3`, `port 34`), `note` is whatever else matters
    (`masked`).
    """

    source: str
    target: str
    kind: str
    here: str = ""
    there: str = ""
    note: str = ""


class Amount(NamedTuple):
    """How much there is of one kind of thing: `count` of `unit`, and the bytes that they take."""

    label: str
    count: int  # type: ignore[assignment]  # hides the method of tuples, which is of no use here
    unit: str
    size: int
