"""Places: one field inside a body by its path, to be looked at and to be set.

A path is as in findings and JSON: `khz`, `vcpus[0].time.version`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domctx_core.errors import BodyError, UsageError
from domctx_core.excerpts import no_json
from domctx_core.layout.aggregates import Array, BySize, Nested, Optional, Switch
from domctx_core.layout.bits import Bits
from domctx_core.layout.body import Body
from domctx_core.layout.kinds import JsonError, Kind
from domctx_core.layout.scalars import Bitmap, Blob, Count, Int, Reserved
from domctx_core.spelling import did_you_mean

__all__ = ["Place", "find_place"]

_STEP = re.compile(r"(?P<name>[^.\[\]]+)(?P<indices>(\[\d{1,9}\])*)")


@dataclass(slots=True)
class Place:
    """Where one value of a body is kept.

    `offset` counts bytes from the start of the body. `holder` is the body or list that has the
    value, under `key`; `values` are the fields beside it, which may decide what it can be.
    """

    path: str
    kind: Kind
    offset: int
    holder: Any
    key: str | int
    values: Mapping[str, Any]

    @property
    def value(self) -> Any:
        """The value that is there."""
        return (
            getattr(self.holder, self.key) if isinstance(self.key, str) else self.holder[self.key]
        )

    @property
    def size(self) -> int:
        """How many bytes the value takes."""
        return self.kind.length_of(self.value)

    def to_json(self) -> Any:
        """The value as JSON holds it."""
        return self.kind.to_json(self.value)

    def text(self) -> str:
        """The value on one line, for people."""
        if isinstance(_present(self.kind, self.value), (Nested, Array, BySize, Switch)):
            return json.dumps(self.to_json())
        return self.kind.text(self.value)

    def set(self, text: str) -> None:
        """Put in the value that a user wrote.

        That is what JSON has for it, without quotes where it is a string: a number (`0x10`), a
        name of an enumeration, names of flags (`A,B`), hex digits, text, positions of a bitmap
        (`1,2,8-15`; `+5,-7` to set one and clear another), and JSON for what has parts. Raises
        `UsageError` for a value that the field cannot hold.
        """
        try:
            value = self._read(self.kind, text)
        except JsonError as fault:
            faults = [
                f"{f'{self.path}.{inside}'.replace('.[', '[').rstrip('.')}: {message}"
                for inside, message in fault.faults()
            ]
            raise UsageError("; ".join(faults), field=self.path) from None
        if isinstance(self.key, str):
            setattr(self.holder, self.key, value)
        else:
            self.holder[self.key] = value

    def _read(self, kind: Kind, text: str) -> Any:
        if isinstance(kind, Optional) and not isinstance(kind.inner, Reserved):
            return None if text == "null" else self._read(kind.inner, text)
        if isinstance(kind, Bitmap) and not text.startswith("["):
            return _bits(self.value, 8 * kind.size, text)
        value: Any = text
        if isinstance(kind, Int):
            value = text.strip()
            if value.startswith("["):
                value = _json(text)
            elif kind.flags:
                value = [name.strip() for name in re.split(r"[|,]", text) if name.strip()]
        elif not isinstance(kind, Blob) and (text[:1] in ("{", "[", '"') or text in _WORDS):
            value = _json(text)
        return kind.from_json(value, self.values)


_WORDS = ("null", "true", "false")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise JsonError(f"expected JSON, found {text!r:.60} ({no_json(error)})") from None


def _bits(old: Any, size: int, text: str) -> Bits:
    """Positions and ranges of them; all with a sign change `old`, none with one make it anew."""
    items = [] if text in ("", "none") else [item.strip() for item in text.split(",")]
    matches = [re.fullmatch(r"([+-]?)(\d{1,9})(?:-(\d{1,9}))?", item) for item in items]
    signed = {bool(match[1]) for match in matches if match is not None}
    if None in matches or len(signed) > 1:
        raise JsonError(
            f"expected positions such as 1,2,8-15, or changes such as +5,-7, found {text!r:.60}"
        )
    value = old.to_int() if True in signed and isinstance(old, Bits) else 0
    for match in matches:
        assert match is not None
        first, last = int(match[2]), int(match[3] or match[2])
        if not first <= last < size:
            raise JsonError(f"{match[0]} is outside a bitmap of {size} bits (0 to {size - 1})")
        mask = ((1 << last - first + 1) - 1) << first
        value = value & ~mask if match[1] == "-" else value | mask
    return Bits.from_int(size, value)


def find_place(body: Body, path: str) -> Place:
    """The place of a field in a body.

    What the errors say goes on after the name of what has the body: "has no field `x`".

    Raises `UsageError` for a path that is not one, a field that the body's class has not got, or
    that nobody sets (reserved bytes, counts); `BodyError` for what this body has not got: an
    element beyond the last, an optional field that is absent.
    """
    at, holder, place, done = 0, body, None, ""
    for step in path.split("."):
        match = _STEP.fullmatch(step)
        if match is None:
            raise UsageError(
                f"{path!r:.80} is not the path of a field", expected="such as vcpus[0].time.version"
            )
        if place is not None:
            holder = _inside(place, step)
        name = match["name"]
        done = f"{done}.{name}" if done else name
        place = _field(holder, name, at, done)
        for number in re.findall(r"\d+", match["indices"]):
            done += f"[{number}]"
            place = _element(place, int(number), done)
        at = place.offset
    assert place is not None
    return place


def _field(body: Body, name: str, at: int, path: str) -> Place:
    layout = type(body).__layout__
    values = {stored: getattr(body, stored) for stored in layout.stored}
    field = layout.by_name.get(name)
    if field is None or isinstance(field.kind, Reserved):
        raise _no_field(path, name, layout.stored)
    if isinstance(field.kind, Count):
        raise UsageError(
            f"has `{path}` computed: it counts `{field.kind.of}`",
            field=path,
            hint=f"set `{field.kind.of}`; the count follows",
        )
    offset = layout.offset_of(body, name)
    assert offset is not None
    return Place(path, field.kind, at + offset, body, name, values)


def _no_field(path: str, name: str, known: Iterable[str]) -> UsageError:
    known = list(known)
    return UsageError(
        f"has no field `{path}`",
        field=path,
        expected=", ".join(known) or "no fields at all",
        hint=did_you_mean(name, known),
    )


def _present(kind: Kind, value: Any) -> Kind:
    """The kind of an optional value that is there."""
    if isinstance(kind, Optional) and kind.present(value):
        return kind.inner
    return kind


def _inside(place: Place, step: str) -> Body:
    value = place.value
    if isinstance(value, Body):
        return value
    if value is None:
        raise BodyError(
            f"has no `{place.path}` here, and so no `{step}` in it",
            field=place.path,
            hint=f"set `{place.path}` as a whole, in JSON",
        )
    raise _no_field(f"{place.path}.{step}", step, ())


def _element(place: Place, number: int, path: str) -> Place:
    kind = _present(place.kind, place.value)
    if not isinstance(kind, Array):
        raise UsageError(f"has `{place.path}`, which is no list", field=place.path)
    items = place.value
    if number >= len(items):
        raise BodyError(
            f"has no element {number} in `{place.path}`",
            field=place.path,
            expected=f"0 to {len(items) - 1}" if items else "none: the list is empty",
            actual=number,
        )
    at = place.offset + sum(kind.element.length_of(item) for item in items[:number])
    return Place(path, kind.element, at, items, number, place.values)
