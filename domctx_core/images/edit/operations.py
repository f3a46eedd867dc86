"""The operations of an edit, as data, and parsed from what a user writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from domctx_core.base.errors import UsageError
from domctx_core.base.text import ranges_text
from domctx_core.images.tree import Image
from domctx_core.layout.kinds.base import parse_integer

__all__ = [
    "ALL",
    "Drop",
    "EditOperation",
    "Insert",
    "Keep",
    "Order",
    "Reorder",
    "Selector",
    "SetField",
    "SetHeader",
    "parse_set",
]

Order = Literal["ascending", "dependencies"]

_SELECTOR = re.compile(
    r"(?:(?P<path>[^.\[\]#:=]+)/)?(?P<type>[^./\[\]#:=]+)"
    r"(?:\[(?P<instances>[^\]]*)\])?(?:#(?P<index>\d{1,18}))?"
)
_NUMBERS = re.compile(r"(\d{1,10})(?:-(\d{1,10}))?")

ALL = (0, 2**64)
"""The range of all instances."""


@dataclass(frozen=True, slots=True)
class Selector:
    """Select the records of an operation.

    `type` is a name or a code. `numbers` are ranges of instances, both ends included (None: not
    given); where a format's records have none, a record's number is its place among those of its
    type in the same container. `index` is the record's index in its container, as `show` prints it
    after a `#`. `path` is the end of the path of formats down to the container.
    """

    type: str | int
    numbers: tuple[tuple[int, int], ...] | None = None
    index: int | None = None
    path: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Selector:
        """Parse `[FORMAT/]TYPE[INSTANCE]` or `[FORMAT/]TYPE#INDEX`.

        INSTANCE is a number, ranges (`3-7,9`) or `*`. Raises `UsageError` for anything else.
        """
        match = _SELECTOR.fullmatch(text.strip())
        if match is None:
            raise _not_a(text, "a record", "[FORMAT/]TYPE, TYPE[INSTANCE], TYPE[3-7] or TYPE#INDEX")
        numbers = None
        if match["instances"] is not None:
            numbers = tuple(_ranges(match["instances"], text))
        index = None if match["index"] is None else int(match["index"])
        path = tuple(match["path"].split("/")) if match["path"] else ()
        return cls(_code(match["type"]), numbers, index, path)

    def __str__(self) -> str:
        type = self.type if isinstance(self.type, str) else f"{self.type:#x}"
        text = "/".join([*self.path, type])
        if self.numbers is not None:
            everything = self.numbers == (ALL,)
            text += f"[{'*' if everything else ranges_text(self.numbers, separator=',')}]"
        return text if self.index is None else f"{text}#{self.index}"

    @property
    def one(self) -> bool:
        """Return whether it can select no more than one record."""
        if self.numbers is None:
            return True
        return len(self.numbers) == 1 and self.numbers[0][0] == self.numbers[0][1]


def _ranges(text: str, whole: str) -> Iterator[tuple[int, int]]:
    if text.strip() == "*":
        yield ALL
        return
    for part in text.split(","):
        match = _NUMBERS.fullmatch(part.strip())
        if match is None or int(match[1]) > int(match[2] or match[1]):
            raise _not_a(whole, "a record", "an instance such as [3], [3-7,9] or [*]")
        yield int(match[1]), int(match[2] or match[1])


def _code(text: str) -> str | int:
    try:
        return parse_integer(text)
    except ValueError:
        return text.upper()


def _not_a(text: str, what: str, expected: str) -> UsageError:
    return UsageError(f"{text!r:.80} does not say {what}", expected=expected)


@dataclass(frozen=True, slots=True)
class SetField:
    """Set a field of the body of the records selected; `value` is as a user writes it."""

    records: Selector
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class SetHeader:
    """Set a field of what precedes a container's records; `path` selects the container."""

    path: tuple[str, ...]
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Take the records selected out, with the containers that follow them."""

    records: Selector


@dataclass(frozen=True, slots=True)
class Keep:
    """Take all other records out of the containers where one is selected.

    The first and the last record that the format asks for stay, and so do the records that hold
    what is kept. All `Keep` of one edit count together.
    """

    records: Selector


@dataclass(frozen=True, slots=True)
class Insert:
    """Put the records of another image in, except the first and last that its format asks for.

    They go into the container of the same format; `name` is what messages call the other image.
    With `replaces` a record of the same type and instance gives way, else it is an error.
    """

    image: Image
    name: str = "the other image"
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Reorder:
    """Bring records into the order of their types and instances, or that of what they need.

    `ascending` concerns the formats whose records ascend; `dependencies` moves a record behind
    those that its type names in `after`, in any format, and moves no other.
    """

    order: Order


EditOperation = SetField | SetHeader | Drop | Keep | Insert | Reorder
"""One operation of an edit."""

_SET_HEADER = re.compile(r"(?P<path>[\w/-]+):\.?(?P<field>[^=:]+)=(?P<value>.*)", re.DOTALL)
_SET_FIELD = re.compile(
    r"(?P<records>[^.\[=]+(?:\[[^\]=]*\])?(?:#\d+)?)\.(?P<field>[^=]+)=(?P<value>.*)", re.DOTALL
)


def parse_set(text: str) -> SetField | SetHeader:
    """Parse `TYPE[INSTANCE].field=value` or `FORMAT:field=value`; raises `UsageError` for others."""
    match = _SET_HEADER.fullmatch(text)
    if match is not None:
        return SetHeader(tuple(match["path"].split("/")), match["field"].strip(), match["value"])
    match = _SET_FIELD.fullmatch(text)
    if match is None:
        raise _not_a(text, "what to set", "TYPE[INSTANCE].field=value or FORMAT:field=value")
    return SetField(Selector.parse(match["records"]), match["field"].strip(), match["value"])
