"""Data of a record type that the report draws: connections and amounts."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Amount", "Link"]


class Link(NamedTuple):
    """One connection that a record describes, from something in the domain to something else.

    * `source`, `target`: names of the two ends (`vCPU 0`, `domain 0`); links with the same end meet
      there;
    * `kind`: how they are connected (`interdomain`);
    * `here`, `there`: what the connection is called at either end (`port 3`, `port 34`);
    * `note`: whatever else matters (`masked`).
    """

    source: str
    target: str
    kind: str
    here: str = ""
    there: str = ""
    note: str = ""


class Amount(NamedTuple):
    """An amount of one kind: `count` of `unit`, which take `size` bytes."""

    label: str
    count: int  # type: ignore[assignment]  # hides the method of tuples, which is of no use here
    unit: str
    size: int
