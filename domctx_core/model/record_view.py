"""One record as checks across records see it."""

from __future__ import annotations

from typing import NamedTuple

from domctx_core.layout.body import Body

__all__ = ["RecordView"]


class RecordView(NamedTuple):
    """A record as a check sees it.

    `index` counts the records of its container, `offset` is where its header starts, from the start
    of the file. `body` is None where the bytes cannot be decoded, and where they are not: of a bulk
    type, of a body that is too long to be held, or that a load reads piece by piece.
    """

    index: int  # type: ignore[assignment]  # hides the method of tuples, which is of no use here
    offset: int
    code: int
    name: str
    instance: int | None
    length: int
    body: Body | None
