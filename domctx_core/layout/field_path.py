"""Places: one field inside a body by its path, to be looked at and to be set.

A path is as in findings and JSON: `khz`, `vcpus[0].time.version`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domctx_core.base.errors import BodyError, UsageError
from domctx_core.base.text import did_you_mean, no_json
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.aggregates import Array, Nested
from domctx_core.layout.kinds.base import JsonError, Kind, parse_integer
from domctx_core.layout.kinds.binary import (
    Bitmap,
    Blob,
    Reserved,
    Text,
)
from domctx_core.layout.kinds.bits import Bits
from domctx_core.layout.kinds.scalars import Count, Int
from domctx_core.layout.kinds.variants import BySize, Optional, Switch

__all__ = ["Part", "Place", "find_place"]

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

    @property
    def whole(self) -> Place:
        """The place of the field that the value is, or lies in."""
        return self

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
        (`1,2,8-15`; `+5,-7` to set one and clear another), and JSON for what has parts. A text that
        ends with a NUL keeps it, which nobody can type; in double quotes it is a JSON string, and
        taken as it is. Raises `UsageError` for a value that the field cannot hold.
        """
        self.put(lambda: self._read(self.kind, text))

    def put(self, make: Callable[[], Any]) -> None:
        """Put in the value that `make` gives; raises `UsageError` for a fault that it finds."""
        try:
            value = make()
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
        elif type(kind) in (Blob, Text):
            value = _json(text) if text.startswith('"') else self._ended(kind, text)
        elif text[:1] in ("{", "[", '"') or text in _WORDS:
            value = _json(text)
        return kind.from_json(value, self.values)

    def _ended(self, kind: Kind, text: str) -> str:
        """A text with NULs at its end where the value that is there has some."""
        old = self.value
        if text.endswith("\0") or not (isinstance(old, str) and old.endswith("\0")):
            return text
        if kind.size is None:
            return f"{text}\0"
        return text + "\0" * (kind.size - len(text.encode("utf-8", "surrogateescape")))


@dataclass(slots=True)
class Part:
    """Where a value is kept that only JSON has apart, such as one quota in a row of them.

    `keys` lead to it in the JSON of the field `whole`.
    """

    path: str
    whole: Place
    keys: tuple[str | int, ...]
    value: Any

    @property
    def offset(self) -> int:
        """Where the whole field starts, from the start of the body."""
        return self.whole.offset

    @property
    def size(self) -> int:
        """How many bytes the whole field takes."""
        return self.whole.size

    def to_json(self) -> Any:
        """The value as JSON holds it."""
        return self.value

    def text(self) -> str:
        """The value on one line, for people."""
        return json.dumps(self.value)

    def set(self, text: str) -> None:
        """Put in the value that a user wrote: text and numbers as they are, all else in JSON.

        Raises `UsageError` for a value that the field cannot hold.
        """

        def make() -> Any:
            try:
                self.value = self._read(text)
            except JsonError as fault:
                for key in reversed(self.keys):
                    fault.at(f"[{key}]" if isinstance(key, int) else key)
                raise
            document = holder = self.whole.to_json()
            for key in self.keys[:-1]:
                holder = holder[key]
            holder[self.keys[-1]] = self.value
            return self.whole.kind.from_json(document, self.whole.values)

        self.whole.put(make)

    def _read(self, text: str) -> Any:
        if isinstance(self.value, str) and not text.startswith('"'):
            return text
        if type(self.value) is int:
            try:
                return parse_integer(text.strip())
            except ValueError:
                raise JsonError(f"expected a number, found {text!r:.60}") from None
        return _json(text)


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


def find_place(body: Body, path: str) -> Place | Part:
    """The place of a field in a body.

    What the errors say goes on after the name of what has the body: "has no field `x`".

    Raises `UsageError` for a path that is not one, a field that the body's class has not got, or
    that nobody sets (reserved bytes, counts); `BodyError` for what this body has not got: an
    element beyond the last, an optional field that is absent.
    """
    place: Place | Part | None = None
    done = ""
    for step in path.split("."):
        match = _STEP.fullmatch(step)
        if match is None:
            raise UsageError(
                f"{path!r:.80} is not the path of a field", expected="such as vcpus[0].time.version"
            )
        name = match["name"]
        done = f"{done}.{name}" if done else name
        place = _field(body, name, 0, done) if place is None else _inside(place, name, done)
        for number in re.findall(r"\d+", match["indices"]):
            done += f"[{number}]"
            place = _element(place, int(number), done)
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


def _inside(place: Place | Part, name: str, path: str) -> Place | Part:
    value = place.value
    if isinstance(value, Body):
        return _field(value, name, place.offset, path)
    if value is None:
        raise BodyError(
            f"has no `{place.path}` here, and so no `{name}` in it",
            field=place.path,
            hint=f"set `{place.path}` as a whole, in JSON",
        )
    shown = place.to_json()
    if not isinstance(shown, dict) or name not in shown:
        raise _no_field(path, name, shown if isinstance(shown, dict) else ())
    return _part(place, name, shown[name], path)


def _element(place: Place | Part, number: int, path: str) -> Place | Part:
    kind = _present(place.kind, place.value) if isinstance(place, Place) else None
    # flags and bitmaps are lists in JSON too, whose elements nobody means by a number
    items = place.value if isinstance(kind, Array) else place.to_json()
    if isinstance(kind, (Int, Bitmap)) or not isinstance(items, list):
        raise UsageError(f"has `{place.path}`, which is no list", field=place.path)
    if number >= len(items):
        raise BodyError(
            f"has no element {number} in `{place.path}`",
            field=place.path,
            expected=f"0 to {len(items) - 1}" if items else "none: the list is empty",
            actual=number,
        )
    if not isinstance(place, Place) or not isinstance(kind, Array):
        return _part(place, number, items[number], path)
    at = place.offset + sum(kind.element.length_of(item) for item in items[:number])
    return Place(path, kind.element, at, items, number, place.values)


def _part(place: Place | Part, key: str | int, value: Any, path: str) -> Part:
    keys = place.keys if isinstance(place, Part) else ()
    return Part(path, place.whole, (*keys, key), value)
