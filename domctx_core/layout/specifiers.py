"""Field specifiers: what the author of a body writes on the right of `name: type =`.

All of them take `doc` (one line), `unit` (kHz, ns, bytes, ...), `volatile` (true where the value
changes by itself between two saves, such as a clock) and, where it makes sense, `default`.
Integers are in the byte order of the image unless the body fixes its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Literal

from domctx_core.base.errors import DeclarationError, Errno
from domctx_core.layout.field import REQUIRED, Field
from domctx_core.layout.kinds import aggregates, binary, scalars, variants
from domctx_core.layout.kinds.base import Kind
from domctx_core.layout.protocol import BodyBase

__all__ = [
    "array",
    "bitmap",
    "blob",
    "by_size",
    "count_of",
    "i8",
    "i16",
    "i32",
    "i64",
    "nested",
    "optional",
    "reserved",
    "switch",
    "text",
    "u8",
    "u16",
    "u32",
    "u64",
]


def _integer(size: int, signed: bool) -> Any:
    def specifier(
        *,
        doc: str = "",
        unit: str = "",
        volatile: bool = False,
        minimum: int | None = None,
        maximum: int | None = None,
        enum: type[Enum] | None = None,
        show: Literal["dec", "hex"] = "dec",
        errno: Errno | None = None,
        default: Any = REQUIRED,
    ) -> Any:
        kind = scalars.Int(
            size, signed, minimum=minimum, maximum=maximum, enum=enum, show=show, errno=errno
        )
        return Field(kind, "", doc, unit, volatile, default)

    name = f"{'i' if signed else 'u'}{8 * size}"
    specifier.__name__ = specifier.__qualname__ = name
    specifier.__doc__ = (
        f"Declare {'a signed' if signed else 'an unsigned'} integer of {size} byte"
        f"{'s' * (size > 1)}.\n\n"
        "`minimum` and `maximum` bound it. An IntEnum or IntFlag as annotation (or `enum`) gives\n"
        "its values names; a value outside is reported as `field-out-of-range`, an unknown flag\n"
        "bit as `reserved-not-zero`, with `errno` in place of EINVAL. `show` is `dec` or `hex`."
    )
    return specifier


u8 = _integer(1, False)
u16 = _integer(2, False)
u32 = _integer(4, False)
u64 = _integer(8, False)
i8 = _integer(1, True)
i16 = _integer(2, True)
i32 = _integer(4, True)
i64 = _integer(8, True)


def count_of(
    field: str,
    *,
    size: int = 4,
    doc: str = "",
    maximum: int | None = None,
    errno: Errno | None = None,
    init: Literal[False] = False,
) -> Any:
    """Declare the number of elements of the array (or bytes of the blob) named `field`.

    An unsigned integer of `size` bytes that is computed when written and read as an attribute; it
    cannot be set. A count that the body has no room for is `body-too-short`.
    """
    return Field(scalars.Count(size, field, maximum=maximum, errno=errno), "", doc)


def reserved(size: int, *, doc: str = "") -> Any:
    """Declare `size` bytes that are written as zero, and reported when they are anything else.

    A reserved field is no attribute of the body: give it a name but no annotation.
    """
    return Field(binary.Reserved(size), "", doc)


def blob(
    size: int | None = None,
    *,
    count: str | None = None,
    doc: str = "",
    volatile: bool = False,
    default: Any = REQUIRED,
) -> Any:
    """Declare bytes: `size` of them, as many as the field `count` has, or all that are left."""
    return Field(binary.Blob(size, count=count), "", doc, "", volatile, default)


def text(
    size: int | None = None, *, count: str | None = None, doc: str = "", default: Any = REQUIRED
) -> Any:
    """Declare UTF-8 text of `size` bytes, as many as the field `count` has, or all that are left."""
    return Field(binary.Text(size, count=count), "", doc, "", False, default)


def bitmap(
    size: int, *, word: int = 8, doc: str = "", volatile: bool = False, default: Any = REQUIRED
) -> Any:
    """Declare a bitmap of `size` bytes in words of `word` bytes, as a `Bits`."""
    return Field(binary.Bitmap(size, word), "", doc, "", volatile, default)


def nested(
    body: type[BodyBase], *, doc: str = "", volatile: bool = False, default: Any = REQUIRED
) -> Any:
    """Declare another body inside this one."""
    return Field(aggregates.Nested(body), "", doc, "", volatile, default)


def array(
    element: Any,
    count: int | str | None = None,
    *,
    doc: str = "",
    unit: str = "",
    volatile: bool = False,
    default: Any = REQUIRED,
) -> Any:
    """Declare an array of `element`: a body class, or a specifier such as `u64()`.

    `count` is a number, the name of a `count_of` field, or None for as many as are left.
    """
    return Field(aggregates.Array(_kind(element), count), "", doc, unit, volatile, default)


def optional(
    element: Any, *, lengths: Iterable[int] | None = None, doc: str = "", default: Any = None
) -> Any:
    """Declare something that may be absent; presence is kept.

    Without `lengths` it is present when the body has bytes left for it (an optional tail), else
    when the whole body is one of these lengths. `optional(reserved(4))` is a boolean attribute;
    any other is its value, or None.
    """
    kind = variants.Optional(_kind(element), None if lengths is None else frozenset(lengths))
    return Field(kind, "", doc, "", False, default)


def by_size(
    *, doc: str = "", volatile: bool = False, default: Any = REQUIRED, **bodies: type[BodyBase]
) -> Any:
    """Declare one of several bodies of fixed size, told apart by how many bytes are left for it."""
    return Field(variants.BySize(bodies), "", doc, "", volatile, default)


def switch(
    selector: str,
    cases: Mapping[Any, type[BodyBase] | None],
    *,
    size: int,
    doc: str = "",
    default: Any = REQUIRED,
) -> Any:
    """Declare a union of `size` bytes whose case is chosen by the field named `selector`."""
    return Field(variants.Switch(selector, cases, size), "", doc, "", False, default)


def _kind(element: Any) -> Kind:
    if isinstance(element, Field):
        return element.kind
    if isinstance(element, type) and hasattr(element, "__layout__"):
        return aggregates.Nested(element)
    raise DeclarationError(f"expected a body class or a field specifier, found {element!r}")
