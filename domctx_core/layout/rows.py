"""`RowLayout`: a body of fixed size as the row of a table.

What the fast ways need of a layout: where its fields are, whether one body, or a whole run of them,
plainly breaks no rule, and a body's numbers in one tuple.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from domctx_core.errors import BodyError
from domctx_core.layout.body import Body
from domctx_core.layout.patterns import NoPattern, body_pattern
from domctx_core.layout.scalars import Int, Reserved

if TYPE_CHECKING:
    from domctx_core.layout.kinds import ByteOrder, Kind

__all__ = ["Place", "RowLayout"]

B = TypeVar("B", bound=Body)


class Place(NamedTuple):
    """A field of fixed size: where it is in the body; `code` is that of an integer, else None."""

    name: str
    offset: int
    kind: Kind
    code: str | None


class RowLayout(Generic[B]):
    """A body class of fixed size: `size` bytes in `places`, its fields that have values.

    `order` is the struct prefix of the byte order that the class itself fixes, if it does. `codes`
    are all fields for `struct`; `flat` says that they are integers and reserved bytes, checked and
    written in the ordinary way.

    Raises `BodyError` for a class whose size is not fixed.
    """

    def __init__(self, body: type[B]) -> None:
        layout = body.__layout__
        if layout.size is None:
            raise BodyError(f"{body.__name__} has no fixed size, so that it makes no columns")
        self.body = body
        self.size: int = layout.size
        self.order = layout.order
        self.own_check = layout.own_check
        self.places: list[Place] = []
        self.codes = ""
        at = 0
        for field in layout.fields:
            kind = field.kind
            size = kind.size or 0
            if isinstance(kind, Reserved):
                self.codes += f"{size}x"
            else:
                code = kind.code if isinstance(kind, Int) else None
                self.places.append(Place(field.name, at, kind, code))
                self.codes += code or f"{size}s"
            at += size
        self.by_name = {place.name: place for place in self.places}
        self.flat = (
            all(place.code for place in self.places)
            and body.to_bytes is Body.to_bytes
            and body.problems is Body.problems
        )

        self._patterns: dict[ByteOrder, bytes | None] = {}

    def pattern(self, byteorder: ByteOrder) -> bytes | None:
        """A pattern of bodies that break no rule; None where bytes alone do not show that."""
        if byteorder not in self._patterns:
            try:
                self._patterns[byteorder] = body_pattern(self.body, byteorder)
            except NoPattern:
                self._patterns[byteorder] = None
        return self._patterns[byteorder]

    @cached_property
    def row(self) -> Callable[[B], tuple[Any, ...] | None]:
        """Gives a body's values in order; None unless it is plain that they break no rule.

        What has no rule is left to `struct`, and a value that is missing raises `AttributeError`.
        """
        if not self.flat or not self.places:
            return lambda body: None
        names = [place.name for place in self.places]
        get: Callable[[B], Any] = attrgetter(*names)
        if len(names) == 1:
            only = get
            get = lambda body: (only(body),)  # noqa: E731
        kinds = enumerate(place.kind for place in self.places)
        checked = [(i, kind) for i, kind in kinds if isinstance(kind, Int) and kind.checked]
        check = self.body.check if self.own_check else None
        if not checked and check is None:
            return get
        ranges = [(i, *_range(kind)) for i, kind in checked if kind.enum is None]
        choices = [(i, kind.enum, kind.values) for i, kind in checked if kind.enum is not None]

        def row(body: B) -> tuple[Any, ...] | None:
            values: tuple[Any, ...] = get(body)
            for i, low, high in ranges:
                value = values[i]
                if type(value) is not int or not low <= value <= high:
                    return None
            for i, enum, members in choices:
                value = values[i]
                if (type(value) is not enum and type(value) is not int) or value not in members:
                    return None
            if check is not None and any(True for _ in check(body)):
                return None
            return values

        return row

    @cached_property
    def _types(self) -> set[type]:
        enums = (getattr(place.kind, "enum", None) for place in self.places)
        return {int, bool, *(enum for enum in enums if enum is not None)}

    @cached_property
    def _pack(self) -> Callable[..., bytes]:
        return struct.Struct("<" + self.codes).pack

    def fits(self, body: B) -> bool:
        """Whether it is plain that a body breaks no rule; where not, `problems` has the answer."""
        try:
            values = self.row(body)
            if values is None or not self._types.issuperset(map(type, values)):
                return False
            self._pack(*values)
        except (AttributeError, TypeError, struct.error):
            return False
        return True


def _range(kind: Int) -> tuple[int, int]:
    """The lowest and the highest number that an integer field may have."""
    low = kind.lowest if kind.minimum is None else kind.minimum
    return low, kind.highest if kind.maximum is None else kind.maximum
