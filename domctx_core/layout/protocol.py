"""What kinds and generated code need of a body class and of its compiled layout.

Some kinds hold bodies, and bodies are rows of kinds: both import this module, neither the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from domctx_core.layout.field import Field
from domctx_core.layout.kinds.base import ByteOrder, Checker, Reader

if TYPE_CHECKING:
    import random

__all__ = ["BodyBase", "CompiledLayout"]


class CompiledLayout(Protocol):
    """The compiled declaration of a body class; see `layout.compiled.Layout`.

    `order` is the struct prefix of the byte order that the class itself fixes, if it does; `size`
    is None where it varies. `checked` tells whether `check` can find anything, and `overridden` are
    the methods of `Body` that the class has of its own. `patterns` keeps what `codegen.regex` made.
    """

    body: type[Any]
    fields: list[Field]
    order: str | None
    size: int | None
    checked: bool
    overridden: frozenset[str]
    patterns: dict[ByteOrder, bytes | None]

    def decode(self, reader: Reader) -> Any:
        """Read a body at the reader's position; raises `BodyError` where bytes are missing."""

    def decode_row(self, reader: Reader, count: int) -> list[Any] | None:
        """Read `count` valid bodies of fixed size; None and nothing read if one may be invalid."""

    def encode(self, body: Any, out: bytearray, order: str) -> None:
        """Append a body's bytes."""

    def size_of(self, body: Any) -> int:
        """Return how many bytes `encode` appends."""

    def check(self, body: Any, checker: Checker) -> None:
        """Report every problem of the values."""

    def to_json(self, body: Any) -> dict[str, Any]:
        """Return the fields as JSON."""

    def from_json(self, value: Any) -> Any:
        """Return the body of its JSON; raises `JsonError`."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of a body."""

    def example(self, rng: random.Random) -> Any:
        """Return a valid body."""

    def describe(self) -> list[dict[str, Any]]:
        """Return the declaration as data."""


class BodyBase:
    """The base of `Body`: a class with a compiled layout."""

    __slots__ = ()

    __layout__: ClassVar[CompiledLayout]
    __trusted_values__: ClassVar[Mapping[str, Collection[int]] | None]
