"""`resolve`: one field of a body by its path, to be read and to be set.

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

__all__ = ["FieldRef", "JsonRef", "Ref", "resolve"]

_STEP = re.compile(r"(?P<name>[^.\[\]]+)(?P<indices>(\[\d{1,9}\])*)")


@dataclass(slots=True)
class FieldRef:
    """A value of a body that is a field of its own, or an element of one.

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
        """Return the value that the body has."""
        return (
            getattr(self.holder, self.key) if isinstance(self.key, str) else self.holder[self.key]
        )

    @property
    def size(self) -> int:
        """Return how many bytes the value takes."""
        return self.kind.length_of(self.value)

    @property
    def whole(self) -> FieldRef:
        """Return the field that the value is, or is in."""
        return self

    def to_json(self) -> Any:
        """Return the value as JSON."""
        return self.kind.to_json(self.value)

    def text(self) -> str:
        """Return the value on one line, for people."""
        if isinstance(_present(self.kind, self.value), (Nested, Array, BySize, Switch)):
            return json.dumps(self.to_json())
        return self.kind.text(self.value)

    def set(self, text: str) -> None:
        """Set the value to what a user wrote.

        That is what JSON has for it, without quotes where it is a string: a number (`0x10`), a
        name of an enumeration, names of flags (`A,B`), hex digits, text, positions of a bitmap
        (`1,2,8-15`; `+5,-7` to set one and clear another), and JSON for what has parts. A text that
        ends with a NUL keeps it, which cannot be typed; in double quotes it is a JSON string, and
        taken as it is. Raises `UsageError` for a value that the field cannot hold.
        """
        self.put(lambda: self._read(self.kind, text))

    def put(self, make: Callable[[], Any]) -> None:
        """Set the value that `make` returns; raises `UsageError` for a `JsonError` in it."""
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
        """Return the text, with NULs at its end where the present value has some."""
        old = self.value
        if text.endswith("\0") or not (isinstance(old, str) and old.endswith("\0")):
            return text
        if kind.size is None:
            return f"{text}\0"
        return text + "\0" * (kind.size - len(text.encode("utf-8", "surrogateescape")))


@dataclass(slots=True)
class JsonRef:
    """A value that is apart in the JSON of a field only, such as one quota in a row of them.

    `keys` lead to it in the JSON of the field `whole`.
    """

    path: str
    whole: FieldRef
    keys: tuple[str | int, ...]
    value: Any

    @property
    def offset(self) -> int:
        """Return where the whole field starts, from the start of the body."""
        return self.whole.offset

    @property
    def size(self) -> int:
        """Return how many bytes the whole field takes."""
        return self.whole.size

    def to_json(self) -> Any:
        """Return the value as JSON."""
        return self.value

    def text(self) -> str:
        """Return the value on one line, for people."""
        return json.dumps(self.value)

    def set(self, text: str) -> None:
        """Set the value to what a user wrote: text and numbers as they are, all else in JSON.

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


Ref = FieldRef | JsonRef

_WORDS = ("null", "true", "false")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise JsonError(f"expected JSON, found {text!r:.60} ({no_json(error)})") from None


def _bits(old: Any, size: int, text: str) -> Bits:
    """Return the bits at positions and ranges, which change `old` if they have signs."""
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


def resolve(body: Body, path: str) -> Ref:
    """Return the field of a body that a path names.

    Raises `UsageError` for a path that is not one, and for a field that the class does not have or
    that cannot be set (reserved bytes, counts); `BodyError` for one that this body does not have:
    an element beyond the last, an optional field that is absent. Messages continue after the name
    of what has the body: "has no field `x`".
    """
    ref: Ref | None = None
    done = ""
    for step in path.split("."):
        match = _STEP.fullmatch(step)
        if match is None:
            raise UsageError(
                f"{path!r:.80} is not the path of a field", expected="such as vcpus[0].time.version"
            )
        name = match["name"]
        done = f"{done}.{name}" if done else name
        ref = _field(body, name, 0, done) if ref is None else _inside(ref, name, done)
        for number in re.findall(r"\d+", match["indices"]):
            done += f"[{number}]"
            ref = _element(ref, int(number), done)
    assert ref is not None
    return ref


def _field(body: Body, name: str, offset: int, path: str) -> FieldRef:
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
    inside = layout.offset_of(body, name)
    assert inside is not None
    return FieldRef(path, field.kind, offset + inside, body, name, values)


def _no_field(path: str, name: str, known: Iterable[str]) -> UsageError:
    known = list(known)
    return UsageError(
        f"has no field `{path}`",
        field=path,
        expected=", ".join(known) or "no fields at all",
        hint=did_you_mean(name, known),
    )


def _present(kind: Kind, value: Any) -> Kind:
    """Return the kind of the value, of an optional one that is present the inner kind."""
    if isinstance(kind, Optional) and kind.present(value):
        return kind.inner
    return kind


def _inside(ref: Ref, name: str, path: str) -> Ref:
    value = ref.value
    if isinstance(value, Body):
        return _field(value, name, ref.offset, path)
    if value is None:
        raise BodyError(
            f"has no `{ref.path}` here, and so no `{name}` in it",
            field=ref.path,
            hint=f"set `{ref.path}` as a whole, in JSON",
        )
    obj = ref.to_json()
    if not isinstance(obj, dict) or name not in obj:
        raise _no_field(path, name, obj if isinstance(obj, dict) else ())
    return _json_ref(ref, name, obj[name], path)


def _element(ref: Ref, number: int, path: str) -> Ref:
    kind = _present(ref.kind, ref.value) if isinstance(ref, FieldRef) else None
    # Flags and bitmaps are lists in JSON too, but a number is not meant as an index into those.
    items = ref.value if isinstance(kind, Array) else ref.to_json()
    if isinstance(kind, (Int, Bitmap)) or not isinstance(items, list):
        raise UsageError(f"has `{ref.path}`, which is no list", field=ref.path)
    if number >= len(items):
        raise BodyError(
            f"has no element {number} in `{ref.path}`",
            field=ref.path,
            expected=f"0 to {len(items) - 1}" if items else "none: the list is empty",
            actual=number,
        )
    if not isinstance(ref, FieldRef) or not isinstance(kind, Array):
        return _json_ref(ref, number, items[number], path)
    offset = ref.offset + sum(kind.element.length_of(item) for item in items[:number])
    return FieldRef(path, kind.element, offset, items, number, ref.values)


def _json_ref(ref: Ref, key: str | int, value: Any, path: str) -> JsonRef:
    keys = ref.keys if isinstance(ref, JsonRef) else ()
    return JsonRef(path, ref.whole, (*keys, key), value)
