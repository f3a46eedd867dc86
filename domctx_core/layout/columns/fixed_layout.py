"""`RowLayout`: a body of fixed size as the row of a table.

What the fast ways need of a layout: where its fields are, whether one body, or a whole run of them,
plainly breaks no rule, and a body's numbers in one tuple.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from domctx_core.base.errors import BodyError
from domctx_core.layout.body import Body
from domctx_core.layout.codegen.constructors import maker
from domctx_core.layout.codegen.regex import NoPattern, body_pattern
from domctx_core.layout.kinds.scalars import Int, Reserved

if TYPE_CHECKING:
    from domctx_core.layout.kinds.base import ByteOrder, Kind

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
    are all fields for `struct`; `flat` says that they are integers and reserved bytes.

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
        self.flat = bool(self.places) and all(place.code for place in self.places)

    def pattern(self, byteorder: ByteOrder) -> bytes | None:
        """A pattern of bodies that break no rule; None where bytes alone do not show that."""
        try:
            return body_pattern(self.body, byteorder)
        except NoPattern:
            return None

    @property
    def make(self) -> Callable[[Iterable[Sequence[Any]]], list[B]]:
        """Makes a body of each row of values; see `made.maker`."""
        layout = self.body.__layout__
        if layout.make is None:
            layout.make = maker(self.body, [layout.by_name[place.name] for place in self.places])
        return layout.make

    def fits(self, body: B) -> bool:
        """Whether it is plain that a body breaks no rule; where not, `problems` has the answer."""
        return self.body.problems is Body.problems and self.body.__layout__.fits(body)
